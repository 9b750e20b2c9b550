"""A direction in the embedding along which a rating grows, chosen on source validation data only."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from xlser.evaluation.metrics import ccc

if TYPE_CHECKING:
    from sklearn.linear_model import Ridge
    from sklearn.preprocessing import StandardScaler

ALPHAS = tuple(10.0**power for power in range(-2, 5))


@dataclass(frozen=True)
class Direction:
    """Standardised embeddings into a ridge regression; ``chosen`` holds ``alpha``."""

    scaler: StandardScaler
    model: Ridge
    chosen: dict[str, float]

    def predict(self, embeddings: ArrayLike) -> np.ndarray:
        """Return the rating, (Q,) on the scale of the training ratings, of embeddings (Q, D); Q may be 0."""
        embeddings = np.asarray(embeddings)
        return self.model.predict(self.scaler.transform(embeddings)) if len(embeddings) else np.empty(0)


def fit_direction(
    train: ArrayLike,
    ratings: ArrayLike,
    validation: ArrayLike,
    validation_ratings: ArrayLike,
    *,
    alphas: Sequence[float] = ALPHAS,
) -> Direction:
    """Fit a ridge regression and choose its alpha by the CCC on validation data of the source.

    Embeddings are standardised with the mean and deviation of the rated training rows. Of several alphas that do as
    well the first is taken; so it is where no CCC is defined, the validation ratings being constant or too few.

    Args:
        train: (N, D) finite embeddings.
        ratings: (N,) numbers; rows whose rating is nan are left out.
        validation: (M, D) embeddings of other speakers of the source corpora.
        validation_ratings: (M,) their ratings, nan where there is none.
        alphas: the candidates.

    Raises:
        ValueError: fewer than three rated training rows, numbers that are not finite, shapes that do not fit.

    >>> model = fit_direction([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], [[0.0], [1.5]], [1.0, 4.0])
    >>> model.chosen, model.predict([[3.0]]).round(1).tolist()
    ({'alpha': 0.01}, [7.0])
    """
    from scipy.linalg import LinAlgWarning
    from sklearn.linear_model import Ridge
    from sklearn.preprocessing import StandardScaler

    train, ratings = _rated("ratings", train, ratings)
    validation, truth = _rated("validation_ratings", validation, validation_ratings)
    if len(ratings) < 3:
        raise ValueError(f"`ratings` must hold at least 3 numbers, but holds {len(ratings)} instead.")
    scaler = StandardScaler().fit(train)
    rows = scaler.transform(train)
    with warnings.catch_warnings():
        # With more columns than rows the smallest alphas are near what float32 bears; validation decides between them.
        warnings.simplefilter("ignore", LinAlgWarning)
        directions = [Direction(scaler, Ridge(alpha=alpha).fit(rows, ratings), {"alpha": alpha}) for alpha in alphas]
    scores = [ccc(truth, direction.predict(validation)) for direction in directions]
    return directions[int(np.argmax(np.nan_to_num(scores, nan=-np.inf)))]


def fit_directions(
    train: ArrayLike,
    ratings: Mapping[str, np.ndarray],
    validation: ArrayLike,
    validation_ratings: Mapping[str, np.ndarray],
    *,
    alphas: Sequence[float] = ALPHAS,
) -> dict[str, Direction]:
    """Do as `fit_direction` for several ratings of the same embeddings, several times faster.

    One decomposition of the training rows serves every alpha, and every rating of the same rows; in float64, so that
    numbers differ from those of `fit_direction` by its rounding.

    Args:
        train: (N, D) finite embeddings.
        ratings: name to (N,) numbers, nan where not rated; those with fewer than three are left out.
        validation: (M, D) embeddings of other speakers of the source corpora.
        validation_ratings: name to (M,) numbers.
        alphas: the candidates.

    Raises:
        ValueError: numbers that are not finite, shapes that do not fit.

    >>> train, held = [[0.0], [1.0], [2.0]], [[0.0], [1.5]]
    >>> found = fit_directions(train, {"a": np.array([1.0, 3.0, 5.0])}, held, {"a": np.array([1.0, 4.0])})
    >>> found["a"].chosen, found["a"].predict([[3.0]]).round(1).tolist()
    ({'alpha': 0.01}, [7.0])
    """
    from sklearn.linear_model import Ridge
    from sklearn.preprocessing import StandardScaler

    found: dict[str, Direction] = {}
    parts: dict[bytes, tuple[StandardScaler, np.ndarray, np.ndarray, np.ndarray]] = {}
    for name in ratings:
        rows, truth = _rated("ratings", train, ratings[name])
        held, held_truth = _rated("validation_ratings", validation, validation_ratings[name])
        if len(truth) < 3:
            continue
        which = np.isnan(ratings[name]).tobytes()
        if which not in parts:
            scaler = StandardScaler().fit(rows.astype(np.float64))
            z = scaler.transform(rows.astype(np.float64))
            parts[which] = (scaler, *np.linalg.eigh(z @ z.T if len(z) < z.shape[1] else z.T @ z), z)
        scaler, values, vectors, z = parts[which]
        mean, strength = truth.mean(), np.asarray(alphas) + np.maximum(values, 0.0)[:, None]
        if len(z) < z.shape[1]:  # the weights lie in the span of the rows
            weights = z.T @ (vectors @ ((vectors.T @ (truth - mean))[:, None] / strength))
        else:
            weights = vectors @ ((vectors.T @ (z.T @ (truth - mean)))[:, None] / strength)
        said = scaler.transform(held.astype(np.float64)) @ weights + mean if len(held) else np.empty((0, len(alphas)))
        best = int(np.argmax(np.nan_to_num([ccc(held_truth, column) for column in said.T], nan=-np.inf)))
        model = Ridge(alpha=alphas[best])
        model.coef_, model.intercept_ = weights[:, best], float(mean)
        found[name] = Direction(scaler, model, {"alpha": alphas[best]})
    return found


def _rated(name: str, embeddings: ArrayLike, ratings: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    embeddings, ratings = np.asarray(embeddings), np.asarray(ratings, dtype=float)
    if ratings.shape != embeddings.shape[:1]:
        raise ValueError(f"`{name}` must be of shape {embeddings.shape[:1]}, but is of shape {ratings.shape} instead.")
    return embeddings[~np.isnan(ratings)], ratings[~np.isnan(ratings)]

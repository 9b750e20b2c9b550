"""Spaces in which source and target lie alike: the readout is fitted again to the source in them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from xlser.errors import RecipeError
from xlser.evaluation.adapting import Adaptation, Away, Fitted, Home, check_labels, unset
from xlser.evaluation.linear import fit_linear
from xlser.features.normalise import Scaler

# z-scores beyond it are set to it; rows of each side that a kernel is built of, whose cost grows with their cube.
_CLIP, MOST = 5.0, 600
_SOURCE, _TARGET = 1, -2


@dataclass(frozen=True)
class SubspaceAlignment(Adaptation):
    """Main directions of the source are turned onto those of the target (Fernando et al. 2013; by skada).

    Args:
        components: how many directions; no more than there are rows and columns.

    Raises:
        RecipeError: fewer than one.
    """

    name: ClassVar[str] = "subspace-alignment"
    assumes: ClassVar[str] = "The main directions of the source mean in the target what those of the target do."
    components: int = 40

    def __post_init__(self) -> None:
        """Check the option."""
        _check_whole(self, "components")

    def _fit(self, home: Home, away: Away) -> Fitted:
        scaler = Scaler.fit(home.embeddings, _CLIP)
        rows, domains, _ = stacked(scaler, home, away)
        count = min(int(self.components), rows.shape[1], (domains > 0).sum(), (domains < 0).sum())
        with quiet_skada() as skada:
            model = skada.SubspaceAlignmentAdapter(n_components=count, random_state=0).fit(rows, sample_domain=domains)
        source, target = model.pca_source_, model.pca_target_
        return FittedSubspaces(
            mean=scaler.mean,
            std=scaler.std,
            home_mean=source.mean_,
            home_axes=source.components_.T @ model.M_,
            away_mean=target.mean_,
            away_axes=target.components_.T,
        )


@dataclass(eq=False)
class FittedSubspaces(Fitted):
    """Axes (D, K) of source and target, each from its own mean, of the source's z-scores."""

    refits: ClassVar[bool] = True
    mean: np.ndarray = field(default_factory=unset)
    std: np.ndarray = field(default_factory=unset)
    home_mean: np.ndarray = field(default_factory=unset)
    home_axes: np.ndarray = field(default_factory=unset)
    away_mean: np.ndarray = field(default_factory=unset)
    away_axes: np.ndarray = field(default_factory=unset)

    def embeddings(self, rows: np.ndarray, speakers: ArrayLike | None = None) -> np.ndarray:
        """Return rows of the target on its own axes, (M, K)."""
        mapped: np.ndarray = (scaled(self.mean, self.std, rows) - self.away_mean) @ self.away_axes
        return mapped

    def home(self, rows: np.ndarray, corpora: ArrayLike | None = None, speakers: ArrayLike | None = None) -> np.ndarray:
        """Return rows of the source on its axes, turned, (N, K)."""
        mapped: np.ndarray = (scaled(self.mean, self.std, rows) - self.home_mean) @ self.home_axes
        return mapped


@dataclass(frozen=True)
class TransferComponents(Adaptation):
    """Transfer component analysis (Pan et al. 2011), with ``classes`` joint distribution adaptation (Long et al. 2013).

    W minimises tr(W'KLKW) + mu tr(W'W) under W'KHKW = I, K being a Gaussian kernel of source and target rows (gamma 1/D
    on z-scores) and L what measures how far apart the two are in the mean; with ``classes`` so do their classes, the
    target's being what a plain readout says in the space found before. It is solved as the symmetric problem that it
    is: skada 0.6 takes the eigenvectors of a product that is not symmetric as though it were. More than 600 rows of a
    side are thinned out to as many, class by class.

    Args:
        components: how many directions.
        mu: above 0; the larger, the less the two are drawn together.
        classes: whether classes are drawn together too.
        iterations: of the answers, with ``classes``.

    Raises:
        RecipeError: an option out of range.
    """

    name: ClassVar[str] = "tca"
    assumes: ClassVar[str] = "There are directions in which source and target lie alike and the classes still differ."
    components: int = 40
    mu: float = 0.1
    classes: bool = False
    iterations: int = 5

    def __post_init__(self) -> None:
        """Check the options."""
        _check_whole(self, "components")
        _check_whole(self, "iterations")
        if not 0 < self.mu < np.inf:
            raise RecipeError(f"{self.name}: mu must be above 0 and finite, but is {self.mu} instead")

    def _fit(self, home: Home, away: Away) -> Fitted:
        scaler = Scaler.fit(home.embeddings, _CLIP)
        places, note = thinned(home, away)
        rows, domains, labels = stacked(scaler, home, away, places)
        kernel = gaussian_kernel(rows, rows)
        if self.classes:
            check_labels(self.name, home)
        weights = transfer_components(kernel, domains, int(self.components), self.mu)
        for _ in range(int(self.iterations) if self.classes else 0):
            space = kernel @ weights
            source = Home(space[domains > 0], labels[domains > 0], home.classes)
            answers = np.array(home.classes)[fit_linear(source).probabilities(space[domains < 0]).argmax(axis=1)]
            guessed = np.concatenate([labels[domains > 0], answers])
            weights = transfer_components(kernel, domains, int(self.components), self.mu, guessed, home.classes)
        return _of_kernel(scaler, rows, weights, kernel[domains > 0], note)


@dataclass(frozen=True)
class TransferJointMatching(Adaptation):
    """Transfer joint matching (Long et al. 2014; by skada): as `tca`, and source rows unlike the target count less.

    Options and thinning as for `TransferComponents`; ``tradeoff``, above 0, weighs how few source rows take part.

    Raises:
        RecipeError: an option out of range.
    """

    name: ClassVar[str] = "transfer-joint-matching"
    assumes: ClassVar[str] = TransferComponents.assumes
    components: int = 40
    tradeoff: float = 0.01

    def __post_init__(self) -> None:
        """Check the options."""
        _check_whole(self, "components")
        if not 0 < self.tradeoff < np.inf:
            raise RecipeError(f"{self.name}: tradeoff must be above 0 and finite, but is {self.tradeoff} instead")

    def _fit(self, home: Home, away: Away) -> Fitted:
        scaler = Scaler.fit(home.embeddings, _CLIP)
        places, note = thinned(home, away)
        rows, domains, _ = stacked(scaler, home, away, places)
        # Beyond the rank of the centred kernel there is no direction, and the solver would say what is none.
        count = min(int(self.components), np.linalg.matrix_rank(rows - rows.mean(axis=0)) or 1)
        with quiet_skada() as skada:
            model = skada.TransferJointMatchingAdapter(n_components=count, tradeoff=self.tradeoff, max_iter=20)
            model.fit(rows, sample_domain=domains)
        kernel = gaussian_kernel(rows[domains > 0], rows)
        return _of_kernel(scaler, rows, model.A_, kernel, note)


@dataclass(eq=False)
class FittedKernel(Fitted):
    """``coef`` (A, K) of the Gaussian kernel with ``anchors`` (A, D), z-scores of the source; then ``scale`` (K,)."""

    refits: ClassVar[bool] = True
    mean: np.ndarray = field(default_factory=unset)
    std: np.ndarray = field(default_factory=unset)
    anchors: np.ndarray = field(default_factory=unset)
    coef: np.ndarray = field(default_factory=unset)
    middle: np.ndarray = field(default_factory=unset)
    scale: np.ndarray = field(default_factory=unset)

    def embeddings(self, rows: np.ndarray, speakers: ArrayLike | None = None) -> np.ndarray:
        """Return rows in the common space, (M, K), on the scale of the source's."""
        kernel = gaussian_kernel(scaled(self.mean, self.std, rows), self.anchors)
        mapped: np.ndarray = (kernel @ self.coef - self.middle) / self.scale
        return mapped

    def home(self, rows: np.ndarray, corpora: ArrayLike | None = None, speakers: ArrayLike | None = None) -> np.ndarray:
        """Return rows of the source in the common space, (N, K)."""
        return self.embeddings(rows)


def transfer_components(  # noqa: PLR0917
    kernel: np.ndarray,
    domains: np.ndarray,
    components: int,
    mu: float,
    labels: np.ndarray | None = None,
    classes: tuple[str, ...] = (),
) -> np.ndarray:
    """Return W (A, K) of `TransferComponents`, of a kernel (A, A), domains (A,) above and below 0, and labels (A,)."""
    from scipy.linalg import eigh

    apart = _means_apart(domains, np.ones(len(domains), dtype=bool))
    if labels is not None:
        for name in classes:
            apart = apart + _means_apart(domains, np.equal(labels, name))
    apart = apart / max(np.linalg.norm(apart), 1e-12)
    centred = kernel - kernel.mean(axis=0)
    spread = centred.T @ centred
    together = kernel @ apart @ kernel + mu * np.eye(len(kernel))
    count = min(components, len(kernel))
    values, vectors = eigh(spread, together, subset_by_index=(len(kernel) - count, len(kernel) - 1))
    real = values > values.max() * 1e-10
    kept = vectors[:, real][:, ::-1]
    if not kept.shape[1]:  # all rows are one
        kept = np.zeros((len(kernel), 1))
    # Which way a direction points is the solver's whim: it is set by its largest value.
    signs = np.sign(kept[np.abs(kept).argmax(axis=0), np.arange(kept.shape[1])])
    return kept * np.where(signs == 0, 1, signs)


def gaussian_kernel(rows: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """Return exp(-|x - a|^2 / D), (N, A)."""
    squares = (rows**2).sum(axis=1)[:, None] + (anchors**2).sum(axis=1) - 2 * rows @ anchors.T
    return np.exp(-np.maximum(squares, 0) / rows.shape[1])


def scaled(mean: np.ndarray, std: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return z-scores by a mean and a deviation, clipped at 5."""
    return np.clip((np.asarray(rows, dtype=float) - mean) / std, -_CLIP, _CLIP)


def stacked(
    scaler: Scaler, home: Home, away: Away, places: tuple[np.ndarray, np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return z-scored rows of both, their domains as skada counts them, and labels ("" of the target)."""
    first, second = places or (np.arange(len(home.embeddings)), np.arange(len(away.embeddings)))
    rows = np.concatenate([home.embeddings[first], away.embeddings[second]])
    domains = np.repeat([_SOURCE, _TARGET], [len(first), len(second)])
    labels = np.full(len(home.embeddings), "") if home.labels is None else np.asarray(home.labels).astype(str)
    return scaled(scaler.mean, scaler.std, rows), domains, np.concatenate([labels[first], np.full(len(second), "")])


def thinned(home: Home, away: Away, most: int = MOST) -> tuple[tuple[np.ndarray, np.ndarray], tuple[str, ...]]:
    """Return the places of at most so many rows of each side, evenly through corpora and classes, and what to note."""
    count = len(home.embeddings)
    keys = [np.zeros(count) if part is None else np.asarray(part).astype(str) for part in (home.labels, home.corpora)]
    order = np.lexsort(keys)
    # Not by the order in which the target's recordings are given.
    other = np.lexsort(np.asarray(away.embeddings).T)
    kept = tuple(np.sort(_even(places, most)) if places is order else _even(places, most) for places in (order, other))
    note = f"{len(kept[0])} of {count} source rows and {len(kept[1])} of {len(other)} recordings take part"
    return (kept[0], kept[1]), (note,) if max(count, len(other)) > most else ()


@contextmanager
def quiet_skada() -> Iterator[Any]:
    """Import skada, whose import sets scikit-learn's metadata routing for the whole process: not beyond this block."""
    import sklearn

    with sklearn.config_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import skada

        sklearn.set_config(enable_metadata_routing=True)
        yield skada


def _of_kernel(
    scaler: Scaler, rows: np.ndarray, coef: np.ndarray, source: np.ndarray, note: tuple[str, ...]
) -> FittedKernel:
    space = source @ coef
    std = space.std(axis=0)
    scale = np.where(std > 1e-12 * np.maximum(1.0, np.abs(space).max(axis=0)), std, 1.0)
    coef = np.ascontiguousarray(coef)  # as it is read back: the library's sums go by how the numbers lie
    return FittedKernel(note, None, scaler.mean, scaler.std, rows, coef, space.mean(axis=0), scale)


def _means_apart(domains: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return e e', e being 1/n of the source's rows and -1/m of the target's; nothing where either has none."""
    source, target = rows & (domains > 0), rows & (domains < 0)
    if not source.any() or not target.any():
        return np.zeros((len(rows), len(rows)))
    e = source / source.sum() - target / target.sum()
    return np.outer(e, e)


def _even(places: np.ndarray, most: int) -> np.ndarray:
    return places[np.unique(np.linspace(0, len(places) - 1, min(most, len(places))).astype(int))]


def _check_whole(step: Adaptation, option: str) -> None:
    value = getattr(step, option)
    if value < 1 or value != int(value):
        raise RecipeError(f"{step.name}: {option} must be a whole number of at least 1, but is {value} instead")

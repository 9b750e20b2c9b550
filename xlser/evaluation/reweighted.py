"""The source made like the target: its rows weighted, or moved, and the readout fitted again to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from xlser.errors import RecipeError
from xlser.evaluation.adapting import Adaptation, Away, Fitted, Home, unset
from xlser.evaluation.expected import unconverged
from xlser.evaluation.subspaces import quiet_skada, scaled, stacked, thinned
from xlser.features.normalise import Scaler

_CLIP = 5.0
# No row counts more than so many others: a few would be the whole source.
_HEAVIEST = 10.0


@dataclass(frozen=True)
class DensityRatio(Adaptation):
    """Each source row counts by how much likelier it is in the target: the odds of a logistic regression of the two.

    Bickel et al. (2009). (skada 0.6 has the odds the wrong way about, so they are taken here.) None counts more than
    ten rows in the mean.

    Args:
        strength: the regression's C, above 0; the smaller, the more alike the weights.

    Raises:
        RecipeError: it is not above 0.
    """

    name: ClassVar[str] = "density-ratio"
    assumes: ClassVar[str] = "A recording that could be of either has the same emotion in both (covariate shift)."
    strength: float = 0.001

    def __post_init__(self) -> None:
        """Check the option."""
        if not 0 < self.strength < np.inf:
            raise RecipeError(f"{self.name}: strength must be above 0 and finite, but is {self.strength} instead")

    def _fit(self, home: Home, away: Away) -> Fitted:
        from sklearn.linear_model import LogisticRegression

        rows, domains, _ = stacked(Scaler.fit(home.embeddings, _CLIP), home, away)
        model = LogisticRegression(C=self.strength, class_weight="balanced", max_iter=2000)
        with unconverged():
            model.fit(rows, domains < 0)
        return _weighted(np.exp(np.clip(model.decision_function(rows[domains > 0]), -50, 50)))


@dataclass(frozen=True)
class Kliep(Adaptation):
    """Each source row counts by how much likelier it is in the target: KLIEP (Sugiyama et al. 2007; by skada).

    Gaussian kernels around at most 100 of the target's rows, as wide as its z-scores vary. None counts more than ten
    rows in the mean.
    """

    name: ClassVar[str] = "kliep"
    assumes: ClassVar[str] = DensityRatio.assumes

    def _fit(self, home: Home, away: Away) -> Fitted:
        ordered = Away(np.asarray(away.embeddings)[np.lexsort(np.asarray(away.embeddings).T)])
        rows, domains, _ = stacked(Scaler.fit(home.embeddings, _CLIP), home, ordered)
        with quiet_skada() as skada:
            model = skada.KLIEPReweightAdapter(gamma="scale", random_state=0).fit(rows, sample_domain=domains)
            weights = model.compute_weights(rows, sample_domain=domains)[domains > 0]
        return _weighted(weights)


@dataclass(eq=False)
class FittedWeights(Fitted):
    """``counts`` (N,) by which the source's rows count."""

    refits: ClassVar[bool] = True
    counts: np.ndarray = field(default_factory=unset)

    @property
    def weights(self) -> np.ndarray:
        """(N,) how much each of the source's rows counts; mean 1."""
        return self.counts


@dataclass(frozen=True)
class OptimalTransport(Adaptation):
    """The source's rows are moved onto the target's by entropic optimal transport (Courty et al. 2017; by skada).

    Each source row goes to the mean of the target's rows that it is matched with; one that took no part goes as its
    nearest that did. Costs are squared distances of z-scores over their median. More than 600 rows of a side are
    thinned out to as many, class by class.

    Args:
        regularisation: above 0; the larger, the nearer all go to the target's middle.

    Raises:
        RecipeError: it is not above 0.
    """

    name: ClassVar[str] = "optimal-transport"
    assumes: ClassVar[str] = "Source and target have the classes equally often, and each moved as little as it could."
    regularisation: float = 0.05

    def __post_init__(self) -> None:
        """Check the option."""
        if not 0 < self.regularisation < np.inf:
            raise RecipeError(
                f"{self.name}: regularisation must be above 0 and finite, but is {self.regularisation} instead"
            )

    def _fit(self, home: Home, away: Away) -> Fitted:
        scaler = Scaler.fit(home.embeddings, _CLIP)
        places, note = thinned(home, away)
        rows, domains, _ = stacked(scaler, home, away, places)
        source, target = rows[domains > 0], rows[domains < 0]
        if not np.ptp(rows, axis=0).any():  # nothing is apart from anything
            return FittedTransport(note, None, scaler.mean, scaler.std, source, source)
        codes = np.where(domains > 0, 0, -1)  # labels, which the transport without classes does not look at
        with quiet_skada() as skada:
            model = skada.EntropicOTMappingAdapter(reg_e=self.regularisation, norm="median", max_iter=2000)
            model.fit(rows, codes, sample_domain=domains)
            coupling = np.asarray(model.ot_transport_.coupling_)
        share = coupling.sum(axis=1, keepdims=True)
        moved = np.where(share > 0, coupling @ target / np.where(share > 0, share, 1), source)
        return FittedTransport(note, None, scaler.mean, scaler.std, source, moved)


@dataclass(eq=False)
class FittedTransport(Fitted):
    """Where rows of the source, z-scored ``anchors`` (A, D), went: ``moved`` (A, D)."""

    refits: ClassVar[bool] = True
    mean: np.ndarray = field(default_factory=unset)
    std: np.ndarray = field(default_factory=unset)
    anchors: np.ndarray = field(default_factory=unset)
    moved: np.ndarray = field(default_factory=unset)

    def home(self, rows: np.ndarray, corpora: ArrayLike | None = None, speakers: ArrayLike | None = None) -> np.ndarray:
        """Return rows of the source, each moved as its nearest anchor was."""
        scores = scaled(self.mean, self.std, rows)
        squares = (self.anchors**2).sum(axis=1) - 2 * scores @ self.anchors.T
        nearest = squares.argmin(axis=1)
        moved: np.ndarray = (scores + self.moved[nearest] - self.anchors[nearest]) * self.std + self.mean
        return moved


def _weighted(weights: np.ndarray) -> FittedWeights:
    """Return weights that are at most ten, their mean being 1, and note how many rows they leave in effect."""
    counts = np.where(np.isfinite(weights), weights, 0.0)
    for _ in range(50):  # what is cut off the heaviest goes to the others
        counts = counts / counts.mean() if counts.any() else np.ones_like(counts)
        counts = np.minimum(counts, _HEAVIEST)
    counts = counts / counts.mean()
    effect = counts.sum() ** 2 / (counts**2).sum()
    return FittedWeights((f"the source's {len(counts)} rows count as {effect:.0f} equal ones",), None, counts)

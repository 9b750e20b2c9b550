"""What names the emotion of an embedding: the readouts, and how each is told what it may not choose itself."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal

from xlser.errors import RecipeError
from xlser.vocabulary import HEAD, INTERPOLATED, KNN, PROBE


@dataclass(frozen=True)
class Readout:
    """One of the readouts by its ``name``; an option that is None is chosen on the source's validation speakers."""

    name: ClassVar[str]
    of_recipe: ClassVar[tuple[str, ...]] = ()

    def options(self) -> dict[str, Any]:
        """Return the options that are given."""
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in self.of_recipe}
        return {name: value for name, value in values.items() if value is not None}

    def common(self) -> dict[str, Any]:
        """Return what the recipe says of how it is fitted, as the recipe spells it; empty where it says nothing."""
        return {self.name: {name: getattr(self, name) for name in self.of_recipe}} if self.of_recipe else {}


@dataclass(frozen=True)
class Knn(Readout):
    """A majority of the ``k`` nearest training clips by ``distance``, l2 or cosine."""

    name: ClassVar[str] = KNN
    k: int | None = None
    distance: Literal["l2", "cosine"] | None = None

    def __post_init__(self) -> None:
        """Check the options."""
        if self.k is not None and (not isinstance(self.k, int) or self.k < 1):
            raise RecipeError(f"Knn: k must be a whole number of at least 1, but is {self.k!r} instead")
        if self.distance not in (None, "l2", "cosine"):
            raise RecipeError(f"Knn: distance must be l2 or cosine, but is {self.distance!r} instead")


@dataclass(frozen=True)
class Probe(Readout):
    """Logistic regression on the training clips' embeddings, classes weighted equally; ``c`` as scikit-learn's.

    ``balance`` and ``targets``: see `xlser.training.common.ProbeChoice`; each corpus of a joined source counts the same
    with ``balance="corpus"``, and a clip teaches what each of its raters heard with ``targets="votes"``.
    """

    name: ClassVar[str] = PROBE
    of_recipe: ClassVar[tuple[str, ...]] = ("balance", "targets")
    c: float | None = None
    balance: Literal["corpus"] | tuple[Literal["corpus"], ...] = ()
    targets: Literal["labels", "votes"] = "labels"

    def __post_init__(self) -> None:
        """Check the options."""
        if self.c is not None and not self.c > 0:
            raise RecipeError(f"Probe: c must be above 0, but is {self.c!r} instead")
        if self.balance not in ((), "corpus", ("corpus",)):
            raise RecipeError(f"Probe: balance must be corpus, or () for none, but is {self.balance!r} instead")
        if self.targets not in ("labels", "votes"):
            raise RecipeError(f"Probe: targets must be labels or votes, but is {self.targets!r} instead")


@dataclass(frozen=True)
class Head(Readout):
    """The classifier that was trained with the network."""

    name: ClassVar[str] = HEAD


@dataclass(frozen=True)
class Interpolated(Readout):
    """The classifier's probabilities mixed with those of the nearest training clips (Wang et al. 2023)."""

    name: ClassVar[str] = INTERPOLATED

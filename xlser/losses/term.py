"""What a loss is to a network: its options, what it needs of the network and of a batch, and its value.

Neither this file nor a loss imports torch before a value is asked for: a recipe is read without it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from pydantic import PositiveFloat, PositiveInt, field_validator

from xlser.schema import Grown, Strict
from xlser.vocabulary import Dimension

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from xlser.losses.mixup import Mix

Group = Literal["speaker", "corpus", "language"]
Head = Literal["classes", "dimensions"]
Layer = int | Literal["weighted"]
Pooling = Literal["mean", "attentive"]


class Columns(Mapping):
    """The columns of a tensor (N, M) by name, taken when they are asked for."""

    def __init__(self, table: Tensor, names: tuple[str, ...]) -> None:
        self.table, self.names = table, names

    def __getitem__(self, name: str) -> Tensor:
        if name not in self.names:
            raise KeyError(name)
        return self.table[:, self.names.index(name)]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


class Labels(NamedTuple):
    """What is known of the N rows of a batch.

    ``emotion``: class codes (N,), below 0 where there is none. ``ratings``: of each dimension (N,), NaN where not
    rated. ``groups``: speaker, corpus or language codes (N,) of at least 0. ``class_weights``: what a row of each class
    counts (C,), for a loss with ``balance``. ``generator``: where a loss that draws draws from; None: PyTorch's own.
    ``shares``: of the raters of a row, which part names each class (N, C), NaN where nobody votes. ``mix``: how the
    rows that a loss is given were mixed with each other; their targets are to be mixed alike.
    """

    emotion: Tensor | None = None
    ratings: Mapping[str, Tensor] = {}
    groups: Mapping[str, Tensor] = {}
    class_weights: Tensor | None = None
    generator: torch.Generator | None = None
    shares: Tensor | None = None
    mix: Mix | None = None

    def classes(self) -> Tensor:
        """Return the class codes (N,). ValueError: there are none."""
        if self.emotion is None:
            raise ValueError("`labels` must hold the classes of the rows, `emotion`, but holds none.")
        return self.emotion

    def rating(self, name: str) -> Tensor:
        """Return the ratings (N,) of a dimension. ValueError: there are none."""
        return _column("ratings", self.ratings, name)

    def group(self, name: str) -> Tensor:
        """Return the codes (N,) of speakers, corpora or languages. ValueError: there are none."""
        return _column("groups", self.groups, name)

    def votes(self) -> Tensor:
        """Return the shares of votes (N, C). ValueError: there are none."""
        if self.shares is None:
            raise ValueError(
                "`labels` must hold `shares`, nan where nobody votes, for `targets: votes`, but holds none."
            )
        return self.shares

    def weights(self) -> Tensor:
        """Return the class weights (C,). ValueError: there are none."""
        if self.class_weights is None:
            raise ValueError("`labels` must hold `class_weights` for a loss with `balance`, but holds none.")
        return self.class_weights

    def at(self, rows: Tensor) -> Labels:
        """Return the labels of some rows: a mask (N,), or positions."""
        emotion, shares = (None if column is None else column[rows] for column in (self.emotion, self.shares))
        groups = _at(self.groups, rows)
        return self._replace(emotion=emotion, ratings=_at(self.ratings, rows), groups=groups, shares=shares)


class Feed(Strict):
    """Which layer and pooling of an encoder give the vectors that a loss compares."""

    layer: Layer = -1
    pooling: Pooling = "mean"


class Term(Grown):
    """A loss with its weight and options. Called with what it looks at and the labels of a batch, it gives its value.

    Class attributes say what it is: ``head``, whose output it takes (logits (N, C) of ``classes``, ratings (N, 3) of
    ``dimensions``; None: the embeddings (N, D) themselves); ``on_classes``, whether it learns from emotion labels;
    ``compares``, whether it compares rows of one class with rows of others; ``negative``, whether its value can be.
    ``on_latent`` are the options that ``metric:`` of an autoencoder takes where a recipe says nothing.
    """

    weight: PositiveFloat = 1.0

    head: ClassVar[Head | None] = None
    on_classes: ClassVar[bool] = False
    compares: ClassVar[bool] = False
    negative: ClassVar[bool] = False
    on_latent: ClassVar[Mapping[str, Any]] = {}

    @abstractmethod
    def __call__(self, z: Tensor, labels: Labels) -> Tensor:
        """Return the loss on the rows that have the labels it needs, a number with a gradient, not weighted.

        Raises:
            ValueError: the batch has too little of them, or holds what is not finite.
        """

    @property
    def learns(self) -> tuple[tuple[str, ...], ...]:
        """Groups of rated dimensions: a batch must hold two different ratings of one dimension of each."""
        return ()

    @property
    def rated(self) -> tuple[str, ...]:
        """The rated dimensions that it learns from."""
        return tuple(dict.fromkeys(name for names in self.learns for name in names))

    @property
    def grouped(self) -> str | None:
        """Which codes it must know of a row besides its class: speaker, corpus, language, or None."""
        return None

    @property
    def parted(self) -> str | None:
        """What two rows of one class must differ in to be compared (speaker or language), or None."""
        return None

    @property
    def projected(self) -> int | None:
        """Width of the projection through which it looks at the embedding; None: it looks at the embedding itself."""
        return getattr(self, "projection", None)

    @property
    def fed(self) -> Feed | None:
        """Where an encoder's vectors come from in place of the embedding; None: it looks at the embedding."""
        return getattr(self, "feed", None)

    @property
    def soft(self) -> bool:
        """Whether it learns from the votes of several raters, where a clip has them."""
        return getattr(self, "targets", "labels") == "votes"

    @property
    def mixes(self) -> float:
        """The alpha with which the embeddings of a training batch are mixed before its head; 0 for not at all."""
        return getattr(self, "mixup", 0.0)

    def taught(self, labels: Labels) -> Tensor:
        """Tell which rows (N,) a loss on classes learns from: those with a class. ValueError: there are no classes."""
        return labels.classes() >= 0

    @property
    def balanced(self) -> bool:
        """Whether every class counts the same, however many rows it has."""
        return getattr(self, "balance", False)


class OnClasses(Term):
    """A loss on embeddings and emotion labels; rows without a label take no part."""

    on_classes: ClassVar[bool] = True
    compares: ClassVar[bool] = True

    def __call__(self, z: Tensor, labels: Labels) -> Tensor:
        """Return the loss on the rows with a class."""
        known = labels.classes() >= 0
        return self.of_classes(z[known], labels.at(known))

    @abstractmethod
    def of_classes(self, z: Tensor, labels: Labels) -> Tensor:
        """Return the loss where every row has a class."""


class OnRatings(Term):
    """A loss on embeddings and the ratings of a dimension; rows without a rating take no part.

    Several dimensions share the embedding: each gets an equal part of its columns, in the order given (the first parts
    one more, where they do not divide), and their losses are added.
    """

    on: Dimension | tuple[Dimension, ...] = "activation"
    projection: PositiveInt | None = None

    @field_validator("on")
    @classmethod
    def _distinct(cls, on: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if not on or (isinstance(on, tuple) and len(set(on)) < len(on)):
            raise ValueError(f"must name one dimension, or several once each, but is {list(on)} instead")
        return on

    @property
    def learns(self) -> tuple[tuple[str, ...], ...]:
        """Each of its dimensions."""
        return tuple((name,) for name in ((self.on,) if isinstance(self.on, str) else self.on))

    def __call__(self, z: Tensor, labels: Labels) -> Tensor:
        """Return the loss on the rated rows, summed over the dimensions."""
        names = self.rated
        parts = zip(z.tensor_split(len(names), dim=1), names, strict=True)
        return reduce(add, (self._on_rated(part, labels.rating(name)) for part, name in parts))

    def _on_rated(self, z: Tensor, ratings: Tensor) -> Tensor:
        rated = ratings.isfinite()
        return self.of_ratings(z, ratings) if rated.all() else self.of_ratings(z[rated], ratings[rated])

    @abstractmethod
    def of_ratings(self, z: Tensor, ratings: Tensor) -> Tensor:
        """Return the loss of embeddings (N, D) and finite ratings (N,)."""


def _column(what: str, columns: Mapping[str, Tensor], name: str) -> Tensor:
    if name not in columns:
        known = ", ".join(columns) or "none"
        raise ValueError(f"`labels` must hold `{what}` of {name}, but holds {known} instead.")
    return columns[name]


def _at(columns: Mapping[str, Tensor], rows: Tensor) -> Mapping[str, Tensor]:
    if isinstance(columns, Columns):
        return Columns(columns.table[rows], columns.names)
    return {name: column[rows] for name, column in columns.items()}

"""What a network minimises, as a recipe writes it: terms by name, each with its weight and options."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field, PositiveFloat, PositiveInt, create_model, model_validator

from xlser.errors import did_you_mean
from xlser.losses import TERMS, CrossEntropy, Labels, Term, class_weights
from xlser.losses.term import Dimension
from xlser.schema import Grown

if TYPE_CHECKING:
    from torch import Tensor

# `supcon: 0.5` is short for `supcon: {weight: 0.5}`.
_WEIGHT = BeforeValidator(
    lambda value: {"weight": value} if isinstance(value, (int, float)) and not isinstance(value, bool) else value
)
# Names that stood in a dump, given or not, when runs were first hashed.
_FIRST = ("cross_entropy", "supcon", "contrastive", "metric", "dimensions")
ON_EMBEDDINGS = tuple(name for name, kind in TERMS.items() if not kind.head)
ON_RATINGS = tuple(name for name in ON_EMBEDDINGS if not TERMS[name].on_classes)


def named(*known: str) -> AfterValidator:
    """Return the check that a value is one of these names."""

    def check(value: str) -> str:
        if value not in known:
            raise ValueError(f"must be one of {', '.join(known)}, but is {value!r} instead")
        return value

    return AfterValidator(check)


def options_apart(kind: type[Grown], values: Any, default: str) -> Any:
    """Return values of a mapping whose ``metric`` names a loss, with that loss's own options under ``options``.

    Raises:
        ValueError: a key that neither the mapping nor the loss knows.
    """
    loss = TERMS.get(values.get("metric", default)) if isinstance(values, Mapping) else None
    if loss is None:
        return values
    own = {key: value for key, value in values.items() if key in kind.model_fields}
    rest = {key: value for key, value in values.items() if key not in own}
    known = set(loss.model_fields) - set(kind.model_fields)
    for key in {*rest, *own.get("options", {})} - known:
        raise ValueError(f"unknown key {key!r}; {did_you_mean(key, known | set(kind.model_fields))}")
    return own | ({"options": {**own.get("options", {}), **rest}} if rest else {})


class OnDimension(Grown):
    """A loss that lays the embedding out along rated dimensions, named by ``metric``; it takes that loss's options.

    The same loss can stand under its own name beside it: ``kernel: {on: valence}``.
    """

    later: ClassVar[frozenset[str]] = frozenset({"options"})

    metric: Annotated[str, named(*ON_RATINGS)] = "signed"
    on: Dimension | tuple[Dimension, ...] = "activation"
    weight: PositiveFloat = 1.0
    projection: PositiveInt | None = None
    options: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _apart(cls, values: Any) -> Any:
        return options_apart(cls, values, "signed")

    @model_validator(mode="after")
    def _fits_the_loss(self) -> OnDimension:
        self.term  # noqa: B018  (an option out of its range is a fault of the recipe)
        return self

    @cached_property
    def term(self) -> Term:
        """The loss itself."""
        beside = {"on": self.on, "weight": self.weight, "projection": self.projection}
        return TERMS[self.metric].model_validate(beside | self.options)


class _Terms(Grown):
    """The terms of `xlser.losses.TERMS` that take part, by name; their weighted sum is minimised.

    ``metric`` is another spelling of a loss on ratings (see `OnDimension`).
    """

    later: ClassVar[frozenset[str]] = frozenset(TERMS) - set(_FIRST)

    @classmethod
    def of(cls, losses: Iterable[Term]) -> Any:
        """Return terms that were made in Python.

        Raises:
            ValueError: what is no term of the table, or a loss that comes twice.

        >>> from xlser.losses import CrossEntropy, SupCon
        >>> Terms.of([CrossEntropy(), SupCon(weight=0.5)]) == Terms(cross_entropy=1, supcon=0.5)
        True
        >>> Terms.of([SupCon(), SupCon(across="speaker")])
        Traceback (most recent call last):
        ValueError: `losses` must hold each loss once, but holds SupCon twice. Several dimensions go into one: on=[...].
        """
        names, found = {kind: name for name, kind in TERMS.items()}, {}
        for term in losses:
            name, kind = names.get(type(term)), type(term).__name__
            if name is None:
                raise ValueError(
                    f"`losses` must hold terms of xlser.losses, such as SupCon(), but holds {term!r} instead."
                )
            if name in found:
                raise ValueError(
                    f"`losses` must hold each loss once, but holds {kind} twice. "
                    "Several dimensions go into one: on=[...]."
                )
            found[name] = term
        return cls(**found)

    @cached_property
    def given(self) -> dict[str, Term]:
        """The terms that take part, by name."""
        terms = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: getattr(term, "term", term) for name, term in terms.items() if term is not None}

    @property
    def rated(self) -> tuple[str, ...]:
        """The rated dimensions that the terms need."""
        return rated(self.given)

    @property
    def compares(self) -> bool:
        """Whether a term compares clips of a batch by their class."""
        return any(term.compares for term in self.given.values())

    @property
    def heads(self) -> set[str]:
        """The heads that the terms train."""
        return {term.head for term in self.given.values() if term.head}

    @property
    def classifies(self) -> bool:
        """Whether a term trains a classifier."""
        return "classes" in self.heads

    @property
    def balanced(self) -> bool:
        """Whether a term weighs every class the same, however many rows it has."""
        return any(term.balanced for term in self.given.values())

    @property
    def regressed(self) -> tuple[str, ...]:
        """The dimensions that a head is trained to predict."""
        return rated({name: term for name, term in self.given.items() if term.head == "dimensions"})


def rated(terms: Mapping[str, Term]) -> tuple[str, ...]:
    """Return the rated dimensions that terms need, each once."""
    return tuple(dict.fromkeys(name for term in terms.values() for name in term.rated))


def weights_of(terms: Mapping[str, Term], labels: Labels, classes: int) -> Tensor | None:
    """Return what a row of each class counts, (C,), for the terms with ``balance``; None without any.

    They come from the labels of the training rows, or, where a balanced term learns from votes, from these.

    Raises:
        ValueError: see `class_weights`.
    """
    balanced = [term for term in terms.values() if term.balanced]
    if not balanced:
        return None
    for term in balanced:
        if isinstance(term, CrossEntropy) and term.soft:
            return class_weights(term.distributions(labels.at(term.taught(labels)), classes), classes)
    emotion = labels.classes()
    return class_weights(emotion[emotion >= 0], classes)


def _fields() -> dict[str, Any]:
    kinds = TERMS | {"metric": OnDimension}
    order = [*_FIRST, *(name for name in TERMS if name not in _FIRST)]
    return {name: (Annotated[kinds[name] | None, _WEIGHT], None) for name in order}


if TYPE_CHECKING:

    class Terms(_Terms):
        """See `_Terms`; its fields are the names of the table."""

        def __init__(self, **terms: Any) -> None: ...

else:
    Terms = create_model("Terms", __base__=_Terms, __module__=__name__, __doc__=_Terms.__doc__, **_fields())

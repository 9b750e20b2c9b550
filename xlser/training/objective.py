"""What an autoencoder learns: its reconstruction, and terms of `xlser.losses` beside it."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, NonNegativeFloat, PositiveFloat, model_validator

from xlser.losses import TERMS, CrossEntropy, Term
from xlser.losses.term import Group
from xlser.schema import Grown
from xlser.training.loss_terms import ON_EMBEDDINGS, Terms, named, options_apart, rated

_LIST = BeforeValidator(lambda losses: Terms.of(losses) if isinstance(losses, (list, tuple)) else losses)


class Objective(Grown):
    """What is learnt besides the reconstruction.

    ``metric`` names a loss of `xlser.losses.TERMS`, whose own options may stand beside it; on ratings, it is ``on``:
    ``both`` gives the first half of the latent to activation and the rest to valence. ``class-cluster``, ``supcon`` and
    ``contrastive`` use the emotion labels. ``cross_weight`` weighs, for ``supcon``, positives of another speaker,
    corpus or language (``across``) against those of the same one: 1 is plain SupCon, above 1 draws a class together
    across them. ``emotion_head`` adds a linear classifier of the latent with cross-entropy (with model.kind vae: the
    semi-supervised VAE). ``losses`` are more terms, written as those of an encoder's method are, or, in Python, a list
    of them.

    ``combine`` is log(MSE + weight * loss + ...), or the plain sum; losses of a head are added to the logarithm.
    Without ``reconstruct`` the decoder is not trained: the encoder becomes an ordinary network of its losses.
    """

    later: ClassVar[frozenset[str]] = frozenset({"options", "losses"})

    metric: Annotated[str, named("none", *ON_EMBEDDINGS)] = "none"
    on: Literal["activation", "valence", "both"] = "activation"
    combine: Literal["log", "sum"] = "log"
    weight: PositiveFloat = 1.0
    across: Group | None = None
    cross_weight: NonNegativeFloat = 1.0
    emotion_head: bool = False
    reconstruct: bool = True
    options: dict[str, Any] = Field(default_factory=dict)
    losses: Annotated[Terms, _LIST] = Terms()

    @model_validator(mode="before")
    @classmethod
    def _apart(cls, values: Any) -> Any:
        return options_apart(cls, values, "none")

    @model_validator(mode="after")
    def _fits_the_loss(self) -> Objective:
        self.terms  # noqa: B018  (an option out of its range is a fault of the recipe)
        return self

    @cached_property
    def terms(self) -> dict[str, Term]:
        """The terms by name: first those of the latent, which ``combine`` is about, then those of a head."""
        terms = ({"metric": self._metric()} if self.metric != "none" else {}) | self.losses.given
        terms |= {"cross_entropy": CrossEntropy()} if self.emotion_head else {}
        return dict(sorted(terms.items(), key=lambda item: item[1].head is not None))

    def _metric(self) -> Term:
        loss = TERMS[self.metric]
        on = ("activation", "valence") if self.on == "both" else self.on
        beside = {"weight": self.weight, "on": on, "across": self.across, "cross_weight": self.cross_weight}
        fitting = {key: value for key, value in beside.items() if key in loss.model_fields}
        return loss.model_validate({"projection": None, **loss.on_latent, **fitting, **self.options})

    @property
    def of_latent(self) -> dict[str, Term]:
        """The terms that look at the latent itself, or at a projection of it."""
        return {name: term for name, term in self.terms.items() if term.head is None}

    @property
    def of_heads(self) -> dict[str, Term]:
        """The terms that look at what a head makes of the latent."""
        return {name: term for name, term in self.terms.items() if term.head is not None}

    @property
    def on_classes(self) -> bool:
        """Whether a term learns from emotion labels."""
        return any(term.on_classes for term in self.terms.values())

    @property
    def rated(self) -> tuple[str, ...]:
        """The rated dimensions that the terms need, in the order of their share of the latent."""
        return rated(self.terms)

    def problems(self, *, latent: int, variational: bool) -> list[str]:
        """Return what does not fit together, a sentence each, with a latent of this width and this kind of network."""
        problems = [text for name in self.of_latent for text in self._of_latent(name, latent)]
        if self.combine == "log" and not self.reconstruct:
            problems.append("`combine: log` belongs to the reconstruction; use combine: sum")
        if not self.reconstruct and not self.terms:
            problems.append("nothing is left to learn; give a metric, or emotion_head: true")
        if not self.reconstruct and variational:
            problems.append("`reconstruct: false` belongs to model.kind dae")
        if self.emotion_head and "cross_entropy" in self.losses.given:
            problems.append("`emotion_head` and losses.cross_entropy are one and the same; leave one out")
        if self.metric != "none" and "metric" in self.losses.given:
            problems.append("`metric` stands in losses too; give the latter under its own name, such as signed")
        return [*problems, *self._beside()]

    def _of_latent(self, name: str, latent: int) -> list[str]:
        term, problems = self.terms[name], []
        place, width = "" if name == "metric" else f"losses.{name}: ", term.projected or latent
        if len(term.rated) > width:
            on = self.on if name == "metric" else f"[{', '.join(term.rated)}]"
            what = "a projection" if term.projected else "model.latent"
            problems.append(f"{place}`on: {on}` needs {what} of at least {len(term.rated)}, but it is {width} instead")
        if term.negative and self.combine == "log":
            what = f"metric: {self.metric}" if name == "metric" else name
            problems.append(f"{place}`{what}` can be negative and has no logarithm; use combine: sum")
        if term.fed:
            problems.append(f"{place}`feed` belongs to an encoder, whose layers it names; leave it out")
        return problems

    def _beside(self) -> list[str]:
        """Return which of the options that belong to some losses only stand beside another one."""
        beside, loss = {"across": self.across, "cross_weight": self.cross_weight != 1}, TERMS.get(self.metric)
        problems = []
        for key in [key for key, value in beside.items() if value and not (loss and key in loss.model_fields)]:
            having = ", ".join(name for name in ON_EMBEDDINGS if key in TERMS[name].model_fields)
            problems.append(
                f"`{key}` belongs to metric: {having}, but the metric is {self.metric}; "
                f"use metric: {having}, or leave `{key}` out"
            )
        return problems

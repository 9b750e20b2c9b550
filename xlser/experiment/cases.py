"""What is scored: a corpus in a role, under a normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xlser.evaluation.adaptations import make_adaptation
from xlser.experiment.corpora import Corpus
from xlser.experiment.seeds import Seed
from xlser.features.normalise import Normalisation
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.recipe import Recipe
from xlser.vocabulary import HELD_OUT, TARGET, VALIDATION


@dataclass(frozen=True, eq=False)
class Case:
    """One corpus in one role under one normalisation; ``main`` marks the one that the recipe asks for.

    ``adapt`` names what then makes up for the shift (see `xlser.evaluation.adaptations`); empty for nothing.
    """

    corpus: Corpus
    role: str
    kind: Normalisation
    main: bool = True
    adapt: str = ""

    def judged(self, seed: Seed) -> np.ndarray:
        """Return which rows (N,) bool a seed's model may be judged on."""
        count = len(self.corpus.frame)
        if self.role == TARGET:
            return np.ones(count, dtype=bool)
        return np.isin(np.arange(count), seed.split.test if self.role == HELD_OUT else seed.split.validation)


def make_cases(
    recipe: Recipe | EncoderRecipe, source: Corpus, targets: list[Corpus], adapt: Sequence[str] = ()
) -> list[Case]:
    """Return the source's validation and held-out speakers and every target, under each protocol that costs nothing.

    A recipe that normalises by ``corpus`` is trained on source statistics, so that its zero-shot reading (target
    z-scored with the source's statistics) comes for free and stands beside the transductive one. Each of ``adapt``
    works on the zero-shot reading, and needs a target of two clips.
    """
    own: Normalisation = "speaker" if recipe.normalise == "speaker" else "source"
    cases = [Case(source, VALIDATION, own, main=False), Case(source, HELD_OUT, own)]
    for target in targets:
        if recipe.normalise == "corpus":
            cases.append(Case(target, TARGET, "source", main=False))
        usable = [name for name in adapt if len(target.frame) >= make_adaptation(name).rows]
        cases += [case for name in usable if (case := _adapted(recipe, target, own, name))]
        cases.append(Case(target, TARGET, recipe.normalise))
    return cases


def _adapted(recipe: Recipe | EncoderRecipe, target: Corpus, own: Normalisation, name: str) -> Case | None:
    """Return the case of an adaptation; None where it is read anyway.

    ``corpus`` and ``speaker`` alone z-score features by such statistics, before any network, as a recipe does.
    """
    if name in (recipe.normalise, "source"):
        return None
    if name in ("corpus", "speaker") and isinstance(recipe, Recipe):
        return Case(target, TARGET, name, main=False)  # type: ignore[arg-type]  # these are names of both
    return Case(target, TARGET, own, main=False, adapt=name)

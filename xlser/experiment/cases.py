"""What is scored: a corpus in a role, under a normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from xlser.experiment.corpora import Corpus
from xlser.experiment.seeds import Seed
from xlser.features.normalise import Normalisation
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.recipe import Recipe
from xlser.vocabulary import HELD_OUT, TARGET, VALIDATION

Adaptation = Literal["", "speakers", "coral", "quantile", "prior"]


@dataclass(frozen=True, eq=False)
class Case:
    """One corpus in one role under one normalisation; ``main`` marks the one that the recipe asks for.

    ``adapt`` is what then makes up for the shift: ``coral``, ``quantile`` and, speaker by speaker, ``speakers`` map the
    embeddings to the source's, ``prior`` corrects probabilities for other shares of the classes.
    """

    corpus: Corpus
    role: str
    kind: Normalisation
    main: bool = True
    adapt: Adaptation = ""

    def judged(self, seed: Seed) -> np.ndarray:
        """Return which rows (N,) bool a seed's model may be judged on."""
        count = len(self.corpus.frame)
        if self.role == TARGET:
            return np.ones(count, dtype=bool)
        return np.isin(np.arange(count), seed.split.test if self.role == HELD_OUT else seed.split.validation)


def make_cases(
    recipe: Recipe | EncoderRecipe, source: Corpus, targets: list[Corpus], adapt: Sequence[Adaptation] = ()
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
        if len(target.frame) > 1:
            cases += [Case(target, TARGET, own, main=False, adapt=name) for name in adapt]
        cases.append(Case(target, TARGET, recipe.normalise))
    return cases

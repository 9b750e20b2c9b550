"""What is scored: a corpus in a role, under a normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from xlser.errors import CorpusError
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

    ``adapt`` names what then makes up for the shift (see `xlser.evaluation.adaptations`); empty for nothing. ``drawn``
    (N,) bool are the rows of a target that alone are scored (see `EvaluationChoice`), None for all. ``oracle``: the
    target's true class prior is known, see `xlser.experiment.oracle`.
    """

    corpus: Corpus
    role: str
    kind: Normalisation
    main: bool = True
    adapt: str = ""
    drawn: np.ndarray | None = None
    oracle: bool = False

    def judged(self, seed: Seed) -> np.ndarray:
        """Return which rows (N,) bool a seed's model may be judged on."""
        count = len(self.corpus.frame)
        if self.role == TARGET:
            return np.ones(count, dtype=bool) if self.drawn is None else self.drawn
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
        drawn = drawn_clips(recipe, target.name, target.labels, target.frame["speaker"].to_numpy())
        if recipe.normalise == "corpus":
            cases.append(Case(target, TARGET, "source", main=False, drawn=drawn))
        if recipe.evaluation.oracle_prior:
            cases.append(Case(target, TARGET, own, main=False, drawn=drawn, oracle=True))
        usable = [name for name in adapt if len(target.frame) >= make_adaptation(name).rows]
        cases += [replace(case, drawn=drawn) for name in usable if (case := _adapted(recipe, target, own, name))]
        cases.append(Case(target, TARGET, recipe.normalise, drawn=drawn))
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


def drawn_clips(
    recipe: Recipe | EncoderRecipe, name: str, labels: np.ndarray, speakers: np.ndarray
) -> np.ndarray | None:
    """Return which rows (N,) of a target are scored, or None where all are.

    Of each emotion the speakers give a clip in turn, as far as each has one: as evenly as the corpus allows.

    Args:
        recipe: whose ``evaluation.clips`` says how many of each emotion, and whose seed draws them.
        name: the target's.
        labels: (N,) its scored emotions, None where not scored.
        speakers: (N,) who speaks.

    Raises:
        CorpusError: an emotion of the target has fewer clips.
    """
    count, seed = recipe.evaluation.clips, recipe.evaluation.clips_seed
    if count is None:
        return None
    drawn = np.zeros(len(labels), dtype=bool)
    for code, emotion in enumerate(recipe.emotions):
        rows = np.flatnonzero(labels.astype(str) == emotion)
        if 0 < len(rows) < count:
            raise CorpusError(
                f"corpus {name}: evaluation.clips asks for {count} of each emotion, but it has {len(rows)} of "
                f"{emotion}. Use a smaller number, or leave `clips` out to score them all."
            )
        mixed = np.random.default_rng([seed, code]).permutation(rows)
        turns = pd.Series(speakers[mixed]).groupby(speakers[mixed]).cumcount().to_numpy()
        drawn[mixed[np.argsort(turns, kind="stable")][:count]] = True
    return drawn

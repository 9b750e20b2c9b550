"""A recipe trained on a source, and scored corpus by corpus: a run does it once, a bench in every one of its jobs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlser.evaluation.transfer import Baseline, Views
from xlser.experiment.cases import Case, make_cases
from xlser.experiment.corpora import AnyRecipe, Corpus
from xlser.experiment.readers import Reader, System, make_reader
from xlser.experiment.scores import Scores, score_case, tell_axes
from xlser.experiment.seeds import make_seeds
from xlser.experiment.vote_targets import tell_votes
from xlser.experiment.workplace import Workplace
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.ranks import Ranks, barrier
from xlser.vocabulary import FEATURES


def train(
    recipe: AnyRecipe,
    corpora: list[Corpus],
    folder: Path,
    *,
    place: Workplace,
    ranks: Ranks,
    methods: Collection[str] | None = None,
) -> Sequence[System]:
    """Train methods (all, unless some are named) for every seed on the first corpus, or read back what is there."""
    seeds = make_seeds(recipe, corpora[0])
    tell_votes(corpora[0], recipe, place)
    if isinstance(recipe, EncoderRecipe):
        from xlser.experiment.encoders import train_encoders

        barrier()
        return train_encoders(recipe, corpora, seeds, folder, place=place, ranks=ranks, methods=methods)
    from xlser.experiment.autoencoders import train_autoencoders

    return train_autoencoders(recipe, corpora[0], seeds, folder / "models", place=place, methods=methods)


def baseline(recipe: AnyRecipe) -> Baseline:
    """Return what gains are over: the plain autoencoder, or the first method, at its classifier where there is one.

    Without any network it is the features, which then gain nothing.
    """
    if not isinstance(recipe, EncoderRecipe):
        return Baseline(FEATURES if recipe.model is None else "plain")
    return Baseline(next(iter(recipe.methods)), {"classifier + knn": "classifier"})


@dataclass(frozen=True)
class Trained:
    """What a recipe trained on its source, and where it is scored.

    ``cases`` begin with the source's validation and held-out speakers; ``readers`` were fitted on the source alone.
    """

    recipe: AnyRecipe
    systems: Sequence[System]
    cases: list[Case]
    readers: list[Reader]

    @classmethod
    def of(
        cls, recipe: AnyRecipe, systems: Sequence[System], corpora: list[Corpus], adapt: Sequence[str] = ()
    ) -> Trained:
        """Fit readers to the systems; the first of the corpora is the source."""
        source, *targets = corpora
        cases = make_cases(recipe, source, targets, adapt)
        return cls(recipe, systems, cases, [make_reader(system, cases[0], recipe) for system in systems])

    @property
    def source(self) -> Corpus:
        """What was trained on."""
        return self.cases[0].corpus

    @property
    def networks(self) -> list[Any]:
        """The systems that were trained: all but the features."""
        return [system for system in self.systems if system.method != FEATURES]

    @property
    def home(self) -> Case:
        """The source as a target is set beside it: its held-out speakers, or without any those of validation."""
        tested = any(self.cases[1].judged(reader.seed).any() for reader in self.readers)
        return self.cases[1] if tested else self.cases[0]

    def score(
        self,
        scores: Scores,
        corpus: Corpus,
        *,
        shortcuts: Sequence[Reader] = (),
        latents: bool = True,
        ratings: bool = True,
    ) -> list[tuple[Case, Views]]:
        """Add the scores of a corpus, the source's validation speakers included, to ``scores``.

        Args:
            scores: tables that get its rows.
            corpus: the source, or a target.
            shortcuts: readers of what hears nothing, to stand beside the others.
            latents: whether each latent's axis is scored.
            ratings: whether axes are set against ratings at all.

        Returns:
            What every method and seed said, case by case.
        """
        if corpus is self.source:
            tell_axes(scores, self.readers)
        gains_over = baseline(self.recipe)

        def scored(case: Case) -> Views:
            # What hears nothing need not be adapted by every chain and option.
            readers = self.readers if set(case.adapt) & set("|=:") else [*self.readers, *shortcuts]
            about: dict[str, Any] = {"readers": readers, "baseline": gains_over, "latents": latents, "ratings": ratings}
            return score_case(scores, self.recipe, self.source, case, **about)

        return [(case, scored(case)) for case in self.cases if case.corpus is corpus]

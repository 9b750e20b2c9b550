"""The votes of a corpus's raters as what a classifier is taught: which clips have them, and how many."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from xlser.data.vote_shares import distribution, merge_votes
from xlser.experiment.corpora import AnyRecipe, Corpus
from xlser.experiment.workplace import Workplace
from xlser.losses import CrossEntropy, Term
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.vocabulary import NO_AGREEMENT

# Without an agreement a clip speaks of the scored emotions where at least this part of its votes is for them.
_MOST = 0.5


def vote_targets(corpus: Corpus, recipe: AnyRecipe) -> np.ndarray:
    """Return the shares of raters that a classifier may learn from, (N, C) float32; a row of nan where there are none.

    A clip with a scored label has the votes for the scored emotions, as shares of each other. So has a clip of no
    agreement, where at least half of its votes are for scored emotions: of others too little would be known. A clip
    with a label that is not scored has none: what most of its raters heard is something else.
    """
    shares = corpus.votes(recipe)
    every = sorted(set(_named(corpus, recipe)) | set(recipe.emotions))
    of_all = distribution(merge_votes(corpus.frame, recipe.merge)["votes"], every)
    scored = of_all[:, [every.index(name) for name in recipe.emotions]].sum(axis=1)
    undecided = corpus.frame["emotion"].isin((NO_AGREEMENT, "no_agreement")).to_numpy() & (scored >= _MOST)
    labelled = np.array([label is not None for label in corpus.labels])
    return np.where((labelled | undecided)[:, None], shares, np.nan).astype(np.float32)


def weighing(
    corpus: Corpus, rows: np.ndarray, recipe: AnyRecipe | None
) -> tuple[np.ndarray | None, dict[str, np.ndarray] | None]:
    """Return what a recipe's probe weighs some rows by: the corpus of each, and the votes (see `Part`), or None."""
    probe = recipe.probe if recipe else None
    corpora = corpus.frame["corpus"].to_numpy(dtype=str)[rows] if probe and probe.balance else None
    if recipe is None or recipe.probe.targets == "labels":
        return corpora, None
    return corpora, dict(zip(recipe.emotions, vote_targets(corpus, recipe)[rows].T, strict=True))


def soft_terms(recipe: AnyRecipe) -> list[Term]:
    """Return the terms of a recipe's methods that learn from votes."""
    given = [_terms_of(recipe, name) for name in methods_of(recipe)]
    return [term for terms in given for term in terms if term.soft]


def methods_of(recipe: AnyRecipe) -> list[str]:
    """Return the methods that a recipe trains."""
    return list(recipe.methods if isinstance(recipe, EncoderRecipe) else recipe.objectives())


def targets_of(corpus: Corpus, recipe: AnyRecipe, terms: Iterable[Term]) -> np.ndarray | None:
    """Return `vote_targets` where one of these terms learns from votes; None where none does."""
    return vote_targets(corpus, recipe) if any(term.soft for term in terms) else None


def tell_votes(corpus: Corpus, recipe: AnyRecipe, place: Workplace) -> None:
    """Say and count what teaches in a recipe whose networks or probe learn from votes; say nothing of another one."""
    terms = soft_terms(recipe)
    if not terms and recipe.probe.targets == "labels":
        return
    voted = np.isfinite(vote_targets(corpus, recipe)).all(axis=1)
    labelled = np.array([label is not None for label in corpus.labels])
    used = any(isinstance(term, CrossEntropy) and term.undecided for term in terms)
    counts = {
        "by votes": int((voted & labelled).sum()),
        "by label alone": int((~voted & labelled).sum()),
        f"without agreement, {'by votes' if used else 'left out'}": int((voted & ~labelled).sum()),
    }
    corpus.counts["taught"] = {name: count for name, count in counts.items() if count}
    listed = ", ".join(f"{count} {name}" for name, count in corpus.counts["taught"].items())
    place.say(f"  {corpus.name}: clips that teach a classifier: {listed or 'none'}")
    if not voted.any():
        place.say(f"    note: {corpus.name} has no votes: `targets: votes` learns from its labels, as without")


def _named(corpus: Corpus, recipe: AnyRecipe) -> list[str]:
    from xlser.corpora.votes import read_votes

    votes = merge_votes(corpus.frame, recipe.merge)["votes"]
    return [name for cell in votes for name in read_votes(cell)]


def _terms_of(recipe: AnyRecipe, method: str) -> list[Term]:
    given = recipe.methods[method].given if isinstance(recipe, EncoderRecipe) else recipe.objectives()[method].terms
    return list(given.values())

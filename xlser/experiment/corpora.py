"""A recipe's corpora, read and made ready: features or clips, scored labels, ratings, what was merged or dropped."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from xlser.corpora.card import Card, load_card
from xlser.data.manifest import build_manifest
from xlser.data.scales import derived_ratings
from xlser.experiment.workplace import Workplace
from xlser.features.clips import Clips, read_clips
from xlser.features.extract import Features, extract
from xlser.features.extractors import make_extractor
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.recipe import Recipe

DIMENSIONS = ("activation", "valence", "dominance")
AnyRecipe = Recipe | EncoderRecipe


@dataclass
class Corpus:
    """One corpus of a run.

    ``data`` are its features, or its clips where an encoder reads them. ``labels`` (N,): canonical emotion after the
    recipe's merging, None where the recipe does not score it. ``ratings`` maps a dimension to (N,) in [-1, 1], NaN
    where not rated; ``ratings_kind`` is rated, derived or none. ``counts`` says how many labels were kept, merged and
    dropped. ``languages`` (N,) is the language of each row's corpus.
    """

    card: Card
    data: Features | Clips
    labels: np.ndarray
    ratings: dict[str, np.ndarray]
    ratings_kind: str
    counts: dict[str, dict[str, int]]

    @property
    def name(self) -> str:
        """The card's name."""
        return self.card.name

    @property
    def language(self) -> str:
        """The corpus's (first) language."""
        return self.card.languages[0]

    @property
    def synthetic(self) -> bool:
        """Whether a synthesiser speaks."""
        return self.card.synthetic

    @property
    def frame(self) -> pd.DataFrame:
        """The manifest's table."""
        return self.data.manifest.frame

    @property
    def languages(self) -> np.ndarray:
        """The language of every row, (N,)."""
        return np.full(len(self.frame), self.language, dtype=object)

    @property
    def parts(self) -> list[Corpus]:
        """The corpora that this one is made of: itself."""
        return [self]

    def about(self, role: str) -> dict:
        """Return what a report says of the corpus, JSON-able."""
        manifest = self.data.manifest
        return {
            "corpus": self.name,
            "title": self.card.title,
            "role": role,
            "language": self.language,
            "synthetic": self.synthetic,
            "elicitation": self.card.elicitation,
            "licence": self.card.licence,
            "citation": self.card.source.citation,
            "card_hash": self.card.hash,
            "verified": self.card.verified,
            "utterances": len(self.frame),
            "speakers": int(self.frame["speaker"].nunique()),
            "hours": float(self.frame["duration"].sum() / 3600),
            "ratings": self.ratings_kind,
            "rated": {name: int(np.isfinite(values).sum()) for name, values in self.ratings.items()},
            "emotions": {name: int(n) for name, n in self.frame["emotion"].value_counts().items()},
            "labels": self.counts,
            "left_out": manifest.left_out_counts(),
            "left_out_files": {reason: paths[:20] for reason, paths in manifest.left_out.items()},
            "notes": manifest.notes,
        }


def find_corpora(recipe: AnyRecipe, place: Workplace) -> dict[str, list[tuple[Card, Path]]]:
    """Return cards and folders of the source and of every target, before a minute is spent on any of them.

    Returns:
        By name, the source first; a name such as ``emodb+ravdess`` has several.

    Raises:
        CardError, CorpusError: a card or a folder is not there, or a root was given for no corpus of the recipe.
    """
    cards = {name: [load_card(part) for part in name.split("+")] for name in (recipe.source, *recipe.targets)}
    place.check_roots([card.name for several in cards.values() for card in several])
    return {name: [(card, place.folder(card)) for card in several] for name, several in cards.items()}


def find_corpus(name: str, place: Workplace) -> list[tuple[Card, Path]]:
    """Return card and folder of every part of a corpus name such as ``emodb`` or ``emodb+ravdess``.

    Raises:
        CardError, CorpusError: a card or a folder is not there.
    """
    cards = [load_card(part) for part in name.split("+")]
    return [(card, place.folder(card)) for card in cards]


def read_corpora(pairs: list[tuple[Card, Path]], recipe: AnyRecipe, place: Workplace) -> Corpus:
    """Read one corpus, or several as one."""
    from xlser.experiment.joined import JoinedCorpus

    read = [read_corpus(*pair, recipe, place) for pair in pairs]
    return read[0] if len(read) == 1 else JoinedCorpus(read)


def read_corpus(card: Card, folder: Path, recipe: AnyRecipe, place: Workplace) -> Corpus:
    """Scan, check and extract one corpus as the recipe wants it.

    Raises:
        CorpusError: see `build_manifest`, `extract` and `read_clips`.
    """
    manifest = build_manifest(card, folder, strict=place.strict, cache=place.cache)
    options = {"jobs": place.jobs, "strict": place.strict, "progress": place.progress}
    if isinstance(recipe, EncoderRecipe):
        data = read_clips(manifest, place.cache, **options)
    else:
        data = extract(manifest, make_extractor(recipe.features.extractor), place.cache, **options)
    labels, counts = scored_labels(data.manifest.frame["emotion"], recipe)
    ratings, kind = _ratings(data.manifest.frame, recipe)
    corpus = Corpus(card, data, labels, ratings, kind, counts)
    _tell(corpus, recipe, place)
    return corpus


def scored_labels(emotions: pd.Series, recipe: AnyRecipe) -> tuple[np.ndarray, dict[str, dict[str, int]]]:
    """Merge and select labels as the recipe says, and count what happened.

    Returns:
        Labels (N,), None where not scored; and counts under ``kept``, ``merged`` (``calm -> neutral``) and ``dropped``.
    """
    merged = emotions.map(lambda name: recipe.merge.get(name, name))
    kept = merged.isin(recipe.emotions).to_numpy()
    moves = [f"{a} -> {b}" for a, b, k in zip(emotions, merged, kept, strict=True) if a != b and k]
    counts = {
        "kept": dict(Counter(merged[kept])),
        "merged": dict(Counter(moves)),
        "dropped": dict(Counter(merged[~kept])),
    }
    return np.where(kept, merged.astype(object), None), counts


def _ratings(frame: pd.DataFrame, recipe: AnyRecipe) -> tuple[dict[str, np.ndarray], str]:
    ratings = {name: frame[name].to_numpy(dtype=float) for name in DIMENSIONS}
    if any(np.isfinite(values).any() for values in ratings.values()):
        return ratings, "rated"
    if recipe.ratings == "derived":
        table = derived_ratings(frame["emotion"])
        return {name: table[name].to_numpy(dtype=float) for name in DIMENSIONS}, "derived"
    return ratings, "none"


def copies(source: Corpus, target: Corpus) -> list[str]:
    """Return the ids of recordings of ``target`` whose audio file stands in ``source`` too: they are not held out."""
    known = set(source.data.contents)
    return [name for name, content in zip(target.frame["id"], target.data.contents, strict=True) if content in known]


def twins(corpus: Corpus) -> list[tuple[str, str]]:
    """Return pairs of ids whose audio files are the same, each later one with the first."""
    first: dict[str, str] = {}
    pairs = [
        (first.setdefault(content, name), name)
        for name, content in zip(corpus.frame["id"], corpus.data.contents, strict=True)
    ]
    return [(one, other) for one, other in pairs if one != other]


def _tell(corpus: Corpus, recipe: AnyRecipe, place: Workplace) -> None:
    about = corpus.about("")
    left = sum(about["left_out"].values())
    place.say(
        f"  {corpus.card.name}: {about['utterances']} utterances, {about['speakers']} speakers, "
        f"{about['hours']:.2f} h, {corpus.data.cached} of them read from the cache"
        + (f", {left} files left out" if left else "")
        + (" [synthetic]" if corpus.card.synthetic else "")
    )
    for reason, paths in corpus.data.manifest.left_out.items():
        place.say(
            f"    left out, {reason}: {', '.join(paths[:3])}" + (f" and {len(paths) - 3} more" * (len(paths) > 3))
        )
    missing = [name for name in recipe.emotions if name not in corpus.counts["kept"]]
    if missing:
        place.say(
            f"    note: no recording of {', '.join(missing)}; the labels are {', '.join(sorted(about['emotions']))}"
        )
    for name in recipe.merge:
        if name not in about["emotions"]:
            place.say(f"    note: nothing to merge, no recording of {name}")
    for note in corpus.data.manifest.notes:
        place.say(f"    note: {note}")

"""A recipe's corpora, read and made ready: features or clips, scored labels, ratings, what was merged or dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from xlser.corpora.card import Card, load_card
from xlser.corpora.faults import some
from xlser.data.dataset import Dataset
from xlser.data.formats.anyformat import dataset_name, is_dataset
from xlser.data.vote_shares import distribution, merge_votes
from xlser.errors import CorpusError
from xlser.experiment.workplace import Workplace
from xlser.features.clips import Clips, read_clips
from xlser.features.extract import Features, extract
from xlser.features.extractors import make_extractor
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.recipe import Recipe
from xlser.vocabulary import DIMENSIONS, UNNAMED

AnyRecipe = Recipe | EncoderRecipe


@dataclass
class Corpus:
    """A dataset made ready for a recipe.

    ``data`` are its features, or its clips where an encoder reads them; ``dataset`` has a row for each. ``labels``
    (N,): canonical emotion after the recipe's merging, None where the recipe does not score it. ``counts`` says how
    many labels were kept, merged and dropped.
    """

    dataset: Dataset
    data: Features | Clips
    labels: np.ndarray
    counts: dict[str, dict[str, int]]

    @property
    def name(self) -> str:
        """What it is called in tables."""
        return self.dataset.name

    @property
    def language(self) -> str:
        """Every language that is spoken, once."""
        return self.dataset.language

    @property
    def synthetic(self) -> bool:
        """Whether a synthesiser speaks in any of it."""
        return self.dataset.synthetic

    @property
    def frame(self) -> pd.DataFrame:
        """The table of utterances."""
        return self.dataset.frame

    @property
    def languages(self) -> np.ndarray:
        """The language of every row, (N,)."""
        return self.frame["language"].to_numpy(dtype=object)

    def votes(self, recipe: AnyRecipe) -> np.ndarray:
        """Return the share of raters that name each emotion of a recipe, (N, C), after its merging; nan where none."""
        return distribution(merge_votes(self.frame, recipe.merge)["votes"], recipe.emotions)

    @property
    def ratings_kind(self) -> str:
        """Rated, derived or none."""
        return self.dataset.ratings_kind

    @property
    def ratings(self) -> dict[str, np.ndarray]:
        """Each dimension's ratings, (N,) in [-1, 1], NaN where not rated."""
        return {name: self.frame[name].to_numpy(dtype=float) for name in DIMENSIONS}

    @property
    def parts(self) -> dict[str, np.ndarray]:
        """The rows of each corpus that it was put together of, by name; of a single one all rows."""
        names = self.frame["corpus"].to_numpy(dtype=str)
        return {name: np.flatnonzero(names == name) for name in dict.fromkeys(names)}

    def about(self, role: str) -> dict:
        """Return what a report says of the corpus, JSON-able."""
        facts, manifest = self.dataset.facts, self.dataset.manifest
        return {
            "corpus": self.name,
            "title": facts.title,
            "role": role,
            "language": self.language,
            "synthetic": facts.synthetic,
            "elicitation": facts.elicitation,
            "licence": facts.licence,
            "citation": facts.citation,
            "card_hash": facts.card_hash,
            "verified": facts.verified,
            "utterances": len(self.frame),
            "speakers": int(self.frame["speaker"].nunique()),
            "hours": float(self.frame["duration"].sum() / 3600),
            "ratings": self.ratings_kind,
            "rated": {name: int(np.isfinite(values).sum()) for name, values in self.ratings.items()},
            "emotions": {n: int(c) for n, c in self.frame["emotion"].value_counts().items() if n not in UNNAMED},
            "labels": self.counts,
            "left_out": manifest.left_out_counts(),
            "left_out_files": {reason: paths[:20] for reason, paths in manifest.left_out.items()},
            "notes": manifest.notes,
        }


class Origin(NamedTuple):
    """Where a recipe's corpus comes from: its name, and what reads it. Finding it reads no recording yet."""

    name: str
    read: Callable[[], Dataset]


def find_corpora(recipe: AnyRecipe, place: Workplace) -> dict[str, list[Origin]]:
    """Find the source and every target, before a minute is spent on any of them.

    Returns:
        By the recipe's text, the source first; ``emodb+ravdess`` has several.

    Raises:
        CardError, CorpusError: a card, a folder or a file is not there, or a root was given for no corpus of the
            recipe.
    """
    texts = (recipe.source, *recipe.targets)
    place.check_roots([corpus_name(part) for text in texts for part in corpus_texts(text)])
    return {text: find_corpus(text, place) for text in texts}


def find_corpus(text: str, place: Workplace) -> list[Origin]:
    """Find every part of a text such as ``emodb``, ``emodb+ravdess``, ``mine.parquet`` or the path of a database.

    Raises:
        CardError, CorpusError: a card, a folder or a file is not there.
    """
    return [_origin(part, place) for part in corpus_texts(text)]


def corpus_texts(text: str) -> list[str]:
    """Return what ``emodb+ravdess`` is put together of; the path of a file or folder that is there is one text.

    >>> corpus_texts("emodb+ravdess")
    ['emodb', 'ravdess']
    """
    return [text] if is_dataset(text) else text.split("+")


def corpus_name(text: str) -> str:
    """Return the name of one corpus, by its card, or by the table that it is; no row is read.

    Raises:
        CardError, CorpusError: there is none.
    """
    return dataset_name(text) if is_dataset(text) else load_card(text).name


def corpus_languages(text: str) -> tuple[str, ...]:
    """Return the languages of one corpus, by its card, or by the rows of the table that it is.

    Raises:
        CardError, CorpusError: there is none.
    """
    return Dataset.from_manifest(text).facts.languages if is_dataset(text) else load_card(text).languages


def find_folders(text: str, place: Workplace) -> list[tuple[Card, Path]]:
    """Return card and folder of every part of a text that names cards.

    Raises:
        CardError, CorpusError: a card or a folder is not there.
    """
    cards = [load_card(part) for part in text.split("+")]
    return [(card, place.folder(card)) for card in cards]


def _origin(text: str, place: Workplace) -> Origin:
    if is_dataset(text):
        name = dataset_name(text)
        return Origin(name, partial(Dataset.from_manifest, text, cache=place.cache, root=place.roots.get(name)))
    card = load_card(text)
    folder = place.folder(card)
    return Origin(card.name, lambda: Dataset.from_card(card, folder, strict=place.strict, cache=place.cache))


def read_corpora(origins: list[Origin], recipe: AnyRecipe, place: Workplace) -> Corpus:
    """Read one corpus, or several as one, check it and make it ready as the recipe wants it.

    Raises:
        CorpusError: see `build_manifest`, `extract` and `read_clips`; or one of several gives nothing.
    """
    return prepare_parts([origin.read() for origin in origins], recipe, place)


def prepare_parts(parts: Sequence[Dataset], recipe: AnyRecipe, place: Workplace) -> Corpus:
    """Do as `read_corpora` with what its origins gave."""
    corpus = prepare(joined(parts, recipe), recipe, place)
    for name in corpus.name.split("+"):
        if name not in corpus.parts:
            raise CorpusError(f"corpus {corpus.name}: none of the recordings of {name} can be used.")
    return corpus


def joined(parts: Sequence[Dataset], recipe: AnyRecipe) -> Dataset:
    """Return one corpus, or several as one, with the ratings that the recipe asks for."""
    rated = [part.with_derived_ratings() if recipe.ratings == "derived" else part for part in parts]
    return rated[0].concat(*rated[1:])


def prepare(dataset: Dataset, recipe: AnyRecipe, place: Workplace) -> Corpus:
    """Extract features, or decode clips, and select labels; recordings that cannot be used are left out and told.

    Raises:
        CorpusError: see `extract` and `read_clips`.
    """
    options = {"jobs": place.jobs, "strict": place.strict, "progress": place.progress}
    if isinstance(recipe, EncoderRecipe):
        data = read_clips(dataset.manifest, place.cache, **options)
    else:
        data = extract(dataset.manifest, make_extractor(recipe.features.extractor), place.cache, **options)
    labels, counts = scored_labels(data.manifest.frame["emotion"], recipe)
    corpus = Corpus(dataset.with_manifest(data.manifest), data, labels, counts)
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
        f"  {corpus.name}: {about['utterances']} utterances, {about['speakers']} speakers, "
        f"{about['hours']:.2f} h, {corpus.data.cached} of them read from the cache"
        + (f", {left} files left out" if left else "")
        + (" [synthetic]" if corpus.synthetic else "")
    )
    for reason, paths in corpus.dataset.left_out.items():
        place.say(f"    left out, {reason}: {some(paths)}")
    missing = [name for name in recipe.emotions if name not in corpus.counts["kept"]]
    if missing:
        there = ", ".join(sorted(about["emotions"]))
        labels = f"the labels are {there}" if there else "it has ratings and no labels"
        place.say(f"    note: no recording of {', '.join(missing)}; {labels}")
    for name in recipe.merge:
        if name not in about["emotions"]:
            place.say(f"    note: nothing to merge, no recording of {name}")
    for note in corpus.dataset.notes:
        place.say(f"    note: {note}")

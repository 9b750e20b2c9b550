"""A dataset: utterances with their labels, and the facts of the corpus that they come from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xlser.cachefolder import cache_folder
from xlser.corpora.card import Card, load_card
from xlser.corpora.emotions import check_canonical
from xlser.data.audio import AudioFault, read_mono
from xlser.data.corpus_facts import Facts
from xlser.data.excerpts import Excerpt, excerpts
from xlser.data.manifest import Manifest, build_manifest, write_manifest
from xlser.data.scales import derived_ratings
from xlser.data.vote_shares import distribution, merge_votes
from xlser.errors import CorpusError, did_you_mean
from xlser.vocabulary import DIMENSIONS, UNNAMED, RatingsKind


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A table of utterances with the facts of their corpus. It is never changed: every verb gives a new one.

    Make one by `load_corpus`, `Dataset.from_frame` or `Dataset.from_manifest`. ``frame`` has a row an utterance:
    ``id``, ``corpus``, ``path``, ``start``, ``end`` and ``duration`` in seconds, ``speaker``, ``language`` (BCP 47),
    ``emotion_raw`` as the corpus writes it, ``emotion`` as xlser calls it, and for each rated dimension the corpus's
    own number (``activation_raw``) and the same on [-1, 1] (``activation``), NaN where not rated.

    ``merged`` counts the labels that `merge` changed (``calm -> neutral``), ``dropped`` those that `keep` left out;
    ``left_out`` names the recordings that could not be used, by the reason. ``ratings_kind`` is rated, derived
    (positions of emotion words, the same for every clip of an emotion) or none.
    """

    manifest: Manifest
    facts: Facts
    ratings_kind: RatingsKind = "none"
    merged: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, manifest: Manifest, facts: Facts | None = None) -> Dataset:
        """Return the dataset of a manifest."""
        kept = manifest.facts
        if kept and facts is None:
            own = Facts(**kept["facts"] | {"languages": tuple(kept["facts"]["languages"])})
            return cls(manifest, own, kept["ratings_kind"], kept["merged"], kept["dropped"])
        rated = bool(np.isfinite(manifest.frame[list(DIMENSIONS)].to_numpy(dtype=float)).any())
        return cls(manifest, facts or Facts.of_manifest(manifest), "rated" if rated else "none")

    @classmethod
    def from_card(
        cls, card: Card, root: str | Path, *, strict: bool = False, cache: str | Path | None = None
    ) -> Dataset:
        """Read a corpus folder as its card describes it; see `xlser.data.manifest.build_manifest`."""
        return cls.of(build_manifest(card, root, strict=strict, cache=cache), Facts.of_card(card))

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        audio: str | None = None,
        emotion: str | None = None,
        speaker: str | None = None,
        language: str | None = None,
        name: str = "mine",
        root: str | Path | None = None,
        emotions: Mapping[str, str] | None = None,
        scale: tuple[float, float] | None = None,
        strict: bool = True,
        **columns: str,
    ) -> Dataset:
        """Return a dataset of a table of one's own, a row an utterance.

        ::

            mine = xl.Dataset.from_frame(df, audio="path", emotion="emo", speaker="spk", language="el")

        Args:
            frame: the table; it is not changed.
            audio: its column of paths, absolute or relative to ``root``.
            emotion: its column of labels, in the corpus's own words; not needed beside ratings.
            speaker: its column of speakers: who is trained on is not tested on.
            language: a column of BCP 47 tags, or one tag for all rows, such as ``el``.
            name: what the dataset is called in tables.
            root: the folder that relative paths start from; the current one unless given.
            emotions: what labels mean, where xlser cannot know: ``{"A": "anger"}``.
            scale: lowest and highest rating, for a table with ratings: ``(1, 5)``.
            strict: refuse a table of which a row cannot be used. Otherwise such rows are in ``left_out``.
            columns: columns of ``id``, ``start``, ``end``, ``duration`` (times in seconds, unless their headers name
                another unit), ``channel``, ``split``, ``sex``, ``text``, ``session``, ``licence``, ``valence``,
                ``activation``, ``dominance``. Those that are not named are known by their usual names, such as onset
                and offset; what is not read is named in a warning.

        Raises:
            CorpusError: a column that is not there; paths, labels or speakers that are missing; an id that stands
                twice; ratings without a scale.
        """
        from xlser.data.formats.frames import read_frame

        named = {"path": audio, "emotion": emotion, "speaker": speaker, "language": language, **columns}
        return cls.of(read_frame(frame, named, name=name, root=root, emotions=emotions, scale=scale, strict=strict))

    @classmethod
    def from_manifest(
        cls,
        path: str | Path,
        *,
        name: str | None = None,
        language: str | None = None,
        speaker: str | None = None,
        emotions: Mapping[str, str] | None = None,
        scale: tuple[float, float] | None = None,
        cache: str | Path | None = None,
        root: str | Path | None = None,
        encoding: str | None = None,
        separator: str | None = None,
        columns: Mapping[str, str] | None = None,
        tier: str | None = None,
    ) -> Dataset:
        """Read a dataset from a file or folder, of whatever format it turns out to be.

        Args:
            path: a manifest of xlser (Parquet or CSV), another table (CSV, JSON, JSON lines, Excel, Parquet with paths
                or audio), annotations of ELAN or Praat, an audformat database, a Hugging Face audio folder, or what
                ``save_to_disk`` of `datasets` wrote.
            name: what the dataset is called; the file's own name unless given or said in it.
            language: BCP 47 tag of rows that name none.
            speaker: the speaker of rows that name none.
            emotions: what labels mean, where xlser cannot know.
            scale: lowest and highest rating, where the format does not say.
            cache: where the recordings that a table holds are written; xlser's cache folder unless given.
            root: the folder that a table's paths start from; its own unless given.
            encoding: of a table that is neither UTF-8 nor UTF-16, such as ``cp1252``.
            separator: of a table's cells, where it cannot be seen.
            columns: header of a role (``path``, ``emotion``, ``speaker``, ``start`` ...) that is called unusually.
            tier: the tiers of annotations to read, separated by commas.

        Raises:
            CorpusError: nothing is there, or it is none of these; see `xlser.data.formats.rows.import_rows`.
        """
        from xlser.data.formats.anyformat import read_any
        from xlser.data.formats.table_options import TableOptions

        options = TableOptions(Path(root) if root else None, encoding, separator, dict(columns or {}), tier)
        about = {"language": language, "speaker": speaker, "emotions": dict(emotions or {}), "scale": scale}
        return cls.of(read_any(Path(path), name, cache or cache_folder(), options, **about))

    @property
    def frame(self) -> pd.DataFrame:
        """The table, a row an utterance."""
        return self.manifest.frame

    @property
    def name(self) -> str:
        """What it is called in tables: ``emodb``, ``emodb+ravdess``."""
        return self.facts.name

    @property
    def language(self) -> str:
        """Every language that is spoken, once: ``de``, ``de+en``."""
        return "+".join(dict.fromkeys(self.frame["language"]))

    @property
    def synthetic(self) -> bool:
        """Whether a synthesiser speaks in any of it: every result on it must say so."""
        return self.facts.synthetic

    @property
    def emotions(self) -> tuple[str, ...]:
        """The emotions that there are, in the order of the alphabet; what is unlabelled has none."""
        return tuple(sorted(set(self.frame["emotion"]) - set(UNNAMED)))

    @property
    def speakers(self) -> tuple[str, ...]:
        """The speakers that there are, in the order of the alphabet."""
        return tuple(sorted(set(self.frame["speaker"])))

    @property
    def people(self) -> pd.Series:
        """Who speaks in each row (N,), under a name that no other corpus has."""
        own = "+" in self.name  # put together, where names have their corpus before them already
        return self.frame["speaker"] if own else self.name + "/" + self.frame["speaker"]

    @property
    def left_out(self) -> dict[str, list[str]]:
        """Paths of the recordings that could not be used, by the reason."""
        return self.manifest.left_out

    @property
    def notes(self) -> list[str]:
        """What a reader should know of it, a sentence each."""
        return self.manifest.notes

    def __len__(self) -> int:
        """Return the number of utterances."""
        return len(self.frame)

    def __repr__(self) -> str:
        """Say what it holds, in two lines."""
        hours = self.frame["duration"].sum() / 3600
        named = self.frame["emotion"].value_counts()
        counts = ", ".join(
            [f"{name} {count}" for name, count in named.items() if name not in UNNAMED]
            + [f"{count} {name.replace('_', '-')}" for name, count in named.items() if name in UNNAMED]
        )
        made = ", synthetic" if self.synthetic else ""
        return (
            f"Dataset {self.name}: {len(self)} utterances of {len(self.speakers)} speakers in {self.language}, "
            f"{hours:.2f} h, {self.ratings_kind if self.ratings_kind != 'none' else 'not rated'}{made}\n  {counts}"
        )

    def merge(self, **into: str) -> Dataset:
        """Return it with emotions renamed: ``merge(calm="neutral")``. What moved is counted in ``merged``.

        Votes move with them; the label stays the one that the raters' own words gave.

        Raises:
            CorpusError: an emotion that is not there, or one that cannot be a name (``happy`` for ``happiness``).
        """
        self._check_emotions(into)
        try:
            into = {name: check_canonical(other) for name, other in into.items()}
        except ValueError as error:
            raise CorpusError(f"merge: {error}") from None
        old = self.frame["emotion"]
        moves = Counter(f"{name} -> {into[name]}" for name in old if name in into)
        frame = self.frame.assign(emotion=np.array([into.get(name, name) for name in old], dtype=object))
        frame = merge_votes(frame, into)
        return replace(self._of_frame(frame), merged=dict(Counter(self.merged) + moves))

    def keep(self, *emotions: str) -> Dataset:
        """Return the utterances of some emotions; the others are counted in ``dropped``.

        Raises:
            CorpusError: none is named, or one that is not there.
        """
        if not emotions:
            raise CorpusError(f"keep needs emotions, such as keep({', '.join(map(repr, self.emotions[:2]))})")
        self._check_emotions(emotions)
        kept = self.frame["emotion"].isin(emotions)
        dropped = Counter(self.frame["emotion"][~kept])
        return replace(self._of_frame(self.frame[kept]), dropped=dict(Counter(self.dropped) + dropped))

    def votes(self, *emotions: str) -> np.ndarray:
        """Return the share of raters that name each emotion, among those that name any of them.

        Args:
            emotions: canonical, C of them; all of `emotions` unless given.

        Returns:
            (N, C) in [0, 1]; rows sum to 1, and are nan where nobody voted for any of the emotions.
        """
        return distribution(self.frame["votes"], emotions or self.emotions)

    def take(self, rows: Sequence[int] | np.ndarray | pd.Series) -> Dataset:
        """Return some utterances: positions (N,), in their order, or a mask (len(self),) of booleans.

        Raises:
            CorpusError: no row, one that is not there, or a mask of another length.
        """
        rows = np.asarray(rows)
        if rows.dtype == bool and len(rows) != len(self):
            raise CorpusError(f"take: the mask must have {len(self)} values, one an utterance, but has {len(rows)}")
        if rows.dtype == bool:
            rows = np.flatnonzero(rows)
        if rows.size == 0 or rows.min() < -len(self) or rows.max() >= len(self):
            raise CorpusError(f"take needs rows from 0 to {len(self) - 1}, but got {rows.tolist()[:5] or 'none'}")
        return self._of_frame(self.frame.iloc[rows])

    def concat(self, *others: Dataset) -> Dataset:
        """Return several datasets, one behind the other, as one.

        Ids, speakers, sessions and paths get the name of their dataset before them, so that speaker 03 of one is not
        speaker 03 of another. Ratings that are derived in one and rated in another count as derived.

        Raises:
            CorpusError: two of one name, or one that was put together before.
        """
        from xlser.data.joining import join_manifests

        several = [self, *others]
        if len(several) == 1:
            return self
        kinds = {part.ratings_kind for part in several} - {"none"}
        return Dataset(
            join_manifests([part.manifest for part in several]),
            Facts.of_several([part.facts for part in several]),
            "derived" if "derived" in kinds else next(iter(kinds), "none"),
            dict(sum((Counter(part.merged) for part in several), Counter())),
            dict(sum((Counter(part.dropped) for part in several), Counter())),
        )

    def with_derived_ratings(self) -> Dataset:
        """Return it with positions of emotion words as ratings where there are none at all; see `derived_ratings`."""
        if self.ratings_kind != "none":
            return self
        table = derived_ratings(self.frame["emotion"])
        return replace(self._of_frame(self.frame.assign(**table)), ratings_kind="derived")

    def manifests(self) -> list[Manifest]:
        """Return the manifest of each corpus that it is put together of, with human ratings only."""
        from xlser.data.joining import part_manifests

        frame = self.frame.assign(
            **{name: self.frame[name].where(self.frame[f"{name}_raw"].notna()) for name in DIMENSIONS}
        )
        return part_manifests(replace(self.manifest, frame=frame))

    def with_manifest(self, manifest: Manifest) -> Dataset:
        """Return it with the rows of another manifest of the same corpus: one from which recordings were left out."""
        return replace(self, manifest=manifest)

    def audio(self, row: int, rate: int | None = None) -> tuple[np.ndarray, int]:
        """Return one utterance's samples, float32 (S,), full scale 1, mono; and their rate in Hz.

        Args:
            row: its position, 0 to len(self) - 1.
            rate: resample to this many Hz; the file's own rate unless given.

        Raises:
            CorpusError: the recording cannot be read. IndexError: there is no such row.
        """
        part, rate = self._excerpts[row], rate or int(self.frame["sample_rate"].iloc[row])
        try:
            return read_mono(part.path, rate, *part[1:]), rate
        except AudioFault as fault:
            raise CorpusError(f"{part.name(str(part.path))}: {fault}") from fault

    def describe(self) -> pd.DataFrame:
        """Return counts of every emotion, the most frequent first; and of all.

        Columns: utterances, recordings (that they are, or are segments of), speakers, minutes, and rated utterances.

        Index: the emotion, ``all`` in the last row. What is no emotion stands before it in brackets: ``(unlabelled)``.
        """
        rated = np.isfinite(self.frame[list(DIMENSIONS)].to_numpy(dtype=float)).any(axis=1)
        frame = self.frame.assign(rated=rated)
        groups = [*frame.groupby("emotion", sort=False), ("all", frame)]
        table = pd.DataFrame({name: _described(rows) for name, rows in groups}).T.astype({"minutes": float})
        table = table.astype(dict.fromkeys(("utterances", "recordings", "speakers", "rated"), int))
        order = table.index[:-1][np.argsort(-table["utterances"].to_numpy()[:-1], kind="stable")]
        order = sorted(order, key=lambda name: name in UNNAMED)
        unnamed = {name: f"({name})" for name in UNNAMED}
        return table.loc[[*order, "all"]].rename(index=unnamed).rename_axis("emotion")

    def write(self, path: str | Path) -> Path:
        """Write its table as Parquet (which keeps everything that `from_manifest` needs) or CSV; return the path."""
        counts = {"merged": dict(self.merged), "dropped": dict(self.dropped)}
        about = {"facts": asdict(self.facts), "ratings_kind": self.ratings_kind, **counts}
        write_manifest(replace(self.manifest, facts=about), path)
        return Path(path)

    @cached_property
    def _excerpts(self) -> list[Excerpt]:
        return excerpts(self.manifest)

    def _of_frame(self, frame: pd.DataFrame) -> Dataset:
        return replace(self, manifest=replace(self.manifest, frame=frame.reset_index(drop=True)))

    def _check_emotions(self, names: Sequence[str] | Mapping[str, str]) -> None:
        for name in names:
            if name not in self.emotions:
                raise CorpusError(f"{self.name} has no utterance of {name!r}; {did_you_mean(name, self.emotions)}")


def _described(rows: pd.DataFrame) -> dict[str, Any]:
    return {
        "utterances": len(rows),
        "recordings": rows["path"].nunique(),
        "speakers": rows["speaker"].nunique(),
        "minutes": round(float(rows["duration"].sum() / 60), 1),
        "rated": int(rows["rated"].sum()),
    }


def load_corpus(
    name: str | Path, root: str | Path | None = None, *, strict: bool = False, cache: str | Path | None = None
) -> Dataset:
    """Return a corpus that xlser has a card of.

    ::

        emodb = xl.load_corpus("emodb", root="/data/emodb")

    Args:
        name: the card's name, such as ``emodb``, or the path of a card of one's own.
        root: the corpus folder; a synthetic corpus is made in the cache where none is given.
        strict: stop at the first recording that cannot be used, instead of leaving it out and counting it.
        cache: where headers are remembered; xlser's cache folder unless given.

    Raises:
        CardError: no such card. CorpusError: no folder, or one in which the card finds nothing.
    """
    card, cache = load_card(name), Path(cache or cache_folder())
    if root is None and card.synthesis is not None:
        from xlser.corpora.synthetic import synthesise

        root = synthesise(card, cache / "synthetic" / card.name)
    if root is None:
        raise CorpusError(f"where is corpus {card.name}? Give its folder: load_corpus({str(name)!r}, root=...)")
    return Dataset.from_card(card, root, strict=strict, cache=cache)

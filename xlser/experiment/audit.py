"""The audit of one corpus or a set of them: scanned, decoded once, and every question asked of the numbers."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import permutations
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd

from xlser.corpora.card import Card, load_card
from xlser.data.excerpts import excerpt_names
from xlser.data.manifest import Manifest, build_manifest
from xlser.data.splits import PARTS, SplitKind, make_splits
from xlser.data.together import split_units
from xlser.errors import CorpusError, did_you_mean
from xlser.evaluation.audit import (
    confound,
    counts,
    duplicates,
    fingerprint,
    harmony,
    levels,
    overlap,
    shortcuts,
    stereo,
)
from xlser.evaluation.audit.measure import Measured, measure_corpus
from xlser.evaluation.audit.published import trained_on
from xlser.experiment.workplace import Workplace
from xlser.fileformats import VERSIONS
from xlser.version import __version__
from xlser.vocabulary import UNNAMED

WORST = 10


@dataclass
class _Corpus:
    """One corpus of the set; ``frame`` is its manifest's table with the measured levels beside it."""

    card: Card
    manifest: Manifest
    measured: Measured | None
    frame: pd.DataFrame = field(init=False)

    def __post_init__(self) -> None:
        # A segment is named with its times; its path is that of its recording.
        self.frame = self.manifest.frame.assign(name=excerpt_names(self.manifest))
        if self.measured is not None:
            self.frame = self.frame.join(self.measured.table[[*levels.LEVELS, *stereo.STEREO]], on="id")


def audit_corpora(
    names: list[str], place: Workplace, *, split: str | None = None, decode: bool = True
) -> dict[str, Any]:
    """Audit corpora by name or card file and return everything found as one JSON-able dict; nan is None.

    Args:
        names: one or more; each is taken as a source of every other one.
        place: where the folders and the cache lie.
        split: a kind of split such as ``speaker-folds`` (the default where there are speakers enough), or the path of a
            folds file (see `read_folds`).
        decode: decode the audio; without, duplicates, levels and the cues that need them are not audited.

    Raises:
        CardError, CorpusError: a corpus that cannot be read, or a split that is no kind, no file, or does not fit.
        ValueError: no name.
    """
    if not names:
        raise ValueError("`names` must hold at least one corpus, but is empty instead.")
    began = time.perf_counter()
    folds = _folds_file(split)
    corpora = [_read(name, place, decode) for name in dict.fromkeys(names)]
    result = {
        "about": _about(decode, split),
        "corpora": [_audit_one(one, split, folds) for one in corpora],
        "duplicates": _duplicates(corpora),
        "pairs": _pairs(corpora),
        "labels": harmony.harmonise({one.card.name: _emotions(one) for one in corpora}),
    }
    result["about"]["seconds"] = round(time.perf_counter() - began, 1)
    return _plain(result)


def _read(name: str, place: Workplace, decode: bool) -> _Corpus:
    card = load_card(name)
    manifest = build_manifest(card, place.folder(card), strict=place.strict, cache=place.cache)
    measured = measure_corpus(manifest, place.cache, jobs=place.jobs, progress=place.progress) if decode else None
    return _Corpus(card, manifest, measured)


def _about(decode: bool, split: str | None) -> dict[str, Any]:
    return {
        "schema": VERSIONS["audit"],
        "xlser": __version__,
        "finished": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "decoded": decode,
        "split": split or "speaker-folds",
        "thresholds": {
            "near_duplicate_similarity": fingerprint.THRESHOLD,
            "silence_db_below_loudest": levels.QUIET_DB,
            "cutoff_db_below_strongest": levels.CUTOFF_DB,
            "one_channel_db_below_other": stereo.ONE_SIDED_DB,
            "mix_db_of_opposed_channels": stereo.OPPOSED_DB,
            "permutations": confound.PERMUTATIONS,
        },
    }


def _audit_one(one: _Corpus, split: str | None, folds: list[overlap.Fold] | None) -> dict[str, Any]:
    frame, named = one.frame, _named(one.frame)
    groups = [name for name in ("speaker", "text", "session", "sex", "sample_rate") if frame[name].nunique() > 1]
    return {
        "corpus": one.card.name,
        "title": one.card.title,
        "elicitation": one.card.elicitation,
        "synthetic": one.card.synthetic,
        "licence": one.card.licence,
        "verified": one.card.verified,
        "card_hash": one.card.hash,
        "expected": {"utterances": one.card.expect.utterances, "speakers": one.card.expect.speakers},
        "counts": counts.count_corpus(frame),
        "left_out": {
            reason: {"count": len(paths), "first": paths[:WORST]} for reason, paths in one.manifest.left_out.items()
        },
        "notes": one.manifest.notes,
        "faults": one.measured.faults if one.measured else {},
        "two_sexes": counts.two_sexes(frame),
        "coverage": confound.coverage(named),
        "confounds": {name: _association(named, name) for name in groups},
        "matrix": counts.crossed(named, "speaker", "emotion"),
        "split": _split(frame, split, folds),
        "shortcuts": shortcuts.shortcut_rows(named) if len(named) else [],
        "levels": levels.level_table(frame.assign(path=frame["name"]), WORST) if one.measured else {},
        "stereo": stereo.stereo_table(frame.assign(path=frame["name"]), WORST) if one.measured else {},
        "published": trained_on(one.card.name),
    }


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the recordings that have an emotion."""
    return frame[~frame["emotion"].isin(UNNAMED)].reset_index(drop=True)


def _association(frame: pd.DataFrame, name: str) -> dict[str, Any]:
    known = frame.dropna(subset=[name])
    return confound.association(known["emotion"], known[name].astype(str)) | {"rows": len(known)}


def _split(frame: pd.DataFrame, kind: str | None, given: list[overlap.Fold] | None) -> dict[str, Any]:
    """Return the folds with what their parts share; ``why`` where no split could be made."""
    unknown: list[str] = []
    if given is None:
        try:
            made = make_splits(frame, kind or "speaker-folds", folds=max(3, min(5, split_units(frame).nunique())))
        except CorpusError as error:
            if kind:
                raise
            return {"kind": "speaker-folds", "folds": [], "unknown": [], "why": str(error)}
        parts = [{part: getattr(fold, part) for part in PARTS} for fold in made]
    else:
        found = [overlap.rows_of(frame, fold) for fold in given]
        parts, unknown = [rows for rows, _ in found], sorted({name for _, names in found for name in names})
    folds = overlap.split_overlap(frame, parts)
    return {"kind": kind or "speaker-folds", "folds": folds, "unknown": unknown, "why": ""}


def _folds_file(split: str | None) -> list[overlap.Fold] | None:
    kinds = [kind for kind in get_args(SplitKind) if kind != "given" and not kind.startswith("column")]
    if split is None or split in kinds:
        return None
    if Path(split).is_file():
        return overlap.read_folds(split)
    raise CorpusError(f"--split {split!r} is neither a kind of split nor a file; {did_you_mean(split, kinds)}")


def _duplicates(corpora: list[_Corpus]) -> dict[str, Any] | None:
    measured = [one.measured for one in corpora if one.measured is not None and len(one.measured.table)]
    if not measured:
        return None
    # A speaker's number means another person in another corpus.
    frames = [one.frame.assign(speaker=one.card.name + "/" + one.frame["speaker"]) for one in corpora]
    columns = ["id", "path", "corpus", "emotion", "speaker", "sex"]
    frame = pd.concat([part.assign(path=part["name"])[columns] for part in frames])
    exact = duplicates.exact_groups(measured)
    near = duplicates.near_pairs(measured, exact)
    return {
        "exact": duplicates.with_labels(exact, frame),
        "near": duplicates.with_labels(near, frame),
        "files": sum(len(one.table) for one in measured),
    }


def _pairs(corpora: list[_Corpus]) -> list[dict[str, Any]]:
    rows = []
    for source, target in permutations(corpora, 2):
        one, other = _named(source.frame), _named(target.frame)
        shared = sorted(set(one["emotion"]) & set(other["emotion"]))
        found = shortcuts.transfer_rows(one, other)
        rows.append({"source": source.card.name, "target": target.card.name, "emotions": shared, "rows": found})
    return rows


def _emotions(one: _Corpus) -> dict[str, int]:
    return {str(name): int(count) for name, count in _named(one.frame)["emotion"].value_counts().items()}


def _plain(value: Any) -> Any:
    """Return the value with what JSON has no word for made plain: nan is None, arrays are lists."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(one) for one in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value

"""Does a folder hold the corpus that its card describes?"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from joblib import Parallel, delayed

from xlser.bars import tqdm
from xlser.corpora.card import Card
from xlser.corpora.faults import some
from xlser.corpora.globbing import suffix_counts, walk
from xlser.corpora.scan import NO_LABEL, STRAY
from xlser.data.audio import AudioFault, read_mono
from xlser.data.excerpts import Excerpt, excerpts
from xlser.data.manifest import Manifest, build_manifest
from xlser.machine import many_alike
from xlser.vocabulary import DIMENSIONS, UNNAMED

_SHOWN = 5


@dataclass
class Verification:
    """What was found. ``problems`` make `ok` false; ``gaps`` (fewer files than expected) and ``notes`` do not."""

    manifest: Manifest
    card: Card
    lines: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong; a part of a corpus that is right in itself is ok."""
        return not self.problems

    def text(self) -> str:
        """Return the finding as lines for a terminal."""
        verdict = "something is wrong" if self.problems else ("incomplete, but sound" if self.gaps else "complete")
        out = [f"{self.card.name}: {verdict}", *(f"  {line}" for line in self.lines)]
        out += [f"  incomplete: {gap}" for gap in self.gaps]
        out += [f"  note: {note}" for note in self.manifest.notes]
        if not self.card.verified and not self.card.is_own:
            out.append("  note: this card was built on second-hand facts that nobody has checked against the files")
        return "\n".join(out + [f"  PROBLEM: {problem}" for problem in self.problems])


def verify(
    card: Card, root: str | Path, *, decode: bool = True, progress: bool = False, cache: str | Path | None = None
) -> Verification:
    """Scan ``root`` through ``card``, read every file, and compare the counts with those the card expects.

    With a ``cache`` folder, files unchanged since the last time are not scanned again; ``decode`` reads all the same.

    Raises:
        CorpusError: the folder cannot be read through the card at all (see `build_manifest`).
    """
    manifest = build_manifest(card, root, cache=cache)
    found = Verification(manifest, card, _described(manifest))
    for reason, paths in manifest.left_out.items():
        kind = found.lines if reason.startswith(("ignored", NO_LABEL, *STRAY)) else found.problems
        kind.append(f"{len(paths)} left out, {reason}: {some(paths, _SHOWN)}")
    found.lines += _passed_over(manifest)
    found.problems += _mostly_unused(manifest)
    if card.dimensions and card.dimensions.file and manifest.frame[list(DIMENSIONS)].isna().all(axis=None):
        found.gaps.append(f"ratings: none of {card.dimensions.file}")
    if decode:
        found.problems += _undecodable(manifest, progress)
    _compare(found, "utterances", len(manifest.frame), card.expect.utterances)
    _compare(found, "speakers", manifest.frame["speaker"].nunique(), card.expect.speakers)
    counts = Counter(manifest.frame["emotion_raw"])
    for code, expected in card.expect.emotion.items():
        _compare(found, f"{code} ({card.emotion[code]})", counts[code], expected)
    return found


def _passed_over(manifest: Manifest) -> list[str]:
    """Count the files that are neither used nor left out by name: tables, texts, and formats that are not read."""
    named = set(manifest.frame["path"]).union(*manifest.left_out.values())
    others = suffix_counts(path for path in walk(manifest.root) if path not in named)
    return [f"passed over: {others}"] * bool(others)


def _mostly_unused(manifest: Manifest) -> list[str]:
    """Tell if more than one file in twenty was passed over: the pattern or the grammar then misses what it is for."""
    stray = sum(len(paths) for reason, paths in manifest.left_out.items() if reason.startswith(STRAY))
    every = stray + len(manifest.frame)
    if stray <= every / 20:
        return []
    return [
        f"only {len(manifest.frame)} of {every} audio files are used: correct `audio` or `grammar`, or name the rest "
        "under `ignore` in the card"
    ]


def _described(manifest: Manifest) -> list[str]:
    frame = manifest.frame
    named = frame.groupby(["emotion_raw", "emotion"], sort=False).size()
    emotions = ", ".join(f"{code} {name} {count}" for (code, name), count in named.items() if name not in UNNAMED)
    unnamed = ", ".join(
        f"{f'{code}: ' if code else ''}{count} {name}" for (code, name), count in named.items() if name in UNNAMED
    )
    rates = ", ".join(f"{rate} Hz: {count}" for rate, count in frame["sample_rate"].value_counts().items())
    rated = {name: int(frame[name].notna().sum()) for name in DIMENSIONS}
    sexes = frame.drop_duplicates("speaker")["sex"].fillna("sex not given").value_counts()
    return [
        f"{len(frame)} utterances, {frame['speaker'].nunique()} speakers "
        f"({', '.join(f'{count} {sex}' for sex, count in sexes.items())}), {frame['duration'].sum() / 3600:.2f} h, "
        f"{frame['duration'].min():.2f} to {frame['duration'].max():.2f} s",
        "emotions: " + ("; ".join(text for text in (emotions or "none", unnamed) if text)),
        f"audio: {rates}; channels: {', '.join(f'{n}: {c}' for n, c in frame['channels'].value_counts().items())}",
        "ratings: " + (", ".join(f"{name} {count}" for name, count in rated.items() if count) or "none"),
        *_voted(frame),
        *_parts(frame),
    ]


def _voted(frame: pd.DataFrame) -> list[str]:
    """Say how many recordings several raters labelled, and how far they agree."""
    voted = int(frame["votes"].notna().sum())
    return [f"votes: {voted} recordings; raters agree to {frame['agreement'].mean():.0%} on average"] * bool(voted)


def _parts(frame: pd.DataFrame) -> list[str]:
    """Say how many recordings each part of the official split has."""
    parts = frame["partition"].value_counts()
    return [f"official parts: {', '.join(f'{name} {count}' for name, count in parts.items())}"] * bool(len(parts))


def _undecodable(manifest: Manifest, progress: bool) -> list[str]:
    rows = list(zip(excerpts(manifest), manifest.frame["sample_rate"], manifest.frame["path"], strict=True))
    tasks = (delayed(_fault)(part, rate) for part, rate, _ in rows)
    results = Parallel(os.cpu_count() or 1, backend="threading", return_as="generator")(tasks)
    bar = tqdm(results, total=len(rows), desc="decoding", unit="file", disable=not progress, leave=False)
    faults = {part.name(path): fault for (part, _, path), fault in zip(rows, bar, strict=True) if fault}
    alike = many_alike(faults) if len(faults) == len(rows) else ""
    return [f"{name}: {fault}" for name, fault in faults.items()] + ([alike.strip()] if alike else [])


def _fault(part: Excerpt, rate: int) -> str | None:
    try:
        read_mono(part.path, rate, *part[1:])
    except AudioFault as fault:
        return str(fault)
    return None


def _compare(found: Verification, what: str, count: int, expected: int | None) -> None:
    if expected is None or count == expected:
        return
    if count < expected:
        found.gaps.append(f"{what}: {count:,} of {expected:,}")
    else:
        found.problems.append(f"{what}: {count:,}, but the complete corpus has {expected:,}; are copies in the folder?")

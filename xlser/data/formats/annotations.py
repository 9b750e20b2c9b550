"""Segments that people drew in ELAN (.eaf) or Praat (.TextGrid), or a diariser wrote (.rttm), as records of a table."""

from __future__ import annotations

import codecs
import fnmatch
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from xlser.corpora.globbing import AUDIO_SUFFIXES
from xlser.corpora.words import guess_emotion
from xlser.errors import CorpusError
from xlser.machine import loading, pass_on_machine

ANNOTATIONS = (".eaf", ".textgrid", ".rttm")
_BINARY = b"ooBinaryFile"
_EXPONENT = re.compile(r"(?m)(?<![\d.])(\d+(?:\.\d*)?[eE][-+]?\d+)(\s*)$")


class Tier(NamedTuple):
    """A row of annotations: its name, who speaks in it (empty where it does not say), and start, end, text of each."""

    name: str
    speaker: str
    segments: list[tuple[float, float, str]]

    @property
    def emotional(self) -> bool:
        """Whether most of what is written in it are words for emotions."""
        words = [text for _, _, text in self.segments if text]
        sure = [word for word in words if (guess := guess_emotion(word)) and guess.sure]
        return len(sure) > len(words) / 2


def annotation_records(
    path: Path, wanted: str | None, encoding: str | None
) -> tuple[list[dict[str, Any]], list[str], list[str]]:
    """Return the segments of a file as records of path, start_s and end_s in seconds, speaker and emotion or text.

    Where tiers hold emotion words, these alone are read; several of them must be told apart by who speaks, or be
    ``wanted``. Otherwise every tier is read, as segments without label. Empty segments are passed over.

    Args:
        path: of an .eaf, .TextGrid or .rttm file.
        wanted: names of tiers, separated by commas; ``*`` and ``?`` stand for letters.
        encoding: of a TextGrid that is neither UTF-8 nor UTF-16.

    Returns:
        Records, their headers, and notes.

    Raises:
        CorpusError: it cannot be read, has an inner DOCTYPE, no tier that is wanted, or several of emotions.
    """
    suffix = path.suffix.lower()
    try:
        if suffix == ".rttm":
            return _rttm(path, encoding)
        media, tiers = _eaf(path) if suffix == ".eaf" else (_beside(path), _textgrid(path, encoding))
    except CorpusError:
        raise
    except Exception as error:  # pympi says what is wrong in exceptions of every kind
        pass_on_machine(error, f"reading {path}")
        raise CorpusError(f"cannot read {path}: {type(error).__name__} {' '.join(str(error).split())}") from error
    chosen, notes = _chosen(path, [tier for tier in tiers if any(text for _, _, text in tier.segments)], wanted)
    labelled = bool(wanted) or any(tier.emotional for tier in chosen)
    # Tiers of people, then: what they are called is who speaks.
    several = len(chosen) > 1 or (chosen and chosen[0].emotional and sum(tier.emotional for tier in tiers) > 1)
    records = [
        {"path": media, "start_s": start, "end_s": end, "speaker": tier.speaker or (tier.name if several else None)}
        | {"emotion" if labelled else "text": text}
        for tier in chosen
        for start, end, text in tier.segments
        if text
    ]
    return records, ["path", "start_s", "end_s", "speaker", "emotion" if labelled else "text"], notes


def _chosen(path: Path, tiers: Sequence[Tier], wanted: str | None) -> tuple[list[Tier], list[str]]:
    names = ", ".join(repr(tier.name) for tier in tiers) or "none"
    if wanted:
        patterns = [name.strip() for name in wanted.split(",")]
        chosen = [tier for tier in tiers if any(fnmatch.fnmatchcase(tier.name, pattern) for pattern in patterns)]
        if not chosen:
            raise CorpusError(f"{path} has no tier {wanted!r}; its tiers: {names}. Name them: --tier NAME,NAME")
    else:
        chosen = [tier for tier in tiers if tier.emotional] or list(tiers)
        speakers = {tier.speaker for tier in chosen}
        if len(chosen) > 1 and chosen[0].emotional and (len(speakers) < len(chosen) or "" in speakers):
            named = ", ".join(repr(tier.name) for tier in chosen)
            raise CorpusError(
                f"{path} has several tiers of emotion words: {named}. Are they of several speakers, or raters? Name "
                f"those to read, of one speaker each: --tier {chosen[0].name!r} (several with commas, or a pattern)"
            )
    rest = [tier.name for tier in tiers if tier not in chosen]
    return chosen, [f"tiers not read: {', '.join(map(repr, rest))}"] if rest else []


def _eaf(path: Path) -> tuple[str, list[Tier]]:
    with loading("pympi"):
        from pympi import Eaf

    _refuse_doctype(path)
    read = Eaf(str(path), suppress_version_warning=True)
    tiers = []
    for name in read.get_tier_names():
        timed = [row for row in read.get_annotation_data_for_tier(name) if None not in row[:2]]
        segments = sorted((row[0] / 1000, row[1] / 1000, (row[2] or "").strip()) for row in timed)
        tiers.append(Tier(name, (read.get_parameters_for_tier(name).get("PARTICIPANT") or "").strip(), segments))
    links = [url for media in read.media_descriptors for url in _links(media)]
    sounds = [url for url in links if Path(url).suffix.lower() in AUDIO_SUFFIXES] or links
    there = next((url for url in sounds if (path.parent / url).is_file()), None)
    return there or _same_stem(path) or next(iter(sounds), path.stem), tiers


def _links(media: dict[str, str]) -> list[str]:
    urls = [media.get("RELATIVE_MEDIA_URL"), media.get("MEDIA_URL")]
    return [unquote(re.sub(r"^file:/+(?=[A-Za-z]:)|^file://(?=/)|^file:", "", url)) for url in urls if url]


def _refuse_doctype(path: Path) -> None:
    """Refuse XML with a DOCTYPE, which ELAN never writes: entities in it could grow without end."""
    from xml.parsers import expat

    def refuse(*_: object) -> None:
        raise CorpusError(f"{path} has a DOCTYPE, which no .eaf file needs: take it out")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(path.read_bytes(), True)


def _textgrid(path: Path, encoding: str | None) -> list[Tier]:
    with loading("pympi"):
        from pympi import TextGrid

    data = path.read_bytes()
    if data.startswith(_BINARY):
        return _tiers(TextGrid(str(path)))
    named = encoding or ("utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig")
    try:
        text = data.decode(named)
    except UnicodeError as error:
        raise CorpusError(f"{path} is not {named.removesuffix('-sig')}: {error}; name it: --encoding cp1252") from error
    # The library takes 1e-05 for 5.
    text = _EXPONENT.sub(lambda match: f"{float(match[1]):.12f}{match[2]}", text)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "utf-8").write_text(text, encoding="utf-8")
        return _tiers(TextGrid(str(Path(folder) / "utf-8"), codec="utf-8"))


def _tiers(grid: Any) -> list[Tier]:
    spans = [tier for tier in grid.tiers if tier.tier_type == "IntervalTier"]
    return [Tier(t.name, "", [(a, b, text.strip()) for a, b, text in t.get_all_intervals()]) for t in spans]


def _rttm(path: Path, encoding: str | None) -> tuple[list[dict[str, Any]], list[str], list[str]]:
    try:
        lines = path.read_text(encoding=encoding or "utf-8-sig").splitlines()
    except UnicodeError as error:
        raise CorpusError(f"{path} is not UTF-8: {error}; name its encoding: --encoding cp1252") from error
    cells = [line.split() for line in lines if line.strip() and not line.startswith(";")]
    rows = [row for row in cells if row[0] == "SPEAKER"]
    short = next((row for row in rows if len(row) < 8), None)
    if short or not rows:
        raise CorpusError(f"{path} has no lines SPEAKER file channel start duration ...: {short or cells[:1]}")
    channels = {row[2] for row in rows} != {"1"}
    records = [
        {"path": row[1], "start_s": float(row[3]), "duration_s": float(row[4]), "speaker": row[7]}
        | ({"channel": row[2]} if channels else {})
        for row in rows
    ]
    return records, ["path", "start_s", "duration_s", "speaker", *["channel"] * channels], []


def _beside(path: Path) -> str:
    return _same_stem(path) or path.stem


def _same_stem(path: Path) -> str | None:
    """Return the name of the recording beside a file that has its stem."""
    near = sorted(other.name for other in path.parent.iterdir() if other.stem == path.stem)
    return next((name for name in near if Path(name).suffix.lower() in AUDIO_SUFFIXES), None)

"""A card and a folder in, rows out: one row an utterance, labels as the corpus has them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from xlser.corpora import faults
from xlser.corpora.card import Card
from xlser.corpora.globbing import AUDIO_SUFFIXES, matches_any, nfc, walk
from xlser.corpora.joined import Tables, read_tables
from xlser.corpora.labels import code_of, read_label
from xlser.corpora.namesakes import speaker_of
from xlser.corpora.patterns import fits
from xlser.corpora.segments import Segment
from xlser.errors import CorpusError
from xlser.printable import NOT_UNICODE, is_unicode, printable
from xlser.vocabulary import DIMENSIONS, UNLABELLED

NOT_NAMED = "audio that no `audio` pattern of the card names"
NO_GRAMMAR = "name does not fit the card's grammar"
NO_SPEAKER = "no speaker"
NO_LABEL = "neither label nor rating"
UNKNOWN_LEFT = "ignored by the card: the speaker is unknown"
# Reasons that say nothing of a file itself, but that the card does not mean it.
STRAY = (NOT_NAMED, NO_GRAMMAR)


@dataclass
class Scan:
    """What a folder holds, read through a card.

    ``rows`` are dicts with id, corpus, path (relative POSIX), language, speaker, sex, emotion_raw, emotion, the three
    ``*_raw`` ratings (float or None), text, session and licence, and, where there are any, votes, agreement, secondary
    and partition. A recording whose table has segments of it has a row for each, its
    `xlser.corpora.segments.Segment` as ``segment``; ``named`` says that a table gave the id. ``left_out`` maps a reason
    to relative paths (a segment's with ``#start-end``). ``notes`` are sentences worth telling the user.
    """

    rows: list[dict]
    left_out: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def scan(card: Card, root: str | Path) -> Scan:
    """Apply a card's glob, grammar and tables to the folder ``root``. Reads names and tables, no audio.

    Raises:
        CorpusError: no such folder; nothing in it fits the glob, the grammar or the table (three names are shown); a
            label or a sex that the card does not know, a speaker that cannot be told, a rating that is no number or
            outside its scale (all of a kind at once, with files); two files with one id, or with ids that differ in
            letter case alone.
    """
    root = Path(root).expanduser()
    files, left_out = _candidates(card, root)
    whole = "/" in card.grammar
    tables = read_tables(card, root, files)
    blank = dict.fromkeys(card.fields(), "")
    rows, problems = [], defaultdict(list)
    for path in files:
        found = fits(card.grammar, _subject(path, whole))
        if found is None:
            left_out[NO_GRAMMAR].append(path)
            continue
        fields = blank | found.groupdict("")
        said = tables.of_recording(path, fields)
        if not said:
            lack = NO_LABEL if tables.main.lacks_label(path) else "no row"
            left_out[f"{lack} in {tables.main.path.name}"].append(path)
        for extra, segment in said:
            row = _row(card, path, fields | extra, tables, problems) | _part(card, extra, segment)
            fault = _left_out(card, row)
            if fault:
                left_out[fault].append(f"{path}{segment.text()}" if segment else path)
            else:
                rows.append(row)
    if problems:
        raise CorpusError(faults.does_not_fit(card, root, problems))
    if not rows:
        raise CorpusError(faults.none_usable(card, root, left_out) or _empty(card, root, files, tables))
    _refuse_double_ids(card, rows)
    notes = [*tables.notes(), *faults.speaker_notes(rows, left_out)]
    return Scan(rows, {reason: paths for reason, paths in left_out.items() if paths}, notes)


def _left_out(card: Card, row: dict) -> str:
    """Return why a recording cannot be used, or nothing."""
    if row["speaker"] is None:
        return UNKNOWN_LEFT if card.unknown_speaker == "leave-out" else NO_SPEAKER
    silent = row["emotion"] == UNLABELLED and not row["emotion_raw"] and not row.get("votes")
    return NO_LABEL if silent and all(row[f"{name}_raw"] is None for name in DIMENSIONS) else ""


def _candidates(card: Card, root: Path) -> tuple[list[str], dict[str, list[str]]]:
    if not root.is_dir():
        raise CorpusError(faults.no_folder(card, root))
    left_out: dict[str, list[str]] = defaultdict(list)
    files, others = [], []
    for path in walk(root):
        is_audio = PurePosixPath(path).suffix.lower() in AUDIO_SUFFIXES
        if not is_unicode(path):
            if is_audio or matches_any(path, card.audio):
                left_out[NOT_UNICODE].append(printable(path))
            continue
        ignored = next((rule for rule in card.ignore if matches_any(path, rule.files)), None)
        if ignored:
            left_out[f"ignored by the card: {ignored.reason}"].append(path)
        elif matches_any(path, card.audio):
            files.append(path)
        elif is_audio:
            others.append(path)
    if not files:
        raise CorpusError(faults.no_files(card, root, [*others, *left_out[NOT_UNICODE]]))
    left_out[NOT_NAMED] += others
    return files, left_out


def _subject(path: str, whole: bool) -> str:
    """Return what the grammar is for: the path without suffix, or its last part."""
    stem = nfc(str(PurePosixPath(path).with_suffix("")))
    return stem if whole else stem.rsplit("/", 1)[-1]


def _empty(card: Card, root: Path, files: list[str], tables: Tables) -> str:
    if tables.unlisted:
        return faults.not_listed(card, tables.main, tables.unlisted)
    return faults.nothing_fits(card, root, [_subject(path, "/" in card.grammar) for path in files])


def _row(card: Card, path: str, fields: dict[str, str], tables: Tables, problems: dict) -> dict:
    cells = tables.rated(path, fields)
    ratings = {f"{name}_raw": _rating(card, name, cells, path, problems) for name in DIMENSIONS}
    rated = any(value is not None for value in ratings.values())
    label = read_label(card, fields, path, problems, rated=rated)
    fields = fields | {"emotion": label["emotion_raw"]}
    speaker = _filled(card.speaker, fields)
    speaker = card.same_speaker.get(speaker, speaker)
    speaker = speaker_of(speaker, card.speaker, _subject(path, True), card.unknown_speaker, card.unknown_names)
    fields |= tables.of_speaker(speaker or "")
    row = {
        "id": f"{card.name}/{_subject(path, whole=True)}",
        "corpus": card.name,
        "path": path,
        "language": _language(card, fields, speaker or ""),
        "speaker": speaker,
        "sex": _sex(card, fields, speaker or "", path, problems),
        **label,
        **ratings,
        "text": _filled(card.text, fields),
        "session": _filled(card.session, fields),
        "licence": card.licence,
    }
    partition = _filled(card.partition, fields)
    return row | ({"partition": partition} if partition else {})


def _part(card: Card, extra: dict[str, str], segment: Segment | None) -> dict:
    """Return what tells the segments of one recording apart; nothing where the row is about all of it."""
    named = {"id": f"{card.name}/{extra['id']}", "named": True} if extra.get("id") else {}
    return named if segment is None else named | {"segment": segment}


def _filled(template: str | None, fields: dict[str, str]) -> str | None:
    return (template.format(**fields).strip() or None) if template else None


def _language(card: Card, fields: dict[str, str], speaker: str) -> str:
    told = (tag for tag, pattern in card.speaker_language.items() if fits(pattern, speaker))
    return _filled(card.language, fields) or next(told, card.languages[0])


def _sex(card: Card, fields: dict[str, str], speaker: str, path: str, problems: dict) -> str | None:
    if "sex" in fields and card.sex:
        code = code_of(fields["sex"], card.sex)
        if code and code not in card.sex:
            problems[f"sex {code!r} is not in the card's `sex` table ({', '.join(card.sex)})"].append(path)
        return card.sex.get(code)
    return next((sex for sex, pattern in card.speaker_sex.items() if fits(pattern, speaker)), None)


def _rating(card: Card, name: str, rated: dict[str, str], path: str, problems: dict) -> float | None:
    text = rated.get(f"{name}_raw", "")
    if not text or text.lower() == "nan":
        return None
    low, high = card.dimensions.scale if card.dimensions else (float("-inf"), float("inf"))
    try:
        value = float(text)
    except ValueError:
        comma = " (write decimals with a point)" if "," in text else ""
        problems[f"{name} is not a number{comma}"].append(f"{path} ({text})")
        return None
    if not low <= value <= high:
        problems[f"{name} is outside the card's `dimensions.scale` [{low:g}, {high:g}]"].append(f"{path} ({text})")
    return value


def _refuse_double_ids(card: Card, rows: list[dict]) -> None:
    seen = defaultdict(list)
    for row in rows:
        if "segment" in row:  # its id is made when its recording's rate is known
            continue
        seen[row["id"].casefold()].append(row["path"])
    double = [paths for paths in seen.values() if len(paths) > 1]
    if double:
        raise CorpusError(faults.double_ids(card, double[0], len(double)))

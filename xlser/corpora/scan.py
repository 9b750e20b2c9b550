"""A card and a folder in, rows out: one row an utterance, labels as the corpus has them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from xlser.corpora.card import Card
from xlser.corpora.globbing import AUDIO_SUFFIXES, matches_any, nfc, walk
from xlser.corpora.tables import SideTable, find_table, read_table
from xlser.errors import CorpusError

DIMENSIONS = ("valence", "activation", "dominance")
SHOWN = 3


@dataclass
class Scan:
    """What a folder holds, read through a card.

    ``rows`` are dicts with id, corpus, path (relative POSIX), language, speaker, sex, emotion_raw, emotion, the three
    ``*_raw`` ratings (float or None), text, session and licence. ``left_out`` maps a reason to relative paths.
    ``notes`` are sentences worth telling the user.
    """

    rows: list[dict]
    left_out: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def scan(card: Card, root: str | Path) -> Scan:
    """Apply a card's glob, grammar and tables to the folder ``root``. Reads names and tables, no audio.

    Raises:
        CorpusError: no such folder; nothing in it fits the glob, the grammar or the table (three names are shown); a
            label or a sex that the card does not know, a speaker that cannot be told, a rating that is no number or
            outside its scale (all of a kind at once, with files); two files with one id.
    """
    root = Path(root).expanduser()
    files, left_out = _candidates(card, root)
    grammar = re.compile(card.grammar)
    main, ratings, notes = _tables(card, root)
    rows, problems = [], defaultdict(list)
    for path in files:
        found = grammar.fullmatch(_grammar_subject(card.grammar, path))
        if found is None:
            left_out["name does not fit the card's grammar"].append(path)
            continue
        extra = main.take(path) if main else {}
        if extra is None:
            left_out[f"no row in {main.path.name}"].append(path)
            continue
        fields = {**{k: v or "" for k, v in found.groupdict().items()}, **extra}
        rated = ratings.take(path) if ratings else {k: v for k, v in fields.items() if k.endswith("_raw")}
        rows.append(_row(card, path, fields, rated, problems))
    if not rows:
        unlisted = left_out[f"no row in {main.path.name}"] if main else []
        raise CorpusError(_not_listed(card, main, unlisted) if unlisted else _nothing_fits(card, root, files))
    if problems:
        raise CorpusError(_told(card, root, problems))
    _refuse_double_ids(card, rows)
    notes += _table_notes(main, []) + _table_notes(ratings, rows)
    return Scan(rows, {reason: paths for reason, paths in left_out.items() if paths}, notes)


def _candidates(card: Card, root: Path) -> tuple[list[str], dict[str, list[str]]]:
    if not root.is_dir():
        kind = "is not a folder" if root.exists() else "does not exist"
        raise CorpusError(
            f"corpus {card.name}: {root} {kind}. Give the folder that holds {card.audio[0]!r}: --root DIR, "
            f"or --data-root DIR where DIR/{card.name} is that folder."
        )
    left_out: dict[str, list[str]] = defaultdict(list)
    files, others = [], []
    for path in walk(root):
        ignored = next((rule for rule in card.ignore if matches_any(path, rule.files)), None)
        if ignored:
            left_out[f"ignored by the card: {ignored.reason}"].append(path)
        elif matches_any(path, card.audio):
            files.append(path)
        elif PurePosixPath(path).suffix.lower() in AUDIO_SUFFIXES:
            others.append(path)
    if not files:
        seen = f"It holds audio elsewhere, such as {_some(others)}." if others else "It holds no audio file at all."
        raise CorpusError(
            f"corpus {card.name}: no file below {root} fits {' or '.join(map(repr, card.audio))}. {seen} "
            "Is this the folder that the card means?"
        )
    left_out["audio outside the card's folders"] += others
    return files, left_out


def _grammar_subject(grammar: str, path: str) -> str:
    whole = nfc(str(PurePosixPath(path).with_suffix("")))
    return whole if "/" in grammar else whole.rsplit("/", 1)[-1]


def _tables(card: Card, root: Path) -> tuple[SideTable | None, SideTable | None, list[str]]:
    main = ratings = None
    notes = []
    if card.table:
        path, tried = find_table(card.table.file, root)
        if path is None:
            raise CorpusError(
                f"corpus {card.name}: its table {card.table.file} is missing; looked for {_some(tried, 6)}."
            )
        main = read_table(card.table, path)
    wanted = card.dimensions.table() if card.dimensions else None
    if wanted:
        path, tried = find_table(wanted.file, root)
        if path is None:
            notes.append(
                f"no ratings: {wanted.file} was not found (looked for {_some(tried, 6)}); "
                "valence and activation stay empty"
            )
        else:
            ratings = read_table(wanted, path)
    return main, ratings, notes


def _row(card: Card, path: str, fields: dict[str, str], rated: dict[str, str] | None, problems: dict) -> dict:
    def fill(template: str | None) -> str | None:
        return (template.format(**fields).strip() or None) if template else None

    code = fields["emotion"].strip()
    speaker = fill(card.speaker)
    if code not in card.emotion:
        problems[f"label {code!r} is not in the card's `emotion` table ({', '.join(card.emotion)})"].append(path)
    if speaker is None:
        problems["no speaker: the card's `speaker` template comes out empty"].append(path)
    return {
        "id": f"{card.name}/{nfc(str(PurePosixPath(path).with_suffix('')))}",
        "corpus": card.name,
        "path": path,
        "language": fill(card.language) or card.languages[0],
        "speaker": speaker,
        "sex": _sex(card, fields, speaker or "", path, problems),
        "emotion_raw": code,
        "emotion": card.emotion.get(code),
        **{f"{name}_raw": _rating(card, name, rated or {}, path, problems) for name in DIMENSIONS},
        "text": fill(card.text),
        "session": fill(card.session),
        "licence": card.licence,
    }


def _sex(card: Card, fields: dict[str, str], speaker: str, path: str, problems: dict) -> str | None:
    if "sex" in fields and card.sex:
        code = fields["sex"].strip()
        if code and code not in card.sex:
            problems[f"sex {code!r} is not in the card's `sex` table ({', '.join(card.sex)})"].append(path)
        return card.sex.get(code)
    return next((sex for sex, pattern in card.speaker_sex.items() if re.fullmatch(pattern, speaker)), None)


def _rating(card: Card, name: str, rated: dict[str, str], path: str, problems: dict) -> float | None:
    text = rated.get(f"{name}_raw", "")
    if not text:
        return None
    low, high = card.dimensions.scale if card.dimensions else (float("-inf"), float("inf"))
    try:
        value = float(text)
    except ValueError:
        problems[f"{name} {text!r} is not a number"].append(path)
        return None
    if not low <= value <= high:
        problems[f"{name} {text} is outside the card's scale [{low:g}, {high:g}]"].append(path)
    return value


def _nothing_fits(card: Card, root: Path, files: list[str]) -> str:
    names = [_grammar_subject(card.grammar, path) for path in files]
    return (
        f"corpus {card.name}: the grammar fits none of the {len(files)} files below {root}.\n"
        f"  grammar: {card.grammar}\n  it failed on: {_some(names)}\n"
        "  Correct `grammar` in the card (it must match the whole name, without suffix)."
    )


def _not_listed(card: Card, main: SideTable, paths: list[str]) -> str:
    return (
        f"corpus {card.name}: the table {main.path} has no row for any of the {len(paths)} recordings.\n"
        f"  recordings: {_some(paths)}\n  its keys: {_some(sorted(main.values)) or 'none'}\n"
        "  Correct `table.key` in the card (it names the column that holds the file names)."
    )


def _told(card: Card, root: Path, problems: dict[str, list[str]]) -> str:
    lines = [
        f"  {what}: {len(paths)} file{'s' * (len(paths) > 1)}, such as {_some(paths)}"
        for what, paths in problems.items()
    ]
    return (
        f"corpus {card.name} in {root} does not fit its card:\n"
        + "\n".join(lines)
        + "\n  Correct the card, or name files that do not belong under `ignore` in it."
    )


def _refuse_double_ids(card: Card, rows: list[dict]) -> None:
    counts = Counter(row["id"] for row in rows)
    double = [name for name, n in counts.items() if n > 1]
    if double:
        paths = [row["path"] for row in rows if row["id"] == double[0]]
        raise CorpusError(
            f"corpus {card.name}: {len(double)} ids stand for two files, such as {' and '.join(paths)}. "
            "Name the copies under `ignore` in the card."
        )


def _table_notes(table: SideTable | None, rows: list[dict]) -> list[str]:
    if table is None:
        return []
    notes = []
    if table.empty_rows:
        notes.append(f"{table.path.name}: {table.empty_rows} incomplete row(s) passed over")
    if table.unused:
        notes.append(
            f"{table.path.name}: {len(table.unused)} row(s) without audio, such as {_some(sorted(table.unused))}"
        )
    unrated = [row["path"] for row in rows if all(row[f"{name}_raw"] is None for name in DIMENSIONS)]
    if unrated:
        notes.append(f"{table.path.name}: {len(unrated)} recording(s) without ratings, such as {_some(unrated)}")
    return notes


def _some(items: list, most: int = SHOWN) -> str:
    shown = ", ".join(str(item) for item in items[:most])
    return shown + (f" and {len(items) - most} more" if len(items) > most else "")

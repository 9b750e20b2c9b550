"""The first card of what cannot be read yet: what was seen, and an EDIT where somebody must say more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from xlser.corpora.globbing import suffix_counts, walk
from xlser.data.formats.cells import cell_text
from xlser.data.formats.columns import find_columns
from xlser.data.formats.table_options import TableOptions
from xlser.data.formats.table_text import TABLES, Records
from xlser.data.init_draft import Draft, quoted, some
from xlser.data.init_fields import read_codes
from xlser.data.init_paths import is_recording, likely_column, seen_records
from xlser.printable import one_line

_OPTIONS = {"path": "--audio-column", "emotion": "--emotion-column", "speaker": "--speaker-column"}
_ASKED = {"path": "names the recordings", "emotion": "says the emotion", "speaker": "says who speaks"}


def unfinished_draft(
    source: Path,
    root: Path,
    files: Sequence[str],
    options: TableOptions,
    *,
    head: Callable[[list[str]], str],
    reason: str,
) -> Draft:
    """Return a card that says what was seen, and EDIT where something is missing: `load_card` names these lines.

    Args:
        source: the folder or table that was given.
        root: the corpus folder; ``files`` its recordings.
        options: what the user says of a table.
        head: gives the lines that the card begins with.
        reason: why no card could be made.
    """
    draft = Draft("", [f"{len(files)} recordings below {root}" + (f", such as {files[0]}" if files else "")])
    draft.check.append(f"NOT FINISHED: {reason}")
    tables = [source] if source.is_file() else _tables(root)
    seen = [(table, records) for table in tables if (records := seen_records(table, options)) is not None]
    lines = [f"# {line}" for line in f"Not finished: {reason}".splitlines()]
    lines.append(_audio(files, root))
    if seen:
        lines += _of_table(*seen[0], root, options, draft)
    else:
        draft.missing["emotion"] = []
        lines += [
            *(f"# a recording: {one_line(name)}" for name in files[:5]),
            "# a regular expression for the name without suffix, such as '(?P<speaker>\\w+)_(?P<emotion>\\w+)_\\d+'",
            *_of_folders(files),
            "grammar: EDIT",
            "# ... or, where a table says the emotion, in place of grammar:",
            "# table: {file: labels.csv, key: column of paths, columns: {emotion: its header, speaker: its header}}",
            "emotion: {EDIT: EDIT}  # your label: its canonical name, such as {Wut: anger, Freude: happiness}",
        ]
    lines += [one_line(f"# also seen: {table.name}, columns {', '.join(records.heads)}") for table, records in seen[1:]]
    draft.text = head([]) + "\n".join(lines) + "\n"
    return draft


def _audio(files: Sequence[str], root: Path) -> str:
    if files:
        return f"audio: {quoted(sorted({f'**/*{PurePosixPath(path).suffix.lower()}' for path in files}))}"
    others = suffix_counts(walk(root)) if root.is_dir() else ""
    return one_line(f"audio: EDIT  # no recording was found below {root}; what is there: {others or 'nothing'}")


def _of_folders(files: Sequence[str]) -> list[str]:
    """Return what may be written where the folders of recordings are labels, or people."""
    folders = sorted({PurePosixPath(path).parent.name for path in files if "/" in path})
    if not folders:
        return []
    above = "[^/]+/" * (min(path.count("/") for path in files if "/" in path) - 1)
    return [
        one_line(f"# ... or, where the folders ({some(folders, 4)}) are the emotions: '{above}(?P<emotion>[^/]+)/.+'")
    ]


def _tables(root: Path) -> list[Path]:
    paths = sorted(path for pattern in ("*", "*/*") for path in root.glob(pattern) if path.is_file())
    return [path for path in paths if path.suffix.lower() in TABLES and not path.name.startswith(".")]


def _of_table(path: Path, found: Records, root: Path, options: TableOptions, draft: Draft) -> list[str]:
    """Return the lines of a table: the columns that are known, EDIT for the others, and what each of them holds."""
    heads = find_columns(found.heads, options.columns).heads
    draft.guessed.append(f"{path.name}: {len(found.records)} rows; columns {', '.join(found.heads)}")
    examples = {
        head: list(dict.fromkeys(text for record in found.records[:50] if (text := cell_text(record.get(head)))))
        for head in found.heads
    }
    heads |= {"path": likely} if "path" not in heads and (likely := likely_column(found, "path")) else {}
    for role, asked in _ASKED.items():
        if role not in heads and f"{role}_raw" not in heads:
            draft.missing[role] = list(found.heads)
            names = ", ".join(map(repr, found.heads))
            if likely := likely_column(found, role):
                draft.likely[role] = likely
                names += f" (its cells say {likely!r})"
            draft.check.append(f"which column {asked}? {names}; write it into the card, or say {_OPTIONS[role]} HEADER")
    emotion, speaker = heads.get("emotion_raw", heads.get("emotion")), heads.get("speaker")
    codes = read_codes(examples.get(emotion or "", [])[:20])
    meanings = [f"{quoted(code)}: {guess.emotion if guess else 'EDIT'}" for code, guess in codes.items()]
    resolved = path.resolve()
    inside = resolved.is_relative_to(root.resolve())
    name = resolved.relative_to(root.resolve()).as_posix() if inside else resolved.as_posix()
    # All is known, and yet it cannot be read: its paths are those of no recording.
    known = all(role not in draft.missing for role in ("path", "emotion")) and "EDIT" not in "".join(meanings)
    key, columns = _or_edit(heads.get("path")), f"emotion: {_or_edit(emotion)}, speaker: {_or_edit(speaker)}"
    why = "the column that names the recordings"
    if any(map(is_recording, found.heads)):
        key, why = "EDIT", f"the first line of {path.name} names no columns, and is a recording's: write one above it"
    elif known:
        cell = next(iter(examples[heads["path"]]), "nothing")
        key, why = "EDIT", f"not {quoted(heads['path'])}: its cells, such as {cell}, name no recording below {root}"
    return [
        "grammar: '(?P<file>.+)'",
        "table:",
        f"  file: {quoted(name)}",
        *([f"  separator: {quoted(found.separator)}"] if found.separator else []),
        *([f"  encoding: {quoted(found.encoding)}"] if found.encoding not in (None, "utf-8-sig") else []),
        *(one_line(f"  # column {quoted(head)}: {some(values, 5)}") for head, values in examples.items()),
        f"  key: {key}  # {why}",
        f"  columns: {{{columns}}}  # their headers; leave speaker out, and write `speaker: unknown`, if none says it",
        "emotion: {" + (", ".join(meanings) or "EDIT: EDIT") + "}"
        "  # your label: its canonical name, such as {Wut: anger, Freude: happiness}",
    ]


def _or_edit(head: str | None) -> str:
    return "EDIT" if head is None else quoted(head)

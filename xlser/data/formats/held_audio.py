"""Tables that hold the audio itself: it is written into a folder, and they are tables of paths then."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa

from xlser.corpora.globbing import AUDIO_SUFFIXES
from xlser.data.formats.arrow_types import holds_audio, word
from xlser.data.formats.rows import About, Imported, import_table
from xlser.data.formats.table_options import TableOptions
from xlser.data.formats.table_reader import rows_of
from xlser.data.formats.table_text import Record, Records
from xlser.errors import CorpusError
from xlser.machine import pass_on_machine
from xlser.ownfiles import OwnFiles

_OPENINGS = {b"RIFF": ".wav", b"fLaC": ".flac", b"OggS": ".ogg", b"ID3": ".mp3", b"\xff\xfb": ".mp3", b"FORM": ".aiff"}


@dataclass(frozen=True)
class ArrowTable:
    """A table in Arrow's types: where it is, its schema, the words of numbered labels, its part, and its batches."""

    path: Path
    schema: pa.Schema
    words: Mapping[str, list[str]]
    part: str | None
    batches: Callable[[], Iterable[pa.RecordBatch]]


def import_held(
    tables: list[ArrowTable], source: Path, folder: Path, about: About, options: TableOptions | None = None
) -> Imported:
    """Return the manifest of tables, of which some may hold audio; that is written into ``folder``.

    Of a recording's path only the last name is taken, without anything that is no letter, digit, dot, hyphen or
    underscore; names that come twice are numbered. Rows without audio are left out and counted, unless no row has any:
    then the recordings are where the paths lead, from ``options.root`` or ``source``.

    Raises:
        CorpusError: a table cannot be read or has no column of audio or of labels; another's file has a recording's
            name; see `import_table`.
        XlserError: ``folder`` cannot be written.
    """
    options, names = options or TableOptions(), _Names()
    records: list[Record] = []
    parts: list[str | None] = []
    written: list[bool] = []
    with OwnFiles(folder, batch=True) as own:
        for table in tables:
            for record in _records(table):
                written.append(_written(record, own, names))
                records.append(record)
                parts.append(table.part)
    heads = list(dict.fromkeys(name for table in tables for name in table.schema.names))
    lines = list(range(1, len(records) + 1))
    found = rows_of(source, Records(records, heads, lines), options, ("path",))
    for row, part in zip(found.rows, parts, strict=True):
        row.setdefault("split", part)
    if not any(written):
        base = (options.root or (source if source.is_dir() else source.parent)).expanduser().resolve()
        return import_table(found, base, about, fixed=options.root is not None)
    held = [row for row, there in zip(found.rows, written, strict=True) if there]
    imported = import_table(replace(found, rows=held), folder.expanduser().resolve(), about)
    without = [str(row["path"]) for row, there in zip(found.rows, written, strict=True) if not there]
    if without:
        imported.manifest.left_out["no audio in the table"] = without
    return imported


def _records(table: ArrowTable) -> Iterator[Record]:
    audio = [field.name for field in table.schema if holds_audio(field.type)]
    try:
        for batch in table.batches():
            for record in batch.to_pylist():
                # Of several columns of audio the first counts, under a name that is known.
                sound = {"audio": record.pop(audio[0])} if audio else {}
                rest = {name: word(value, table.words.get(name, [])) for name, value in record.items()}
                yield sound | {name: value for name, value in rest.items() if name not in audio}
    except (OSError, pa.ArrowException) as error:
        pass_on_machine(error, f"reading {table.path}")
        raise CorpusError(f"cannot read {table.path}: {error}") from error


class _Names:
    """Gives every recording a safe file name of its own, without regard to letter case."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def new(self, path: str, data: bytes) -> str:
        last = PurePosixPath(path.replace("\\", "/")).name
        stem, suffix = PurePosixPath(last).stem, PurePosixPath(last).suffix.lower()
        stem = re.sub(r"[^\w.-]+", "_", stem).strip(".")[:150] or "recording"
        suffix = suffix if suffix in AUDIO_SUFFIXES else _suffix(data)
        name, number = stem + suffix, 2
        while name.lower() in self._taken:
            name, number = f"{stem}-{number}{suffix}", number + 1
        self._taken.add(name.lower())
        return name


def _written(record: Record, own: OwnFiles, names: _Names) -> bool:
    """Write a record's recording and put its name in place of its audio; False where there is none."""
    audio: Any = record.get("audio")
    if not isinstance(audio, dict):
        return False
    data, path = audio.get("bytes"), str(audio.get("path") or record.get("id") or record.get("file_id") or "")
    record["audio"] = path
    if not data:
        return False
    name = record["audio"] = names.new(path, data)
    _refuse_anothers(own.folder / name, data, known=name in own.names)
    with own.replacing(name) as temporary:
        temporary.write_bytes(data)
    return True


def _refuse_anothers(path: Path, data: bytes, *, known: bool) -> None:
    """Stop before a recording that somebody put there would get another name."""
    if known or not (path.exists() or path.is_symlink()):
        return
    if path.is_symlink() or not path.is_file() or path.read_bytes() != data:
        raise CorpusError(
            f"{path} is there already, and xlser did not write it: it is left alone. Give another folder for the "
            "recordings (--audio), or move that away."
        )


def _suffix(data: bytes) -> str:
    return next((suffix for opening, suffix in _OPENINGS.items() if data.startswith(opening)), ".wav")

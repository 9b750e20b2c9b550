"""Parquet tables that hold the audio itself, as CAMEO and the Hugging Face hub give them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq

from xlser.atomic import replacing
from xlser.corpora.globbing import AUDIO_SUFFIXES
from xlser.data.formats.columns import roles
from xlser.data.formats.rows import PARTS, About, Imported, Row, import_rows
from xlser.errors import CorpusError
from xlser.machine import pass_on_machine

_OPENINGS = {b"RIFF": ".wav", b"fLaC": ".flac", b"OggS": ".ogg", b"ID3": ".mp3", b"\xff\xfb": ".mp3", b"FORM": ".aiff"}
_AT_ONCE = 64


def read_parquet(source: str | Path, folder: str | Path, about: About) -> Imported:
    """Read one Parquet file or a folder of them, and write the recordings that they hold into ``folder``.

    The audio column is a struct of ``bytes`` and ``path``. Of the path only the last name is taken, without anything
    that is no letter, digit, dot, hyphen or underscore; names that come twice are numbered. Numbers of a label column
    are read by the names that `datasets` stores in the schema. File names such as ``train-00000-of-00002.parquet`` give
    the part. Rows without bytes are left out and counted.

    Raises:
        CorpusError: no Parquet file, one that cannot be read or has no such columns; see `import_rows`.
        XlserError: ``folder`` cannot be written.
    """
    source, folder = Path(source).expanduser(), Path(folder).expanduser().resolve()
    files = sorted(source.rglob("*.parquet")) if source.is_dir() else [source]
    if not files:
        raise CorpusError(f"{source} holds no .parquet file")
    rows: list[Row] = []
    names = _Names()
    left_out: dict[str, list[str]] = {}
    for path in files:
        part = re.split(r"[-_.]", path.name.lower())[0]
        for row in _rows(path):
            row.setdefault("split", part if part in PARTS else None)
            if _written(row, folder, names):
                rows.append(row)
            else:
                left_out.setdefault("no audio in the table", []).append(str(row["path"]))
    return import_rows(rows, folder, about, left_out)


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


def _rows(path: Path) -> Iterator[Row]:
    try:
        table = pq.ParquetFile(path)
        named = _named(table.schema_arrow, path)
        words = _class_names(table.schema_arrow).get(named["emotion"], [])
        for batch in table.iter_batches(_AT_ONCE, columns=list(named.values())):
            for record in batch.to_pylist():
                row = {role: record[column] for role, column in named.items()}
                yield row | {"emotion": _word(row["emotion"], words)}
    except (OSError, pa.ArrowException) as error:
        pass_on_machine(error, f"reading {path}")
        raise CorpusError(f"cannot read {path}: {error}") from error


def _named(schema: pa.Schema, path: Path) -> dict[str, str]:
    structs = [field.name for field in schema if _holds_audio(field.type)]
    named = roles([name for name in schema.names if name not in structs])
    if not structs or "emotion" not in named:
        what = "column of audio (a struct of bytes and path)" if not structs else "column of emotions"
        raise CorpusError(f"{path} has no {what}; its columns: {', '.join(schema.names)}")
    return named | {"path": structs[0]}


def _holds_audio(kind: pa.DataType) -> bool:
    return pa.types.is_struct(kind) and {"bytes", "path"} <= {kind.field(i).name for i in range(kind.num_fields)}


def _class_names(schema: pa.Schema) -> dict[str, list[str]]:
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return {name: feature["names"] for name, feature in features.items() if "names" in feature}
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def _word(label: object, words: list[str]) -> object:
    return words[label] if isinstance(label, int) and 0 <= label < len(words) else label


def _written(row: Row, folder: Path, names: _Names) -> bool:
    """Write a row's recording and put its name in place of its audio; False where there is none."""
    audio = row["path"] if isinstance(row["path"], dict) else {}
    data, path = audio.get("bytes"), str(audio.get("path") or row.get("id") or "")
    row["path"] = path
    if not data:
        return False
    row["path"] = names.new(path, data)
    with replacing(folder / str(row["path"])) as temporary:
        temporary.write_bytes(data)
    return True


def _suffix(data: bytes) -> str:
    return next((suffix for opening, suffix in _OPENINGS.items() if data.startswith(opening)), ".wav")

"""The manifest: a table with one row an utterance and a schema that is checked when it is read back."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from typing_extensions import TypedDict

from xlser.atomic import replacing
from xlser.corpora.card import Card
from xlser.corpora.faults import some
from xlser.corpora.scan import scan
from xlser.csvcells import exact_frame, write_frame
from xlser.data.audio import AudioFault, AudioInfo, PassingFault
from xlser.data.channel_rows import with_channels
from xlser.data.headers import read_headers
from xlser.data.placing import place_rows
from xlser.data.scales import to_unit
from xlser.data.scan_index import ScanIndex
from xlser.errors import CorpusError, brief, did_you_mean
from xlser.fileformats import VERSIONS, check_version
from xlser.filenames import path_part
from xlser.jsonfile import parse_json
from xlser.machine import check_opens, many_alike, pass_on_machine
from xlser.typedtable import Text, Texts, check_types, typed
from xlser.vocabulary import DIMENSIONS

REQUIRED = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("corpus", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("start", pa.float64(), nullable=False),
        pa.field("end", pa.float64(), nullable=False),
        pa.field("duration", pa.float64(), nullable=False),
        pa.field("sample_rate", pa.int64(), nullable=False),
        pa.field("channels", pa.int64(), nullable=False),
        pa.field("language", pa.string(), nullable=False),
        pa.field("speaker", pa.string(), nullable=False),
        pa.field("sex", pa.string()),
        pa.field("emotion_raw", pa.string(), nullable=False),
        pa.field("emotion", pa.string(), nullable=False),
    ]
)
# What manifests of schema 1 do not have: such a file is read with these empty.
ADDED = (
    pa.field("channel", pa.float64()),
    pa.field("partition", pa.string()),
    pa.field("votes", pa.string()),
    pa.field("agreement", pa.float64()),
    pa.field("secondary", pa.string()),
    pa.field("file_duration", pa.float64()),
)
SCHEMA = pa.schema(
    [
        *REQUIRED,
        *[pa.field(f"{name}_raw", pa.float64()) for name in DIMENSIONS],
        *[pa.field(name, pa.float64()) for name in DIMENSIONS],
        pa.field("text", pa.string()),
        pa.field("session", pa.string()),
        pa.field("licence", pa.string(), nullable=False),
        *ADDED,
    ]
)


@dataclass
class Manifest:
    """One corpus as a table.

    ``frame`` has the columns of `SCHEMA`: times in seconds, rates in Hz, ``*_raw`` on the corpus's own scale and the
    same without ``_raw`` on [-1, 1]. ``channel`` counts from 1 and is empty where channels are mixed; ``partition`` is
    the corpus's own name for a part of its official split; ``votes`` are raters by canonical emotion, as JSON such as
    ``{"anger": 2, "neutral": 1}``, ``agreement`` the share of them that the label has, ``secondary`` further emotions,
    separated by commas. ``file_duration`` is how long the whole recording is that a row is a segment of, and empty
    where a row is all of it. An utterance without a label has the emotion ``unlabelled`` and an empty ``emotion_raw``.

    ``left_out`` maps a reason to the relative paths it kept out. Several put together have ``roots``: the folder of
    each by the name that its paths begin with. ``facts`` are what a dataset wrote of itself (see
    `xlser.data.dataset.Dataset.write`).
    """

    frame: pd.DataFrame
    root: Path
    card: str
    card_hash: str
    synthetic: bool = False
    left_out: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    roots: dict[str, Path] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a name that cannot be a file's: weights, cells and tables of a corpus are called by it."""
        for name in (self.card, *self.roots):
            path_part(name, "the name of a dataset", CorpusError)

    def file(self, path: str) -> Path:
        """Return the audio file of a row's path."""
        name, _, below = path.partition("/")
        return self.roots[name] / below if self.roots else self.root / path

    def files(self) -> list[Path]:
        """Return the audio file of each row."""
        return [self.file(path) for path in self.frame["path"]]

    def left_out_counts(self) -> dict[str, int]:
        """Return how many files each reason kept out."""
        return {reason: len(paths) for reason, paths in self.left_out.items()}


def build_manifest(
    card: Card, root: str | Path, *, strict: bool = False, jobs: int = 4, cache: str | Path | None = None
) -> Manifest:
    """Scan a corpus folder and read every audio header.

    Files that cannot be used (not audio, empty, cut short) are left out and named with the reason; with ``strict`` the
    first one stops. With a ``cache`` folder only the headers of files that changed since the last time are read, and
    nothing at all where nothing changed (see `xlser.data.scan_index`).

    Raises:
        CorpusError: see `xlser.corpora.scan.scan`; a file that cannot be used if ``strict``; or none that can be.
    """
    root = Path(root).expanduser().resolve()
    index = ScanIndex(card, root, cache) if cache else None
    if index and not strict and (kept := _recalled(index.manifest_path)):
        return kept
    manifest = _build(card, root, strict, jobs, index)
    if index and index.settled:
        with index.remembering():
            write_manifest(manifest, index.manifest_path)
            index.forget_others()
    return manifest


def _build(card: Card, root: Path, strict: bool, jobs: int, index: ScanIndex | None) -> Manifest:
    found = scan(card, root)
    headers = read_headers(root, (row["path"] for row in found.rows), jobs, index)
    left_out = {reason: list(paths) for reason, paths in found.left_out.items()}
    for path, info in headers.items():
        if isinstance(info, AudioFault):
            if strict:
                raise CorpusError(f"corpus {card.name}: {root / path}: {info} (stopped because of --strict)")
            left_out.setdefault(str(info).partition(":")[0].partition(" (")[0], []).append(path)
    usable = {path: info for path, info in headers.items() if isinstance(info, AudioInfo)}
    if not usable:
        raise CorpusError(
            f"corpus {card.name}: none of the {len(headers)} files in {root} can be read as audio: "
            f"{Counter(map(str, headers.values())).most_common(1)[0][0]}."
            f"{many_alike({path: str(fault) for path, fault in headers.items()})}"
        )
    if index and any(isinstance(info, PassingFault) for info in headers.values()):
        index.settled = False  # what cannot be opened today may be opened tomorrow, and has the same stamp then
    rows, outside, notes = place_rows([row for row in found.rows if row["path"] in usable], usable, card.name)
    if not rows or (strict and outside):
        why = "stopped because of --strict" if rows else "no segment can be used"
        named = "; ".join(f"{len(parts)} {reason}: {some(parts)}" for reason, parts in outside.items())
        raise CorpusError(f"corpus {card.name} in {root}: {why}: {named}")
    rows, lacking = with_channels(rows, card)
    if not rows:
        reason, paths = next(iter(lacking.items()))
        raise CorpusError(f"corpus {card.name}: {reason} in any of its {len(paths)} recordings: correct `channel`")
    left_out |= outside | lacking
    return Manifest(_frame(rows, card), root, card.name, card.hash, card.synthetic, left_out, [*found.notes, *notes])


@typed
class ManifestAbout(TypedDict, total=False):
    """What a manifest as Parquet keeps beside its table."""

    card: Text
    card_hash: Text
    synthetic: bool
    left_out: dict[str, Texts]
    notes: Texts
    facts: dict[str, Any]
    root: Text
    roots: dict[str, Text]
    schema: Any


def write_manifest(manifest: Manifest, path: str | Path) -> None:
    """Write Parquet, or CSV if ``path`` ends in .csv, in one step. Parquet alone keeps root, card and left_out."""
    path = Path(path)
    with replacing(path, durable=True) as temporary:
        if path.suffix == ".csv":
            write_frame(manifest.frame, temporary)
        else:
            about = {
                key: getattr(manifest, key) for key in ("card", "card_hash", "synthetic", "left_out", "notes", "facts")
            }
            about |= {"root": str(manifest.root), "schema": VERSIONS["manifest"]}
            if manifest.roots:
                about["roots"] = {name: str(root) for name, root in manifest.roots.items()}
            schema = SCHEMA.with_metadata({"xlser": json.dumps(about)})
            pq.write_table(pa.Table.from_pandas(manifest.frame, schema=schema, preserve_index=False), temporary)


def read_manifest(path: str | Path) -> Manifest:
    """Read a manifest written by `write_manifest` and check its schema.

    Raises:
        CorpusError: the file is missing or is no table; a column is missing or of another type; a value that must be
            there is missing; an id stands twice. All that is wrong is named at once.
    """
    path = Path(path)
    try:
        check_opens(path)
        if path.suffix == ".csv":
            table, about = _read_csv(path), {}
        else:
            table = pq.read_table(path)
            about = parse_json((table.schema.metadata or {}).get(b"xlser", b"{}"))
    except (OSError, pa.ArrowInvalid, ValueError) as error:
        pass_on_machine(error, f"reading manifest {path}")
        raise CorpusError(f"cannot read manifest {path}: {brief(error)}") from error
    check_types(ManifestAbout, about, path, "Make it again: xlser corpora prepare.", error=CorpusError)
    about = {key: about[key] for key in ManifestAbout.__annotations__ if key in about}
    schema = about.pop("schema", None)
    if schema in (None, 1):
        table = _with_added(table)
    else:
        check_version("manifest", schema, path, "make it again: xlser corpora prepare", error=CorpusError)
    _check(table, path)
    frame = table.select(SCHEMA.names).cast(SCHEMA).to_pandas()
    path_part(about.get("card", frame["corpus"].iloc[0]), f"the name of the corpus in {path}", CorpusError)
    about["roots"] = {name: Path(root) for name, root in about.get("roots", {}).items()}
    return Manifest(
        _tidy(frame),
        Path(about.pop("root", path.parent)),
        about.pop("card", frame["corpus"].iloc[0]),
        about.pop("card_hash", ""),
        **about,
    )


def _with_added(table: pa.Table) -> pa.Table:
    """Return a table of schema 1, or one that somebody wrote by hand, with the columns that it may lack."""
    for column in ADDED:
        if column.name not in table.column_names:
            table = table.append_column(column, pa.nulls(len(table), column.type))
    return table


def _recalled(path: Path) -> Manifest | None:
    try:
        return read_manifest(path) if path.exists() else None
    except CorpusError:
        return None


def _frame(rows: list[dict], card: Card) -> pd.DataFrame:
    frame = pd.DataFrame(rows)
    for name in DIMENSIONS:
        raw = frame[f"{name}_raw"].astype(float)
        frame[f"{name}_raw"] = raw
        frame[name] = to_unit(raw.to_numpy(), card.dimensions.scale) if card.dimensions else np.nan
    return _tidy(frame.reindex(columns=SCHEMA.names))


def _tidy(frame: pd.DataFrame) -> pd.DataFrame:
    """Give text columns one kind of missing value, whatever pandas version read them."""
    texts = [field.name for field in SCHEMA if pa.types.is_string(field.type)]
    frame[texts] = frame[texts].astype(object).where(frame[texts].notna(), None)
    return frame


def _read_csv(path: Path) -> pa.Table:
    texts = {field.name: str for field in SCHEMA if pa.types.is_string(field.type)}
    # An utterance without a label has an empty raw one, which is there.
    empty = {name: [""] for name in SCHEMA.names if name != "emotion_raw"}
    frame = pd.read_csv(path, dtype=texts, keep_default_na=False, na_values=empty)
    return pa.Table.from_pandas(exact_frame(frame), preserve_index=False)


def _check(table: pa.Table, path: Path) -> None:
    problems = []
    for want in SCHEMA:
        if want.name not in table.column_names:
            problems.append(f"column {want.name!r} is missing; {did_you_mean(want.name, table.column_names)}")
        elif not want.nullable and table[want.name].null_count:
            problems.append(f"column {want.name!r} has {table[want.name].null_count} empty cells")
        elif not _fits(table[want.name].type, want.type):
            problems.append(f"column {want.name!r} must be {want.type}, but is {table[want.name].type} instead")
    if "id" in table.column_names and len(set(table["id"].to_pylist())) < len(table):
        problems.append("column 'id' has values that stand twice")
    if len(table) == 0:
        problems.append("it has no rows")
    if problems:
        raise CorpusError(f"manifest {path} does not fit the schema:\n  " + "\n  ".join(problems))


def _fits(have: pa.DataType, want: pa.DataType) -> bool:
    if pa.types.is_null(have):
        return True
    if pa.types.is_floating(want):
        return pa.types.is_floating(have) or pa.types.is_integer(have)
    if pa.types.is_string(want):
        return pa.types.is_string(have) or pa.types.is_large_string(have)
    return have == want

"""An audformat database as a manifest."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from xlser.data.formats.columns import roles
from xlser.data.formats.rows import About, Imported, Row, import_rows
from xlser.errors import CorpusError
from xlser.filenames import as_file_name, path_part
from xlser.machine import pass_on_machine
from xlser.vocabulary import DIMENSIONS
from xlser.yamlfile import check_bounds

_SPLITS = {"train": "train", "dev": "validation", "test": "test"}
Key = tuple[str, pd.Timedelta, pd.Timedelta]


def read_audformat(folder: str | Path, about: About | None = None, *, tables: list[str] | None = None) -> Imported:
    """Read the audformat database in ``folder`` (db.yaml beside db.*.csv or db.*.parquet).

    Columns are known by their own name or their scheme's (emotion, speaker, arousal ...). The rows are those of all
    tables with a column of emotions, or of ``tables``; where one recording has two labels, the first table's counts and
    a note says so. Other columns are found by segment, then by file, and a speaker's sex in the misc table. A NaT end
    is the end of the file. Labels outside their scheme are no labels. The scale is the rating scheme's minimum and
    maximum.

    No pickle is read and no YAML tag runs code, unlike in audformat itself.

    Raises:
        CorpusError: no database, one that audformat cannot read or that has pickled tables only, no table with
            emotions; see `import_rows`.
    """
    folder = Path(folder).expanduser().resolve()
    database = _load(folder)
    chosen = _emotion_tables(database, folder, tables)
    about = _about(database, about)
    rows: dict[Key, Row] = {}
    twice = 0
    for name in chosen:
        for key, row in _rows(database, name).items():
            twice += rows.setdefault(key, row)["emotion"] != row["emotion"]
    _complete(database, rows)
    imported = import_rows(list(rows.values()), folder, about, units={"start": "seconds", "end": "seconds"})
    if twice:
        imported.manifest.notes.append(f"{twice} recordings have another label in another table: the first one counts")
    return imported


def database_name(folder: str | Path) -> str:
    """Return the name that an audformat database gives itself, as far as it can be a file's.

    Raises:
        CorpusError: there is none in ``folder``.
    """
    return as_file_name(str(_header(Path(folder).expanduser())["name"]), "mine")


def _header(folder: Path) -> dict:
    try:
        text = (folder / "db.yaml").read_text(encoding="utf-8")
        check_bounds(text)
        header = yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError) as error:
        pass_on_machine(error, f"reading {folder}")
        raise CorpusError(f"no audformat database in {folder}: {' '.join(str(error).split())}") from error
    if not isinstance(header, dict) or "name" not in header:
        raise CorpusError(f"no audformat database in {folder}: db.yaml names no database")
    return header


def _load(folder: Path) -> Any:
    import audformat

    header = _header(folder)
    names = [name for key in ("tables", "misc_tables") for name in header.get(key) or {}]
    # A folder of its own, where audformat finds neither a pickle nor YAML that is more than data.
    with tempfile.TemporaryDirectory() as plain:
        (Path(plain) / "db.yaml").write_text(yaml.safe_dump(header, sort_keys=False), encoding="utf-8")
        for name in names:
            _mirror(folder, str(name), Path(plain))
        try:
            return audformat.Database.load(plain, load_data=True)
        except Exception as error:  # audformat says what is wrong in exceptions of every kind
            raise CorpusError(f"audformat cannot read {folder}: {' '.join(str(error).split())}") from error


def _mirror(folder: Path, name: str, plain: Path) -> None:
    path_part(name, f"a table's name in {folder / 'db.yaml'}", CorpusError)
    found = [folder / f"db.{name}.{suffix}" for suffix in ("parquet", "csv")]
    found = [path for path in found if path.is_file()]
    if not found:
        pickled = (folder / f"db.{name}.pkl").is_file()
        why = "is there as a pickle only, which could run code: save it as CSV or Parquet" if pickled else "is missing"
        raise CorpusError(f"table {name!r} of the audformat database in {folder} {why}")
    (plain / found[0].name).symlink_to(found[0])


def _named(database: Any, name: str) -> dict[str, str]:
    """Return ``{role: column}`` of a table, by the columns' names and then by their schemes'."""
    columns = database[name].columns
    by_scheme = roles([column.scheme_id for column in columns.values() if column.scheme_id])
    schemes = {column.scheme_id: own for own, column in reversed(columns.items())}
    return {role: schemes[scheme] for role, scheme in by_scheme.items()} | roles(columns)


def _emotion_tables(database: Any, folder: Path, tables: list[str] | None) -> list[str]:
    missing = sorted(set(tables or ()) - set(database.tables))
    if missing:
        raise CorpusError(f"{folder} has no table {missing[0]!r}; it has {', '.join(database.tables)}")
    named = [name for name in tables or database.tables if _named(database, name).keys() & {"emotion", "emotion_raw"}]
    if not named:
        known = ", ".join(database.tables) or "none"
        raise CorpusError(f"no table of {folder} has a column of emotions; tables: {known}")
    return named


def _about(database: Any, about: About | None) -> About:
    about = about or About(name=as_file_name(str(database.name), "mine"))
    languages = database.languages or [None]
    schemes = roles(database.schemes)
    rated = [database.schemes[schemes[name]] for name in DIMENSIONS if name in schemes]
    bounds = [(s.minimum, s.maximum) for s in rated if s.minimum is not None and s.maximum is not None]
    licence = about.licence if about.licence != "unknown" else database.license or "unknown"
    language = about.language or (languages[0] if len(languages) == 1 else None)
    return replace(about, language=language, licence=str(licence), scale=about.scale or (bounds or [None])[0])


def _rows(database: Any, name: str) -> dict[Key, Row]:
    table, named = database[name], _named(database, name)
    frame = _segmented(table.get())
    split = database.splits[table.split_id].type if table.split_id else None
    rows = {}
    for key, record in zip(frame.index, frame.to_dict("records"), strict=True):
        row: Row = {role: record[column] for role, column in named.items()}
        part = {"split": _SPLITS.get(str(split), split), "partition": table.split_id}
        rows[key] = row | {"path": key[0], "start": key[1], "end": key[2]} | part
    return rows


def _segmented(frame: pd.DataFrame) -> pd.DataFrame:
    import audformat

    return frame.set_axis(audformat.utils.to_segmented_index(frame.index))


def _complete(database: Any, rows: dict[Key, Row]) -> None:
    """Add to the rows what other tables say of their segment or, failing that, of their file."""
    for name in database.tables:
        others = {role: c for role, c in _named(database, name).items() if not role.startswith(("emotion", "path"))}
        frame = _segmented(database[name].get())
        for role, column in others.items():
            told = frame[column].dropna().to_dict()
            by_file = {file: value for (file, _, end), value in told.items() if end is pd.NaT}
            for key, row in rows.items():
                if pd.isna(row.get(role)):
                    row[role] = told.get(key, by_file.get(key[0]))
    _add_sex(database, rows)


def _add_sex(database: Any, rows: dict[Key, Row]) -> None:
    for table in (database.misc_tables[name] for name in database.misc_tables):
        named = roles(table.columns)
        if roles(table.levels).get("speaker") and "sex" in named:
            sexes = table.get()[named["sex"]].to_dict()
            for row in rows.values():
                row["sex"] = row.get("sex") if pd.notna(row.get("sex")) else sexes.get(row.get("speaker"))

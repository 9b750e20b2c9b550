"""Labelled recordings of a target, as a user lists them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd

from xlser.data.formats.about import About
from xlser.data.formats.cells import cell_text
from xlser.data.formats.table_reader import read_rows
from xlser.errors import CorpusError


def read_shots(path: str | Path, root: Path) -> pd.DataFrame:
    """Return the labelled recordings of a table: ``file``, absolute where it is there, and ``emotion``.

    Args:
        path: of the table.
        root: the folder of the target's recordings: paths start from it, or from the table's own, or the current one.

    Raises:
        CorpusError: no such table, no column of files or labels, or labels that nobody can read.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise CorpusError(f"--few-shot must be a table with columns of files and emotions, but {path} is not there.")
    table = read_rows(path, needed=("path", "emotion"))
    cells = [(cell_text(row.get("path")), cell_text(row.get("emotion"))) for row in table.rows]
    pairs = [(file, raw) for file, raw in cells if file and raw]
    if not pairs:
        raise CorpusError(f"--few-shot: {path} must hold at least a labelled recording, but holds none.")
    about = About("few-shot", how_to_map="use xlser's own names, such as anger")
    means, _ = about.meanings(Counter(raw for _, raw in pairs), {})
    return pd.DataFrame([{"file": str(_placed(file, path.parent, root)), "emotion": means[raw]} for file, raw in pairs])


def _placed(file: str, *folders: Path) -> Path:
    places = [folder / Path(file).expanduser() for folder in (*folders, Path.cwd())]
    return next((place.resolve() for place in places if place.is_file()), Path(file))

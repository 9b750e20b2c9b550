"""Read what a bench left behind."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from xlser.evaluation.results_file import kind_of, read_table


def is_bench(folder: str | Path) -> bool:
    """Say whether a folder is that of a bench, finished or not.

    >>> is_bench("nowhere")
    False
    """
    return kind_of(folder) == "bench"


def load_bench(folder: str | Path, tables: Iterable[str] | None = None) -> dict[str, Any]:
    """Read ``results.json`` of a bench, of which these tables are used: all unless they are named.

    Raises:
        RunError: see `xlser.evaluation.results_file.read_table`.
    """
    return read_table(folder, "bench", tables)

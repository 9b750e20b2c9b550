"""Finding a manifest's rows by the paths that another toolkit knows them by."""

from __future__ import annotations

from collections import defaultdict
from pathlib import PurePosixPath

import pandas as pd

from xlser.corpora.globbing import nfc
from xlser.corpora.tables import row_key


class Places:
    """A manifest's rows by file name, by the folders above it and by their start.

    ``unknown`` collects the paths that were asked for in vain.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self.emotion = dict(zip(frame["id"], frame["emotion"], strict=True))
        self.by_stem: dict[str, list[tuple[str, tuple[str, ...], float]]] = defaultdict(list)
        for row_id, path, start in zip(frame["id"], frame["path"], frame["start"], strict=True):
            self.by_stem[row_key(path)].append((row_id, _folders(path), start))
        self.unknown: list[str] = []

    def find(self, record: dict) -> str | None:
        """Return the id of a record's recording, or None where there is none or none that is the nearest."""
        path = record["wav"]
        start = float(record.get("start_time") or 0)
        known = [(_common(folders, _folders(path)), row_id) for row_id, folders, begins in self._near(path, start)]
        best = [row_id for common, row_id in known if common == max(known)[0]]
        if len(best) != 1:
            self.unknown.append(path)
        return best[0] if len(best) == 1 else None

    def ids(self, records: list[dict]) -> list[str]:
        """Return the ids of the records that are found."""
        return [row_id for record in records if (row_id := self.find(record))]

    def _near(self, path: str, start: float) -> list[tuple[str, tuple[str, ...], float]]:
        rows = self.by_stem.get(row_key(path), [])
        return [row for row in rows if abs(row[2] - start) < 0.05] if len(rows) > 1 else rows


def _folders(path: str) -> tuple[str, ...]:
    return tuple(part.lower() for part in PurePosixPath(nfc(path.replace("\\", "/"))).parts[:-1])


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """Return how many folders two paths share, counted from the file upwards."""
    pairs = list(zip(reversed(one), reversed(other), strict=False))
    return next((n for n, (a, b) in enumerate(pairs) if a != b), len(pairs))

"""What a search has scored, kept on disk: one that was stopped goes on from there, and ends with the same."""

from __future__ import annotations

import json
import math
from pathlib import Path

from xlser.evaluation.best_schema import TrialRow
from xlser.evaluation.results_file import plain
from xlser.fileformats import VERSIONS
from xlser.jsonfile import parse_json
from xlser.oddfiles import read_file
from xlser.typedtable import is_typed

TRIALS = "tried.jsonl"
Scores = dict[str, float]


class Trials:
    """Scores of candidates by their names, a line each, with the seconds of search that had gone by.

    What was scored under another schema counts for nothing. That corpora and checkpoint are the same is for the
    folder's owner to see.

    Attributes:
        before: seconds of search that had gone by when it was stopped.

    Args:
        path: of the file, which need not be there; None keeps nothing.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Read what is there."""
        self._path = path
        self._known: dict[str, tuple[Scores, float]] = {}
        self.before = 0.0
        for line in _lines(path):
            try:
                row = parse_json(line)
            except ValueError:  # the last one, which a kill cut short
                continue
            if is_typed(TrialRow, row) and row["schema"] == VERSIONS["trials"]:
                scores = {name: math.nan if score is None else score for name, score in row["validated"].items()}
                self._known[row["candidate"]] = (scores, row["seconds"])
                self.before = max(self.before, row["used"])

    def get(self, name: str) -> tuple[Scores, float] | None:
        """Return a candidate's scores and the seconds that they took; None where it was not scored."""
        return self._known.get(name)

    def put(self, name: str, scores: Scores, seconds: float, used: float) -> None:
        """Keep a candidate's scores; ``used`` are the seconds of search that have gone by, in this process and before.

        Raises:
            OSError: the file cannot be written.
        """
        if self._path is None or name in self._known:
            return
        self._known[name] = (scores, seconds)
        row = {
            "schema": VERSIONS["trials"],
            "candidate": name,
            "validated": plain(scores),
            "seconds": seconds,
            "used": used,
        }
        with self._path.open("a", encoding="utf-8") as file:
            if file.tell() and not _ends_whole(self._path):
                file.write("\n")
            file.write(json.dumps(row) + "\n")


def _lines(path: Path | None) -> list[str]:
    if path is None or not path.is_file():
        return []
    return read_file(path).decode("utf-8", errors="replace").splitlines()


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read() == b"\n"

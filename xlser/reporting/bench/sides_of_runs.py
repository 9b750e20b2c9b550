"""What two runs have in common: corpora and protocols, each run read by what its own source validation chose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlser.errors import RunError
from xlser.evaluation.choice import choose
from xlser.evaluation.results_file import load_results
from xlser.evaluation.run_folder import load_predictions
from xlser.evaluation.verdicts import HELD_OUT, TRANSFER, Verdicts
from xlser.reporting.bench.facts import TARGET, Key, Row
from xlser.reporting.bench.sides import Place, Said, Sides
from xlser.reporting.wording import number, reader_name
from xlser.vocabulary import VALIDATION

NOT_KEPT = "an older xlser did not keep what a run said of each clip"


@dataclass(frozen=True)
class _Run:
    """A run's results, the method and reader that validation chose, its UA by place, and what it said there."""

    folder: Path
    results: dict[str, Any]
    chosen: tuple[str, str]
    rows: dict[Key, Row]
    said: dict[Key, Verdicts]

    @classmethod
    def of(cls, folder: Path) -> _Run:
        results = load_results(folder)
        chosen = _chosen(results)
        rows = [row for row in results["transfer"] if row["metric"] == "UA" and row["role"] != VALIDATION]
        rows = {_key(row): row for row in rows if (row["method"], row["classifier"]) == chosen}
        return cls(folder, results, chosen, rows, said_by_run(folder, *chosen))

    @property
    def recipe(self) -> dict[str, Any]:
        return self.results["about"]["recipe"]

    @property
    def told(self) -> str:
        return (
            f"{self.recipe['name']} on {self.recipe['source']}, {self.chosen[0]} read by {reader_name(self.chosen[1])}"
        )


def of_runs(first: Path, second: Path) -> list[Sides]:
    """Return the corpora and protocols that two runs have in common.

    Raises:
        RunError: a folder holds no finished run, or the runs have nothing in common.
    """
    a, b = _Run.of(first), _Run.of(second)
    places = [_place(key, a, b) for key in a.rows if key in b.rows]
    if not places:
        raise RunError(
            f"{first} and {second} have no corpus and protocol in common, so that nothing can be compared. "
            f"They judged {_judged(a)}, and {_judged(b)}."
        )
    sources = sorted({a.recipe["source"], b.recipe["source"]})
    notes = [f"The runs learnt from different sources: {', '.join(sources)}."] if len(sources) > 1 else []
    return [Sides([f"A: {a.told}", f"B: {b.told}"], places, notes)]


def said_by_run(folder: Path, method: str, classifier: str) -> dict[Key, Verdicts]:
    """Return what a run said of each clip by a method and classifier, by corpus, role and protocol."""
    entries = load_predictions(folder)
    return {_key(entry): Verdicts.of(entry, entry["classes"], method, classifier) for entry in entries}


def _place(key: Key, a: _Run, b: _Run) -> Place:
    family = TRANSFER if key[1] == TARGET else HELD_OUT
    said: tuple[Said, Said] = (a.said.get(key, NOT_KEPT), b.said.get(key, NOT_KEPT))
    return Place(_name(key, a.rows[key]), family, (a.rows[key], b.rows[key]), said)


def _chosen(run: dict[str, Any]) -> tuple[str, str]:
    """Return the method and the reader that a prediction by this run would take."""
    choice = choose(run["transfer"])
    if choice is None:
        raise RunError(
            f"the run of {run['about']['recipe']['name']} holds no score on validation speakers, by which its method "
            "is chosen: it is of an older xlser. Run it again."
        )
    return choice.method, choice.classifier


def _judged(run: _Run) -> str:
    return ", ".join(f"{corpus} ({protocol})" for corpus, _, protocol in run.rows) or "nothing"


def _key(row: Mapping[str, Any]) -> Key:
    return row["corpus"], row["role"], row["protocol"]


def _name(key: Key, row: Row) -> str:
    reading = key[2] if key[1] == TARGET else "held-out"
    mark = " (synthetic)" if row.get("data") == "synthetic" else ""
    return f"{key[0]}, {reading}{mark}, chance {number(row['chance'])}"

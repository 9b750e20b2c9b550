"""Two runs side by side where they judged the same corpora; without shared predictions the comparison is unpaired."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from xlser.errors import RunError
from xlser.reporting.bench.facts import Row
from xlser.reporting.bench.load import is_bench
from xlser.reporting.facts import FEATURES, VALIDATION
from xlser.reporting.load import load_results
from xlser.reporting.wording import bounds, difference, known, number, reader_name, score

Place = tuple[str, str, str]
_KEYS = ("corpus", "role", "protocol")
# Numbers of a place that differ in one of these are not of the same clips and emotions.
_SAME = ("classes", "utterances", "speakers")


def compare_runs(first: str | Path, second: str | Path) -> str:
    """Return a table of the UA of two runs, each read by what its own source validation chose.

    The difference is B less A. Its interval takes the runs as independent; on the same speakers they are not, and it is
    then rather too wide.

    Raises:
        RunError: a folder is no finished run, is a bench, or the runs have no corpus and protocol in common.
    """
    runs = [_load(first), _load(second)]
    chosen = [_chosen(run) for run in runs]
    tables = [_places(run, pair) for run, pair in zip(runs, chosen, strict=True)]
    shared = [place for place in tables[0] if place in tables[1]]
    if not shared:
        raise RunError(
            f"{first} and {second} have no corpus and protocol in common, so that nothing can be compared. "
            f"They judged {_named(tables[0])}, and {_named(tables[1])}."
        )
    lines = [f"{name}: {_about(run, pair)}" for name, run, pair in zip("AB", runs, chosen, strict=True)]
    lines += ["", _row("UA", "A", "B", "B less A")]
    for place in shared:
        a, b = tables[0][place], tables[1][place]
        lines += [_row(_name(place, a), score(a), score(b), _difference(a, b)), *_unlike(a, b)]
    lines += ["", *_caution(runs)]
    return "\n".join(lines).replace("−", "-")


def unpaired(a: Row, b: Row) -> Row:
    """Return B less A, with an interval that takes the two as independent; no interval where one has none.

    >>> row = unpaired({"value": 0.5, "low": 0.47, "high": 0.53}, {"value": 0.6, "low": 0.56, "high": 0.64})
    >>> [round(row[name], 9) for name in ("value", "low", "high")]
    [0.1, 0.05, 0.15]
    """
    if not known(a["value"], b["value"]):
        return {"value": None, "low": None, "high": None}
    value = b["value"] - a["value"]
    if not known(a["low"], a["high"], b["low"], b["high"]):
        return {"value": value, "low": None, "high": None}
    below = math.hypot(b["value"] - b["low"], a["high"] - a["value"])
    above = math.hypot(b["high"] - b["value"], a["value"] - a["low"])
    return {"value": value, "low": value - below, "high": value + above}


def _load(folder: str | Path) -> dict[str, Any]:
    if is_bench(folder):
        raise RunError(
            f"{folder} is a bench, and two runs of `xlser run` are needed. Give both recipes to one `xlser transfer`: "
            "it compares them clip by clip."
        )
    return load_results(folder)


def _chosen(run: dict[str, Any]) -> tuple[str, str]:
    """Return method and reader with the best UA on the source's validation speakers."""
    rows = [row for row in run["transfer"] if row["role"] == VALIDATION and row["metric"] == "UA"]
    rows = [row for row in rows if row["method"] != FEATURES and known(row["value"])]
    if not rows:
        raise RunError(
            f"the run of {run['about']['recipe']['name']} holds no score on validation speakers, by which its method "
            "is chosen: it is of an older xlser. Run it again."
        )
    best = max(rows, key=lambda row: row["value"])
    return best["method"], best["classifier"]


def _places(run: dict[str, Any], chosen: tuple[str, str]) -> dict[Place, Row]:
    rows = [row for row in run["transfer"] if row["metric"] == "UA" and row["role"] != VALIDATION]
    return {tuple(row[key] for key in _KEYS): row for row in rows if (row["method"], row["classifier"]) == chosen}


def _named(places: dict[Place, Row]) -> str:
    return ", ".join(f"{corpus} ({protocol})" for corpus, _, protocol in places) or "nothing"


def _name(place: Place, row: Row) -> str:
    reading = place[2] if place[1] == "target" else "held-out"
    mark = " (synthetic)" if row.get("data") == "synthetic" else ""
    return f"{place[0]}, {reading}{mark}, chance {number(row['chance'])}"


def _about(run: dict[str, Any], chosen: tuple[str, str]) -> str:
    recipe = run["about"]["recipe"]
    return f"{recipe['name']} on {recipe['source']}, {chosen[0]} read by {reader_name(chosen[1])}"


def _difference(a: Row, b: Row) -> str:
    row = unpaired(a, b)
    star = "*" if known(row["low"], row["high"]) and (row["low"] > 0 or row["high"] < 0) else ""
    return f"{difference(b['value'], a['value'])}{star} {bounds(row['low'], row['high'], plus=True)}"


def _unlike(a: Row, b: Row) -> list[str]:
    found = [f"{name} {a[name]} and {b[name]}" for name in _SAME if a[name] != b[name]]
    return [f"  not the same clips or emotions: {', '.join(found)}"] if found else []


def _caution(runs: list[dict[str, Any]]) -> list[str]:
    lines = [
        "Unpaired: runs do not keep what they said of each clip, and the interval of the difference takes them",
        "as independent. * it excludes 0; nothing is corrected for looking at several. For a paired test give",
        "both recipes to one `xlser transfer`.",
    ]
    sources = {run["about"]["recipe"]["source"] for run in runs}
    return (
        lines
        if len(sources) == 1
        else [*lines, f"The runs learnt from different sources: {', '.join(sorted(sources))}."]
    )


def _row(name: str, *cells: str) -> str:
    return (name.ljust(42) + " " + "".join(cell.ljust(20) for cell in cells)).rstrip()

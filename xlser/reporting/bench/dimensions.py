"""Does an axis that follows a rating in the source still follow it in the target, beyond duration, sex and loudness?"""

from __future__ import annotations

from dataclasses import dataclass, field

from xlser.reporting.bench.facts import Bench, Key, Row
from xlser.reporting.wording import bounds, known, number

AXES = ("head", "direction", "latent mean")
LEVEL = 0.05


@dataclass
class Followed:
    """One correlation in a target: ``r`` and what stands beneath it; ``sure`` after correction; ``share`` its size."""

    r: str = ""
    found: bool = False
    sure: bool = False
    partial: str = ""
    stability: str = ""
    p: str = ""
    share: float = 0.0
    turned: bool = False
    href: str = ""
    marks: list[str] = field(default_factory=list)


@dataclass
class Axis:
    """A line of the grid: an axis of a recipe on a source, r there, and one `Followed` a target."""

    recipe: str
    source: str
    dimension: str
    axis: str
    home: str
    cells: list[Followed]


def is_sure(row: Row) -> bool:
    """Say whether a correlation is told from none after the correction over the whole bench."""
    return known(row.get("p_fdr")) and row["p_fdr"] < LEVEL


def grid(bench: Bench, recipe: str) -> list[Axis]:
    """Return the main axes of a recipe's chosen methods, source by source."""
    lines = []
    for source in bench.sources:
        keys = [(recipe, source, target) for target in bench.targets]
        found = {key: _main(bench, key) for key in keys if key in bench.cells and key[1] != key[2]}
        names = dict.fromkeys((row["dimension"], row["axis"]) for rows in found.values() for row in rows)
        for name in sorted(names, key=lambda name: AXES.index(name[1])):
            by = {key: row for key, rows in found.items() for row in rows if (row["dimension"], row["axis"]) == name}
            home = number(next(iter(by.values()))["r_source"])
            lines.append(Axis(recipe, source, *name, home, [followed(bench, key, by.get(key)) for key in keys]))
    return lines


def _main(bench: Bench, key: Key) -> list[Row]:
    return [row for row in bench.of_chosen(key, "dimensions") if row["axis"] in AXES]


def followed(bench: Bench, key: Key, row: Row | None) -> Followed:
    """Write out one correlation."""
    if row is None or not known(row["r"]):
        return Followed()
    partial, stable = row["partial"], row["stability"]
    return Followed(
        number(row["r"]),
        True,
        is_sure(row),
        f"{number(partial['value'])} {bounds(partial['low'], partial['high'])}",
        f"{number(stable['value'])} {bounds(stable['low'], stable['high'])}",
        _p(row.get("p_fdr")),
        abs(row["r"]),
        row["r"] * (row["r_source"] if known(row["r_source"]) else 1) < 0,
        f"pages/{bench.pages[key]}",
        bench.rating_marks(key),
    )


def _p(value: float | None) -> str:
    """Write a p-value.

    >>> _p(0.0001), _p(0.0449), _p(0.3), _p(None)
    ('< 0.001', '0.045', '0.30', 'n/a')
    """
    if not known(value):
        return number(None)
    return "< 0.001" if value < 0.001 else number(value, 3 if value < 0.1 else 2)


def nuisances(bench: Bench, keys: list[Key], every: bool = False) -> tuple[list[str], list[tuple]]:
    """Return what else is read from the embeddings: names of columns, then (recipe, source, corpus, method, cells).

    A cell is (text, interval, chance or why there is none). Only the chosen method is told of unless ``every``.
    """
    lines, names = [], []
    for key in keys:
        rows = bench.cells[key]["nuisances"] if every else bench.of_chosen(key, "nuisances")
        names += [name for name in dict.fromkeys(row["nuisance"] for row in rows) if name not in names]
        for method in dict.fromkeys(row["method"] for row in rows):
            lines.append((key, method, {row["nuisance"]: row for row in rows if row["method"] == method}))
    return names, [(*key, method, [_probed(found.get(name)) for name in names]) for key, method, found in lines]


def _probed(row: Row | None) -> tuple[str, str, str]:
    if row is None:
        return "", "", ""
    if not known(row["value"]):
        return number(None), "", str(row.get("why", ""))
    what = f"{row['metric'].replace('R2', 'R²')}, chance {number(row['chance'])}"
    return number(row["value"]), bounds(row["low"], row["high"]), what

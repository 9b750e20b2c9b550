"""What two benches have in common, or a bench and a run: cells, a recipe of the one beside a recipe of the other."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path

from xlser.errors import RunError
from xlser.evaluation.predictions_schema import CellFile
from xlser.evaluation.results import as_bench, read_results
from xlser.evaluation.verdicts import HELD_OUT, TRANSFER, Verdicts
from xlser.filenames import path_part
from xlser.jsonfile import read_json
from xlser.reporting.bench.facts import Bench, Key, Row
from xlser.reporting.bench.sides import Place, Said, Sides
from xlser.reporting.bench.sides_of_runs import NOT_KEPT, said_by_run
from xlser.reporting.wording import listing, number
from xlser.typedtable import is_typed


@dataclass(frozen=True)
class _Side:
    """A bench, or a run as a bench of one recipe and source, its folder, and the letter it goes by."""

    letter: str
    folder: Path
    bench: Bench
    is_run: bool

    @classmethod
    def of(cls, letter: str, folder: Path) -> _Side:
        # No more than is used: benches of different versions are just what is compared.
        results = read_results(folder, ("cells", "chosen", "matrix"))
        return cls(letter, folder, Bench(as_bench(results.table)), results.kind == "run")

    def row(self, key: Key) -> Row | None:
        """Return the UA of a cell; None without one."""
        if key not in self.bench.cells:
            return None
        return self.bench.held_out(*key[:2]) if key[1] == key[2] else self.bench.score(key)

    def said(self, key: Key) -> Said:
        """Return what was said in a cell by what validation chose; or why that is not known."""
        chosen, below = self.bench.chosen(*key[:2]), self.folder / "jobs"
        if self.is_run:
            said = said_by_run(self.folder, chosen["method"], chosen["classifier"]) if chosen else {}
            home = key[1] == key[2]
            found = [said[kept] for kept in said if kept[0] == key[2] and (home or kept[2] == self.protocol(key[0]))]
            return found[0] if found else NOT_KEPT
        cell = read_json(_cell(below, key))
        if not chosen or not is_typed(CellFile, cell) or "predictions" not in cell:
            return f"{self.letter}'s cell is not there any more, below {below}"
        if cell.get("key") != self.bench.cells[key].get("key"):
            return f"{self.letter}'s cell below {below} is not the one in results.json"
        return Verdicts.of(cell["predictions"], cell["classes"], chosen["method"], chosen["classifier"])

    def protocol(self, recipe: str) -> str:
        """Return the protocol that a recipe asks for."""
        return self.bench.protocol(recipe)


def _cell(jobs: Path, key: Key) -> Path:
    recipe, source, target = (path_part(name, "a name in results.json", RunError) for name in key)
    return jobs / recipe / source / "cells" / f"{target}.json"


def of_benches(first: Path, second: Path) -> list[Sides]:
    """Return the cells that two benches, or a bench and a run, have in common.

    A recipe stands beside its namesake; where the benches share no name, every one of A beside every one of B.

    Raises:
        RunError: a folder holds no finished bench or run, or the two have no cell in common.
    """
    a, b = _Side.of("A", first), _Side.of("B", second)
    namesakes = [(name, name) for name in a.bench.recipes if name in b.bench.recipes]
    pairs = namesakes or list(product(a.bench.recipes, b.bench.recipes))
    found = [_of_recipes(a, b, pair, _alone(a, b, namesakes)) for pair in pairs]
    if not any(sides.places for sides in found):
        raise RunError(
            f"{first} and {second} have no source and target in common, so that nothing can be compared. "
            f"They hold {_held(a)}, and {_held(b)}."
        )
    return [sides for sides in found if sides.places]


def _of_recipes(a: _Side, b: _Side, pair: tuple[str, str], notes: list[str]) -> Sides:
    cells = [key[1:] for key in a.bench.cells if key[0] == pair[0]]
    found = {cell: _place(a, b, (pair[0], *cell), (pair[1], *cell)) for cell in cells}
    places = [place for place in found.values() if place]
    heads = [f"{side.letter}: {recipe} of {side.folder}" for side, recipe in zip((a, b), pair, strict=True)]
    for source in dict.fromkeys(source for (source, _), place in found.items() if place):
        heads.append(f"  {source}: A {a.bench.how(pair[0], source)}; B {b.bench.how(pair[1], source)}")
    return Sides(heads, sorted(places, key=lambda place: place.family == HELD_OUT), notes)


def _place(a: _Side, b: _Side, one: Key, other: Key) -> Place | None:
    rows = a.row(one), b.row(other)
    if rows[0] is None or rows[1] is None:
        return None
    family = HELD_OUT if one[1] == one[2] else TRANSFER
    protocols = dict.fromkeys((a.protocol(one[0]), b.protocol(other[0])))
    reading = "held-out" if family == HELD_OUT else " against ".join(protocols)
    mark = "".join(f" ({mark})" for mark in a.bench.marks(one) if "synthetic" in mark)
    name = f"{one[1]} → {one[2]}, {reading}{mark}, chance {number(rows[0]['chance'])}"
    return Place(name, family, (rows[0], rows[1]), (a.said(one), b.said(other)))


def _alone(a: _Side, b: _Side, namesakes: list[tuple[str, str]]) -> list[str]:
    """Say how recipes were paired, where it is not each with its namesake."""
    if not namesakes:
        return ["No recipe has a namesake in the other bench: every one of A stands beside every one of B."]
    names = [
        f"{name} ({side.letter})" for side in (a, b) for name in side.bench.recipes if (name, name) not in namesakes
    ]
    return [f"Not compared, without a namesake in the other bench: {listing(names)}."] if names else []


def _held(side: _Side) -> str:
    return ", ".join(dict.fromkeys(f"{source} → {target}" for _, source, target in side.bench.cells)) or "nothing"

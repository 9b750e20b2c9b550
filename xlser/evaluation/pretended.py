"""Which cells of a bench a choice may look at, so that no label of the target has a part in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from xlser.evaluation.choice import Looked, Reading, ReadingChoice, choose_reading, told_by

Row = dict[str, Any]
Cell = Mapping[str, Any]
# How a choice was made, the best way first.
LEFT_OUT, OTHERS = "source corpora left out in turn", "other cells"
# Where no other corpus can tell: what may look at the target, and what may not.
UNLABELLED, HOME = "the target's own recordings", "the source's validation speakers"
# Lines of tables that are of more than one recipe, or target.
ALL_RECIPES, ALL_TARGETS = "all recipes", "all targets"


def choose_for(
    source: str,
    target: str,
    cells: Iterable[Cell],
    among: Collection[Reading] | None = None,
    protocols: Collection[str] | None = None,
    *,
    here: Mapping[Reading, float] | None = None,
) -> tuple[ReadingChoice | None, str]:
    """Choose how a model of ``source`` reads a target, by cells that have nothing of it; say how that was done.

    A source of several corpora tells it by each of them, left out and read by a model of the others. One of a single
    corpus, or of which none was left out, by the bench's other cells.

    Args:
        source: one corpus, or several such as ``emodb+urdu``.
        target: its name, or empty for recordings that are in no cell, as those of a prediction.
        cells: all of a bench, with ``recipe, source, target, transfer``; those that may be looked at are taken.
        among: see `choose_reading`; ``protocols`` likewise.
        here: how much answers tell of the target's own recordings, where they may be looked at (see `Looked`).

    Returns:
        None where there is no such cell, and `LEFT_OUT` or `OTHERS`.

    >>> row = {"role": "target", "metric": "UA", "method": "plain", "classifier": "knn", "normalise": "coral"}
    >>> row |= {"protocol": "transductive", "value": 0.5}
    >>> cells = [{"recipe": "r", "source": "a", "target": name, "transfer": [row]} for name in "bc"]
    >>> choose_for("a", "b", cells)[0].places
    ('a to c',)
    >>> choose_for("a", "", cells)[0].places
    ('a to b', 'a to c')
    """
    cells = list(cells)
    for by, places in ((LEFT_OUT, left_out(source, cells)), (OTHERS, elsewhere(target, cells))):
        looked = None if here is None else Looked(here, told_of(places))
        if choice := choose_reading(tables_of(places), among, protocols, looked):
            return choice, by
    return None, OTHERS


def left_out(source: str, cells: Iterable[Cell]) -> list[Cell]:
    """Return the cells in which one corpus of a joined source is read by a model of its others.

    >>> cells = [{"source": "b", "target": "a"}, {"source": "b", "target": "c"}, {"source": "c", "target": "a"}]
    >>> left_out("a+b", cells)
    [{'source': 'b', 'target': 'a'}]
    """
    parts = corpora_of(source)
    wanted = [(parts - {part}, part) for part in parts if len(parts) > 1]
    return [cell for cell in cells if (corpora_of(cell["source"]), cell["target"]) in wanted]


def elsewhere(target: str, cells: Iterable[Cell]) -> list[Cell]:
    """Return the cells that have nothing of a target: neither as their source nor as their target.

    >>> cells = [{"source": "b", "target": "a"}, {"source": "b", "target": "c"}, {"source": "b", "target": "b"}]
    >>> elsewhere("a", cells)
    [{'source': 'b', 'target': 'c'}]
    """
    hidden = corpora_of(target)
    apart = [cell for cell in cells if not hidden & (corpora_of(cell["source"]) | corpora_of(cell["target"]))]
    return [cell for cell in apart if not corpora_of(cell["source"]) & corpora_of(cell["target"])]


def tables_of(cells: Iterable[Cell]) -> dict[str, list[Row]]:
    """Return the rows of all recipes by place, in one order whoever made the cells."""
    found: dict[str, list[Row]] = {}
    for cell in sorted(cells, key=lambda cell: (cell["source"], cell["target"])):
        found.setdefault(f"{cell['source']} to {cell['target']}", []).extend(rows_of(cell))
    return found


def told_of(cells: Iterable[Cell]) -> dict[str, dict[Reading, float]]:
    """Return how much answers tell of each place's recordings, under the names of `tables_of`."""
    found: dict[str, dict[Reading, float]] = {}
    for cell in cells:
        rows = [row | {"recipe": cell["recipe"]} for row in cell.get("unlabelled", ())]
        found.setdefault(f"{cell['source']} to {cell['target']}", {}).update(told_by(rows))
    return found


def rows_of(cell: Cell) -> list[Row]:
    """Return the rows of a cell, each with its recipe."""
    return [row | {"recipe": cell["recipe"]} for row in cell["transfer"]]


def corpora_of(name: str) -> set[str]:
    """Return the names of the corpora that are joined.

    >>> sorted(corpora_of("emodb+urdu"))
    ['emodb', 'urdu']
    """
    return set(name.split("+")) - {""}

"""Maps of a cell's embeddings: the chosen method's on the first screen, those of other methods below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from xlser.reporting.bench.facts import Row
from xlser.reporting.bench.listen import SECONDS, links
from xlser.reporting.scatter import Map, coloured_maps
from xlser.reporting.section import Note, Part, Section
from xlser.reporting.wording import whole

if TYPE_CHECKING:
    from xlser.reporting.bench.cell import CellFacts

_HEARD = Markup(
    "A ring: the first {:g} seconds of the recording were copied and can be heard; the clip played last has a thick "
    "one in every map. With the keyboard: Tab to a map, arrow keys from ring to ring, Enter plays, Escape stops. The "
    'copies are <a href="../clips/README.txt">for local use under each corpus\'s licence</a>.'
)


def picture(cell: CellFacts) -> list[Part]:
    """Return the map of the chosen method, or of the first; nothing where no points were kept."""
    return _drawn(cell, _methods(cell)[:1], first=True)


def section_of_cell(cell: CellFacts) -> Section | None:
    """Return what a map shows, and those of the other methods; nothing where no points were kept."""
    about, methods = cell.bench.cells[cell.key], _methods(cell)
    if not methods:
        return None
    drawn, size = len({point["id"] for point in about["points"]}), about["about"]["utterances"]
    some = f", {whole(drawn)} of its {whole(size)} drawn at random" if drawn < size else ""
    note = (
        f"A mark is a clip of {cell.key[2]}{some}, by the model of seed 0. Two main axes of the source's training "
        "speakers where the embedding has more, one across where it has one alone: how high a mark stands then says "
        "nothing. Those far out are drawn on the edge."
    )
    heard = [Note(_HEARD.format(SECONDS))] if links(about, cell.clips) else []
    parts: list[Part] = [Note(note), *heard, *_drawn(cell, methods[1:], first=False)]
    return Section("maps", "Maps of the other methods" if methods[1:] else "How the map is drawn", parts, "Maps")


def _methods(cell: CellFacts) -> list[str]:
    return cell.methods_of("points") if cell.bench.cells[cell.key].get("points") else []


def _drawn(cell: CellFacts, methods: list[str], *, first: bool) -> list[Part]:
    about = cell.bench.cells[cell.key]
    found = [Map(cell.method_name(method), _points(about, method)) for method in methods]
    derived = about["about"].get("ratings") == "derived"
    return coloured_maps(found, links(about, cell.clips), classes=about["classes"], derived=derived, first=first)


def _points(about: Row, method: str) -> list[Row]:
    return [row for row in about["points"] if row["method"] == method]

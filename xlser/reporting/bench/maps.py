"""Maps of a cell's embeddings: a mark a clip, which tells its name and ratings, and plays where it was copied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from xlser.reporting.bench.chart import COLOURS, SHAPES, mark
from xlser.reporting.bench.facts import Row
from xlser.reporting.bench.listen import SECONDS, links
from xlser.reporting.section import Legend, Note, Panel, Panels, Part, Raw, Section
from xlser.reporting.wording import known, number, whole

if TYPE_CHECKING:
    from xlser.reporting.bench.cell import CellFacts

SCRIPT = Path(__file__).parents[1] / "templates" / "listen.js"
SIDE, PAD = 360.0, 12.0
# Multiples of it, less their whole part, never come close to an earlier one.
GOLDEN = (5**0.5 - 1) / 2
_RING = '<circle r="8.5"/>'
_EDGE = f'<path class="rule" fill="none" d="M1 1H{SIDE - 1:g}V{SIDE - 1:g}H1Z"/>'


_PLAYER = Markup(
    '<div class="player" id="player" hidden><p id="told">Nothing is pointed at.</p><p id="playing">Nothing was played.'
    '</p><audio id="audio" controls preload="none" aria-label="The clip"></audio></div>\n<script>\n{}\n</script>'
)
_HEARD = Markup(
    "A ring: the first {:g} seconds of the recording were copied and can be heard; the clip played last has a thick "
    "one in every map. With the keyboard: Tab to a map, arrow keys from ring to ring, Enter plays, Escape stops. The "
    'copies are <a href="../clips/README.txt">for local use under each corpus\'s licence</a>.'
)


def section_of_cell(cell: CellFacts) -> Section | None:
    """Return a map a method, the chosen one first, and what plays its clips; nothing where no points were kept."""
    about = cell.bench.cells[cell.key]
    if not about.get("points"):
        return None
    heard, order = links(about, cell.clips), cell.methods_of("points")
    drawn, size = len({point["id"] for point in about["points"]}), about["about"]["utterances"]
    some = f", {whole(drawn)} of its {whole(size)} drawn at random" if drawn < size else ""
    note = (
        f"A mark is a clip of {cell.key[2]}{some}, by the model of seed 0; point at it for its name. Two main axes of "
        "the source's training speakers where the embedding has more, one across where it has one alone: how high a "
        "mark stands then says nothing. Those far out are drawn on the edge."
    )
    found = sorted(maps(about, heard), key=lambda panel: order.index(panel.title))
    panels = [replace(panel, title=cell.method_name(panel.title)) for panel in found]
    parts: list[Part] = [Note(note), *([Note(_HEARD.format(SECONDS))] if heard else []), Legend(legend(about, heard))]
    parts += [Panels(panels, "panels pairs")]
    if heard:
        parts += [Raw(Markup(_PLAYER).format(Markup(SCRIPT.read_text(encoding="utf-8"))))]
    return Section("maps", "Map of the embedding", parts, "Maps")


def emotions(cell: Row) -> list[str]:
    """Return the emotions of a cell's points, the scored ones first."""
    found = dict.fromkeys(str(point["emotion"]) for point in cell.get("points", []) if point["emotion"])
    return sorted(found, key=lambda name: (name not in cell["classes"], name))


def legend(cell: Row, clips: Mapping[str, str]) -> list[tuple[Markup, str]]:
    """Return the mark of each emotion, of clips without a scored one and of those to hear, where there are such."""
    named = [(mark(i), name) for i, name in enumerate(emotions(cell))]
    without = any(not point["emotion"] for point in cell.get("points", []))
    named += [(mark(-1), "no scored emotion")] if without else []
    ring = f'<svg class="mark heard" viewBox="-11 -11 22 22" aria-hidden="true">{_RING}</svg>'
    return [*named, (Markup(ring), "can be played")] if clips else named


def maps(cell: Row, clips: Mapping[str, str]) -> list[Panel]:
    """Return a map a method; none where the cell holds no ``points``.

    A point has ``method, id, x, y, emotion`` and the dimensions that the corpus rates. Points far out are drawn on the
    edge: the frame holds nine tenths and more of them. Where the embedding has one dimension, marks are spread upwards
    by their order alone.

    Args:
        cell: as `xlser transfer` writes it.
        clips: by a point's id, the link to a copy of its recording; such marks are links with a ring.
    """
    rows = [row for row in cell.get("points", []) if known(row["x"], row["y"])]
    drawing = _Drawing(emotions(cell), clips, cell["about"].get("ratings") == "derived")
    return [
        Panel(method, [], drawing.svg([row for row in rows if row["method"] == method], method))
        for method in dict.fromkeys(row["method"] for row in rows)
    ]


@dataclass
class _Drawing:
    """What the maps of a cell have in common: names of emotions, links to clips, whether ratings are derived."""

    names: list[str]
    clips: Mapping[str, str]
    derived: bool

    def svg(self, rows: list[Row], method: str) -> Markup:
        rows = sorted(rows, key=lambda row: bool(row["emotion"]))  # scored ones above the others
        marks = list(zip(rows, _spots(rows), strict=True))
        silent = "".join(self._mark(row, at) for row, at in marks if row["id"] not in self.clips)
        heard = [self._link(row, at) for row, at in marks if row["id"] in self.clips]
        told = f"Map of the embedding of {method}: a mark for each of {len(rows)} clips, by emotion"
        told += f"; {len(heard)} of them can be played" if heard else ""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE:g} {SIDE:g}" style="--w: {SIDE:g}px" '
            f'role="{"group" if heard else "img"}" aria-label="{escape(told)}">'
        )
        # Read out are the links alone: a picture would hide them, and hundreds of other marks would bury them.
        return Markup(f'{head}<g aria-hidden="true">{_EDGE}{silent}</g>{"".join(heard)}</svg>')

    def _link(self, row: Row, at: str) -> str:
        link, told = escape(self.clips[row["id"]]), escape(self._told(row))
        return f'<a href="{link}" aria-label="{told}">{self._mark(row, at, _RING)}</a>'

    def _mark(self, row: Row, at: str, ring: str = "") -> str:
        place = self.names.index(str(row["emotion"])) if row["emotion"] else -1
        colour, shape = COLOURS[place % len(COLOURS)], SHAPES[place % len(SHAPES)]
        return (
            f'<g transform="{at}" fill="{colour}" stroke="{colour}"><title>{escape(self._told(row))}</title>{ring}'
            f'<path d="{shape}" stroke="none" fill-opacity=".75"/></g>'
        )

    def _told(self, row: Row) -> str:
        told = [str(row["id"]), str(row["emotion"] or "no scored emotion")]
        rated = [f"{name} {number(row[name])}" for name in ("activation", "valence") if known(row.get(name))]
        return ", ".join(told + rated) + (" (derived)" if self.derived and rated else "")


def _spots(rows: list[Row]) -> list[str]:
    """Return where each mark stands; one dimension alone is spread upwards in even steps that do not repeat."""
    across, up = ([row[axis] for row in rows] for axis in ("x", "y"))
    up = [i * GOLDEN % 1 for i in range(len(rows))] if len(set(up)) == 1 else up
    parts = zip(_parts(across), _parts(up), strict=True)
    size = SIDE - 2 * PAD
    return [f"translate({PAD + size * x:.1f} {PAD + size * (1 - y):.1f}) scale(.7)" for x, y in parts]


def _parts(values: list[float]) -> list[float]:
    """Return where values lie between 0 and 1; one in two hundred at each end may lie beyond and is put on it."""
    out = len(values) // 200
    low, high = sorted(values)[out], sorted(values)[-1 - out]
    low, high = (low, high) if high > low else (low - 1, high + 1)
    return [min(max((value - low) / (high - low), 0), 1) for value in values]

"""Do probabilities and promises hold in the target? Curves and tables of what a cell says of its own doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from xlser.reporting import figures
from xlser.reporting.bench.chart import COLOURS, Axes, Curve, Point, chart, mark
from xlser.reporting.bench.facts import Bench, Key, Row
from xlser.reporting.section import Cell, Cells, Details, Figure, Legend, Note, Panel, Panels, Part, Section, Table
from xlser.reporting.svg import GREY, INK
from xlser.reporting.wording import bounds, known, number, side, whole

if TYPE_CHECKING:
    from xlser.reporting.bench.cell import CellFacts

Named = tuple[str, int, Row]
# What a line is called, what to beware of, and the row that it writes out.
Told = tuple[str, list[str], Row]
UPRIGHT = "Share right over confidence"
CONFIDENCE = "Share of right answers over confidence; on the dashed line confidence means what it says."
FEW = "a mark of few clips says little: point at it for how many."
SILENT = (
    "UA of the surest share of clips. A line that falls to the right says that confidence sorts right from wrong. Left "
    "of a tenth nothing is drawn."
)
_SETS = Markup(
    "Label sets are made on the source's validation speakers to hold the true emotion in {} of clips; coverage is how "
    "many they do hold here. ▲ ▼: surely more or fewer than promised. ECE: how far confidence is off on average; "
    "Brier: 0 is best, 2 worst; AURC: error among the surest, averaged. <strong>Single</strong> and "
    "<strong>empty</strong>: share of sets with one label, with none."
)


_COVERED = (
    "Label sets are made on the source's validation speakers to hold the true emotion in {} of clips; ▲ ▼: surely more "
    "or fewer here. ECE: how far confidence is off on average."
)


def section(bench: Bench) -> Section:
    """Return how far confidence and promises hold in every cell, by the chosen method."""
    keys = [key for key in bench.transfers if rows(bench, key)]
    if not keys:
        return Section("trust", "Trust", left_out="No cell could be classified.")
    parts: list[Part] = [Legend([(mark(i), name) for i, name in enumerate(bench.sources)])]
    for recipe in bench.recipes:
        if pairs := panels(bench, recipe):
            parts += [
                Figure(
                    [Panels([one for one, _ in pairs])],
                    f"{CONFIDENCE} A line per source; {FEW}",
                    f"{recipe}: confidence",
                )
            ]
            parts += [Figure([Panels([one for _, one in pairs])], SILENT, f"{recipe}: staying silent when unsure")]
    parts += [_covered(bench), Note(_COVERED.format(f"{rows(bench, keys[0])[0]['promise']:.0%}"))]
    return Section("trust", "Trust", parts)


def _covered(bench: Bench) -> Table:
    """Return a line a recipe and source, a column a target: coverage of label sets, and how far confidence is off."""
    lines: list[Cells] = []
    for recipe, source in bench.pairs:
        found = [next(iter(rows(bench, (recipe, source, target))), None) for target in bench.targets]
        cells = [_covers(row if target != source else None) for target, row in zip(bench.targets, found, strict=True)]
        lines += [[f"{recipe} on {source}", *cells]] if any(cell.text != "—" for cell in cells) else []
    caption = "Coverage of label sets, and ECE"
    return Table.of(caption, ["Recipe and source", *bench.targets], lines, point="the promise", copy=True)


def _covers(row: Row | None) -> Cell:
    if row is None:
        return Cell("—", hidden="none")
    sets = row["sets"]
    where = side(sets["low"], sets["high"], row["promise"])
    return Cell(number(sets["coverage"]), bounds(sets["low"], sets["high"]), where, more=[f"ECE {number(row['ece'])}"])


def section_of_cell(cell: CellFacts) -> Section | None:
    """Return the same of every method of one cell; nothing where nothing was classified."""
    rows, inks = cell.bench.cells[cell.key]["trust"], figures.colours(cell)
    if not rows:
        return None
    # A method has one colour on the whole page.
    found = [inks.get(row["method"], GREY) for row in rows]
    places = [COLOURS.index("currentColor" if ink == INK else ink) for ink in found]
    named = [(cell.method_name(row["method"]), place, row) for place, row in zip(places, rows, strict=True)]
    pictures = [Panel(UPRIGHT, [], reliability(named)), Panel("UA of the surest", [], abstention(named))]
    parts: list[Part] = [Legend([(mark(place), name) for name, place, _ in named])]
    parts += [Figure([Panels(pictures)], f"{CONFIDENCE} {FEW[0].upper()}{FEW[1:]} {SILENT}")]
    told: list[Told] = [(name, [], row) for name, _, row in named]
    return Section("trust", "Trust", [*parts, *tables(told, "Method", "by method")])


def tables(told: list[Told], head: str, by: str) -> list[Part]:
    """Return coverage, size and calibration of label sets, and shares by the length of clips; a line a row."""
    promise = f"{told[0][2]['promise']:.0%}"
    heads = [head, "Coverage", "Least covered emotion", "Labels a set", "Single", "Empty", "ECE", "Brier", "AURC"]
    lines: list[Cells] = [[Cell(title, marks=marks), *_cells(row)] for title, marks, row in told]
    lengths = list(dict.fromkeys(length_name(one) for *_, row in told for one in row["by_length"]))
    shares: list[Cells] = [[title, *(_length(one) for one in row["by_length"])] for title, _, row in told]
    return [
        Note(_SETS.format(promise)),
        Table.of(f"Label sets and confidence {by}", heads, lines, point="the promise"),
        Details(
            "Short and long clips", [Table.of(f"Share right by the length of clips {by}", [head, *lengths], shares)]
        ),
    ]


def _cells(row: Row) -> list[Cell | str]:
    sets = row["sets"]
    coverage = Cell(
        number(sets["coverage"]), bounds(sets["low"], sets["high"]), side(sets["low"], sets["high"], row["promise"])
    )
    sizes = [number(sets[name]) for name in ("least", "size", "single", "empty")]
    return [coverage, *sizes, *(number(row[name]) for name in ("ece", "brier", "aurc"))]


def rows(bench: Bench, key: Key) -> list[Row]:
    """Return what is known of the trust that a cell's chosen method deserves."""
    return bench.of_chosen(key, "trust") if key in bench.cells else []


def panels(bench: Bench, recipe: str) -> list[tuple[Panel, Panel]]:
    """Return reliability and abstention a target, a line a source, of the chosen methods."""
    pairs = []
    for target in bench.targets:
        keys = [(recipe, source, target) for source in bench.sources if source != target]
        named = [(key[1], bench.sources.index(key[1]), row) for key in keys for row in rows(bench, key)]
        if named:
            marks = ["synthetic"] if bench.synthetic(target) else []
            pairs.append((Panel(target, marks, reliability(named)), Panel(target, marks, abstention(named))))
    return pairs


def reliability(named: list[Named]) -> Markup:
    """Draw accuracy over confidence; ``named`` holds (name, place of the mark, row)."""
    curves = [Curve(name, i, [_bin(one) for one in row["reliability"] if one["count"]]) for name, i, row in named]
    ticks = [(i / 10, f"{i / 10:.1f}") for i in range(0, 11, 2)]
    label = f"Reliability of {', '.join(name for name, _, _ in named)}: share right over confidence"
    return chart(curves, Axes("confidence", "share right", ticks, ticks, diagonal=True), label)


def _bin(one: Row) -> Point:
    tip = f"{number(one['accuracy'])} of {whole(one['count'])} right"
    return Point(one["confidence"], one["accuracy"], tip)


def abstention(named: list[Named]) -> Markup:
    """Draw UA over the share of clips that is answered, the surest first."""
    curves = [Curve(name, i, _answered(row["abstention"])) for name, i, row in named]
    ticks = [(i / 10, f"{i / 10:.1f}") for i in range(0, 11, 2)]
    label = f"UA of {', '.join(name for name, _, _ in named)} over the share of clips answered"
    return chart(curves, Axes("share of clips answered", "UA", ticks, ticks), label)


def _answered(curve: dict[str, Any]) -> list[Point]:
    pairs = zip(curve["coverage"], curve["UA"], strict=True)
    # The UA of a handful of clips is of one emotion or two.
    return [Point(x, y, f"UA {number(y)}") for x, y in pairs if known(x, y) and x >= 0.1]


def length_name(one: Row) -> str:
    """Write the bounds of a row in seconds.

    >>> length_name({"low": 0.0, "high": 1.5}), length_name({"low": 4.0, "high": None})
    ('under 1.5 s', '4.0 s and more')
    """
    if not known(one["high"]):
        return f"{one['low']:.1f} s and more"
    return f"{one['low']:.1f} to {one['high']:.1f} s" if one["low"] else f"under {one['high']:.1f} s"


def _length(one: Row) -> Cell:
    return Cell(number(one["WA"]) if one["count"] else "", f"n = {whole(one['count'])}")

"""Maps of clips, a mark each, coloured by emotion, rating, speaker or by whether the answer was right, as one switches.

A mark tells its name when pointed at, and plays where its recording was copied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from xlser.reporting.bench.chart import COLOURS, SHAPES, mark
from xlser.reporting.section import Box, Panel, Panels, Part, Raw
from xlser.reporting.svg import GREY, METHODS, RAMP
from xlser.reporting.wording import known, number
from xlser.vocabulary import DIMENSIONS

Row = Mapping[str, Any]
SCRIPT = Path(__file__).parent / "templates" / "scatter.js"
SIDE, PAD = 360.0, 12.0
# Multiples of it, less their whole part, never come close to an earlier one.
GOLDEN = (5**0.5 - 1) / 2
_RING = '<circle r="8.5"/>'
_EDGE = f'<path class="rule" fill="none" d="M1 1H{SIDE - 1:g}V{SIDE - 1:g}H1Z"/>'
_RIGHT, _WRONG = METHODS[3], METHODS[0]
_MOST_NAMES = 8
_PLAYER = Markup(
    '<div class="player" id="player" hidden><p id="told">Nothing is pointed at.</p><p id="playing">Nothing was played.'
    '</p><audio id="audio" controls preload="none" aria-label="The clip"></audio></div>'
)


@dataclass(frozen=True)
class Map:
    """One map: its title, what to beware of, and rows of ``id, x, y`` and what they can be coloured by.

    That is any of ``emotion``, ``activation``, ``valence`` and ``dominance`` from -1 to 1, ``speaker``, ``sex`` and
    ``right``, how often the answer was right, from 0 to 1. What a row lacks, or holds as None, is not known of it.
    """

    title: str
    rows: Sequence[Row]
    marks: Sequence[str] = ()


@dataclass(frozen=True)
class Colouring:
    """What marks are coloured by: a colour for each row, behind ``o`` where it is hollow, and its legend."""

    name: str
    colours: Sequence[str]
    legend: Markup


def coloured_maps(
    maps: Sequence[Map],
    clips: Mapping[str, str] | None = None,
    *,
    classes: Sequence[str] = (),
    derived: bool = False,
    first: bool = True,
) -> list[Part]:
    """Return maps beside each other under one switch of colours; nothing where there is no point to draw.

    Points far out are drawn on the edge: the frame holds nine tenths and more of them. Where both axes say the same,
    marks are spread upwards by their order alone.

    Args:
        maps: they share colours and shapes, and each has axes of its own.
        clips: by a point's id, the link to a copy of its recording; such marks are links with a ring.
        classes: emotions in the order in which they take colours; others follow.
        derived: whether ratings come from emotion words.
        first: of a page, which brings the script and the player.

    >>> row = {"id": "a", "x": 0.0, "y": 0.0, "emotion": "anger", "speaker": "anna"}
    >>> [type(part).__name__ for part in coloured_maps([Map("plain", [row])])]
    ['Box', 'Raw']
    >>> coloured_maps([Map("plain", [])])
    []
    """
    drawn = [Map(one.title, [row for row in one.rows if known(row["x"], row["y"])], one.marks) for one in maps]
    drawn = [one for one in drawn if one.rows]
    if not drawn:
        return []
    clips = clips or {}
    drawing = _Drawing([row for one in drawn for row in one.rows], clips, classes, derived)
    panels = [Panel(one.title, one.marks, drawing.svg(one.rows, one.title)) for one in drawn]
    parts: list[Part] = [Raw(drawing.switch()), Panels(panels, "panels pairs" if len(panels) > 1 else "panels one")]
    parts += [] if clips else [Raw(Markup('<p class="note told" aria-live="polite"></p>'))]
    script = Markup("<script>\n{}\n</script>").format(Markup(SCRIPT.read_text(encoding="utf-8")))
    ends = (_PLAYER if clips else Markup("")) + script if first else Markup("")
    return [Box(parts, "scatter"), *([Raw(ends)] if first else [])]


class _Drawing:
    """What maps have in common: the names of emotions, every way to colour, links to clips."""

    def __init__(self, rows: Sequence[Row], clips: Mapping[str, str], classes: Sequence[str], derived: bool):
        self.clips, self.derived = clips, derived
        found = dict.fromkeys(str(row["emotion"]) for row in rows if row.get("emotion"))
        self.names = sorted(found, key=lambda name: (name not in classes, name))
        self.colourings = [one for one in self._colourings(rows) if one]
        self._index = {id(row): place for place, row in enumerate(rows)}

    def _colourings(self, rows: Sequence[Row]) -> list[Colouring | None]:
        shares = [row.get("right") for row in rows]
        said = [("" if not known(share) else "right" if share >= 0.5 else "wrong") for share in shares]  # type: ignore[operator]
        return [
            self._by_emotion(rows),
            *(_by_rating(rows, name) for name in DIMENSIONS),
            _by_name(rows, "speaker"),
            _by_name(rows, "sex"),
            _by_answer(said) if any(said) else None,
        ]

    def _by_emotion(self, rows: Sequence[Row]) -> Colouring:
        colours = [self._look(row)[0] for row in rows]
        named = [(mark(i), name) for i, name in enumerate(self.names)]
        named += [(mark(-1), "no scored emotion")] if any(not row.get("emotion") for row in rows) else []
        ring = f'<svg class="mark heard" viewBox="-11 -11 22 22" aria-hidden="true">{_RING}</svg>'
        named += [(Markup(ring), "can be played")] if self.clips else []
        return Colouring("emotion", colours, _named(named))

    def _look(self, row: Row) -> tuple[str, str]:
        place = self.names.index(str(row["emotion"])) if row.get("emotion") else -1
        return COLOURS[place % len(COLOURS)], SHAPES[place % len(SHAPES)]

    def switch(self) -> Markup:
        """Return the radio buttons, shown by the script, and the legend of every way to colour."""
        names = [one.name for one in self.colourings]
        buttons = Markup("").join(
            Markup('<label><input type="radio" value="{}"{}>{}</label>').format(
                place, Markup(" checked") if place == 0 else "", name
            )
            for place, name in enumerate(names)
        )
        legends = Markup("").join(
            Markup('<p class="key" data-colour="{}"{}>{}</p>').format(
                place, Markup(" hidden") if place else "", one.legend
            )
            for place, one in enumerate(self.colourings)
        )
        choice = Markup('<fieldset class="colours" hidden><legend>Colour by</legend>{}</fieldset>').format(buttons)
        return (choice if len(names) > 1 else Markup("")) + legends

    def svg(self, rows: Sequence[Row], title: str) -> Markup:
        rows = sorted(rows, key=lambda row: bool(row.get("emotion")))  # scored ones above the others
        marks = list(zip(rows, _spots(rows), strict=True))
        silent = "".join(self._mark(row, at) for row, at in marks if row["id"] not in self.clips)
        heard = [self._link(row, at) for row, at in marks if row["id"] in self.clips]
        told = f"Map of the embedding of {title}: a mark for each of {len(rows)} clips, by emotion"
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
        colour, shape = self._look(row)
        place = self._index[id(row)]
        every = escape(" ".join(one.colours[place] for one in self.colourings))
        return (
            f'<g transform="{at}" fill="{colour}" stroke="{colour}" data-told="{escape(self._told(row))}" '
            f'data-colours="{every}">{ring}<path d="{shape}" stroke-width="0" fill-opacity=".75"/></g>'
        )

    def _told(self, row: Row) -> str:
        told = [str(row["id"]), str(row.get("emotion") or "no scored emotion")]
        rated = [f"{name} {number(row[name])}" for name in DIMENSIONS if known(row.get(name))]
        told += [f"{text} (derived)" if self.derived and text == rated[-1] else text for text in rated]
        told += [f"speaker {row['speaker']}"] if row.get("speaker") else []
        share = row.get("right")
        return ", ".join(told + ([f"right in {share:.0%} of seeds"] if known(share) and share is not None else []))


def _by_rating(rows: Sequence[Row], name: str) -> Colouring | None:
    values = [row.get(name) for row in rows]
    if not any(map(known, values)):
        return None
    colours = [RAMP[_step(float(value))] if known(value) and value is not None else f"o{GREY}" for value in values]
    ramp = Markup('−1 low <span class="ramp" style="background: linear-gradient(90deg, {})"></span> +1 high').format(
        ", ".join(RAMP)
    )
    without = Markup(' <span><span class="ring"></span> no rating</span>')
    return Colouring(name, colours, ramp + (Markup("") if all(map(known, values)) else without))


def _step(value: float) -> int:
    return min(max(int((value + 1) / 2 * len(RAMP)), 0), len(RAMP) - 1)


def _by_name(rows: Sequence[Row], name: str) -> Colouring | None:
    values = [str(row.get(name) or "") for row in rows]
    names = sorted({value for value in values if value})
    if not names:
        return None
    few = len(names) <= len(METHODS)
    inks = {one: METHODS[i] if few else f"hsl({i * GOLDEN % 1 * 360:.0f},60%,50%)" for i, one in enumerate(names)}
    colours = [inks.get(value, f"o{GREY}") for value in values]
    named = [(_dot(inks[one]), one) for one in names] if len(names) <= _MOST_NAMES else []
    return Colouring(name, colours, _named(named) if named else escape(f"{len(names)} {name}s, a colour each"))


def _by_answer(said: Sequence[str]) -> Colouring:
    inks = {"right": _RIGHT, "wrong": f"o{_WRONG}", "": f"o{GREY}"}
    named = [(_dot(_RIGHT), "right in half of the seeds or more"), (_dot(_WRONG, hollow=True), "wrong: hollow")]
    named += [(_dot(GREY, hollow=True), "not judged")] if "" in said else []
    return Colouring("right or wrong", [inks[one] for one in said], _named(named))


def _dot(colour: str, hollow: bool = False) -> Markup:
    fill = f'fill="none" stroke="{colour}" stroke-width="1.8"' if hollow else f'fill="{colour}"'
    return Markup(
        f'<svg class="mark" viewBox="-7 -7 14 14" aria-hidden="true"><path d="M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0" '
        f"{fill}/></svg>"
    )


def _named(lines: Sequence[tuple[Markup, str]]) -> Markup:
    return Markup("").join(Markup("<span>{} {}</span>").format(*line) for line in lines)


def _spots(rows: Sequence[Row]) -> list[str]:
    """Return where each mark stands; one dimension alone is spread upwards in even steps that do not repeat."""
    across, up = ([row[axis] for row in rows] for axis in ("x", "y"))
    up = [i * GOLDEN % 1 for i in range(len(rows))] if len(set(up)) == 1 else up
    parts = zip(_parts(across), _parts(up), strict=True)
    size = SIDE - 2 * PAD
    return [f"translate({PAD + size * x:.1f} {PAD + size * (1 - y):.1f}) scale(.7)" for x, y in parts]


def _parts(values: Sequence[float]) -> list[float]:
    """Return where values lie between 0 and 1; one in two hundred at each end may lie beyond and is put on it."""
    out = len(values) // 200
    low, high = sorted(values)[out], sorted(values)[-1 - out]
    low, high = (low, high) if high > low else (low - 1, high + 1)
    return [min(max((value - low) / (high - low), 0), 1) for value in values]

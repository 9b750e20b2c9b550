"""What every report is made of: pages of sections, and sections of words, tables and figures.

A section is made by a pure function from loaded results (see `xlser.reporting.pages`). Nothing here knows how it is
shown: `xlser.reporting.html`, `xlser.reporting.text` and `xlser.reporting.paper` do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from markupsafe import Markup


@dataclass(frozen=True)
class Cell:
    """A text and what stands beneath it.

    ``side`` says where the interval lies beside the table's ``point``: ``above`` and ``below`` have an arrow, ``sure``
    a dot. ``share`` from 0 to 1 colours the cell. ``marks`` are what to beware of, ``more`` further lines beneath,
    ``hidden`` is for those who do not see the page, ``kind`` how a page dresses it.
    """

    text: str = ""
    interval: str = ""
    side: str = ""
    marks: Sequence[str] = ()
    more: Sequence[str] = ()
    share: float | None = None
    href: str = ""
    kind: str = ""
    hidden: str = ""


# What stands in a line of a table; a text alone is a cell of nothing else.
Cells = Sequence[Cell | str]


@dataclass(frozen=True)
class Row:
    """One line of a table. ``heads`` of its cells name it; ``kind`` sets it apart."""

    cells: Cells
    kind: str = ""
    heads: int = 1


@dataclass(frozen=True)
class Group:
    """Rows that belong together, under a title that spans them if it has one."""

    rows: Sequence[Row]
    title: Cell | None = None


@dataclass(frozen=True)
class Table:
    """A table; ``point`` is what an interval's side is told from, ``copy`` adds buttons that copy the table."""

    tag: ClassVar[str] = "table"
    caption: str | Cell
    heads: Cells
    groups: Sequence[Group]
    kind: str = "line"
    label: str = ""
    point: str = "0"
    copy: bool = False

    @classmethod
    def of(cls, caption: str | Cell, heads: Cells, rows: Sequence[Cells], **more: Any) -> Table:
        """Return a table of plain rows."""
        return cls(caption, heads, [Group([Row(row) for row in rows])], **more)


@dataclass(frozen=True)
class Note:
    """A paragraph."""

    tag: ClassVar[str] = "note"
    text: str
    kind: str = "note"


@dataclass(frozen=True)
class Heading:
    """The title of what follows in a section."""

    tag: ClassVar[str] = "heading"
    text: str
    anchor: str = ""
    marks: Sequence[str] = ()


@dataclass(frozen=True)
class Words:
    """Sentences, each with the words that lead it, which may be none."""

    tag: ClassVar[str] = "words"
    lines: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Pairs:
    """Names and what they stand for."""

    tag: ClassVar[str] = "pairs"
    lines: Sequence[tuple[str, str]]
    kind: str = "facts"


@dataclass(frozen=True)
class Panel:
    """One picture among several: its title, what it shows of it, what to beware of, its SVG, where it leads."""

    title: str
    marks: Sequence[str]
    svg: Markup
    href: str = ""
    more: str = ""


@dataclass(frozen=True)
class Panels:
    """Pictures beside each other."""

    tag: ClassVar[str] = "panels"
    panels: Sequence[Panel]
    kind: str = "panels"


@dataclass(frozen=True)
class Legend:
    """The mark of each line of a picture, and its name."""

    tag: ClassVar[str] = "legend"
    lines: Sequence[tuple[Markup, str]]


@dataclass(frozen=True)
class Figure:
    """What is looked at, with a caption."""

    tag: ClassVar[str] = "figure"
    parts: Sequence[Part]
    caption: str = ""
    title: str = ""


@dataclass(frozen=True)
class Details:
    """What is shown on demand."""

    tag: ClassVar[str] = "details"
    summary: str
    parts: Sequence[Part]
    open: bool = False


@dataclass(frozen=True)
class Box:
    """Parts side by side, or in a frame of their own: one with a ``label`` can be scrolled."""

    tag: ClassVar[str] = "box"
    parts: Sequence[Part]
    kind: str = ""
    label: str = ""
    style: str = ""


@dataclass(frozen=True)
class Headline:
    """The sentence that a page is opened for, and what to beware of in it."""

    tag: ClassVar[str] = "headline"
    text: str
    marks: Sequence[str] = ()


@dataclass(frozen=True)
class Chip:
    """A caution of a few words that unfolds its full text; ``kind`` is ``alarm`` where numbers cannot be believed."""

    tag: ClassVar[str] = "chip"
    short: str
    text: str
    kind: str = ""


@dataclass(frozen=True)
class Switch:
    """Options of which a page shows one at a time, and text the chosen one alone.

    ``name`` says what is switched, each option is its label and what it shows, ``chosen`` is the place of the first
    to be shown.
    """

    tag: ClassVar[str] = "switch"
    name: str
    options: Sequence[tuple[str, Sequence[Part]]]
    chosen: int = 0


@dataclass(frozen=True)
class Raw:
    """HTML that no other part can say."""

    tag: ClassVar[str] = "raw"
    html: Markup


Part = (
    Table | Note | Heading | Words | Pairs | Panels | Legend | Figure | Details | Box | Headline | Chip | Switch | Raw
)


@dataclass(frozen=True)
class Section:
    """One subject: words, tables and figures in the order in which they are read.

    ``anchor`` is its address on a page, ``short`` its name where space is scarce, ``left_out`` what it would show and
    why it does not. One that is ``folded`` shows its title alone until it is opened.
    """

    anchor: str
    title: str
    parts: Sequence[Part] = ()
    short: str = ""
    left_out: str = ""
    folded: bool = False

    @property
    def tables(self) -> list[Table]:
        """Every table of the section, wherever in it."""
        return [part for part in walk(self.parts) if isinstance(part, Table)]


@dataclass(frozen=True)
class Page:
    """Sections under a heading; ``banners`` are what must be read first.

    The first screen holds ``answer``, a `Headline` and a few sentences, beside ``picture``. What to beware of follows
    as ``cautions``, then a table of contents and the sections.
    """

    title: str
    kind: str
    heading: str
    sub: str
    banners: Sequence[str]
    sections: Sequence[Section]
    footer: str
    answer: Sequence[Part] = ()
    picture: Sequence[Part] = ()
    cautions: Sequence[Chip] = ()


def walk(parts: Sequence[Part]) -> Iterator[Part]:
    """Yield parts and what is in them, every option of a switch too, in the order of reading."""
    for part in parts:
        yield part
        if isinstance(part, Figure | Details | Box):
            yield from walk(part.parts)
        if isinstance(part, Switch):
            for _, inner in part.options:
                yield from walk(inner)

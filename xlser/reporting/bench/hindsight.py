"""What can be chosen without a target's labels, beside what only its labels could choose, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from xlser.evaluation.pretended import ALL_RECIPES, ALL_TARGETS, HOME, LEFT_OUT, OTHERS, UNLABELLED
from xlser.features.normalise import PROTOCOL
from xlser.reporting.bench.facts import Bench, Row
from xlser.reporting.section import Cell, Cells, Group, Note, Part, Section, Table
from xlser.reporting.section import Row as Line
from xlser.reporting.wording import bounds, number, reader_name
from xlser.vocabulary import ZERO_SHOT

TITLE = "Chosen without the target's labels"
BELIEVE = (
    "Believe the column “validated”: it is what somebody reaches who has no label of the target. “Oracle” is the best "
    "of the same readings in hindsight, which only the target's labels tell, and “regret” what the choice lost to it."
)
_WAYS = {
    LEFT_OUT: "each corpus of a joined source was left out in turn, adapted to without its labels and scored by them, "
    "and the reading with the best mean UA taken (transductive: corrected by how much answers tell of the recordings)",
    OTHERS: "the reading was taken that has the best mean UA in the bench's other cells, which have the target neither "
    "as source nor as target (transductive: corrected by how much answers tell of the target's recordings)",
    UNLABELLED: "no other corpus can tell, and the reading was taken whose answers tell most of the target's "
    "unlabelled recordings (sure, and not all of one emotion), a weak guide: name more sources or targets to choose by",
    HOME: "zero-shot, method and readout are those of the source's validation speakers",
}
_KINDS = {"one": "from one corpus", "several": "from several corpora joined"}
_BRIEF = {"one": "one source corpus", "several": "several joined"}


def section(bench: Bench) -> Section | None:
    """Return mean regrets by target, and which readings were chosen how often beside how often each was the best."""
    rows = shown(bench)
    if not rows:
        return None
    papers = Markup(", ").join(
        Markup('<a href="tables/{0}">{0}</a>').format(f"validated.{kind}") for kind in ("md", "tex")
    )
    parts: list[Part] = [Note(BELIEVE), Note(_how(rows)), *([_means(bench)] if bench.results["regrets"] else [])]
    parts += [_readings(rows), Note(Markup("Cell by cell: {}.").format(papers))]
    return Section("validated", TITLE, parts, short="Validated")


def _readings(rows: Sequence[Row]) -> Table:
    """Return in how many cells each reading was chosen, and in how many it was the best in hindsight.

    Where one was chosen among all recipes, of these choices alone.
    """
    together = [row for row in rows if row["line"] == ALL_RECIPES]
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for row in together or rows:
        for which in ("chosen", "oracle"):
            given = row[which]
            recipe = "" if row["line"] == given["recipe"] else f"{given['recipe']}: "
            name = f"{recipe}{given['method']}, {reader_name(given['classifier'])}, {adapted_by(given)}"
            found = counts.setdefault((f"{row['line']}, {row['protocol']}", name), {"chosen": 0, "oracle": 0})
            found[which] += 1
    groups: dict[str, list[Line]] = {}
    for (title, name), found in sorted(counts.items(), key=lambda pair: -pair[1]["chosen"]):
        if found["chosen"]:
            groups.setdefault(title, []).append(Line([name, str(found["chosen"]), str(found["oracle"])]))
    caption = "Readings that were chosen: in how many cells, and in how many each was the best in hindsight"
    blocks = [Group(lines, Cell(title)) for title, lines in sorted(groups.items())]
    return Table(caption, ["Reading", "validated", "oracle"], blocks, copy=True)


def section_of_terminal(bench: Bench) -> Section | None:
    """Return the mean regrets on every target, with one line each of what was chosen where there are few."""
    rows = shown(bench)
    if not rows or not bench.results["regrets"]:
        return None
    parts: list[Part] = [Note(""), _short(bench), Note(""), Note(BELIEVE), Note(_how(rows))]
    return Section("validated", TITLE, parts)


def _short(bench: Bench) -> Table:
    """Return the same as `_means`, a line for each recipe, protocol and kind of source, and a column a target."""
    lines: dict[tuple[str, str], dict[str, Row]] = {}
    asked = {(row["line"], row["protocol"]) for row in shown(bench)}
    for row in bench.results["regrets"]:
        if (row["line"], row["protocol"]) in asked:
            title = f"{row['protocol']}, {_BRIEF[row['corpora']]}"
            lines.setdefault((row["line"], title), {})[row["target"]] = row
    names = [name for name in (*bench.targets, ALL_TARGETS) if any(name in cells for cells in lines.values())]
    groups: dict[str, list[Line]] = {}
    for (line, title), cells in lines.items():
        groups.setdefault(line, []).append(Line([f"  {title}", *(_brief(cells.get(name)) for name in names)]))
    heads = ["validated/oracle, regret", *(f"mean, {name}" if name == ALL_TARGETS else name for name in names)]
    return Table("", heads, [Group(rows, Cell(line)) for line, rows in groups.items()])


def _brief(row: Row | None) -> Cell:
    if row is None:
        return Cell("")
    return Cell(f"{number(row['validated'])}/{number(row['oracle'])}", f"{number(row['regret'])} {_ends(row)}")


def shown(bench: Bench) -> list[Row]:
    """Return the choices among several readings: of a single one there is nothing to choose."""
    rows: list[Row] = bench.results.get("validated", [])
    return [row for row in rows if row["candidates"] > 1]


def _how(rows: Sequence[Row]) -> str:
    ways = dict.fromkeys(row["by"] for row in rows)
    return f"How it was chosen: {'; or '.join(_WAYS.get(way, way) for way in ways)}."


def _means(bench: Bench) -> Table:
    """Return the mean UA of validated choice and oracle, and the regret, on each target and over all."""
    asked = {(row["line"], row["protocol"]) for row in shown(bench)}
    groups: dict[str, dict[str, Row]] = {}
    for row in bench.results["regrets"]:
        if (row["line"], row["protocol"]) in asked:
            groups.setdefault(f"{row['line']}, {row['protocol']}, {_KINDS[row['corpora']]}", {})[row["target"]] = row
    names = [name for name in (*bench.targets, ALL_TARGETS) if any(name in by for by in groups.values())]
    lines: list[Cells] = [[title, *(_mean(by.get(name)) for name in names)] for title, by in groups.items()]
    caption = "UA validated / oracle and regret, mean over the sources of each target, then over targets"
    return Table.of(caption, ["Choice", *names], lines, copy=True)


def _mean(row: Row | None) -> Cell:
    if row is None:
        return Cell("—", hidden="none")
    scores = f"{number(row['validated'])} / {number(row['oracle'])}"
    return Cell(scores, more=[f"regret {number(row['regret'])} {_ends(row)}"])


def adapted_by(reading: Row) -> str:
    """Say how a reading adapts.

    >>> adapted_by({"normalise": "source"}), adapted_by({"normalise": "corpus"}), adapted_by({"normalise": "coral"})
    ('zero-shot', 'corpus statistics', 'coral')
    """
    name = reading["normalise"]
    if name == "source":
        return ZERO_SHOT
    return f"{name} statistics" if name in PROTOCOL else str(name)


def _ends(row: Row) -> str:
    return bounds(row["regret_low"], row["regret_high"])

"""What can be chosen without a target's labels, beside what only its labels could choose, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from xlser.evaluation.pretended import ALL_TARGETS, HOME, LEFT_OUT, OTHERS, UNLABELLED
from xlser.features.normalise import PROTOCOL
from xlser.reporting.bench.facts import Bench, Row
from xlser.reporting.section import Cell, Group, Heading, Note, Part, Section, Table
from xlser.reporting.section import Row as Line
from xlser.reporting.wording import bounds, known, number, plural, reader_name, side
from xlser.vocabulary import ZERO_SHOT

TITLE = "Chosen without the target's labels"
BELIEVE = (
    "Believe the column “validated”: it is what somebody reaches who has no label of the target. “Oracle” is the best "
    "of the same readings in hindsight, which only the target's labels tell, and “regret” what the choice lost to it."
)
_LOOKS = {
    ZERO_SHOT: "nothing of the target looked at",
    "transductive": "the target's unlabelled recordings may be looked at",
}
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
    """Return the validated choice for every source and target beside the oracle, and mean regrets."""
    rows = shown(bench)
    if not rows:
        return None
    parts: list[Part] = [Note(BELIEVE), Note(_how(rows))]
    if bench.results["regrets"]:
        parts += [Heading("Means"), _means(bench)]
    for protocol in dict.fromkeys(row["protocol"] for row in rows):
        mine = [row for row in rows if row["protocol"] == protocol]
        parts += [Heading(f"{protocol.capitalize()}: {_LOOKS[protocol]}"), _table(bench, mine)]
    papers = Markup(", ").join(
        Markup('<a href="tables/{0}">{0}</a>').format(f"validated.{kind}") for kind in ("tex", "md")
    )
    parts.append(Note(Markup("For a paper: {}.").format(papers)))
    return Section("validated", TITLE, parts, short="Chosen")


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


def regret_sentences(bench: Bench) -> list[tuple[str, str]]:
    """Say what the choices without labels reach in the mean of the targets, and what they lose."""
    lines = []
    for row in _overall(bench):
        lead = f"{row['line']}, {row['protocol']}, {_KINDS[row['corpora']]}:"
        mean = f"UA {number(row['validated'])} in the mean of {_targets(bench, row)}, chosen without their labels"
        best = f"in hindsight {number(row['oracle'])}, a regret of {number(row['regret'])} {_ends(row)}"
        lines.append((lead, f"{mean}; {best}."))
    return lines


def shown(bench: Bench) -> list[Row]:
    """Return the choices among several readings: of a single one there is nothing to choose."""
    rows: list[Row] = bench.results.get("validated", [])
    return [row for row in rows if row["candidates"] > 1]


def _overall(bench: Bench) -> list[Row]:
    asked = {(row["line"], row["protocol"]) for row in shown(bench)}
    rows = bench.results.get("regrets", [])
    return [row for row in rows if row["target"] == ALL_TARGETS and (row["line"], row["protocol"]) in asked]


def _targets(bench: Bench, row: Row) -> str:
    same = ("line", "protocol", "corpora")
    count = sum(all(one[name] == row[name] for name in same) for one in bench.results["regrets"]) - 1
    return plural(count, "target")


def _how(rows: Sequence[Row]) -> str:
    ways = dict.fromkeys(row["by"] for row in rows)
    return f"How it was chosen: {'; or '.join(_WAYS.get(way, way) for way in ways)}."


def _means(bench: Bench) -> Table:
    """Return the mean UA of validated choice and oracle, and the regret, on each target and over all."""
    asked, groups = {(row["line"], row["protocol"]) for row in shown(bench)}, {}
    for row in bench.results["regrets"]:
        if (row["line"], row["protocol"]) in asked:
            title = f"{row['line']}, {row['protocol']}, {_KINDS[row['corpora']]}"
            groups.setdefault(title, []).append(row)
    lines = [Group([_mean(row) for row in several], Cell(title)) for title, several in groups.items()]
    return Table("UA, mean over the sources of each target, then over targets", _HEADS, lines)


_HEADS = ("Target", "validated", "oracle", "regret")


def _mean(row: Row) -> Line:
    name = row["target"] if row["cells"] == 1 else f"{row['target']} ({row['cells']} cells)"
    return Line([name, number(row["validated"]), number(row["oracle"]), _regret(row)])


def _table(bench: Bench, rows: Sequence[Row]) -> Table:
    groups: dict[str, list[Line]] = {}
    for row in rows:
        cells = [f"{row['source']} → {row['target']}", _reading(bench, row, "chosen"), _reading(bench, row, "oracle")]
        how = Cell(_measured(row), more=[row["by"]])
        groups.setdefault(row["line"], []).append(Line([*cells, _regret(row), how]))
    heads = ["Source → target", "Validated", "Oracle (hindsight)", "Regret", "Chosen by"]
    caption = "UA of the validated choice and of the oracle, among the same readings"
    return Table(caption, heads, [Group(lines, Cell(line)) for line, lines in groups.items()], point="chance")


def _measured(row: Row) -> str:
    if row["by"] == UNLABELLED:
        return f"{number(row['validation'])} nats"
    return f"UA {number(row['validation'])} in {plural(len(row['places']), 'place')}"


def _reading(bench: Bench, row: Row, which: str) -> Cell:
    given = row[which]
    where = side(given["low"], given["high"], given.get("chance"))
    recipe = "" if row["line"] == given["recipe"] else f"{given['recipe']}: "
    text = f"{recipe}{given['method']}, {reader_name(given['classifier'])}, {adapted_by(given)}"
    return Cell(number(given["value"]), bounds(given["low"], given["high"]), where, more=[text])


def adapted_by(reading: Row) -> str:
    """Say how a reading adapts.

    >>> adapted_by({"normalise": "source"}), adapted_by({"normalise": "corpus"}), adapted_by({"normalise": "coral"})
    ('zero-shot', 'corpus statistics', 'coral')
    """
    name = reading["normalise"]
    if name == "source":
        return ZERO_SHOT
    return f"{name} statistics" if name in PROTOCOL else str(name)


def _regret(row: Row) -> Cell:
    if not known(row.get("regret")):
        return Cell("n/a")
    return Cell(number(row["regret"]), _ends(row))


def _ends(row: Row) -> str:
    return bounds(row["regret_low"], row["regret_high"])

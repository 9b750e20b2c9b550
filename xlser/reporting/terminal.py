"""The end of a run in a terminal: UA and the main correlations, under the recipe's own protocol."""

from __future__ import annotations

from xlser.reporting.chosen import LEAD
from xlser.reporting.facts import FEATURES, HEADS, Facts, Row
from xlser.reporting.section import Cell, Group, Note, Section, Table
from xlser.reporting.section import Row as Line
from xlser.reporting.tables import COMPARED_METRICS, compared_name
from xlser.reporting.wording import bounds, number, reader_name, side, signed
from xlser.vocabulary import AXES


def opening(facts: Facts) -> Section:
    """Return which run it is, and what must be read before any number."""
    notes = []
    if facts.about["synthetic"]:
        notes.append(f"SYNTHETIC speech ({', '.join(facts.about['synthetic'])}): no evidence about human emotion.")
    if facts.shared:
        notes.append("WARNING: speakers stand in more than one part of the split; see the report.")
    title = f"{facts.recipe['name']}: {facts.source} to {', '.join(facts.targets)}"
    return Section("run", title, [Note(note) for note in [*notes, *facts.warnings]])


def closing(facts: Facts) -> Section:
    """Return where other numbers stand, and what brackets and stars mean."""
    names = dict.fromkeys(name for corpus in facts.targets for name in facts.protocols(corpus))
    others = [f"{name.capitalize()} numbers: see the report." for name in names if name != facts.protocol]
    over = facts.baseline
    if facts.has_heads:
        over = f"the classifier of {over} (of the same reader or axis in the other tables)"
    gain = "" if facts.baseline == FEATURES else f", then the gain over {over}; * its interval excludes 0"
    how = f"[{facts.percent} interval over speakers]{gain}."
    taken = [f"{LEAD} {facts.chosen}"] if facts.chosen else []
    return Section("signs", "", [Note(note) for note in [*others, *taken, how]])


def compared(facts: Facts) -> Section | None:
    """Return every method's classifier, then every method's classifier with its neighbours."""
    rows = [row for row in facts.results["transfer"] if row["classifier"] in HEADS and facts.is_main(row)]
    groups = []
    for found in _blocks(rows):
        by = {(row["classifier"], row["method"], row["metric"]): row for row in found}
        chance = next((row["chance"] for row in found if row["metric"] == "UA"), None)
        lines = []
        for reader, method in ((reader, method) for reader in HEADS for method in facts.main):
            scores = [by.get((reader, method, name)) for name in COMPARED_METRICS]
            if any(scores):
                wa, ua, f1 = (Cell("n/a") if row is None else Cell(number(row["value"]), _ends(row)) for row in scores)
                gain = _gain(facts, scores[COMPARED_METRICS.index("UA")])
                lines.append(Line([compared_name(facts, method, reader), wa, ua, f1.text, gain]))
        groups.append(Group(lines, Cell(f"{_head(facts, found[0])}, chance {number(chance)} (UA)")))
    return _section(["Classifier", *COMPARED_METRICS, "gain in UA"], groups)


def read(facts: Facts) -> Section | None:
    """Return the UA of what reads an embedding."""
    rows = [row for row in facts.results["transfer"] if row["metric"] == "UA" and facts.is_main(row)]
    rows = [row for row in rows if row["classifier"] not in HEADS]
    names = list(dict.fromkeys(row["classifier"] for row in rows))[:2]
    groups = []
    for found in _blocks(rows):
        lines = []
        for method in dict.fromkeys(row["method"] for row in found):
            by = {row["classifier"]: row for row in found if row["method"] == method}
            lines.append(Line([facts.method_name(method), *(_cell(facts, by.get(name)) for name in names)]))
        groups.append(Group(lines, Cell(f"{_head(facts, found[0])}, chance {number(found[0]['chance'])}")))
    title = "UA, embedding read by others" if facts.has_heads else "UA"
    return _section([title, *map(reader_name, names)], groups)


def correlated(facts: Facts) -> Section | None:
    """Return Pearson's r of the main axes with every dimension."""
    rows = [row for row in facts.results["correlation"] if row["statistic"] == "Pearson" and facts.is_main(row)]
    groups = []
    for found in _blocks([row for row in rows if row["axis"] in AXES]):
        lines = []
        for method, axis in dict.fromkeys((row["method"], row["axis"]) for row in found):
            by = {row["dimension"]: row for row in found if (row["method"], row["axis"]) == (method, axis)}
            cells = [_cell(facts, by.get(name)) for name in facts.dimensions]
            lines.append(Line([f"{facts.method_name(method)}, {axis}", *cells]))
        groups.append(Group(lines, Cell(_head(facts, found[0]))))
    return _section(["Pearson r", *facts.dimensions], groups)


def _section(heads: list[str], groups: list[Group]) -> Section | None:
    return Section("", "", [Table("", heads, groups)]) if groups else None


def _blocks(rows: list[Row]) -> list[list[Row]]:
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row["corpus"], row["protocol"]), []).append(row)
    return list(found.values())


def _head(facts: Facts, row: Row) -> str:
    return f"{facts.name(row['corpus'], row.get('ratings', ''))}, {facts.reading(row)}"


def _ends(row: Row) -> str:
    return bounds(row["low"], row["high"])


def _gain(facts: Facts, row: Row | None) -> Cell:
    if row is None or not facts.is_compared(row):
        return Cell()
    low, high = row["gain_low"], row["gain_high"]
    return Cell(signed(row["gain"]), bounds(low, high, plus=True), side(low, high, 0.0))


def _cell(facts: Facts, row: Row | None) -> Cell:
    """Return a score with its interval, and the gain behind it, without one."""
    if row is None:
        return Cell("n/a")
    gain = _gain(facts, row)
    return Cell(f"{number(row['value'])} {_ends(row)} {gain.text}".rstrip(), side=gain.side)

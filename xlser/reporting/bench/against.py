"""What a bench chose beside its rivals on the same clips: paired tests over speakers, never intervals alone."""

from __future__ import annotations

from xlser.evaluation.pretended import ALL_TARGETS
from xlser.evaluation.tested import ALL_SOURCES, NO_ADAPTATION, OTHER_SOURCE, PLAIN_FEATURES
from xlser.reporting.bench.believe import above_chance, compared, shortcuts
from xlser.reporting.bench.facts import Bench, Key, Row, named_reading, reading
from xlser.reporting.bench.means import is_counted, over_targets
from xlser.reporting.section import Cell, Cells, Note, Part, Section, Table, Words
from xlser.reporting.wording import known, listing, number, score, signed
from xlser.vocabulary import ZERO_SHOT

LEVEL = 0.05
_HOW = (
    "p: the two are swapped speaker by speaker on the same clips, and corrected by Holm over each table. ● p below "
    f"{LEVEL}. A difference that is not told is no proof that there is none."
)
_OLDER = (
    "These results hold no paired tests of readings: an older xlser wrote them. The same command again makes them from "
    "what is kept below jobs/, without training."
)


def section(bench: Bench) -> Section:
    """Return what adaptation, network and source change, each with its test, and how recipes compare."""
    parts: list[Part] = [Note(_HOW if tests(bench) or bench.results["comparisons"] else _OLDER)]
    parts += [table for table in (adaptations(bench), features(bench), sources(bench)) if table]
    lines = [*above_chance(bench), *shortcuts(bench), *compared(bench)]
    return Section("tests", "Compared on the same clips", [*parts, *([Words(lines)] if lines else [])], "Tests")


def tests(bench: Bench) -> list[Row]:
    """Return the rows of `reading_tests`; none of results that an older xlser wrote."""
    found: list[Row] = bench.results.get("tests", [])
    return found


def p_said(row: Row) -> str:
    """Write a corrected p-value.

    >>> p_said({"p_holm": 0.0001}), p_said({"p_holm": 0.0449}), p_said({"p_holm": None})
    ('p < 0.001', 'p = 0.045', 'p n/a')
    """
    p = row["p_holm"]
    if not known(p):
        return "p n/a"
    return "p < 0.001" if p < 0.001 else f"p = {number(p, 3 if p < 0.1 else 2)}"


def adaptation_rows(bench: Bench) -> list[Row]:
    """Return what each way to adapt changes in the mean over sources, by target and over all; tested where it can be.

    Of single sources, or of joined ones where there are no others; with human speech on both sides where there is any.
    """
    return _of_kind([row for row in tests(bench) if _is_mean(row, NO_ADAPTATION)]) or _differences(bench)


def feature_tests(bench: Bench) -> dict[str, Row]:
    """Return by recipe the test of what it chose against plain features, over all targets."""
    rows = _of_kind([row for row in tests(bench) if _is_mean(row, PLAIN_FEATURES) and row["target"] == ALL_TARGETS])
    return {row["recipe"]: row for row in rows}


def _is_mean(row: Row, family: str) -> bool:
    return row["family"] == family and row["source"] == ALL_SOURCES


def _of_kind(rows: list[Row]) -> list[Row]:
    for name, first in (("data", "real"), ("corpora", "one")):
        rows = [row for row in rows if row[name] == first] or rows
    return rows


def _differences(bench: Bench) -> list[Row]:
    """Return the differences of results without tests."""
    found: dict[tuple[str, str], dict[str, list[Row]]] = {}
    for key in bench.transfers:
        base = bench.score(key, ZERO_SHOT)
        for name in bench.protocols:
            row = bench.score(key, name)
            if base and row and row is not base and is_counted(bench, *key[1:]):
                gained = {"value": row["value"] - base["value"], "low": None, "high": None}
                by_target = found.setdefault((key[0], str(row.get("normalise") or reading(row))), {})
                by_target.setdefault(key[2], []).append(gained)
    rows = []
    for (recipe, normalise), by_target in found.items():
        groups = {target: {target: several} for target, several in by_target.items()} | {ALL_TARGETS: by_target}
        about = {"recipe": recipe, "normalise": normalise, "p_holm": None}
        rows += [about | {"target": name, "difference": over_targets(one)["value"]} for name, one in groups.items()]
    return rows


def adaptations(bench: Bench) -> Table | None:
    """Return a line a recipe and way to adapt, a column a target; None where nothing adapts."""
    lines: dict[tuple[str, str], dict[str, Row]] = {}
    for row in adaptation_rows(bench):
        lines.setdefault((row["recipe"], row["normalise"]), {})[row["target"]] = row
    caption = "UA gained by adapting to unlabelled recordings, over zero-shot; mean over sources"
    named = {f"{recipe}, {named_reading(how)}": by for (recipe, how), by in lines.items()}
    return _changes(bench, caption, named)


def features(bench: Bench) -> Table | None:
    """Return a line a recipe, a column a target: UA less that of logistic regression on plain features."""
    lines: dict[str, dict[str, Row]] = {}
    for row in _of_kind([row for row in tests(bench) if _is_mean(row, PLAIN_FEATURES)]):
        lines.setdefault(row["recipe"], {})[row["target"]] = row
    return _changes(bench, "UA gained over plain features with logistic regression; mean over sources", lines)


def _changes(bench: Bench, caption: str, lines: dict[str, dict[str, Row]]) -> Table | None:
    if not lines:
        return None
    names = [name for name in (*bench.targets, ALL_TARGETS) if any(name in by for by in lines.values())]
    rows: list[Cells] = [[head, *(_change(by.get(name)) for name in names)] for head, by in lines.items()]
    return Table.of(caption, ["Recipe", *names], rows, copy=True)


def _change(row: Row | None) -> Cell:
    if row is None:
        return Cell("—", hidden="none")
    sure = known(row["p_holm"]) and row["p_holm"] < LEVEL
    return Cell(signed(row["difference"]), side="sure" * sure, more=[p_said(row)] if known(row["p_holm"]) else [])


def sources(bench: Bench) -> Table | None:
    """Return the source that carried furthest to each target, and which others it is told from; None without rivals."""
    rows: list[Cells] = []
    for target in bench.targets:
        keys = [key for key in bench.transfers if key[2] == target]
        scored = sorted(((key, row) for key in keys if (row := bench.score(key))), key=lambda one: -one[1]["value"])
        if len({key[1] for key, _ in scored}) > 1:
            (key, row), others = scored[0], list(dict.fromkeys(other[1] for other, _ in scored[1:]))
            others = [name for name in others if name != key[1]]
            rows.append([Cell(target, marks=bench.speech_marks(target)), *_best(bench, key, row, others)])
    heads = ["Target", "Best source", "UA", "told from", "not told from", "not comparable"]
    caption = "The source that carries furthest, picked on the target itself, which flatters it"
    return Table.of(caption, heads, rows, copy=True) if rows else None


def _best(bench: Bench, key: Key, row: Row, others: list[str]) -> list[Cell | str]:
    found: dict[str, list[str]] = {"sure": [], "unsure": [], "": []}
    for name in others:
        test = source_test(bench, key, name)
        kind = "" if test is None else "sure" if test["p_holm"] < LEVEL else "unsure"
        found[kind].append(name if test is None else f"{name} ({signed(test['difference'])}, {p_said(test)})")
    told = [listing(names) if names else "" for names in found.values()]
    return [Cell(key[1], more=[key[0]], marks=bench.speech_marks(key[1])), score(row), *told]


def source_test(bench: Bench, key: Key, rival: str) -> Row | None:
    """Return the test of a cell against the same recipe's other source on its target, the cell's own first."""
    for row in tests(bench):
        if (row["family"], row["recipe"], row["target"]) == (OTHER_SOURCE, key[0], key[2]) and known(row["p_holm"]):
            if (row["source"], row["rival"]) == (key[1], rival):
                return row
            if (row["rival"], row["source"]) == (key[1], rival):
                return row | {"difference": -row["difference"]}
    return None

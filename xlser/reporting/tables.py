"""Result rows as compact tables: blocks by corpus and protocol, a line per method, numbers already written out."""

from __future__ import annotations

from dataclasses import dataclass, field

from xlser.reporting.facts import HEADS, INTERPOLATED, Facts, Row
from xlser.reporting.recipe import terms_said
from xlser.reporting.section import Cell, Group, Table
from xlser.reporting.section import Row as TableRow
from xlser.reporting.wording import bounds, number, plural, reader_name, side, signed
from xlser.vocabulary import AXES

MAIN_AXES = (*AXES, "best latent")
CLASS_METRICS, COMPARED_METRICS = ("UA", "WA", "macro-F1"), ("WA", "UA", "macro-F1")
STATISTICS = ("Pearson", "Spearman", "CCC")


@dataclass
class Line:
    """One line: its ``heads`` (method and reader, or method and axis) and its cells; ``own`` is no baseline's."""

    heads: tuple[str, ...]
    cells: list[Cell]
    own: bool = False


@dataclass
class Block:
    """The lines of one corpus under one ``reading``: a protocol, or held-out speakers.

    ``notes`` say what they rest on, ``marks`` what to beware of.
    """

    corpus: str
    language: str
    reading: str
    notes: list[str]
    marks: list[str]
    lines: list[Line] = field(default_factory=list)


def score_table(blocks: list[Block], caption: str, label: str, heads: list[str]) -> Table:
    """Return blocks of lines as a table; the first head is that of their names."""
    groups = [
        Group(
            [TableRow([Cell(line.heads[0], line.heads[1]), *line.cells], "own" * line.own) for line in block.lines],
            Cell(f"{block.corpus} ({block.language}) · {block.reading}", " · ".join(block.notes), marks=block.marks),
        )
        for block in blocks
    ]
    return Table(caption, heads, groups, "scores", label)


def compared_blocks(facts: Facts) -> list[Block]:
    """Return what trained heads say: every method's classifier, then every method's classifier with its neighbours.

    Cells are WA, UA, macro-F1 and the gain in UA over the baseline; the first line of each block is chance. There are
    no blocks where no network classifies by itself.
    """
    blocks = []
    for rows in facts.groups("transfer", "corpus", "protocol").values():
        found = _by(rows, "classifier", "method")
        pairs = [(name, method) for name in HEADS for method in facts.main if (name, method) in found]
        if not pairs:
            continue
        block, chance = _class_block(facts, rows)
        block.lines.append(
            Line(("chance", ""), [*(Cell(number(chance.get(name))) for name in COMPARED_METRICS), Cell("")])
        )
        for name, method in pairs:
            what = "with its neighbours" if name == INTERPOLATED else terms_said(facts.terms(method))
            heads = (compared_name(facts, method, name), what)
            scores = {row["metric"]: row for row in found[name, method]}
            cells = [*(_score(scores.get(metric)) for metric in COMPARED_METRICS), _gain(facts, scores.get("UA"))]
            block.lines.append(Line(heads, cells, facts.is_own(found[name, method][0])))
        blocks.append(block)
    return blocks


def compared_name(facts: Facts, method: str, classifier: str) -> str:
    """Return what a method's head is called among others: ``ce``, or ``ce + kNN`` with its neighbours."""
    return facts.method_name(method) + (" + kNN" if classifier == INTERPOLATED else "")


def transfer_blocks(facts: Facts) -> list[Block]:
    """Return UA with its gain over the baseline, WA and macro-F1 of whatever reads an embedding.

    The first line of each block is chance. Trained heads are left to `compared_blocks`.
    """
    blocks = []
    for every in facts.groups("transfer", "corpus", "protocol").values():
        rows = [row for row in every if row["classifier"] not in HEADS]
        if not rows:
            continue
        block, chance = _class_block(facts, rows)
        cells = [Cell(number(chance.get(name))) for name in CLASS_METRICS]
        block.lines.append(Line(("chance", ""), [cells[0], Cell(""), *cells[1:]]))
        for (method, classifier), found in _by(rows, "method", "classifier").items():
            heads = (facts.method_name(method), reader_name(classifier))
            block.lines.append(_line(facts, heads, found, "metric", CLASS_METRICS))
        blocks.append(block)
    return blocks


def correlation_blocks(facts: Facts, singles: bool = False) -> list[Block]:
    """Return Pearson with its gain over the baseline, Spearman and CCC of the main axes, or of the single latents."""
    blocks = []
    keys = ("corpus", "protocol", "dimension")
    for (_, _, dimension), rows in facts.groups("correlation", *keys).items():
        wanted = [row for row in rows if (row["axis"] not in MAIN_AXES) == singles]
        if not wanted:
            continue
        first = wanted[0]
        block = _block(facts, first, [dimension, plural(first["utterances"], "utterance")], first["ratings"])
        for (method, axis), found in _by(wanted, "method", "axis").items():
            block.lines.append(_line(facts, (facts.method_name(method), axis), found, "statistic", STATISTICS))
        blocks.append(block)
    return blocks


def _class_block(facts: Facts, rows: list[Row]) -> tuple[Block, dict[str, float]]:
    """Return a block without lines, and chance by metric."""
    first = rows[0]
    sizes = {"emotion": first["classes"], "speaker": first["speakers"], "utterance": first["utterances"]}
    notes = [plural(count, noun) for noun, count in sizes.items()]
    return _block(facts, first, notes, ""), {row["metric"]: row["chance"] for row in rows}


def _block(facts: Facts, row: Row, notes: list[str], ratings: str) -> Block:
    language = str(facts.corpora.get(row["corpus"], {}).get("language", ""))
    marks = facts.marks(row["corpus"], ratings)
    return Block(row["corpus"], language, facts.reading(row), notes, marks)


def _by(rows: list[Row], *keys: str) -> dict[tuple, list[Row]]:
    found: dict[tuple, list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row[key] for key in keys), []).append(row)
    return found


def _line(facts: Facts, heads: tuple[str, ...], rows: list[Row], key: str, metrics: tuple[str, ...]) -> Line:
    """Return a cell per metric, which the column ``key`` names, the gain of the first one after it."""
    found = {row[key]: row for row in rows}
    cells = [_score(found.get(name)) for name in metrics]
    return Line(heads, [cells[0], _gain(facts, found.get(metrics[0])), *cells[1:]], facts.is_own(rows[0]))


def _score(row: Row | None) -> Cell:
    return Cell(number(row["value"]), bounds(row["low"], row["high"])) if row else Cell(number(None))


def _gain(facts: Facts, row: Row | None) -> Cell:
    if row is None or not facts.is_compared(row):
        return Cell("")
    low, high = row["gain_low"], row["gain_high"]
    return Cell(signed(row["gain"]), bounds(low, high, plus=True), side(low, high, 0.0))

"""Result rows as compact tables: blocks by corpus and protocol, a line per method, numbers already written out."""

from __future__ import annotations

from dataclasses import dataclass, field

from xlser.reporting.facts import PLAIN, Facts, Row
from xlser.reporting.wording import bounds, number, plural, reader_name, side, signed, whole

MAIN_AXES = ("direction", "latent mean", "best latent")
CLASS_METRICS = ("UA", "WA", "macro-F1")
STATISTICS = ("Pearson", "Spearman", "CCC")
# From this many utterances in a row on, a tenth of one is no news.
MANY = 20


@dataclass
class Cell:
    """A number and the interval that stands beneath it; ``side`` says where the interval of a gain lies."""

    text: str
    interval: str = ""
    side: str = ""


@dataclass
class Line:
    """One line: its ``heads`` (method and reader, or method and axis) and its cells."""

    heads: tuple[str, ...]
    cells: list[Cell]
    method: str = ""


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


@dataclass
class Confusion:
    """One confusion matrix: ``rows`` hold the true class, how often it was said, and cells of share and count."""

    corpus: str
    reading: str
    method: str
    reader: str
    marks: list[str]
    classes: list[str]
    rows: list[tuple[str, str, list[tuple[float, str, str]]]]
    main: bool


def transfer_blocks(facts: Facts) -> list[Block]:
    """Return UA with its gain over plain, WA and macro-F1; the first line of each block is chance."""
    blocks = []
    for rows in facts.groups("transfer", "corpus", "protocol").values():
        first = rows[0]
        sizes = {"emotion": first["classes"], "speaker": first["speakers"], "utterance": first["utterances"]}
        notes = [plural(count, noun) for noun, count in sizes.items()]
        block = _block(facts, first, notes, "")
        chance = {row["metric"]: row["chance"] for row in rows}
        cells = [Cell(number(chance.get(name))) for name in CLASS_METRICS]
        block.lines.append(Line(("chance", ""), [cells[0], Cell(""), *cells[1:]]))
        for (method, classifier), found in _by(rows, "method", "classifier").items():
            heads = (facts.method_name(method), reader_name(classifier))
            block.lines.append(Line(heads, _cells({row["metric"]: row for row in found}, CLASS_METRICS), method))
        blocks.append(block)
    return blocks


def correlation_blocks(facts: Facts, singles: bool = False) -> list[Block]:
    """Return Pearson with its gain over plain, Spearman and CCC of the main axes, or of the single latents."""
    blocks = []
    keys = ("corpus", "protocol", "dimension")
    for (_, _, dimension), rows in facts.groups("correlation", *keys).items():
        wanted = [row for row in rows if (row["axis"] not in MAIN_AXES) == singles]
        if not wanted:
            continue
        first = wanted[0]
        block = _block(facts, first, [dimension, plural(first["utterances"], "utterance")], first["ratings"])
        for (method, axis), found in _by(wanted, "method", "axis").items():
            cells = _cells({row["statistic"]: row for row in found}, STATISTICS)
            block.lines.append(Line((facts.method_name(method), axis), cells, method))
        blocks.append(block)
    return blocks


def confusions(facts: Facts) -> list[Confusion]:
    """Return every confusion matrix, row-normalised; ``main`` are the recipe's methods under its own protocol."""
    keys = ("corpus", "protocol", "method", "classifier")
    return [_confusion(facts, rows) for rows in facts.groups("confusion", *keys).values()]


def _block(facts: Facts, row: Row, notes: list[str], ratings: str) -> Block:
    language = str(facts.corpora.get(row["corpus"], {}).get("language", ""))
    marks = facts.marks(row["corpus"], ratings)
    return Block(row["corpus"], language, facts.reading(row), notes, marks)


def _by(rows: list[Row], *keys: str) -> dict[tuple, list[Row]]:
    found: dict[tuple, list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row[key] for key in keys), []).append(row)
    return found


def _cells(found: dict[str, Row], metrics: tuple[str, ...]) -> list[Cell]:
    """Return a cell per metric, the gain of the first one after it."""
    cells = [_score(found.get(name)) for name in metrics]
    return [cells[0], _gain(found.get(metrics[0])), *cells[1:]]


def _score(row: Row | None) -> Cell:
    return Cell(number(row["value"]), bounds(row["low"], row["high"])) if row else Cell(number(None))


def _gain(row: Row | None) -> Cell:
    if row is None or row["method"] == PLAIN:
        return Cell("")
    low, high = row["gain_low"], row["gain_high"]
    return Cell(signed(row["gain"]), bounds(low, high, plus=True), side(low, high, 0.0))


def _confusion(facts: Facts, rows: list[Row]) -> Confusion:
    first, classes = rows[0], list(dict.fromkeys(row["truth"] for row in rows))
    counts = {(row["truth"], row["prediction"]): float(row["count"] or 0.0) for row in rows}
    lines = []
    for truth in classes:
        found = [counts.get((truth, said), 0.0) for said in classes]
        total = sum(found)
        shares = [(count / total if total else 0.0, _share(count, total), _count(count, total)) for count in found]
        lines.append((truth, _count(total, total), shares))
    main = facts.is_main(first) and first["method"] in facts.main
    reader = reader_name(first["classifier"])
    marks = facts.marks(first["corpus"])
    return Confusion(first["corpus"], facts.reading(first), first["method"], reader, marks, classes, lines, main)


def _share(count: float, total: float) -> str:
    return number(count / total if total else None)


def _count(value: float, total: float) -> str:
    """Write a count; a mean over seeds need not be whole, and its decimal counts only in a small row."""
    small = total < MANY and abs(value - round(value)) >= 0.05
    return f"{value:.1f}" if small else whole(value)

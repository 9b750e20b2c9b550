"""Raters in a stranger's table: columns of counts, a column a rater, or a row a rater, as one label and its votes."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from xlser.corpora.globbing import nfc
from xlser.corpora.votes import Consensus, consensus, consensus_of_counts, read_votes, split_labels
from xlser.data.formats.about import About, by_word
from xlser.data.formats.cells import cell_number, cell_text
from xlser.data.formats.columns import TIMES
from xlser.data.formats.table_reader import TableRows
from xlser.errors import CorpusError
from xlser.vocabulary import DIMENSIONS

Row = dict[str, Any]
_SEGMENT = ("path", *TIMES, "channel")
_RATERS = "rater annotator annot ann coder judge evaluator labeler vote emotion emo label"
_RATER = re.compile(rf"({'|'.join(_RATERS.split())})[\W_]*\d+", re.IGNORECASE)
_COUNT = re.compile(r"(?i)(?:^(?:n|num|number|count)[\W_]+(?:of[\W_]+)?)|(?:[\W_]+(?:votes?|counts?|raters?|n)$)")


class Voted(NamedTuple):
    """Rows with one label each, notes on how it was found, and the headers that were read for it."""

    rows: list[Row]
    notes: list[str]
    read: list[str]


def with_votes(table: TableRows, about: About) -> Voted:
    """Return the rows of a table, those of several raters with what these say together.

    Where a row has a label of its own it is that one, and the votes stand beside it. Otherwise it is what more raters
    say than anything else; a tie is ``no-agreement``. Of rows of several raters the ratings are the mean.

    Args:
        table: as it was read.
        about: what its labels mean.

    Raises:
        CorpusError: rows of one recording that contradict each other elsewhere; labels that nothing reads.
    """
    rows = [dict(row) for row in table.rows]
    if "rater" in table.heads:
        return _by_rows(rows, about)
    heads = table.columns.unread
    counted = {head: label for head in heads if (label := _counted(head, about))}
    counts = [{label: _number(record.get(head)) for head, label in counted.items()} for record in table.records]
    if len(counted) > 1 and _are_votes(counts):
        votes = [{label: n for label, n in row.items() if n} for row in counts]
        meanings, notes = about.meanings(Counter(counted.values()), {label: by_word(label) for label in votes[0]})
        said = [consensus_of_counts(row, meanings) for row in votes]
        return _joined(rows, said, [*notes, f"raters are counted in {_some(counted)}"], list(counted))
    raters = [head for head in heads if _RATER.fullmatch(head.strip())]
    if len(raters) > 1:
        labels = [[split_labels(cell_text(record.get(head)) or "") for head in raters] for record in table.records]
        meanings, notes = about.meanings(Counter(word for row in labels for own in row for word in own), {})
        said = [consensus(row, meanings) for row in labels]
        return _joined(rows, said, [*notes, f"raters have a column each: {_some(raters)}"], raters)
    return Voted(rows, [], [])


def _by_rows(rows: list[Row], about: About) -> Voted:
    groups: dict[tuple[str | None, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(cell_text(row.get(role)) for role in _SEGMENT)].append(row)
    if max(map(len, groups.values())) == 1:
        return Voted(rows, [], [])
    said = [[_by_rater(row, n) for n, row in enumerate(group)] for group in groups.values()]
    labels = [[[word for r, words in own if r == rater for word in words] for rater in _raters(own)] for own in said]
    meanings, notes = about.meanings(Counter(word for row in labels for own in row for word in own), {})
    merged = [_merged(group) for group in groups.values()]
    note = f"{len(rows)} rows of raters are {len(merged)} recordings or segments"
    return _joined(merged, [consensus(row, meanings) for row in labels], [*notes, note], [])


def _by_rater(row: Row, number: int) -> tuple[str, list[str]]:
    """Return who rates in a row (whoever has no name is a rater of his own), and his labels."""
    label = cell_text(row.pop("emotion_raw", None)) or cell_text(row.pop("emotion", None)) or ""
    row.pop("emotion", None)
    return cell_text(row.pop("rater")) or f"\0{number}", split_labels(label)


def _raters(said: Iterable[tuple[str, list[str]]]) -> list[str]:
    return list(dict.fromkeys(rater for rater, _ in said))


def _merged(rows: list[Row]) -> Row:
    """Return one row of a recording's rows: the mean of ratings, and what all say of everything else."""
    made: Row = {}
    for role in dict.fromkeys(role for row in rows for role in row):
        cells = [row[role] for row in rows if cell_text(row.get(role)) is not None]
        if role in DIMENSIONS:
            numbers = [number for cell in cells if (number := cell_number(cell, role)) is not None]
            made[role] = sum(numbers) / len(numbers) if numbers else None
        elif role == "id":
            made[role] = cells[0] if len({cell_text(cell) for cell in cells}) == 1 else None
        elif len({cell_text(cell) for cell in cells}) > 1:
            several = " and ".join(dict.fromkeys(str(cell_text(cell)) for cell in cells))
            raise CorpusError(f"{rows[0]['path']}: its raters' rows have several values of {role}: {several}")
        else:
            made[role] = cells[0] if cells else None
    return made


def _joined(rows: list[Row], said: list[Consensus], notes: list[str], read: list[str]) -> Voted:
    for row, votes in zip(rows, said, strict=True):
        columns = votes.columns
        label = cell_text(row.get("emotion_raw")) or cell_text(row.get("emotion"))
        if label is None and votes.raters:
            row.update(columns)
        elif votes.raters:
            row.update(votes=columns["votes"], _votes=dict(votes.votes or {}), _raters=votes.raters)
    return Voted(rows, notes, read)


def beside_label(row: Row) -> Row:
    """Return the columns of votes on a row that has a label of its own: the share that agrees, and what others say."""
    votes, raters = row.get("_votes"), row.get("_raters")
    if not votes or not raters:
        return {}
    others = [name for name in votes if name != row["emotion"]]
    return {"agreement": votes.get(row["emotion"], 0) / raters, "secondary": ", ".join(others) or None}


def checked_votes(cell: object) -> str | None:
    """Return a manifest's cell of votes as it is; None for what is none, such as a number of them.

    Raises:
        CorpusError: it begins like votes, and cannot be read.
    """
    text = cell_text(cell)
    if text is None or not text.startswith("{"):
        return None
    try:
        return text if read_votes(text) else None
    except ValueError as error:
        raise CorpusError(str(error)) from None


def _counted(head: str, about: About) -> str | None:
    """Return the label that a column counts, or None."""
    label = _COUNT.sub("", nfc(head).strip())
    return label if label in about.emotions or by_word(label) else None


def _number(cell: object) -> float | None:
    try:
        return cell_number(cell, "votes") or 0.0
    except CorpusError:
        return None


def _are_votes(counts: list[dict[str, float | None]]) -> bool:
    """Say whether numbers are raters by label: whole ones, or shares that come to 1 or 100 in every row."""
    rows = [list(row.values()) for row in counts]
    if any(number is None or number < 0 for row in rows for number in row) or not any(map(any, rows)):
        return False
    sums = [sum(number or 0 for number in row) for row in rows if any(row)]
    whole = all(float(number or 0).is_integer() for row in rows for number in row)
    return whole or any(all(abs(total - full) < 0.02 * full for total in sums) for full in (1, 100))


def _some(heads: Iterable[str], most: int = 6) -> str:
    heads = list(heads)
    return ", ".join(map(repr, heads[:most])) + (f" and {len(heads) - most} more" if len(heads) > most else "")

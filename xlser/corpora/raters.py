"""Raters in a table: columns of counts, a column a rater, or a row a rater, as one cell ``votes`` of a row."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

from xlser.corpora.parts import Votes
from xlser.corpora.votes import split_labels
from xlser.errors import CorpusError

# The field of a row that holds what its raters say: {"counts": {label: number}} or {"raters": [[label, ...], ...]}.
VOTES = "votes"
# The field of a row that holds who rates, where there is a row for each.
RATER = "rater"


def read_cells(votes: Votes, record: Mapping[str, str], heads: Mapping[str, str], where: str) -> dict[str, str]:
    """Return the fields that a row's cells of votes give, empty where nobody voted.

    Args:
        votes: how the table holds them.
        record: the row's cells by header.
        heads: headers, by the label or number of the rater that they stand for, or by ``rater``.
        where: the table and the row, for messages.

    Raises:
        CorpusError: a count that is no number of at least 0.
    """
    if votes.rows:
        return {RATER: record[heads[RATER]].strip()} if RATER in heads else {RATER: ""}
    if isinstance(votes.columns, Mapping):
        counts = {label: _count(record[head], head, where) for label, head in heads.items()}
        return {VOTES: json.dumps({"counts": counts}) if any(counts.values()) else ""}
    raters = [labels for head in heads.values() if (labels := split_labels(record[head]))]
    return {VOTES: json.dumps({"raters": raters}) if raters else ""}


def combined(rows: list[dict[str, str]], where: str) -> dict[str, str]:
    """Return one row of a recording's rows, a row a rater.

    Labels become ``votes``: those of one rater count once, whoever has no name is a rater of his own. Ratings
    (``*_raw``) become the mean over raters, of which one who rates twice counts once, with his own mean. Every other
    column must say the same in all rows, or nothing.

    Raises:
        CorpusError: another column contradicts itself, or a rating is no number.
    """
    raters: dict[str, list[dict[str, str]]] = {}
    for number, row in enumerate(rows):
        raters.setdefault(row.get(RATER) or f"\0{number}", []).append(row)
    made: dict[str, str] = {}
    for name in (name for name in rows[0] if name not in (RATER, "emotion")):
        texts = dict.fromkeys(row[name] for row in rows if row[name])
        if name.endswith("_raw"):
            made[name] = _mean([[row[name] for row in own] for own in raters.values()], name, where)
        elif len(texts) > 1:
            raise CorpusError(
                f"{where} has a row for each rater, of which {name!r} is once {' and once '.join(texts)}."
            )
        else:
            made[name] = next(iter(texts), "")
    if "emotion" in rows[0]:
        labels = [[label for row in own for label in split_labels(row["emotion"])] for own in raters.values()]
        said = [several for several in labels if several]
        made |= {"emotion": "", VOTES: json.dumps({"raters": said}) if said else ""}
    return made


def _mean(texts: list[list[str]], name: str, where: str) -> str:
    means = []
    for own in texts:
        numbers = [_number(text, name, where) for text in own if text and text.lower() != "nan"]
        if numbers:
            means.append(math.fsum(numbers) / len(numbers))
    return repr(math.fsum(means) / len(means)) if means else ""


def _count(text: str, head: str, where: str) -> float:
    count = _number(text, head, where) if text.strip() else 0.0
    if count < 0:
        raise CorpusError(f"{where}: {head!r} counts raters and must be at least 0, but is {text.strip()!r} instead.")
    return count


def _number(text: str, head: str, where: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        comma = " Write decimals with a point." if "," in text else ""
        raise CorpusError(f"{where}: {head!r} must be a number, but is {text.strip()!r} instead.{comma}")
    return number


def where_in(path: Path, written: str) -> str:
    """Return a table and one of its recordings as a message names them."""
    return f"table {path}, {written!r}"

"""Cards as text for a terminal."""

from __future__ import annotations

from xlser.corpora.card import Card, card_paths, load_card
from xlser.errors import CardError

WIDTH = 120
_HEAD = ("name", "language", "files", "speakers", "hours", "kind", "ratings", "verified", "licence")
_DIMENSIONS = {"valence": "V", "activation": "A", "dominance": "D"}


def card_list() -> str:
    """Return a table of every known corpus, at most `WIDTH` columns wide.

    A card that cannot be read is named with its fault and the rest is shown. Ratings are V (valence), A (activation)
    and D (dominance); the licence, which comes last, is cut to what is left of the width.
    """
    rows = [_HEAD]
    faults = []
    for name in card_paths():
        try:
            rows.append(_row(load_card(name)))
        except CardError as error:
            faults.append(f"cannot be read: {error}")
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*(_cut(line) for line in lines), *faults])


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"


def _row(card: Card) -> tuple[str, ...]:
    known = card.expect
    return (
        card.name,
        ", ".join(card.languages),
        f"{known.utterances:,}" if known.utterances else "?",
        str(known.speakers or "?"),
        f"{known.hours:g}" if known.hours else "?",
        card.elicitation,
        "".join(letter for name, letter in _DIMENSIONS.items() if name in _rated(card)) or "-",
        "never" if card.is_own else "yes" if card.verified else "no",
        card.licence.partition(" (")[0],
    )


def _rated(card: Card) -> tuple[str, ...]:
    """Return the dimensions that a corpus has ratings of; a hook that reads ratings reads all three."""
    if card.dimensions is None:
        return ()
    return tuple(card.dimensions.columns or _DIMENSIONS)


def card_text(card: Card) -> str:
    """Return everything a card says, a line each."""
    lines = {
        "title": card.title,
        "language": ", ".join(card.languages),
        "licence": card.licence,
        "source": f"{card.source.citation} {card.source.url}".strip(),
        "to have it": _access(card),
        "elicitation": card.elicitation + (": no evidence about human emotion" if card.synthetic else ""),
        "files": " or ".join(card.audio),
        "grammar": card.grammar,
        "speaker": card.speaker,
        "emotions": ", ".join(f"{code} = {name}" for code, name in card.meanings().items()) or "none: it is rated",
        "votes": _votes(card),
        "parts": f"of its official split: {card.partition}" if card.partition else "",
        "ratings": _ratings(card),
        "left out": "; ".join(f"{' or '.join(rule.files)} ({rule.reason})" for rule in card.ignore),
        "complete": _complete(card),
        "notes": card.notes.strip(),
        "card": f"{card.name} {card.hash}"
        + ("" if card.verified or card.is_own else ", built on facts that were not verified"),
    }
    return "\n".join(f"{key + ':':13}{value}" for key, value in lines.items() if value)


def _access(card: Card) -> str:
    if card.source.download:
        return f"download {' and '.join(card.source.download)}"
    return f"ask {card.source.ask}" if card.source.ask else ""


def _votes(card: Card) -> str:
    votes = card.table.votes if card.table else None
    if votes is None:
        return ""
    how = "a row for each rater" if votes.rows else f"columns {', '.join(votes.columns)}"
    return f"of several raters, {how} of {card.table.file}; the label is their {votes.rule}"


def _ratings(card: Card) -> str:
    rated = card.dimensions
    if rated is None:
        return "none"
    place = f", from {rated.file}" if rated.file else ""
    credit = f" ({rated.citation})" if rated.citation else ""
    return f"{', '.join(_rated(card))} on {rated.scale[0]:g} to {rated.scale[1]:g}{place}{credit}"


def _complete(card: Card) -> str:
    counts = ", ".join(f"{code} {count}" for code, count in card.expect.emotion.items())
    known = card.expect
    if not (known.utterances or known.speakers or counts):
        return "the card does not say"
    hours = f", {known.hours:g} h" if known.hours else ""
    total = f"{known.utterances or '?'} utterances, {known.speakers or '?'} speakers{hours}"
    return total + (f"; {counts}" if counts else "")

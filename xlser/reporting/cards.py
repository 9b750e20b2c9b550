"""Cards as text for a terminal."""

from __future__ import annotations

from xlser.corpora.card import Card, card_paths, load_card
from xlser.errors import CardError

_LICENCE_WIDTH = 40


def card_list() -> str:
    """Return a table of every known corpus; a card that cannot be read is named with its fault, the rest is shown."""
    rows = [("name", "language", "files", "speakers", "kind", "ratings", "licence")]
    faults = []
    for name in card_paths():
        try:
            rows.append(_row(load_card(name)))
        except CardError as error:
            faults.append(f"cannot be read: {error}")
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, *faults])


def _row(card: Card) -> tuple[str, ...]:
    licence = card.licence.partition(" (")[0]
    return (
        card.name,
        ", ".join(card.languages),
        f"{card.expect.utterances:,}" if card.expect.utterances else "?",
        str(card.expect.speakers or "?"),
        card.elicitation + ("" if card.verified else " (unverified)"),
        ", ".join(card.dimensions.columns) if card.dimensions else "-",
        licence if len(licence) <= _LICENCE_WIDTH else licence[: _LICENCE_WIDTH - 1] + "…",
    )


def card_text(card: Card) -> str:
    """Return everything a card says, a line each."""
    lines = {
        "title": card.title,
        "language": ", ".join(card.languages),
        "licence": card.licence,
        "source": f"{card.source.citation} {card.source.url}".strip(),
        "elicitation": card.elicitation + (": no evidence about human emotion" if card.synthetic else ""),
        "files": " or ".join(card.audio),
        "grammar": card.grammar,
        "speaker": card.speaker,
        "emotions": ", ".join(f"{code} = {name}" for code, name in card.emotion.items()),
        "ratings": _ratings(card),
        "complete": _complete(card),
        "notes": card.notes.strip(),
        "card": f"{card.name} {card.hash}" + ("" if card.verified else ", built on facts that were not verified"),
    }
    return "\n".join(f"{key + ':':13}{value}" for key, value in lines.items() if value)


def _ratings(card: Card) -> str:
    rated = card.dimensions
    if rated is None:
        return "none"
    place = f", from {rated.file}" if rated.file else ""
    credit = f" ({rated.citation})" if rated.citation else ""
    return f"{', '.join(rated.columns)} on {rated.scale[0]:g} to {rated.scale[1]:g}{place}{credit}"


def _complete(card: Card) -> str:
    counts = ", ".join(f"{code} {count}" for code, count in card.expect.emotion.items())
    known = card.expect
    if not (known.utterances or known.speakers or counts):
        return "the card does not say"
    return f"{known.utterances or '?'} utterances, {known.speakers or '?'} speakers" + (f"; {counts}" if counts else "")

"""What a recording's row says of its emotion: one label, none, or what several raters make of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from xlser.corpora.card import Card
from xlser.corpora.emotions import check_canonical
from xlser.corpora.globbing import nfc
from xlser.corpora.raters import VOTES
from xlser.corpora.votes import Consensus, consensus, consensus_of_counts, split_labels
from xlser.vocabulary import UNLABELLED

Problems = dict[str, list[str]]


def code_of(text: str, codes: Iterable[str]) -> str:
    """Return the code that a name or table holds, in the card's spelling if it differs in letter case alone."""
    text = nfc(text.strip())
    return text if text in codes else next((code for code in codes if code.lower() == text.lower()), text)


def read_label(card: Card, fields: Mapping[str, str], path: str, problems: Problems, *, rated: bool) -> dict:
    """Return ``emotion_raw`` and ``emotion`` of a recording; where there are, ``votes``, ``agreement``, ``secondary``.

    Where the row has a label of its own it is that one, and its votes stand beside it; where it has votes alone, it is
    what they say. Without either a recording that is ``rated``, or of which nobody of many voted, is unlabelled. A
    label that the card does not know is a problem of ``path``.
    """
    code, votes = code_of(fields.get("emotion", ""), card.emotion), _consensus(card, fields, path, problems)
    if votes is not None and not code:
        return {name: value for name, value in votes.columns.items() if value is not None}
    label = {"emotion_raw": code, "emotion": card.emotion.get(code)}
    if not code and label["emotion"] is None and (rated or _may_be_silent(card)):
        label["emotion"] = UNLABELLED
    elif label["emotion"] is None:
        problems[f"label {code!r} is not in the card's `emotion` table ({', '.join(card.emotion)})"].append(path)
    if votes is not None:
        label |= _beside(votes, label["emotion"])
    return label | _secondary(card, fields, path, problems)


def _may_be_silent(card: Card) -> bool:
    """Tell whether nothing but raters or ratings say something of a recording, who may be silent on one."""
    return "emotion" not in card.fields() or (card.table is not None and card.table.by_rater)


def _consensus(card: Card, fields: Mapping[str, str], path: str, problems: Problems) -> Consensus | None:
    if card.table is None or card.table.votes is None or not fields.get(VOTES):
        return None
    said, meanings, rule = json.loads(fields[VOTES]), card.meanings(), card.table.votes.rule
    if "counts" in said:
        made = consensus_of_counts({code_of(label, meanings): n for label, n in said["counts"].items()}, meanings, rule)
    else:
        raters = [[code_of(label, meanings) for label in labels] for labels in said["raters"]]
        made = consensus(raters, meanings, rule)
    for label in made.unread:
        problems[f"vote {label!r} is not in the card's `emotion` table ({', '.join(meanings)})"].append(path)
    return made


def _beside(votes: Consensus, emotion: str | None) -> dict:
    """Return the columns of votes on a recording whose emotion is known from elsewhere."""
    counts = dict(votes.votes or {})
    made: dict[str, object] = {"votes": votes.columns["votes"]}
    if votes.raters:
        made["agreement"] = counts.get(emotion or "", 0) / votes.raters
    others = [name for name in counts if name != emotion]
    return made | ({"secondary": ", ".join(others)} if others else {})


def _secondary(card: Card, fields: Mapping[str, str], path: str, problems: Problems) -> dict[str, str]:
    """Return the further emotions of a column ``secondary``: codes of the card, or canonical names."""
    names = []
    for label in split_labels(fields.get("secondary", "").replace(",", ";")):
        code = code_of(label, card.emotion)
        try:
            names.append(card.emotion[code] if code in card.emotion else check_canonical(label.lower()))
        except ValueError:
            kind = f"secondary emotion {label!r} is neither in the card's `emotion` table nor a canonical name"
            problems[kind].append(path)
    return {"secondary": ", ".join(dict.fromkeys(names))} if names else {}

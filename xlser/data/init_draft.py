"""What a first card is made of, however it was guessed: its text, what to check, and the trial that it must pass."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from xlser.corpora.card import EDIT, Card
from xlser.corpora.emotions import check_named, nearest_canonical
from xlser.corpora.scan import Scan, scan
from xlser.corpora.words import Guess, plain
from xlser.data.init_fields import read_codes
from xlser.data.manifest import build_manifest
from xlser.errors import CardError
from xlser.schema import validate
from xlser.yamlfile import parse_yaml

CHECK = "  # please check"


@dataclass
class Draft:
    """The text of a first card, what was guessed, and what its user must look at.

    ``missing`` has the roles of columns that nobody could find, each with the headers that it may be; ``likely`` the
    header of such a role whose cells look like it.
    """

    text: str
    guessed: list[str] = field(default_factory=list)
    check: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    missing: dict[str, list[str]] = field(default_factory=dict)
    likely: dict[str, str] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Whether the card loads as it is."""
        return not EDIT.search(self.text)


def attempt(text: str, root: Path) -> Scan:
    """Return what a card reads in its folder; of segments and channels with their times, as recordings have them.

    Raises:
        CardError: the text is no card. CorpusError: it cannot read the folder.
    """
    card = validate(Card, parse_yaml(text, "the first card", CardError), "the first card", CardError)
    if card.table is not None and Path(card.table.file).is_absolute():
        # The user named this table: the card is read as if it lay beside it.
        card = card.lying_in(Path(re.sub(r"\[([*?[])\]", r"\1", card.table.file)).parent)
    if card.table is None or not {"start", "channel"} & card.table.columns.keys():
        return scan(card, root)
    made = build_manifest(card, root)
    return Scan(made.frame.to_dict("records"), made.left_out, made.notes)


def emotion_lines(codes: list[str], draft: Draft) -> list[str]:
    """Return the lines of a card that say what labels mean; what is not sure is marked, and to be checked.

    A label that no language here knows is taken for the canonical name that it is nearly written like; where there is
    none, it is kept as an emotion of this corpus alone, and declared as such.
    """
    lines, own = ["emotion:"], []
    for number, (code, known) in enumerate(read_codes(codes).items()):
        near = nearest_canonical(_letters_only(code))
        guess = known or (Guess(near, False) if near else None)
        emotion = guess.emotion if guess else _own_name(code, number)
        sure = guess is not None and guess.sure
        lines.append(f"  {quoted(code)}: {emotion}{'' if sure else CHECK}")
        if guess is None:
            own.append(emotion)
            draft.check.append(f"emotion: {code!r} is not known, and kept as an emotion of its own, {emotion}")
        elif not sure:
            draft.check.append(f"emotion: does {code!r} mean {emotion}?")
    return [*([f"own_emotions: [{', '.join(own)}]{CHECK}"] if own else []), *lines]


def _own_name(code: str, number: int) -> str:
    """Return a label as a canonical name, or one made up where it can be none."""
    try:
        return check_named(_letters_only(code))
    except ValueError:
        return f"unread-{_letters(number)}"


def _letters_only(code: str) -> str:
    return re.sub(r"[^a-z]+", "-", plain(code)).strip("-")


def nobody_lines(draft: Draft) -> list[str]:
    """Return the line of a card that has no speakers."""
    draft.check.append("speaker: nothing looks like one, so all files count as ONE person; no split can part people")
    return ["speaker: unknown  # EDIT: every file counts as one person now"]


def quoted(value: object) -> str:
    """Return texts, lists and mappings as YAML reads them."""
    return json.dumps(value, ensure_ascii=False)


def word(text: str) -> str:
    """Return a text that YAML reads as text: Norwegian is ``"no"``, which would be false.

    >>> word("de"), word("no"), word("12")
    ('de', '"no"', '"12"')
    """
    return text if yaml.safe_load(text) == text else quoted(text)


def some(values: list[str], most: int = 8) -> str:
    """Return the first few values as text, and how many more there are."""
    return ", ".join(values[:most]) + (f" and {len(values) - most} more" if len(values) > most else "")


def _letters(number: int) -> str:
    """Return a, b ... z, ba, bb: canonical names hold no digits."""
    return (_letters(number // 26) if number >= 26 else "") + chr(ord("a") + number % 26)

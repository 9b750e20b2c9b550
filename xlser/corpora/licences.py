"""What a corpus's licence permits of a model that learnt from it, by how the licence text begins; what is not known is
refused. This is no legal advice: it keeps models from being shared where nobody has said that they may be."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["allowed", "non-commercial", "refused"]
ALLOWED: Verdict = "allowed"
NON_COMMERCIAL: Verdict = "non-commercial"
REFUSED: Verdict = "refused"


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Attributes:
        name: of the row, such as ``CC BY``.
        begins: a pattern that the licence text begins with, hyphens read as spaces, in small letters.
        verdict: on sharing a model that learnt from such a corpus.
        hub: what the hub calls the licence, ``{}`` being its version; empty for ``other``.
        versions: those that the hub knows, the first where none is named.
        why: a sentence's end: why it is so.
    """

    name: str
    begins: str
    verdict: Verdict
    why: str
    hub: str = ""
    versions: tuple[str, ...] = ()


_V = ("4.0", "3.0", "2.5", "2.0")
# The first that fits. Of creative commons the stricter stand before those that they begin like.
TABLE: tuple[Row, ...] = (
    Row("no derivatives", r"cc by( nc)?( sa)? nd\b", REFUSED, "it permits no derivatives, and a model may be one"),
    Row("CC BY-NC-SA", r"cc by nc sa\b", NON_COMMERCIAL, "non-commercial, alike", "cc-by-nc-sa-{}", _V),
    Row("CC BY-NC", r"cc by nc\b", NON_COMMERCIAL, "non-commercial", "cc-by-nc-{}", _V),
    Row("CC BY-SA", r"cc by sa\b", ALLOWED, "with attribution, alike", "cc-by-sa-{}", _V),
    Row("CC BY", r"cc by\b", ALLOWED, "with attribution", "cc-by-{}", _V),
    Row("CC0", r"cc ?0\b", ALLOWED, "in the public domain", "cc0-1.0"),
    Row("MIT", r"mit\b", ALLOWED, "with its notice", "mit"),
    Row("Apache", r"apache\b", ALLOWED, "with its notice", "apache-2.0"),
    Row("BSD", r"bsd\b", ALLOWED, "with its notice", "bsd"),
    Row("ODbL", r"odbl\b", ALLOWED, "with attribution, alike", "odbl"),
    Row("research only", r"(free |only )?(for |to )?(academic |non ?commercial )?research\b", REFUSED, "research only"),
    Row("non-commercial", r"non ?commercial\b", NON_COMMERCIAL, "non-commercial"),
    Row("to be signed or paid", r"(paid|academic)\b", REFUSED, "its terms are signed or paid for, by each user"),
    Row("contradictory", r"contradictory\b", REFUSED, "what is said of it contradicts itself"),
    Row("not stated", r"(none|not) stated\b|none\b|unknown\b|private\b|$", REFUSED, "nobody has stated one"),
    Row("elsewhere", r"see\b", REFUSED, "it is only said where it might stand"),
)
# Whatever no row fits: a licence for code, a text of one's own.
UNKNOWN = Row("not known", "", REFUSED, "xlser does not know what it permits")
# In the text before a bracket of what would be allowed, or non-commercial: it then contradicts itself.
_STRICTER = r"\b(no deriv|nd\b|research|academic|contradict|for the code|code only)"
_BESIDE = {ALLOWED: re.compile(rf"{_STRICTER}|\bnon ?commercial"), NON_COMMERCIAL: re.compile(_STRICTER)}
# From the one that asks least of whoever shares to the one that asks most; the last of them wants terms like its own.
_ORDER = ("CC0", "MIT", "BSD", "Apache", "CC BY", "ODbL", "CC BY-SA", "CC BY-NC", "CC BY-NC-SA", "non-commercial")
_ALIKE = {"ODbL", "CC BY-SA", "CC BY-NC-SA"}
NOT_CLEARED = "not-cleared-for-sharing"


@dataclass(frozen=True)
class Terms:
    """What several licences permit of one model.

    Attributes:
        verdict: the strictest of all.
        hub: what the hub calls the licence of the model: that of the strictest, or ``other``.
        name: where it is ``other``, what it is called; otherwise empty.
        refused: of what refuses, the name and the licence text, in their order.
    """

    verdict: Verdict
    hub: str
    name: str = ""
    refused: tuple[tuple[str, str], ...] = ()


def row_of(licence: str | None) -> Row:
    """Return the row of the table that a licence text falls in; `UNKNOWN` where none fits.

    >>> row_of("CC BY-NC-SA 4.0 (as nkululeko has it)").name, row_of("cc-by-4.0").name, row_of(None).name
    ('CC BY-NC-SA', 'CC BY', 'not stated')
    >>> row_of("GPL 3.0 for the code").verdict, row_of("CC BY 4.0, for research only").name
    ('refused', 'contradictory')
    """
    text = _plain(licence)
    row = next((row for row in TABLE if re.match(row.begins, text)), UNKNOWN)
    if row.verdict != REFUSED and _BESIDE[row.verdict].search(text.partition("(")[0]):
        return next(row for row in TABLE if row.name == "contradictory")
    return row


def together(licences: Iterable[tuple[str, str | None]]) -> Terms:
    """Return what the licences of several corpora permit of a model that learnt from all: the strictest decides.

    Two that each ask for terms like their own, of different kinds, have no licence in common: it is ``other`` then.

    Args:
        licences: name and licence text of each; none at all is refused.

    >>> together([("a", "CC BY 4.0"), ("b", "CC BY-NC-SA 3.0 (as stated)")]).hub
    'cc-by-nc-sa-3.0'
    >>> together([("a", "CC BY 4.0"), ("b", "research only")]).refused
    (('b', 'research only'),)
    >>> together([("a", "CC BY-SA 4.0"), ("b", "CC BY-NC 4.0")]).name
    'cc-by-nc-4.0-and-cc-by-sa-4.0'
    """
    rows = [(name, (text or "").strip() or "not stated", row_of(text)) for name, text in licences]
    refused = tuple((name, text) for name, text, row in rows if row.verdict == REFUSED)
    if refused or not rows:
        return Terms(REFUSED, "other", NOT_CLEARED, refused)
    verdict = NON_COMMERCIAL if any(row.verdict == NON_COMMERCIAL for *_, row in rows) else ALLOWED
    _, text, strictest = max(rows, key=lambda one: (_ORDER.index(one[2].name), _version(one[1], one[2])))
    hub = _hub(text, strictest)
    if hub and not {row.name for *_, row in rows} & _ALIKE - {strictest.name}:
        return Terms(verdict, hub)
    every = sorted({_hub(text, row) or row.name for _, text, row in rows})
    return Terms(verdict, "other", "-and-".join(every))


def _hub(text: str, row: Row) -> str:
    return row.hub.format(_version(text, row))


def _version(text: str, row: Row) -> str:
    """Return the version that a licence text names first, as far as the hub knows it."""
    named = re.search(r"\d\.\d", text)
    return named[0] if named and named[0] in row.versions else (row.versions or ("",))[0]


def _plain(licence: str | None) -> str:
    return re.sub(r"[\s_-]+", " ", (licence or "").casefold()).strip()

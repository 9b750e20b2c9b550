"""Names in as many rows as they need: none is cut short, for what differs may stand at its end."""

from __future__ import annotations

import re
from itertools import pairwise

# A number, a word, or a sign; none of the first two is broken.
_ATOM = re.compile(r"\d+(?:\.\d+)*(?:e[+-]?\d+)?|[^\W\d_]+|\S|\s+")
# After these a name may go on in the next row; a sign that belongs to a number is none.
_BREAK = re.compile(r"[\s_/|:;]$|[+,-]$")
_WIDER = 1.5


def rows_of(name: str, letters: int) -> list[str]:
    """Return a name in rows of at most ``letters``, broken after a space or a sign.

    A part without such a place makes its row up to half as long again, and is broken between a word and a number, or
    within a word, only if it is longer still. Numbers are never broken, and no letter is left out.

    >>> rows_of("plain DAE", 15), rows_of("activation+valence", 15)
    (['plain DAE'], ['activation+', 'valence'])
    >>> rows_of("metric-long-lr0.0015", 12), rows_of("", 12)
    (['metric-long-', 'lr0.0015'], [''])
    """
    most = int(letters * _WIDER)
    rows = [""]
    for part in _parts(name):
        pieces = [part] if len(part.rstrip()) <= most else _pieces(part, most)
        for piece in pieces:
            if rows[-1] and len((rows[-1] + piece).rstrip()) > letters:
                rows.append("")
            rows[-1] += piece
    return [row.strip() for row in rows]


def _parts(name: str) -> list[str]:
    """Return what stands between the places at which a name may be broken, each with the sign after it."""
    parts, begun = [], ""
    atoms = _ATOM.findall(name)
    for atom, after in pairwise([*atoms, ""]):
        begun += atom
        signed = atom in "+-," and after[:1].isdigit()
        if _BREAK.search(atom) and not signed:
            parts.append(begun)
            begun = ""
    return [*parts, begun] if begun else parts


def _pieces(part: str, most: int) -> list[str]:
    """Return words and numbers apart, and a word that is longer than a row in pieces."""
    pieces: list[str] = []
    for atom in _ATOM.findall(part):
        cut = [atom] if atom[:1].isdigit() else [atom[at : at + most] for at in range(0, len(atom), most)]
        pieces += cut
    return pieces

"""The names that emotions go by once a card has read them."""

from __future__ import annotations

import re

# Nouns, as the field's reviews use them. Left is what people write instead.
_ALIASES = {
    "angry": "anger",
    "happy": "happiness",
    "joy": "happiness",
    "sad": "sadness",
    "fearful": "fear",
    "afraid": "fear",
    "disgusted": "disgust",
    "surprised": "surprise",
    "bored": "boredom",
    "excited": "excitement",
    "frustrated": "frustration",
    "neutrality": "neutral",
    "calmness": "calm",
    "amused": "amusement",
    "sleepy": "sleepiness",
}


def check_canonical(name: str) -> str:
    """Return ``name`` if it may stand as a canonical emotion.

    Any lower-case word may, so that a corpus with an emotion of its own needs no leave from us; an adjective or a
    synonym of a common name may not, because ``happy`` and ``happiness`` would then be two classes.

    Raises:
        ValueError: an upper-case letter or a blank, or a synonym; the message gives the name to use.

    >>> check_canonical("happiness")
    'happiness'
    """
    if name in _ALIASES:
        raise ValueError(f"canonical emotion {name!r} is written {_ALIASES[name]!r} here")
    if not re.fullmatch(r"[a-z][a-z_-]*", name):
        raise ValueError(f"canonical emotion must be one lower-case word, but is {name!r} instead")
    return name

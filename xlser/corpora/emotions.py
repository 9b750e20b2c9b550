"""The names that emotions go by once a card has read them."""

from __future__ import annotations

import re
from difflib import get_close_matches

from xlser.vocabulary import NO_AGREEMENT, UNNAMED

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


# Words that a slip of the pen is measured against; no list of what is allowed.
_WORDS = """
amusement anger anticipation anxiety apology assertiveness boredom calm concern confusion contempt curiosity
disappointment disgust embarrassment encouragement enthusiasm excitement fear frustration guilt happiness hostility
interest love neutral other pain pride relief sadness sarcasm satisfaction shame sleepiness surprise tenderness trust
unknown worry
"""
KNOWN = frozenset(_WORDS.split())


def check_canonical(name: str) -> str:
    """Return ``name`` if it may stand as a canonical emotion.

    Any lower-case word may, so that a corpus with an emotion of its own needs no leave from us; an adjective, a synonym
    or a misspelling of a common name may not, because ``happy`` and ``happiness`` would then be two classes.

    Raises:
        ValueError: an upper-case letter or a blank, a synonym or a near miss; the message gives the name to use.

    >>> check_canonical("happiness")
    'happiness'
    """
    if name == "no_agreement":
        return NO_AGREEMENT  # as cards and manifests of xlser 0.1 have it
    if name in _ALIASES:
        raise ValueError(f"canonical emotion {name!r} is written {_ALIASES[name]!r} here")
    if not re.fullmatch(r"[a-z][a-z_-]*", name):
        raise ValueError(f"canonical emotion must be one lower-case word, but is {name!r} instead")
    near = None if name in KNOWN else nearest_canonical(name)
    if near:
        raise ValueError(f"canonical emotion {name!r} is not known; did you mean {near!r}?")
    return name


def nearest_canonical(name: str) -> str | None:
    """Return the canonical emotion that a word may be a slip of the pen, a synonym or another form of; or None.

    >>> nearest_canonical("hapiness"), nearest_canonical("angry"), nearest_canonical("zorbish")
    ('happiness', 'anger', None)
    """
    near = get_close_matches(name, sorted(KNOWN), n=1, cutoff=0.75)
    return _ALIASES.get(name) or (near[0] if near else None)


def check_named(name: str) -> str:
    """Return ``name`` if it is a canonical emotion that may be scored.

    Raises:
        ValueError: see `check_canonical`; or it says that nobody named an emotion.

    >>> check_named("happiness")
    'happiness'
    """
    if name in UNNAMED:
        raise ValueError(f"{name!r} is no emotion: such recordings are not scored as a class")
    return check_canonical(name)

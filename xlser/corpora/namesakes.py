"""Speakers that a corpus does not tell apart: many people under one name such as Unknown, or under none."""

from __future__ import annotations

from typing import Literal

from xlser.corpora.parts import placeholders

# own: each recording is a speaker of its own. leave-out: such recordings are left out, and counted.
Unknown = Literal["own", "leave-out"]
UNKNOWN_NAMES = ("", "-", "?", "n/a", "na", "nan", "none", "null", "unk", "unknown")


def is_unknown(name: str | None, names: tuple[str, ...] = UNKNOWN_NAMES) -> bool:
    """Tell whether a speaker's name says that nobody knows who it is; letter case does not count.

    >>> is_unknown("Unknown"), is_unknown(None), is_unknown("Ann")
    (True, True, False)
    """
    return (name or "").strip().casefold() in {known.strip().casefold() for known in names}


def speaker_of(
    name: str | None, template: str, recording: str, how: Unknown | None, names: tuple[str, ...]
) -> str | None:
    """Return who speaks, or None where the recording is to be left out.

    Args:
        name: the speaker's name, empty or None where there is none.
        template: the card's ``speaker``; a fixed text is a name that the card gives on purpose.
        recording: the recording's own name: all segments of it have one speaker then.
        how: ``own`` or ``leave-out``; None takes ``own`` for a name that stands for many people, such as Unknown, and
            leaves out what has no name at all.
        names: the names that stand for many people.

    >>> speaker_of("Unknown", "{speaker}", "a1", None, UNKNOWN_NAMES)
    'unknown:a1'
    >>> speaker_of("", "{speaker}", "a1", None, UNKNOWN_NAMES) is None
    True
    """
    if not placeholders(template) or not is_unknown(name, names):
        return name or None
    own = how == "own" or (how is None and bool(name))
    return f"unknown:{recording}" if own else None

"""Where the cards and recipes that come with xlser lie: in the wheel, or at the top of a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def shipped_folder(kind: str) -> Path:
    """Return the folder of the shipped ``corpora`` or ``recipes``.

    >>> shipped_folder("corpora").name
    'corpora'
    """
    installed = _PACKAGE / "shipped" / kind
    return installed if installed.is_dir() else _PACKAGE.parent / kind

"""Where xlser keeps what it can make or fetch again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return ``XLSER_CACHE``, or ``xlser`` in the user's cache folder.

    >>> cache_folder().is_absolute() or bool(os.environ.get("XLSER_CACHE"))
    True
    """
    if chosen := os.environ.get("XLSER_CACHE"):
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").expanduser() / "xlser"

"""One extractor a file, one content-addressed cache for all of them.

The extractors of `xlser.features.extractors` can be taken from here by their classes' names, and added:
``Egemaps() + LogMel(bands=20)``. Nothing is imported before one is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xlser.features.extractors import *  # noqa: F403


def __getattr__(name: str) -> Any:
    if name.startswith("_"):  # what Python itself looks for in a package
        raise AttributeError(name)
    from xlser.features.extractors import classes

    if name not in (known := classes()):
        raise AttributeError(f"module {__name__!r} has no extractor {name!r}; known: {', '.join(known)}")
    return known[name]


def __dir__() -> list[str]:
    from xlser.features.extractors import classes

    return sorted([*globals(), *classes()])

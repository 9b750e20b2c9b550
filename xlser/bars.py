"""Progress bars: tqdm's, whose words are shown and not obeyed."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm as plain_tqdm

from xlser.printable import VisibleStream, one_line


class tqdm(plain_tqdm):
    r"""A bar of tqdm: its description may hold a name from outside, its own signs must reach the terminal.

    >>> import io
    >>> below = io.StringIO()
    >>> tqdm(total=1, desc="a\x1b[2J", file=below).close()
    >>> "\x1b" in below.getvalue()
    False
    """

    def __init__(self, iterable: Any = None, desc: str | None = None, *, file: Any = None, **options: Any):
        stream = sys.stderr if file is None else file
        exact = stream.exact if isinstance(stream, VisibleStream) else stream
        super().__init__(iterable, None if desc is None else one_line(desc), file=exact, **options)

    def set_description_str(self, desc: str | None = None, refresh: bool = True) -> None:
        """Name what is done now."""
        super().set_description_str(None if desc is None else one_line(desc), refresh)

    def set_description(self, desc: str | None = None, refresh: bool = True) -> None:
        """Name what is done now, with a colon behind it."""
        super().set_description(None if desc is None else one_line(desc), refresh)

    def set_postfix_str(self, s: str = "", refresh: bool = True) -> None:
        """Say something behind the bar."""
        super().set_postfix_str(one_line(s), refresh)

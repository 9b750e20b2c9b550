"""Whether a recording is a file at all, said before it is opened."""

from __future__ import annotations

import os
from pathlib import Path

from xlser.data.unreadable import AudioFault, PassingFault
from xlser.oddfiles import not_a_file


def check_is_file(path: str | os.PathLike[str]) -> None:
    """Refuse what has the name of a recording and is none, without opening it.

    What is not there at all passes: whoever opens it says so.

    Raises:
        AudioFault: a folder, a pipe, a socket, a device, or a link that leads to nothing or in a circle.
        OSError: the system cannot look at it.
    """
    kind = not_a_file(path)
    if not kind:
        return
    if not Path(path).exists():  # its target may come back
        raise PassingFault(kind)
    if kind.startswith("a folder"):
        raise AudioFault("a folder, not a recording: give the folder itself, or the files in it")
    raise AudioFault(f"{kind}: give - to read one recording from standard input")

"""One recording, or one segment of one, that a prediction or an embedding is asked of."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from xlser.corpora.times import SLACK
from xlser.data.audio import AudioFault
from xlser.data.samples import open_sound
from xlser.errors import CorpusError, MachineError, RecipeError, RunError
from xlser.machine import pass_on_machine
from xlser.printable import printable


@dataclass(frozen=True, eq=False)
class Request:
    """What is to be read, and what a list says of it.

    Attributes:
        audio: a path, or whatever else holds audio (see `xlser.experiment.use.recordings`).
        rate: of samples, in Hz; None for what says its own.
        start: of the segment in the file, in seconds; ``end`` likewise. None for the file's own.
        channel: which of several channels; None for what the caller takes by default.
        speaker: who speaks, empty where that is not known.
        place: where in a list it stands, such as ``calls.csv, line 7``; empty elsewhere.
        columns: the cells of that list's row.
        fault: why it cannot be heard, where that is known already.
        label: what it is called where it is no file.
    """

    audio: Any
    rate: int | None = None
    start: float | None = None
    end: float | None = None
    channel: str | float | None = None
    speaker: str = ""
    place: str = ""
    columns: Mapping[str, Any] = field(default_factory=dict)
    fault: str = ""
    label: str = "samples"

    @classmethod
    def of(cls, item: Any, rate: int | None = None) -> Request:
        """Return the request for a path or for samples; one that is a request already is returned as it is."""
        return item if isinstance(item, Request) else cls(item, rate)

    @property
    def is_file(self) -> bool:
        """Whether it names a file."""
        return isinstance(self.audio, (str, os.PathLike))

    @property
    def name(self) -> str:
        """What an answer calls it: its path as it can be printed, or ``samples``."""
        return printable(self.audio) if self.is_file else self.label

    def __str__(self) -> str:
        """Return the name, with the segment and the place in the list."""
        bounds = "" if self.start is None and self.end is None else f" [{self.start or 0:g} s to {_end(self.end)}]"
        return f"{self.place}: {self.name}{bounds}" if self.place else f"{self.name}{bounds}"


def fault_of(error: Exception, item: Any) -> str:
    """Return what is wrong with one recording, by whatever was raised while it was read.

    Raises:
        MachineError: it is the machine's fault. RunError, RecipeError: it is the model's, and of every recording.
    """
    if isinstance(error, (MachineError, RunError, RecipeError)):
        raise error
    if isinstance(error, AudioFault):
        return str(error)
    named = item.name if isinstance(item, Request) else str(item)
    pass_on_machine(error, f"reading {named.encode(errors='backslashreplace').decode()}")
    return str(error) if isinstance(error, CorpusError) else f"{type(error).__name__}: {' '.join(str(error).split())}"


def check_inside(request: Request) -> None:
    """Refuse a segment that is not in its recording, to within what tables are rounded by.

    Raises:
        AudioFault: it begins or ends behind the recording, or that cannot be opened.
    """
    with open_sound(request.audio, request.rate) as sound:
        seconds = (sum(map(len, sound.blocks())) if sound.frames is None else sound.frames) / sound.rate
    if (request.start or 0.0) >= seconds:
        raise AudioFault(
            f"the segment starts at {request.start:g} s, behind the end of the recording at {seconds:.2f} s"
        )
    check_end(request, seconds - (request.start or 0.0))


def check_end(request: Request, seconds: float) -> None:
    """Refuse a segment of which less could be heard than it is long, by more than tables are rounded.

    Raises:
        AudioFault: the recording ends before it.
    """
    start, end = request.start or 0.0, request.end
    if end is not None and end - start - seconds > SLACK:
        raise AudioFault(f"the segment ends at {end:g} s, but the recording at {start + seconds:.2f} s")


def _end(seconds: float | None) -> str:
    return "the end" if seconds is None else f"{seconds:g} s"

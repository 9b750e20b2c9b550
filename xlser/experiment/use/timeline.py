"""A recording of any length as a line of windows, each with an answer of its own: emotion over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xlser.data.audio import AudioFault, segment_blocks
from xlser.data.channels import channel_number
from xlser.data.regular import check_is_file
from xlser.data.samples import open_sound
from xlser.data.unreadable import Silence
from xlser.errors import CorpusError, XlserError
from xlser.experiment.use.answer import Prediction
from xlser.experiment.use.model import Model
from xlser.experiment.use.request import Request, fault_of

# Clips of emotional speech last two to four seconds: a window is as long as what models are trained on.
WINDOW = 3.0
EVERY = 1.0
# Below this a window can hold no speech sound; above it, nobody wants a line of a single window.
SHORTEST, LONGEST = 0.1, 600.0


@dataclass(frozen=True)
class Window:
    """What was heard from ``start`` to ``end``, in seconds of the recording, and what the model says of it.

    ``prediction`` is None where nothing can be said, and ``fault`` says why: silence, mostly.
    """

    index: int
    start: float
    end: float
    prediction: Prediction | None
    fault: str = ""

    @property
    def emotion(self) -> str:
        """The emotion; empty where nothing can be said, or where the model learnt none."""
        return self.prediction.emotion if self.prediction else ""


def read_timeline(
    model: Model,
    request: Request,
    *,
    every: float = EVERY,
    window: float = WINDOW,
    labels: Sequence[str] | None = None,
    k: int | None = None,
) -> Iterator[Window]:
    """Yield the windows of a recording and their answers, as it is read, a block at a time: it is never held whole.

    Window i hears ``i * every`` to ``i * every + window``. The last is moved back, so that it ends with the recording
    and is as long as the others; a recording that is shorter than a window is a window of itself. The answers are
    those of `Model.predict` to the same samples: zero-shot.

    Args:
        model: what `xlser.load` gave.
        request: a path, bytes, a binary file that can be read twice, or samples; its ``start``, ``end`` and ``channel``
            are kept to, and times are counted from the beginning of the recording.
        every: seconds from the beginning of a window to that of the next, 0.1 to 600.
        window: seconds of a window, 0.1 to 600.
        labels: see `Model.predict`; ``k`` likewise.

    Raises:
        CorpusError: the recording cannot be read. Of a window that is silent, or too short, its ``fault`` says so.
        XlserError: a length that is out of its range, or an unknown label.
    """
    check_lengths(every, window, model.embedder.shortest / model.embedder.rate)
    try:
        for index, (start, samples, rate) in enumerate(_cut(request, every, window)):
            end = start + len(samples) / rate
            heard = Request(samples, rate, label=f"{request.name} [{start:g} s to {end:g} s]")
            yield Window(index, start, end, *_answer(model, heard, labels, k))
    except XlserError as error:
        if isinstance(error, AudioFault):
            raise CorpusError(f"{request}: {error}") from error
        raise
    except Exception as error:  # whatever a decoder raises is a fault of this recording
        raise CorpusError(f"{request}: {fault_of(error, request)}") from error


def check_lengths(every: float, window: float, shortest: float = SHORTEST) -> None:
    """Refuse windows that no recording can be cut into.

    Args:
        every, window: in seconds.
        shortest: what the model must hear at least, in seconds.

    Raises:
        XlserError: one is out of its range, or no number; or windows are shorter than what the model must hear.

    >>> check_lengths(1.0, 3.0)
    """
    for name, value in (("every", every), ("window", window)):
        if not SHORTEST <= value <= LONGEST:  # NaN is not between either
            raise XlserError(f"`{name}` must be {SHORTEST} to {LONGEST:g} seconds, but is {value:g} instead.")
    if window < shortest:
        raise XlserError(f"`window` must be {shortest:.3g} seconds at least for this model, but is {window:g} instead.")


def window_count(seconds: float, every: float = EVERY, window: float = WINDOW) -> int:
    """Return how many windows `read_timeline` makes of so many seconds; 0 of none.

    >>> [window_count(seconds, 1.0, 3.0) for seconds in (0, 2, 3, 3.5, 5, 2400)]
    [0, 1, 1, 2, 3, 2398]
    """
    if seconds <= 0:
        return 0
    return 1 + max(0, int(np.ceil((seconds - window) / every - 1e-9)))


def _answer(model: Model, heard: Request, labels: Sequence[str] | None, k: int | None) -> tuple[Prediction | None, str]:
    """Return what the model says of one window, and why it says nothing."""
    faults: list[str] = []
    answers = model.predict_files([heard], labels=labels, k=k, on_fault=lambda _, reason: faults.append(reason))
    return next(iter(answers), None), "".join(faults)


def _cut(request: Request, every: float, window: float) -> Iterator[tuple[float, np.ndarray, int]]:
    """Yield each window's begin in seconds, its mono samples (S,) and their rate in Hz."""
    if request.fault:
        raise AudioFault(request.fault)
    if request.is_file:
        check_is_file(Path(request.audio).expanduser())
    origin = request.start or 0.0
    with open_sound(request.audio, request.rate) as sound:
        rate = sound.rate
        length, step = max(1, round(window * rate)), every * rate
        held, first, index = np.empty(0, np.float32), 0, 0  # `first`: where `held` begins, in samples
        for block in _spoken(segment_blocks(sound, origin, request.end, channel_number(request.channel))):
            held = np.concatenate([held, block])
            # One sample more than a window must be there: only the last window may end with the recording.
            while first + len(held) > (begin := round(index * step)) + length:
                skipped = begin - first
                yield origin + begin / rate, held[skipped : skipped + length], rate
                index += 1
                # The last window, moved back, needs a window's length before the end.
                kept = max(0, min(round(index * step) - first, len(held) - length))
                held, first = held[kept:], first + kept
    if not len(held):
        raise AudioFault("zero length: no samples")
    yield origin + (first + max(0, len(held) - length)) / rate, held[-length:], rate


def _spoken(blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Pass blocks on. That all of a recording is silent is said of its windows, not of it."""
    try:
        yield from blocks
    except Silence:
        return

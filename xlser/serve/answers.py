"""What the model says of an upload, as JSON: one answer, or a line of them over time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from xlser.data.samples import open_sound
from xlser.errors import CorpusError, MachineError, RunError, XlserError
from xlser.experiment.use.answer import Neighbour, Prediction
from xlser.experiment.use.model import Model
from xlser.experiment.use.readers import check_labels
from xlser.experiment.use.request import Request, fault_of
from xlser.experiment.use.timeline import EVERY, WINDOW, Window, check_lengths, read_timeline, window_count
from xlser.serve.desk import Event, Job
from xlser.serve.limits import Limits, duration
from xlser.serve.refusal import Refused
from xlser.serve.uploads import Upload
from xlser.vocabulary import ZERO_SHOT

# Returns the address of a neighbour's clip, or None where there is none to hear.
Clip = Callable[[Neighbour], "str | None"]


@dataclass(frozen=True)
class Asked:
    """An upload and how it is to be read: within which limits, among which emotions (None: all), in which windows.

    ``clip`` gives the address of a neighbour's clip.
    """

    upload: Upload
    limits: Limits
    clip: Clip
    labels: tuple[str, ...] | None = None
    every: float = EVERY
    window: float = WINDOW


def answer_events(asked: Asked, model: Model, job: Job) -> Iterator[Event]:
    """Yield the one answer to an upload.

    Raises:
        Refused: 413, it is too long; 422, it cannot be used; 400, the question is none.
    """
    with refusing():
        heard_seconds(asked, job)
        yield answer(model.predict(_request(asked.upload), labels=asked.labels), asked.clip)


def timeline_events(asked: Asked, model: Model, job: Job) -> Iterator[Event]:
    """Yield ``start``, a ``window`` for each of an upload's, and the ``summary``: what the model says of it all.

    Raises:
        Refused: as `answer_events`, or it has too many windows.
    """
    with refusing():
        seconds = heard_seconds(asked, job)
        yield start(asked, seconds, model)
        windows = read_timeline(
            model, _request(asked.upload), every=asked.every, window=asked.window, labels=asked.labels
        )
        for window in windows:
            yield window_event(window, asked.clip)
        yield {"event": "summary", **summary(asked, model)}


def heard_windows(asked: Asked, model: Model, job: Job) -> Iterator[Window]:
    """Yield the windows themselves, for the writers of tables.

    Raises:
        Refused: as `timeline_events`.
    """
    with refusing():
        start(asked, heard_seconds(asked, job), model)
        yield from read_timeline(
            model, _request(asked.upload), every=asked.every, window=asked.window, labels=asked.labels
        )


def heard_seconds(asked: Asked, job: Job) -> float:
    """Return how long an upload lasts, in seconds: what its header says, or what can be decoded.

    Raises:
        Refused: 413, it lasts too long or has too many channels. AudioFault: it is no recording.
    """
    limits = asked.limits
    with open_sound(asked.upload.file) as sound:
        if sound.channels > limits.channels:
            raise Refused(413, f"The recording has {sound.channels} channels; this server reads {limits.channels}.")
        most, frames = limits.seconds * sound.rate, sound.frames
        if frames is None:  # only decoding tells; a small file may hold days
            frames = 0
            for block in sound.blocks():
                job.check()
                frames += len(block)
                if frames > most:
                    break
        if frames > most:
            raise Refused(
                413,
                f"The recording lasts more than {duration(limits.seconds)}, the limit of this server. Send it in "
                "parts, or start the server with a larger --max-minutes.",
            )
        return frames / sound.rate


def start(asked: Asked, seconds: float, model: Model) -> Event:
    """Return the first event of a timeline.

    Raises:
        Refused: it would have too many windows.
    """
    check_labels(asked.labels, model.classes)
    check_lengths(asked.every, asked.window, model.embedder.shortest / model.embedder.rate)
    count = window_count(seconds, asked.every, asked.window)
    if count > asked.limits.windows:
        text = f"That makes {count:,} windows, and this server reads {asked.limits.windows:,} of one recording."
        raise Refused(413, f"{text} Give a larger step (every), or send it in parts.")
    return {
        "event": "start",
        "name": asked.upload.label,
        "seconds": seconds,
        "every": asked.every,
        "window": asked.window,
        "windows": count,
        "classes": list(asked.labels or model.classes),
        "ratings": list(model.dimensions.given_by),
        "protocol": protocol_of(model),
    }


def protocol_of(model: Model) -> str:
    """Return what of a target the model has looked at: nothing, but where `xlser best` made it for one."""
    return str(getattr(model.chosen, "protocol", ZERO_SHOT))


def window_event(window: Window, clip: Clip) -> Event:
    """Return the event of a window; of one of which nothing can be said with its ``fault``."""
    place: Event = {"event": "window", "index": window.index, "start": window.start, "end": window.end}
    if window.prediction is None:
        return {**place, "fault": window.fault}
    said = answer(window.prediction, clip)
    return {**place, **{key: value for key, value in said.items() if key not in ("name", "seconds", "adapt")}}


def summary(asked: Asked, model: Model) -> Event:
    """Return what the model says of the whole; ``fault`` where it says nothing, as of silence."""
    try:
        return answer(model.predict(_request(asked.upload), labels=asked.labels), asked.clip)
    except CorpusError as error:
        return {"name": asked.upload.label, "fault": str(error).removeprefix(f"{asked.upload.label}: ")}


def answer(said: Prediction, clip: Clip) -> Event:
    """Return a prediction as JSON holds it: what is no number is None."""
    return {
        "name": said.file.partition(" [")[0] if said.start is not None else said.file,
        "seconds": said.seconds,
        "emotion": said.emotion,
        "probabilities": {name: _number(value) for name, value in said.probabilities.items()},
        "ratings": {name: _number(value) for name, value in said.ratings.items()},
        "distance": _number(said.distance),
        "percentile": _number(said.percentile),
        "warning": said.warning,
        "protocol": said.protocol,
        "adapt": said.adapt,
        "neighbours": [_neighbour(one, clip) for one in said.neighbours],
    }


@contextmanager
def refusing() -> Iterator[None]:
    """Make refusals of what is wrong with a recording or a question; what is wrong with the machine passes.

    Raises:
        Refused: 422 or 400.
    """
    try:
        yield
    except (MachineError, RunError, Refused):
        raise
    except CorpusError as error:
        raise Refused(422, f"The recording cannot be used: {error}") from error
    except XlserError as error:
        raise Refused(400, str(error)) from error
    except Exception as error:  # whatever a decoder raises of one upload
        raise Refused(422, f"The recording cannot be used: {fault_of(error, Request(b''))}") from error


def _request(upload: Upload) -> Request:
    upload.file.seek(0)
    return Request(upload.file, label=upload.label)


def _neighbour(one: Neighbour, clip: Clip) -> dict[str, Any]:
    shown = {name: getattr(one, name) for name in ("corpus", "language", "speaker", "emotion", "voted")}
    return {**shown, "distance": _number(one.distance), "clip": clip(one)}


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def parse_labels(text: str | None) -> tuple[str, ...] | None:
    """Return the emotions that a text names, between commas; None for none.

    >>> parse_labels("joy, anger"), parse_labels(None)
    (('joy', 'anger'), None)
    """
    names: Sequence[str] = [name.strip() for name in (text or "").split(",") if name.strip()]
    return tuple(names) or None

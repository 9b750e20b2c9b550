"""Timelines of many recordings, written to one table or to a TextGrid each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from xlser.bars import tqdm
from xlser.data.samples import open_sound
from xlser.errors import CorpusError, XlserError
from xlser.experiment.use.model import Model
from xlser.experiment.use.output import opened
from xlser.experiment.use.request import Request
from xlser.experiment.use.session import Session
from xlser.experiment.use.timeline import Window, check_lengths, read_timeline, window_count
from xlser.experiment.use.timeline_output import rows_to, write_textgrid
from xlser.ownfiles import OwnFiles

TEXTGRID = "textgrid"
SUFFIX = ".TextGrid"


@dataclass(frozen=True)
class Cut:
    """How recordings are cut and read: see `read_timeline`. ``classes`` are the emotions among which is chosen, in the
    order in which they are written; ``neighbours`` how many are told."""

    every: float
    window: float
    classes: tuple[str, ...]
    neighbours: int | None = None

    def windows(self, model: Model, request: Request) -> Iterator[Window]:
        """Yield the windows of one recording."""
        some = self.classes if self.classes != model.classes else None
        return read_timeline(model, request, every=self.every, window=self.window, labels=some, k=self.neighbours)


def write_timelines(
    session: Session, model: Model, cut: Cut, form: str, *, out: Path | None, screen: IO[str], progress: bool
) -> None:
    """Write the timelines of a session's recordings; those that cannot be read are told to it.

    Args:
        session: recordings as `Request`s.
        model: what answers; ``cut`` how.
        form: ``csv`` or ``jsonl``, all recordings below each other; ``textgrid``, a file a recording.
        out: a file, or for TextGrids of several recordings a folder, which is made; None for ``screen``.
        screen: an open text file.
        progress: whether a bar shows the windows and the time left.

    Raises:
        CorpusError: none could be read. XlserError: lengths that no recording can be cut by (see `check_lengths`), or
            ``out`` cannot be written, or is none that fits the format.
    """
    check_lengths(cut.every, cut.window, model.embedder.shortest / model.embedder.rate)
    requests: Sequence[Request] = [Request.of(item) for item in session.files]
    total = _expected(requests, cut) if progress else None
    with tqdm(total=total, unit="window", disable=not progress, leave=False) as bar:

        def counted(request: Request) -> Iterator[Window]:
            for window in cut.windows(model, request):
                yield window
                bar.update()

        if form == TEXTGRID:
            _write_textgrids(
                session, requests, lambda request, at: write_textgrid(counted(request), model, cut.classes, at), out
            )
            return
        with opened(out, screen) as file:
            write = rows_to(form, file)

            def rows(request: Request, _: Any) -> None:
                for window in counted(request):
                    write(request.name, window, model, cut.classes)

            _each(session, requests, rows, [None] * len(requests))


def _write_textgrids(
    session: Session, requests: Sequence[Request], write: Callable[[Request, Path], None], out: Path | None
) -> None:
    """Write a file a recording; in a folder none over one that somebody drew by hand under the very name."""
    places = textgrid_places(requests, out)
    if out is None or places == [out]:
        _each(session, requests, write, places)
        return
    with OwnFiles(out, batch=True) as own:

        def write_own(request: Request, place: Path) -> None:
            with own.replacing(place.relative_to(own.folder).as_posix()) as temporary:
                write(request, temporary)

        _each(session, requests, write_own, places)


def textgrid_places(requests: Sequence[Request], out: Path | None) -> list[Path]:
    """Return where the TextGrid of each recording is written: below ``out``, as the recordings lie below their common
    folder; two never at one place.

    Raises:
        XlserError: no place is given, or a file for several recordings.

    >>> several = [Request("a/x.wav"), Request("b/x.wav"), Request("b/x.mp3"), Request("b/x.wav", start=1.0)]
    >>> [str(place) for place in textgrid_places(several, Path("out"))]
    ['out/a/x.TextGrid', 'out/b/x.TextGrid', 'out/b/x.mp3.TextGrid', 'out/b/x.wav.TextGrid']
    """
    if out is None:
        raise XlserError("--out must be given with --format textgrid: a file for one recording, a folder for several.")
    if out.suffix.lower() == SUFFIX.lower():
        if len(requests) > 1:
            raise XlserError(f"--out must be a folder for {len(requests)} recordings, but is {out} instead.")
        return [out]
    names = [Path(os.path.abspath(request.audio) if request.is_file else request.label) for request in requests]
    base = os.path.commonpath([name.parent for name in names]) if all(map(Path.is_absolute, names)) else ""
    taken: set[str] = set()
    places = []
    for name in names:
        own = name.relative_to(base) if base else Path(name.name)
        numbered = (str(own.with_name(f"{own.stem}-{number}")) for number in range(2, len(names) + 2))
        free = next(one for one in (str(own.with_suffix("")), str(own), *numbered) if one.casefold() not in taken)
        taken.add(free.casefold())
        places.append(out / (free + SUFFIX))
    return places


def _each(
    session: Session, requests: Sequence[Request], write: Callable[[Request, Any], None], places: Sequence[Any]
) -> None:
    for request, place in zip(requests, places, strict=True):
        try:
            write(request, place)
        except CorpusError as error:
            session.on_fault(request, str(error).removeprefix(f"{request}: "))
    session.check_any()


def _expected(requests: Sequence[Request], cut: Cut) -> int | None:
    """Return how many windows there will be, as far as headers say; None where one does not."""
    total = 0
    for request in requests:
        try:
            with open_sound(request.audio, request.rate) as sound:
                if sound.frames is None:
                    return None
                last = sound.frames / sound.rate if request.end is None else request.end
        except (XlserError, ValueError, TypeError, OSError):
            continue  # said when it is read
        total += window_count(last - (request.start or 0.0), cut.every, cut.window)
    return total

"""One way from a file to its samples, for training and for predicting: by soundfile, and by PyAV what that cannot open.

A decoder reads forwards once, block by block, to the end of what is there; a length that a header merely guesses is
never believed.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

import numpy as np

from xlser.data.lengths import Corrected, corrected, is_estimated
from xlser.data.regular import check_is_file
from xlser.data.unreadable import AudioFault, check_header, is_headerless, is_text, media_kind, reading
from xlser.machine import loading

# Frames that are decoded at once.
BLOCK = 2**16
# libsndfile's number for whatever the system said.
_SYSTEM_ERROR = 2
# Kinds of samples that 16 bits hold whole: read as such they take half the memory and a third of the time.
_NARROW = ("PCM_16", "PCM_S8", "PCM_U8", "ULAW", "ALAW")
# More frames than any file has.
_UNKNOWN = 2**48
# Frames of which nobody asks how many bytes they came from; and the most that silence in FLAC makes of a byte.
_MANY, _MOST_OF_A_BYTE = 2**24, 2**13
Source = str | os.PathLike[str] | BinaryIO


class Decoder(Protocol):
    """``rate`` in Hz; ``frames`` as the header has them, or None where only decoding says it."""

    rate: int
    channels: int
    frames: int | None

    @property
    def narrow(self) -> bool:
        """Whether 16 bits hold the samples as they are."""

    def blocks(self, first: int = 0, last: int | None = None) -> Iterator[np.ndarray]:
        """Yield frames ``first`` to ``last`` (None: the end), float32 (frames, channels), full scale 1. Once only."""


@contextmanager
def open_audio(source: Source) -> Iterator[Decoder]:
    """Open a recording: a path, or a binary file that can be read.

    Raises:
        AudioFault: not audio, without samples, or with fewer than its header promises (as far as it shows already).
    """
    with ExitStack() as stack:
        source = Path(source) if isinstance(source, (str, os.PathLike)) else seekable(source)
        yield _opened(source, stack)


def count_frames(source: Source) -> int:
    """Return how many frames a recording has: what its header says, or, where that is a guess, what can be decoded.

    Raises:
        AudioFault: see `open_audio`; or it cannot be decoded.
    """
    with open_audio(source) as sound:
        return sound.frames if sound.frames is not None else sum(len(block) for block in sound.blocks())


def seekable(file: BinaryIO) -> BinaryIO:
    """Return a binary file that can be read again: itself, or what is in it.

    Raises:
        TypeError: a text file.
    """
    if isinstance(file, io.TextIOBase):
        raise TypeError("`audio` must be a binary file, but is a text file instead. Open it with open(path, 'rb').")
    again = hasattr(file, "seek") and (not hasattr(file, "seekable") or file.seekable())
    return file if again else io.BytesIO(file.read())


def _opened(source: Path | BinaryIO, stack: ExitStack) -> Decoder:
    with loading("soundfile"):
        import soundfile

    fault: Exception | None = None
    with reading(source):
        if isinstance(source, Path):
            check_is_file(source)
            if not source.stat().st_size:  # as the system's own files say, some of which are waited for, too
                raise AudioFault("zero length: an empty file")
        try:
            sound = stack.enter_context(soundfile.SoundFile(_openable(source)))
        except (soundfile.SoundFileError, TypeError) as error:  # TypeError: it wants to be told what is in a .raw
            if getattr(error, "code", None) == _SYSTEM_ERROR:
                raise
            fault = error
        else:
            if sound.frames >= _UNKNOWN:  # a FLAC that was written to a pipe
                return SoundfileDecoder(source, sound, exact=False)
            if not is_estimated(sound.format) and sound.frames > 0 and _is_consistent(sound.extra_info):
                return SoundfileDecoder(source, sound, consistent=True)
        file = source if not isinstance(source, Path) else stack.enter_context(source.open("rb"))
        mended = corrected(file, "" if fault else sound.format)
        if mended and (found := _mended(mended, source, stack)):
            return found
        if fault is None:
            return SoundfileDecoder(source, sound)
        if not find_spec("av") or not _may_be_media(file, source):
            raise fault
    return _media(file, source, fault, stack)


def _openable(source: Path | BinaryIO) -> Any:
    """Return what soundfile is given: by its name it takes a .raw for samples without a header, and some names it
    cannot encode."""
    if not isinstance(source, Path):
        source.seek(0)
        return source
    return os.fsencode(source) if os.name == "posix" else str(source)


def _mended(file: Corrected, source: Path | BinaryIO, stack: ExitStack) -> Decoder | None:
    import soundfile

    try:
        sound = soundfile.SoundFile(cast(Any, file))
    except soundfile.SoundFileError:
        return None
    file.opened = True
    return SoundfileDecoder(source, stack.enter_context(sound), exact=False)


class SoundfileDecoder:
    """By libsndfile. Not ``exact``: its count of frames is a guess, or a header's that was put right. ``consistent``:
    what the header promises is there."""

    def __init__(self, source: Path | BinaryIO, sound: Any, *, exact: bool = True, consistent: bool = False) -> None:
        self._source, self._sound = source, sound
        self.rate: int = sound.samplerate
        self.channels: int = sound.channels
        check_header(self.rate, self.channels)
        known = exact or sound.format in ("WAV", "WAVEX", "AU", "CAF")  # as long as there are bytes
        self.frames: int | None = sound.frames if known else None
        if self.frames is not None and self.frames <= 0:
            raise AudioFault("zero length: the header is there, but no samples")
        self._check_possible()
        there, promised = (0, 0) if consistent else _sizes(sound.extra_info)
        if there < promised:
            raise AudioFault(f"truncated: the header promises {promised:,} bytes of samples, but {there:,} are there")
        # Where a decoder has a memory, what is read behind a jump differs from what is read on the way there.
        self._jumps = consistent or not is_estimated(sound.format)
        # soundfile goes back to where it is after each block otherwise, and MPEG decoders lose their memory by it.
        sound.seekable = lambda: False

    @property
    def narrow(self) -> bool:
        """Whether 16 bits hold the samples as they are."""
        return self._sound.subtype in _NARROW

    def blocks(self, first: int = 0, last: int | None = None, kind: str = "float32") -> Iterator[np.ndarray]:
        """Yield frames ``first`` to ``last``, as ``int16`` where that is the ``kind``; see `Decoder`.

        Raises:
            AudioFault: the file cannot be decoded to its end, or ends before it.
        """
        end = self.frames if last is None else last if self.frames is None else min(last, self.frames)
        at = self._start(first)
        while end is None or at < end:
            with reading(self._source):
                block = self._sound.read(BLOCK if end is None else min(BLOCK, end - at), kind, always_2d=True)
            if not len(block):
                break
            if at + len(block) > first:
                yield block[max(0, first - at) :]
            at += len(block)
        # Compressed formats may promise a few samples more than there are.
        if self.frames is not None and end is not None and first < end and at < end - self.rate // 10:
            promised, there = self.frames / self.rate, at / self.rate
            raise AudioFault(f"cut short: the header promises {promised:.1f} s, but only {there:.1f} s can be decoded")

    def _check_possible(self) -> None:
        """See that the file can hold what its header promises: no codec makes so much of a byte."""
        if self.frames is None or self.frames < _MANY:
            return
        size = self._source.stat().st_size if isinstance(self._source, Path) else _length(self._source)
        if self.frames > size * _MOST_OF_A_BYTE:
            raise AudioFault(f"cut short: the header promises {self.frames:,} samples, but {size:,} bytes are there")

    def _start(self, first: int) -> int:
        if not first or not self._jumps:
            return 0
        at = first if self.frames is None else min(first, self.frames)
        with reading(self._source):
            return int(self._sound.seek(at))


def _length(file: BinaryIO) -> int:
    """Return how many bytes a file has, and leave it where it is read."""
    at = file.tell()
    length = file.seek(0, 2)
    file.seek(at)
    return length


def _media(file: BinaryIO, source: Path | BinaryIO, fault: Exception, stack: ExitStack) -> Decoder:
    from xlser.data.media import open_media

    file.seek(0)
    return open_media(file, source, fault, stack)


def _may_be_media(file: BinaryIO, source: Path | BinaryIO) -> bool:
    """Say whether a file may hold what PyAV reads: it takes texts for lists of pictures, and noise for films."""
    file.seek(0)
    head = file.read(64)
    return media_kind(head) is not None if is_headerless(source) else bool(head) and not is_text(head)


def _is_consistent(log: str) -> bool:
    """Say whether libsndfile found the lengths in a header to be what is there, and chunks behind the samples."""
    return not re.search(r"should be|Exiting parser|Have 0 marker", log)


def _sizes(log: str) -> tuple[int, int]:
    """Return the bytes of samples that are there and that a WAV, AIFF or AU header promises, from libsndfile's log."""
    found = re.search(r"^ *(?:data|SSND|Data Size) +: (\d+) \(should be (\d+)\)", log, re.MULTILINE)
    promised, there = (int(n) for n in found.groups()) if found else (0, 0)
    # Tools that write to a pipe leave 0xFFFFFFFF (SoX: 0x7FFFF000) as "unknown": such files are whole.
    return there, promised if promised < 0x7FFFF000 else 0

"""What soundfile does not open (m4a, mp4, aac, amr, webm, wma and more), by PyAV: the extra ``media``."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from xlser.data.unreadable import AudioFault, PassingFault, check_header, reading

# What integers reach at full scale, by their width in bytes.
_FULL = {1: 2.0**7, 2: 2.0**15, 4: 2.0**31, 8: 2.0**63}
# A list of parts, or of streams, must not make FFmpeg open other files or addresses: no protocol has this name.
_ALONE = {"protocol_whitelist": "none"}


def open_media(file: BinaryIO, source: Path | BinaryIO, fault: Exception, stack: ExitStack) -> MediaDecoder:
    """Open the first track of sound in a file; pictures are passed over.

    Args:
        file: at its beginning.
        source: what it was opened from.
        fault: why soundfile did not open it, which is said where PyAV cannot either.
        stack: closes it.

    Raises:
        AudioFault: it holds no sound.
    """
    try:
        import av

        av.logging.set_level(av.logging.PANIC)
    except Exception as error:  # one odd file must not cost a batch: what soundfile said of it is said, and this
        broken = PassingFault(f"not read by soundfile ({fault}); PyAV, which may, cannot be loaded: {error}")
        raise broken from error
    with reading(source):
        try:
            container: Any = stack.enter_context(av.open(_Nameless(file), metadata_errors="replace", options=_ALONE))
        except (av.error.InvalidDataError, av.error.EOFError) as error:
            raise fault from error
        if not container.streams.audio:
            raise AudioFault("no sound: a film or a picture without a track of audio")
        return MediaDecoder(container, source)


class _Nameless:
    """A file without its name, by which FFmpeg would guess what is in it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.read, self.tell = file, file.read, file.tell

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place; a damaged header may name one that there is not, which FFmpeg is told as it tells others."""
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError, OverflowError) as error:
            if isinstance(error, OSError) and error.errno != errno.EINVAL:
                raise
            return -errno.EINVAL


class MediaDecoder:
    """By FFmpeg. Containers count in other units than samples, or guess: ``frames`` is known by decoding only."""

    def __init__(self, container: Any, source: Path | BinaryIO) -> None:
        self._source, self._stream = source, container.streams.audio[0]
        self.frames: int | None = None
        self.narrow = False
        self._decoded = container.decode(self._stream)
        # The header of an AAC file may say half of the rate, and one channel of two.
        first = next((frame for frame in self._decoded if frame.samples), None)
        if first is None:
            raise AudioFault("zero length: the header is there, but no samples")
        self._first, self.rate, self.channels = first, int(first.sample_rate), int(first.layout.nb_channels)
        check_header(self.rate, self.channels)

    def blocks(self, first: int = 0, last: int | None = None) -> Iterator[np.ndarray]:
        """Yield frames ``first`` to ``last``; see `xlser.data.decoding.Decoder`.

        Raises:
            AudioFault: the file cannot be decoded to its end, or changes its rate or channels on the way.
        """
        at, frames = 0, chain([self._first], self._decoded)
        while last is None or at < last:
            with reading(self._source):
                frame = next(frames, None)
                if frame is None:
                    break
                block = self._block(frame)
            part = block[max(0, first - at) : None if last is None else last - at]
            if len(part):
                yield part
            at += len(block)
        if last is None or at < last:
            self._check_length(at / self.rate)

    def _block(self, frame: Any) -> np.ndarray:
        rate, channels = int(frame.sample_rate), int(frame.layout.nb_channels)
        if (rate, channels) != (self.rate, self.channels):
            raise AudioFault(
                f"changes within: {self.rate} Hz and {self.channels} channel(s) first, {rate} Hz and {channels} later"
            )
        values = frame.to_ndarray()
        values = values.T if frame.format.is_planar else values.reshape(-1, channels)
        if values.dtype.kind == "f":
            return np.ascontiguousarray(values, dtype=np.float32)
        middle = 128.0 if values.dtype.kind == "u" else 0.0
        return ((values - middle) / _FULL[values.itemsize]).astype(np.float32)

    def _check_length(self, there: float) -> None:
        """See that a container that counts the length of this very track has not lost its end."""
        stream = self._stream
        exact = stream.container.format.name.startswith("mov")
        promised = float(stream.duration * stream.time_base) if exact and stream.duration else 0.0
        if there < 0.9 * promised - 0.2:
            raise AudioFault(f"cut short: the header promises {promised:.1f} s, but only {there:.1f} s can be decoded")

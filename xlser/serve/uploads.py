"""An upload as it comes in: counted, in a temporary file without a name, under a label that is never a path."""

from __future__ import annotations

import asyncio
import errno
import tempfile
import time
import unicodedata
from collections.abc import AsyncIterator
from typing import IO, Any

from xlser.serve.limits import MIB, Limits, duration, size
from xlser.serve.refusal import Refused

# Bytes that are written at once, and letters of a label.
_PIECE, _LONGEST = MIB, 120
NAMELESS = "recording"


def label(name: str | None) -> str:
    r"""Return what a recording is called in answers: the last part of its name, without what only deceives the eye.

    >>> label("../../etc/passwd"), label("C:\\a\\call.wav"), label("a\x00b\u202egpj.wav"), label("..")
    ('passwd', 'call.wav', 'abgpj.wav', 'recording')
    >>> len(label("a" * 10_000 + ".wav")), label(None)
    (120, 'recording')
    """
    last = (name or "")[-4096:].replace("\\", "/").rstrip("/").rpartition("/")[2]
    # Control, format (right-to-left marks), surrogate, private and unassigned ones, and what breaks a line.
    shown = "".join(
        letter for letter in last if unicodedata.category(letter)[0] != "C" and letter not in "\u2028\u2029"
    )
    shown = unicodedata.normalize("NFC", shown).strip()
    if len(shown) > _LONGEST:
        shown = f"{shown[: _LONGEST - 21]}…{shown[-20:]}"
    return shown if shown.strip(".") else NAMELESS


class Room:
    """The bytes that uploads take at this moment, all together."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.taken = limits, 0

    def take(self, count: int) -> None:
        """Count bytes in.

        Raises:
            Refused: 503, all uploads together have become too much.
        """
        if self.taken + count > self.limits.all_bytes:
            text = (
                f"All uploads that are here take more than {size(self.limits.all_bytes)} together. Send it again later."
            )
            raise Refused(503, text, retry_after=30)
        self.taken += count


class Upload:
    """A recording that was sent. Its file has no name on the disk, so that nothing is left of it even after a kill."""

    def __init__(self, room: Room) -> None:
        self.file: IO[bytes] = tempfile.TemporaryFile(prefix="xlser-serve-")  # noqa: SIM115  closed by `close`
        self.label, self.size, self._room = NAMELESS, 0, room
        self._held = bytearray()

    async def add(self, data: bytes) -> None:
        """Take some bytes.

        Raises:
            Refused: 413 or 503, it is too large; 507, the disk is full.
        """
        if self.size + len(data) > self._room.limits.bytes:
            raise too_large(self._room.limits)
        self._room.take(len(data))
        self.size += len(data)
        self._held += data
        if len(self._held) >= _PIECE:
            await self._write()

    async def finish(self) -> None:
        """Write what is left, and go to the beginning.

        Raises:
            Refused: 400, nothing came.
        """
        if not self.size:
            raise Refused(400, "The request holds no recording. Send the bytes of one audio file as the body.")
        await self._write()
        self.file.seek(0)

    def close(self) -> None:
        """Give the disk back."""
        self._room.taken -= self.size
        self.size = 0
        self.file.close()

    async def _write(self) -> None:
        data, self._held = bytes(self._held), bytearray()
        try:
            await asyncio.to_thread(self.file.write, data)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            text = "The server's disk is full." if full else "The server cannot write to its temporary folder."
            raise Refused(507 if full else 500, text, retry_after=60 if full else None) from error


async def receive(request: Any, upload: Upload, limits: Limits) -> None:
    """Fill an upload with the body of a request: the bytes of a file, or a form with one.

    Args:
        request: Starlette's.
        upload: an empty one.
        limits: of bytes and of time.

    Raises:
        Refused: too large, too slow, empty, compressed on the way, or a form without a file.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise Refused(415, "The body must not be compressed (Content-Encoding). Send the file as it is.")
    if (stated := request.headers.get("content-length", "")).isdecimal() and int(stated[:20]) > limits.bytes + MIB:
        raise too_large(limits)
    upload.label = label(request.query_params.get("name"))
    kind = request.headers.get("content-type", "")
    body = _timed(request.stream(), limits)
    if kind.partition(";")[0].strip().lower() == "multipart/form-data":
        from xlser.serve.form import read_form

        await read_form(kind, body, upload)
    else:
        async for piece in body:
            await upload.add(piece)
    await upload.finish()


def too_large(limits: Limits) -> Refused:
    """Return the refusal of an upload that is larger than the limit."""
    return Refused(
        413,
        f"The recording is larger than {size(limits.bytes)}, the limit of this server. Send it as FLAC or MP3, or in "
        "parts; or start the server with a larger --max-megabytes.",
    )


async def _timed(stream: AsyncIterator[bytes], limits: Limits) -> AsyncIterator[bytes]:
    """Pass pieces of a body on.

    Raises:
        Refused: 408, it takes too long.
    """
    end = time.monotonic() + limits.upload_seconds
    while True:
        left = min(limits.idle_seconds, end - time.monotonic())
        try:
            yield await asyncio.wait_for(anext(stream), max(0.001, left))
        except StopAsyncIteration:
            return
        except (asyncio.TimeoutError, TimeoutError):
            text = f"The upload stood still for {duration(limits.idle_seconds)}, or took more than "
            raise Refused(408, f"{text}{duration(limits.upload_seconds)}. Send it again.") from None

"""What a server sends, for as long as it sends something: no header, length or pace of its own is trusted."""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from xlser.errors import CorpusError

_TIMEOUT = (10, 60)  # seconds to connect, seconds between two bytes
_HEADERS_WITHIN = 180  # seconds from the question to the first byte of the file
_BLOCK = 2**16
# A slow line brings this many bytes in so many seconds; a server that sends less means to be waited for.
_PACE, _PATIENCE = 2**16, 300
# The largest file of a server that does not say how large it is, and what is always left free on the disk.
_MOST_UNSAID, _LEFT_FREE = 2**36, 2**28


class EndlessError(CorpusError):
    """More came than a file of a corpus has: nothing of it is worth keeping."""


@contextmanager
def answer_to(url: str, headers: dict[str, str] | None = None) -> Iterator[Any]:
    """Yield the answer to a question, without its content, and close it.

    Raises:
        requests.RequestException: there is none. CorpusError: its headers do not come to an end.
    """
    import requests

    heard: list[Any] = []

    def ask() -> None:
        try:
            heard.append(requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT))
        except Exception as error:  # raised again by who asked
            heard.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_HEADERS_WITHIN)
    if not heard:
        raise CorpusError(f"cannot download {url}: no answer within {_HEADERS_WITHIN} s")
    if isinstance(heard[0], BaseException):
        raise heard[0]
    with closing(heard[0]):
        yield heard[0]


def length_of(answer: Any, url: str) -> int | None:
    """Return how many bytes an answer says that it has; None where it does not say.

    Raises:
        CorpusError: it says something that is no length.
    """
    text = answer.headers.get("Content-Length")
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,18}", text.strip()):
        raise CorpusError(f"cannot download {url}: its server says no length but {text[:40]!r} (Content-Length)")
    return int(text)


def blocks(answer: Any, url: str, folder: Path) -> Iterator[bytes]:
    """Yield the content of an answer as it comes, to be written into ``folder``.

    Raises:
        requests.RequestException: it breaks off. CorpusError: it comes slower than any line, or is more than the disk
            has left. EndlessError: it has no end.
    """
    came, began, mark = 0, time.monotonic(), 0
    while block := _next(answer):
        came += len(block)
        if came > _MOST_UNSAID and length_of(answer, url) is None:
            raise EndlessError(f"cannot download {url}: more than {_MOST_UNSAID:,} bytes came, and no length was said")
        if came // 2**26 > (came - len(block)) // 2**26 and shutil.disk_usage(folder).free < _LEFT_FREE:
            raise CorpusError(
                f"cannot download {url}: {came:,} bytes came, and the disk of {folder} is nearly full. What came is "
                "kept: free some space, and the same command goes on from there."
            )
        yield block
        if came - mark >= _PACE:
            began, mark = time.monotonic(), came
        elif time.monotonic() - began > _PATIENCE:
            raise CorpusError(
                f"cannot download {url}: {came - mark:,} bytes came in {_PATIENCE} s. What came is kept: the same "
                "command goes on from there."
            )


def content_of(url: str, most: int) -> bytes:
    """Return what stands at an address.

    Raises:
        requests.RequestException: the server cannot be reached, or refuses. CorpusError: it sends more than ``most``
            bytes; see `blocks`.
    """
    came = bytearray()
    with answer_to(url) as answer:
        answer.raise_for_status()
        for block in blocks(answer, url, Path()):
            came += block
            if len(came) > most:
                raise CorpusError(f"cannot read {url}: it is longer than {most:,} bytes")
    return bytes(came)


def _next(answer: Any) -> bytes:
    """Return what came, however little: to wait for a whole block is to wait for ever."""
    import requests
    import urllib3

    try:
        return answer.raw.read1(_BLOCK, decode_content=True) or b""
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError(error) from error

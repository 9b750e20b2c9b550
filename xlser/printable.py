"""What people are shown of texts from outside: nothing of a name, a card or an answer acts on a terminal or a page.

Names of files that are no valid Unicode have each odd byte as a lone surrogate, which nothing writes. Others hold the
escapes by which a terminal is coloured, cleared or made to type, or letters without width or that turn the order of
what stands around them. Files for programs (JSON, Parquet) keep such names as they are.
"""

from __future__ import annotations

import codecs
import os
import re
import sys
from typing import IO, Any, TextIO

# The reason for which such a recording is left out: tables, ids and reports are Unicode.
NOT_UNICODE = "name is not UTF-8: rename the file"
_ESCAPED = "xlser-printable"
# Controls but for tab and the end of a line; what turns the order of letters; what has no width, or is another blank
# line. The joiners of Persian, of the scripts of India and of emoji are shown only beside ASCII or an end.
_ACTING = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
    "|\r(?!\n)|(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])"
)
_BREAKS = re.compile(r"[\r\n\t]")


def is_unicode(text: str) -> bool:
    """Say whether a name can be written to a table or a page.

    >>> is_unicode("café.wav"), is_unicode("caf\\udce9.wav")
    (True, False)
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def printable(path: str | os.PathLike[str]) -> str:
    r"""Return a path, or any text, as what can be printed and written: bytes that are no UTF-8 as ``\xe9``.

    >>> printable("caf\udce9.wav")
    'caf\\xe9.wav'
    """
    text = os.fspath(path)
    return text if is_unicode(text) else text.encode("utf-8", _ESCAPED).decode("utf-8")


def visible(text: str) -> str:
    r"""Return a text in which nothing acts: escapes, controls and hidden letters are spelled as ``\u202e``.

    A tab and the ends of lines stay; see `one_line`. What is escaped in a string of JSON stays the same string.

    >>> visible("a\x1b[31m \u202e"), visible("two\nlines"), len(visible("\u0645\u06cc\u200c\u062e"))
    ('a\\u001b[31m \\u202e', 'two\nlines', 4)
    """
    return text if text.isascii() and text.isprintable() else _ACTING.sub(_spelled, text)


def one_line(text: str) -> str:
    r"""Return `visible` text without ends of lines and tabs, which are spelled too: for a name within a line.

    >>> one_line("a.wav\nerror: none")
    'a.wav\\u000aerror: none'
    """
    return _BREAKS.sub(_spelled, visible(text))


def print_everything() -> None:
    """Let standard output and error show whatever they are given, instead of failing or obeying it: see `visible`.

    Letters that their encoding lacks are spelled too. Whatever prints passes here: messages, reports, warnings, logs.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None or isinstance(stream, VisibleStream):
            continue
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_ESCAPED)
        setattr(sys, name, VisibleStream(stream))


class VisibleStream:
    """A text stream in front of another that passes on `visible` text; what else is asked of it, the other answers.

    A carriage return that begins a write stands: with it a progress bar of a library begins, and there is nothing
    before it that could be written over.

    >>> import io
    >>> below = io.StringIO()
    >>> VisibleStream(below).write("\x1b[2J")
    4
    >>> below.getvalue()
    '\\\\u001b[2J'
    """

    def __init__(self, stream: IO[str]):
        self.exact: Any = stream

    def __getattr__(self, name: str) -> Any:
        if name in ("buffer", "detach"):  # a way around; click would take it where the encoding is ASCII
            raise AttributeError(name)
        return getattr(self.exact, name)

    def write(self, text: str) -> int:
        """Write a text; returns the number of its characters, as they were before anything was spelled."""
        if not isinstance(text, str):
            raise TypeError(f"`text` must be a text, but is {type(text).__name__} instead.")
        begin = "\r" if text[:1] == "\r" else ""
        self.exact.write(begin + visible(text[len(begin) :]))
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write several texts, one after the other."""
        for line in lines:
            self.write(line)


def exact_output() -> TextIO:
    """Return standard output for what programs read: as it is written, unless it is a terminal."""
    stream: Any = sys.stdout
    shown = not isinstance(stream, VisibleStream) or stream.isatty()
    exact: TextIO = stream if shown else stream.exact
    return exact


def _spelled(letter: re.Match[str]) -> str:
    number = ord(letter[0])
    if number < 0x10000:
        return f"\\u{number:04x}"
    number -= 0x10000  # as JSON spells it: by two halves
    return f"\\u{0xD800 + (number >> 10):04x}\\u{0xDC00 + (number & 0x3FF):04x}"


def _escape(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letter = error.object[error.start]
    if "\udc80" <= letter <= "\udcff":
        return f"\\x{ord(letter) - 0xDC00:02x}", error.start + 1
    return letter.encode("ascii", "backslashreplace").decode(), error.start + 1


codecs.register_error(_ESCAPED, _escape)

"""Names of files that are no valid Unicode: Python gives each odd byte as a lone surrogate, which nothing writes."""

from __future__ import annotations

import codecs
import os
import sys

# The reason for which such a recording is left out: tables, ids and reports are Unicode.
NOT_UNICODE = "name is not UTF-8: rename the file"
_ESCAPED = "xlser-printable"


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


def print_everything() -> None:
    """Let standard output and error show such names, and letters that their encoding lacks, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_ESCAPED)


def _escape(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letter = error.object[error.start]
    if "\udc80" <= letter <= "\udcff":
        return f"\\x{ord(letter) - 0xDC00:02x}", error.start + 1
    return letter.encode("ascii", "backslashreplace").decode(), error.start + 1


codecs.register_error(_ESCAPED, _escape)

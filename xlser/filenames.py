"""Texts that become a part of a path: one rule for all of them, whoever wrote them."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import AfterValidator

from xlser.errors import XlserError, shortened

# Of one name, and of several with + between them, in bytes of UTF-8: disks take 255, of which a temporary file's name,
# a date or a hash needs some.
LONGEST, LONGEST_JOINED = 100, 200
_SIGNS = "-_.+"
# What Windows keeps for devices, whatever suffix stands behind.
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(port + number for port in ("com", "lpt") for number in "0123456789¹²³")}
)
_RULE = (
    f"letters, digits, - _ . and +, a letter or a digit first, no .., no . at the end, at most {LONGEST} bytes, and no "
    "device's name such as con"
)


def file_name_fault(text: str, longest: int = LONGEST) -> str:
    """Return what keeps a text from being the name of a file or folder on any system; empty where nothing does.

    Letters may be of any script.

    >>> file_name_fault("ce+supcon"), file_name_fault("lr0.0015"), file_name_fault("ελληνικά")
    ('', '', '')
    >>> file_name_fault("a/b"), file_name_fault(""), file_name_fault("CON.txt"), file_name_fault("-x")
    ("it holds '/'", 'it is empty', 'it names a device', "it begins with '-'")
    """
    if not text:
        return "it is empty"
    if len(text) > longest or len(text.encode("utf-8", "surrogatepass")) > longest:
        return f"it is longer than {longest} bytes"
    other = next((sign for sign in text if not _is_letter(sign) and sign not in _SIGNS), None)
    if other is not None:
        return f"it holds {other!r}"
    if not (text[0].isalnum() or text[0] == "_"):
        return f"it begins with {text[0]!r}"
    if ".." in text or text.endswith("."):
        return "it holds '..'" if ".." in text else "it ends with '.'"
    return "it names a device" if text.partition(".")[0].lower() in _DEVICES else ""


def check_file_name(text: str) -> str:
    """Return a text that may become a part of a path.

    Raises:
        ValueError: it may not, and why; the text itself is shortened.

    >>> check_file_name("../x")
    Traceback (most recent call last):
    ValueError: becomes the name of a file or folder, and '../x' cannot be one: it holds '/'. Use letters, digits, - _ \
. and +, a letter or a digit first, no .., no . at the end, at most 100 bytes, and no device's name such as con
    """
    if fault := file_name_fault(text):
        raise ValueError(
            f"becomes the name of a file or folder, and {shortened(text)} cannot be one: {fault}. Use {_RULE}"
        )
    return text


# The type of every field, and of every key, that reaches a path.
FileName = Annotated[str, AfterValidator(check_file_name)]


def path_part(text: object, key: str, error: type[XlserError]) -> str:
    """Return a text that is about to become a part of a path, read from a file or given by hand.

    Args:
        text: one name, or several with ``+`` between them, which may be `LONGEST_JOINED` bytes.
        key: where it stands, for the message: ``method of results.json``.
        error: what is raised.

    Raises:
        XlserError: it cannot be one; the key, the text, the fault and the rule are named.

    >>> path_part("emodb+ravdess", "source", XlserError)
    'emodb+ravdess'
    """
    fault = file_name_fault(text, LONGEST_JOINED) if isinstance(text, str) else "it is no text"
    if not isinstance(text, str) or fault:
        raise error(
            f"{key} becomes the name of a file or folder, and {shortened(text)} cannot be one: {fault}. Use {_RULE}."
        )
    return text


def below(folder: Path, text: object, key: str, error: type[XlserError]) -> Path:
    """Return a path below a folder that a file names, such as ``jobs/dae/emodb``.

    Raises:
        XlserError: it is no text, or leads out of the folder; the key and the text are named.

    >>> below(Path("runs"), "jobs/dae", "folder", XlserError).as_posix()
    'runs/jobs/dae'
    """
    plain = text.replace("\\", "/") if isinstance(text, str) else ""
    parts = PurePosixPath(plain).parts
    if not parts or plain.startswith("/") or ".." in parts or ":" in parts[0] or "\0" in plain:
        raise error(f"{key} must be a path below {folder}, but is {shortened(text)} instead.")
    return folder.joinpath(*parts)


def as_file_name(text: str, otherwise: str) -> str:
    """Return a text as the name of a file: what cannot stand in one becomes ``-``; ``otherwise`` where nothing is left.

    >>> as_file_name("My Data (2)", "mine"), as_file_name("../..", "mine")
    ('My-Data-2', 'mine')
    """
    kept = "".join(sign if _is_letter(sign) or sign in _SIGNS else "-" for sign in unicodedata.normalize("NFC", text))
    kept = re.sub(r"-+", "-", re.sub(r"\.\.+", ".", kept))
    kept = kept.encode()[:LONGEST].decode(errors="ignore").strip("-.+")
    return kept if kept and not file_name_fault(kept) else otherwise


def _is_letter(sign: str) -> bool:
    """Say whether a sign is a letter, a mark on one, or a digit, of any script."""
    return sign.isalnum() or unicodedata.category(sign) in ("Mn", "Mc")

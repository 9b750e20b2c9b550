"""Finding a corpus's files: one walk of the folder, patterns matched on relative paths."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath

from xlser.corpora.patterns import fits
from xlser.errors import CorpusError
from xlser.machine import pass_on_machine

# What soundfile reads, and what PyAV does.
AUDIO_SUFFIXES = frozenset(
    {
        *(".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".mp2", ".aiff", ".aif", ".aifc", ".au", ".snd", ".w64"),
        *(".rf64", ".caf", ".sph", ".voc"),
        *(".m4a", ".m4b", ".mp4", ".m4v", ".mov", ".3gp", ".3g2", ".aac", ".ac3", ".amr", ".awb", ".webm", ".mkv"),
        *(".mka", ".wma", ".wmv", ".asf", ".avi", ".flv", ".mpg", ".mpeg", ".ape", ".wv", ".tta", ".spx"),
    }
)


def walk(root: Path) -> Iterator[str]:
    """Yield the relative POSIX path of every visible file below ``root``, in sorted order.

    Hidden files (macOS leaves ``._`` copies) are passed over. Linked folders are entered, but none inside itself, so
    that a link to a folder above it ends and finds nothing twice. An empty folder that is named as audio is yielded
    like a file: somebody takes it for a recording, and opening it says what it is.
    """
    yield from _walk(root, "", frozenset({os.path.realpath(root)}))


def _walk(folder: Path, prefix: str, above: frozenset[str]) -> Iterator[str]:
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        pass_on_machine(error, f"reading the folder {folder}")
        raise CorpusError(
            f"cannot read the folder {folder}: {error.strerror or error}. Change its permissions, or move it out."
        ) from error
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if not _is_folder(entry):
            yield prefix + entry.name
            continue
        real = os.path.realpath(entry.path)
        if real in above:
            continue
        below = _walk(Path(entry.path), f"{prefix}{entry.name}/", above | {real})
        first = next(below, None)
        if first is not None:
            yield first
            yield from below
        elif PurePosixPath(entry.name).suffix.lower() in AUDIO_SUFFIXES:
            yield prefix + entry.name


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError as error:  # a link in a circle is no folder
        pass_on_machine(error, f"looking at {entry.path}")
        return False


def suffix_counts(paths: Iterable[str]) -> str:
    """Return how many files of each kind there are, the most frequent first; empty where there are none.

    >>> suffix_counts(["a.docx", "b/c.DOCX", "notes", "x.amr"])
    '2 .docx, 1 .amr, 1 without a suffix'
    """
    counts = Counter(PurePosixPath(path).suffix.lower() or "without a suffix" for path in paths)
    return ", ".join(
        f"{count:,} {kind}" for kind, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )


def nfc(text: str) -> str:
    """Return ``text`` with composed accents: disks and archives mix both Unicode forms of one name."""
    return unicodedata.normalize("NFC", text)


@lru_cache(maxsize=256)
def glob_pattern(pattern: str) -> str:
    """Translate a glob with ``*``, ``?``, ``[...]``, ``**/`` and ``{a,b}`` into one for a relative POSIX path.

    >>> glob_pattern("{Angry,Sad}/*.wav")
    '(?:Angry|Sad)/[^/]*\\\\.wav'
    """
    tokens = re.findall(r"\*\*/|\*|\?|\[[^\]]+\]|\{|\}|,|.", nfc(pattern), flags=re.DOTALL)
    special = {"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}
    out, depth = [], 0
    for token in tokens:
        if token == "{":
            out.append("(?:")
            depth += 1
        elif token == "}" and depth:
            out.append(")")
            depth -= 1
        elif token == "," and depth:
            out.append("|")
        elif token.startswith("[") and len(token) > 2:
            out.append(token.replace("[!", "[^", 1))
        else:
            out.append(special.get(token) or re.escape(token))
    return "".join(out)


def matches_any(path: str, patterns: tuple[str, ...]) -> bool:
    """Tell whether a relative path fits one of the globs.

    Letter case is ignored: corpora copied through other systems come back with ``.WAV``.

    >>> matches_any("Sad/x y.WAV", ("{Angry,Sad}/*.wav",)), matches_any("Sad/x.wav", ("*.wav",))
    (True, False)
    >>> matches_any("x.wav", ("**/*.wav",))
    True
    """
    return any(fits(glob_pattern(pattern), nfc(path), True) for pattern in patterns)

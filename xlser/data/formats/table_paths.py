"""Where the recordings of a table are: its paths, made relative to one folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from xlser.corpora.globbing import AUDIO_SUFFIXES, walk
from xlser.corpora.matching import Matches, match_paths
from xlser.data.formats.cells import cell_text, is_inside

NOWHERE, SEVERAL = "no recording of this path", "path fits several recordings, or one that another path names"


@dataclass
class Places:
    """The folder ``root``, and the path below it of each written path that names a recording there.

    ``left_out`` are the others, by the reason; ``notes`` say what was matched otherwise than as it stands, and which
    recordings are named by none.
    """

    root: Path
    paths: dict[str, str]
    left_out: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def place_paths(
    written: Iterable[object], base: Path, table: str, *, fixed: bool = False, complete: bool = True
) -> Places:
    """Find the recordings that a table names.

    A path that leads to a file is that file, wherever it is; otherwise it is matched with the audio below ``base`` (see
    `match_paths`). The root is ``base``, or the nearest folder above all files that were found elsewhere.

    Args:
        written: cells of paths; empty ones are passed over.
        base: the folder that they start from.
        table: its name, for the notes.
        fixed: ``base`` was named by the user: only what is below it counts.
        complete: all recordings in the folder are meant: those that no path names are told.
    """
    texts = list(dict.fromkeys(text for cell in written if (text := cell_text(cell))))
    direct = {text: path for text in texts if (path := _direct(text, base, fixed))}
    outside = [path for path in direct.values() if not path.is_relative_to(base)]
    root = Path(os.path.commonpath([path.parent for path in direct.values()])) if outside else base
    if not complete and (len(direct) == len(texts) or not fixed):
        files = []
    else:
        files = _beside(direct.values(), root) if outside else _below(base)
    found = match_paths(texts, files, root) if len(direct) < len(texts) or outside else Matches([])
    named = {text: file for text, file in zip(texts, found.files, strict=False) if file}
    named |= {text: path.relative_to(root).as_posix() for text, path in direct.items()}
    taken = set(named.values())
    found.unnamed = [file for file in files if file not in taken] if complete else []
    found.by_tail = {text: file for text, file in found.by_tail.items() if text not in direct}
    doubtful = {text: files for text, files in found.doubtful.items() if text not in named}
    nowhere = [text for text in texts if text not in named and text not in doubtful]
    left_out = {reason: paths for reason, paths in ((NOWHERE, nowhere), (SEVERAL, list(doubtful))) if paths}
    found.unmatched, found.doubtful = [], doubtful
    return Places(root, named, left_out, found.notes(table))


def _direct(text: str, base: Path, fixed: bool) -> Path | None:
    """Return the file that a path leads to as it stands, links and all; None where there is none."""
    for spelt in dict.fromkeys((text, text.replace("\\", "/"))):
        path = Path(os.path.normpath(base / os.path.expanduser(spelt)))
        # os.path.isfile takes every name, be it too long or with a NUL in it.
        if (not fixed or is_inside(spelt) or path.is_relative_to(base)) and os.path.isfile(path):
            return path
    return None


def _below(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return [path for path in walk(folder) if PurePosixPath(path).suffix.lower() in AUDIO_SUFFIXES]


def _beside(paths: Iterable[Path], root: Path) -> list[str]:
    """Return the audio in the folders of some files: what is above them may be a whole disk."""
    folders = sorted({path.parent for path in paths})
    found = (file for folder in folders for file in sorted(folder.iterdir()))
    return [file.relative_to(root).as_posix() for file in found if file.suffix.lower() in AUDIO_SUFFIXES]

"""Paths as tables write them, and the recordings that they name: matched as paths, never by the last name alone."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from xlser.corpora.globbing import AUDIO_SUFFIXES, nfc

# What a table may write behind a file name; anything else behind a dot belongs to the name.
_SUFFIXES = AUDIO_SUFFIXES | {".avi", ".flv", ".mkv", ".mov", ".txt"}
# A drive, a scheme, the place holder of SpeechBrain's manifests: in front of it stands another machine's root.
_ROOT = re.compile(r"[A-Za-z][\w+.-]*:/*|/+|~/|\{\w+\}/|(\.\./)+")


@dataclass
class Matches:
    """Which recording each written path names.

    ``files`` has a recording, or None, for each written path. ``unmatched`` are written paths that name none,
    ``doubtful`` those that could be any of several (or one that another path names better), ``by_tail`` those whose
    last folders alone were compared, with the recording: each path once. ``unnamed`` are recordings that no path names.
    """

    files: list[str | None]
    unmatched: list[str] = field(default_factory=list)
    doubtful: dict[str, list[str]] = field(default_factory=dict)
    by_tail: dict[str, str] = field(default_factory=dict)
    unnamed: list[str] = field(default_factory=list)

    def notes(self, table: str) -> list[str]:
        """Return what a user should know, a sentence each; ``table`` names what the paths are written in."""
        notes = []
        if self.unmatched:
            notes.append(f"{table}: {len(self.unmatched)} path(s) name no recording: {_some(self.unmatched)}")
        if self.doubtful:
            pairs = [f"{path} ({' or '.join(files[:3])})" for path, files in self.doubtful.items()]
            notes.append(
                f"{table}: {len(pairs)} path(s) fit several recordings, or one that another path names: "
                f"{_some(pairs)}. Write the folders in front of the name"
            )
        if self.by_tail:
            pairs = [f"{path} = {file}" for path, file in self.by_tail.items()]
            notes.append(f"{table}: {len(pairs)} path(s) matched by their last folders and name: {_some(pairs)}")
        if self.unnamed:
            notes.append(f"{table}: {len(self.unnamed)} recording(s) that no row names: {_some(self.unnamed)}")
        return notes


def match_paths(written: Sequence[str], files: Sequence[str], root: str | Path = "") -> Matches:
    r"""Find the recording that each written path names.

    Slashes, accents (composed or not), letter case and a missing or other audio suffix make no difference where
    one recording alone fits; of two the one that is written exactly so is taken. A path fits a recording if

    - it is the recording's path below the root;
    - it is relative, and the recording's path ends with all of it: a bare name, only where it is unique, and
      ``anna/000.wav`` for ``wav/anna/000.wav``, but never for ``bert/000.wav``. The names of the root's own folders may
      stand in front;
    - it is absolute (or begins with ``C:``, ``../`` or an address) and ends with the recording's whole path below the
      root, or the recording's path ends with what the absolute paths do not have in common (one folder at least).

    Of several the longest agreement counts; two paths that are not the same never name one recording, unless they
    are spellings of its own path.

    Args:
        written: paths as the table has them; some may stand several times (segments). Empty ones name nothing.
        files: paths of the recordings below the root, with slashes.
        root: their folder.

    >>> match_paths(["anna/000.wav", "001", r"C:\data\bert\000.WAV"], ["anna/001.wav", "bert/000.wav"]).files
    [None, 'anna/001.wav', 'bert/000.wav']
    """
    index = _Index(files, root)
    paths = {text: _cut(text) for text in dict.fromkeys(written)}
    shared = _shared([path.parts for path in paths.values() if path.absolute])
    found = {text: index.find(path, shared) for text, path in paths.items()}
    result = Matches([])
    named = _one_each(found, paths, result)
    result.files = [named.get(text) for text in written]
    taken = set(named.values())
    result.unnamed = [file for file in files if file not in taken]
    result.unmatched = [text for text, fits in found.items() if not fits and text]
    result.by_tail = {text: file for text, file in named.items() if paths[text].key != _cut(file).key}
    return result


@dataclass(frozen=True)
class _Path:
    """A path to compare: lower case, no suffix; ``spelt`` still has letter case and suffix."""

    key: str
    spelt: str
    absolute: bool

    @property
    def parts(self) -> list[str]:
        return self.key.split("/") if self.key else []


def _cut(text: str) -> _Path:
    path = nfc(text).strip().replace("\\", "/")
    absolute = _ROOT.match(path)
    spelt = posixpath.normpath(path[absolute.end() :] if absolute else path) if path else ""
    head, dot, tail = spelt.rpartition(".")
    key = head if dot + tail.lower() in _SUFFIXES else spelt
    return _Path("" if key == "." else key.lower(), spelt, bool(absolute))


class _Index:
    """The recordings by their whole path below the root, and by every end of it (the root's folders in front)."""

    def __init__(self, files: Sequence[str], root: str | Path) -> None:
        self.whole: dict[str, list[str]] = defaultdict(list)
        self.ends: dict[str, list[str]] = defaultdict(list)
        above = [nfc(part).lower() for part in Path(root).parts if part.strip("/")] if root else []
        for file in files:
            own = _cut(file)
            self.whole[own.key].append(file)
            parts = above + own.parts
            for start in range(len(parts)):
                self.ends["/".join(parts[start:])].append(file)

    def find(self, path: _Path, shared: int) -> list[str]:
        """Return the recordings that a path fits, the nearest ones alone."""
        if not path.key:
            return []
        if not path.absolute:
            return _nearest(path, self.whole.get(path.key) or self.ends.get(path.key, []))
        parts = path.parts
        fits = [(len(parts) - n, files) for n in range(len(parts)) if (files := self.whole.get("/".join(parts[n:])))]
        rest = parts[min(shared, len(parts) - 2) :]  # a name needs a folder
        if len(parts) > 1 and (files := self.ends.get("/".join(rest))):
            fits.append((len(rest), files))
        return _nearest(path, max(fits, key=lambda fit: fit[0])[1] if fits else [])


def _nearest(path: _Path, files: list[str]) -> list[str]:
    """Return those of several recordings that are spelt as the path is: the same suffix, then the same letters."""
    if len(files) < 2:
        return files
    for same in (str.lower, str):
        near = [file for file in files if same(nfc(file)).endswith(same(path.spelt).rpartition("/")[2])]
        files = near or files
    exact = [file for file in files if path.spelt.endswith(nfc(file)) or nfc(file).endswith(path.spelt)]
    return exact if len(exact) == 1 else files


def _shared(paths: list[list[str]]) -> int:
    """Return how many folders all absolute paths begin with."""
    folders = [path[:-1] for path in paths]
    if not folders:
        return 0
    low, high = min(folders), max(folders)
    return next((n for n, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))


def _one_each(found: dict[str, list[str]], paths: dict[str, _Path], result: Matches) -> dict[str, str]:
    """Return the one recording of each path; those that are in doubt are noted in ``result``."""
    by_file: dict[str, list[str]] = defaultdict(list)
    for text, files in found.items():
        if len(files) > 1:
            result.doubtful[text] = files
        elif files:
            by_file[files[0]].append(text)
    named = {}
    for file, texts in by_file.items():
        spelt = nfc(file).lower()
        own = [text for text in texts if paths[text].spelt.lower() in (spelt, spelt.rpartition(".")[0])]
        alike = len({paths[text].spelt.lower() for text in texts}) == 1
        for text in texts if alike else own:
            named[text] = file
        result.doubtful |= {text: [file] for text in texts if text not in named}
    return named


def _some(names: list[str], most: int = 3) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")

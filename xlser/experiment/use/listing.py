"""What `xlser predict` and `xlser embed` are to hear: a file, a folder, standard input, or the rows of a table."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from xlser.corpora.globbing import AUDIO_SUFFIXES, walk
from xlser.corpora.namesakes import is_unknown
from xlser.data.channels import channel_number
from xlser.data.formats.annotations import ANNOTATIONS
from xlser.data.formats.cells import cell_text
from xlser.data.formats.channel_cells import read_channels
from xlser.data.formats.table_options import TableOptions
from xlser.data.formats.table_paths import place_paths
from xlser.data.formats.table_reader import TableRows, read_rows
from xlser.data.formats.table_text import TABLES
from xlser.data.regular import check_is_file
from xlser.data.samples import open_sound
from xlser.errors import CorpusError
from xlser.experiment.use.request import Request

STDIN, EACH = "-", "each"
SHOWN = 12
# What a list may say of a recording that changes how it is heard.
READ = ("path", "start", "end", "duration", "channel", "speaker")


@dataclass(frozen=True)
class Asked:
    """What is to be heard: ``requests`` in order, and ``notes`` on what was found and is not read."""

    requests: list[Request]
    notes: list[str]


def find_requests(source: str | Path, options: TableOptions | None = None, channel: str = "mix") -> Asked:
    """Return what is meant by a file, a folder, ``-`` or a list.

    A folder gives all that looks like audio below it, sorted. A list is a text with a path a line, or a table with a
    column of paths and, where it has them, of start, end or duration, channel and speaker: each row is one recording
    or one segment. Annotations of ELAN, Praat or a diariser are such tables. A path that is not absolute starts from
    the list's folder (or ``options.root``), or else from the current one. Whether a single file or a listed one can be
    read is said when it is read.

    Args:
        source: ``-`` for one recording from standard input.
        options: what the user says of a table.
        channel: of every recording whose row names none: ``mix``, ``left``, ``right``, a number from 1, or ``each``,
            which makes of a recording as many as it has channels.

    Raises:
        CorpusError: nothing is there, a folder without audio, a list without paths, or another channel.
    """
    _check_channel(channel)
    if str(source) == STDIN:
        heard = [Request(sys.stdin.buffer.read(), label="standard input")]
        return Asked(_by_channel(heard, channel), [])
    source = Path(source).expanduser()
    if source.is_dir():
        requests, notes = _of_folder(source)
    elif not (source.exists() or source.is_symlink()):
        raise CorpusError(f"{source} does not exist. Give a recording, a folder of them, or a list of paths.")
    elif source.suffix.lower() in (*TABLES, *ANNOTATIONS):
        try:
            check_is_file(source)
        except CorpusError as error:
            raise CorpusError(f"{source} cannot be read as a list: {error}") from None
        requests, notes = _of_table(source, options or TableOptions())
    else:
        requests, notes = [Request(source)], []
    return Asked(_by_channel(requests, channel), notes)


def _of_folder(folder: Path) -> tuple[list[Request], list[str]]:
    names = list(walk(folder))
    found = [name for name in names if Path(name).suffix.lower() in AUDIO_SUFFIXES]
    passed = Counter(Path(name).suffix.lower() or "no suffix" for name in names) - Counter(
        Path(name).suffix.lower() for name in found
    )
    others = ", ".join(
        f"{count} {suffix}" for suffix, count in sorted(passed.items(), key=lambda item: (-item[1], item))
    )
    if not found:
        known = ", ".join(sorted(AUDIO_SUFFIXES))
        holds = f"{others} instead" if others else "none"
        raise CorpusError(f"{folder} must hold at least an audio file ({known}), but holds {holds}.")
    return [Request(folder / name) for name in found], [f"{folder}: passed over {others}"] if others else []


def _of_table(path: Path, options: TableOptions) -> tuple[list[Request], list[str]]:
    table = read_rows(path, options)
    named = [cell_text(row.get("path")) for row in table.rows]
    if not any(named):
        raise CorpusError(f"{path} must hold at least a path, but holds none.")
    files, notes = _placed([name for name in named if name], path, options)
    cells = [row.get("channel") for row in table.rows]
    channels, said = read_channels(cells) if "channel" in table.heads else ([None] * len(cells), [])
    requests = []
    for number, (name, channel) in enumerate(zip(named, channels, strict=True)):
        about: dict[str, Any] = {} if table.bare else {str(k): _cell(v) for k, v in table.records[number].items()}
        place = f"{path.name}, line {table.lines[number]}"
        request = Request(files.get(name or "", name or ""), place=place, columns=about, channel=channel)
        speaker = cell_text(table.rows[number].get("speaker")) or ""
        request = replace(request, speaker="" if is_unknown(speaker) else speaker)
        try:
            if not name:
                raise CorpusError("its path is empty")
            start, end = table.span(number, _rate(request, table))
            _check_span(start, end)
            requests.append(replace(request, start=start or (None if end is None else 0.0), end=end))
        except CorpusError as error:
            requests.append(replace(request, fault=str(error)))
    return requests, [f"{path.name}: {note}" for note in said] + notes + _unread(table)


def _placed(names: Sequence[str], table: Path, options: TableOptions) -> tuple[dict[str, Path], list[str]]:
    """Return the file of each path: from the list's folder or the current one, or, below a root, by its last parts."""
    base = options.folder(table)
    files = {name: file for name in names if (file := _direct(name, base, options.encoding))}
    if missing := [name for name in dict.fromkeys(names) if name not in files]:
        # Annotations name a recording by its stem, which takes a look at what is there.
        look = options.root is not None or table.suffix.lower() in ANNOTATIONS
        places = place_paths(missing, base, table.name, fixed=look, complete=False)
        return files | {name: places.root / found for name, found in places.paths.items()}, places.notes
    return files, []


def _direct(name: str, base: Path, encoding: str | None) -> Path | None:
    """Return the file that a path leads to as it stands, or by the bytes that it has in the list."""
    spelt = [name]
    if encoding and os.name == "posix":
        with suppress(UnicodeError, LookupError):
            spelt.append(os.fsdecode(name.encode(encoding)))
    places = [folder / Path(text).expanduser() for text in spelt for folder in (base, Path())]
    return next((path for path in places if os.path.lexists(path)), None)


def _unread(table: TableRows) -> list[str]:
    """Return a sentence on the columns that change nothing here, and on all that could not be read."""
    spare = [repr(head) for role, head in table.heads.items() if role not in READ]
    more = f" and {len(spare) - SHOWN} more" if len(spare) > SHOWN else ""
    kept = f"{table.path.name}: kept, and not read: columns {', '.join(spare[:SHOWN])}{more}"
    return [kept] * bool(spare) + table.notes()


def _rate(request: Request, table: TableRows) -> float | None:
    """Return the rate of a recording whose times are in samples.

    Raises:
        CorpusError: it cannot be opened.
    """
    if "samples" not in table.columns.units.values():
        return None
    check_is_file(request.audio)
    with open_sound(request.audio) as sound:
        return sound.rate


def _check_span(start: float, end: float | None) -> None:
    if start < 0 or (end is not None and end <= start):
        raise CorpusError(f"a segment must end behind its start, from 0 s on, but goes from {start:g} s to {end:g} s")


def _check_channel(channel: str) -> None:
    try:
        channel_number(None if channel == EACH else channel)
    except ValueError:
        raise CorpusError(
            f"--channel must be mix, left, right, each, or a number from 1, but is {channel!r} instead."
        ) from None


def _by_channel(requests: Iterable[Request], channel: str) -> list[Request]:
    """Return the requests with the channel that is asked for; with ``each`` one for every channel."""
    if channel != EACH:
        return [one if one.channel is not None else replace(one, channel=channel) for one in requests]
    return [part for one in requests for part in _each_channel(one)]


def _each_channel(request: Request) -> list[Request]:
    if request.channel is not None or request.fault:
        return [request]
    try:
        if request.is_file:
            check_is_file(request.audio)
        with open_sound(request.audio) as sound:
            count = sound.channels
    except (CorpusError, ValueError, TypeError):  # what is wrong with it is said when it is read
        return [request]
    return [replace(request, channel=number) for number in range(1, count + 1)]


def _cell(value: Any) -> Any:
    """Return a cell as it can be written again."""
    if isinstance(value, Mapping):  # audio as `datasets` writes it, perhaps with all its bytes
        value = value.get("path")
    if value is None or isinstance(value, (str, bool, int)):
        return "" if value is None else value
    text = cell_text(value)
    return "" if text is None else value if isinstance(value, float) else text

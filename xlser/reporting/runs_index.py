"""Every run, bench and search below a folder on one page, by what they answer."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from xlser.errors import RunError, XlserError
from xlser.evaluation.candidates import RESULT, read_best
from xlser.evaluation.results_file import is_bench, load_bench, load_results
from xlser.fileformats import VERSIONS
from xlser.jsonfile import parse_json
from xlser.oddfiles import read_file
from xlser.ownfiles import OwnFiles
from xlser.reporting import first_screen
from xlser.reporting.bench import opening
from xlser.reporting.bench.facts import Bench
from xlser.reporting.best.answer import headline as best_headline
from xlser.reporting.facts import Facts
from xlser.reporting.html import html
from xlser.reporting.section import Cell, Cells, Note, Page, Section, Table
from xlser.reporting.wording import plural

INDEX, KEPT = "index.html", "index.json"
DEFAULT = Path("runs")
_NUMBERS = "results.json"
_DEEPEST = 4


class Entry(NamedTuple):
    """One result: when it was finished, what kind it is, what it reads, its answer, and its folder below the others."""

    finished: str
    kind: str
    what: str
    answer: str
    folder: str


def write_index(folder: str | Path) -> Path:
    """Write ``index.html`` into a folder of runs, benches and searches, and return its path.

    The page lists what lies up to four folders deep, the newest first, each with its answer and a link to its report,
    and names what cannot be read. Its rows are sorted by a click on a heading and searched. What was read is kept in
    ``index.json`` and read again only where it has changed.

    Raises:
        RunError: there is no such folder, or nothing of the kind in it. XlserError: it cannot be written.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise RunError(f"{folder} is no folder: give that of a run, a bench or a search, or one that holds several.")
    kept, entries, unread = _kept(folder), {}, []
    for place in result_folders(folder):
        name = place.relative_to(folder).as_posix()
        try:
            stamp = _stamp(place)
            old = kept.get(name)
            entries[name] = old if old and old[0] == stamp else [stamp, *entry_of(place, folder)]
        except (XlserError, OSError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            unread.append(f"{name}: {error if isinstance(error, XlserError) else repr(error)}")
    if not entries and not unread:
        raise RunError(f"{folder} holds no run, bench or search, nor does a folder in it: there is no {_NUMBERS}.")
    own = OwnFiles(folder)
    listed = sorted((Entry(*entry) for _, *entry in entries.values()), reverse=True)
    own.write(INDEX, html(index_page(listed, unread)))
    own.write(KEPT, json.dumps({"schema": VERSIONS["index"], "results": entries}) + "\n")
    return folder / INDEX


def refresh_index(out: str | Path) -> Path | None:
    """Write the index of ``runs`` anew where a new result lies in it; None if it does not, or cannot be written."""
    folder = Path(out).parent
    if folder.resolve() != DEFAULT.resolve():
        return None
    try:
        return write_index(folder)
    except XlserError:
        return None  # a result is whole without it


def _kept(folder: Path) -> dict[str, list[Any]]:
    """Return what the last index said of each folder, by its name: a bench takes a second to read."""
    try:
        kept = parse_json(read_file(folder / KEPT))
        ours = kept["schema"] == VERSIONS["index"]
        return {name: row for name, row in kept["results"].items() if ours and _is_entry(row)}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return {}


def _is_entry(row: Any) -> bool:
    fields = len(Entry._fields) + 1
    return isinstance(row, list) and len(row) == fields and all(isinstance(value, str) for value in row)


def _stamp(place: Path) -> str:
    """Return what changes whenever a folder's result is written."""
    about = (place / (RESULT if (place / RESULT).is_file() else _NUMBERS)).stat()
    return f"{about.st_mtime_ns}:{about.st_size}"


def result_folders(folder: Path) -> Iterator[Path]:
    """Yield the folders below one that hold results, not looking into them."""
    for name, below, files in os.walk(folder):
        place = Path(name)
        if place != folder and {_NUMBERS, RESULT} & set(files):
            below.clear()
            yield place
        elif len(place.relative_to(folder).parts) >= _DEEPEST:
            below.clear()
        below.sort()


def entry_of(place: Path, folder: Path) -> Entry:
    """Return what one folder of results says of itself.

    Raises:
        RunError: its results cannot be read.
    """
    name = place.relative_to(folder).as_posix()
    if (place / RESULT).is_file():
        best = read_best(place)
        what = f"{', '.join(best.sources)} → {best.target}"
        saved = datetime.fromtimestamp((place / RESULT).stat().st_mtime, timezone.utc)
        return Entry(f"{saved:%Y-%m-%d %H:%M:%S} +0000", "search", what, best_headline(best), name)
    if is_bench(place):
        bench = Bench(load_bench(place))
        what = f"{', '.join(bench.sources)} → {', '.join(bench.targets)}"
        return Entry(bench.about["finished"], "bench", what, opening.headline(bench).text, name)
    facts = Facts(load_results(place))
    what = f"{facts.recipe['name']}: {facts.source} → {', '.join(facts.targets) or 'itself'}"
    return Entry(facts.about["finished"], "run", what, first_screen.headline(facts).text, name)


def _ua(answer: str) -> str:
    """Return the first UA of an answer, with what stands in brackets behind it.

    >>> _ua("UA 0.46 [0.38, 0.54] in the mean"), _ua("Expect a UA of 0.71 (0.66 to 0.78) on a"), _ua("nothing")
    ('0.46 [0.38, 0.54]', '0.71 (0.66 to 0.78)', '')
    """
    found = re.search(r"UA (?:of )?(-?\d\.\d\d(?: [\[(][^\])]*[\])])?)", answer)
    return found[1] if found else ""


def index_page(entries: list[Entry], unread: list[str]) -> Page:
    """Return the page of results; ``unread`` has what could not be read, a sentence each."""
    rows: list[Cells] = [
        [
            entry.finished,
            entry.kind,
            entry.what,
            _ua(entry.answer),
            entry.answer,
            Cell(entry.folder, href=f"{quote(entry.folder)}/report.html"),
        ]
        for entry in entries
    ]
    heads = ["Finished", "Kind", "From and to", "UA", "Answer", "Report"]
    caption = plural(len(entries), "result")
    parts = [Table.of(caption, heads, rows, kind="sortable", label=caption)]
    return Page(
        title="Results",
        kind="xlser report",
        heading="Runs, benches and searches",
        sub=f"{caption}, the newest first. A click on a heading sorts by it, a search keeps what it holds.",
        banners=[],
        sections=[Section("results", "Results", [*parts, *(Note(f"Not read: {line}") for line in unread)])],
        footer="This page loads nothing from elsewhere.",
    )

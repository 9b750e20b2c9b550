"""The tables of a corpus, found and read: what they add to the fields that a file name gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from xlser.corpora.card import Card
from xlser.corpora.faults import some, table_notes
from xlser.corpora.hooks import HOOKS
from xlser.corpora.parts import Table
from xlser.corpora.segments import Segment
from xlser.corpora.table_places import find_tables
from xlser.corpora.tables import SideTable, join_key, read_table
from xlser.corpora.unread import unread_notes
from xlser.errors import CorpusError


@dataclass
class Tables:
    """What stands beside the audio: the main table (or what a hook read in its place), ratings, and speakers."""

    card: Card
    main: SideTable | None = None
    ratings: SideTable | None = None
    speakers: SideTable | None = None
    missing: list[str] = field(default_factory=list)
    unrated: list[str] = field(default_factory=list)
    unlisted: list[str] = field(default_factory=list)

    def of_recording(self, path: str, fields: dict[str, str]) -> list[tuple[dict[str, str], Segment | None]]:
        """Return what the tables say of one recording and of which segment; nothing where a row is needed but missing.

        A recording whose name says enough, or which no table describes, has one row without a segment.
        """
        if self.main is None:
            return [({}, None)]
        join = self.card.table.join if self.card.table else None
        found = self.main.rows_of(path, join_key(join.format(**fields)) if join else None)
        if not found:
            self.unlisted.append(path)
        return found or ([({}, None)] if self.card.labels_from_names else [])

    def rated(self, path: str, fields: dict[str, str]) -> dict[str, str]:
        """Return the ratings of one recording as text, under the names that rows have for them."""
        if self.ratings is None:
            return {name: value for name, value in fields.items() if name.endswith("_raw")}
        found = self.ratings.take(path)
        if found is None:
            self.unrated.append(path)
        return found or {}

    def of_speaker(self, speaker: str) -> dict[str, str]:
        """Return what the table of speakers says of one."""
        return (self.speakers.take_key(join_key(speaker)) or {}) if self.speakers else {}

    def notes(self) -> list[str]:
        """Return sentences on tables that are missing, on rows nobody used, and on recordings without a row."""
        notes = list(self.missing)
        for table in (self.main, self.ratings, self.speakers):
            notes += table_notes(table) if table else []
        for table in (self.main, self.ratings):
            notes += unread_notes(table.path.name, table.unread, self.card.given_roles()) if table else []
        if self.unrated:
            kind = f"{self.ratings.path.name}: {len(self.unrated)} recording(s) without ratings"
            notes.append(f"{kind}, such as {some(self.unrated)}")
        if self.unlisted and self.card.labels_from_names:
            kind = f"{self.main.path.name}: {len(self.unlisted)} recording(s) without a row"
            notes.append(f"{kind}, such as {some(self.unlisted)}")
        return notes


def read_tables(card: Card, root: Path, files: Sequence[str]) -> Tables:
    """Find and read every table that the card names, and which of ``files`` (below ``root``) its rows are about.

    Raises:
        CorpusError: the table (or what a hook reads in its place) that holds the labels is missing, or a table that
            is there cannot be read.
    """
    found = Tables(card)
    found.main = _hooked(card, root, found.missing) if card.hook else _main(card, root, found.missing)
    wanted = card.dimensions.table() if card.dimensions else None
    if card.rated_only and wanted is not None and found.main is None:
        found.ratings = _needed(card, "dimensions.file", wanted, root)  # what stands in place of labels
    else:
        found.ratings = _optional(card, "dimensions.file", wanted, root, found.missing)
    found.speakers = _optional(card, "speakers.file", card.speakers, root, found.missing)
    for read, table in ((found.main, card.table), (found.ratings, wanted)):
        if read and not (table and table.join):
            read.match(files, root, table is not None and table.match == "name")
    return found


def _main(card: Card, root: Path, missing: list[str]) -> SideTable | None:
    table = card.main_table()
    if table is None or card.labels_from_names:
        return _optional(card, "table.file", table, root, missing)
    return _needed(card, "table.file", table, root)


def _needed(card: Card, key: str, table: Table, root: Path) -> SideTable:
    paths, tried = find_tables(card, key, root)
    if not paths:
        raise CorpusError(f"corpus {card.name}: its table {table.file} is missing; looked for {some(tried, 6)}.")
    return read_table(table, *paths)


def _hooked(card: Card, root: Path, missing: list[str]) -> SideTable | None:
    try:
        return HOOKS[card.hook](root)
    except FileNotFoundError as error:
        if not card.labels_from_names:
            raise CorpusError(f"corpus {card.name}: {error}") from error
        missing.append(str(error))
        return None


# What is missing without a table, and what follows.
_MISSING = {
    "table.file": ("no table", "what it tells stays empty"),
    "dimensions.file": ("no ratings", "valence and activation stay empty"),
    "speakers.file": ("nothing on speakers", "their sex stays empty"),
}


def _optional(card: Card, key: str, table: Table | None, root: Path, missing: list[str]) -> SideTable | None:
    if table is None:
        return None
    paths, tried = find_tables(card, key, root)
    if paths:
        return read_table(table, *paths)
    what, so = _MISSING[key]
    missing.append(f"{what}: {table.file} was not found (looked for {some(tried, 6)}); {so}")
    return None

"""Where the tables that a card names may lie: what a card says leads nowhere else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from xlser.corpora.card import Card
from xlser.errors import CorpusError, shortened
from xlser.shipped import shipped_folder

_WILD = frozenset("*?[")


def table_files(card: Card) -> dict[str, str]:
    """Return every file of a table that a card names, by its key.

    >>> from xlser.corpora.card import load_card
    >>> table_files(load_card("emodb"))
    {'dimensions.file': 'das2022/EMO_DB.csv'}
    """
    parts = {"table": card.table, "dimensions": card.dimensions, "speakers": card.speakers}
    return {f"{key}.file": part.file for key, part in parts.items() if part is not None and part.file is not None}


def find_tables(card: Card, key: str, root: Path) -> tuple[list[Path], list[Path]]:
    """Look for a side table; return the files that fit (none if there are none) and every place that was tried.

    Tried are the corpus folder, the card's own, and the folders in ``XLSER_TABLES`` (like PATH), each with and without
    ``labels/``; for the cards that come with xlser also the two folders above the corpus: published ratings are seldom
    shipped with the audio, and nobody should have to copy them into it. Where the name is a pattern, all files that
    fit in the first place that has any are returned.

    Args:
        card: which names the table.
        key: of `table_files`.
        root: the corpus folder.

    Raises:
        CorpusError: the name, or a link that it is, leads out of all these folders, or to something hidden. Nothing of
            what is there is said.
    """
    name, bases = table_files(card)[key], _bases(card, root)
    if not any(_is_visible(name, base) for base in bases):
        raise CorpusError(_leads_out(card, key, bases))
    own, above = _spelt(bases, name), _spelt(_above(root), name) if _is_ours(card) else []
    for path in (*own, *above):
        files = list(_fitting(path))
        # What is above a corpus, and a link there, is the user's doing, and the name is ours.
        if path in own and (outside := next((file for file in files if not _is_below_any(file, bases)), None)):
            raise CorpusError(_leads_out(card, key, bases, outside))
        if files:
            return files, [*own, *above]
    return [], [*own, *above]


def watched_tables(card: Card, root: Path) -> list[Path]:
    """Return every file that a card's tables are or could be: what is read changes with them.

    Raises:
        CorpusError: see `find_tables`.
    """
    both = [find_tables(card, key, root) for key in table_files(card)]
    return list(dict.fromkeys(path for found, tried in both for path in (*tried, *found)))


def _bases(card: Card, root: Path) -> list[Path]:
    """Return the folders that a card's tables stay in."""
    own = [] if card.folder is None or _is_ours(card) else [card.folder]
    named = [Path(part).expanduser() for part in os.environ.get("XLSER_TABLES", "").split(os.pathsep) if part]
    return list(dict.fromkeys(path.resolve() for path in (root, *own, *named)))


def _above(root: Path) -> list[Path]:
    return list(root.resolve().parents)[:2]


def _is_visible(name: str, base: Path) -> bool:
    """Say whether a path stays below a folder by its words, and what it names there is not hidden."""
    path = base / name
    parts = path.relative_to(base).parts if path.is_relative_to(base) else ()
    return bool(parts) and "\0" not in name and not any(part.startswith((".", "~")) for part in parts)


def _spelt(places: list[Path], name: str) -> list[Path]:
    return list(dict.fromkeys(place / below / name for place in places for below in ("", "labels")))


def _is_ours(card: Card) -> bool:
    """Whether a card came with xlser, or was made in Python: a file of somebody's did not give its text."""
    return card.folder is None or card.folder == shipped_folder("corpora").resolve()


def _fitting(path: Path) -> Iterator[Path]:
    """Yield the files that a path or a pattern fits; those of a pattern that are not hidden."""
    parts = path.parts
    wild = next((place for place, part in enumerate(parts) if _WILD & set(part)), None)
    found = [path] if wild is None else sorted(Path(*parts[:wild]).glob(str(Path(*parts[wild:]))))
    yield from (file for file in found if os.path.isfile(file) and (wild is None or not file.name.startswith(".")))


def _is_below_any(path: Path, bases: list[Path]) -> bool:
    return any(_is_below(path.resolve(), base) for base in bases)


def _is_below(path: Path, base: Path) -> bool:
    return path != base and path.is_relative_to(base)


def _leads_out(card: Card, key: str, bases: list[Path], link: Path | None = None) -> str:
    where = f"{link} is a link that leads" if link else "that is hidden, or leads"
    return (
        f"corpus {card.name}: `{key}` is {shortened(table_files(card)[key])}, and {where} out of "
        f"{', '.join(map(str, bases))}: it is not read. Put the table into the corpus folder or beside the card, or "
        "name its folder in XLSER_TABLES."
    )

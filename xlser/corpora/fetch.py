"""From a card with an open download to a corpus folder; for the others, where to ask."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from xlser.corpora.addresses import remotes
from xlser.corpora.card import Card
from xlser.corpora.download import Remote, download
from xlser.corpora.globbing import matches_any, walk
from xlser.corpora.unpack import is_archive, unpack
from xlser.errors import CorpusError
from xlser.machine import pass_on_machine
from xlser.temporaries import sweep, temporary_folder


def fetch(card: Card, root: str | Path, cache: str | Path, *, accepted: bool = False, progress: bool = False) -> int:
    """Download a corpus, unpack it as the folder ``root``, and return the number of its audio files.

    Downloads stay in ``cache / "downloads"`` and go on where they stopped. ``root`` appears whole or not at all: it is
    unpacked beside its place and renamed. A single folder around everything is taken off where the card needs that.

    Raises:
        CorpusError: the card has no open download (the text says where to ask), the licence is not accepted, ``root``
            holds something already, no file fits the card's pattern; see `download` and `unpack`.
    """
    root = Path(root).expanduser()
    if not card.source.download:
        raise CorpusError(where_to_ask(card))
    if not accepted:
        raise CorpusError(f"nothing was downloaded: the licence of {card.name} was not accepted (--accept-licence)")
    sweep(root.absolute().parent)
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise CorpusError(f"{root} holds something already. Give a new or empty folder, or remove it first.")
    folder = Path(cache) / "downloads" / card.name
    files = [remote for url in card.source.download for remote in remotes(url, card.source.sha256.get(url, ""))]
    paths = [download(remote, folder, progress=progress) for remote in files]
    with _beside(root) as staging:
        for remote, path in zip(files, paths, strict=True):
            _add(remote, path, staging)
        return _put(card, _corpus_folder(card, staging), root)


def licence_text(card: Card) -> str:
    """Return what a user is asked to accept: title, licence, where it comes from, how to cite it."""
    lines = [card.title, f"licence: {card.licence}", f"from:    {card.source.url}"]
    lines += [f"cite:    {card.source.citation}"] if card.source.citation else []
    return "\n".join(lines + [f"file:    {url}" for url in card.source.download])


def where_to_ask(card: Card) -> str:
    """Return the way to a corpus that is not open, as a sentence or two.

    >>> from xlser.corpora.card import load_card
    >>> "no open download" in where_to_ask(load_card("synthetic-de"))
    True
    """
    if card.synthetic:
        return f"{card.name} has no open download: it is spoken by xlser corpora synthesise {card.name} --root DIR"
    place = card.source.ask or card.source.url or card.source.citation or "the card names no place"
    return (
        f"{card.name} has no open download that this card knows. Ask for it: {place}\n"
        f"Its licence: {card.licence}. Once you have it: xlser corpora verify {card.name} --root DIR"
    )


@contextmanager
def _beside(root: Path) -> Iterator[Path]:
    """Yield a new hidden folder beside ``root``; whatever is left of it afterwards is removed."""
    with ExitStack() as stack:
        try:
            staging = stack.enter_context(temporary_folder(root.absolute()))
        except OSError as error:
            pass_on_machine(error, f"making a folder beside {root}")
            raise CorpusError(f"cannot make a folder beside {root}: {error.strerror or error}") from error
        yield staging


def _add(remote: Remote, path: Path, staging: Path) -> None:
    if is_archive(path):
        unpack(path, staging)
        return
    target = staging / remote.stored[9:]
    if target.exists():
        raise CorpusError(f"two downloads are named {target.name!r}; unpack them by hand")
    shutil.copyfile(path, target)


def _corpus_folder(card: Card, folder: Path) -> Path:
    """Return ``folder``, or the single folder within it (and so on) below which files fit the card."""
    while not _fitting(card, folder):
        inner = [path for path in folder.iterdir() if path.name != "__MACOSX" and not path.name.startswith(".")]
        if len(inner) != 1 or not inner[0].is_dir():
            raise CorpusError(
                f"corpus {card.name}: nothing in its download fits {' or '.join(map(repr, card.audio))}, as the card "
                f"has it; it holds {', '.join(sorted(path.name for path in inner)[:5]) or 'nothing'}"
            )
        folder = inner[0]
    return folder


def _fitting(card: Card, folder: Path) -> int:
    return sum(matches_any(path, card.audio) for path in walk(folder))


def _put(card: Card, folder: Path, root: Path) -> int:
    count = _fitting(card, folder)
    try:
        if root.exists():
            root.rmdir()
        folder.rename(root.absolute())
    except OSError as error:
        pass_on_machine(error, f"putting the corpus at {root}")
        raise CorpusError(f"cannot put the corpus at {root}: {error.strerror or error}") from error
    return count

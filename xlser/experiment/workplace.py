"""Where a run finds and leaves things, and how it speaks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from xlser.cachefolder import cache_folder
from xlser.corpora.card import Card
from xlser.errors import CorpusError, did_you_mean
from xlser.temporaries import sweep

# How deep temporaries lie in the cache: in a room, or in what it has for a corpus or an extractor.
_DEEP = 2


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@dataclass
class Workplace:
    """Folders and manners of a run, none of which can change a number.

    ``data_root`` holds a folder for each corpus, named like its card; ``roots`` names others one by one. ``strict``
    stops at the first recording that cannot be used instead of leaving it out and counting it.
    """

    data_root: Path | None = None
    roots: Mapping[str, Path] = field(default_factory=dict)
    cache: Path = field(default_factory=cache_folder)
    jobs: int | None = None
    strict: bool = False
    progress: bool = True
    say: Callable[[str], None] = _to_stderr

    def folder(self, card: Card) -> Path:
        """Return the folder of a corpus; a synthetic one that is nowhere else is made in the cache.

        Raises:
            CorpusError: it cannot be told where the corpus lies, or nothing lies there.
        """
        told = self.roots.get(card.name) or (self.data_root and self.data_root / card.name)
        if told and Path(told).expanduser().is_dir():
            return Path(told).expanduser()
        if card.synthesis is not None and card.name not in self.roots:
            return self._synthesised(card)
        looked = f"{told} does not exist" if told else "no folder was given"
        raise CorpusError(
            f"where is corpus {card.name}? {looked}. Give --root {card.name}=DIR, "
            f"or --data-root DIR where DIR/{card.name} is its folder."
        )

    @contextmanager
    def swept(self) -> Iterator[None]:
        """Remove from the cache what processes that have ended left half done: before what is done within, and after.

        After, too, because a worker that was killed, or whose parent was, leaves what it was writing.
        """
        sweep(self.cache, _DEEP)
        try:
            yield
        finally:
            sweep(self.cache, _DEEP)

    def check_roots(self, names: list[str]) -> None:
        """Refuse a root for a corpus that is not among ``names``.

        Raises:
            CorpusError: the nearest name is given.
        """
        for name in self.roots:
            if name not in names:
                raise CorpusError(f"--root {name}=...: the recipe has no corpus {name!r}; {did_you_mean(name, names)}")

    def _synthesised(self, card: Card) -> Path:
        from xlser.corpora.synthetic import synthesise

        return synthesise(card, self.cache / "synthetic" / card.name, progress=self.progress)


def parse_roots(texts: tuple[str, ...]) -> dict[str, Path]:
    """Read ``CORPUS=DIR`` texts.

    Raises:
        CorpusError: a text without ``=``.

    >>> parse_roots(("urdu=/data/urdu",))
    {'urdu': PosixPath('/data/urdu')}
    """
    roots = {}
    for text in texts:
        name, equals, folder = text.partition("=")
        if not equals or not name or not folder:
            raise CorpusError(f"--root needs CORPUS=DIR such as urdu=/data/URDU-Dataset, but is {text!r} instead.")
        roots[name] = Path(folder).expanduser()
    return roots

"""Many recordings through one model: progress, what could not be used, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from xlser.errors import CorpusError

Answer = TypeVar("Answer")


@dataclass
class Session:
    """Recordings, and the faults of those that could not be used.

    ``say`` gets a line for each fault as it comes, and one at the end.
    """

    files: list[Path]
    say: Callable[[str], object]
    progress: bool = False
    faults: dict[Path, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._bar = tqdm(total=len(self.files), unit="file", disable=not self.progress, leave=False)

    def on_fault(self, path: Path, reason: str) -> None:
        """Note a file that cannot be used, and go on."""
        self.faults[path] = reason
        with self._bar.external_write_mode():
            self.say(f"not used: {path}: {reason}")
        self._bar.update()

    def counted(self, answers: Iterable[Answer]) -> Iterator[Answer]:
        """Pass answers on, and move the progress bar."""
        with self._bar:
            for answer in answers:
                yield answer
                self._bar.update()

    def finish(self, strict: bool) -> None:
        """Count what could not be used.

        Raises:
            CorpusError: no file could be used, or ``strict`` and there is one that could not; they are named.
        """
        if not self.faults:
            return
        count = f"{len(self.faults)} of {len(self.files)} files could not be used"
        named = "".join(f"\n  {path}: {reason}" for path, reason in self.faults.items())
        if len(self.faults) == len(self.files):
            raise CorpusError(f"{count}, so there is no answer:{named}")
        if strict:
            raise CorpusError(f"{count} (--strict):{named}")
        self.say(count)

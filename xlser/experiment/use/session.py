"""Many recordings through one model: progress, what could not be used, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from xlser.bars import tqdm
from xlser.errors import CorpusError
from xlser.experiment.use.request import Request
from xlser.machine import many_alike
from xlser.printable import one_line

Answer = TypeVar("Answer")


@dataclass
class Session:
    """Recordings, and the faults of those that could not be used.

    ``say`` gets a line for each fault as it comes, and one at the end. In the first of two ``passes`` all recordings
    are heard, before the first answer.
    """

    files: Sequence[Any]
    say: Callable[[str], object]
    progress: bool = False
    passes: int = 1
    faults: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._bar = tqdm(total=len(self.files) * self.passes, unit="file", disable=not self.progress, leave=False)

    def on_fault(self, item: Any, reason: str) -> None:
        """Note a file that cannot be used, and go on."""
        name, reason = one_line(str(Request.of(item))), one_line(reason)
        self.faults.append((name, reason))
        with self._bar.external_write_mode():
            self.say(f"not used: {name}: {reason}")
        self._bar.update()

    def heard(self) -> Iterator[Any]:
        """Pass the files on, and move the progress bar where they are heard before they are answered."""
        for item in self.files:
            yield item
            self._bar.update(self.passes - 1)

    def counted(self, answers: Iterable[Answer]) -> Iterator[Answer]:
        """Pass answers on, and move the progress bar.

        Raises:
            CorpusError: at the end, if there was none: what was to be written from it is then not kept.
        """
        with self._bar:
            for answer in answers:
                yield answer
                self._bar.update()
        self.check_any()

    def check_any(self) -> None:
        """See that something could be used.

        Raises:
            CorpusError: nothing could.
        """
        if len(self.faults) == len(self.files):
            raise CorpusError(f"{self._count}, so there is no answer:{self._named}{self._alike}")

    def finish(self, strict: bool) -> None:
        """Count what could not be used.

        Raises:
            CorpusError: ``strict`` and there is one; all are named.
        """
        if self.faults and strict:
            raise CorpusError(f"{self._count} (--strict):{self._named}")
        if self.faults:
            self.say(self._count)

    @property
    def _count(self) -> str:
        return f"{len(self.faults)} of {len(self.files)} files could not be used"

    @property
    def _alike(self) -> str:
        return many_alike(dict(self.faults)).replace(" ", "\n", 1)

    @property
    def _named(self) -> str:
        return "".join(f"\n  {name}: {reason}" for name, reason in self.faults)

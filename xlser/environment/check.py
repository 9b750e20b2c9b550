"""The result of looking at one thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warn", "fail"]
SHAPES: dict[Status, str] = {"ok": "✓ ok  ", "warn": "! warn", "fail": "✗ FAIL"}


@dataclass(frozen=True)
class Check:
    """What was looked at, how it is, and, where it is not well, the way out.

    ``warn`` is for what most work does not need; ``fail`` for what stops it.
    """

    name: str
    status: Status
    detail: str
    remedy: str = ""

    def line(self) -> str:
        """Return a line for a terminal: the status by shape and word, then the rest.

        >>> Check("python", "ok", "3.11.7").line()
        '✓ ok    python: 3.11.7'
        """
        return f"{SHAPES[self.status]}  {self.name}: {self.text()}"

    def text(self) -> str:
        """Return detail and way out."""
        return f"{self.detail}. {self.remedy}" if self.remedy else self.detail

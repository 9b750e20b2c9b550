"""The bar of a search: time used and left, what is being tried, and the best so far."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from xlser.bars import tqdm
from xlser.experiment.best.scoring import Progress

_FORMAT = "{desc} |{bar}| {postfix}"


class SearchBar:
    """Shows a search's `Progress` against its budget; where there is no screen, a line a stage.

    Args:
        seconds: the budget.
        shown: whether there is a screen for a bar.
        say: for lines.
    """

    def __init__(self, seconds: float, shown: bool, say: Callable[[str], None]) -> None:
        """Draw nothing yet: features come first, which have bars of their own."""
        self._seconds, self._shown, self._say = seconds, shown, say
        self._bar: tqdm | None = None
        self._stage = ""

    def __call__(self, progress: Progress) -> None:
        """Show how far the search is."""
        if not self._shown:
            self._line(progress)
            return
        if self._bar is None:
            self._bar = tqdm(total=self._seconds, bar_format=_FORMAT, leave=False)
        self._bar.n = min(self._seconds, self._seconds - progress.left)
        self._bar.set_description_str(f"{progress.stage}, {progress.tried} tried", refresh=False)
        self._bar.set_postfix_str(f"{clock(progress.left)} left; so far: {_cut(progress.best)}", refresh=True)

    def _line(self, progress: Progress) -> None:
        if progress.stage != self._stage:
            self._stage = progress.stage
            left = f"{clock(progress.left)} left"
            self._say(f"  {progress.stage}: {progress.tried} tried, {left}; the best so far: {_cut(progress.best)}")

    def __enter__(self) -> SearchBar:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()


def _cut(name: str) -> str:
    """Return a candidate's name as a line has room for it: of an ensemble what it is, not its members."""
    name = name.partition(" (")[0] if name.startswith("ensemble") else name
    return name if len(name) <= 60 else f"{name[:59]}…"


def clock(seconds: float) -> str:
    """Return minutes and seconds.

    >>> clock(83.4), clock(0)
    ('1:23', '0:00')
    """
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"

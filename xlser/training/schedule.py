"""How fast to learn at each step, and when to stop: no state but what a checkpoint can hold as JSON."""

from __future__ import annotations

import math
import sys
from dataclasses import asdict, dataclass
from typing import Literal

Decay = Literal["linear", "cosine", "constant"]
_DECAYS = {
    "linear": lambda done: 1 - done,
    "cosine": lambda done: (1 + math.cos(math.pi * done)) / 2,
    "constant": lambda done: 1.0,
}


def rate(progress: float, *, warmup: float, decay: Decay, first: float = 0.01) -> float:
    """Return what the learning rate is multiplied by, in [0, 1].

    It rises in a line from ``first`` to 1 over the warm-up and then falls to 0 at the end, in a line or half a cosine,
    or stays. For step i of n, from 0, pass i / n: the first step then takes ``first``, never 0, which would waste it,
    and the last one stands just before the end, so it is not wasted either.

    Args:
        progress: the share of all steps that is done, in [0, 1].
        warmup: the share of all steps that warms up, in [0, 1); 0 for none.
        decay: ``linear``, ``cosine`` (Loshchilov and Hutter 2017, arXiv 1608.03983, without restarts) or ``constant``.
        first: the multiplier at progress 0 where there is a warm-up, in (0, 1].

    Raises:
        ValueError: an argument is out of range, or ``decay`` is unknown.

    >>> [rate(step / 4, warmup=0.5, decay="linear") for step in range(5)]
    [0.01, 0.505, 1.0, 0.5, 0.0]
    """
    if decay not in _DECAYS:
        raise ValueError(f"`decay` must be one of {', '.join(_DECAYS)}, but is {decay!r} instead.")
    for name, value, fits, rule in (
        ("progress", progress, 0 <= progress <= 1, "in [0, 1]"),
        ("warmup", warmup, 0 <= warmup < 1, "in [0, 1)"),
        ("first", first, 0 < first <= 1, "in (0, 1]"),
    ):
        if not fits:
            raise ValueError(f"`{name}` must be {rule}, but is {value} instead.")
    if progress < warmup:
        return first + (1 - first) * progress / warmup
    return _DECAYS[decay]((progress - warmup) / (1 - warmup))


@dataclass
class EarlyStopping:
    """Keep the best score so far, the higher the better, and count the updates since.

    ``patience`` is the number of updates in a row without improvement after which `over` is True, at least 1. The other
    fields are the state; ``EarlyStopping(**state)`` takes up what `state` gave.

    Raises:
        ValueError: ``patience`` is less than 1.

    >>> stopping = EarlyStopping(patience=2)
    >>> [stopping.update(score, tie) for score, tie in [(0.5, -1.0), (0.5, -0.9), (0.4, 0.0), (0.5, -0.9)]]
    [True, True, False, False]
    >>> stopping.over, stopping.state()
    (True, {'patience': 2, 'score': 0.5, 'tie_breaker': -0.9, 'waited': 2})
    """

    patience: int
    score: float | None = None
    tie_breaker: float | None = None
    waited: int = 0

    def __post_init__(self) -> None:
        if self.patience < 1:
            raise ValueError(f"`patience` must be at least 1, but is {self.patience} instead.")

    def update(self, score: float, tie_breaker: float = 0.0) -> bool:
        """Take a score in and tell whether it is the best so far.

        Of equal scores the one with the higher ``tie_breaker`` is better, such as the validation loss with its sign
        turned: scores of few rows tie often. A score that is not finite is never better, not even as the first; a tie
        breaker that is not finite is lower than any other.
        """
        if not math.isfinite(tie_breaker):
            tie_breaker = -sys.float_info.max  # JSON has no infinity
        known = self.score is not None
        better = math.isfinite(score) and (not known or (score, tie_breaker) > (self.score, self.tie_breaker))
        if better:
            self.score, self.tie_breaker = float(score), float(tie_breaker)
        self.waited = 0 if better else self.waited + 1
        return better

    @property
    def over(self) -> bool:
        """Whether ``patience`` updates in a row brought no improvement."""
        return self.waited >= self.patience

    def state(self) -> dict[str, float | int | None]:
        """Return all fields, fit for JSON."""
        return asdict(self)

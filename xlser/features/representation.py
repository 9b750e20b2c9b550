"""Which columns a model hears, of features that several models share: eGeMAPS, hidden states, or these side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from xlser.features.egemaps import Egemaps
from xlser.features.extractor import Extractor
from xlser.features.frozen_encoder import Encoder

_STATE = re.compile(r"layer(\d+)_([a-z]+)_\d+")


@dataclass(frozen=True)
class Representation:
    """eGeMAPS or not, and some hidden states of one encoder under one pooling.

    >>> str(Representation(True, (2,), "mean+std"))
    'egemaps + hidden state 2 (mean+std)'
    """

    egemaps: bool = False
    states: tuple[int, ...] = ()
    pooling: str = "mean"

    def __str__(self) -> str:
        """Return it in words."""
        parts = ["egemaps"] * self.egemaps + [f"hidden state {number} ({self.pooling})" for number in self.states]
        return " + ".join(parts)

    @property
    def parts(self) -> int:
        """How many things stand side by side."""
        return self.egemaps + len(self.states)

    def columns(self, names: Sequence[str]) -> np.ndarray:
        """Return where its columns stand among those of an extractor that has all that is asked for, (D,).

        >>> Representation(False, (2,)).columns(["1.pitch", "2.layer1_mean_0000", "2.layer2_mean_0000"]).tolist()
        [2]
        """
        return _columns(self, tuple(names))


def together(several: Sequence[Representation], weights: str | None) -> Extractor:
    """Return the one extractor that has the columns of all of them.

    Args:
        several: one at least.
        weights: of the encoder; None where none has hidden states.
    """
    states = sorted({number for one in several for number in one.states})
    kinds = {kind for one in several if one.states for kind in one.pooling.split("+")}
    parts: list[Extractor] = [Egemaps()] if any(one.egemaps for one in several) else []
    if states and weights is not None:
        pooling = "+".join(kind for kind in ("mean", "std", "min", "max") if kind in kinds)
        parts.append(Encoder(weights, layer=tuple(states), pooling=pooling))
    return parts[0] if len(parts) == 1 else parts[0] + parts[1]


@lru_cache(maxsize=512)  # a search asks for the same ones thousands of times
def _columns(asked: Representation, names: tuple[str, ...]) -> np.ndarray:
    wanted = {(number, kind) for number in asked.states for kind in asked.pooling.split("+")}
    found = [_state(name) for name in names]
    return np.array([place for place, own in enumerate(found) if own in wanted or (asked.egemaps and own is None)])


def _state(name: str) -> tuple[int, str] | None:
    found = _STATE.fullmatch(name.rpartition(".")[2])
    return (int(found[1]), found[2]) if found else None

"""Which columns a model hears, of features that several models share: eGeMAPS, hidden states, or these side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from xlser.features.egemaps import Egemaps
from xlser.features.extractor import Extractor, parts_of
from xlser.features.frozen_encoder import Encoder

SOUNDING = "sounding"
_STATE = re.compile(r"(sounding:|)layer(\d+)_([a-z]+)_\d+")


@dataclass(frozen=True)
class Representation:
    """eGeMAPS or not, and some hidden states of one encoder under one pooling, over all frames or those that sound.

    >>> str(Representation(True, (2,), "mean+std")), str(Representation(False, (1, 2), frames="sounding"))
    ('egemaps + hidden state 2 (mean+std)', 'hidden states 1, 2 (mean, sounding)')
    """

    egemaps: bool = False
    states: tuple[int, ...] = ()
    pooling: str = "mean"
    frames: str = "all"

    def __str__(self) -> str:
        """Return it in words."""
        how = self.pooling + (f", {SOUNDING}" if self.frames == SOUNDING else "")
        called = f"hidden state{'s' * (len(self.states) > 1)} {', '.join(map(str, self.states))} ({how})"
        return " + ".join(["egemaps"] * self.egemaps + [called] * bool(self.states))

    @property
    def parts(self) -> int:
        """How many things stand side by side."""
        return self.egemaps + len(self.states)

    def columns(self, names: Sequence[str]) -> np.ndarray:
        """Return where its columns stand among those of an extractor that has all that is asked for, (D,).

        Args:
            names: of `columns_of`.

        >>> Representation(False, (2,)).columns(["pitch", "layer2_mean_0000", "sounding:layer2_mean_0000"]).tolist()
        [1]
        """
        return _columns(self, tuple(names))


def columns_of(extractor: Extractor) -> list[str]:
    """Return the names of an extractor's columns by what they are, whatever stands beside them."""
    names = []
    for part in parts_of(extractor):
        sounding = isinstance(part, Encoder) and part.frames == SOUNDING
        names += [f"{SOUNDING}:{name}" if sounding else name for name in part.columns()]
    return names


def together(several: Sequence[Representation], weights: str | None) -> Extractor:
    """Return the one extractor that has the columns of all of them.

    Args:
        several: one at least.
        weights: of the encoder; None where none has hidden states.
    """
    parts: list[Extractor] = [Egemaps()] if any(one.egemaps for one in several) else []
    for frames in ("all", SOUNDING) if weights is not None else ():
        heard = [one for one in several if one.states and one.frames == frames]
        states = sorted({number for one in heard for number in one.states})
        kinds = {kind for one in heard for kind in one.pooling.split("+")}
        pooling = "+".join(kind for kind in ("mean", "std", "min", "max") if kind in kinds)
        if states:
            parts.append(Encoder(weights, layer=tuple(states), pooling=pooling, frames=frames))
    made = parts[0]
    for part in parts[1:]:
        made = made + part
    return made


@lru_cache(maxsize=512)  # a search asks for the same ones thousands of times
def _columns(asked: Representation, names: tuple[str, ...]) -> np.ndarray:
    wanted = {(asked.frames, number, kind) for number in asked.states for kind in asked.pooling.split("+")}
    found = [_state(name) for name in names]
    if missing := wanted - {*found}:
        raise ValueError(f"{asked} needs features that were not read: {', '.join(map(str, sorted(missing)))}")
    return np.array([place for place, own in enumerate(found) if own in wanted or (asked.egemaps and own is None)])


def _state(name: str) -> tuple[str, int, str] | None:
    found = _STATE.fullmatch(name)
    return (SOUNDING if found[1] else "all", int(found[2]), found[3]) if found else None

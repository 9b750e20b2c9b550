"""What a bench sets beside every method: how far one gets by a clip's length alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xlser.experiment.cases import Case
from xlser.experiment.readers import Reader, make_reader
from xlser.experiment.seeds import Seed
from xlser.vocabulary import DURATION


@dataclass(frozen=True)
class Duration:
    """A system that hears nothing: its embedding is the logarithm of the seconds that a clip lasts."""

    seed: Seed
    method: str = DURATION

    def embed(self, case: Case) -> np.ndarray:
        """Return log seconds, (N, 1)."""
        return np.log(case.corpus.frame["duration"].to_numpy(float))[:, None]


def shortcuts(readers: list[Reader], source: Case) -> list[Reader]:
    """Return a reader of `Duration` for every seed; it reads classes only, and has no axes."""
    seeds = {reader.seed.number: reader.seed for reader in readers}
    found = [make_reader(Duration(seed), source) for seed in seeds.values()]
    for reader in found:
        reader.axes = {}
    return found

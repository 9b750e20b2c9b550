"""eGeMAPSv02 functionals by openSMILE: 88 numbers an utterance (Eyben et al. 2016)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xlser.features.opensmile_set import OpensmileSet


@dataclass(frozen=True)
class Egemaps(OpensmileSet):
    """The 88 functionals of eGeMAPSv02. `LogMel` is the alternative without openSMILE's licence."""

    name: ClassVar[str] = "egemaps"
    feature_set: ClassVar[str] = "eGeMAPSv02"

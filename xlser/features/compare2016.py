"""ComParE 2016 functionals by openSMILE: 6,373 numbers an utterance (Schuller et al. 2016; Weninger et al. 2013)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xlser.features.opensmile_set import OpensmileSet


@dataclass(frozen=True)
class ComParE(OpensmileSet):
    """The 6,373 functionals of the ComParE_2016 set, the baseline of the INTERSPEECH challenges since 2013.

    They are 65 descriptors of energy, spectrum and voicing with their deltas under up to 57 functionals each. With a
    few hundred utterances most of them are noise to a distance: a probe copes better than nearest neighbours.
    """

    name: ClassVar[str] = "compare2016"
    feature_set: ClassVar[str] = "ComParE_2016"

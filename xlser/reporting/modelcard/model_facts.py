"""What a model card says, whatever kind of model it is of."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from xlser.corpora.licences import Terms, together
from xlser.evaluation.contamination import Checkpoint


@dataclass(frozen=True)
class CardScore:
    """A UA on one corpus, and what it is to be compared with.

    Attributes:
        corpus: it was scored on; ``title`` is its whole name.
        protocol: what of the corpus was looked at: ``zero-shot``, ``transductive`` or ``few-shot k``.
        how: in words, such as whose statistics.
        value: UA in [0, 1]; ``low`` and ``high`` its interval, nan where there is none.
        chance: what guessing gives.
        plain: UA of the plain features, nan where not known; ``plain_low`` and ``plain_high`` its interval.
    """

    corpus: str
    title: str
    protocol: str
    how: str
    value: float
    low: float = math.nan
    high: float = math.nan
    chance: float = math.nan
    plain: float = math.nan
    plain_low: float = math.nan
    plain_high: float = math.nan


@dataclass(frozen=True)
class ModelFacts:
    """All that a model card says.

    Attributes:
        title: of the card.
        classes: emotions that are told apart; ``ratings`` the dimensions that are rated.
        learnt_from: rows of corpora, as results hold them.
        adapted_to: of what was looked at besides: a target's recordings.
        made: names and values: the network, the readout, the adaptation, how it was chosen.
        decided: sentences about what was decided.
        scores: on other corpora; ``validation`` a sentence about what it was chosen by.
        plain: what the plain features are called; ``warned`` more sentences on what the numbers are worth.
        checkpoints: pretrained ones; ``holds_checkpoint``: their weights are in the folder, so that their licence
            counts.
        holds: what of recordings is in the folder, a sentence each.
        opensmile: whether it hears features of openSMILE.
        versions: of xlser and of libraries.
        random: whether an encoder began with random weights instead of pretrained ones.
        recipe: as YAML; empty where there is none.
    """

    title: str
    classes: tuple[str, ...]
    ratings: tuple[str, ...]
    learnt_from: tuple[Mapping[str, Any], ...]
    adapted_to: tuple[Mapping[str, Any], ...]
    made: tuple[tuple[str, str], ...]
    scores: tuple[CardScore, ...]
    validation: str
    plain: str
    checkpoints: tuple[Checkpoint, ...]
    holds_checkpoint: bool
    holds: tuple[str, ...]
    opensmile: bool
    versions: Mapping[str, str]
    decided: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()
    random: bool = False
    recipe: str = field(default="", repr=False)

    @property
    def licences(self) -> list[tuple[str, str]]:
        """Name and licence of all that the model is made of: corpora, and checkpoints whose weights it holds."""
        rows = [(str(row["corpus"]), str(row.get("licence") or "")) for row in (*self.learnt_from, *self.adapted_to)]
        held = self.checkpoints if self.holds_checkpoint else ()
        return list(dict.fromkeys([*rows, *((f"checkpoint {one.name}", one.licence) for one in held)]))

    @property
    def terms(self) -> Terms:
        """What these licences permit of the model."""
        return together(self.licences)

"""IEMOCAP: what the evaluators agreed on, a line a turn, in dialog/EmoEvaluation/*.txt of each session."""

from __future__ import annotations

import re
from pathlib import Path

from xlser.corpora.hooks.lines import label_table
from xlser.corpora.tables import SideTable

# [6.2901 - 8.2357]	Ses01F_impro01_F000	neu	[2.5000, 2.5000, 2.5000]: seconds, turn, label, [valence, activation,
# dominance]. The lines of single evaluators below it, and the heading (which starts with %), have another shape.
_CONSENSUS = re.compile(
    r"\[[\d.]+ - [\d.]+\]\s+(?P<key>Ses\S+)\s+(?P<emotion>[a-z]+)\s+"
    r"\[(?P<valence_raw>[\d.]+), *(?P<activation_raw>[\d.]+), *(?P<dominance_raw>[\d.]+)\]"
)

_SCALE = (1, 5)


def read(root: Path) -> SideTable:
    """Return label, valence, activation and dominance (1 to 5) of every turn.

    A mean that is off the scale, such as a dominance of 0.5, has an evaluator's slip in it: that rating is left empty.
    Only the top of ``EmoEvaluation`` is read: Categorical, Attribute and Self-evaluation below it repeat the ratings
    that the consensus was made of.

    Raises:
        FileNotFoundError: there is no such file.
        CorpusError: a turn has two consensus lines that contradict each other.
    """
    table = label_table(root, "Session[1-5]/dialog/EmoEvaluation/*.txt", _CONSENSUS)
    values = {key: {name: _on_scale(name, text) for name, text in row.items()} for key, row in table.values.items()}
    return SideTable(table.path, values, unused=set(values))


def _on_scale(name: str, text: str) -> str:
    low, high = _SCALE
    return "" if name.endswith("_raw") and not low <= float(text) <= high else text

"""MSP-IMPROV: what the raters agreed on, a line a turn, in Evalution.txt (spelled so in the release)."""

from __future__ import annotations

import re
from pathlib import Path

from xlser.corpora.hooks.lines import label_table
from xlser.corpora.tables import SideTable

_NUMBER = r"\d+(?:\.\d+)?|NaN"
# UTD-IMPROV-S01A-F01-P-FM01.avi; N; A:3.0; V:3.5; D:3.0 ; N:4.2; is video, label, activation, valence, dominance.
_CONSENSUS = re.compile(
    rf"UTD-(?P<key>IMPROV-[A-Z0-9-]+)\.avi; *(?P<emotion>[A-Z]); *A: *(?P<activation_raw>{_NUMBER}) *;"
    rf" *V: *(?P<valence_raw>{_NUMBER}) *; *D: *(?P<dominance_raw>{_NUMBER}) *;.*"
)


def read(root: Path) -> SideTable:
    """Return label, activation, valence and dominance of every turn, under the audio's names (MSP-IMPROV-...).

    Raises:
        FileNotFoundError: there is no such file.
        CorpusError: a turn has two lines that contradict each other.
    """
    table = label_table(root, "Eval*tion.txt", _CONSENSUS)
    values = {f"msp-{key}": row for key, row in table.values.items()}
    return SideTable(table.path, values, unused=set(values))

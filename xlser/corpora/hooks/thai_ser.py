"""THAI-SER: what each annotator chose for a turn, in emotion_label.json; the label is what they agree on."""

from __future__ import annotations

from pathlib import Path

from xlser.corpora.hooks.lines import read_text, visible
from xlser.corpora.tables import SideTable, row_key
from xlser.errors import CorpusError
from xlser.jsonfile import parse_lenient

_EMOTIONS = ("Neutral", "Angry", "Happy", "Sad", "Frustrated")
# From which mean share of the annotators on a label holds, as the corpus's own loader has it.
AGREEMENT = 0.71


def read(root: Path) -> SideTable:
    """Return the label of every turn, ``none`` where the annotators do not agree.

    Raises:
        FileNotFoundError: there is no such file.
        CorpusError: it is no JSON of the expected shape: {"name.wav": [{"annotated": [["Angry"], ...], ...}], ...}.
    """
    path = visible(root, "emotion_label*.json")[-1]
    try:
        turns = parse_lenient(read_text(path, "utf-8-sig"))
        values = {row_key(name): {"emotion": agreed(turn[0]["annotated"])} for name, turn in turns.items()}
    except (ValueError, AttributeError, LookupError, TypeError) as error:
        raise CorpusError(f"cannot read {path}: it does not have THAI-SER's shape ({type(error).__name__}).") from error
    return SideTable(path, values, unused=set(values))


def agreed(annotated: list[list[str]]) -> str:
    """Return the emotion whose mean share over the annotators reaches `AGREEMENT`, or ``none``.

    An annotator who names two emotions gives each half; Other and None count for nothing.

    >>> agreed([["Angry"], ["Angry"], ["Angry", "Sad"]])
    'Angry'
    >>> agreed([["Angry"], ["Sad"]])
    'none'
    """
    shares = dict.fromkeys(_EMOTIONS, 0.0)
    for chosen in annotated:
        known = [emotion for emotion in chosen if emotion in shares]
        for emotion in known:
            shares[emotion] += 1 / len(known) / len(annotated)
    best = max(shares, key=shares.get)
    return best if shares[best] >= AGREEMENT else "none"

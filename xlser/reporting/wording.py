"""How numbers and names are written: two decimals, a true minus, a comma between thousands, n/a for the undefined."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

NOT_DEFINED = "n/a"
READERS = {"knn": "kNN", "probe": "linear probe", "classifier + knn": "classifier + kNN"}


def known(*values: Any) -> bool:
    """Say whether every value is a finite number.

    >>> known(0.5, 1), known(0.5, None), known(float("nan"))
    (True, False, False)
    """
    return all(isinstance(value, (int, float)) and math.isfinite(value) for value in values)


def number(value: Any, digits: int = 2) -> str:
    """Write a score; a null or NaN is n/a, and a rounded zero carries no sign.

    >>> number(0.456), number(-0.301), number(-0.001), number(None)
    ('0.46', '−0.30', '0.00', 'n/a')
    """
    if not known(value):
        return NOT_DEFINED
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def signed(value: Any, digits: int = 2) -> str:
    """Write a difference with its sign.

    >>> signed(0.031), signed(-0.2), signed(0.0), signed(None)
    ('+0.03', '−0.20', '0.00', 'n/a')
    """
    text = number(value, digits)
    return text if text == NOT_DEFINED or text.startswith("−") or float(text) == 0 else f"+{text}"


def difference(value: Any, base: Any) -> str:
    """Write how far a shown score lies from another one: the numbers as they are printed add up.

    >>> difference(0.414, 0.686), difference(0.5649, 0.4351), difference(0.5, None)
    ('−0.28', '+0.12', 'n/a')
    """
    return signed(round(value, 2) - round(base, 2)) if known(value, base) else NOT_DEFINED


def ahead(value: Any, base: Any) -> str:
    """Say how a shown score stands to another one.

    >>> ahead(0.52, 0.5), ahead(0.5, 0.52), ahead(0.5, 0.5)
    ('ahead by 0.02', 'behind by 0.02', 'level')
    """
    apart = difference(value, base)
    if apart == "0.00":
        return "level"
    return f"ahead by {apart[1:]}" if apart.startswith("+") else f"behind by {apart[1:]}"


def whole(value: float) -> str:
    """Write a count.

    >>> whole(999), whole(12345)
    ('999', '12,345')
    """
    return f"{value:,.0f}"


def plural(count: int, noun: str) -> str:
    """Write a count with its noun.

    >>> plural(1, "speaker"), plural(1200, "utterance")
    ('1 speaker', '1,200 utterances')
    """
    return f"{whole(count)} {noun}{'' if count == 1 else 's'}"


def score(row: Mapping[str, Any]) -> str:
    """Write a score with its interval.

    >>> score({"value": 0.512, "low": 0.434, "high": 0.58}), score({"value": 0.5, "low": None, "high": None})
    ('0.51 [0.43, 0.58]', '0.50 [n/a]')
    """
    return f"{number(row['value'])} {bounds(row['low'], row['high'])}"


def gain(row: Mapping[str, Any]) -> str:
    """Write the gain over the baseline with its interval.

    >>> gain({"gain": -0.03, "gain_low": -0.08, "gain_high": 0.02})
    '−0.03 [−0.08, +0.02]'
    """
    return f"{signed(row['gain'])} {bounds(row['gain_low'], row['gain_high'], plus=True)}"


def bounds(low: Any, high: Any, plus: bool = False) -> str:
    """Write an interval; ``plus`` signs both ends, and an end that would round to 0 has the digit that tells its side.

    >>> bounds(0.1, 0.2), bounds(-0.003, 0.2), bounds(0.003, 0.2, plus=True), bounds(None, 0.2)
    ('[0.10, 0.20]', '[−0.003, 0.20]', '[+0.003, +0.20]', '[n/a]')
    """
    return f"[{_end(low, plus)}, {_end(high, plus)}]" if known(low, high) else f"[{NOT_DEFINED}]"


def _end(value: float, plus: bool) -> str:
    digits = 2 if abs(value) >= 0.005 or abs(value) < 0.0005 else 3
    return (signed if plus else number)(value, digits)


def side(low: Any, high: Any, point: Any) -> str:
    """Say where an interval lies: ``above`` or ``below`` the point, ``across`` it, ``unknown`` without an interval.

    >>> side(0.3, 0.5, 0.25), side(0.1, 0.2, 0.25), side(0.2, 0.3, 0.25), side(None, None, 0.25)
    ('above', 'below', 'across', 'unknown')
    """
    if not known(low, high, point):
        return "unknown"
    return "above" if low > point else "below" if high < point else "across"


def listing(words: Iterable[str]) -> str:
    """Join words as a sentence does.

    >>> listing(["a"]), listing(["a", "b"]), listing(["a", "b", "c"]), listing([])
    ('a', 'a and b', 'a, b and c', 'none')
    """
    *head, last = list(words) or ["none"]
    return f"{', '.join(head)} and {last}" if head else last


def recordings(counts: Mapping[str, Any]) -> str:
    """Return how many recordings there are by counts of ``utterances`` and, if they are known, of ``recordings``.

    >>> recordings({"utterances": 1200}), recordings({"utterances": 240, "recordings": 5})
    ('1,200 recordings', '240 segments of 5 recordings')
    """
    rows, files = counts["utterances"], counts.get("recordings", counts["utterances"])
    return f"{rows:,} segments of {files:,} recordings" if files < rows else f"{rows:,} recordings"


def counted(counts: Mapping[str, int]) -> str:
    """Write counts by name, the largest first.

    >>> counted({"fear": 2, "calm": 1064}), counted({})
    ('calm 1,064, fear 2', 'none')
    """
    return ", ".join(f"{name} {whole(count)}" for name, count in sorted(counts.items(), key=lambda x: -x[1])) or "none"


def with_unnamed(emotions: Sequence[str], unnamed: Mapping[str, int]) -> str:
    """Write emotions, and how many recordings have none.

    >>> with_unnamed(["anger 3", "fear 2"], {"unlabelled": 7}), with_unnamed([], {})
    ('anger 3, fear 2; 7 unlabelled', 'none')
    """
    rest = [f"{whole(count)} {name}" for name, count in unnamed.items()]
    return "; ".join([", ".join(emotions) or "none", *rest])


def reader_name(classifier: str) -> str:
    """Return what a person calls a classifier.

    >>> reader_name("knn"), reader_name("classifier + knn"), reader_name("other")
    ('kNN', 'classifier + kNN', 'other')
    """
    return READERS.get(classifier, classifier)


def lead(sentence: str) -> tuple[str, str]:
    """Split off the words before a first, early colon, which a page sets in bold.

    Intervals are kept on one line, and a colon within a word is none.

    >>> lead("Zero-shot: nothing seen."), lead("No colon but random:tiny.")
    (('Zero-shot:', 'nothing seen.'), ('', 'No colon but random:tiny.'))
    """
    sentence = re.sub(r"\[[^\]]*\]", lambda match: match[0].replace(" ", "\u00a0"), sentence)
    head, colon, rest = sentence.partition(": ")
    early = colon and len(head) < 90 and "[" not in head and head.count("(") == head.count(")")
    return (f"{head}:", rest) if early else ("", sentence)


def as_yaml(values: dict[str, Any]) -> str:
    """Write values as a person would into a recipe.

    >>> print(as_yaml({"name": "naïve", "model": {"hidden": [2, 1]}}))
    name: naïve
    model:
      hidden: [2, 1]
    <BLANKLINE>
    """
    import yaml

    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100)

"""Which emotions several corpora share, what scoring only those drops, and what must not be merged to share more."""

from __future__ import annotations

from typing import Any

# Pairs that other toolkits merge, and why a merged label is another class. The second is what they are merged into.
APART = {
    ("calm", "neutral"): "calm is acted, low in activation and positive; neutral is neither",
    ("excitement", "happiness"): "excitement is higher in activation; IEMOCAP's four classes merge them, others do not",
    ("amusement", "happiness"): "amusement is heard as laughter; happiness need not be",
    ("enthusiasm", "happiness"): "enthusiasm is higher in activation and need not be pleasure",
    ("frustration", "anger"): "frustration is lower in activation and in dominance",
    ("sleepiness", "boredom"): "sleepiness is a state of the body; boredom is not",
    ("boredom", "sadness"): "boredom lacks sadness's negative valence",
    ("anxiety", "fear"): "anxiety has no object and is lower in activation",
    ("contempt", "disgust"): "contempt is colder and of another face and voice",
}


def harmonise(emotions: dict[str, dict[str, int]]) -> dict[str, Any]:
    """Return how the labels of several corpora fit; ``emotions`` maps a corpus to the count of each canonical emotion.

    Returns:
        ``shared``, the emotions every corpus has; ``all``; ``kept`` and ``dropped``, by corpus, the counts when only
        the shared ones are scored; ``apart``, for each pair of `APART` of which the set has both, a dict with
        ``label``, ``not`` (what it must not become), ``why``, ``has`` and ``other`` (counts of the two by corpus).
    """
    sets = [set(counts) for counts in emotions.values()]
    shared = sorted(set.intersection(*sets)) if sets else []
    return {
        "shared": shared,
        "all": sorted(set().union(*sets)),
        "kept": {name: {key: n for key, n in counts.items() if key in shared} for name, counts in emotions.items()},
        "dropped": {
            name: {key: n for key, n in counts.items() if key not in shared} for name, counts in emotions.items()
        },
        "apart": [_apart(pair, emotions) for pair in APART if _tempting(pair, sets)],
    }


def _tempting(pair: tuple[str, str], sets: list[set[str]]) -> bool:
    return any(pair[0] in one for one in sets) and any(pair[1] in one for one in sets)


def _apart(pair: tuple[str, str], emotions: dict[str, dict[str, int]]) -> dict[str, Any]:
    has, other = ({name: counts[key] for name, counts in emotions.items() if key in counts} for key in pair)
    return {"label": pair[0], "not": pair[1], "why": APART[pair], "has": has, "other": other}

"""What a run rests on as table lines: labels, splits, and what validation data chose."""

from __future__ import annotations

from typing import Any

from xlser.reporting.facts import Facts
from xlser.reporting.wording import counted, known, listing, reader_name, whole

_CHOSEN = {
    "distance": "distance",
    "k": "k",
    "temperature": "temperature",
    "weight": "weight",
    "c": "C",
    "alpha": "alpha",
}


def choices(facts: Facts) -> list[tuple[str, str, str, str]]:
    """Return what validation data of the source chose: method, reader, what, and its value by seed.

    A target shows the source's own choice and is not named, unless it shares fewer emotions with the source: a reader
    of those alone has a choice of its own.
    """
    found: dict[tuple[str, str, str], dict[str, dict[int, str]]] = {}
    for row in facts.results["choices"]:
        for name, title in _CHOSEN.items():
            if isinstance(row.get(name), str) or known(row.get(name)):
                key = (facts.method_name(row["method"]), reader_name(row["reader"]), title)
                found.setdefault(key, {}).setdefault(row.get("corpus", ""), {})[row["seed"]] = _written(row[name])
    return [
        (method, reader, what + place, values)
        for (method, reader, what), corpora in found.items()
        for place, values in _places(corpora)
    ]


def _written(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _places(corpora: dict[str, dict[int, str]]) -> list[tuple[str, str]]:
    """Return the values by seed, once for all corpora with the same ones; only those unlike the first are named."""
    found: dict[str, list[str]] = {}
    for corpus, values in corpora.items():
        found.setdefault(" ".join(values.values()), []).append(corpus)
    return [(f", on {listing(names)}" if i else "", values) for i, (values, names) in enumerate(found.items())]


def label_lines(facts: Facts) -> list[tuple[str, ...]]:
    """Return what became of each corpus's labels: corpus, kept, merged, dropped and files left out."""
    return [
        (
            name,
            f"{whole(sum(row['labels']['kept'].values()))} of {whole(row['utterances'])}",
            *(_sum(counts) for counts in (row["labels"]["merged"], row["labels"]["dropped"], row.get("left_out", {}))),
        )
        for name, row in facts.corpora.items()
    ]


def _sum(counts: dict[str, int]) -> str:
    return f"{whole(sum(counts.values()))} ({counted(counts)})" if counts else "none"


def split_lines(facts: Facts) -> list[dict[str, Any]]:
    """Return each seed's split with its speakers written out."""
    return [
        {
            "seed": row["seed"],
            "hash": row["hash"],
            "parts": [
                (part, row["utterances"].get(part), len(names), ", ".join(map(str, names)))
                for part, names in row["speakers"].items()
            ],
            "shared": listing(map(str, row["shared"])) if row["shared"] else "",
        }
        for row in facts.results["splits"]
    ]

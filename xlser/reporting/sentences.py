"""What one target's numbers say, in sentences."""

from __future__ import annotations

from collections.abc import Callable

from xlser.reporting.comparison import (
    baseline_called,
    baseline_said,
    called,
    gain_side,
    over_baseline,
    over_chance,
    side_of_baseline,
    told_from_baseline,
    upper,
)
from xlser.reporting.facts import FEATURES, HEADS, Facts, Row, rating_marks
from xlser.reporting.wording import bounds, difference, gain, known, listing, number, reader_name, score, side
from xlser.vocabulary import AXES

_ZERO = {"above": "above 0", "below": "below 0", "across": "not told apart from 0", "unknown": "without an interval"}


def verdicts(facts: Facts, corpus: str) -> list[str]:
    """Return a sentence per method: its UA on one target under the recipe's protocol, against chance and baseline."""
    lines = []
    for method in facts.main:
        rows = _judged(facts, method, corpus=corpus, protocol=facts.protocol)
        if rows:
            lines.append(
                f"{facts.name(corpus)}, {facts.protocol}: {called(facts, method)} reaches a UA of "
                f"{_each(rows, lambda row: number(row['value']))}; chance is {number(rows[0]['chance'])}. "
                f"{over_chance(rows)}{told_from_baseline(facts, rows)}"
            )
    return lines


def overview(facts: Facts) -> list[str]:
    """Return a sentence per method over all targets, for runs with too many of them for a sentence each."""
    lines = []
    for method in facts.main:
        rows = _judged(facts, method, protocol=facts.protocol, role="target")
        rows = [row for row in rows if known(row["value"])]
        readers = dict.fromkeys(row["classifier"] for row in rows)
        told = [_range(facts, [row for row in rows if row["classifier"] == reader]) for reader in readers]
        if told:
            scored = len({row["corpus"] for row in rows})
            where = f"{facts.protocol}, in {scored} of {len(facts.targets)} targets"
            lines.append(f"{upper(called(facts, method))}, {where}: {'; '.join(told)}.")
    return lines


def _judged(facts: Facts, method: str, **where: str) -> list[Row]:
    """Return the UA of the readers that a method is judged by."""
    readers = facts.readers(method)
    rows = facts.rows("transfer", method=method, metric="UA", **where)
    return [row for row in rows if row["classifier"] in readers]


def _range(facts: Facts, rows: list[Row]) -> str:
    low, high = (pick(rows, key=lambda row: row["value"]) for pick in (min, max))
    chance = sum(side(row["low"], row["high"], row["chance"]) == "above" for row in rows)
    text = (
        f"with {reader_name(rows[0]['classifier'])} a UA of {number(low['value'])} ({low['corpus']}) to "
        f"{number(high['value'])} ({high['corpus']}), above chance in {chance}"
    )
    if not facts.is_compared(rows[0]):
        return text
    above, below = (sum(gain_side(row) == where for row in rows) for where in ("above", "below"))
    return f"{text}, above {baseline_said(facts, rows[0])} in {above} and below it in {below}"


def target_sentences(facts: Facts, corpus: str) -> list[str]:
    """Return what became of each of the recipe's methods on one target: classes, the way there, correlations."""
    lines: list[str] = []
    for method in facts.main:
        for protocol in facts.protocols(corpus):
            lines += _classes(facts, corpus, protocol, method)
        lines += [*_embedding(facts, corpus, method), *_way(facts, corpus, method)]
        for dimension in facts.dimensions:
            lines += _correlation(facts, corpus, method, dimension)
    return lines or [f"Nothing could be scored on {corpus}."]


def _classes(facts: Facts, corpus: str, protocol: str, method: str) -> list[str]:
    rows = _judged(facts, method, corpus=corpus, protocol=protocol)
    if not rows:
        return []
    lead = (
        f"{protocol.capitalize()}: {called(facts, method)} reaches a UA of {_each(rows, score)} over "
        f"{rows[0]['classes']} emotions; chance is {number(rows[0]['chance'])}."
    )
    texts = (lead, over_chance(rows), _beside(facts, rows[0]), over_baseline(facts, rows))
    return [" ".join(text for text in texts if text)]


def _beside(facts: Facts, like: Row) -> str:
    """Say what the baselines reach on the same recordings, in the order in which the readers stood before."""
    parts: list[str] = []
    features = "the checkpoint before training" if facts.encoder else "the features without a network"
    for method, name in ((facts.baseline, called(facts, facts.baseline)), (FEATURES, features)):
        where = {key: like[key] for key in ("corpus", "protocol")}
        rows = _judged(facts, method, **where) if method != like["method"] else []
        if rows:
            parts.append(f"{name} {'' if parts else 'reaches '}{listing(number(row['value']) for row in rows)}")
    return f"{upper(', '.join(parts))}." if parts else ""


def _each(rows: list[Row], write: Callable[[Row], str]) -> str:
    return listing(f"{write(row)} ({reader_name(row['classifier'])})" for row in rows)


def _embedding(facts: Facts, corpus: str, method: str) -> list[str]:
    """Say what others read from an embedding whose network has a head, beside the checkpoint before training."""
    where = {"corpus": corpus, "protocol": facts.protocol, "metric": "UA"}
    rows = [row for row in facts.rows("transfer", method=method, **where) if row["classifier"] not in HEADS]
    before = {row["classifier"]: row for row in facts.rows("transfer", method=FEATURES, **where)}
    pairs = [(row, before[row["classifier"]]) for row in rows if row["classifier"] in before]
    if not facts.has_heads or not pairs:
        return []
    return [
        f"The embedding of {called(facts, method)}, read by others: a UA of {_each([row for row, _ in pairs], score)}; "
        f"the checkpoint before training gives {listing(number(row['value']) for _, row in pairs)}."
    ]


def _way(facts: Facts, corpus: str, method: str) -> list[str]:
    here = _judged(facts, method, corpus=corpus, protocol=facts.protocol)
    there = {row["classifier"]: row for row in facts.rows("transfer", corpus=facts.source, method=method, metric="UA")}
    pairs = [(row, there[row["classifier"]]) for row in here if row["classifier"] in there]
    pairs = [(a, b) for a, b in pairs if known(a["value"], b["value"])]
    if not pairs:
        return []
    moves = listing(
        f"from {number(b['value'])} to {number(a['value'])}, {difference(a['value'], b['value'])} "
        f"({reader_name(a['classifier'])})"
        for a, b in pairs
    )
    target, source = pairs[0]
    alike = target["classes"] == source["classes"]
    unlike = "" if alike else f"; {source['classes']} emotions there and {target['classes']} here are unlike tasks"
    return [
        f"On the way: between the held-out speakers of {facts.source} and {corpus} ({facts.protocol}) the UA of "
        f"{called(facts, method)} goes {moves}{unlike}."
    ]


def _correlation(facts: Facts, corpus: str, method: str, dimension: str) -> list[str]:
    rows = facts.rows("correlation", corpus=corpus, protocol=facts.protocol, method=method, dimension=dimension)
    found = {(row["axis"], row["statistic"]): row for row in rows}
    parts = [
        _axis(facts, axis, found[axis, "Pearson"], found.get((axis, "CCC")))
        for axis in AXES
        if (axis, "Pearson") in found
    ]
    if not parts:
        return []
    kind = ", ".join([facts.protocol, *rating_marks(rows[0]["ratings"])])
    return [f"{dimension.capitalize()} ratings ({kind}), {called(facts, method)}: {' '.join(parts)}"]


def _axis(facts: Facts, axis: str, row: Row, ccc: Row | None) -> str:
    where = _ZERO[side(row["low"], row["high"], 0.0)]
    more = f", CCC {score(ccc)}" if ccc else ""
    text = f"The {axis} gives r = {number(row['value'])} {bounds(row['low'], row['high'])}, {where}{more}"
    if facts.is_compared(row):
        text += f"; gain in r over {baseline_called(facts, row)} {gain(row)}: {side_of_baseline(facts, row)}"
    return f"{text}."

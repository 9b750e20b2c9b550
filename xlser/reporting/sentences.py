"""What one target's numbers say, in sentences."""

from __future__ import annotations

from collections.abc import Callable

from xlser.reporting.facts import FEATURES, PLAIN, Facts, Row, rating_marks
from xlser.reporting.wording import bounds, difference, gain, known, listing, number, reader_name, score, side

_CHANCE = {
    "above": "it is above chance",
    "below": "it is below chance",
    "across": "it cannot be told apart from chance",
    "unknown": "no interval can be given (too few speakers)",
}
_BOTH = {
    "above": "both intervals are above chance",
    "below": "both intervals are below chance",
    "across": "neither can be told apart from chance",
    "unknown": _CHANCE["unknown"],
}
_PLAIN = {
    "above": "above the plain autoencoder",
    "below": "below the plain autoencoder",
    "across": "it cannot be told apart from the plain autoencoder",
    "unknown": "without an interval it cannot be told apart from the plain autoencoder",
}
_ZERO = {"above": "above 0", "below": "below 0", "across": "not told apart from 0", "unknown": "without an interval"}


def verdicts(facts: Facts, corpus: str) -> list[str]:
    """Return a sentence per method: its UA on one target under the recipe's protocol, against chance and plain."""
    lines = []
    for method in facts.main:
        rows = facts.rows("transfer", corpus=corpus, protocol=facts.protocol, method=method, metric="UA")
        if rows:
            lines.append(
                f"{facts.name(corpus)}, {facts.protocol}: {called(facts, method)} reaches a UA of "
                f"{_each(rows, lambda row: number(row['value']))}; chance is {number(rows[0]['chance'])}. "
                f"{_over_chance(rows)}{_told_from_plain(rows)}"
            )
    return lines


def overview(facts: Facts) -> list[str]:
    """Return a sentence per method over all targets, for runs with too many of them for a sentence each."""
    lines = []
    for method in facts.main:
        rows = facts.rows("transfer", protocol=facts.protocol, method=method, metric="UA", role="target")
        rows = [row for row in rows if known(row["value"])]
        readers = dict.fromkeys(row["classifier"] for row in rows)
        told = [_range([row for row in rows if row["classifier"] == reader]) for reader in readers]
        if told:
            scored = len({row["corpus"] for row in rows})
            where = f"{facts.protocol}, in {scored} of {len(facts.targets)} targets"
            lines.append(f"{_upper(called(facts, method))}, {where}: {'; '.join(told)}.")
    return lines


def _range(rows: list[Row]) -> str:
    low, high = (pick(rows, key=lambda row: row["value"]) for pick in (min, max))
    chance = sum(side(row["low"], row["high"], row["chance"]) == "above" for row in rows)
    text = (
        f"with {reader_name(rows[0]['classifier'])} a UA of {number(low['value'])} ({low['corpus']}) to "
        f"{number(high['value'])} ({high['corpus']}), above chance in {chance}"
    )
    if rows[0]["method"] == PLAIN:
        return text
    above, below = (sum(_gain_side(row) == where for row in rows) for where in ("above", "below"))
    return f"{text}, above the plain autoencoder in {above} and below it in {below}"


def target_sentences(facts: Facts, corpus: str) -> list[str]:
    """Return what became of each of the recipe's methods on one target: classes, the way there, correlations."""
    lines: list[str] = []
    for method in facts.main:
        for protocol in facts.protocols(corpus):
            lines += _classes(facts, corpus, protocol, method)
        lines += _way(facts, corpus, method)
        for dimension in ("activation", "valence"):
            lines += _correlation(facts, corpus, method, dimension)
    return lines or [f"Nothing could be scored on {corpus}."]


def called(facts: Facts, method: str) -> str:
    """Return a method's name as it stands in a sentence: the recipe's own in quotes, for they may be any word.

    A method may be called after the rating it learns from; without quotes "activation follows activation" would say
    nothing.
    """
    return f"the plain {facts.network}" if method == PLAIN else f"“{method}”"


def _classes(facts: Facts, corpus: str, protocol: str, method: str) -> list[str]:
    rows = facts.rows("transfer", corpus=corpus, protocol=protocol, method=method, metric="UA")
    if not rows:
        return []
    lead = (
        f"{protocol.capitalize()}: {called(facts, method)} reaches a UA of {_each(rows, score)} over "
        f"{rows[0]['classes']} emotions; chance is {number(rows[0]['chance'])}."
    )
    return [" ".join(text for text in (lead, _over_chance(rows), _beside(facts, rows[0]), _over_plain(rows)) if text)]


def _over_chance(rows: list[Row]) -> str:
    found = _by_side(rows, lambda row: side(row["low"], row["high"], row["chance"]))
    if len(rows) == 2 and len(found) == 1:
        return f"{_upper(_BOTH[next(iter(found))])}."
    return f"{_upper('; '.join(f'with {listing(who)} {_CHANCE[where]}' for where, who in found.items()))}."


def _beside(facts: Facts, like: Row) -> str:
    """Say what the baselines reach on the same recordings, in the order in which the readers stood before."""
    parts = []
    for method, name in ((PLAIN, f"the plain {facts.network}"), (FEATURES, "the features without a network")):
        where = {key: like[key] for key in ("corpus", "protocol", "metric")}
        rows = facts.rows("transfer", method=method, **where) if method != like["method"] else []
        if rows:
            parts.append(f"{name} {'' if parts else 'reaches '}{listing(number(row['value']) for row in rows)}")
    return f"{_upper(', '.join(parts))}." if parts else ""


def _over_plain(rows: list[Row]) -> str:
    if rows[0]["method"] == PLAIN:
        return ""
    return f"The gain over plain is {listing(gain(row) for row in rows)}: {_plain_side(rows)}."


def _told_from_plain(rows: list[Row]) -> str:
    return "" if rows[0]["method"] == PLAIN else f" Against plain: {_plain_side(rows)}."


def _plain_side(rows: list[Row]) -> str:
    found = _by_side(rows, _gain_side)
    if len(found) == 1:
        return _PLAIN[next(iter(found))]
    return "; ".join(f"with {listing(who)}, {_PLAIN[where]}" for where, who in found.items())


def _by_side(rows: list[Row], judge: Callable[[Row], str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(judge(row), []).append(reader_name(row["classifier"]))
    return found


def _each(rows: list[Row], write: Callable[[Row], str]) -> str:
    return listing(f"{write(row)} ({reader_name(row['classifier'])})" for row in rows)


def _gain_side(row: Row) -> str:
    return side(row["gain_low"], row["gain_high"], 0.0)


def _way(facts: Facts, corpus: str, method: str) -> list[str]:
    here = facts.rows("transfer", corpus=corpus, protocol=facts.protocol, method=method, metric="UA")
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
        _axis(axis, found[axis, "Pearson"], found.get((axis, "CCC")), method)
        for axis in ("direction", "latent mean")
        if (axis, "Pearson") in found
    ]
    if not parts:
        return []
    kind = ", ".join([facts.protocol, *rating_marks(rows[0]["ratings"])])
    return [f"{dimension.capitalize()} ratings ({kind}), {called(facts, method)}: {' '.join(parts)}"]


def _axis(axis: str, row: Row, ccc: Row | None, method: str) -> str:
    where = _ZERO[side(row["low"], row["high"], 0.0)]
    more = f", CCC {score(ccc)}" if ccc else ""
    text = f"The {axis} gives r = {number(row['value'])} {bounds(row['low'], row['high'])}, {where}{more}"
    text += "" if method == PLAIN else f"; gain in r over plain {gain(row)}: {_PLAIN[_gain_side(row)]}"
    return f"{text}."


def _upper(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"

"""What a few labelled clips bring, how far promises hold, and which dimensions carry over, in sentences."""

from __future__ import annotations

from dataclasses import replace

from xlser.reporting.bench import shots
from xlser.reporting.bench.dimensions import LEVEL, is_sure
from xlser.reporting.bench.dimensions import section as section_of_dimensions
from xlser.reporting.bench.facts import Bench, Key, Row
from xlser.reporting.bench.shots import ua
from xlser.reporting.bench.trust import rows as trusted
from xlser.reporting.bench.trust import section as section_of_trust
from xlser.reporting.section import Section, Words
from xlser.reporting.wording import bounds, gain, known, listing, number, plural, score, side
from xlser.vocabulary import AXES

Said = tuple[str, str]
# Said once below every list of the best of several.
FLATTERED = ("Each of these", "was picked on the target itself, among several, and looks better for it than it is.")


def shots_section(bench: Bench) -> Section:
    """Return the section of `shots`, led by its sentences."""
    return _led(shots.section(bench), few_shot(bench))


def trust_section(bench: Bench) -> Section:
    """Return the section of `trust`, led by its sentences."""
    return _led(section_of_trust(bench), trust(bench))


def dimensions_section(bench: Bench) -> Section:
    """Return the section of `dimensions`, led by its sentences."""
    return _led(section_of_dimensions(bench), dimensions(bench))


def _led(section: Section, said: list[Said]) -> Section:
    return replace(section, parts=[Words(said), *section.parts]) if said else section


def few_shot(bench: Bench) -> list[Said]:
    """Say for every target what the best way reaches with the most labelled clips, and whether that is a gain."""
    lines = []
    for target in bench.targets:
        rows = [
            (key, row) for key in bench.transfers if key[2] == target for row in ua(bench.of_chosen(key, "few_shot"))
        ]
        if rows:
            most = max(row["k"] for _, row in rows)
            # The oracle is another way by another name, and was picked in hindsight at that.
            there = [(key, row) for key, row in rows if row["k"] == most and row["way"] != "oracle"]
            lines.append(_best_shot(bench, target, *max(there, key=lambda pair: pair[1]["value"])))
    return [*lines, FLATTERED] if lines else []


def _best_shot(bench: Bench, target: str, key: Key, row: Row) -> Said:
    mark = ", synthetic" if bench.synthetic(target) else ""
    head = f"the best way is “{row['way']}” from {key[1]} by {key[0]}, UA {score(row)}, "
    head += f"without any {number(row['without'])} ({bench.protocol(key[0])})"
    where = side(row["gain_low"], row["gain_high"], 0.0)
    change = {"above": "a gain of", "below": "a loss of"}.get(where, "no gain can be told:")
    clips = plural(row["shots"], "labelled clip")
    return f"{target}{mark}, k = {row['k']} ({clips}):", f"{head}; {change} {gain(row)}."


def trust(bench: Bench) -> list[Said]:
    """Say for every target how far the promise of the label sets was kept, and how sure the classifier was."""
    lines = []
    for target in bench.targets:
        found = [(key, row) for key in bench.transfers if key[2] == target for row in trusted(bench, key)]
        found = [(key, row) for key, row in found if known(row["sets"]["coverage"])]
        if not found:
            continue
        promise = found[0][1]["promise"]
        short = [key for key, row in found if side(row["sets"]["low"], row["sets"]["high"], promise) == "below"]
        (worst, low), (best, high) = _ends(found)
        several = f" to {number(high['coverage'])} ({best[1]}, {best[0]})" if len(found) > 1 else ""
        told = f"sets made to hold the true emotion in {promise:.0%} hold it in {number(low['coverage'])} "
        told += f"{bounds(low['low'], low['high'])} ({worst[1]}, {worst[0]}){several}; "
        told += f"surely fewer than promised in {len(short)} of {plural(len(found), 'cell')}."
        errors = [row["ece"] for _, row in found if known(row["ece"])]
        told += f" Confidence is off by {_range(errors)} (ECE)." if errors else ""
        mark = ", synthetic" if bench.synthetic(target) else ""
        lines.append((f"Promises in {target}{mark}:", told))
    return lines


def _ends(found: list[tuple[Key, Row]]) -> tuple[tuple[Key, Row], tuple[Key, Row]]:
    ordered = sorted(((key, row["sets"]) for key, row in found), key=lambda pair: pair[1]["coverage"])
    return ordered[0], ordered[-1]


def _range(values: list[float]) -> str:
    low, high = number(min(values)), number(max(values))
    return low if low == high else f"{low} to {high}"


def dimensions(bench: Bench) -> list[Said]:
    """Say for every recipe where an axis learnt on the source still follows the target's ratings."""
    lines = []
    for recipe in bench.recipes:
        found: dict[str, dict[str, list[tuple[Key, Row]]]] = {}
        for key in bench.transfers:
            if key[0] == recipe:
                for row in _axis(bench.of_chosen(key, "dimensions")):
                    found.setdefault(_kind(bench, key), {}).setdefault(row["dimension"], []).append((key, row))
        for kind, by in sorted(found.items()):
            axis = next(iter(by.values()))[0][1]["axis"]
            told = "; ".join(_followed(dimension, pairs) for dimension, pairs in by.items())
            lines.append((f"{recipe}{kind}:", f"the {axis} learnt on the source follows the ratings of {told}."))
    how = f"a correlation that is told from 0, p corrected over the whole bench below {LEVEL}, with its sign kept."
    return [*lines, ("“Follows”:", how)] if lines else []


def _axis(rows: list[Row]) -> list[Row]:
    """Return the first of the main axes there is, a row a dimension."""
    rows = [row for row in rows if row["axis"] in AXES and known(row["r"])]
    axes = {row["axis"] for row in rows}
    return [row for row in rows if row["axis"] == next(name for name in AXES if name in axes)]


def _kind(bench: Bench, key: Key) -> str:
    """Name what no listener rated or no human spoke, so that it is not counted with the rest."""
    if bench.synthetic(key[1]) or bench.synthetic(key[2]):
        return ", synthetic speech on either side"
    return ", derived ratings on either side" if bench.rating_marks(key) else ""


def _followed(dimension: str, pairs: list[tuple[Key, Row]]) -> str:
    sure = [(key, row) for key, row in pairs if is_sure(row)]
    kept = [pair for pair in sure if pair[1]["r"] > 0]
    turned = [key for key, row in sure if row["r"] < 0]
    told = f"{dimension} in {len(kept)} of {plural(len(pairs), 'cell')}"
    if kept:
        key, row = max(kept, key=lambda pair: pair[1]["r"])
        alone = [row for _, row in kept if side(row["partial"]["low"], row["partial"]["high"], 0.0) == "above"]
        best = f"r = {number(row['r'])} in {key[1]} → {key[2]} (source {number(row['r_source'])})"
        told += f", at best {best}, and beyond duration, sex and loudness in {len(alone)}"
    return told + (f", and turned round in {listing(f'{one[1]} → {one[2]}' for one in turned)}" if turned else "")

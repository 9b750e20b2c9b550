"""What to believe of a bench, in sentences computed from its numbers: the matrix and what was compared."""

from __future__ import annotations

from collections.abc import Iterable

from xlser.evaluation.verdicts import HELD_OUT, TRANSFER
from xlser.reporting.bench.facts import Bench, Key, Row
from xlser.reporting.wording import known, listing, number, plural, side, signed

Said = tuple[str, str]
LEVEL = 0.05
_MANY = 6
# Whether recipes differ is asked twice: each family of tests has a correction of its own.
_FAMILIES = {TRANSFER: "Recipes, transfer:", HELD_OUT: "Recipes, held-out speakers of the source:"}


def above_chance(bench: Bench) -> list[Said]:
    """Say for every recipe how many cells can be told from chance, human speech and synthetic apart."""
    lines = []
    for recipe in bench.recipes:
        keys = [key for key in bench.transfers if key[0] == recipe]
        for what, synthetic in (("", False), (" with synthetic speech on either side", True)):
            mine = [key for key in keys if is_synthetic(bench, key) is synthetic]
            if told := _above(bench, mine):
                lines.append((f"{recipe}{what}:", told))
    return lines


def is_synthetic(bench: Bench, key: Key) -> bool:
    """Say whether a cell was learnt from synthetic speech or read in it."""
    return bench.synthetic(key[1]) or bench.synthetic(key[2])


def _above(bench: Bench, keys: list[Key]) -> str:
    found: dict[str, list[Key]] = {}
    for key in keys:
        if row := bench.score(key):
            found.setdefault(side(row["low"], row["high"], row["chance"]), []).append(key)
    total = sum(map(len, found.values()))
    if not total:
        return ""
    told = [f"{len(found.get('above', []))} of {plural(total, 'cell')} above chance with the whole interval"]
    told += [f"{word}: {places(found[where])}" for where, word in _SIDES.items() if where in found]
    return "; ".join(told) + "."


_SIDES = {"across": "not told from chance", "below": "below chance", "unknown": "without an interval"}


def places(keys: Iterable[Key]) -> str:
    """Name cells, the first few of many."""
    names = [f"{source} → {target}" for _, source, target in keys]
    more = [f"{len(names) - _MANY} more"] if len(names) > _MANY else []
    return listing([*names[:_MANY], *more])


def baselines(bench: Bench) -> list[Said]:
    """Say for every recipe in how many cells its choice gains over the recipe's baseline."""
    lines = []
    for recipe in bench.recipes:
        rows = [row for key in bench.transfers if key[0] == recipe and (row := bench.score(key))]
        rows = [row for row in rows if known(row.get("gain"), row.get("gain_low"), row.get("gain_high"))]
        if not rows:
            continue
        sides = [side(row["gain_low"], row["gain_high"], 0.0) for row in rows]
        base = next(cell["baseline"]["method"] for key, cell in bench.cells.items() if key[0] == recipe)
        told = f"the choice gains on the baseline “{base}” in {sides.count('above')} of {plural(len(rows), 'cell')}"
        low = sides.count("below")
        lines.append((f"{recipe}:", f"{told} (interval above 0)" + (f", and loses in {low}." if low else ".")))
    return lines


def shortcuts(bench: Bench) -> list[Said]:
    """Say for every recipe in which cells a clip's length alone reaches the interval of what was chosen."""
    lines = []
    for recipe in bench.recipes:
        keys = [key for key in bench.transfers if key[0] == recipe and known(bench.shortcut(key))]
        scored = [(key, row) for key in keys if (row := bench.score(key)) and known(row["low"])]
        equal = [key for key, row in scored if bench.shortcut(key) >= row["low"]]
        if scored:
            told = f"a clip's length alone reaches the interval of the choice in {len(equal)} of "
            told += plural(len(scored), "cell") + (f": {places(equal)}." if equal else ".")
            lines.append((f"{recipe}:", told))
    return lines


def compared(bench: Bench) -> list[Said]:
    """Say which recipes differ in which cell: only where the corrected p-value is below the level.

    Transfer and held-out speakers of the source are two families, each with a correction of its own.
    """
    if len(bench.recipes) < 2:
        return []
    rows = [row for row in bench.results["comparisons"] if known(row.get("p_holm"), row["difference"])]
    if not rows:
        return [("Recipes:", "none was compared with another: no two judged the same clips and emotions.")]
    families = [[row for row in rows if row["family"] == family] for family in _FAMILIES]
    return [line for several in families if several for line in _family(several)]


def _family(rows: list[Row]) -> list[Said]:
    """Say of one family of tests which differences are told."""
    lead = _FAMILIES[rows[0]["family"]]
    sure = sorted((row for row in rows if row["p_holm"] < LEVEL), key=lambda row: row["p_holm"])
    how = f"{plural(len(rows), 'paired test')} over speakers, p corrected by Holm over all of them"
    if not sure:
        least = min(row["p_holm"] for row in rows)
        told = f"no two can be told apart in any cell ({how}; the smallest p is {number(least)})."
        return [(lead, f"{told} That is no proof that they are equal.")]
    told = f"differences are told in {len(sure)} of {plural(len(rows), 'place')} ({how})."
    return [(lead, told), *(_difference(row) for row in sure)]


def _difference(row: Row) -> Said:
    better, worse = (row["a"], row["b"]) if row["difference"] > 0 else (row["b"], row["a"])
    what = "held-out speakers, no transfer" if row["family"] == HELD_OUT else "UA"
    told = f"{better} is ahead of {worse} by {signed(abs(row['difference']))} ({what}; p = {number(row['p_holm'], 3)})."
    return f"{row['source']} → {row['target']}:", told

"""What to believe of a bench, in sentences computed from its numbers: the matrix and what was compared."""

from __future__ import annotations

from collections.abc import Iterable

from xlser.evaluation.verdicts import HELD_OUT, TRANSFER
from xlser.reporting.bench.cautions import cautions
from xlser.reporting.bench.doubt import FLATTERED, dimensions, few_shot, trust
from xlser.reporting.bench.facts import Bench, Key, Row
from xlser.reporting.bench.hindsight import regret_sentences
from xlser.reporting.chosen import LEAD, chosen_sentence
from xlser.reporting.section import Box, Heading, Note, Section, Words
from xlser.reporting.wording import known, listing, number, plural, reader_name, score, side, signed

Said = tuple[str, str]
LEVEL = 0.05
_MANY = 6
# Whether recipes differ is asked twice: each family of tests has a correction of its own.
_FAMILIES = {TRANSFER: "Recipes, transfer:", HELD_OUT: "Recipes, held-out speakers of the source:"}


def section(bench: Bench) -> Section:
    """Return the sentences of `summary`."""
    lists = [Box([Heading(title), Words(said)]) for title, said in summary(bench)]
    note = Note(f"Computed from the numbers. Brackets hold {bench.percent} intervals from resampling speakers.")
    return Section("summary", "What to believe", [note, Box(lists, "believe")])


def summary(bench: Bench) -> list[tuple[str, list[Said]]]:
    """Return headed lists of sentences, each split into its lead and the rest."""
    parts = [
        ("Chosen without the target's labels", regret_sentences(bench)),
        ("The matrix", [*choices(bench), *above_chance(bench), *best_sources(bench)]),
        ("Against baselines and each other", [*baselines(bench), *shortcuts(bench), *compared(bench)]),
        ("A few labelled clips", few_shot(bench)),
        ("Trust", trust(bench)),
        ("Dimensions", dimensions(bench)),
        ("Beware", cautions(bench)),
    ]
    return [(title, said) for title, said in parts if said]


def choices(bench: Bench) -> list[Said]:
    """Say what validation chose over all, and for every recipe and source."""
    chosen = chosen_sentence(bench.results)
    lines = [(LEAD, chosen)] if chosen else []
    for recipe in bench.recipes:
        rows = [(source, row) for source in bench.sources if (row := bench.chosen(recipe, source))]
        told = [
            f"{source}: {row['method']} read by {reader_name(row['classifier'])} ({number(row.get('validation'))})"
            for source, row in rows
        ]
        if told:
            what = "chosen on validation speakers of the source (UA there), and never on a target:"
            lines.append((f"{recipe}, {bench.protocol(recipe)}:", f"{what} {'; '.join(told)}."))
    return lines


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


def best_sources(bench: Bench) -> list[Said]:
    """Say for every target which source and recipe carried furthest, and whether others can be told from it."""
    lines = []
    for target in bench.targets:
        keys = [key for key in bench.transfers if key[2] == target]
        rows = sorted(((key, row) for key in keys if (row := bench.score(key))), key=lambda pair: -pair[1]["value"])
        if len({key[1] for key, _ in rows}) < 2:
            continue
        ((recipe, source, _), best), *others = rows
        mark = ", synthetic" if bench.synthetic(target) else ""
        learnt = " (synthetic)" if bench.synthetic(source) else ""
        head = f"highest from {source}{learnt} by {recipe}, UA {score(best)}, chance {number(best['chance'])}"
        lines.append((f"Best source for {target}{mark}:", f"{head}. {_rivals(best, source, others)}"))
    return [*lines, FLATTERED] if lines else []


def _rivals(best: Row, source: str, others: list[tuple[Key, Row]]) -> str:
    """Say which other sources' best cells have an interval that overlaps with the best one's."""
    first: dict[str, Row] = {}
    for key, row in others:
        if key[1] != source:
            first.setdefault(key[1], row)
    near = [name for name, row in first.items() if not known(row["high"], best["low"]) or row["high"] >= best["low"]]
    if not near:
        return "No other source's interval reaches it."
    return f"Not told apart from {listing(near)}: the intervals overlap."


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
    """Say for every recipe in which cells a clip's length alone does as well as what was chosen."""
    lines = []
    for recipe in bench.recipes:
        keys = [key for key in bench.transfers if key[0] == recipe and known(bench.shortcut(key))]
        scored = [(key, row) for key in keys if (row := bench.score(key)) and known(row["low"])]
        equal = [key for key, row in scored if bench.shortcut(key) >= row["low"]]
        if scored:
            told = f"a clip's length alone does as well, as far as the intervals tell, in {len(equal)} of "
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

"""The first screen of a run: its answer in a headline and a few sentences, all systems in a picture, cautions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from xlser.evaluation.verdicts import Verdicts, paired_mean
from xlser.reporting import figures
from xlser.reporting.bench.means import mean
from xlser.reporting.cautions import cautions
from xlser.reporting.comparison import called, upper
from xlser.reporting.facts import Facts, Row
from xlser.reporting.section import Chip, Headline, Note, Panels, Part, Section, Switch, Words
from xlser.reporting.wording import ahead, difference, known, lead, number, plural, reader_name, score, side
from xlser.vocabulary import AXES, FEATURES, PROBE, ZERO_SHOT

Said = tuple[str, str]
System = tuple[str, str]
LEVEL = 0.05
_LONGEST = 44  # letters of a chip
_MOST = 6  # targets that a sentence names
_CHANCE = {"above": "surely above it", "below": "surely below it", "across": "not told from it"}


def folded(sections: Iterable[Section], shown: Sequence[str] = ()) -> list[Section]:
    """Return sections under their titles until they are opened, all but those whose anchors are ``shown``."""
    return [section if section.anchor in shown else replace(section, folded=True) for section in sections]


def answer(facts: Facts) -> list[Part]:
    """Return the headline and at most four sentences: each says a mean over the targets, tested over speakers."""
    system = system_of(facts)
    rows = _rows(facts, system)
    lines = [_by_target(rows), _features(facts, system), _baseline(facts, system), _adapted(facts, system)]
    said = [line for line in lines if line]
    return [_headline(facts, system, rows), *([Words(said)] if said else [])]


def headline(facts: Facts) -> Headline:
    """Return what the chosen system reaches: the mean over targets, its interval, protocol and chance."""
    system = system_of(facts)
    return _headline(facts, system, _rows(facts, system))


def system_of(facts: Facts) -> System:
    """Return the method and reader that validation chose; the recipe's first where nothing was chosen."""
    if facts.choice:
        return facts.choice.method, facts.choice.classifier
    method = facts.main[0]
    return method, next(iter(facts.readers(method)), PROBE)


def chips(facts: Facts) -> list[Chip]:
    """Return what to beware of in a run or cell; what makes its numbers untrue stands in banners."""
    pairs = [lead(text) for text in cautions(facts)]
    return [Chip(_short(facts, head.rstrip(":"), text), text) for head, text in pairs]


def _short(facts: Facts, head: str, text: str) -> str:
    """Return what a caution is about: its lead, or its first words, behind the corpus that leads them."""
    if head and head not in facts.corpora:
        return head
    # Up to where its sentence, or what it adds, ends.
    some = re.split(r"[,;:(.](?=\s|$)| since | which ", text, maxsplit=1)[0].strip()
    some = some if len(some) <= _LONGEST else some[:_LONGEST].rsplit(" ", 1)[0] + " …"
    return f"{head}: {some}" if head else some


def forest(facts: Facts) -> list[Part]:
    """Return the dot plots of all systems, a corpus at a time, the first target first."""
    panels = figures.transfer_panels(facts)
    if not panels:
        return []
    first = next((place for place, panel in enumerate(panels) if panel.title != facts.source), 0)
    options: list[tuple[str, list[Part]]] = [(panel.title, [Panels([panel], "panels one")]) for panel in panels]
    shown: list[Part] = [Switch("Corpus", options, first)] if len(options) > 1 else list(options[0][1])
    return [*shown, Note(f"UA, {facts.percent} intervals over speakers: {figures.legend(facts)}; dashed: chance.")]


def _rows(facts: Facts, system: System, protocol: str = "") -> list[Row]:
    """Return the UA of a system on every target, under the recipe's protocol or another."""
    where = {"method": system[0], "classifier": system[1], "protocol": protocol or facts.protocol, "metric": "UA"}
    if not facts.targets:
        del where["protocol"]
    rows = [row for name in facts.targets or [facts.source] for row in facts.rows("transfer", corpus=name, **where)]
    human = [row for row in rows if not facts.corpora[row["corpus"]]["synthetic"]]
    return [row for row in human or rows if known(row["value"])]


def _headline(facts: Facts, system: System, rows: list[Row]) -> Headline:
    if not rows:
        return Headline(_rated(facts) or facts.unscored, ["synthetic"] if facts.about["synthetic"] else [])
    marks = list(dict.fromkeys(mark for row in rows for mark in facts.marks(row["corpus"])))
    found, told = mean(rows), _over_chance(rows)
    where = f"on {rows[0]['corpus']}" if len(rows) == 1 else f"in the mean of {len(rows)} targets"
    left_out = any(facts.corpora[name]["synthetic"] for name in {*facts.targets} - {row["corpus"] for row in rows})
    where += ", synthetic speech left out" if left_out else ""
    where += "" if facts.targets else "'s held-out speakers"
    how = f"{f'{facts.protocol}, ' if facts.targets else ''}by {facts.method_name(system[0])}, {reader_name(system[1])}"
    return Headline(f"UA {score(found)} {where}, {how}; chance {number(found['chance'])}, {told}.", marks)


def _rated(facts: Facts) -> str:
    """Say of a run that scored no emotions how ratings of the targets are followed; empty where there are none."""
    where = {"method": facts.main[0], "statistic": "Pearson"}
    rows = [row for row in facts.rows("correlation", **where) if row["axis"] in AXES and known(row["value"])]
    here = [row for row in rows if row["corpus"] in (facts.targets or [facts.source]) and facts.is_main(row)]
    axis = next((name for name in AXES if any(row["axis"] == name for row in here)), "")
    by: dict[str, list[Row]] = {}
    for row in here:
        if row["axis"] == axis:
            by.setdefault(row["dimension"], []).append(row)
    told = [f"{name} r = {score(mean(several))}" for name, several in by.items()]
    count = max(map(len, by.values()), default=0)
    place = f", in the mean of {count} corpora" if count > 1 else f" on {here[0]['corpus']}" if here else ""
    return f"The {axis} of {called(facts, facts.main[0])} follows ratings of {'; '.join(told)}{place}." if told else ""


def _over_chance(rows: list[Row]) -> str:
    """Say on which side of chance intervals lie, and how many have none: those say nothing of chance."""
    sides = [side(row["low"], row["high"], row["chance"]) for row in rows]
    if len(rows) == 1 or set(sides) == {"unknown"}:
        return _CHANCE.get(sides[0], "without an interval")
    without = f", {sides.count('unknown')} without an interval" if "unknown" in sides else ""
    return f"above it in {sides.count('above')} of {len(rows)}{without}"


def _by_target(rows: list[Row]) -> Said | None:
    if len(rows) < 2:
        return None
    told = [f"{row['corpus']} {score(row)}" for row in rows[:_MOST]]
    more = f"; and {len(rows) - _MOST} more" if len(rows) > _MOST else ""
    return "By target:", f"{'; '.join(told)}{more}."


def _features(facts: Facts, system: System) -> Said | None:
    name = "The checkpoint before training" if facts.encoder else "Plain features"
    return _beside(facts, system, (FEATURES, PROBE), f"{name} with logistic regression:")


def _baseline(facts: Facts, system: System) -> Said | None:
    """Set the system beside the baseline; where features were chosen, beside the recipe's own method."""
    rival = facts.main[0] if system[0] == FEATURES else facts.baseline
    if rival == FEATURES:
        return None
    return _beside(facts, system, (rival, system[1]), f"{upper(called(facts, rival))}, read alike:")


def _beside(facts: Facts, system: System, rival: System, title: str) -> Said | None:
    """Set the system beside a rival on the same targets; the difference is tested speaker by speaker."""
    mine, theirs = _rows(facts, system), _rows(facts, rival)
    both = {row["corpus"] for row in mine} & {row["corpus"] for row in theirs}
    if rival == system or not both:
        return None
    a, b = (mean(row for row in rows if row["corpus"] in both)["value"] for rows in (mine, theirs))
    test = _test(facts, both, (system, facts.protocol), (rival, facts.protocol))
    return title, f"{number(b)}; the choice is {ahead(a, b)}{_p(test)}."


def _adapted(facts: Facts, system: System) -> Said | None:
    """Say what adapting to unlabelled recordings changed, and where most and least."""
    if facts.protocol == ZERO_SHOT or not facts.targets:
        return None
    before = {row["corpus"]: row["value"] for row in _rows(facts, system, ZERO_SHOT)}
    gains = {
        row["corpus"]: row["value"] - before[row["corpus"]] for row in _rows(facts, system) if row["corpus"] in before
    }
    if not gains:
        return None
    test = _test(facts, set(gains), (system, facts.protocol), (system, ZERO_SHOT))
    a, b = (
        mean(row for row in _rows(facts, system, name) if row["corpus"] in gains)["value"] for name in ("", ZERO_SHOT)
    )
    told = f"{difference(a, b)} UA{' in the mean' * (len(gains) > 1)}{_p(test)}"
    if len(gains) > 1:
        most, least = max(gains, key=gains.__getitem__), min(gains, key=gains.__getitem__)
        told += f"; most in {most}, {difference(gains[most], 0.0)}; least in {least}, {difference(gains[least], 0.0)}"
    return "Adapting to unlabelled recordings, over zero-shot:", f"{told}."


def _test(facts: Facts, corpora: set[str], one: tuple[System, str], other: tuple[System, str]) -> Row | None:
    """Return the test of the mean over targets of two systems, each under its protocol; None without predictions."""
    pairs = {}
    for corpus in corpora:
        found = [_verdicts(facts, corpus, *side) for side in (one, other)]
        if found[0] is not None and found[1] is not None:
            pairs[corpus] = (found[0], found[1])
    return paired_mean(pairs)


def _verdicts(facts: Facts, corpus: str, system: System, protocol: str) -> Verdicts | None:
    for entry in facts.predictions:
        if (entry["corpus"], entry["protocol"]) == (corpus, protocol):
            said = Verdicts.of(entry, entry["classes"], *system)
            return said if len(said.said) else None
    return None


def _p(test: Row | None) -> str:
    """Write a test's p, and whether it says something."""
    if test is None or not known(test["p"]):
        return ", not tested"
    p = test["p"]
    told = "p < 0.001" if p < 0.001 else f"p = {number(p, 3 if p < 0.1 else 2)}"
    return f" ({told}{'' if p < LEVEL else ', nothing certain'}; {plural(test['speakers'], 'speaker')})"

"""The run in words: every sentence is computed from the numbers, and says no more than they do."""

from __future__ import annotations

from typing import Any

from xlser.reporting.cautions import cautions
from xlser.reporting.facts import PLAIN, Facts
from xlser.reporting.sentences import called, overview, target_sentences, verdicts
from xlser.reporting.wording import listing, plural

Section = tuple[str, list[str]]
# With more lines than this nobody reads them: a line per method then says how all targets fared.
MOST_VERDICTS = 6


def summary(results: dict[str, Any]) -> list[str]:
    """Return the run in plain sentences.

    Args:
        results: what ``results.json`` holds; nulls and NaN are allowed wherever a score stands.
    """
    return [sentence for _, sentences in summary_sections(results) for sentence in sentences]


def summary_sections(results: dict[str, Any]) -> list[Section]:
    """Return the sentences of `summary` under their headings: the run, one per target, what to beware of."""
    facts = Facts(results)
    many = len(facts.targets) * len(facts.main) > MOST_VERDICTS
    told = overview(facts) if many else [line for name in facts.targets for line in verdicts(facts, name)]
    sections = [("The run", [*_run(facts), *told])]
    sections += [(facts.name(name), target_sentences(facts, name)) for name in facts.targets]
    return [*sections, ("Read with care", cautions(facts))]


def _run(facts: Facts) -> list[str]:
    seeds = len({row["seed"] for row in facts.results["splits"]})
    targets = listing(facts.name(name) for name in facts.targets)
    own = [name for name in facts.main if name != PLAIN]
    what = (
        f"{listing(called(facts, m) for m in own)} beside the plain {facts.network}"
        if own
        else f"the plain {facts.network} alone"
    )
    lines = [
        f"{facts.recipe['name']} trains {what} on {facts.name(facts.source)} with "
        f"{plural(seeds, 'seed')} and reads {targets}. No label of a target is used.",
        _protocols(facts),
    ]
    if facts.about["synthetic"]:
        lines.insert(0, _synthetic(facts))
    if facts.shared:
        lines.insert(0, _shared(facts))
    return facts.warnings + lines


def _protocols(facts: Facts) -> str:
    kinds = {name for target in facts.targets for name in facts.protocols(target)} or {facts.protocol}
    if kinds == {"zero-shot"}:
        return "Every target is read zero-shot: nothing of it was seen before it was scored."
    words = "The protocol is transductive: unlabelled target recordings give the means and deviations of the features."
    return words + (" Zero-shot numbers, with the source's statistics, stand beside." if "zero-shot" in kinds else "")


def _synthetic(facts: Facts) -> str:
    names = facts.about["synthetic"]
    verb, them = ("is", "it") if len(names) == 1 else ("are", "them")
    return (
        f"Synthetic speech: {listing(names)} {verb} made by a speech synthesiser. "
        f"Numbers on {them}, or learnt from {them}, are no evidence about human emotion."
    )


def _shared(facts: Facts) -> str:
    parts = [f"seed {seed}: {', '.join(map(str, names))}" for seed, names in facts.shared.items()]
    return (
        f"Speakers stand in more than one part of the split ({'; '.join(parts)}): scores on {facts.source} are "
        "flattered by voices known from training."
    )

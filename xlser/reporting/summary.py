"""The run in words: every sentence is computed from the numbers, and says no more than they do."""

from __future__ import annotations

from typing import Any

from xlser.reporting.cautions import MANY_METHODS, MOST_LABELS, cautions
from xlser.reporting.chosen import LEAD
from xlser.reporting.comparison import called
from xlser.reporting.facts import CLASSIFIER, Facts
from xlser.reporting.ranking import rankings
from xlser.reporting.recipe import terms_said
from xlser.reporting.section import Details, Note, Pairs, Part, Section, Table, Words
from xlser.reporting.sentences import overview, target_sentences, verdicts
from xlser.reporting.terms import terms
from xlser.reporting.used import label_lines
from xlser.reporting.wording import lead, listing, plural

# With more lines than this nobody reads them: a line per method then says how all targets fared.
MOST_VERDICTS = 6


def section(facts: Facts) -> Section:
    """Return the run in words, what became of its labels, and the terms that its page uses.

    What to beware of are chips of the page, and what became of each target stands in its tables.
    """
    (_, run), *_ = summary_lists(facts)
    parts: list[Part] = [Note(_beside(facts)), _words(run)]
    if len(facts.corpora) > MOST_LABELS:
        caption = "Utterances of each corpus with a scored emotion, and what became of the other labels"
        heads = ["Corpus", "Scored", "Merged", "Dropped", "Files left out"]
        parts += [Table.of(caption, heads, label_lines(facts), kind="labels", label="Labels of each corpus")]
    return Section("summary", "Summary", [*parts, Details("Terms used on this page", [Pairs(terms(facts), "terms")])])


def _beside(facts: Facts) -> str:
    over = f"the plain {facts.network}, which is trained without the recipe's method"
    if facts.encoder:
        over = f"{'the classifier of ' * facts.has_heads}“{facts.baseline}”, the recipe's first method"
    how = f"Brackets hold {facts.percent} intervals from resampling speakers."
    return f"{how} Each number stands beside chance and {over}."


def _words(sentences: list[str]) -> Words:
    return Words([lead(sentence) for sentence in sentences])


def summary(results: dict[str, Any]) -> list[str]:
    """Return the run in plain sentences.

    Args:
        results: what ``results.json`` holds; nulls and NaN are allowed wherever a score stands.
    """
    return [sentence for _, sentences in summary_lists(Facts(results)) for sentence in sentences]


def summary_lists(facts: Facts) -> list[tuple[str, list[str]]]:
    """Return the sentences of `summary` under their headings: the run, one per target, what to beware of."""
    sections = [("The run", [*_run(facts), *_told(facts), *([f"{LEAD} {facts.chosen}"] if facts.chosen else [])])]
    sections += [(facts.name(name), target_sentences(facts, name)) for name in facts.targets]
    return [*sections, ("Read with care", cautions(facts))]


def _told(facts: Facts) -> list[str]:
    """Return how the methods fared: beside each other where they are many, a line each where they are few."""
    if len(facts.main) >= MANY_METHODS and facts.encoder and len(facts.targets) <= MOST_VERDICTS:
        return rankings(facts)
    many = len(facts.targets) * len(facts.main) > MOST_VERDICTS
    return overview(facts) if many else [line for name in facts.targets for line in verdicts(facts, name)]


def _run(facts: Facts) -> list[str]:
    seeds = len({row["seed"] for row in facts.results["splits"]})
    targets = listing(facts.name(name) for name in facts.targets)
    lines = [
        f"{facts.recipe['name']} {_trains(facts)} on {facts.name(facts.source)} with "
        f"{plural(seeds, 'seed')} and reads {targets}. No label of a target is used.{_compared(facts)}",
        _protocols(facts),
    ]
    if facts.about["synthetic"]:
        lines.insert(0, _synthetic(facts))
    if facts.shared:
        lines.insert(0, _shared(facts))
    return facts.warnings + lines


def _trains(facts: Facts) -> str:
    own = listing(called(facts, name) for name in facts.main if facts.encoder or name != facts.baseline)
    if facts.encoder:
        how = "trains heads on" if facts.encoder.get("freeze") == "all" else "fine-tunes"
        return f"{'trains adapters in' if facts.encoder.get('lora') else how} {facts.network} by {own}"
    plain = called(facts, facts.baseline)
    return f"trains {plain} alone" if facts.main == [facts.baseline] else f"trains {own} beside {plain}"


def _compared(facts: Facts) -> str:
    """Say what gains of trained heads are over; sentences on autoencoders name the plain one wherever it stands."""
    if CLASSIFIER not in facts.readers(facts.baseline):
        return ""
    terms = facts.terms(facts.baseline)
    alone = " alone" if len(terms) == 1 else ""
    how = f", which is trained with {terms_said(terms)}{alone}" if terms else ""
    return f" Gains are over the classifier of {called(facts, facts.baseline)}{how}."


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
    return f"Speakers stand in more than one part of the split ({'; '.join(parts)}): {facts.flattered}."

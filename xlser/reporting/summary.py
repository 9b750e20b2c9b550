"""The run in words: every sentence is computed from the numbers, and says no more than they do."""

from __future__ import annotations

from typing import Any

from xlser.reporting.facts import FEW_SPEAKERS, PLAIN, Facts
from xlser.reporting.sentences import called, target_sentences, verdicts
from xlser.reporting.wording import counted, listing

Section = tuple[str, list[str]]


def summary(results: dict[str, Any]) -> list[str]:
    """Return the run in plain sentences.

    Args:
        results: what ``results.json`` holds; nulls and NaN are allowed wherever a score stands.
    """
    return [sentence for _, sentences in summary_sections(results) for sentence in sentences]


def summary_sections(results: dict[str, Any]) -> list[Section]:
    """Return the sentences of `summary` under their headings: the run, one per target, what to beware of."""
    facts = Facts(results)
    told = [line for name in facts.targets for line in verdicts(facts, name)]
    sections = [("The run", [*_run(facts), *told])]
    sections += [(facts.name(name), target_sentences(facts, name)) for name in facts.targets]
    return [*sections, ("Read with care", _care(facts))]


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
        f"{facts.recipe['name']} trains {what} on {facts.name(facts.source)} with {seeds} "
        f"seed{'s' if seeds != 1 else ''} and reads {targets}. No label of a target is used.",
        _protocols(facts),
    ]
    if facts.about["synthetic"]:
        lines.insert(0, _synthetic(facts))
    if facts.shared:
        lines.insert(0, _shared(facts))
    return lines


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


def _care(facts: Facts) -> list[str]:
    few = {name: row["speakers"] for name, row in facts.corpora.items() if row["speakers"] < FEW_SPEAKERS}
    lines = [
        f"{name} has {count} speaker{'s' if count != 1 else ''}: with fewer than {FEW_SPEAKERS} the intervals are too "
        "narrow; read them as the least doubt there is."
        for name, count in few.items()
    ]
    lines += [_labels(facts, name) for name in facts.corpora]
    derived = [name for name, row in facts.corpora.items() if row["ratings"] == "derived"]
    if derived:
        lines.append(
            f"The ratings of {listing(derived)} are derived from emotion words by a published table, not given by "
            "listeners: correlations with them say how well emotion classes are told apart."
        )
    return lines + [note if note.endswith(".") else f"{note}." for note in dict.fromkeys(facts.about["notes"]) if note]


def _labels(facts: Facts, name: str) -> str:
    row = facts.corpora[name]
    labels = row["labels"]
    kept, dropped = sum(labels["kept"].values()), sum(labels["dropped"].values())
    text = f"{name}: {kept} of {row['utterances']} utterances carry a scored emotion; "
    text += f"{dropped} were dropped ({counted(labels['dropped'])})" if dropped else "none was dropped"
    text += f", and {sum(labels['merged'].values())} merged ({counted(labels['merged'])})" if labels["merged"] else ""
    left = row.get("left_out", {})
    return text + (f"; {sum(left.values())} files were left out ({counted(left)})." if left else ".")

"""Everything an audit found, worst first."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from xlser.reporting.audit.finding import Finding, many, ranked
from xlser.reporting.audit.of_audio import audio_findings, copy_findings
from xlser.reporting.audit.of_labels import STRONG, label_findings
from xlser.reporting.section import Box, Note, Section
from xlser.reporting.wording import bounds, counted, known, listing, number


def section(result: dict[str, Any]) -> Section:
    """Return what was found, worst first, and what to do about it."""
    return Section("findings", "Findings", [Box([_box(row) for row in result["findings"]], "found")])


def _box(row: dict[str, Any]) -> Box:
    head = Markup('<span class="severity">{}</span> · {} · {}')
    head = head.format(row["severity"], row["corpus"], row["kind"].replace("_", " "))
    parts = [Note(head, "head"), Note(row["sentence"], "")]
    if shown := [name for name in row["named"] if name]:
        rest = row["named_count"] - len(shown)
        codes = Markup(", ").join(Markup("<code>{}</code>").format(name) for name in shown)
        parts.append(Note(codes + (f" and {rest} more" if rest else ""), "names"))
    parts.append(Note(Markup("<strong>Do:</strong> {}").format(row["advice"]), "do"))
    return Box(parts, f"is-{row['severity']}")


def findings(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the findings of an audit (see `xlser.experiment.audit.audit_corpora`), worst first, JSON-able."""
    found = copy_findings(result["duplicates"])
    for one in result["corpora"]:
        found += [*label_findings(one), *audio_findings(one), *_heard(one)]
    found += [*_apart(result), *_shared(result), *_carried(result)]
    return [one.plain() for one in ranked(found)]


def _heard(one: dict[str, Any]) -> list[Finding]:
    name, models = one["corpus"], one["published"]
    if not models:
        sentence = "No published model is known here to have been trained on it, which does not mean that none was."
        return [Finding("note", "contamination", name, sentence, "Read the card of the model you use.", (), 0.1)]
    sure = [row["model"] for row in models if row["sure"]]
    maybe = [row["model"] for row in models if not row["sure"]]
    parts = [f"{many(len(sure), 'published model was', 'published models were')} trained on it"] if sure else []
    parts += [f"{many(len(maybe), 'published model')} may have been" + (" trained on it" * (not sure))] if maybe else []
    sentence = "; ".join(parts)
    advice = "Do not test these models on this corpus."
    named = (*sure, *(f"{model} (not certain)" for model in maybe))
    return [Finding("caution" if sure else "note", "contamination", name, f"{sentence}.", advice, named, 0.35)]


def _apart(result: dict[str, Any]) -> list[Finding]:
    found = []
    for row in result["labels"]["apart"]:
        where = listing([f"{name} ({count})" for name, count in row["has"].items()])
        verb = "has" if len(row["has"]) == 1 else "have"
        sentence = f"{row['label'].capitalize()} is not {row['not']}: {row['why']}. {where} {verb} it."
        advice = (
            f"Keep the label, or merge it by name in a recipe (`merge: {{{row['label']}: {row['not']}}}`), counted."
        )
        found.append(Finding("note", "labels apart", " + ".join(row["has"]), sentence, advice, (), 0.55))
    return found


def _shared(result: dict[str, Any]) -> list[Finding]:
    labels = result["labels"]
    if len(result["corpora"]) < 2:
        return []
    dropped = {name: counts for name, counts in labels["dropped"].items() if counts}
    what = "; ".join(f"{name} loses {sum(counts.values()):,} ({counted(counts)})" for name, counts in dropped.items())
    sentence = f"The set shares {many(len(labels['shared']), 'emotion')}: {listing(labels['shared'])}. " + (
        f"Scoring only these, {what}." if what else "Nothing is dropped."
    )
    severity = "note" if len(labels["shared"]) > 1 else "serious"
    advice = "Name the emotions in the recipe; every dropped label is counted there."
    return [Finding(severity, "shared labels", "the set", sentence, advice, (), 0.65)]


def _carried(result: dict[str, Any]) -> list[Finding]:
    """Say which cue survives from a source to a target."""
    found = []
    for pair in result["pairs"]:
        for row in pair["rows"]:
            if known(row["low"]) and row["low"] > row["chance"]:
                strength = (row["ua"] - row["chance"]) / (1 - row["chance"])
                name = f"{pair['source']} → {pair['target']}"
                sentence = (
                    f"{row['cue'].capitalize()} alone carries over: learnt on {pair['source']} it reaches UA "
                    f"{number(row['ua'])} {bounds(row['low'], row['high'])} on {pair['target']}; chance is "
                    f"{number(row['chance'])}."
                )
                advice = "Quote it beside the transfer result."
                severity = "serious" if strength >= STRONG else "caution"
                found.append(Finding(severity, "shortcut", name, sentence, advice, (), 0.5 * strength))
    return found

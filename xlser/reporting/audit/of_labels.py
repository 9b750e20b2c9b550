"""Findings about speakers, texts, labels and splits of one corpus."""

from __future__ import annotations

from typing import Any

from xlser.reporting.audit.finding import Finding, many, percent
from xlser.reporting.wording import bounds, known, listing, number

Corpus = dict[str, Any]
FEW_SPEAKERS = 10
# From these on a confound or a shortcut would carry a result, and not merely colour it.
FEW_SHARE, TOLD_MORE, STRONG = 0.25, 0.10, 0.30


def label_findings(one: Corpus) -> list[Finding]:
    """Return what is worth saying of one corpus's speakers, texts, labels and split."""
    return [*_confound(one), *_other_confounds(one), *_split(one), *_sexes(one), *_shortcuts(one), *_extent(one)]


def told_more(association: dict[str, Any]) -> float:
    """Return by how much the group tells more of the label than shuffled labels ever let it; 0 where it does not."""
    told, high = association.get("told"), association.get("told_high")
    return max(0.0, told - high) if known(told, high) else 0.0


def removes_label(one: Corpus) -> bool:
    """Say whether normalising by speaker would take away label information."""
    return one["coverage"]["few_share"] >= FEW_SHARE or told_more(one["confounds"].get("speaker", {})) >= TOLD_MORE


def _confound(one: Corpus) -> list[Finding]:
    if not removes_label(one):
        return []
    cover, link = one["coverage"], one["confounds"].get("speaker", {})
    speakers = one["counts"]["speakers"]
    sentence = (
        f"Emotion is confounded with speaker: {len(cover['few'])} of {speakers} speakers show fewer than half of the "
        f"{cover['emotions']} emotions, {len(cover['single'])} only one. Knowing the speaker tells "
        f"{percent(link.get('told'))} of the label (shuffled labels: {percent(link.get('told_chance'))}; Cramér's V "
        f"{number(link.get('v'))}, shuffled {number(link.get('v_chance'))}). Normalising by speaker would remove label "
        "information."
    )
    advice = (
        "Normalise by corpus, not by speaker; keep whole speakers out of training; judge by an interval over "
        "speakers, and do not read within-corpus accuracy as emotion recognition."
    )
    return [Finding("serious", "speaker confound", one["corpus"], sentence, advice, tuple(cover["few"]), 0.9)]


def _other_confounds(one: Corpus) -> list[Finding]:
    advice = {
        "text": "Keep texts apart between training and test, or read no words.",
        "sample_rate": "Bring all recordings to the lowest bandwidth before anything is learnt.",
    }
    found = []
    for name, link in one["confounds"].items():
        more = told_more(link)
        if name != "speaker" and more >= TOLD_MORE:
            sentence = (
                f"Emotion is confounded with {name.replace('_', ' ')}: knowing it tells {percent(link['told'])} of the "
                f"label (shuffled labels: {percent(link['told_chance'])})."
            )
            todo = advice.get(name, "Balance it within each emotion, or report results by it.")
            found.append(Finding("serious", f"{name} confound", one["corpus"], sentence, todo, (), 0.5 + more / 2))
    return found


def _split(one: Corpus) -> list[Finding]:
    split = one["split"]
    folds, name = split["folds"], one["corpus"]
    found = []
    speakers = sorted({speaker for fold in folds for speaker in fold["speakers"]})
    if speakers:
        sentence = (
            f"{len(speakers)} of {one['counts']['speakers']} speakers stand on both sides of the split "
            f"({split['kind']}): its scores measure recognition of known voices too."
        )
        advice = "Split by speaker (`kind: speaker-folds`), or name the split shared-speakers wherever a number stands."
        found.append(Finding("serious", "speakers on both sides", name, sentence, advice, tuple(speakers), 0.95))
    texts = sorted({text for fold in folds for text in fold["texts"]})
    if texts:
        found.append(_texts(one, texts))
    if split["unknown"]:
        sentence = f"The folds name {many(len(split['unknown']), 'member')} that the corpus does not have."
        named = tuple(split["unknown"])
        found.append(
            Finding("caution", "folds", name, sentence, "Check that the folds are of this corpus.", named, 0.4)
        )
    return found


def _texts(one: Corpus, texts: list[str]) -> Finding:
    folds, total = one["split"]["folds"], one["counts"]["texts"]
    seen = [fold["test_rows_seen"] for fold in folds if known(fold["test_rows_seen"])]
    everywhere = all(len(fold["texts"]) == fold["test_texts"] == total for fold in folds)
    what = f"All {many(total, 'text')} stand" if everywhere else f"{len(texts)} of {many(total, 'text')} stand"
    sentence = (
        f"{what} on both sides of {'every' if len(folds) > 1 else 'the'} fold ({one['split']['kind']}, "
        f"{many(len(folds), 'fold')}): "
        f"{percent(sum(seen) / len(seen))} of test recordings say a sentence heard in training."
        + (" A speaker-disjoint split cannot help it: every speaker reads the same texts." if everywhere else "")
    )
    advice = "Say so beside results; where words could help a model, keep texts apart too."
    return Finding("caution", "texts on both sides", one["corpus"], sentence, advice, tuple(texts), 0.5)


def _sexes(one: Corpus) -> list[Finding]:
    both = one["two_sexes"]
    if not both:
        return []
    sentence = (
        f"{many(len(both), 'speaker has', 'speakers have')} recordings of both sexes: a number stands for two people."
    )
    advice = "Put the sex into the card's `speaker` template, so that they are told apart, before any split by speaker."
    return [Finding("serious", "two sexes", one["corpus"], sentence, advice, tuple(both), 0.8)]


def _shortcuts(one: Corpus) -> list[Finding]:
    return [_shortcut(one, row) for row in one["shortcuts"] if known(row["low"]) and row["low"] > row["chance"]]


def _shortcut(one: Corpus, row: dict[str, Any]) -> Finding:
    strength = (row["ua"] - row["chance"]) / (1 - row["chance"])
    reaches = f"reaches UA {number(row['ua'])} {bounds(row['low'], row['high'])}"
    if row["kind"] == "probe":
        sentence = f"{row['cue'].capitalize()} alone {reaches} on speakers left out; chance is {number(row['chance'])}."
        advice = f"A model must beat {number(row['ua'])}, not {number(row['chance'])}: quote this beside its score."
        if row["cue"] == "loudness":
            advice += " Normalise the level of each recording where loudness is no part of the claim."
    else:
        sentence = f"Always guessing the {row['cue']} {reaches}; with shuffled labels it is {number(row['chance'])}."
        advice = "A split that lets a model know them can be won at this score without hearing any emotion."
    severity = "serious" if strength >= STRONG else "caution"
    return Finding(severity, "shortcut", one["corpus"], sentence, advice, (), min(1.0, strength) * 0.85)


def _extent(one: Corpus) -> list[Finding]:
    counts, expected, found = one["counts"], one["expected"], []
    gaps = [
        f"{counts[key]:,} of {expected[key]:,} {key}"
        for key in expected
        if expected[key] and counts[key] < expected[key]
    ]
    if gaps:
        sentence = f"The folder holds a part of the corpus: {listing(gaps)}."
        found.append(Finding("note", "incomplete", one["corpus"], sentence, "Say so beside results.", (), 0.6))
    if counts["speakers"] < FEW_SPEAKERS:
        sentence = f"{many(counts['speakers'], 'speaker')}: intervals over so few are too narrow."
        advice = "Read every interval as a lower bound on the doubt."
        found.append(Finding("note", "few speakers", one["corpus"], sentence, advice, (), 0.5))
    return found

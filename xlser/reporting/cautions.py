"""What to beware of in a run, in sentences."""

from __future__ import annotations

from xlser.reporting import pretraining
from xlser.reporting.facts import FEW_SPEAKERS, Facts
from xlser.reporting.wording import counted, listing, plural, whole

# With more corpora than this their labels are a table, not a sentence each.
MOST_LABELS = 3
# From this many methods on, the best of them is also the luckiest.
MANY_METHODS = 3


def cautions(facts: Facts) -> list[str]:
    """Return what the run itself notes, then what encoders heard, few speakers, many methods and labels mean."""
    human = [name for name, row in facts.corpora.items() if not row["synthetic"]]
    heard = pretraining.cautions(facts.checkpoints, human)
    return [*facts.notes, *heard, *_speakers(facts), *_methods(facts), *_labels(facts), *_derived(facts)]


def _speakers(facts: Facts) -> list[str]:
    sizes = {name: row["speakers"] for name, row in facts.corpora.items()}
    alone = [name for name, count in sizes.items() if count <= 1]
    few = [f"{name} ({count})" for name, count in sizes.items() if 1 < count < FEW_SPEAKERS]
    lines = []
    if alone:
        lines.append(
            f"No more than one speaker: {listing(alone)}. No interval can be given, since intervals come from "
            "resampling speakers; how another speaker would fare is not known."
        )
    if few:
        lines.append(
            f"Fewer than {FEW_SPEAKERS} speakers: {listing(few)}. The intervals are widened for that; how far "
            "so few voices stand for others, no interval tells."
        )
    return lines


def _methods(facts: Facts) -> list[str]:
    if not facts.encoder or len(facts.main) < MANY_METHODS:
        return []
    return [
        f"{len(facts.main)} methods stand beside each other: the best of them on a target was not known beforehand, "
        "and by chance alone looks better than it is."
    ]


def _labels(facts: Facts) -> list[str]:
    if len(facts.corpora) <= MOST_LABELS:
        return [_label(facts, name) for name in facts.corpora]
    rows = facts.corpora.values()
    kept, size = sum(sum(row["labels"]["kept"].values()) for row in rows), sum(row["utterances"] for row in rows)
    return [
        f"Labels: {whole(kept)} of {whole(size)} utterances in {len(rows)} corpora carry a scored emotion; a table "
        "says what was merged and dropped in each."
    ]


def _label(facts: Facts, name: str) -> str:
    row = facts.corpora[name]
    labels = row["labels"]
    kept, dropped = sum(labels["kept"].values()), sum(labels["dropped"].values())
    text = f"{name}: {whole(kept)} of {plural(row['utterances'], 'utterance')} carry a scored emotion; "
    text += f"{whole(dropped)} were dropped ({counted(labels['dropped'])})" if dropped else "none was dropped"
    merged = labels["merged"]
    text += f", and {whole(sum(merged.values()))} merged ({counted(merged)})" if merged else ""
    left = row.get("left_out", {})
    return text + (f"; {plural(sum(left.values()), 'file')} were left out ({counted(left)})." if left else ".")


def _derived(facts: Facts) -> list[str]:
    derived = [name for name, row in facts.corpora.items() if row["ratings"] == "derived"]
    if not derived:
        return []
    return [
        f"The ratings of {listing(derived)} are derived from emotion words by a published table, not given by "
        "listeners: correlations with them say how well emotion classes are told apart."
    ]

"""What holds between corpora: copies, shared labels, cues that carry over, published models that heard them."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from xlser.reporting.audit.corpus import NUMBERS, scores
from xlser.reporting.audit.finding import many
from xlser.reporting.section import Cell, Cells, Group, Heading, Note, Part, Row, Section, Table, Words
from xlser.reporting.wording import number

Result = dict[str, Any]


def copies(result: Result) -> Section:
    """Return every group of recordings that are one and the same."""
    found = result["duplicates"]
    if found is None:
        return Section("copies", "Duplicates", left_out="Not audited: the audio was not decoded.")
    note = (
        f"{many(found['files'], 'recording')} compared by their decoded samples, and by a fingerprint that finds "
        "shifted, louder and re-encoded copies."
    )
    groups = found["exact"] + found["near"]
    heads = ["Recordings", "Alike", "Emotions", "Speakers", "In conflict"]
    rows = [Row(_copied(group), "alarm" if group["conflicts"] else "") for group in groups]
    table = Table("Recordings that are there twice", heads, [Group(rows)])
    return Section("copies", "Duplicates", [Note(note), table if groups else Note("None found.", "")])


def _copied(group: dict[str, Any]) -> list[str]:
    alike = "every sample"
    if "sha256" not in group:
        alike = f"{number(group['similarity'])}, shifted by {number(abs(group['shift']))} s"
    told = [", ".join(dict.fromkeys(map(str, group[key]))) for key in ("emotions", "speakers")]
    return [" = ".join(group["ids"]), alike, *told, ", ".join(group["conflicts"]) or "none"]


def shared(result: Result) -> Section | None:
    """Return which labels the corpora share, and what a cue learnt on one gives on another; nothing of one corpus."""
    names, labels = [one["corpus"] for one in result["corpora"]], result["labels"]
    if len(names) < 2:
        return None
    what = "Recordings of each canonical emotion; those not shared by all are dropped when only shared ones are scored"
    rows = []
    for emotion in labels["all"]:
        counts = [str(one["counts"]["emotions"].get(emotion, "")) for one in result["corpora"]]
        kept = "by all" if emotion in labels["shared"] else "dropped"
        rows.append([emotion, *(Cell(count, kind="num") for count in counts), kept])
    heads: Cells = ["Emotion", *(Cell(name, kind="num") for name in names), "Shared"]
    parts: list[Part] = [Heading("Labels"), Table.of(what, heads, rows)]
    what = "UA on the target of a probe learnt on the source from one cue, z-scored within each corpus (transductive)"
    carried = []
    for pair in result["pairs"]:
        name, nothing = f"{pair['source']} → {pair['target']}", ["fewer than two shared emotions"]
        carried += [[name, *cells] for cells in [[row["cue"], *scores(row)] for row in pair["rows"]] or [nothing]]
    table = Table.of(what, ["Source → target", "Cue", *NUMBERS], carried)
    return Section("set", "The set", [*parts, Heading("What carries over without listening"), table])


def models(result: Result) -> Section:
    """Return the published models that were trained on the corpora, as far as is known."""
    note = "Only what a model card or a paper says; a model that is not here may have heard them all the same."
    rows = []
    for one in result["corpora"]:
        told = [[row["model"], row["use"], "yes" if row["sure"] else "no", row["source"]] for row in one["published"]]
        rows += [[one["corpus"], *cells] for cells in told or [["none known"]]]
    table = Table.of("Models trained on these corpora", ["Corpus", "Model", "Use", "Certain", "Source"], rows)
    return Section("models", "Published models that have heard them", [Note(note), table], "Models")


def how(result: Result) -> Section:
    """Return how everything was measured."""
    limits = result["about"]["thresholds"]
    same = "have the same decoded samples, so that a WAV, a FLAC and a 24-bit copy are one."
    near = (
        f"have band levels that move alike (correlation of at least {limits['near_duplicate_similarity']} at some "
        "shift). The threshold lies between re-encoded copies and the most similar two takes of a sentence in EmoDB, "
        "URDU and RAVDESS."
    )
    baselines = (
        "are balanced logistic regressions on one cue and its square, in folds of whole speakers. The chance of a "
        "habit is what it scores when labels are shuffled."
    )
    names = ("permutations", "silence_db_below_loudest", "cutoff_db_below_strongest")
    rest = Markup(
        "{:g} permutations. <strong>Silence</strong>: {:.0f} dB below the loudest frame. <strong>The band ends</strong>"
        " where the mean spectrum stays {:.0f} dB below its strongest bin."
    ).format(*(limits[name] for name in names))
    lines = [
        ("Exact duplicates", same),
        ("Near duplicates", near),
        ("Baselines", baselines),
        ("Shuffled labels:", rest),
    ]
    return Section("how", "How it was measured", [Words(lines)], "How")

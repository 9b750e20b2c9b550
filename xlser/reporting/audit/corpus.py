"""What was measured of each corpus: counts, baselines, speakers and emotions, split, levels."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from xlser.reporting.audit.figures import shortcut_picture
from xlser.reporting.audit.finding import percent
from xlser.reporting.section import (
    Box,
    Cell,
    Cells,
    Details,
    Figure,
    Group,
    Heading,
    Note,
    Pairs,
    Part,
    Raw,
    Row,
    Section,
    Table,
)
from xlser.reporting.wording import bounds, counted, number, recordings, with_unnamed

Corpus = dict[str, Any]
LEVEL_NAMES = {
    "peak": ("Peak", 2, ""),
    "rms_db": ("Level (RMS)", 1, "dB"),
    "dc": ("DC offset / RMS", 3, ""),
    "clipped": ("Clipped samples", 4, ""),
    "lead_s": ("Silence before", 2, "s"),
    "trail_s": ("Silence after", 2, "s"),
    "silent_share": ("Share of silence", 2, ""),
    "cutoff_hz": ("Band ends at", 0, "Hz"),
}
NUMBERS = [Cell("UA", kind="num"), Cell("Interval"), Cell("Chance", kind="num")]
_SHOWN = (
    "● one cue, on speakers left out. ◆ always the most frequent emotion of the speaker (text). Lines are 95 % "
    "intervals over speakers; orange where they lie above chance."
)
# Of more speakers the table is shown on demand.
_MOST_SPEAKERS = 12


def sections(result: dict[str, Any]) -> list[Section]:
    """Return a section a corpus."""
    return [_section(one, place) for place, one in enumerate(result["corpora"], 1)]


def _section(one: Corpus, place: int) -> Section:
    name = one["corpus"]
    counts: list[Part] = [Heading("Counts"), Pairs(_counts(one)), _raw(one), *map(Note, one["notes"])]
    picture = shortcut_picture(one, place - 1)
    unheard: list[Part] = [Heading("Without listening"), *([Figure([Raw(picture)], _SHOWN)] if picture else [])]
    rows = [[row["cue"], *([row["why"]] if row["why"] else scores(row))] for row in one["shortcuts"]]
    unheard.append(Table.of(f"Baselines of {name}", ["Cue", *NUMBERS], rows))
    parts: list[Part] = [Note(one["title"], "sub"), Box([Box(counts), Box(unheard)], "two")]
    parts += [Heading("Speakers and emotions"), Note(_confounds(one)), _matrix(one), Heading("Split"), _split(one)]
    parts += [Heading("Levels"), _levels(one)] if one["levels"] else []
    title = Markup('{} <span class="tag">synthetic</span>').format(name) if one["synthetic"] else name
    return Section(f"c{place}", title, parts, name)


def scores(row: dict[str, Any]) -> list[Cell]:
    """Return UA, interval and chance of a baseline."""
    cells = number(row["ua"]), bounds(row["low"], row["high"]), number(row["chance"])
    return [Cell(text, kind=kind) for text, kind in zip(cells, ("num", "whole", "num"), strict=True)]


def _counts(one: Corpus) -> list[tuple[str, str]]:
    counts, length = one["counts"], {key: f"{value:.2f}" for key, value in one["counts"]["duration"].items()}
    seconds = f"median {length['0.5']} s, {length['0']} to {length['1']} s, "
    seconds += f"nine tenths within {length['0.05']} and {length['0.95']} s"
    return [
        (
            "Recordings",
            f"{recordings(counts).removesuffix(' recordings')}, {counts['hours']:.2f} h, {one['elicitation']}",
        ),
        ("Speakers", f"{counts['speakers']} ({counted(counts['sexes'])})"),
        ("Language", counted(counts["languages"])),
        ("Emotions", with_unnamed([counted(counts["emotions"])], counts.get("unnamed", {}))),
        ("Length", seconds),
        ("Sample rate", f"{counted(counts['sample_rates'])} (Hz: files)"),
        ("Channels", f"{counted(counts['channels'])} (channels: files)"),
        ("Texts", str(counts["texts"] or "not known")),
        ("Licence", one["licence"]),
        ("Card", one["card_hash"] + ("" if one["verified"] else ", not checked against real files")),
    ]


def _raw(one: Corpus) -> Details:
    rows = [[row["code"], row["emotion"], Cell(str(row["count"]), kind="num")] for row in one["counts"]["raw"]]
    heads: Cells = ["Code", "Canonical", Cell("Recordings", kind="num")]
    table = Table.of(f"Raw and canonical labels of {one['corpus']}", heads, rows)
    return Details("Labels as the corpus writes them", [table])


def _confounds(one: Corpus) -> str:
    cover = one["coverage"]
    if not cover["emotions"]:
        return "No recording has an emotion: there is nothing to be confounded with."
    text = f"{len(cover['few'])} of {one['counts']['speakers']} speakers show fewer than half of the "
    text += f"{cover['emotions']} emotions."
    for name, link in one["confounds"].items():
        text += f" Knowing the {name.replace('_', ' ')} tells {percent(link['told'])} of the label (shuffled labels "
        text += f"{percent(link['told_chance'])}; Cramér's V {number(link['v'])}, shuffled {number(link['v_chance'])})."
    return text


def _matrix(one: Corpus) -> Details:
    """Return the table of speakers by emotions with each cell's share of its row."""
    rows = []
    for name, counts in zip(one["matrix"]["rows"], one["matrix"]["counts"], strict=True):
        shares = [(count, count / sum(counts) if count else None) for count in counts]
        rows.append([name, *(Cell(str(count), share=share, kind="none" * (not count)) for count, share in shares)])
    label = "Recordings by speaker and emotion"
    table = Table.of(label, [Cell(hidden="speaker"), *one["matrix"]["columns"]], rows, kind="matrix")
    return Details(
        label, [Box([table], "scroll speakers", f"{label}, {one['corpus']}")], open=len(rows) <= _MOST_SPEAKERS
    )


def _split(one: Corpus) -> Part:
    split = one["split"]
    if not split["folds"]:
        return Note(f"No split: {split['why']}")
    heads = ["Fold", "Recordings by part", "Shared speakers", "Texts of the test part in training"]
    rows = []
    for place, fold in enumerate(split["folds"], 1):
        texts = f"{len(fold['texts'])} of {fold['test_texts']}"
        seen = Cell(percent(fold["test_rows_seen"]), kind="num")
        cells: Cells = [str(place), counted(fold["sizes"]), str(len(fold["speakers"]) or "none"), texts, seen]
        rows.append(Row(cells, "alarm" if fold["speakers"] else ""))
    caption = f"Folds of {one['corpus']} ({split['kind']}): who and what stands on both sides"
    return Table(caption, [*heads, "Test recordings with such a text"], [Group(rows)])


def _levels(one: Corpus) -> Table:
    names = ["Lowest", "Median", "95 %", "Highest"]
    heads: Cells = ["Measure", *(Cell(name, kind="num") for name in names), "Over the limit", "Worst"]
    rows = []
    for key, (label, digits, unit) in LEVEL_NAMES.items():
        level = one["levels"][key]
        shown = [number(level["quantiles"].get(place), digits) for place in ("0", "0.5", "0.95", "1")]
        over = f"{level['count']} ({percent(level['share'])}) over {level['limit']}" if "limit" in level else ""
        worst = level["worst"][0]["path"] if level.get("worst") else ""
        rows.append([Cell(label, unit), *(Cell(text, kind="num") for text in shown), over, worst])
    return Table.of(f"Levels of {one['corpus']}, quantiles over recordings", heads, rows)

"""Findings about the recordings: copies, levels, bandwidth, files that cannot be used."""

from __future__ import annotations

from typing import Any

from xlser.reporting.audit.finding import Finding, many, percent
from xlser.reporting.audit.of_signals import signal_findings
from xlser.reporting.wording import listing

Corpus = dict[str, Any]
COMMON = 0.05  # of the files, from which on a fault of levels is more than a curiosity
_LEVELS = {
    "clipped": (
        "clipped (flat tops of three samples and more)",
        "Leave the worst out, or report results without them.",
    ),
    "dc": ("a DC offset above a tenth of their RMS", "High-pass at 50 Hz before energies or spectra are taken."),
    "lead_s": ("more than half a second of silence before speech", "Trim, or let no feature count silence as speech."),
    "trail_s": ("more than half a second of silence after speech", "Trim, or let no feature count silence as speech."),
    "silent_share": ("silence for more than half of their length", "Weigh frames by energy, or trim."),
}


def audio_findings(one: Corpus) -> list[Finding]:
    """Return what is worth saying of one corpus's recordings."""
    found = [*_faults(one), *_left_out(one), *_formats(one)]
    if one["levels"]:
        found += [
            *signal_findings(one),
            *_silent(one),
            *(_level(one, name) for name in _LEVELS if one["levels"][name]["count"]),
        ]
        found += [*_band(one), *_narrow(one)]
    return found


def copy_findings(duplicates: dict[str, Any] | None) -> list[Finding]:
    """Return a finding for each kind of duplicates and of conflict between them, of the whole set."""
    if duplicates is None:
        return []
    found = []
    for kind, groups in (("exact", duplicates["exact"]), ("near", duplicates["near"])):
        for conflicts in sorted({tuple(group["conflicts"]) for group in groups}):
            alike = [group for group in groups if tuple(group["conflicts"]) == conflicts]
            for corpus in sorted({" + ".join(dict.fromkeys(group["corpora"])) for group in alike}):
                here = [group for group in alike if " + ".join(dict.fromkeys(group["corpora"])) == corpus]
                found.append(_copies(kind, corpus, here, conflicts))
    return found


def _copies(kind: str, corpus: str, groups: list[dict], conflicts: tuple[str, ...]) -> Finding:
    across = "+" in corpus
    told = listing([f"{name}s" for name in conflicts]) if conflicts else ""
    sentence = _same(groups) if kind == "exact" else _alike(groups)
    sentence += " across corpora" * across + f", yet with different {told}: one label of each is wrong" * bool(told)
    advice = (
        "Listen, correct or leave out both: a split by speaker would put the same sound into training and test."
        if told or across
        else "Keep one of each (the card's `ignore` takes names), or make sure that no split parts them."
    )
    named = tuple(" = ".join(group["paths"]) for group in groups)
    severity, weight = ("serious" if told or across else "caution"), (0.97 if told else 0.8)
    return Finding(severity, f"{kind} duplicates", corpus, f"{sentence}.", advice, named, weight)


def _same(groups: list[dict]) -> str:
    files = many(sum(len(group["ids"]) for group in groups), "recording")
    what = "one and the same" if len(groups) == 1 else f"copies of {len(groups)}"
    return f"{files} are {what}, sample by sample"


def _alike(groups: list[dict]) -> str:
    low, high = min(group["similarity"] for group in groups), max(group["similarity"] for group in groups)
    between = f"{low:.2f}" + (f" to {high:.2f}" if high - low >= 0.005 else "")
    what = "is" if len(groups) == 1 else "are"
    return (
        f"{many(len(groups), 'pair')} of recordings {what} the same sound, shifted, cut, louder or coded anew "
        f"(similarity {between})"
    )


def _faults(one: Corpus) -> list[Finding]:
    faults = one["faults"]
    if not faults:
        return []
    sentence = f"{many(len(faults), 'recording')} cannot be decoded to the end."
    named = tuple(f"{path}: {reason}" for path, reason in faults.items())
    return [Finding("serious", "unreadable", one["corpus"], sentence, "Fetch them again.", named, 0.7)]


def _left_out(one: Corpus) -> list[Finding]:
    return [
        Finding(
            "note",
            "left out",
            one["corpus"],
            f"{many(group['count'], 'file')} left out, {reason}.",
            "Nothing, where the card means it so; else correct the card.",
            tuple(group["first"]) + ("",) * (group["count"] - len(group["first"])),
            0.3,
        )
        for reason, group in one["left_out"].items()
    ]


def _formats(one: Corpus) -> list[Finding]:
    found = []
    for key, unit in (("sample_rates", " Hz"), ("channels", " channel(s)")):
        counts = one["counts"][key]
        if len(counts) > 1:
            parts = listing([f"{count:,} of {value}{unit}" for value, count in counts.items()])
            advice = "Read through xlser, which mixes and resamples; see whether bandwidth tells the emotion."
            found.append(
                Finding("note", "mixed formats", one["corpus"], f"Formats are mixed: {parts}.", advice, (), 0.4)
            )
    return found


def _silent(one: Corpus) -> list[Finding]:
    silent = one["levels"]["silent"]
    if not silent["count"]:
        return []
    sentence = f"{many(silent['count'], 'recording is', 'recordings are')} silent from end to end."
    advice = "Leave them out; their labels describe nothing."
    return [Finding("serious", "silence", one["corpus"], sentence, advice, tuple(silent["first"]), 0.6)]


def _level(one: Corpus, name: str) -> Finding:
    level, (what, advice) = one["levels"][name], _LEVELS[name]
    common = level["share"] >= COMMON
    count = many(level["count"], "recording")
    sentence = f"{count} ({percent(level['share'])}) {'are' if name == 'clipped' else 'have'} {what}."
    named = tuple(f"{row['path']} ({row['value']:.3g})" for row in level["worst"])
    named += ("",) * (level["count"] - len(named))
    kind = {"lead_s": "silence before", "trail_s": "silence after", "silent_share": "silence", "dc": "DC offset"}.get(
        name, name
    )
    return Finding("caution" if common else "note", kind, one["corpus"], sentence, advice, named, 0.3 * level["share"])


def _band(one: Corpus) -> list[Finding]:
    """Say where recordings end well below what their sample rate promises."""
    rates = one["counts"]["sample_rates"]
    ends, half = one["levels"]["cutoff_hz"]["quantiles"], int(next(iter(rates))) / 2
    if len(rates) > 1 or not ends or ends["0.5"] >= 0.9 * half:
        return []
    sentence = (
        f"Half of the recordings have nothing above {ends['0.5'] / 1000:.1f} kHz though their rate promises "
        f"{half / 1000:.1f}: they were coded or recorded narrower before (a twentieth ends below "
        f"{ends['0.05'] / 1000:.1f} kHz, a twentieth above {ends['0.95'] / 1000:.1f})."
    )
    advice = "Resample to 16 kHz or less before features are taken; compare the bandwidth baseline with chance."
    return [Finding("note", "bandwidth", one["corpus"], sentence, advice, (), 0.45)]


def _narrow(one: Corpus) -> list[Finding]:
    """Say how many recordings are as over a telephone: features and encoders of 16 kHz miss half of their band."""
    narrow = one["levels"].get("narrow", {"count": 0})  # an audit that was written before has none
    if not narrow["count"]:
        return []
    hold = many(narrow["count"], "recording")
    sentence = (
        f"{hold} ({percent(narrow['share'])}) {'holds' if narrow['count'] == 1 else 'hold'} nothing above 4 kHz: "
        "resampled to 16 kHz, the upper half of what features and encoders expect stays empty."
    )
    advice = "Bring every corpus to 8 kHz before they are compared, or see whether results hold without these."
    named = tuple(narrow["first"]) + ("",) * (narrow["count"] - len(narrow["first"]))
    severity = "caution" if narrow["share"] >= COMMON else "note"
    return [Finding(severity, "narrow band", one["corpus"], sentence, advice, named, 0.45 * narrow["share"])]

"""What `xlser best` found, in words, tables and one picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from xlser.evaluation.candidates import EQUAL, MARGIN, BestResult, Tried
from xlser.evaluation.contamination import checkpoints_of
from xlser.reporting.best.answer import (
    PLAIN,
    expected,
    grounds,
    headline,
    in_hindsight,
    points,
    short,
    spread,
)
from xlser.reporting.best.compared import has_labels, marks_of, picked
from xlser.reporting.best.ladder import Rung, ladder
from xlser.reporting.pretraining import cautions
from xlser.reporting.pretraining import lines as checkpoint_lines
from xlser.reporting.section import (
    Cell,
    Details,
    Group,
    Note,
    Pairs,
    Part,
    Raw,
    Row,
    Section,
    Table,
    Words,
)
from xlser.reporting.wording import bounds, counted, lead, listing, number, plural, signed, whole

_TABLED = 12


def choice(result: BestResult) -> Section:
    """Return how the choice was made, and the candidates with every number that it went by."""
    parts: list[Part] = [Words(list(map(_lead, _how(result))))]
    rows = list(picked(result, _TABLED))
    parts.append(_table(result, rows, f"UA of {plural(len(rows), 'candidate')} of {len(result.candidates)}"))
    if len(rows) < len(result.candidates):
        every = _table(result, result.candidates, "UA of every candidate")
        parts.append(Details(f"All {plural(len(result.candidates), 'candidate')}", [every]))
    return Section("choice", "How it was chosen", parts, "Choice")


def decided(result: BestResult) -> Section:
    """Return what was decided on the way, and why."""
    notes = [note for note in result.notes if not note.startswith("WARNING: ")]  # those stand above all
    lines = [*map(_lead, result.decisions), *map(_lead, notes)]
    left_out = "" if lines else "Nothing had to be decided."
    return Section("decisions", "What was decided, and why", [Words(lines)] if lines else [], "Decisions", left_out)


def steps(result: BestResult) -> Section:
    """Return what each step from the plainest candidate to the chosen one added."""
    rungs = ladder(result)
    if len(rungs) < 2:
        return Section("steps", "What each step added", left_out="The plainest candidate was chosen: no step helped.")
    heads = ["Step", "UA, sources left out", "gain", *(["UA, target", "gain"] if has_labels(result) else [])]
    rows = [Row(_gains(result, rung, before), "own") for rung, before in zip(rungs, [None, *rungs], strict=False)]
    note = (
        "Each step is a candidate that was tried. Those in between were not chosen; that the last one is the best of "
        "many favours it, on the sources left out, over the first."
    )
    return Section("steps", "What each step added", [Table("Steps", heads, [Group(rows)]), Note(note)], "Steps")


def regret(result: BestResult) -> Section:
    """Return the choice beside the best in hindsight."""
    title = "What the choice gives away"
    if not has_labels(result):
        why = f"{result.target} has no labels: how good the choice is on it cannot be said, and nobody looked."
        return Section("regret", title, short="Regret", left_out=why)
    names = [("chosen", result.chosen), ("oracle", result.oracle or result.chosen), (PLAIN, result.baseline)]
    rows = [[Cell(name, more=[result.get(of).name]), *_numbers(result.get(of))] for name, of in names]
    table = Table.of("UA", ["", "sources left out", result.target], rows)
    note = (
        f"Regret {points(result.regret)}: what the oracle, picked by {result.target}'s labels, has over the choice, "
        "which never saw them. That it was picked for being best favours it, and is not in the interval."
    )
    return Section("regret", title, [table, Note(note)], "Regret")


def said(result: BestResult) -> Section | None:
    """Return which emotions the model finds in the target."""
    if not result.predictions:
        return None
    counts = Counter(str(row["emotion"]) for row in result.predictions)
    total = len(result.predictions)
    rows = [[name, whole(counts[name]), f"{100 * counts[name] / total:.0f} %"] for name in result.classes]
    note = (
        f"Of {plural(total, 'recording')} of {result.target}, each of which stands in best.json with its probabilities."
    )
    return Section(
        "said",
        f"What it hears in {result.target}",
        [Table.of("Predicted", ["Emotion", "Recordings", ""], rows), Note(note)],
        "Target",
    )


def untried(result: BestResult) -> Section:
    """Return what the time was not enough for."""
    budget = result.budget
    spent = (
        f"{_time(budget.used)} of {_time(budget.asked)} were used for {plural(len(result.candidates), 'candidate')}."
    )
    if not budget.not_tried:
        return Section(
            "untried", "What was not tried", [Note(f"{spent} Everything that was planned was tried.")], "Not tried"
        )
    return Section(
        "untried", "What was not tried", [Note(spent), Words(list(map(_lead, budget.not_tried)))], "Not tried"
    )


def use(result: BestResult) -> Section:
    """Return the commands that use the model."""
    out = str(result.about.get("out", "FOLDER"))
    lines = (
        f"xlser predict {out} RECORDINGS --format csv      # a file, a folder, or a list\n"
        f'python -c \'import xlser; print(xlser.load("{out}").predict("clip.wav").probabilities)\''
    )
    note = (
        f"Further recordings like {result.target}'s are read one by one, with what was learnt of {result.target} here. "
        "For recordings of another place, language or microphone run `xlser best` on these. README.md in the folder is "
        "the model card."
    )
    return Section(
        "use",
        "How to use it",
        [Raw(Markup('<pre tabindex="0" role="region" aria-label="Commands">{}</pre>').format(lines)), Note(note)],
        "Use",
    )


def used(result: BestResult) -> Section:
    """Return corpora, checkpoints, command and versions."""
    about = result.about
    corpora = about.get("corpora", [])
    heads = ["Corpus", "As", "Language", "Utterances", "Speakers", "Scored emotions", "Licence"]
    rows = [
        [
            Cell(row["corpus"], marks=["synthetic"] * bool(row["synthetic"])),
            *(row["role"], row["language"], whole(row["utterances"])),
            "not known" if row["speakers"] is None else str(row["speakers"]),
            counted(row["labels"]["kept"]),
            row.get("licence") or "not stated",
        ]
        for row in corpora
    ]
    encoders = checkpoints_of(about, {})
    cautioned = cautions(encoders, [row["corpus"] for row in corpora if not row["synthetic"]])
    versions = ", ".join(f"{library} {version}" for library, version in about.get("versions", {}).items())
    lines = [("Command", about.get("command")), ("Finished", about.get("finished")), ("Versions", versions)]
    lines += [("Numbers", "best.csv, and best.json with everything"), *(("Note", note) for note in cautioned)]
    parts: list[Part] = [Table.of("Corpora", heads, rows, kind="line wide")] if rows else []
    parts += [Pairs(checkpoint_lines(one)) for one in encoders]
    return Section("used", "What was used", [*parts, Pairs([(name, str(text)) for name, text in lines if text])])


def text_opening(result: BestResult) -> Section:
    """Return the answer, the best candidates and what was decided for a terminal."""
    hindsight = [Note(""), Note(in_hindsight(result))] if has_labels(result) else []
    heads = ["Candidate", "sources left out", *([result.target] if has_labels(result) else [])]
    rows = [
        [Cell(short(row.name), marks=marks_of(result, row)), *_numbers(row)[: len(heads) - 1]] for row in picked(result)
    ]
    parts: list[Part] = [
        Note(f"{headline(result)} {grounds(result)}"),
        *hindsight,
        Note(""),
        Table.of("UA", heads, rows),
        Note(""),
    ]
    more = [*result.decisions, *result.notes, *(f"Not tried: {line}" for line in result.budget.not_tried)]
    return Section("best", "", [*parts, Words([("", line) for line in more])])


def _gains(result: BestResult, rung: Rung, before: Rung | None) -> list[Cell | str]:
    now, was = rung.candidate, before.candidate if before else None
    change = short("; ".join(rung.changes)) or short(now.name)
    cells: list[Cell | str] = [Cell(change, marks=marks_of(result, now)), spread(expected(now))]
    cells.append(signed(expected(now).value - expected(was).value) if was else "")
    if has_labels(result):
        cells.append(Cell(number(now.target.value), bounds(*now.target[1:])) if now.target else "")
        pair = (now.target, was.target if was else None)
        cells.append(signed(pair[0].value - pair[1].value) if pair[0] and pair[1] else "")
    return cells


def _numbers(row: Tried) -> list[Cell | str]:
    target = Cell(number(row.target.value), bounds(*row.target[1:])) if row.target else Cell()
    return [spread(expected(row)), target]


def _table(result: BestResult, rows: Sequence[Tried], caption: str) -> Table:
    left = list(result.get(result.chosen).validated)
    alone = len(result.sources) < 2
    heads = ["Candidate", *(f"{name}, validation" if alone else f"{name} left out" for name in left), "mean", "seconds"]
    heads += [result.target] if has_labels(result) else []
    lines = [Row(_cells(result, row, left), "own" if marks_of(result, row) else "") for row in rows]
    return Table(caption, heads, [Group(lines)], label=caption)


def _cells(result: BestResult, row: Tried, left: Iterable[str]) -> list[Cell | str]:
    cells: list[Cell | str] = [Cell(short(row.name), marks=marks_of(result, row))]
    cells += [number(row.validated.get(name)) for name in left]
    cells += [number(row.score), number(row.seconds, 1)]
    if has_labels(result):
        cells.append(Cell(number(row.target.value), bounds(*row.target[1:])) if row.target else Cell())
    return cells


def _how(result: BestResult) -> list[str]:
    looked = f"What of {result.target} was looked at: {listing(result.looks_at) if result.looks_at else 'nothing'}"
    labels = "Its labels, where it has any, score what was chosen, and nothing else."
    if "labels" in result.looks_at:
        labels = "The labels of --few-shot correct what was chosen without them; others score it, and nothing else."
    ties = (
        f"Few pretended targets are noisy: the search's default gives way only to what is better by more than "
        f"{100 * MARGIN:g} point and by more than chance over these. Of candidates within {100 * EQUAL:g} points the "
        "simplest was taken."
    )
    chosen_by = f"Chosen by: {result.chosen_by.rstrip('.')}."
    return [chosen_by, f"Protocol: {result.protocol}.", f"{looked}. {labels}", ties]


def _lead(sentence: str) -> tuple[str, str]:
    return lead(sentence)


def _time(seconds: float) -> str:
    """Return a time as people say it.

    >>> _time(45), _time(600), _time(630)
    ('45 s', '10 min', '10 min 30 s')
    """
    minutes, rest = divmod(round(seconds), 60)
    return f"{rest} s" if not minutes else f"{minutes} min{f' {rest} s' if rest else ''}"

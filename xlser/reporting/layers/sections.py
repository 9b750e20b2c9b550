"""A sweep in words, tables and one chart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from xlser.evaluation.contamination import checkpoints_of
from xlser.evaluation.layers import LayerScore, LayerSweep, State
from xlser.reporting.layers.picture import caption, probes_figure
from xlser.reporting.layers.questions import Column, decodability, name_of, ratings, reference, transfer
from xlser.reporting.pretraining import cautions
from xlser.reporting.pretraining import lines as checkpoint_lines
from xlser.reporting.section import Cell, Details, Group, Headline, Note, Pairs, Part, Row, Section, Table
from xlser.reporting.wording import bounds, counted, listing, number, score, whole
from xlser.vocabulary import TRANSDUCTIVE, ZERO_SHOT


def answer(sweep: LayerSweep) -> list[Part]:
    """Return the headline, and how the picture beside it is read."""
    return [Headline(headline(sweep)), Note(caption(sweep))]


def scored(sweep: LayerSweep) -> Section:
    """Return UA of every state, zero-shot and transductive."""
    parts: list[Part] = [Note(_how(sweep)), *_tables(sweep)]
    return Section("scores", "Emotions", parts)


def rated(sweep: LayerSweep) -> Section:
    """Return the correlations with ratings, or why there are none."""
    columns = ratings(sweep)
    if not columns:
        return Section("ratings", "Activation and valence", left_out="The source has no ratings to learn from.")
    note = (
        "Pearson's r of what ridge regression on the source's ratings says, zero-shot. Chance is 0. A corpus without "
        "ratings is not here."
    )
    return Section("ratings", "Activation and valence", [Note(note), _table(sweep, "Pearson's r, zero-shot", columns)])


def read(sweep: LayerSweep) -> Section:
    """Return what else linear probes read."""
    note = (
        "UA of cross-validated linear probes. Corpus and language are read from all corpora together, at most 100 "
        "clips of each, in folds of whole speakers; the speaker within a source, at most 150 clips, in folds of clips. "
        "That a corpus is told says nothing of why: language, microphones, actors, emotions."
    )
    columns = decodability(sweep)
    parts: list[Part] = [probes_figure(sweep), Note(note), _table(sweep, "UA of probes", columns)]
    return Section("probes", "What else can be read", parts, "Probes")


def used(sweep: LayerSweep) -> Section:
    """Return weights, corpora, command and versions."""
    about = sweep.about
    heads = ["Corpus", "Language", "Utterances", "Speakers", "Ratings", "Scored emotions", "Licence"]
    rows = [
        [
            Cell(corpus["corpus"], marks=["synthetic"] * bool(corpus["synthetic"])),
            *(corpus["language"], whole(corpus["utterances"]), str(corpus["speakers"]), corpus["ratings"]),
            counted(corpus["labels"]["kept"]),
            corpus.get("licence") or "not stated",
        ]
        for corpus in about["corpora"]
    ]
    heard = cautions(checkpoints_of(about, {}), [about["source"], *about["targets"]])
    lines = [
        ("Command", about["command"]),
        ("Seeds", str(about["seeds"])),
        ("Finished", f"{about['finished']}, {about['seconds']} s"),
        ("Versions", ", ".join(f"{library} {version}" for library, version in about["versions"].items())),
        ("Numbers", "layers.csv, and layers.json with everything"),
        *(("Note", note) for note in [*about["notes"], *heard]),
    ]
    encoders = [Pairs(checkpoint_lines(one)) for one in checkpoints_of(about, {})]
    table = Table.of("Corpora", heads, rows, kind="line wide")
    return Section("used", "What was used", [table, *encoders, Pairs(lines)])


def text_opening(sweep: LayerSweep) -> Section:
    """Return the sentence and the tables of emotions for a terminal."""
    columns = transfer(sweep, ZERO_SHOT)
    parts: list[Part] = [Note(headline(sweep)), Note(""), _table(sweep, "UA, zero-shot", columns)]
    return Section("layer", "", parts)


def text_rest(sweep: LayerSweep) -> list[Section]:
    """Return correlations and probes for a terminal."""
    tables = [("Pearson's r, zero-shot", ratings(sweep)), ("UA of probes", decodability(sweep))]
    return [Section("more", "", [_table(sweep, name, columns)]) for name, columns in tables if columns]


def headline(sweep: LayerSweep) -> str:
    """Return what was chosen, what it gives on the targets, chance, the features beside it, and the oracle."""
    about, mean, beside = sweep.about, sweep.get(sweep.chosen), sweep.get(State(None, _reference_name(sweep)))
    on = f"{about['source']}'s validation speakers"
    if len(about["sources"]) > 1:
        on = f"left-out sources ({listing(about['sources'])})"
    picked = f"{str(sweep.chosen).capitalize()} of {short(about['weights'])} is best on {on}"
    if mean is None:
        return f"{picked}; no target has emotions to score it by."
    names = _scored(sweep)
    where = names[0] if len(names) == 1 else f"{listing(names)}, on average"
    simple = f"; {reference(sweep)} {score(vars(beside))}" if beside else ""
    gives = f"gives a zero-shot UA of {score(vars(mean))} on {where} (chance {number(mean.chance)}{simple})"
    return f"{picked} and {gives}. {_hindsight(sweep)}"


def _hindsight(sweep: LayerSweep) -> str:
    best, regret = sweep.oracle, sweep.regret
    if best is None or regret is None:
        return ""
    if best == sweep.chosen:
        return "In hindsight none is better there: it is the oracle too."
    found = sweep.get(best)
    points = f"{number(100 * regret.value, 1)} points [{number(100 * regret.low, 1)}, {number(100 * regret.high, 1)}]"
    return f"Oracle, the best there in hindsight: {best}, {number(found and found.value)}; regret {points}."


def short(weights: str) -> str:
    """Return what a checkpoint is called: a folder's last name, a hub name as it is.

    >>> short("../checkpoints/whisper-tiny.en-encoder"), short("openai/whisper-tiny")
    ('whisper-tiny.en-encoder', 'openai/whisper-tiny')
    """
    return Path(weights).name if weights.count("/") != 1 or weights.startswith((".", "/", "~")) else weights


def _scored(sweep: LayerSweep) -> list[str]:
    return [column.head for column in transfer(sweep, TRANSDUCTIVE)[:-1]]


def _reference_name(sweep: LayerSweep) -> str:
    return next((found.state.pooling for found in sweep.scores if found.state.layer is None), "")


def _how(sweep: LayerSweep) -> str:
    regret = ""
    if sweep.oracles:
        each = ", ".join(f"{name}: {state}" for name, state in sweep.oracles.items())
        regret = f" Best in hindsight on each target alone: {each}."
    level = f"{100 * sweep.about['level']:.0f} %"
    return (
        f"UA of the probe that xlser reads features with, fitted on the source; {level} intervals from resampling "
        "speakers. Zero-shot: nothing of a target was looked at. Transductive: z-scored by its own statistics. The "
        f"oracle was picked on the targets, which favours it.{regret}"
    )


def _tables(sweep: LayerSweep) -> list[Part]:
    table = _table(sweep, "UA, zero-shot", transfer(sweep, ZERO_SHOT))
    other = _table(sweep, "UA, transductive", transfer(sweep, TRANSDUCTIVE))
    return [table, Details("Transductive", [other])] if sweep.oracle else [table]


def _table(sweep: LayerSweep, caption: str, columns: Sequence[Column]) -> Table:
    columns = [column for column in columns if any(column.of(state) for state in sweep.states)]
    states = list(dict.fromkeys(found.state for found in sweep.scores))
    groups = [
        Group([_row(sweep, state, columns) for state in states if state.pooling == pooling], _title(pooling))
        for pooling in dict.fromkeys(state.pooling for state in states if state.layer is not None)
    ]
    other = [_row(sweep, state, columns) for state in states if state.layer is None]
    groups += [Group(other, Cell("for reference"))] if other else []
    heads: list[Cell | str] = [caption.partition(",")[0], *(_head(sweep, column) for column in columns)]
    return Table(caption, heads, groups, kind="line", label=caption)


def _title(pooling: str) -> Cell:
    return Cell(pooling)


def _head(sweep: LayerSweep, column: Column) -> Cell:
    chances = {number(found.chance) for state in sweep.states if (found := column.of(state))}
    return Cell(column.head, f"chance {chances.pop()}" if len(chances) == 1 and chances != {number(0.0)} else "")


def _row(sweep: LayerSweep, state: State, columns: Sequence[Column]) -> Row:
    marks = [name for name, other in (("chosen", sweep.chosen), ("oracle", sweep.oracle)) if state == other]
    name = name_of(state) if state.layer is None else f"state {state.layer}"
    return Row([Cell(name, marks=marks), *(_cell(column.of(state)) for column in columns)], "own" if marks else "")


def _cell(found: LayerScore | None) -> Cell:
    if found is None:
        return Cell()
    return Cell(number(found.value), bounds(found.low, found.high), more=[found.why] if found.why else [])

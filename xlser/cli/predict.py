"""``xlser predict``."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xlser.cli.choosing import model_options
from xlser.cli.hearing import heard_options
from xlser.cli.table_options import table_options
from xlser.printable import exact_output

if TYPE_CHECKING:
    from xlser.data.formats.table_options import TableOptions
    from xlser.experiment.use.model import Model
    from xlser.experiment.use.session import Session

FOLDER = click.Path(path_type=Path)
FORMATS = "Of --out, unless given: its suffix; or table, and csv with --every. A textgrid, for Praat, needs --every."


@click.command("predict")
@click.argument("folder", type=FOLDER)
@click.argument("source", type=FOLDER, metavar="FILE|FOLDER|LIST|-")
@model_options
@click.option("--labels", metavar="A,B,...", help="Answer with these emotions only.")
@click.option("--adapt", is_flag=True, help="Transductive: use the statistics of all these recordings, unlabelled.")
@click.option(
    "--adaptation",
    metavar="NAME|...",
    help="Adapt by this: corpus, speaker, coral ..., or 'speaker-or-corpus|prior=uniform'.  [default: as the report]",
)
@click.option(
    "--neighbours", type=int, help="How many stored clips are told.  [default: those that voted; 5 where none does]"
)
@click.option("--datastore", type=FOLDER, help="Other clips to compare with, embedded by the same model.")
@click.option("--format", "form", type=click.Choice(["table", "csv", "jsonl", "textgrid"]), help=FORMATS)
@click.option("--out", type=FOLDER, help="File to write; for several TextGrids a folder.  [default: the screen]")
@click.option("--every", type=float, metavar="SECONDS", help="Emotion over time: an answer every so many seconds.")
@click.option("--window", type=float, metavar="SECONDS", help="What each of these answers hears.  [default: 3.0]")
@heard_options
@table_options
def command(
    folder: Path,
    source: Path,
    model: str | None,
    method: str | None,
    seed: int | None,
    labels: str | None,
    adapt: bool,
    adaptation: str | None,
    neighbours: int | None,
    datastore: Path | None,
    form: str | None,
    out: Path | None,
    every: float | None,
    window: float | None,
    channel: str,
    strict: bool,
    table_options: TableOptions,
) -> None:
    """Say which emotion recordings have, by a model of the run or bench in FOLDER.

    A folder stands for all audio below it, - for one recording from standard input. A LIST is a text file with a path
    a line, or a table (CSV, JSON lines, Excel, Parquet) whose rows are recordings, or segments of them: by its columns
    of paths and of start, end or duration, channel and speaker. All its columns stand in the output. Files of any
    length: long ones are read in windows. A file or row that cannot be used is named, and left out.

    Each recording is read by itself (zero-shot). With --adapt all are heard first, as one target of the model: give
    recordings that belong together, five at least. With --every each recording is read in overlapping windows.
    """
    if every is None and (window is not None or form == "textgrid"):
        raise click.UsageError("--window and --format textgrid are of --every: add for instance --every 1.0")
    if every is not None and (adapt or adaptation or form == "table"):
        raise click.UsageError("--every reads each window by itself: leave --adapt, --adaptation and --format table")
    from xlser.environment.examine import check_environment

    check_environment()

    from xlser.experiment.use.listing import find_requests
    from xlser.experiment.use.model import load
    from xlser.experiment.use.output import opened, write_predictions
    from xlser.experiment.use.protocol import protocol_lines
    from xlser.experiment.use.readers import check_labels
    from xlser.experiment.use.session import Session
    from xlser.ownfiles import refuse_input

    say = partial(click.echo, err=True)

    refuse_input(out, source)
    asked = find_requests(source, table_options, channel)
    chosen = load(folder, model=model, method=method, seed=seed, datastore=datastore)
    wanted = check_labels([name.strip() for name in labels.split(",")] if labels else None, chosen.classes)
    shift = chosen.shift(adaptation or True, asked.requests) if adapt or adaptation else None
    for line in (*asked.notes, chosen.text(), *protocol_lines(chosen.chosen, shift)):
        say(line)
    if every is not None:
        session = Session(asked.requests, say)
        _write_timelines(session, chosen, wanted, every=every, window=window, neighbours=neighbours, form=form, out=out)
        session.finish(strict)
        return
    session = Session(asked.requests, say, progress=sys.stderr.isatty(), passes=2 if shift else 1)
    some = wanted if labels else None
    found = chosen.predict_files(
        session.heard(), labels=some, k=neighbours, on_fault=session.on_fault, adapt=shift, on_note=say
    )
    form = form or by_suffix(out, "table")
    with opened(out, exact_output()) as file:
        write_predictions(session.counted(found), chosen, wanted, form, file)
    session.finish(strict)


def _write_timelines(
    session: Session,
    model: Model,
    classes: tuple[str, ...],
    *,
    every: float,
    window: float | None,
    neighbours: int | None,
    form: str | None,
    out: Path | None,
) -> None:
    from xlser.experiment.use.timeline import WINDOW
    from xlser.experiment.use.timelines import Cut, write_timelines

    cut = Cut(every, WINDOW if window is None else window, classes, neighbours)
    form = form or by_suffix(out, "csv")
    write_timelines(session, model, cut, form, out=out, screen=exact_output(), progress=sys.stderr.isatty())


def by_suffix(out: Path | None, otherwise: str) -> str:
    """Return the format that a file's name says.

    >>> by_suffix(Path("a.TextGrid"), "csv"), by_suffix(None, "csv")
    ('textgrid', 'csv')
    """
    known = {".csv": "csv", ".jsonl": "jsonl", ".textgrid": "textgrid"}
    return known.get(out.suffix.lower() if out else "", otherwise)

"""``xlser best``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from xlser.experiment.best.question import BestQuestion
    from xlser.experiment.workplace import Workplace

FOLDER = click.Path(path_type=Path)


def _list(ctx: click.Context, parameter: click.Parameter, text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


@click.command("best")
@click.option("--sources", required=True, callback=_list, help="Corpora to learn from: emodb,ravdess,emovo")
@click.option("--target", help="A card's name, a table, or a folder of recordings without labels.")
@click.option("--data-root", type=FOLDER, help="Folder that holds a folder for each corpus, named like its card.")
@click.option("--root", "roots", multiple=True, metavar="CORPUS=DIR", help="Folder of one corpus; may be repeated.")
@click.option("--encoder", metavar="WEIGHTS", help="Hugging Face name or folder.  [default: eGeMAPS alone]")
@click.option("--minutes", type=float, default=10.0, show_default=True, help="Time for the search.")
@click.option(
    "--emotions", default="anger,happiness,neutral,sadness", callback=_list, show_default=True, help="Told apart."
)
@click.option("--few-shot", metavar="TABLE", help="Labelled recordings of the target: columns file, emotion.")
@click.option("--speakers", metavar="COLUMN|TABLE", help="Who speaks in the target: its column, or files and speakers.")
@click.option("--zero-shot", is_flag=True, help="Look at nothing of the target, not even its unlabelled recordings.")
@click.option("--leave-one-out", is_flag=True, help="Each source as the target of all others: how good is the choice?")
@click.option("--jobs", type=click.IntRange(min=1), help="Threads.  [default: all cores]")
@click.option(
    "--out", type=FOLDER, help="Folder of model and report; a stopped search goes on.  [default: runs/best-<target>]"
)
@click.option("--cache", type=FOLDER, help="Feature cache.  [default: $XLSER_CACHE or the user's cache folder]")
def command(
    sources,
    target,
    data_root,
    roots,
    encoder,
    minutes,
    emotions,
    few_shot,
    speakers,
    zero_shot,
    leave_one_out,
    jobs,
    out,
    cache,
) -> None:
    """Find the best model that these sources give for this target, without a look at any of its labels.

    Representations, statistics, readouts, adaptations and ensembles are tried on sources that are left out in turn, as
    if they were the target, until the time is over. The model that did best there is fitted to the target, and lies
    with a report and a model card in a folder: xlser predict FOLDER RECORDINGS --format csv
    """
    if leave_one_out == bool(target):
        raise click.UsageError("give --target, for a model; or --leave-one-out, to see how good such models are.")
    from xlser.environment.examine import check_environment

    check_environment()

    from xlser.experiment.best.question import BestQuestion, default_out
    from xlser.experiment.best.run import run_best
    from xlser.experiment.workplace import Workplace, parse_roots
    from xlser.reporting.best.page import best_text, write_best
    from xlser.reporting.runs_index import refresh_index

    place = Workplace(data_root, parse_roots(roots), jobs=jobs, progress=sys.stderr.isatty())
    place.cache = cache or place.cache
    asked = BestQuestion(sources, target or "", encoder, emotions, not zero_shot, speakers, few_shot)
    if leave_one_out:
        _leave_one_out(asked, place, minutes, out or Path("runs/leave-one-out"))
        return
    out = out or default_out(asked)
    result = run_best(asked, out, place, minutes=minutes)
    page = write_best(result, out)
    refresh_index(out)
    click.echo(best_text(result))
    click.echo(f"\nreport: {page}\nuse it: xlser predict {out} RECORDINGS --format csv")


def _leave_one_out(asked: BestQuestion, place: Workplace, minutes: float, out: Path) -> None:
    from xlser.experiment.best.left_out import left_out_table
    from xlser.experiment.best.run import run_left_out
    from xlser.reporting.best.by_target import by_target_text, write_by_target

    results = run_left_out(asked, place, minutes=minutes)
    table = left_out_table(results)
    page = write_by_target(results, table, out)
    click.echo(by_target_text(results, table))
    click.echo(f"\nreport: {page}")

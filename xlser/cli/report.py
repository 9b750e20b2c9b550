"""``xlser report``."""

from __future__ import annotations

from pathlib import Path

import click

FOLDER = click.Path(path_type=Path)


@click.command("report")
@click.argument("folder", metavar="FOLDER", type=FOLDER)
@click.option("--listen", is_flag=True, help="Copy small clips beside a bench: its maps can be listened to, locally.")
@click.option("--data-root", type=FOLDER, help="For --listen: folder that holds a folder for each corpus.")
@click.option("--root", "roots", multiple=True, metavar="CORPUS=DIR", help="For --listen: folder of one corpus.")
@click.option("--cache", type=FOLDER, help="For --listen.  [default: $XLSER_CACHE or the user's cache folder]")
def command(folder: Path, listen: bool, data_root: Path | None, roots: tuple[str, ...], cache: Path | None) -> None:
    """Make the report of a finished run, bench or search anew from the numbers in its FOLDER.

    A folder that holds several of them, such as runs, gets an index.html with the answer of each, which can be sorted
    and searched. That of runs itself is made anew after each run, bench and search in it.

    Clips that --listen has copied stay in FOLDER/clips, and every later report of the bench plays them.
    """
    from xlser.evaluation.candidates import RESULT, read_best
    from xlser.evaluation.results_file import is_bench

    if (folder / RESULT).is_file() and not listen:
        from xlser.reporting.best.page import write_best

        click.echo(write_best(read_best(folder), folder))
        return
    if listen:
        _copy_clips(folder, data_root, roots, cache)
    elif data_root or roots or cache:
        raise click.UsageError("--data-root, --root and --cache tell --listen where recordings are: add --listen.")
    if is_bench(folder):
        from xlser.reporting.bench.report import write_bench_report

        click.echo(write_bench_report(folder))
        return
    if folder.is_dir() and not (folder / "results.json").is_file() and not listen:
        from xlser.reporting.runs_index import result_folders, write_index

        if next(result_folders(folder), None):
            click.echo(write_index(folder))
            return
    from xlser.reporting.report import write_report

    click.echo(write_report(folder))


def _copy_clips(folder: Path, data_root: Path | None, roots: tuple[str, ...], cache: Path | None) -> None:
    from functools import partial

    from xlser.experiment.corpora import find_folders
    from xlser.experiment.workplace import Workplace, parse_roots
    from xlser.reporting.bench.listen import copy_clips

    place = Workplace(data_root, parse_roots(roots))
    place.cache = cache or place.cache
    copy_clips(folder, partial(find_folders, place=place), cache=place.cache, say=place.say)

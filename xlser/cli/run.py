"""``xlser run``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

FOLDER = click.Path(path_type=Path)


@click.command("run")
@click.argument("recipe", type=FOLDER)
@click.option("--data-root", type=FOLDER, help="Folder that holds a folder for each corpus, named like its card.")
@click.option("--root", "roots", multiple=True, metavar="CORPUS=DIR", help="Folder of one corpus; may be repeated.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change the recipe: training.epochs=5")
@click.option("--out", type=FOLDER, help="Run folder; a run that was stopped goes on.  [default: runs/<recipe>-<hash>]")
@click.option("--cache", type=FOLDER, help="Feature cache.  [default: $XLSER_CACHE or the user's cache folder]")
@click.option("--jobs", type=click.IntRange(min=1), help="Threads for feature extraction.  [default: all cores]")
@click.option("--strict", is_flag=True, help="Stop at the first recording that cannot be used.")
def command(
    recipe: Path,
    data_root: Path | None,
    roots: tuple[str, ...],
    overrides: tuple[str, ...],
    out: Path | None,
    cache: Path | None,
    jobs: int | None,
    strict: bool,
) -> None:
    """Train on one language, read it in others, write the numbers and the report.

    RECIPE is a file, or one of xlser's own such as emodb/dae-activation. An encoder can be trained by several
    processes: torchrun --nproc-per-node 2 -m xlser.cli.main run RECIPE
    """
    from xlser.training.load import feature_libraries, load_recipe

    chosen = load_recipe(recipe, overrides)  # before anything heavy is imported: a typo costs no time

    from xlser.environment.examine import TRAINING, check_environment

    # Before the corpora are read: nothing of theirs is to blame.
    needed = TRAINING | feature_libraries(chosen)
    check_environment(needed, load=False)

    from xlser.experiment.results_folder import finished
    from xlser.experiment.run import default_out, run_recipe
    from xlser.experiment.workplace import Workplace, parse_roots
    from xlser.reporting.report import render_terminal, write_report
    from xlser.reporting.runs_index import refresh_index

    out = out or default_out(chosen)
    check_environment(needed, load=not finished(out))
    place = Workplace(data_root, parse_roots(roots), jobs=jobs, strict=strict, progress=sys.stderr.isatty())
    if cache:
        place.cache = cache
    folder = run_recipe(chosen, out, place)
    if int(os.environ.get("RANK", "0")):
        return  # started by torchrun: the first process reports
    report = write_report(folder)
    refresh_index(folder)
    click.echo(render_terminal(folder))
    click.echo(f"\nreport: {report}")

"""``xlser transfer``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

FOLDER = click.Path(path_type=Path)


def _list(ctx: click.Context, parameter: click.Parameter, text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


@click.command("transfer")
@click.option("--recipe", "recipes", multiple=True, required=True, type=FOLDER, help="A recipe; may be repeated.")
@click.option(
    "--sources",
    required=True,
    callback=_list,
    help="Corpora to train on, such as emodb,ravdess,emodb+ravdess; leave-one-corpus-out, leave-one-language-out.",
)
@click.option("--targets", default="all", callback=_list, show_default=True, help="Corpora to read, or all there are.")
@click.option("--data-root", type=FOLDER, help="Folder that holds a folder for each corpus, named like its card.")
@click.option("--root", "roots", multiple=True, metavar="CORPUS=DIR", help="Folder of one corpus; may be repeated.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change every recipe: training.epochs=5")
@click.option("--seeds", type=click.IntRange(min=1), help="Seeds a recipe.  [default: the recipe's]")
@click.option("--few-shot", default="", callback=_list, help="Labelled clips a class of the target: 1,2,5,10,20")
@click.option("--adapt", default="", callback=_list, help="Make up for a target's shift: speakers,coral:shrinkage=0.1")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes on this machine.")
@click.option("--dask", metavar="ADDRESS", help="Run on a Dask cluster instead: tcp://host:8786")
@click.option("--out", type=FOLDER, default=Path("runs/bench"), show_default=True, help="Folder of the bench.")
@click.option("--cache", type=FOLDER, help="Feature cache.  [default: $XLSER_CACHE or the user's cache folder]")
def command(
    recipes, sources, targets, data_root, roots, overrides, seeds, few_shot, adapt, jobs, dask, out, cache
) -> None:
    """Train every recipe once on every source, score every target, and say how sure that is.

    A cell that is done is not done again: the same command goes on where it was stopped. Where a job failed or a cell
    is missing, the others are reported and the exit status is 1.
    """
    from xlser.training.load import feature_libraries, load_recipe

    chosen = [load_recipe(recipe, overrides) for recipe in recipes]

    from xlser.environment.examine import TRAINING, check_environment

    needed = TRAINING | {name: called for recipe in chosen for name, called in feature_libraries(recipe).items()}
    check_environment(needed, load=not (out / "results.json").is_file())  # what is left to train would say the same

    from xlser.experiment.bench.plan import expand_sources, find_targets, make_jobs, parse_adapt, parse_ks
    from xlser.experiment.bench.run import run_bench, whole
    from xlser.experiment.workplace import Workplace, parse_roots
    from xlser.reporting.bench.report import render_bench, write_bench_report
    from xlser.reporting.runs_index import refresh_index

    place = Workplace(data_root, parse_roots(roots), progress=sys.stderr.isatty())
    if cache:
        place.cache = cache
    sources = expand_sources(sources)
    targets = find_targets(targets, sources, place)
    ks, shifts = parse_ks(few_shot), parse_adapt(adapt)
    plan = make_jobs(chosen, sources, targets, out, seeds=seeds, few_shot=ks, adapt=shifts)
    run_bench(plan, out, place, workers=jobs, dask=dask)
    report = write_bench_report(out)
    refresh_index(out)
    click.echo(render_bench(out))
    click.echo(f"\nreport: {report}")
    if not whole(out):
        sys.exit(1)

"""``xlser probe-layers``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

FOLDER = click.Path(path_type=Path)


def _list(ctx: click.Context, parameter: click.Parameter, text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _numbers(ctx: click.Context, parameter: click.Parameter, text: str) -> list[int]:
    try:
        return [int(part) for part in _list(ctx, parameter, text)]
    except ValueError:
        raise click.BadParameter(f"must be whole numbers such as 0,1,2, but is {text!r} instead") from None


@click.command("probe-layers")
@click.argument("weights")
@click.option("--sources", required=True, callback=_list, help="Corpora to learn from, together: emodb,ravdess")
@click.option("--targets", required=True, callback=_list, help="Corpora to read.")
@click.option("--data-root", type=FOLDER, help="Folder that holds a folder for each corpus, named like its card.")
@click.option("--root", "roots", multiple=True, metavar="CORPUS=DIR", help="Folder of one corpus; may be repeated.")
@click.option(
    "--poolings",
    default="mean,mean+std,mean+std+min+max",
    callback=_list,
    show_default=True,
    help="Over a clip's frames.",
)
@click.option("--layers", default="", callback=_numbers, help="Hidden states such as 0,1,2.  [default: all]")
@click.option(
    "--emotions", default="anger,happiness,neutral,sadness", callback=_list, show_default=True, help="Scored."
)
@click.option("--revision", help="Branch, tag or commit of a hub model.")
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True, help="Splits of the source.")
@click.option("--jobs", type=click.IntRange(min=1), help="Threads of extraction.  [default: all cores]")
@click.option("--out", type=FOLDER, help="Folder for layers.html, .json and .csv.  [default: layers-<weights> here]")
@click.option("--cache", type=FOLDER, help="Feature cache.  [default: $XLSER_CACHE or the user's cache folder]")
def command(
    weights, sources, targets, data_root, roots, poolings, layers, emotions, revision, seeds, jobs, out, cache
) -> None:
    """Say which hidden state of the encoder WEIGHTS carries emotion to other corpora, and which carries the corpus.

    WEIGHTS is a Hugging Face name, a folder, or random:tiny. Every state is read under every pooling; one of them is
    chosen on the sources alone, and the best in hindsight stands beside it.
    """
    from xlser.experiment.sweep import read_datasets, sweep_layers
    from xlser.experiment.workplace import Workplace, parse_roots
    from xlser.features.frozen_encoder import Encoder
    from xlser.filenames import as_file_name
    from xlser.reporting.layers.page import layers_text, write_layers

    place = Workplace(data_root, parse_roots(roots), jobs=jobs, progress=sys.stderr.isatty())
    place.cache = cache or place.cache
    read = read_datasets(sources, targets, place)
    options = {"layers": layers, "poolings": poolings, "emotions": emotions, "seeds": seeds}
    sweep = sweep_layers(Encoder(weights, revision=revision), *read, place, **options)
    name = as_file_name(Path(weights).name, "encoder")
    page, data, table = write_layers(sweep, out or Path(f"layers-{name}"))
    click.echo(layers_text(sweep))
    click.echo(f"\nreport: {page}\n        {data}\n        {table}")

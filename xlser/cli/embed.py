"""``xlser embed``."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xlser.cli.choosing import model_options
from xlser.cli.hearing import heard_options
from xlser.cli.table_options import table_options

if TYPE_CHECKING:
    from xlser.data.formats.table_options import TableOptions

FOLDER = click.Path(path_type=Path)


@click.command("embed")
@click.argument("folder", type=FOLDER)
@click.argument("source", type=FOLDER, metavar="FILE|FOLDER|LIST|-")
@click.option("--out", type=FOLDER, required=True, help="File to write: .parquet, .csv or .npz.")
@model_options
@heard_options
@table_options
def command(
    folder: Path,
    source: Path,
    out: Path,
    model: str | None,
    method: str | None,
    seed: int | None,
    channel: str,
    strict: bool,
    table_options: TableOptions,
) -> None:
    """Write the embeddings of recordings by a model of the run or bench in FOLDER.

    See `xlser predict` for what is read.
    """
    from xlser.environment.examine import check_environment

    check_environment()

    from xlser.experiment.use.listing import find_requests
    from xlser.experiment.use.model import load
    from xlser.experiment.use.output import check_embedded, write_embeddings
    from xlser.experiment.use.session import Session
    from xlser.ownfiles import refuse_input

    say = partial(click.echo, err=True)

    check_embedded(out)
    refuse_input(out, source)
    asked = find_requests(source, table_options, channel)
    chosen = load(folder, model=model, method=method, seed=seed)
    for line in (*asked.notes, chosen.text()):
        say(line)
    session = Session(asked.requests, say, progress=sys.stderr.isatty())
    found = session.counted(chosen.embed_files(asked.requests, on_fault=session.on_fault))
    click.echo(f"{out}: {write_embeddings(found, chosen.embedder.fingerprint, out)} embeddings")
    session.finish(strict)

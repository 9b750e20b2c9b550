"""``xlser embed``."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import click

from xlser.cli.choosing import model_options

FOLDER = click.Path(path_type=Path)


@click.command("embed")
@click.argument("folder", type=FOLDER)
@click.argument("source", type=FOLDER, metavar="FILE|FOLDER|LIST")
@click.option("--out", type=FOLDER, required=True, help="File to write: .parquet, .csv or .npz.")
@model_options
@click.option("--strict", is_flag=True, help="Exit with status 1 if a file could not be used.")
def command(
    folder: Path, source: Path, out: Path, model: str | None, method: str | None, seed: int | None, strict: bool
) -> None:
    """Write the embeddings of recordings by a model of the run or bench in FOLDER.

    See `xlser predict` for what is read.
    """
    from xlser.environment.examine import check_environment

    check_environment()

    from xlser.experiment.use.model import load
    from xlser.experiment.use.output import check_embedded, write_embeddings
    from xlser.experiment.use.recordings import find_recordings
    from xlser.experiment.use.session import Session

    say = partial(click.echo, err=True)

    check_embedded(out)
    files = find_recordings(source)
    chosen = load(folder, model=model, method=method, seed=seed)
    say(chosen.text())
    session = Session(files, say, progress=sys.stderr.isatty())
    found = session.counted(chosen.embed_files(files, on_fault=session.on_fault))
    click.echo(f"{out}: {write_embeddings(found, chosen.embedder.fingerprint, out)} embeddings")
    session.finish(strict)

"""``xlser serve``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from xlser.cli.choosing import model_options

FOLDER = click.Path(path_type=Path)
MIB = 2**20


@click.command("serve")
@click.argument("folder", metavar="RUN", type=FOLDER)
@model_options
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on: this machine's own.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 for any free one.")
@click.option("--data-root", type=FOLDER, help="Folder that holds a folder for each corpus: its clips can be heard.")
@click.option("--root", "roots", multiple=True, metavar="CORPUS=DIR", help="Folder of one corpus, likewise.")
@click.option("--max-megabytes", default=512, show_default=True, type=click.IntRange(1, 16_384), help="Of one upload.")
@click.option(
    "--max-minutes", default=240.0, show_default=True, type=click.FloatRange(0.1, 1440), help="Of one recording."
)
@click.option("--no-browser", is_flag=True, help="Do not open the page.")
def command(
    folder: Path,
    model: str | None,
    method: str | None,
    seed: int | None,
    host: str,
    port: int,
    data_root: Path | None,
    roots: tuple[str, ...],
    max_megabytes: int,
    max_minutes: float,
    no_browser: bool,
) -> None:
    """Open a page in which a model of the run, bench or search in RUN reads recordings, and a JSON API beside it.

    Speak into the microphone or drop files of any length: their emotion over time, the corpus's clips next to them, how
    unfamiliar they are; as CSV, JSON or a TextGrid to keep. All stays on this machine; nothing is kept of a recording.
    """
    from xlser.environment.examine import check_environment
    from xlser.serve.opening import open_server

    check_environment()
    open_server(
        folder,
        model=model,
        method=method,
        seed=seed,
        host=host,
        port=port,
        data_root=data_root,
        roots=roots,
        limits={"bytes": max_megabytes * MIB, "seconds": max_minutes * 60},
        browser=not no_browser,
    )
    sys.stderr.flush()
    os._exit(0)  # a thread may be deep in a decoder: nothing waits for it, and it leaves nothing behind

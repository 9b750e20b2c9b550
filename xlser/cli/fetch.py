"""``xlser corpora fetch``: download a corpus that is open."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command("fetch")
@click.argument("corpus")
@click.option("--root", type=click.Path(path_type=Path), required=True, help="Folder to make.")
@click.option("--accept-licence", is_flag=True, help="Accept the licence without being asked, for scripts.")
def command(corpus: str, root: Path, accept_licence: bool) -> None:
    """Download and unpack a corpus whose card names an open download; for others, say where to ask.

    The licence is shown and must be accepted first. A download that was stopped goes on from there, and its checksum
    is held to that of the first time.
    """
    from xlser.cachefolder import cache_folder
    from xlser.corpora.card import load_card
    from xlser.corpora.fetch import fetch, licence_text

    card = load_card(corpus)
    if card.source.download:
        click.echo(licence_text(card))
        accept_licence = accept_licence or (sys.stdin.isatty() and click.confirm("Do you accept this licence?"))
    count = fetch(card, root, cache_folder(), accepted=accept_licence, progress=sys.stderr.isatty())
    click.echo(f"{root}: {count} recordings. Next: xlser corpora verify {corpus} --root {root}")

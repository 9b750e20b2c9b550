"""``xlser corpora init``: a first card, by looking."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from xlser.cli.table_options import table_options

if TYPE_CHECKING:
    from xlser.data.formats.table_options import TableOptions

FOLDER = click.Path(path_type=Path)


@click.command("init")
@click.argument("source", type=FOLDER)
@click.option("--out", type=FOLDER, required=True, help="Card to write, such as mine.yaml.")
@click.option("--name", help="Name of the corpus.  [default: the folder's]")
@click.option("--force", is_flag=True, help="Write over a card that is there.")
@table_options
def command(source: Path, out: Path, name: str | None, force: bool, table_options: TableOptions) -> None:
    """Write a first card for a folder of recordings, or a table beside them (SOURCE), for you to correct.

    What was guessed is printed, and what to check; in the card such places say EDIT or "please check".
    """
    from xlser.atomic import write_text
    from xlser.data.init_card import first_card

    if out.exists() and not force:
        raise click.ClickException(f"{out} is there already; --force writes over it")
    draft = first_card(source, name, table_options)
    write_text(out, draft.text)
    for line in (f"wrote {out}", *draft.guessed, *(f"CHECK {line}" for line in draft.check)):
        click.echo(line)

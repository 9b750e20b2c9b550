"""``xlser corpora init``: a first card, by looking."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xlser.cli.table_options import table_options

if TYPE_CHECKING:
    from xlser.data.formats.table_options import TableOptions

FOLDER = click.Path(path_type=Path)


ROLES = {"audio": "path", "emotion": "emotion", "speaker": "speaker", "sex": "sex", "language": "language"}


def column_options(command: Callable) -> Callable:
    """Give a verb an option for the column of each role."""
    for word in reversed(ROLES):
        what = "names the recordings" if word == "audio" else f"says the {word}"
        option = click.option(f"--{word}-column", metavar="HEADER", help=f"The column of a table that {what}.")
        command = option(command)
    return command


@click.command("init")
@click.argument("source", type=FOLDER)
@click.option("--out", type=FOLDER, required=True, help="Card to write, such as mine.yaml.")
@click.option("--name", help="Name of the corpus.  [default: the folder's]")
@click.option("--force", is_flag=True, help="Write over a card that is there.")
@column_options
@table_options
def command(
    source: Path, out: Path, name: str | None, force: bool, table_options: TableOptions, **columns: str | None
) -> None:
    """Write a first card for a folder of recordings, or a table beside them (SOURCE), for you to correct.

    What was guessed is printed, and what to check; in the card such places say EDIT or "please check". Where too little
    is known for a card that can be read, it says what was seen, and EDIT where you must say more; on a terminal you are
    asked.
    """
    from xlser.atomic import write_text
    from xlser.data.init_card import first_card
    from xlser.printable import printable

    if out.exists() and not force:
        raise click.ClickException(f"{out} is there already; --force writes over it")
    named = {ROLES[word.removesuffix("_column")]: header for word, header in columns.items() if header}
    options = replace(table_options, columns={**table_options.columns, **named})
    draft = first_card(source, name, options)
    if draft.missing and sys.stdin.isatty():
        asked = {
            role: header for role, heads in draft.missing.items() if (header := ask_column(role, heads, draft.likely))
        }
        if asked:
            draft = first_card(source, name, replace(options, columns={**options.columns, **asked}))
    write_text(out, draft.text)
    for line in (f"wrote {out}", *draft.guessed, *(f"CHECK {line}" for line in draft.check)):
        click.echo(line)
    root = source if source.is_dir() else table_options.folder(source)
    click.echo(
        f"next: {'' if draft.finished else 'write what is true in place of each EDIT, then '}"
        f"xlser corpora verify {shlex.quote(printable(out))} --root {shlex.quote(printable(root))}"
    )


def ask_column(role: str, heads: Sequence[str], likely: Mapping[str, str]) -> str | None:
    """Ask which of the headers is a role's; None where none is, or there is none to choose from.

    ``likely`` has the header of a role that an empty answer stands for.
    """
    if not heads:
        return None
    for number, head in enumerate(heads, 1):
        click.echo(f"  {number}  {head}", err=True)
    what = {"path": "names the recordings", "emotion": "says the emotion"}.get(role, f"says the {role}")
    guess = heads.index(likely[role]) + 1 if role in likely else None
    number = click.prompt(
        f"Which column {what}? (0: none)", type=click.IntRange(0, len(heads)), default=guess, err=True
    )
    return heads[number - 1] if number else None

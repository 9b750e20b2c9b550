"""The options of every verb that reads a table."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


def table_options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb ``--root``, ``--encoding``, ``--separator``, ``--column`` and ``--tier``, as ``table_options``."""

    @functools.wraps(verb)
    def command(
        root: Path | None,
        encoding: str | None,
        separator: str | None,
        columns: tuple[str, ...],
        tier: str | None,
        **rest: Any,
    ) -> Any:
        from xlser.data.formats.table_options import TableOptions

        pairs = dict(text.partition("=")[::2] for text in columns)
        if not all((*pairs, *pairs.values())):
            raise click.BadParameter("write ROLE=HEADER, such as emotion=mood", param_hint="--column")
        return verb(table_options=TableOptions(root, encoding, separator, pairs, tier), **rest)

    for option in (
        click.option("--tier", metavar="NAME,...", help="Tiers of an .eaf or .TextGrid to read; * stands for letters."),
        click.option(
            "--column",
            "columns",
            multiple=True,
            metavar="ROLE=HEADER",
            help="Which column of a table is which, such as emotion=mood; may be given several times.",
        ),
        click.option("--separator", help="What parts a table's cells, such as ';' or tab.  [default: by looking]"),
        click.option("--encoding", help="A table's encoding, such as cp1252.  [default: UTF-8, UTF-16 by its mark]"),
        click.option(
            "--root",
            type=click.Path(path_type=Path),
            help="Folder that a table's paths start from.  [default: its own]",
        ),
    ):
        command = option(command)
    return command

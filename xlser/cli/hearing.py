"""How recordings are heard: the options of every verb that is given some."""

from __future__ import annotations

from collections.abc import Callable

import click


def heard_options(command: Callable) -> Callable:
    """Give a verb ``--channel`` and ``--strict``."""
    options = (
        click.option(
            "--channel",
            default="mix",
            show_default=True,
            metavar="mix|left|right|each|N",
            help="Of recordings with several channels: their mean, one, or each by itself.",
        ),
        click.option("--strict", is_flag=True, help="Exit with status 1 if a file could not be used."),
    )
    for option in reversed(options):
        command = option(command)
    return command

"""Which model of a run or bench is meant: the options of every verb that uses one."""

from __future__ import annotations

from collections.abc import Callable

import click

BEST = "[default: the best on its source's validation speakers]"


def model_options(command: Callable) -> Callable:
    """Give a verb ``--model``, ``--method`` and ``--seed``, which say more and more closely which model it is."""
    options = (
        click.option(
            "--model", metavar="SOURCE/RECIPE/METHOD/SEED", help=f"Which model, or a part of its name.  {BEST}"
        ),
        click.option("--method", help="Only models of this method."),
        click.option("--seed", type=int, help="Only models of this seed."),
    )
    for option in reversed(options):
        command = option(command)
    return command

"""``xlser report``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("report")
@click.argument("run", type=click.Path(path_type=Path))
def command(run: Path) -> None:
    """Make the report of a finished run anew from the numbers in its folder RUN."""
    from xlser.reporting.report import write_report

    click.echo(write_report(run))

"""``xlser report``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("report")
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path))
def command(folder: Path) -> None:
    """Make the report of a finished run or bench anew from the numbers in its FOLDER."""
    from xlser.reporting.bench.load import is_bench

    if is_bench(folder):
        from xlser.reporting.bench.report import write_bench_report

        click.echo(write_bench_report(folder))
        return
    from xlser.reporting.report import write_report

    click.echo(write_report(folder))

"""``xlser compare``."""

from __future__ import annotations

from pathlib import Path

import click

FOLDER = click.Path(path_type=Path)


@click.command("compare")
@click.argument("run_a", type=FOLDER)
@click.argument("run_b", type=FOLDER)
def command(run_a: Path, run_b: Path) -> None:
    """Set the runs in folders RUN_A and RUN_B side by side where they judged the same corpora.

    Each is read by what its own source validation chose. For a paired test give both recipes to one xlser transfer.
    """
    from xlser.reporting.bench.compare import compare_runs

    click.echo(compare_runs(run_a, run_b))

"""``xlser compare``."""

from __future__ import annotations

from pathlib import Path

import click

FOLDER = click.Path(path_type=Path)


@click.command("compare")
@click.argument("a", type=FOLDER)
@click.argument("b", type=FOLDER)
def command(a: Path, b: Path) -> None:
    """Set two runs or benches in folders A and B side by side where they judged the same corpora.

    Each is read by what its own source validation chose. On the same clips the test is paired, with Holm's correction.
    In benches a recipe stands beside its namesake, or, without one, beside every recipe of the other; a run beside a
    bench counts as a bench of one recipe on one source.
    """
    from xlser.reporting.bench.compare import compare

    click.echo(compare(a, b))

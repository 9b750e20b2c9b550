"""``xlser push``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from xlser.cli.choosing import model_options

FOLDER = click.Path(path_type=Path)


@click.command("push")
@click.argument("folder", metavar="RUN", type=FOLDER)
@click.argument("name", metavar="hf:OWNER/NAME")
@model_options
@click.option("--public", is_flag=True, help="Let everybody read it.  [default: private]")
@click.option("--licence-permits", "permitted", metavar="WHO", default="", help="Who permits what a licence does not.")
@click.option("--dry-run", is_flag=True, help="Show what would go, and send nothing.")
@click.option("--yes", is_flag=True, help="Send without being asked, for scripts.")
def command(
    folder: Path,
    name: str,
    model: str | None,
    method: str | None,
    seed: int | None,
    public: bool,
    permitted: str,
    dry_run: bool,
    yes: bool,
) -> None:
    """Put a model of the run, bench or search in RUN on the Hugging Face hub, with its model card.

    What goes is shown first. No recording, file name, speaker's name, path or command goes along; weights are
    safetensors. Where the licence of a corpus that it learnt from does not let it be passed on it is refused. Log in
    before with `hf auth login`. Then: xlser predict hf:OWNER/NAME RECORDINGS
    """
    from xlser.environment.examine import check_environment

    check_environment()

    from xlser.api.pushing import check_permitted, packed, pushed_facts, send
    from xlser.experiment.use.hub_models import hub_name
    from xlser.experiment.use.model import load

    asked = hub_name(name)
    chosen = load(folder, model=model, method=method, seed=seed)
    click.echo(chosen.text(), err=True)
    if not dry_run:
        check_permitted(pushed_facts(chosen), permitted)
    with packed(chosen, asked, permitted) as parcel:
        click.echo(parcel.text(public))
        check_permitted(parcel.facts, permitted)
        if dry_run:
            click.echo("nothing was sent: --dry-run")
            return
        if not yes:
            if not sys.stdin.isatty():
                raise click.UsageError("nobody can be asked here: say --yes to send it.")
            if not click.confirm("Send it?"):
                click.echo("nothing was sent")
                return
        click.echo(send(parcel, public=public))
    click.echo(f"use it: xlser predict {asked} RECORDINGS --format csv")

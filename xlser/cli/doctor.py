"""``xlser doctor``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: schema, ok, and a list of checks.")
def command(as_json: bool) -> None:
    """Look at the machine and at every library that xlser needs; say what is wrong, and how to mend it.

    The exit status is 1 where something that is needed is broken.
    """
    from xlser.environment.examine import examine
    from xlser.fileformats import VERSIONS

    checks = []
    for check in examine():
        checks.append(check)
        if not as_json:
            click.echo(check.line())
    broken = [check.name for check in checks if check.status == "fail"]
    if as_json:
        about = {"schema": VERSIONS["doctor"], "ok": not broken, "checks": [asdict(check) for check in checks]}
        click.echo(json.dumps(about, indent=1))
    else:
        click.echo(f"\nbroken: {', '.join(broken)}" if broken else "\nall that is needed works")
    sys.exit(bool(broken))

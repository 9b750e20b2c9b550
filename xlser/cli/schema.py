"""``xlser schema``."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command("schema")
@click.argument("kind", type=click.Choice(["card", "recipe"]))
@click.option("--out", type=click.Path(path_type=Path), help="File to write.  [default: the screen]")
def command(kind: str, out: Path | None) -> None:
    """Print the JSON schema of cards or recipes, by which an editor completes, explains and underlines their keys."""
    from xlser.atomic import write_text
    from xlser.docs.schemas import json_schema

    text = json.dumps(json_schema(kind), indent=2, ensure_ascii=False) + "\n"
    if out is None:
        click.echo(text, nl=False)
        return
    write_text(out, text)
    click.echo(f"wrote {out}; as the first line of a {kind} beside it: # yaml-language-server: $schema={out.name}")

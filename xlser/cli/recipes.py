"""``xlser recipes``."""

from __future__ import annotations

import click


@click.command("recipes")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """List the recipes that come with xlser and what each is for; with a NAME, print that recipe."""
    from xlser.shipped import shipped_folder
    from xlser.training.load import find_recipe, recipe_paths
    from xlser.yamlfile import read_yaml

    if name:
        click.echo(find_recipe(name).read_text(encoding="utf-8"), nl=False)
        return
    names = recipe_paths()
    width = max(map(len, names))
    for recipe in names:
        about = read_yaml(shipped_folder("recipes") / f"{recipe}.yaml").get("description", "")
        click.echo(click.wrap_text(" ".join(str(about).split()), 116, f"{recipe:{width}}  ", " " * (width + 2)))

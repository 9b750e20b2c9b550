"""A page of sections as one HTML file that loads nothing from elsewhere."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from xlser.reporting.section import Page

if TYPE_CHECKING:
    from jinja2 import Template


def html(page: Page) -> str:
    """Return the text of a page; whatever is no `markupsafe.Markup` is escaped."""
    return _template().render(page=page)


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    found = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return found.get_template("page.html.j2")

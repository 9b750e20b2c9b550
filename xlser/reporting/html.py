"""A page of sections as one HTML file that loads nothing from elsewhere."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from xlser.printable import visible
from xlser.reporting.section import Details, Page, walk

if TYPE_CHECKING:
    from jinja2 import Template

# What a page may load: its own style and script, and copies of recordings that lie beside it.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
    "media-src 'self' file: data:; base-uri 'none'; form-action 'none'"
)

_AS_IT_IS = re.compile("<(?:pre|script|style|textarea)")
_IN_TEXT, _IN_MARKUP = re.compile(r"`([^`\n]+)`"), re.compile(r"`([^`\n<>]+)`")


def html(page: Page) -> str:
    """Return the text of a page; whatever is no `markupsafe.Markup` is escaped, and no letter acts (see `visible`)."""
    return visible(_template().render(page=page, policy=POLICY, foldable=_foldable))


def _foldable(page: Page) -> bool:
    """Say whether anything on a page can be folded."""
    return any(s.folded or any(isinstance(part, Details) for part in walk(s.parts)) for s in page.sections)


def _untick(value: Any) -> Any:
    """Return a text with what a terminal shows between ticks in quotes: a page shows no Markdown.

    Markup has sentences too; what holds a file or a script as it is, is left alone.
    """
    if not isinstance(value, str) or "`" not in value or (isinstance(value, Markup) and _AS_IT_IS.search(value)):
        return value
    return type(value)((_IN_MARKUP if isinstance(value, Markup) else _IN_TEXT).sub("“\\1”", value))


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    found = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_untick,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return found.get_template("page.html.j2")

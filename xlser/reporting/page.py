"""How every page is made of its template."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlser.reporting.wording import bounds, counted, listing, number, plural, whole

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


def environment(*folders: Path) -> Environment:
    """Return an environment that finds templates in these folders, and then in the shared one.

    Text from outside is escaped, and a name that the template does not get is an error.

    >>> environment().from_string("{{ name }}: {{ 1234|whole }}").render(name="<b>")
    '&lt;b&gt;: 1,234'
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader([*folders, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"counted": counted, "listing": listing, "number": number, "plural": plural, "whole": whole}
    made.globals |= {"bounds": bounds}
    return made


def as_yaml(values: dict[str, Any]) -> str:
    """Write values as a person would into a recipe.

    >>> print(as_yaml({"name": "naïve", "model": {"hidden": [2, 1]}}))
    name: naïve
    model:
      hidden: [2, 1]
    <BLANKLINE>
    """
    import yaml

    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100)

"""Matplotlib figures as inline SVG that takes its ink from the page, light or dark."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

# Text and axes are drawn in this colour, which nothing else uses, and it becomes the page's own ink.
INK = "#0b0c0d"
# Ink for what the data says: each is at least 3:1 on white and on the dark page, and they differ to colour-blind eyes.
GREY, METHODS = "#7a828c", ("#c8711a", "#3f74d6", "#b04a98", "#15897a", "#8d7d12", "#cf4a4a")
# Activation from low to high: even steps in Oklab along blue to orange, the axis that most colour-blind eyes keep.
RAMP = ("#3764cd", "#685dcd", "#8c58c4", "#a953b0", "#c05194", "#d05575", "#d86055", "#d77232", "#cd8711")


def draw(width: float, height: float, paint: Callable[[Figure], None], key: str, label: str) -> Markup:
    """Return an ``<svg>`` of ``width`` x ``height`` CSS pixels.

    Args:
        width: at this width on screen a text of size 11 is 11 pixels high.
        height: as width.
        paint: draws into the figure it is given; `INK` is the colour of the page's text.
        key: prefix that keeps the ids of several figures on one page apart.
        label: what the figure shows, for those who do not see it.
    """
    from matplotlib.figure import Figure

    with _style(key):
        figure = Figure(figsize=(width / 72, height / 72))
        paint(figure)
        buffer = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(buffer, format="svg", transparent=True, dpi=200, metadata=nothing)
    return _inline(buffer.getvalue(), width, height, key, label)


@contextmanager
def _style(key: str) -> Iterator[None]:
    from matplotlib import rc_context

    ink = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color", "grid.color")
    rest = {
        "svg.fonttype": "none",
        "svg.hashsalt": key,
        "font.size": 12,
        "font.family": "DejaVu Sans",
        # A corpus or method may have a dollar sign in its name.
        "text.parse_math": False,
        "axes.unicode_minus": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.8,
        "grid.linewidth": 0.6,
        "grid.alpha": 0.16,
        "axes.axisbelow": True,
    }
    with rc_context({**dict.fromkeys(ink, INK), **rest}):
        yield


def _inline(text: str, width: float, height: float, key: str, label: str) -> Markup:
    """Cut a whole SVG file down to an element that lives among others in one page."""
    body = text[text.index(">", text.index("<svg")) + 1 :]
    # The style element would apply to the whole page, and comments repeat every text.
    for useless in (r"<metadata>.*?</metadata>", r"<!--.*?-->", r"<defs>\s*<style.*?</style>\s*</defs>"):
        body = re.sub(useless, "", body, flags=re.DOTALL)
    body = body.replace("xlink:href", "href").replace(INK, "currentColor")
    body = re.sub(r"font: (?:[\w.]+ )*?([\d.]+px) [^;\"]*", r"font-size: \1", body)
    body = _own_ids(body, key)
    # Coordinates alone: a name between tags may hold a number whose last digit tells it from another.
    body = re.sub(r"<[^>]*>", lambda tag: re.sub(r"(\d\.\d\d)\d+", r"\1", tag[0]), body)
    body = re.sub(r"\n\s*", "\n", body)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="{escape(label)}" style="--w: {width:g}px">'
    )
    return Markup(head + body)


def _own_ids(body: str, key: str) -> str:
    """Drop ids that nothing refers to and put the figure's key before the others."""
    used = set(re.findall(r"(?:href=\"#|url\(#)([^\")]+)", body))
    body = re.sub(r' id="([^"]+)"', lambda m: f' id="{key}-{m[1]}"' if m[1] in used else "", body)
    return re.sub(r'(href="#|url\(#)', rf"\g<1>{key}-", body)

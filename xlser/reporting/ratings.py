"""How axes of the embedding follow rated dimensions: a dot plot of r, and the table of correlations."""

from __future__ import annotations

from markupsafe import Markup

from xlser.reporting import figures, tables
from xlser.reporting.facts import Facts
from xlser.reporting.section import Details, Figure, Heading, Panels, Part, Section
from xlser.reporting.wording import listing


def section(facts: Facts) -> Section:
    """Return Pearson's r with its gain over the baseline, Spearman and CCC of every axis and dimension."""
    dimensions = listing(facts.dimensions)
    heads = [
        "Method and axis",
        "Pearson",
        f"Gain in Pearson over {facts.method_name(facts.baseline)}",
        "Spearman",
        "CCC",
    ]
    main, single = tables.correlation_blocks(facts), tables.correlation_blocks(facts, singles=True)
    parts = _picture(facts, dimensions) if facts.drawn else []
    if main:
        caption = "Axes of the embedding against ratings; chance is 0 everywhere"
        parts += [Heading(f"Correlation: {dimensions}", "correlation")]
        parts += [tables.score_table(main, caption, "Correlation table", heads)]
    if single:
        caption = "Each latent dimension against ratings; chance is 0 everywhere"
        table = tables.score_table(single, caption, "Correlation table of single latents", heads)
        parts += [Details("Single latents", [table])]
    left_out = "" if parts else "No corpus has ratings on both sides to correlate."
    return Section("ratings", "Ratings", parts, left_out=left_out)


def _picture(facts: Facts, dimensions: str) -> list[Part]:
    panels = figures.correlation_panels(facts)
    if not panels:
        return []
    caption = Markup(
        "{}, fitted or oriented on the source. Bars are {} intervals over speakers; the dashed line is chance, r = 0. "
        'Numbers in the <a href="#correlation">correlation table</a>.'
    ).format(figures.axis_legend(facts), facts.percent)
    kind = "panels pairs" if len(facts.dimensions) == 2 else "panels"
    return [Figure([Panels(panels, kind)], caption, f"Pearson's r of an axis with {dimensions}")]

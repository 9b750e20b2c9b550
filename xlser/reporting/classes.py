"""How well emotion classes are read: a dot plot of UA, and tables of classifiers and of what reads the embedding."""

from __future__ import annotations

from markupsafe import Markup

from xlser.reporting import figures, tables
from xlser.reporting.facts import Facts
from xlser.reporting.section import Figure, Heading, Note, Panels, Part, Section


def section(facts: Facts) -> Section:
    """Return UA, its gain over the baseline, WA and macro-F1 of every method, reader and protocol."""
    compared, read = tables.compared_blocks(facts), tables.transfer_blocks(facts)
    over = facts.method_name(facts.baseline)
    parts: list[Part] = [
        Note(
            f"Every method, reader and protocol. Brackets: {facts.percent} intervals over speakers. ▲ ▼: the interval "
            f"of the gain over {over} excludes 0. Shaded: what the recipe is about; the rest are baselines."
        ),
        # A run's first screen has it.
        *([] if facts.drawn else _picture(facts, "compared" if compared else "transfer")),
    ]
    if compared:
        caption = (
            "Each method's classifier, then the same mixed with the votes of its nearest training clips (+ kNN), on "
            "the source's held-out speakers and on each target"
        )
        heads = ["Method", "WA", "UA", "Macro-F1", f"Gain in UA over {over}"]
        parts += [Heading("Classifiers, alone and with nearest neighbours", "compared")]
        parts += [tables.score_table(compared, caption, "Table of classifiers", heads)]
    if read:
        caption = (
            "The embedding alone, read by classifiers fitted on the source, on its held-out speakers and on each "
            f"target; gains are over the same reader of {over}"
            if compared
            else "Emotion classes read on the source's held-out speakers and on each target"
        )
        heads = ["Method and reader", "UA", f"Gain in UA over {over}", "WA", "Macro-F1"]
        parts += [
            Heading("Embeddings read by other classifiers" if compared else "Transfer: emotion classes", "transfer")
        ]
        parts += [tables.score_table(read, caption, "Transfer table", heads)]
    nothing = "" if compared or read else facts.unscored
    return Section("classes", "Emotion classes", [] if nothing else parts, left_out=nothing)


def _picture(facts: Facts, table: str) -> list[Part]:
    panels = figures.transfer_panels(facts)
    if not panels:
        return []
    named = "table of classifiers" if table == "compared" else "transfer table"
    caption = Markup(
        "{}. Bars are {} intervals over speakers (no bar: too few for one); the dashed line is chance. {} shows its "
        'held-out speakers. All panels share one axis; numbers in the <a href="#{}">{}</a>.'
    ).format(figures.legend(facts), facts.percent, facts.source, table, named)
    return [Figure([Panels(panels)], caption, "Unweighted accuracy")]

"""Under which protocol a prediction stands beside the numbers of the report, in words."""

from __future__ import annotations

import math

from xlser.experiment.use.combined_model import CombinedChoice
from xlser.experiment.use.folder import Chosen
from xlser.experiment.use.transductive import Shift
from xlser.vocabulary import TRANSDUCTIVE, ZERO_SHOT

_SHOWN = 4


def protocol_lines(chosen: Chosen | CombinedChoice, shift: Shift | None) -> list[str]:
    """Return how recordings are read, what the report says of that, and where its first numbers are of something else.

    Args:
        chosen: the model.
        shift: how their own statistics are used, or None.
    """
    if isinstance(chosen, CombinedChoice):
        return chosen.protocol_lines()
    headline = chosen.headline
    if shift is None:
        lines = [f"{ZERO_SHOT}: nothing but a recording itself is looked at{_scores(headline.zero_shot)}"]
        if headline.protocol == TRANSDUCTIVE:
            first = _scores(headline.read_by(TRANSDUCTIVE, chosen.recipe.normalise), ", UA")
            comma = "," if first else ""
            lines.append(
                f"the report's headline{first}{comma} is {TRANSDUCTIVE}, by statistics of the target's own recordings "
                f"({chosen.recipe.normalise}): --adapt gives it"
            )
    else:
        scores = headline.read_by(TRANSDUCTIVE, shift.name)
        lines = [
            f"{TRANSDUCTIVE}, by {shift.name}: statistics of these very recordings are used, unlabelled"
            f"{_scores(scores)}"
        ]
        lines += [shift.note] if shift.note else []
    if chosen.method not in headline.methods and headline.scores:
        lines.append(
            f"the report's first numbers are of the method {' and '.join(map(repr, headline.methods))}, which did no "
            f"better on the source's validation speakers: --method {headline.methods[0]} takes it"
        )
    return lines


def _scores(scores: dict[str, float], lead: str = "; the report's UA of this method and readout is") -> str:
    """Return the UA on the targets, nothing where none was scored."""
    known = [f"{value:.2f} on {name}" for name, value in scores.items() if not math.isnan(value)]
    if not known:
        return ""
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return f"{lead} {', '.join(known[:_SHOWN])}{more}"

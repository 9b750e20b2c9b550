"""Which model of a run or bench is meant where none is named, in words."""

from __future__ import annotations

from typing import Any

from xlser.evaluation.results import chosen_of
from xlser.reporting.wording import number, reader_name

LEAD = "Chosen on validation speakers of its own source:"


def chosen_sentence(results: dict[str, Any]) -> str:
    """Return the model that `xlser predict` takes and `xlser compare` sets beside others; empty where none is chosen.

    >>> row = {"role": "source, validation speakers", "metric": "UA", "method": "plain", "classifier": "knn"}
    >>> about = {"recipe": {"name": "dae", "source": "emodb"}}
    >>> chosen_sentence({"about": about, "corpora": [], "transfer": [row | {"value": 0.5}]})
    'emodb/dae/plain read by kNN (UA 0.50), which `xlser predict` takes.'
    """
    best = chosen_of(results)
    if best is None:
        return ""
    (recipe, source), choice = best
    reader, accuracy = reader_name(choice.classifier), number(choice.validation)
    return f"{source}/{recipe}/{choice.method} read by {reader} (UA {accuracy}), which `xlser predict` takes."

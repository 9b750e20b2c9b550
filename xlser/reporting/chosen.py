"""Which model of a run or bench is meant where none is named, in words."""

from __future__ import annotations

from typing import Any

from xlser.evaluation.headline import protocol_of
from xlser.evaluation.results import chosen_of
from xlser.reporting.wording import number, reader_name
from xlser.vocabulary import TRANSDUCTIVE

LEAD = "Chosen on validation speakers of its own source:"


def chosen_sentence(results: dict[str, Any]) -> str:
    """Return the model that `xlser predict` takes and `xlser compare` sets beside others; empty where none is chosen.

    Where its recipe's own numbers are transductive, it says how predicting is made to be.

    >>> row = {"role": "source, validation speakers", "metric": "UA", "method": "plain", "classifier": "knn"}
    >>> about = {"recipe": {"name": "dae", "source": "emodb"}}
    >>> chosen_sentence({"about": about, "corpora": [], "transfer": [row | {"value": 0.5}]})
    'emodb/dae/plain read by kNN (UA 0.50), which `xlser predict` takes.'
    """
    best = chosen_of(results)
    if best is None:
        return ""
    (recipe, source), choice = best
    about, reader, accuracy = results["about"], reader_name(choice.classifier), number(choice.validation)
    values = about["recipes"][recipe] if "recipes" in about else about["recipe"]
    how = " `--adapt` gives its transductive numbers; without it, it predicts zero-shot."
    return f"{source}/{recipe}/{choice.method} read by {reader} (UA {accuracy}), which `xlser predict` takes." + (
        how if protocol_of(values) == TRANSDUCTIVE else ""
    )

"""The front matter of a model card, by which the hub sorts and shows models."""

from __future__ import annotations

import math
import re
from typing import Any

from xlser.reporting.modelcard.model_facts import CardScore, ModelFacts

TAGS = ("speech-emotion-recognition", "speech", "audio", "xlser")
TASK = "audio-classification"
METRIC = "unweighted-average-recall"


def front_matter(facts: ModelFacts, name: str) -> str:
    """Return the front matter between its lines of dashes; ``name`` is what the index of results calls the model."""
    from huggingface_hub import ModelCardData

    terms = facts.terms
    scores = [_result(score) for score in facts.scores if math.isfinite(score.value)]
    card = ModelCardData(
        language=_languages(facts),
        license=terms.hub,
        license_name=_slug(terms.name) if terms.hub == "other" else None,
        library_name="xlser",
        pipeline_tag=TASK,
        tags=list(TAGS),
        datasets=[str(row["corpus"]) for row in facts.learnt_from] or None,
        metrics=[METRIC],
        base_model=list(dict.fromkeys(one.hub for one in facts.checkpoints if one.hub)) or None,
        model_name=name if scores else None,
        eval_results=scores or None,
    )
    return f"---\n{card.to_yaml(line_break=chr(10)).rstrip()}\n---"


def _result(score: CardScore) -> Any:
    from huggingface_hub import EvalResult

    more = {"protocol": score.protocol, "chance": score.chance, "low": score.low, "high": score.high}
    return EvalResult(
        task_type=TASK,
        task_name="Speech emotion recognition",
        dataset_type=_slug(score.corpus),
        dataset_name=score.title,
        dataset_args={"read": score.how} if score.how else None,
        metric_type=METRIC,
        metric_name=f"UA ({score.protocol})",
        metric_value=round(score.value, 4),
        metric_args={key: round(x, 4) if isinstance(x, float) else x for key, x in more.items() if _known(x)},
    )


def _known(value: Any) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


def _languages(facts: ModelFacts) -> list[str] | None:
    """Return the languages without their regions, which the hub does not know."""
    texts = [part for row in (*facts.learnt_from, *facts.adapted_to) for part in re.split(r"[,+ ]+", _language(row))]
    codes = [text.partition("-")[0].lower() for text in texts]
    return list(dict.fromkeys(code for code in codes if re.fullmatch(r"[a-z]{2,3}", code))) or None


def _language(row: Any) -> str:
    return str(row.get("language") or "")


def _slug(text: str) -> str:
    """Return a name as the hub wants one.

    >>> _slug("CC BY-SA and non-commercial")
    'cc-by-sa-and-non-commercial'
    """
    return re.sub(r"[^a-z0-9.+-]+", "-", text.lower()).strip("-")

"""What the page and the model card of a search say of its corpora and checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xlser.data.dataset import Dataset
from xlser.experiment.best.question import BestQuestion
from xlser.models.origin import origin


def about_best(
    question: BestQuestion,
    sources: Sequence[Dataset],
    target: Dataset,
    checkpoints: Sequence[Mapping[str, Any]],
    out: Path | None = None,
) -> dict[str, Any]:
    """Return what the page and the model card say of corpora and checkpoints."""
    rows = [corpus_row(dataset, "source", question) for dataset in sources] + [corpus_row(target, "target", question)]
    known = [row for row in checkpoints if not str(row["weights"]).startswith("random:")]
    more = {"checkpoints": [dict(row) | origin(row["weights"], revision=row.get("revision")) for row in known]}
    return {"out": str(out or "FOLDER"), "encoder": question.encoder, "corpora": rows, **(more if known else {})}


def corpus_row(dataset: Dataset, role: str, question: BestQuestion) -> dict[str, Any]:
    """Return what is said of one corpus, JSON-able."""
    facts, frame = dataset.facts, dataset.frame
    kept = frame["emotion"][frame["emotion"].isin(question.emotions)].value_counts()
    unknown = frame["speaker"].str.startswith("unknown:").all()
    return {
        "corpus": dataset.name,
        "title": facts.title,
        "role": role,
        "language": dataset.language,
        "synthetic": facts.synthetic,
        "licence": facts.licence,
        "citation": facts.citation,
        "utterances": len(frame),
        "speakers": None if unknown else int(frame["speaker"].nunique()),
        "labels": {"kept": {str(name): int(number) for name, number in kept.items()}},
        "left_out": {reason: len(paths) for reason, paths in dataset.left_out.items()},
        "notes": dataset.notes,
    }

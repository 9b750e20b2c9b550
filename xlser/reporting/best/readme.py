"""The model card of what `xlser best` chose: Markdown with the front matter that the Hugging Face hub reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from xlser.evaluation.candidates import BestResult
from xlser.evaluation.contamination import checkpoints_of
from xlser.reporting.best.answer import PLAIN, chance, expected, in_hindsight, spread
from xlser.reporting.pretraining import cautions, lines, warnings
from xlser.reporting.wording import counted, listing, number


def readme(result: BestResult) -> str:
    """Return README.md of a model's folder: data and licences, what was chosen and how, what of the target was seen."""
    about = result.about
    checkpoints = checkpoints_of(about, {})
    corpora = about.get("corpora", [])
    real = [row["corpus"] for row in corpora if not row["synthetic"]]
    heard = [*warnings(checkpoints, "+".join(result.sources), [result.target]), *cautions(checkpoints, real)]
    out = "FOLDER"  # it is passed on: no place of this machine
    blocks = [
        _front([one.hub for one in checkpoints if one.hub]),
        f"# Speech emotion in {result.target}",
        f"Says which of {listing(result.classes)} a recording has. Read it with `xlser predict {out} RECORDINGS "
        f'--format csv`, or in Python with `xlser.load("{out}")`. Made by `xlser best` {_version(about)}.',
        "## Trained on",
        *("\n".join(_corpus(row)) for row in corpora if row["role"] == "source"),
        f"## Made for {result.target}",
        _target(result),
        *("\n".join(_corpus(row)) for row in corpora if row["role"] == "target"),
        "## What was chosen, and how",
        "\n".join(f"- {name}: {text}" for name, text in _chosen(result)),
        *([_listed(result.decisions)] if result.decisions else []),
        "## How good it is",
        _good(result),
        *([_listed(result.notes)] if result.notes else []),
        *(["## Pretrained checkpoints"] if checkpoints else []),
        *("\n".join(f"- {key}: {text}" for key, text in lines(one)) for one in checkpoints),
        *heard,
    ]
    return "\n\n".join(blocks) + "\n"


def _front(bases: list[str]) -> str:
    tags = ["library_name: xlser", "tags:", "- speech-emotion-recognition"]
    return "\n".join(["---", *tags, *(["base_model:", *(f"- {name}" for name in bases)] if bases else []), "---"])


def _version(about: Mapping[str, Any]) -> str:
    return f"of xlser {about.get('versions', {}).get('xlser', '')}".strip()


def _corpus(row: Mapping[str, Any]) -> Iterator[str]:
    yield f"- Corpus: {row['corpus']}, {row['title']}" + (", synthetic speech" if row["synthetic"] else "")
    yield f"- Language: {row['language']}"
    yield f"- Size: {row['utterances']} utterances of {row['speakers']} speakers; {counted(row['labels']['kept'])}"
    yield f"- Licence: {row.get('licence') or 'not stated'}"
    yield f"- Citation: {row.get('citation') or 'not stated'}"


def _target(result: BestResult) -> str:
    looked = listing(result.looks_at) if result.looks_at else "nothing"
    return (
        f"Protocol: {result.protocol}. Of {result.target} was looked at: {looked}. Recordings that are unlike "
        f"{result.target}'s, of another language, microphone or room, want a model of their own."
    )


def _chosen(result: BestResult) -> Iterator[tuple[str, str]]:
    row = result.get(result.chosen)
    yield "Chosen", row.name
    yield "Hears", row.representation
    yield "Statistics of", row.statistics
    yield "Adaptation", row.adaptation or "none"
    yield "Readout", f"{row.readout}, {row.combination}"
    yield "Choice", f"{result.chosen_by.rstrip('.')}; of {len(result.candidates)} candidates."


def _good(result: BestResult) -> str:
    chosen, plain = result.get(result.chosen), result.get(result.baseline)
    several = (
        "each source left out in turn as a pretended target" if len(result.sources) > 1 else "the source's speakers"
    )
    hindsight = in_hindsight(result) or f"How good it is on {result.target} is not known."
    return (
        f"UA {spread(expected(chosen))} on {several}; {PLAIN} {spread(expected(plain))}; chance "
        f"{number(chance(result))}. {hindsight}"
    )


def _listed(sentences: tuple[str, ...]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)

"""The model card of a saved model: what it is, what it was trained on, and under which terms that stands."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from xlser.evaluation.contamination import Checkpoint
from xlser.evaluation.results import Results
from xlser.evaluation.results_file import read_table
from xlser.experiment.use.folder import Chosen
from xlser.reporting.pretraining import cautions, lines, warnings
from xlser.reporting.wording import as_yaml, number, reader_name

# Where recordings lay, and which clip stood in which part: a table of them may be long.
_LEFT_OUT: Any = {"source": True, "targets": True, "description": True, "split": {"given"}}


def model_card(chosen: Chosen, results: Results) -> str:
    """Return README.md of a saved model, Markdown with the front matter that the Hugging Face hub reads.

    Args:
        chosen: the model.
        results: of the run that it is of, or the part of a bench that is about its recipe and source.
    """
    home = results.homes[chosen.recipe.name, chosen.source]
    corpus: Mapping[str, Any] = home["about"] if results.kind == "bench" else results.table["corpora"][0]
    checkpoints = results.provenance.checkpoints
    blocks = [
        _front(checkpoints),
        f"# {chosen.name}",
        "Says which emotion a recording has. Read it with `xlser predict FOLDER FILE`, or in Python with "
        f'`xlser.load("FOLDER")`. Made by xlser {results.provenance.versions["xlser"]}.',
        "## Trained on",
        "\n".join(f"- {name}: {text}" for name, text in _corpus(corpus)),
        "## How good it was",
        _validation(chosen),
        *_pretrained(checkpoints, corpus),
        "## Recipe",
        f"```yaml\n{as_yaml(chosen.recipe.model_dump(mode='json', exclude=_LEFT_OUT)).rstrip()}\n```",
    ]
    return "\n\n".join(blocks) + "\n"


def results_of(chosen: Chosen) -> Results:
    """Return the results of the folder that a model is of; of a bench, what is about the model's recipe and source."""
    kind: Literal["run", "bench"] = "bench" if chosen.run != chosen.job.folder else "run"
    results = read_table(chosen.run, kind)
    if kind == "bench":
        place = {"recipe": chosen.recipe.name, "source": chosen.source}
        for table in ("cells", "trained", "chosen"):
            results[table] = [row for row in results.get(table, ()) if place.items() <= row.items()]
        results["cells"] = [cell for cell in results["cells"] if cell["target"] == chosen.source]
        results |= {table: [] for table in ("matrix", "comparisons", "languages")} | {"failed": {}, "holes": {}}
    return Results(chosen.run, kind, results)


def _front(checkpoints: tuple[Checkpoint, ...]) -> str:
    bases = [f"- {one.hub}" for one in checkpoints if one.hub]
    tags = ["library_name: xlser", "tags:", "- speech-emotion-recognition"]
    return "\n".join(["---", *tags, *(["base_model:", *bases] if bases else []), "---"])


def _corpus(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Corpus", f"{row['corpus']}, {row['title']}" + (", synthetic speech" if row["synthetic"] else "")
    yield "Language", str(row["language"])
    yield "Size", f"{row['utterances']} utterances of {row['speakers']} speakers"
    yield "Licence", str(row.get("licence") or "not stated")
    yield "Citation", str(row.get("citation") or "not stated")


def _validation(chosen: Chosen) -> str:
    if chosen.reader is None or math.isnan(chosen.accuracy):
        return "No emotions were scored on validation speakers."
    return (
        f"UA {number(chosen.accuracy)} on validation speakers of {chosen.source}, read by "
        f"{reader_name(chosen.reader)}. How it does on other corpora is not known from this."
    )


def _pretrained(checkpoints: tuple[Checkpoint, ...], corpus: Mapping[str, Any]) -> list[str]:
    if not checkpoints:
        return []
    name = str(corpus["corpus"])
    heard = [*warnings(checkpoints, name, []), *cautions(checkpoints, [] if corpus["synthetic"] else [name])]
    tables = ["\n".join(f"- {key}: {text}" for key, text in lines(one)) for one in checkpoints]
    return ["## Pretrained checkpoints", *tables, *heard]

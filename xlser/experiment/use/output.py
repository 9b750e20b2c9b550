"""Predictions as a table, as CSV, or as JSON lines; embeddings as a table or as arrays."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np

from xlser.atomic import replacing
from xlser.errors import XlserError
from xlser.experiment.use.answer import Neighbour, Prediction
from xlser.experiment.use.model import Model

FORMATS = ("table", "csv", "jsonl")
EMBEDDED = (".parquet", ".csv", ".npz")


def opened(out: Path | None, screen: IO[str]) -> AbstractContextManager[IO[str]]:
    """Return a text file that appears whole or not at all, or the screen."""
    return nullcontext(screen) if out is None else _written(out)


def write_predictions(
    predictions: Iterable[Prediction], model: Model, labels: tuple[str, ...], form: str, file: IO[str]
) -> None:
    """Write each prediction as it comes (a table: all at the end), with source, recipe, method and seed of the model.

    >>> import io
    >>> from types import SimpleNamespace
    >>> given = SimpleNamespace(given_by={"valence": "head"})
    >>> chosen = SimpleNamespace(name="emodb/ce/supcon/0", method="supcon", seed=0)
    >>> model = SimpleNamespace(chosen=chosen, dimensions=given)
    >>> one = Prediction("a.wav", 1.5, "joy", {"joy": 0.75, "anger": 0.25}, {"valence": 0.5}, 0.125, 40.0)
    >>> file = io.StringIO()
    >>> write_predictions([one], model, ("joy", "anger"), "jsonl", file)
    >>> json.loads(file.getvalue())["probabilities"]
    {'joy': 0.75, 'anger': 0.25}
    >>> file = io.StringIO()
    >>> write_predictions([one], model, ("joy", "anger"), "table", file)
    >>> print(file.getvalue(), end="")
    file   seconds  emotion  joy   anger  valence  percentile  nearest
    a.wav  1.5      joy      0.75  0.25   +0.50    40          -
    """
    {"table": _table, "csv": _csv, "jsonl": _lines}[form](predictions, model, labels, file)


def write_embeddings(rows: Iterable[tuple[str, np.ndarray, float]], encoder: str, out: Path) -> int:
    """Write embeddings with their files' names, whole or not at all, and return how many.

    ``.parquet`` and ``.csv`` have the columns file, seconds and z1, z2 ...; ``.npz`` the arrays files (N,), seconds
    (N,), embeddings (N, D) and encoder, none of them pickled.

    Raises:
        XlserError: another suffix, or a place that cannot be written. ValueError: there is no row.
    """
    import pandas as pd

    check_embedded(out)
    found = list(rows)
    if not found:
        raise ValueError("`rows` must hold at least one embedding, but is empty instead.")
    names, vectors, seconds = zip(*found, strict=True)
    with replacing(out) as temporary:
        if out.suffix == ".npz":
            with temporary.open("wb") as file:  # by name, numpy would add a suffix of its own
                arrays = {"embeddings": np.stack(vectors), "seconds": np.array(seconds)}
                np.savez(file, files=np.array(names), encoder=np.array(encoder), **arrays)
            return len(found)
        columns = [f"z{number + 1}" for number in range(len(vectors[0]))]
        frame = pd.DataFrame(np.stack(vectors), columns=columns)
        frame.insert(0, "file", names)
        frame.insert(1, "seconds", seconds)
        _ = frame.to_csv(temporary, index=False) if out.suffix == ".csv" else frame.to_parquet(temporary, index=False)
    return len(found)


def check_embedded(out: Path) -> None:
    """Refuse a name that says no format, before any work.

    Raises:
        XlserError: the suffix is none of those known.
    """
    if out.suffix not in EMBEDDED:
        raise XlserError(f"--out must end in {', '.join(EMBEDDED)}, but is {out} instead.")


@contextmanager
def _written(out: Path):
    with replacing(out) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        yield file


def _lines(predictions: Iterable[Prediction], model: Model, labels: tuple[str, ...], file: IO[str]) -> None:
    for one in predictions:
        told = asdict(one) | {"model": model.chosen.name, "method": model.chosen.method, "seed": model.chosen.seed}
        told["percentile"] = None if math.isnan(one.percentile) else one.percentile
        file.write(json.dumps(told, ensure_ascii=False, allow_nan=False) + "\n")


def _csv(predictions: Iterable[Prediction], model: Model, labels: tuple[str, ...], file: IO[str]) -> None:
    rows = csv.writer(file, lineterminator="\n")
    rated = list(model.dimensions.given_by)
    head = ["file", "seconds", "emotion", *(f"p_{name}" for name in labels), *rated]
    rows.writerow([*head, "distance", "percentile", "warning", "neighbours", "method", "seed", "model"])
    for one in predictions:
        numbers = [one.probabilities[name] for name in labels] + [one.ratings[name] for name in rated]
        near = "; ".join(f"{_neighbour(n)} ({n.distance:.4g})" for n in one.neighbours)
        cells = [one.file, f"{one.seconds:.3f}", one.emotion, *map(_number, numbers)]
        cells += [_number(one.distance), _number(one.percentile), one.warning, near]
        rows.writerow([*cells, model.chosen.method, model.chosen.seed, model.chosen.name])


def _table(predictions: Iterable[Prediction], model: Model, labels: tuple[str, ...], file: IO[str]) -> None:
    rated = list(model.dimensions.given_by)
    rows = [["file", "seconds", "emotion", *labels, *rated, "percentile", "nearest"]]
    for one in predictions:
        shares = [f"{one.probabilities[name]:.2f}" for name in labels]
        cells = [one.file, f"{one.seconds:.1f}", one.emotion, *shares, *(f"{one.ratings[r]:+.2f}" for r in rated)]
        far = "-" if math.isnan(one.percentile) else f"{one.percentile:.0f}" + " UNFAMILIAR" * bool(one.warning)
        rows.append([*cells, far, _neighbour(one.neighbours[0]) if one.neighbours else "-"])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        file.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")


def _neighbour(one: Neighbour) -> str:
    return f"{one.corpus} {one.language} {one.speaker} {one.path} {one.emotion}".strip()


_number: Callable[[Any], str] = "{:.6g}".format

"""Predictions as a table, as CSV, or as JSON lines; embeddings as a table or as arrays."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np

from xlser.atomic import replacing
from xlser.csvcells import Writer, write_frame
from xlser.errors import XlserError
from xlser.experiment.use.answer import Neighbour, Prediction
from xlser.experiment.use.model import Model
from xlser.experiment.use.request import Request
from xlser.printable import one_line

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


def write_embeddings(rows: Iterable[tuple[Request, np.ndarray, float]], encoder: str, out: Path) -> int:
    """Write embeddings with their files' names, whole or not at all, and return how many.

    ``.parquet`` and ``.csv`` have the columns file, start and end of segments, seconds, and z1, z2 ..., behind those of
    the list; ``.npz`` the arrays files (N,), starts and ends (N,) of segments, seconds (N,), embeddings (N, D) and
    encoder, none of them pickled.

    Raises:
        XlserError: another suffix, or a place that cannot be written. ValueError: there is no row.
    """
    import pandas as pd

    check_embedded(out)
    found = list(rows)
    if not found:
        raise ValueError("`rows` must hold at least one embedding, but is empty instead.")
    requests, vectors, seconds = zip(*found, strict=True)
    names, bounds = [request.name for request in requests], [(request.start, request.end) for request in requests]
    cut = any(bound is not None for pair in bounds for bound in pair)
    starts, ends = np.array(bounds, dtype=float).T
    with replacing(out) as temporary:
        if out.suffix == ".npz":
            arrays = {"embeddings": np.stack(vectors), "seconds": np.array(seconds)}
            arrays |= {"starts": starts, "ends": ends} if cut else {}
            with temporary.open("wb") as file:  # by name, numpy would add a suffix of its own
                np.savez(file, files=np.array(names), encoder=np.array(encoder), **arrays)
            return len(found)
        own = {"file": names} | ({"start": starts, "end": ends} if cut else {}) | {"seconds": seconds}
        own |= {f"z{number + 1}": values for number, values in enumerate(np.stack(vectors).T)}
        given = list(requests[0].columns)
        columns = {name: [request.columns[name] for request in requests] for name in given}
        renamed = dict(zip(own_names(list(own), given), own.values(), strict=True))
        frame = pd.DataFrame(columns | renamed)
        if out.suffix == ".csv":
            write_frame(frame, temporary)
        else:
            frame.to_parquet(temporary, index=False)
    return len(found)


def own_names(names: Sequence[str], given: Collection[str]) -> list[str]:
    """Return what xlser's own columns are called beside those of a list: ``xlser_emotion`` where it has an ``emotion``.

    >>> own_names(["file", "emotion"], ["path", "emotion"])
    ['file', 'xlser_emotion']
    """
    taken, out = set(given), []
    for name in names:
        free = name
        while free in taken:
            free = f"xlser_{free}"
        out.append(free)
    return out


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
        said = asdict(one)
        given = said.pop("columns")
        said |= {"model": model.chosen.name, "method": model.chosen.method, "seed": model.chosen.seed}
        said["percentile"] = None if math.isnan(one.percentile) else one.percentile
        row = given | dict(zip(own_names(list(said), given), said.values(), strict=True))
        file.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")


def _csv(predictions: Iterable[Prediction], model: Model, labels: tuple[str, ...], file: IO[str]) -> None:
    rows, given = Writer(file), None
    rated = list(model.dimensions.given_by)
    for one in predictions:
        own: dict[str, Any] = {"file": one.file}
        own |= {"start": _second(one.start), "end": _second(one.end), "channel": one.channel}
        own |= {"seconds": f"{one.seconds:.3f}", "emotion": one.emotion}
        own |= {f"p_{name}": _number(one.probabilities[name]) for name in labels}
        own |= {name: _number(one.ratings[name]) for name in rated}
        near = "; ".join(f"{_neighbour(n)} ({n.distance:.4g}{_VOTE[n.voted]})" for n in one.neighbours)
        own |= {"distance": _number(one.distance), "percentile": _number(one.percentile), "warning": one.warning}
        own |= {"neighbours": near, "protocol": one.protocol, "adapt": one.adapt}
        own |= {"method": model.chosen.method, "seed": model.chosen.seed, "model": model.chosen.name}
        if given is None:
            given = list(one.columns)
            rows.writerow([*given, *own_names(list(own), given)])
        rows.writerow([*(one.columns[name] for name in given), *own.values()])


def _table(predictions: Iterable[Prediction], model: Model, labels: tuple[str, ...], file: IO[str]) -> None:
    rated, predictions = list(model.dimensions.given_by), list(predictions)
    cut = any(one.start is not None for one in predictions)
    several = any(one.channel != "mix" for one in predictions)
    where = ["start"] * cut + ["channel"] * several
    rows = [["file", *where, "seconds", "emotion", *labels, *rated, "percentile", "nearest"]]
    for one in predictions:
        shares = [f"{one.probabilities[name]:.2f}" for name in labels]
        place = [_second(one.start or 0)] * cut + [one.channel] * several
        cells = [one_line(one.file), *place, f"{one.seconds:.1f}", one.emotion or "-", *shares]
        cells += [f"{one.ratings[name]:+.2f}" for name in rated]
        far = "-" if math.isnan(one.percentile) else f"{one.percentile:.0f}" + " UNFAMILIAR" * bool(one.warning)
        rows.append([*cells, far, _neighbour(one.neighbours[0]) if one.neighbours else "-"])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        file.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")


def _neighbour(one: Neighbour) -> str:
    return one_line(f"{one.corpus} {one.language} {one.speaker} {one.path} {one.emotion}".strip())


def _second(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.10g}"


_number: Callable[[Any], str] = "{:.6g}".format
_VOTE = {True: "", False: ", did not vote"}

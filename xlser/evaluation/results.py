"""What results.json holds of every recipe and source, whether of a run or of a bench: a run is a bench of one cell."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from xlser.evaluation.choice import Choice, ReadingChoice, choose, choose_among, readings_of
from xlser.evaluation.contamination import Checkpoint, checkpoints_of
from xlser.evaluation.pretended import choose_for, rows_of
from xlser.evaluation.results_file import Kind, kind_of, read_table
from xlser.vocabulary import TRANSDUCTIVE, VALIDATION

Row = dict[str, Any]
Place = tuple[str, str]


@dataclass(frozen=True)
class CellScore:
    """One number of a run or bench, with all that it is a number of.

    Attributes:
        recipe: and ``source`` say what was trained, ``corpus`` and ``role`` on which clips it was judged.
        method: of the recipe, ``features`` for none; ``readout`` is what spoke for it.
        value: of the ``metric``, over all seeds; nan where it is not known.
        interval: its lower and upper end, over speakers; nan where there is none.
        chance: what guessing gives.
        protocol: ``zero-shot`` or ``transductive``; ``normalise`` whose statistics, or which adaptation.
    """

    recipe: str
    source: str
    corpus: str
    role: str
    method: str
    readout: str
    metric: str
    value: float
    interval: tuple[float, float]
    chance: float
    protocol: str
    normalise: str

    @property
    def is_result(self) -> bool:
        """Whether it may be reported: what is scored on validation speakers is what choices are made by."""
        return self.role != VALIDATION

    @classmethod
    def of(cls, place: Place, row: Mapping[str, Any]) -> CellScore:
        """Return a row of ``transfer`` that a recipe on a source gave."""
        return cls(
            *place,
            corpus=row["corpus"],
            role=row["role"],
            method=row["method"],
            readout=row["classifier"],
            metric=row["metric"],
            value=_number(row["value"]),
            interval=(_number(row["low"]), _number(row["high"])),
            chance=_number(row["chance"]),
            protocol=row["protocol"],
            normalise=row.get("normalise", ""),
        )


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


@dataclass(frozen=True)
class Provenance:
    """Where results come from: versions of xlser and of libraries, the command, and when it was finished.

    ``checkpoints`` are the pretrained ones that they rest on, each with its commit, hash and licence as far as known.
    """

    versions: Mapping[str, str]
    command: str
    finished: str
    checkpoints: tuple[Checkpoint, ...] = ()


@dataclass(frozen=True)
class Results:
    """What ``results.json`` of a run or bench holds; see `read_results`.

    Attributes:
        folder: of the run or bench, wherever it lies now.
        kind: ``run`` or ``bench``.
        table: all of it as it stands in the file, checked.
    """

    folder: Path
    kind: Kind
    table: Mapping[str, Any] = field(repr=False)

    @property
    def recipes(self) -> dict[str, dict[str, Any]]:
        """The values of each recipe, by its name."""
        about = self.table["about"]
        return dict(about["recipes"]) if self.kind == "bench" else {about["recipe"]["name"]: about["recipe"]}

    @property
    def provenance(self) -> Provenance:
        """Who made them, and when."""
        about = self.table["about"]
        named = [(about, about["recipe"])] if self.kind == "run" else []
        if self.kind == "bench":
            named = [(cell, self.recipes.get(cell["recipe"], {})) for cell in self.table.get("cells", ())]
        checkpoints = dict.fromkeys(one for row, recipe in named for one in checkpoints_of(row, recipe))
        return Provenance(dict(about["versions"]), about["command"], about["finished"], tuple(checkpoints))

    @property
    def missing(self) -> list[str]:
        """What a bench was asked for and does not hold, each with why: failed jobs, and holes. A run is whole."""
        tables = ("failed", "holes") if self.kind == "bench" else ()
        return [f"{name}: {why}" for table in tables for name, why in self.table[table].items()]

    @property
    def homes(self) -> dict[Place, Mapping[str, Any]]:
        """See `home_cells`."""
        return home_cells(self.table)

    @property
    def chosen(self) -> tuple[Place, Choice] | None:
        """See `chosen_of`."""
        return chosen_of(self.table)

    def scores(self, metric: str = "UA") -> list[CellScore]:
        """Return every score of a metric (UA, WA, macro-F1) in every corpus, cell by cell."""
        if self.kind == "run":
            ((place, home),) = self.homes.items()
            cells = [(place, home["transfer"])]
        else:
            cells = [((cell["recipe"], cell["source"]), cell["transfer"]) for cell in self.table["cells"]]
        return [CellScore.of(place, row) for place, rows in cells for row in rows if row["metric"] == metric]


def read_results(folder: str | Path, tables: tuple[str, ...] | None = None) -> Results:
    """Read what a run or a bench left.

    Args:
        folder: what `xlser run` or `xlser transfer` wrote.
        tables: of a bench those that are needed, all unless they are named; a run must have all of its own.

    Raises:
        RunError: see `xlser.evaluation.results_file.read_table`.
    """
    kind = kind_of(folder) or "run"
    return Results(Path(folder), kind, read_table(folder, kind, tables if kind == "bench" else None))


def home_cells(results: Mapping[str, Any]) -> dict[Place, Mapping[str, Any]]:
    """Return, by recipe and source, the table in which a source's own speakers were scored.

    They stand in the order in which recipes and sources were asked for: of equals the first is chosen. A run has one
    such table, itself; a bench has none where a job failed.

    >>> run = {"about": {"recipe": {"name": "dae", "source": "emodb"}}, "corpora": [], "transfer": []}
    >>> list(home_cells(run))
    [('dae', 'emodb')]
    >>> cells = [{"recipe": "dae", "source": name, "target": name} for name in ("emodb", "urdu")]
    >>> about = {"recipes": {"dae": {}}, "sources": ["urdu", "emodb"]}
    >>> list(home_cells({"about": about, "cells": cells}))
    [('dae', 'urdu'), ('dae', 'emodb')]
    """
    about = results["about"]
    if "cells" not in results:
        names = [row["corpus"] for row in results["corpora"] if row["role"] == "source"]
        return {(about["recipe"]["name"], (names or [about["recipe"]["source"]])[0]): results}
    own = {(cell["recipe"], cell["source"]): cell for cell in results["cells"] if cell["source"] == cell["target"]}
    asked = [(recipe, source) for recipe in about["recipes"] for source in about["sources"]]
    return {place: own[place] for place in dict.fromkeys([*asked, *own]) if place in own}


def own_scores(results: Mapping[str, Any]) -> dict[Place, list[Row]]:
    """Return the scores that `xlser.evaluation.choice.choose_among` chooses by, as `home_cells` orders them."""
    return {place: cell["transfer"] for place, cell in home_cells(results).items()}


def chosen_of(results: Mapping[str, Any]) -> tuple[Place, Choice] | None:
    """Return recipe and source, and the method and readout, that a prediction by this run or bench would take.

    None where nothing was scored on validation speakers.
    """
    return choose_among(own_scores(results))


def reading_of_new(
    results: Mapping[str, Any], place: Place, choice: Choice, names: Collection[str] | None = None
) -> tuple[ReadingChoice | None, str]:
    """Return how recordings that are in no cell are best read by a method and readout, and how that was chosen.

    The corpora that the run or bench has read are pretended targets (see `xlser.evaluation.pretended.choose_for`), so
    that nothing of the new recordings is looked at. `xlser predict --adapt` asks this where no adaptation is named.

    Args:
        results: of a run or bench.
        place: recipe and source of the model.
        choice: its method and readout.
        names: the ways to adapt that may be chosen, as ``normalise`` calls them; None for all, and for none at all.

    Returns:
        None where no target was read by it.

    >>> row = {"role": "target", "metric": "UA", "method": "plain", "classifier": "knn", "protocol": "transductive"}
    >>> rows = [row | {"normalise": "coral", "value": 0.5}, row | {"normalise": "quantile", "value": 0.25}]
    >>> table = {"cells": [{"recipe": "dae", "source": "emodb", "target": "urdu", "transfer": rows}]}
    >>> reading_of_new(table, ("dae", "emodb"), Choice("plain", "knn", 0.5))[0].reading.normalise
    'coral'
    """
    cells = [*as_bench(results)["cells"], *results.get("pretended", ())]
    mine = [cell for cell in cells if cell["recipe"] == place[0]]
    readings = {reading for cell in mine for reading in readings_of(rows_of(cell))}
    among = {
        one
        for one in readings
        if (one.method, one.classifier) == (choice.method, choice.classifier)
        and (names is None or (one.protocol == TRANSDUCTIVE and one.normalise in names))
    }
    return choose_for(place[1], "", mine, among)


def as_bench(results: Mapping[str, Any]) -> Row:
    """Return the results of a run as those of a bench with one recipe on one source, with what comparing needs.

    Its cells are under the recipe's own protocol; a bench's own results are returned as they are.
    """
    if "cells" in results:
        return dict(results)
    about = results["about"]
    (((recipe, source), _),) = home_cells(results).items()
    targets = list(dict.fromkeys(row["corpus"] for row in results["transfer"] if row["corpus"] != source))
    features = about["recipe"].get("features") or {}
    place = {"recipe": recipe, "source": source}
    corpora = {row["corpus"]: row for row in results["corpora"]}
    cells = [
        place
        | {"target": name, "about": corpora.get(name, {}), "normalise": features.get("normalise", "source")}
        | {"transfer": [row for row in results["transfer"] if row["corpus"] == name]}
        for name in (source, *targets)
    ]
    choice = choose(results["transfer"])
    chosen = [place | asdict(choice)] if choice else []
    judged = [row for row in results["transfer"] if row["role"] != VALIDATION]
    matrix = [
        place | {"target": row["corpus"]} | row
        for row in judged
        if choice and (row["method"], row["classifier"]) == (choice.method, choice.classifier)
    ]
    named = {"recipes": {recipe: about["recipe"]}, "sources": [source], "targets": targets}
    return {"about": about | named, "cells": cells, "chosen": chosen, "matrix": matrix, "failed": {}, "holes": {}}

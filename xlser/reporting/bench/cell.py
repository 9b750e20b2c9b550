"""The page of one cell: every method, reader and protocol of a recipe on a source, read in one corpus."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from xlser.reporting import figures, matrices, tables, used
from xlser.reporting.bench import dimensions, shots, trust
from xlser.reporting.bench.chart import mark
from xlser.reporting.bench.facts import DURATION, Bench, Key, Row, reading
from xlser.reporting.bench.maps import legend, maps
from xlser.reporting.bench.shots import Panel
from xlser.reporting.facts import Facts
from xlser.reporting.wording import reader_name


def cell_facts(bench: Bench, key: Key) -> Facts:
    """Return a cell as the results of a run, which every table of a run's report can read."""
    cell, (recipe, source, target) = bench.cells[key], key
    home = bench.cells.get((recipe, source, source))
    corpora = [home["about"]] if home else []
    corpora += [cell["about"]] if target != source else []
    about = {
        "recipe": bench.about["recipes"].get(recipe, {"name": recipe}),
        "notes": cell["notes"],
        "synthetic": [name for name in dict.fromkeys((source, target)) if bench.synthetic(name)],
        "protocol": bench.protocol(recipe),
        "baseline": cell["baseline"],
        "versions": bench.about["versions"],
    }
    tables = ("transfer", "correlation", "confusion")
    scored = {name: [row | {"protocol": reading(row)} for row in cell[name]] for name in tables}
    nothing = {"splits": [], "curves": []}
    facts = Facts({"about": about, "corpora": corpora, "choices": cell["choices"], **nothing, **scored})
    facts.main = [name for name in facts.main if name != DURATION]
    return facts


def cell_content(bench: Bench, key: Key) -> dict[str, Any]:
    """Return what the template of a cell's page shows."""
    facts, cell = cell_facts(bench, key), bench.cells[key]
    every = matrices.confusions(facts)
    names, probes = dimensions.nuisances(bench, [key], every=True)
    return {
        "facts": facts,
        "key": key,
        "classes": cell["classes"],
        "panel": [Panel(one.corpus, one.marks, one.svg) for one in figures.transfer_panels(facts)],
        "dots": figures.legend(facts),
        "compared": tables.compared_blocks(facts),
        "transfer": tables.transfer_blocks(facts),
        "correlation": tables.correlation_blocks(facts),
        "latents": tables.correlation_blocks(facts, singles=True),
        "confusions": every,
        "first": _of_choice(bench, key, every),
        "axes": [(row, dimensions.followed(bench, key, row)) for row in _axes(cell["dimensions"])],
        "probe_names": names,
        "probes": probes,
        "choices": used.choices(facts),
        "maps": maps(cell),
        "emotion_marks": legend(cell),
        **_few_shot(bench, key),
        **_trust(bench, key),
    }


def _of_choice(bench: Bench, key: Key, every: list[matrices.Confusion]) -> list[matrices.Confusion]:
    """Return the matrices of the chosen method and reader, under each protocol; the first one where none was chosen."""
    chosen = bench.chosen(*key[:2])
    pair = (chosen["method"], reader_name(chosen["classifier"])) if chosen else ()
    return [one for one in every if (one.method, one.reader) == pair] or every[:1]


def _axes(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["r"] is not None]


def _methods(bench: Bench, key: Key, table: str) -> list[str]:
    """Return the methods of a table, the chosen one first."""
    chosen = bench.chosen(*key[:2]) or {}
    names: Iterable[str] = dict.fromkeys(row["method"] for row in bench.cells[key][table])
    return sorted(names, key=lambda name: name != chosen.get("method"))


def _few_shot(bench: Bench, key: Key) -> dict[str, Any]:
    methods = _methods(bench, key, "few_shot")
    return {
        "shots": {method: shots.table(bench, [key], method) for method in methods},
        "shot_panels": [Panel(method, [], shots.picture(bench, key, method)) for method in methods],
        "way_marks": [(mark(i), way) for i, way in enumerate(shots.ways(bench))],
        "ks": shots.ks(bench),
    }


def _trust(bench: Bench, key: Key) -> dict[str, Any]:
    named = [(row["method"], i, row) for i, row in enumerate(bench.cells[key]["trust"])]
    pictures = [
        Panel("Share right over confidence", [], trust.reliability(named)),
        Panel("UA of the surest", [], trust.abstention(named)),
    ]
    return {
        "trust": trust.table(bench, [key], every=True),
        "trust_panels": pictures if named else [],
        "method_marks": [(mark(i), name) for name, i, _ in named],
        "lengths": trust.length_names(bench),
    }

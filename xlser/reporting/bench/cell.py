"""The page of one cell: every method, reader and protocol of a recipe on a source, read in one corpus."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from xlser.reporting import figures, matrices, tables, used
from xlser.reporting.bench import dimensions, labels, shots, trust
from xlser.reporting.bench.chart import COLOURS, mark
from xlser.reporting.bench.facts import DURATION, Bench, Key, Row, reading
from xlser.reporting.bench.listen import SECONDS, links
from xlser.reporting.bench.maps import legend, maps
from xlser.reporting.bench.shots import Panel
from xlser.reporting.facts import FEW_SPEAKERS, Facts
from xlser.reporting.svg import GREY, INK
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


def cell_content(bench: Bench, key: Key, clips: Mapping[str, str]) -> dict[str, Any]:
    """Return what the template of a cell's page shows; ``clips`` are those of `listen.clips_there`."""
    facts, cell = cell_facts(bench, key), bench.cells[key]
    every = matrices.confusions(facts)
    modes = labels.table(bench, [key], every=True)
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
        "labels": modes,
        "label_terms": labels.terms(modes),
        "few": FEW_SPEAKERS if cell["about"]["speakers"] < FEW_SPEAKERS else 0,
        **_maps(bench, key, clips, facts),
        **_few_shot(bench, key, facts),
        **_trust(bench, key, facts),
    }


def _maps(bench: Bench, key: Key, clips: Mapping[str, str], facts: Facts) -> dict[str, Any]:
    cell, heard = bench.cells[key], links(bench.cells[key], clips)
    order = _methods(bench, key, "points") if cell.get("points") else []
    found = sorted(maps(cell, heard), key=lambda panel: order.index(panel.title))
    named = [Panel(facts.method_name(panel.title), panel.marks, panel.svg) for panel in found]
    drawn = len({point["id"] for point in cell.get("points", [])})
    some = drawn if drawn < cell["about"]["utterances"] else 0
    return {"maps": named, "some": some, "emotion_marks": legend(cell, heard), "heard": bool(heard), "seconds": SECONDS}


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


def _few_shot(bench: Bench, key: Key, facts: Facts) -> dict[str, Any]:
    named = [(method, facts.method_name(method)) for method in _methods(bench, key, "few_shot")]
    return {
        "shots": {name: shots.table(bench, [key], method) for method, name in named},
        "shot_panels": [Panel(name, [], shots.picture(bench, key, method)) for method, name in named],
        "way_marks": [(mark(i), way) for i, way in enumerate(shots.ways(bench))],
        "way_terms": [(way, shots.WAYS.get(way, "")) for way in shots.ways(bench)],
        "ks": shots.ks(bench),
    }


def _trust(bench: Bench, key: Key, facts: Facts) -> dict[str, Any]:
    rows, inks = bench.cells[key]["trust"], figures.colours(facts)
    # A method has one colour on the whole page.
    found = [inks.get(row["method"], GREY) for row in rows]
    places = [COLOURS.index("currentColor" if ink == INK else ink) for ink in found]
    named = [(facts.method_name(row["method"]), place, row) for place, row in zip(places, rows, strict=True)]
    pictures = [
        Panel("Share right over confidence", [], trust.reliability(named)),
        Panel("UA of the surest", [], trust.abstention(named)),
    ]
    return {
        "trust": trust.table(bench, [key], every=True),
        "trust_panels": pictures if named else [],
        "method_marks": [(mark(i), name) for name, i, _ in named],
        "promise": next((f"{row['promise']:.0%}" for row in rows), ""),
        "lengths": trust.length_names(bench),
    }

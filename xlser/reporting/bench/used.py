"""What a bench rests on: its cells, corpora, recipes, versions and command."""

from __future__ import annotations

from xlser.reporting.bench.facts import Bench
from xlser.reporting.pretraining import lines as checkpoint_lines
from xlser.reporting.section import Cell, Details, Heading, Pairs, Part, Section, Table
from xlser.reporting.used import preformatted
from xlser.reporting.wording import as_yaml, counted, whole


def section(bench: Bench) -> Section:
    """Return corpora, command, seeds, versions and recipes."""
    about = bench.about
    heads = ["Corpus", "Language", "Utterances", "Speakers", "Ratings", "Scored emotions", "Licence", "Citation"]
    rows = [
        [
            Cell(name, marks=["synthetic"] * bool(corpus["synthetic"])),
            *(corpus["language"], whole(corpus["utterances"]), str(corpus["speakers"]), corpus["ratings"]),
            counted(corpus["labels"]["kept"]),
            *(corpus.get(key) or "not stated" for key in ("licence", "citation")),
        ]
        for name, corpus in bench.corpora.items()
    ]
    seconds = f", {about['seconds']} s" if "seconds" in about else ""
    lines = [
        ("Command", about["command"]),
        ("Seeds", str(about["seeds"])),
        ("Finished", f"{about['finished']}{seconds}"),
        ("Versions", ", ".join(f"{library} {version}" for library, version in about["versions"].items())),
        ("Numbers", "results.json, and results.jsonl with a line a cell"),
    ]
    recipes = about["recipes"].items()
    texts = [Details(f"Recipe {name}", [preformatted(as_yaml(text), f"Recipe {name}")]) for name, text in recipes]
    checkpoints = dict.fromkeys(one for key in bench.cells for one in bench.checkpoints(key))
    heard: list[Part] = [Heading("Pretrained checkpoints")] if checkpoints else []
    heard += [Pairs(checkpoint_lines(one)) for one in checkpoints]
    parts = [Table.of("Corpora", heads, rows, kind="line wide"), *heard, Pairs(lines), *texts]
    return Section("used", "What was used", parts)

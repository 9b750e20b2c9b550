"""A bench's results with the questions that every view of them asks."""

from __future__ import annotations

import re
from typing import Any

from xlser.evaluation.contamination import Checkpoint, checkpoints_of
from xlser.features.normalise import PROTOCOL
from xlser.reporting.best.answer import steps
from xlser.reporting.facts import FEW_SPEAKERS, rating_marks
from xlser.reporting.pretraining import MARK
from xlser.reporting.wording import known, reader_name
from xlser.vocabulary import DURATION

Row = dict[str, Any]
Key = tuple[str, str, str]
TARGET = "target"


class Bench:
    """Names, choices and marks of one bench.

    Attributes:
        recipes: their names; ``sources`` and ``targets`` those of corpora, sources first among the targets.
        cells: what was scored, by (recipe, source, target); the source's own cell is among them.
        pages: file names of the cells' pages, by the same.
    """

    def __init__(self, results: Row):
        self.results, self.about = results, results["about"]
        self.recipes = list(self.about["recipes"])
        self.sources = list(self.about["sources"])
        every = list(self.about["targets"])
        self.targets = [name for name in self.sources if name in every]
        self.targets += [name for name in every if name not in self.targets]
        self.cells: dict[Key, Row] = {(row["recipe"], row["source"], row["target"]): row for row in results["cells"]}
        self.corpora: dict[str, Row] = {key[2]: cell["about"] for key, cell in self.cells.items()}
        self.pages = page_names(list(self.cells))
        self._chosen = {(row["recipe"], row["source"]): row for row in results["chosen"] if row.get("method")}
        self._scores = {
            (row["recipe"], row["source"], row["target"], reading(row)): row
            for row in results["matrix"]
            if row["metric"] == "UA"
        }

    @property
    def percent(self) -> str:
        """The level of the intervals as a person writes it."""
        levels = {recipe.get("evaluation", {}).get("level", 0.95) for recipe in self.about["recipes"].values()}
        return " or ".join(f"{level:.0%}" for level in sorted(levels)) or "95%"

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Every recipe with every source, done or not."""
        return [(recipe, source) for recipe in self.recipes for source in self.sources]

    @property
    def places(self) -> list[Key]:
        """Every recipe with every source and target, done or not."""
        return [(*pair, target) for pair in self.pairs for target in self.targets]

    @property
    def transfers(self) -> list[Key]:
        """The cells that are transfer, in the order of the matrix."""
        return [key for key in self.places if key in self.cells and key[1] != key[2]]

    def chosen(self, recipe: str, source: str) -> Row | None:
        """Return ``method``, ``classifier`` and ``validation`` UA of what the source's validation chose."""
        return self._chosen.get((recipe, source))

    def how(self, recipe: str, source: str) -> str:
        """Return the chosen method and what reads it, in words."""
        row = self.chosen(recipe, source)
        return f"{row['method']}, {reader_name(row['classifier'])}" if row else "nothing chosen"

    def protocol(self, recipe: str) -> str:
        """Return the protocol that a recipe asks for."""
        kinds = [cell["normalise"] for (name, _, _), cell in self.cells.items() if name == recipe]
        return PROTOCOL.get(kinds[0], "zero-shot") if kinds else "zero-shot"

    @property
    def protocols(self) -> list[str]:
        """Every `reading` of the targets, those that recipes ask for first."""
        asked = [self.protocol(recipe) for recipe in self.recipes]
        seen = [reading(row) for row in self._scores.values() if row["role"] == TARGET]
        return [name for name in dict.fromkeys([*asked, *seen]) if name in seen] or list(dict.fromkeys(asked))

    def score(self, key: Key, protocol: str = "") -> Row | None:
        """Return the UA of what was chosen in a cell; without a protocol under the recipe's own."""
        row = self._scores.get((*key, protocol or self.protocol(key[0])))
        return row if row and row["role"] == TARGET and known(row["value"]) else None

    def shortcut(self, key: Key) -> float | None:
        """Return the best UA that a clip's length alone reaches in a cell; None where nobody tried."""
        rows = [row for row in self.cells[key]["transfer"] if row["method"] == DURATION and row["metric"] == "UA"]
        rows = [row for row in rows if row["role"] == TARGET and known(row["value"])]
        return max((row["value"] for row in rows), default=None)

    def held_out(self, recipe: str, source: str) -> Row | None:
        """Return the UA of what was chosen on the source's held-out speakers, which is no transfer."""
        found = [row for key, row in self._scores.items() if key[:3] == (recipe, source, source)]
        return found[0] if found else None

    def of_chosen(self, key: Key, table: str) -> list[Row]:
        """Return a table's rows of the method that was chosen."""
        chosen = self.chosen(*key[:2])
        return [row for row in self.cells[key][table] if chosen and row["method"] == chosen["method"]]

    def absent(self, key: Key) -> str:
        """Return why there is no number in a cell; empty where there should be none."""
        recipe, source, target = key
        if key in self.cells:
            return "fewer than two shared emotions" if len(self.cells[key]["classes"]) < 2 else ""
        if target != source and target in source.split("+"):
            return ""
        job = f"{recipe} on {source}"
        told = self.results["failed"].get(job) or self.results["holes"].get(f"{job}, {target}")
        return str(told or "not done")

    def synthetic(self, name: str) -> bool:
        """Say whether a corpus, or a part of a joined one, is synthetic speech."""
        if name in self.corpora:
            return bool(self.corpora[name].get("synthetic"))
        return "+" in name and any(self.synthetic(part) for part in name.split("+"))

    def title(self, key: Key) -> str:
        """Return the name of a cell among others."""
        return f"{key[0]}: {key[1]} → {key[2]}"

    def speech_marks(self, name: str) -> list[str]:
        """Return what must stand beside the name of a corpus."""
        return ["synthetic"] if self.synthetic(name) else []

    def checkpoints(self, key: Key) -> list[Checkpoint]:
        """Return the pretrained checkpoints of a cell, often none."""
        return checkpoints_of(self.cells.get(key, {}), self.about["recipes"].get(key[0], {}))

    def marks(self, key: Key) -> list[str]:
        """Return what must stand beside every number of a cell."""
        synthetic = self.speech_marks(key[2])
        return [*synthetic, *self.learnt_marks(key), *self.target_marks(key[2])[len(synthetic) :]]

    def target_marks(self, name: str) -> list[str]:
        """Return what must stand beside a target, whatever it is read by."""
        speakers = self.corpora.get(name, {}).get("speakers")
        few = [f"{speakers} speakers"] if known(speakers) and speakers < FEW_SPEAKERS else []
        return self.speech_marks(name) + few

    def learnt_marks(self, key: Key) -> list[str]:
        """Return what must stand beside a cell for what it was learnt from."""
        marks = ["learnt from synthetic"] if self.synthetic(key[1]) and not self.synthetic(key[2]) else []
        heard = any(row.sure for one in self.checkpoints(key) for row in one.heard([key[2]]))
        return marks + [MARK] * heard

    def rating_marks(self, key: Key) -> list[str]:
        """Return whether a cell's ratings, there or on the source, are no listener's."""
        kinds = {row.get("ratings", "") for row in self.cells[key]["correlation"]} if key in self.cells else set()
        return list(dict.fromkeys(mark for kind in sorted(kinds) for mark in rating_marks(kind)))

    def language(self, name: str) -> str:
        """Return a corpus's language, empty where nothing of it was read."""
        return str(self.corpora.get(name, {}).get("language", ""))


def reading(row: Row) -> str:
    """Return how a target was read: the protocol, and what made up for its shift where something did.

    >>> reading({"protocol": "transductive", "normalise": "corpus"})
    'transductive'
    >>> reading({"protocol": "transductive", "normalise": "coral"})
    'transductive, coral'
    """
    kind = row.get("normalise", "")
    return str(row["protocol"]) if not kind or kind in PROTOCOL else f"{row['protocol']}, {kind}"


def named_reading(reading: str) -> str:
    """Return what a reading, or a way to adapt, is called where space is scarce.

    >>> named_reading("corpus"), named_reading("transductive, coral"), named_reading("zero-shot")
    ('corpus statistics', 'coral', 'zero-shot')
    >>> named_reading("transductive, speaker-or-corpus|prior=uniform")
    'speaker-or-corpus, uniform prior'
    """
    name = reading.removeprefix("transductive, ")
    return f"{name} statistics" if name in PROTOCOL else steps(name)


def page_names(keys: list[Key]) -> dict[Key, str]:
    """Return a file name for every cell that any system can hold, none of them twice.

    >>> page_names([("a", "b+c", "d"), ("a", "b c", "d"), ("a", "b", "../d")])[("a", "b c", "d")]
    'a-b_c-d-2.html'
    """
    names: dict[Key, str] = {}
    taken: set[str] = set()
    for key in keys:
        stem = "-".join(re.sub(r"[^\w.-]|^\.+", "_", part, flags=re.ASCII) for part in key)[:120]
        count, name = 1, stem
        while name.lower() in taken:
            count += 1
            name = f"{stem}-{count}"
        taken.add(name.lower())
        names[key] = f"{name}.html"
    return names

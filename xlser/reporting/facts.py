"""A run's results with the questions that every view of them asks."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]
PLAIN, FEATURES = "plain", "features"
FEW_SPEAKERS = 10
# Choices may be made on these rows: they stand in the files for who makes them, and are no result.
VALIDATION = "source, validation speakers"
_WARNING = "WARNING"


class Facts:
    """Names, roles and marks of one run.

    Attributes:
        corpora: what is known of each corpus, by name, the source first.
        source: name of the source; ``targets`` names of the others.
        methods: every method in the order of the results; ``main`` those the recipe adds, or plain if it adds none.
        protocol: how the recipe reads its targets; ``level`` of the intervals.
    """

    def __init__(self, results: dict[str, Any]):
        scored = {name: _scored(results[name]) for name in ("transfer", "correlation", "confusion")}
        self.results, self.about, self.recipe = results | scored, results["about"], results["about"]["recipe"]
        self.corpora: dict[str, Row] = {row["corpus"]: row for row in results["corpora"]}
        self.source = next((name for name, row in self.corpora.items() if row["role"] == "source"), "")
        self.targets = [name for name in self.corpora if name != self.source]
        self.methods = list(dict.fromkeys(row["method"] for row in results["transfer"] + results["correlation"]))
        self.main = [name for name in self.methods if name not in (PLAIN, FEATURES)] or [PLAIN]
        self.protocol: str = self.about["protocol"]
        self.level: float = self.recipe.get("evaluation", {}).get("level", 0.95)

    @property
    def percent(self) -> str:
        """The level of the intervals as a person writes it."""
        return f"{self.level:.0%}"

    @property
    def network(self) -> str:
        """What the plain autoencoder is called: DAE or VAE."""
        return str(self.recipe.get("model", {}).get("kind", "autoencoder")).upper()

    def rows(self, table: str, **where: Any) -> list[Row]:
        """Return the rows of a table that hold these values."""
        return [row for row in self.results[table] if all(row[key] == value for key, value in where.items())]

    def groups(self, table: str, *keys: str) -> dict[tuple, list[Row]]:
        """Return the rows of a table by the values of these columns, in the order of the results."""
        found: dict[tuple, list[Row]] = {}
        for row in self.results[table]:
            found.setdefault(tuple(row[key] for key in keys), []).append(row)
        return found

    def protocols(self, corpus: str) -> list[str]:
        """Return the protocols that a corpus was read under, the recipe's own first."""
        seen = [row["protocol"] for table in ("transfer", "correlation") for row in self.rows(table, corpus=corpus)]
        return sorted(dict.fromkeys(seen), key=lambda name: name != self.protocol)

    def reading(self, row: Row) -> str:
        """Return how a row's corpus was read: the source's held-out speakers are no transfer under any protocol."""
        return "held-out speakers" if row["corpus"] == self.source else str(row["protocol"])

    def is_main(self, row: Row) -> bool:
        """Say whether a row belongs to the recipe's own protocol, or to the source, which is read one way only."""
        return row["corpus"] == self.source or row["protocol"] == self.protocol

    def marks(self, corpus: str, ratings: str = "") -> list[str]:
        """Return what must stand beside every number of a corpus: synthetic speech, derived ratings."""
        synthetic = [name for name in (corpus, self.source) if self.corpora.get(name, {}).get("synthetic")]
        marks = ["synthetic" if synthetic[0] == corpus else "learnt from synthetic"] if synthetic else []
        return [*marks, *rating_marks(ratings)]

    def name(self, corpus: str, ratings: str = "") -> str:
        """Return a corpus's name with its language and marks, such as ``urdu (ur)``."""
        inner = [str(self.corpora.get(corpus, {}).get("language", "")), *self.marks(corpus, ratings)]
        inner = [text for text in inner if text]
        return f"{corpus} ({', '.join(inner)})" if inner else corpus

    def method_name(self, method: str) -> str:
        """Return what a person calls a method."""
        return {PLAIN: f"plain {self.network}", FEATURES: "features, no network"}.get(method, method)

    @property
    def warnings(self) -> list[str]:
        """What the run's notes warn of, in capitals: too weighty to stand among the others."""
        return [note for note in self._notes if note.startswith(_WARNING)]

    @property
    def notes(self) -> list[str]:
        """What else the run says of itself, each once and as a sentence."""
        return [note for note in self._notes if not note.startswith(_WARNING)]

    @property
    def _notes(self) -> list[str]:
        notes = dict.fromkeys(note.strip() for note in self.about["notes"] if note.strip())
        return [note if note.endswith(".") else f"{note}." for note in notes]

    @property
    def shared(self) -> dict[int, list[str]]:
        """Speakers that stand in more than one part of a split, by seed."""
        return {row["seed"]: list(row["shared"]) for row in self.results["splits"] if row["shared"]}


def _scored(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["role"] != VALIDATION]


def rating_marks(ratings: str) -> list[str]:
    """Return what must stand beside a correlation whose ratings, there or on the source, are no listener's.

    >>> rating_marks("rated"), rating_marks("derived"), rating_marks("rated, learnt from derived")
    ([], ['derived ratings'], ['learnt from derived ratings'])
    """
    if "derived" not in ratings:
        return []
    return ["derived ratings" if ratings.startswith("derived") else "learnt from derived ratings"]

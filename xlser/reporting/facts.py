"""A run's results with the questions that every view of them asks."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlser.evaluation.choice import choose
from xlser.evaluation.contamination import Checkpoint, checkpoints_of
from xlser.evaluation.headline import PLAIN, main_methods
from xlser.evaluation.results_file import load_results
from xlser.evaluation.run_folder import load_grid, load_predictions, load_sexes
from xlser.reporting import pretraining
from xlser.reporting.chosen import chosen_sentence
from xlser.vocabulary import FEATURES, VALIDATION

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]
# What a trained network says by its own head, alone and interpolated with nearest neighbours.
CLASSIFIER, INTERPOLATED = "classifier", "classifier + knn"
HEADS = (CLASSIFIER, INTERPOLATED)
FEW_SPEAKERS = 10
FILES = ("results.json", "transfer.csv", "correlation.csv", "confusion.csv", "embedding.csv")
_WARNING = "WARNING"


class Facts:
    """Names, roles and marks of one run.

    Attributes:
        corpora: what is known of each corpus, by name, the source first.
        source: name of the source; ``targets`` names of the others.
        methods: every method in the order of the results; ``main`` those the recipe adds, or plain if it adds none.
        encoder: the recipe's choice of a speech encoder; empty where autoencoders were trained.
        baseline: the method that gains are over; plain in runs that were written before a run said so.
        protocol: how the recipe reads its targets; ``level`` of the intervals.
        points: the table of embeddings, None where there is none; ``no_points`` says why.
        predictions: what was said of every clip (see `load_predictions`), and ``choice`` the method and reader that
            the source's validation speakers chose; empty and None where an older run did not keep what it takes.
        sexes: of who speaks in each clip, by the clip's id, as far as manifests beside the results say.
        files: what lies beside the page.
        unscored: what to say where nothing was classified; ``shown`` is the method and the classifier to show first,
            where it is not what the recipe is about; ``drawn`` whether correlations are worth a picture.
    """

    unscored = "No corpus could be classified."
    shown: tuple[str, str] | None = None
    drawn = True

    def __init__(self, results: dict[str, Any]):
        self.points: pd.DataFrame | None = None
        self.no_points = "The grid of embeddings is not shown: embedding.csv is empty."
        self.files: list[str] = []
        self.predictions: list[Row] = []
        self.sexes: dict[str, str] = {}
        self.choice = choose(results["transfer"])
        self._given = results
        scored = {name: _scored(results[name]) for name in ("transfer", "correlation", "confusion")}
        self.results, self.about, self.recipe = results | scored, results["about"], results["about"]["recipe"]
        self.corpora: dict[str, Row] = {row["corpus"]: row for row in results["corpora"]}
        self.source = next((name for name, row in self.corpora.items() if row["role"] == "source"), "")
        self.targets = [name for name in self.corpora if name != self.source]
        self.methods = list(dict.fromkeys(row["method"] for row in results["transfer"] + results["correlation"]))
        self.encoder: Row = self.recipe.get("encoder", {})
        self.main = main_methods(self.methods, bool(self.encoder))
        baseline = self.about.get("baseline", {})
        self.baseline: str = baseline.get("method", PLAIN)
        self._instead: dict[str, str] = baseline.get("readers", {})
        self.protocol: str = self.about["protocol"]
        self.level: float = self.recipe.get("evaluation", {}).get("level", 0.95)
        self._read = {(row["method"], _reader(row)) for name in ("transfer", "correlation") for row in scored[name]}

    @cached_property
    def checkpoints(self) -> list[Checkpoint]:
        """The pretrained checkpoints that features come from or training began with, often none."""
        return checkpoints_of(self.about, self.recipe)

    @cached_property
    def _heard(self) -> set[str]:
        rows = [row for one in self.checkpoints for row in one.heard(self.corpora)]
        return {row.corpus for row in rows if row.sure}

    @cached_property
    def chosen(self) -> str:
        """Which model `xlser predict` takes, in words: by the validation speakers, whose scores are not shown."""
        return chosen_sentence(self._given)

    @classmethod
    def of_folder(cls, folder: str | Path) -> Facts:
        """Read a run folder.

        Raises:
            RunError: its results cannot be read (see `load_results`).
        """
        facts = cls(load_results(folder))
        points, why = load_grid(folder)
        facts.points, facts.no_points = points, why or facts.no_points
        facts.predictions = load_predictions(folder)
        facts.sexes = load_sexes(folder)
        facts.files = [name for name in FILES if (Path(folder) / name).is_file()]
        return facts

    @property
    def percent(self) -> str:
        """The level of the intervals as a person writes it."""
        return f"{self.level:.0%}"

    @property
    def network(self) -> str:
        """What is trained: DAE or VAE, or the checkpoint of an encoder."""
        if self.encoder:
            return str(self.encoder.get("weights", "an encoder"))
        if self.recipe.get("model", {}) is None:
            return "no network"
        return str(self.recipe.get("model", {}).get("kind", "autoencoder")).upper()

    @property
    def projected(self) -> bool:
        """Whether embeddings have more than two dimensions, so that a picture shows two main axes of them."""
        model = self.recipe.get("model", {})
        return bool(self.encoder) or model is None or model.get("latent", 2) > 2

    @property
    def dimensions(self) -> list[str]:
        """The rated dimensions that something was correlated with, in the order of the results."""
        return list(dict.fromkeys(row["dimension"] for row in self.results["correlation"]))

    def terms(self, method: str) -> dict[str, Row]:
        """Return the losses of an encoder's method with their settings, by name."""
        terms = self.recipe.get("methods", {}).get(method, {}) if self.encoder else {}
        return {name: term for name, term in terms.items() if term}

    def readers(self, method: str) -> list[str]:
        """Return the classifiers that a method is judged by: its own head, or what reads its embedding if it has none.

        The features have no head: where any method has one, they are not judged beside it.
        """
        found = dict.fromkeys(row["classifier"] for row in self.results["transfer"] if row["method"] == method)
        own = [name for name in HEADS if name in found]
        return own or ([] if method == FEATURES and self.has_heads else list(found))

    @property
    def has_heads(self) -> bool:
        """Whether a network of this run classifies by itself."""
        return any(row["classifier"] in HEADS for row in self.results["transfer"])

    def is_baseline(self, row: Row) -> bool:
        """Say whether gains are over this very row: it has none itself."""
        return row["method"] == self.baseline and _reader(row) not in self._instead

    def is_compared(self, row: Row) -> bool:
        """Say whether a row has a gain: over the baseline's same reader, or the one that stands for it."""
        base = (self.baseline, self._instead.get(_reader(row), _reader(row)))
        return base in self._read and not self.is_baseline(row)

    def is_own(self, row: Row) -> bool:
        """Say whether a row is what the recipe is about, and no baseline, unless it trains nothing else."""
        return row["method"] in self.main and (self.main in ([PLAIN], [FEATURES]) or not self.is_baseline(row))

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
        """Return what must stand beside every number of a corpus: synthetic speech, heard before, derived ratings."""
        synthetic = [name for name in (corpus, self.source) if self.corpora.get(name, {}).get("synthetic")]
        marks = ["synthetic" if synthetic[0] == corpus else "learnt from synthetic"] if synthetic else []
        marks += [pretraining.MARK] if self._heard & set(corpus.split("+")) else []
        return [*marks, *rating_marks(ratings)]

    def name(self, corpus: str, ratings: str = "") -> str:
        """Return a corpus's name with its language and marks, such as ``urdu (ur)``."""
        inner = [str(self.corpora.get(corpus, {}).get("language", "")), *self.marks(corpus, ratings)]
        inner = [text for text in inner if text]
        return f"{corpus} ({', '.join(inner)})" if inner else corpus

    def method_name(self, method: str) -> str:
        """Return what a person calls a method."""
        if self.encoder:
            return "checkpoint before training" if method == FEATURES else method
        return {PLAIN: f"plain {self.network}", FEATURES: "features, no network"}.get(method, method)

    def short_name(self, method: str) -> str:
        """Return the name that fits beside a mark of a figure."""
        if method == FEATURES:
            return "checkpoint" if self.encoder else FEATURES
        return self.method_name(method)

    @property
    def random(self) -> str:
        """A sentence where the checkpoint was never trained, or nothing."""
        if not self.network.startswith("random:"):
            return ""
        return (
            f"The weights of {self.network} are random, not pretrained: the numbers say that the machinery works, not "
            "what the method reaches."
        )

    @property
    def warnings(self) -> list[str]:
        """What is too weighty to stand among the notes: random weights, labels that an encoder knew, the notes' own."""
        random = [self.random] if self.random else []
        heard = pretraining.warnings(self.checkpoints, self.source, self.targets)
        return random + heard + [note for note in self._notes if note.startswith(_WARNING)]

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

    @property
    def flattered(self) -> str:
        """What `shared` speakers make of scores on the source: those who are tested may be known, or no one of them."""
        splits = self.results["splits"]
        if any({*row["shared"]} & {*row["speakers"]["test"]} for row in splits):
            return f"scores on {self.source} are flattered by voices known from training"
        return (
            f"choices, and scores on validation speakers of {self.source}, are made with voices known from training; "
            "its held-out speakers are not among them"
        )


def _reader(row: Row) -> str:
    return row["classifier"] if "classifier" in row else row["axis"]


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

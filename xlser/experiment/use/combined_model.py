"""A model of `xlser best`, read like every other trained model: on the target that it was made for, and one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from xlser.data.audio import content_hash
from xlser.data.channels import channel_number
from xlser.errors import RunError, XlserError
from xlser.evaluation.adapting import Adaptation
from xlser.evaluation.best_schema import CombinedAbout
from xlser.experiment.checkpoint_places import with_checkpoints
from xlser.experiment.use.dimensions import Dimensions
from xlser.experiment.use.embedders import FeatureEmbedder, check_pretrained
from xlser.experiment.use.hub_models import shown
from xlser.experiment.use.model import STORE, Model
from xlser.experiment.use.request import Request
from xlser.experiment.use.transductive import Shift
from xlser.features.extractors import make_extractor, random_weights
from xlser.features.normalise import Scaler
from xlser.store.datastore import Datastore
from xlser.systems.combined import SAVED, Combined
from xlser.typedtable import check_types
from xlser.vocabulary import ZERO_SHOT


@dataclass(frozen=True)
class CombinedChoice:
    """What a model of `xlser best` is called, and where it lies: what `Chosen` is for a model of a run."""

    run: Path
    combined: Combined = field(repr=False)
    method: str = "best"
    seed: int = 0
    reader: str = "best"

    @property
    def about(self) -> dict[str, Any]:
        """What was written of it; see `xlser.experiment.best.saving`."""
        return dict(self.combined.about)

    @property
    def source(self) -> str:
        """What it learnt from."""
        return "+".join(self.about["sources"])

    @property
    def name(self) -> str:
        """What tables call it."""
        return f"{self.source}/best for {self.about['target']}"

    @property
    def protocol(self) -> str:
        """What of the target was looked at."""
        return str(self.about["protocol"])

    def text(self) -> str:
        """Say in one line what it is."""
        # Of an ensemble not every member: the report has them.
        name = re.sub(r"^(ensemble of \d+) \(.*\), ", r"\1, ", str(self.about["name"]))
        text = f"{shown(self.run)}: {name}; learnt from {self.source}, made for {self.about['target']}"
        if random_weights(self.about["extractor"]):
            text += "; its encoder has random weights, not pretrained ones: do not rely on its answers"
        return text

    def protocol_lines(self) -> list[str]:
        """Say what of the target it looked at, and how recordings are read now."""
        if self.protocol == ZERO_SHOT:
            return [f"{ZERO_SHOT}: nothing but a recording itself is looked at"]
        return [
            f"{self.about['protocol']}: it was adapted to {self.about['recordings']} recordings of "
            f"{self.about['target']} ({', '.join(self.about['looks_at'])}), unlabelled; every recording is read by "
            "itself, with what was fitted to these"
        ]


@dataclass(frozen=True)
class CombinedReader:
    """The combined model as what names an emotion."""

    combined: Combined

    @property
    def classes(self) -> tuple[str, ...]:
        """All that it tells apart."""
        return self.combined.classes

    def read(
        self, embeddings: np.ndarray, classes: tuple[str, ...], speakers: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the emotions (Q,), and the distributions (Q, C) over ``classes``, of raw features (Q, F)."""
        places = [self.classes.index(name) for name in classes]
        shares = self.combined.probabilities(embeddings, speakers)[:, places]
        shares = shares / np.maximum(shares.sum(axis=1, keepdims=True), np.finfo(float).tiny)
        return np.array(classes)[shares.argmax(axis=1)], shares

    def shares(self, counts: np.ndarray) -> np.ndarray:
        """Return the shares of the classes (C,): equal ones, under which it was fitted."""
        return np.full(len(counts), 1 / len(counts))

    def voters(self, classes: tuple[str, ...]) -> None:
        """Return None: it asks no neighbour."""


@dataclass
class CombinedModel(Model):
    """A model whose embeddings are raw features: members z-score and adapt them on their own."""

    # A `CombinedChoice`, where a model of a run has its `Chosen`.
    chosen: Any

    @property
    def classes(self) -> tuple[str, ...]:
        """The emotions that it tells apart."""
        return self._combined.classes

    @property
    def _combined(self) -> Combined:
        combined: Combined = self.chosen.combined
        return combined

    @property
    def dimensions(self) -> Dimensions:  # type: ignore[override]
        """None: it learnt emotions alone."""
        return Dimensions(None, {})

    def reader_of(self, classes: tuple[str, ...]) -> Any:
        """Return who names the emotion among these of the classes."""
        return CombinedReader(self._combined)

    def shift(self, adapt: bool | str | Adaptation, requests: Sequence[Request]) -> Shift:
        """Refuse: it is adapted already.

        Raises:
            RunError: always.
        """
        raise RunError(
            f"{self.chosen.run} is adapted to {self.chosen.about['target']} already, and reads every recording by what "
            "was fitted there. Leave --adapt out; to adapt to other recordings, run `xlser best` on these."
        )

    def embed(self, audio: Any, rate: int | None = None) -> np.ndarray:
        """Return the embedding, float32 (D,), of one recording: what its first member's readout sees."""
        request = Request.of(audio, rate)
        return self._located([(request, 0.0)], self._alone(request)[0][None])[0]

    def embed_files(self, files: Any, *, on_fault: Any = None) -> Iterator[tuple[Request, np.ndarray, float]]:
        """Yield the request, the embedding (D,) and the seconds of each file that can be used."""
        for request, raw, seconds in self._each(files, on_fault, self._embedded):
            yield request, self._located([(request, seconds)], raw[None])[0], seconds

    def read(self, vectors: np.ndarray, classes: tuple[str, ...], speakers: Sequence[str]) -> Any:
        """Return emotions and probabilities of raw features (N, F); see `Model.read`."""
        reader: Any = self.reader
        return reader.read(vectors, classes, np.asarray(speakers, dtype=object))

    def _answers(
        self, about: Sequence[tuple[Request, float]], embedded: np.ndarray, classes: tuple[str, ...], _: Any
    ) -> tuple[np.ndarray, np.ndarray]:
        reader: Any = self.reader
        emotions, shares = reader.read(embedded, classes, self._speakers(about))
        return emotions, shares

    def _located(self, about: Sequence[tuple[Request, float]], embedded: np.ndarray) -> np.ndarray:
        return self._combined.embeddings(embedded, self._speakers(about)).astype(np.float32)

    def _answer(self, shift: Shift | None) -> dict[str, str]:
        return {"protocol": self.chosen.protocol, "adapt": self.chosen.about["adaptation"]}

    def _speakers(self, about: Sequence[tuple[Request, float]]) -> np.ndarray:
        """Return who speaks: as the list says, or as the target did of these very recordings; empty for the rest."""
        known = self.chosen.about["speakers"]
        return np.array([request.speaker or _known(request, known) for request, _ in about], dtype=object)


def open_combined(folder: str | Path, datastore: str | Path | None = None) -> CombinedModel:
    """Return the model of `xlser best` in a folder.

    Raises:
        RunError: it is damaged, or its checkpoint is another one. XlserError: a datastore of another encoder.
    """
    folder = Path(folder)
    combined = Combined.load(folder)
    about = combined.about
    check_types(CombinedAbout, about, folder / SAVED, "Run the same `xlser best` command again.")
    extractor = with_checkpoints(make_extractor(about["extractor"]), about["pretrained"], folder)
    check_pretrained(extractor, about["pretrained"])
    width = len(combined.columns)
    embedder: Any = FeatureEmbedder(extractor, Scaler(np.zeros(width), np.ones(width)), None, about["fingerprint"])
    if not (folder / STORE).exists():
        raise RunError(f"{folder / STORE} is missing. Copy the whole folder, or run the same `xlser best` again.")
    own = Datastore.load(folder / STORE)
    store = Datastore.load(datastore) if datastore else own
    for each in (own, store):
        each.check_encoder(embedder.fingerprint)
    if store.embeddings.shape[1] != own.embeddings.shape[1]:
        raise XlserError(f"{datastore} must have {own.embeddings.shape[1]} dimensions, but has others.")
    return CombinedModel(CombinedChoice(folder, combined), embedder, own, store)


def check_single(folder: str | Path, **named: object) -> None:
    """Refuse to choose among the models of a folder that holds one.

    Raises:
        RunError: a model, a method or a seed is named.
    """
    given = [name for name, value in named.items() if value is not None]
    if given:
        raise RunError(f"{folder} holds one model, that of `xlser best`. Leave out --{', --'.join(given)}.")


def _known(request: Request, speakers: dict[str, str]) -> str:
    if not speakers or not request.is_file:
        return ""
    try:
        part = (request.start or 0.0, request.end, channel_number(request.channel))
        return speakers.get(content_hash(Path(request.audio).expanduser(), *part), "")
    except OSError:  # what is wrong with the file was said where it was heard
        return ""

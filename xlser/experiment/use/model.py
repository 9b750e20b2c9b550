"""A trained model of a run or bench, ready for recordings of any length."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from xlser.data.audio import AudioFault
from xlser.data.channels import channel_number
from xlser.errors import CorpusError, RunError, XlserError
from xlser.evaluation.adapting import Adaptation
from xlser.experiment.use.adapted_reading import AdaptedReading
from xlser.experiment.use.answer import Neighbour, Prediction
from xlser.experiment.use.dimensions import Dimensions
from xlser.experiment.use.embedders import (
    Embedder,
    FeatureEmbedder,
    embed_windows,
    load_embedder,
    raw_windows,
    windows_of,
)
from xlser.experiment.use.familiarity import UNFAMILIAR, WARNING, Familiarity
from xlser.experiment.use.folder import Chosen, find_model
from xlser.experiment.use.hub_models import located
from xlser.experiment.use.nearest import neighbours, of_classes
from xlser.experiment.use.readers import Reader, check_labels, make_reader, with_metric
from xlser.experiment.use.request import Request, fault_of
from xlser.experiment.use.saved import load_saved
from xlser.experiment.use.transductive import Shift, choose_shift, embedded_together
from xlser.store.datastore import Datastore
from xlser.systems.combined import is_combined
from xlser.vocabulary import TRANSDUCTIVE

STORE = "datastore.safetensors"
OnFault = Callable[[Any, str], object]
OnNote = Callable[[str], object]


@dataclass
class Model:
    """One model of a run or bench; see `load`. ``store`` holds the clips that it compares with."""

    chosen: Chosen
    embedder: Embedder
    own: Datastore
    store: Datastore
    _readers: dict[tuple[str, ...], Reader] = field(default_factory=dict, repr=False)
    _known: dict[tuple[str, ...], Familiarity] = field(default_factory=dict, repr=False)
    _stores: dict[tuple[str, ...], Datastore] = field(default_factory=dict, repr=False)

    @property
    def classes(self) -> tuple[str, ...]:
        """The emotions that it tells apart; none where it was trained on ratings alone."""
        return tuple(self.chosen.recipe.emotions) if self.chosen.reader else ()

    def text(self) -> str:
        """Say which model it is, a line."""
        return self.chosen.text()

    def predict(
        self, audio: Any, rate: int | None = None, *, labels: Sequence[str] | None = None, k: int | None = None
    ) -> Prediction:
        """Return what the model says of one recording, zero-shot: nothing but the recording itself is looked at.

        Args:
            audio: a file, or samples (S,) between -1 and 1, of any length above the model's shortest; see
                `xlser.experiment.use.recordings` for what else is understood.
            rate: of samples, in Hz, which must be given with them; a file says its own.
            labels: only these emotions, two at least; the probabilities are of these alone.
            k: how many neighbours are told, 0 for none; unless given those that voted, or the five nearest where none
                votes.

        Raises:
            CorpusError: the recording cannot be used; it is named. XlserError: an unknown label. RunError: more
                neighbours than the store holds, or a run that learnt neither emotions nor ratings.
        """
        request, classes = Request.of(audio, rate), self._classes(labels, k)
        embedded, seconds = self._alone(request)
        return next(self._judged([(request, seconds)], embedded[None], classes, k))

    def predict_files(
        self,
        files: Iterable[Any],
        *,
        labels: Sequence[str] | None = None,
        k: int | None = None,
        on_fault: OnFault | None = None,
        adapt: bool | str | Adaptation | Shift | None = None,
        on_note: OnNote | None = None,
    ) -> Iterator[Prediction]:
        """Yield a prediction for each file that can be used, in their order; arguments as for `predict`.

        A file that cannot be used goes to ``on_fault`` with the reason; without it, it is raised as `predict` does.

        With ``adapt`` the recordings are a target of their own: all are heard first, their unlabelled statistics make
        up for what sets them apart from the source, and the answers are ``transductive``, as a run's are that looks at
        its target. Recordings that belong to one corpus are given together; if all of them are angry, it is just that
        which is lost.

        Args:
            files: paths, or `Request`s of segments, channels and speakers.
            labels: see `predict`.
            k: see `predict`.
            on_fault: gets what was given, and the reason.
            adapt: True for what the model's report adapts by; or a name such as ``corpus``, ``speaker``, ``coral``, or
                several such as ``speaker-or-corpus|prior=uniform``; or an adaptation, or what `shift` gave.
            on_note: gets what the adaptation decided and why, a sentence each; warnings begin with ``warning:``.

        Raises:
            RunError: see `choose_shift`. CorpusError: fewer than five recordings to adapt to.
        """
        classes = self._classes(labels, k)
        if adapt is None or adapt is False:
            for request, embedded, seconds in self._each(files, on_fault, self._embedded):
                yield from self._judged([(request, seconds)], embedded[None], classes, k)
            return
        if not isinstance(adapt, Shift):
            requests = [Request.of(item) for item in files]
            files, adapt = requests, self.shift(adapt, requests)
        heard = list(self._each(files, on_fault, self._raw))
        if heard:
            embedded, seconds = embedded_together(adapt, self.embedder, heard)
            about = [(request, time) for (request, *_), time in zip(heard, seconds, strict=True)]
            if adapt.adaptation is None:
                yield from self._judged(about, embedded, classes, k, adapt)
                return
            speakers = [request.speaker or "" for request, *_ in heard]
            reading = AdaptedReading.of(self, adapt.adaptation, embedded, speakers, classes)
            yield from self._judged(about, reading.embeddings, classes, k, adapt, reading=reading, on_note=on_note)

    def shift(self, adapt: bool | str | Adaptation, requests: Sequence[Request]) -> Shift:
        """Return how recordings are adapted to; arguments and errors as for `predict_files`."""
        speakers = any(request.speaker for request in requests)
        return choose_shift(self.chosen, adapt, isinstance(self.embedder, FeatureEmbedder), speakers)

    def embed(self, audio: Any, rate: int | None = None) -> np.ndarray:
        """Return the embedding, float32 (D,), of one recording; arguments and errors as for `predict`."""
        return self._alone(Request.of(audio, rate))[0]

    def embed_files(
        self, files: Iterable[Any], *, on_fault: OnFault | None = None
    ) -> Iterator[tuple[Request, np.ndarray, float]]:
        """Yield the request, the embedding (D,) and the seconds of each file that can be used (see `predict_files`)."""
        return self._each(files, on_fault, self._embedded)

    @property
    def reader(self) -> Reader:
        """Who names the emotion, among all of them."""
        return self.reader_of(self.classes)

    def reader_of(self, classes: tuple[str, ...]) -> Reader:
        """Return who names the emotion among these of the classes."""
        if classes not in self._readers:
            self._readers[classes] = make_reader(self.chosen, self.embedder.heads, self.store, self.own, classes)
        return self._readers[classes]

    def read(
        self, vectors: np.ndarray, classes: tuple[str, ...], speakers: Sequence[str]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the emotions (N,) and the distributions (N, C) of a dataset's embeddings (N, D) and speakers (N,)."""
        return self.reader_of(classes).read(vectors, classes)

    @cached_property
    def dimensions(self) -> Dimensions:
        """What gives the ratings: a trained ``head``, or the ``direction`` fitted to the training clips' ratings."""
        return Dimensions.of(self.embedder.heads, self.own, self.chosen.alphas)

    def shares(self, classes: tuple[str, ...]) -> np.ndarray:
        """Return the shares of the classes, (C,), that the reader takes for granted.

        Raises:
            CorpusError: one has no training clip, so that its probability can be corrected for nothing.
        """
        counts = np.array([self.own.about["emotion"].count(name) for name in classes])
        if not counts.all():
            none = ", ".join(name for name, count in zip(classes, counts, strict=True) if not count)
            raise CorpusError(f"the model has no training clip of {none}: its probabilities cannot be corrected")
        return self.reader_of(classes).shares(counts)

    def _each(self, files: Iterable[Any], on_fault: OnFault | None, read: Callable[[Request], tuple]) -> Iterator[Any]:
        for item in files:
            try:
                request = Request.of(item)
                yield request, *read(request)
            except Exception as error:  # whatever a library raises of one recording costs that recording alone
                reason = fault_of(error, item)
                if on_fault is None:
                    raise CorpusError(f"{Request.of(item)}: {reason}") from error
                on_fault(item, reason)

    def _embedded(self, request: Request) -> tuple[np.ndarray, float]:
        return embed_windows(self.embedder, windows_of(self.embedder, request))

    def _raw(self, request: Request) -> tuple[np.ndarray, np.ndarray]:
        return raw_windows(self.embedder, windows_of(self.embedder, request))

    def _alone(self, request: Request) -> tuple[np.ndarray, float]:
        try:
            return self._embedded(request)
        except AudioFault as fault:
            raise CorpusError(f"{request}: {fault}") from fault

    def _classes(self, labels: Sequence[str] | None, k: int | None) -> tuple[str, ...]:
        if k is not None and not 0 <= k <= len(self.store):
            raise RunError(f"the neighbours must be 0 to {len(self.store)}, the stored clips, but are {k} instead.")
        if not self.classes and not self.dimensions.given_by:
            _ = self.reader  # says that there is none
        if labels is not None and not self.classes:
            raise XlserError(f"labels choose among emotions, but {self.chosen.name} learnt ratings alone. Leave them.")
        return check_labels(labels, self.classes)

    def _judged(
        self,
        about: Sequence[tuple[Request, float]],
        embedded: np.ndarray,
        classes: tuple[str, ...],
        k: int | None,
        shift: Shift | None = None,
        *,
        reading: AdaptedReading | None = None,
        on_note: OnNote | None = None,
    ) -> Iterator[Prediction]:
        """Yield what is said of N recordings with embeddings (N, D)."""
        emotions, shares = np.full(len(embedded), ""), np.empty((len(embedded), 0))
        if classes:
            emotions, shares = self._answers(about, embedded, classes, reading)
        if reading is not None and on_note is not None:
            for note in reading.fitted.notes:
                on_note(note)
        located = self._located(about, embedded)
        for place, (request, seconds) in enumerate(about):
            row, emotion = located[place], str(emotions[place])
            known = self._familiarity(classes)
            distance = known.distance(row, emotion)
            percentile = known.percentile(distance)
            yield Prediction(
                request.name,
                seconds,
                emotion,
                dict(zip(classes, shares[place].tolist(), strict=True)),
                self.dimensions.read(row),
                distance,
                percentile,
                self._neighbours(row, k, classes),
                WARNING if percentile > UNFAMILIAR else "",
                start=request.start,
                end=request.end,
                channel=str(channel_number(request.channel) or "mix"),
                columns=request.columns,
                **self._answer(shift),
            )

    def _answers(
        self,
        about: Sequence[tuple[Request, float]],
        embedded: np.ndarray,
        classes: tuple[str, ...],
        reading: AdaptedReading | None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the emotions (N,) and the distributions (N, C) of embeddings (N, D)."""
        return self.reader_of(classes).read(embedded, classes) if reading is None else reading.read(self, classes)

    def _located(self, about: Sequence[tuple[Request, float]], embedded: np.ndarray) -> np.ndarray:
        """Return where recordings lie among the stored clips, (N, D)."""
        return embedded

    def _answer(self, shift: Shift | None) -> dict[str, str]:
        """Return under which protocol an answer stands."""
        return {"protocol": TRANSDUCTIVE, "adapt": shift.name} if shift else {}

    def _familiarity(self, classes: tuple[str, ...]) -> Familiarity:
        if classes not in self._known:
            self._known[classes] = Familiarity.of(self._stored(classes))
        return self._known[classes]

    def _stored(self, classes: tuple[str, ...]) -> Datastore:
        if classes not in self._stores:
            self._stores[classes] = of_classes(self.store, classes)
        return self._stores[classes]

    def _neighbours(self, row: np.ndarray, k: int | None, classes: tuple[str, ...]) -> list[Neighbour]:
        voting = self.reader_of(classes).voters(classes) if classes else None
        return neighbours(*(voting or (self._stored(classes), 0)), row, classes, k)


def load(
    folder: str | Path,
    *,
    model: str | None = None,
    method: str | None = None,
    seed: int | None = None,
    datastore: str | Path | None = None,
) -> Model:
    """Return a trained model of a run or bench, wherever that folder lies now; see `xlser.load`.

    ::

        model = xlser.load("runs/supcon")
        prediction = model.predict("clip.wav")
        print(prediction.emotion, prediction.probabilities, prediction.warning)

    An autoencoder's features are z-scored with the source's statistics: nothing of other recordings is looked at,
    unless ``predict_files(..., adapt=True)`` asks for it.

    Args:
        folder: what `xlser run`, `xlser transfer`, `xlser best` or `Recogniser.save` wrote; or ``hf:owner/name``.
        model: which model (see `find_model`); the one that did best on its source's validation speakers unless given.
        method: which method; likewise.
        seed: which seed; likewise.
        datastore: a file of other clips to compare with, embedded by the same model.

    Raises:
        RunError: a folder, method, seed or model that is not there or damaged. XlserError: a datastore that cannot be
            read, or of another encoder.
    """
    folder = located(folder)
    if is_combined(folder):
        from xlser.experiment.use.combined_model import check_single, open_combined

        check_single(folder, model=model, method=method, seed=seed)
        return open_combined(folder, datastore)
    saved = load_saved(folder) if (model, method, seed) == (None, None, None) else None
    return open_model(saved or find_model(folder, method, seed, model=model), datastore)


def open_model(chosen: Chosen, datastore: str | Path | None = None) -> Model:
    """Return the model that was chosen; see `load`."""
    embedder, path = load_embedder(chosen), chosen.folder / STORE
    if not path.exists():
        raise RunError(
            f"{path} is missing: it was made before trained models kept their clips' embeddings, or not copied. "
            f"Copy the whole folder, or {chosen.job.again}."
        )
    own = Datastore.load(path)
    store = Datastore.load(datastore) if datastore else own
    for one in (own, store):
        one.check_encoder(embedder.fingerprint)
    if store.embeddings.shape[1] != own.embeddings.shape[1]:
        raise XlserError(f"{datastore} must have {own.embeddings.shape[1]} dimensions, but has others.")
    return Model(chosen, embedder, own, with_metric(store, chosen.options.get("distance", store.metric)))

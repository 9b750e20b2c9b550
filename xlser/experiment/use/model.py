"""A trained model of a run or bench, ready for recordings of any length."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from xlser.data.audio import AudioFault
from xlser.errors import CorpusError, RunError, XlserError
from xlser.experiment.use.answer import Neighbour, Prediction
from xlser.experiment.use.dimensions import Dimensions
from xlser.experiment.use.embedders import Embedder, embed_windows, load_embedder, windows_of
from xlser.experiment.use.familiarity import UNFAMILIAR, WARNING, Familiarity
from xlser.experiment.use.folder import Chosen, find_model
from xlser.experiment.use.readers import Reader, check_labels, make_reader
from xlser.store.datastore import Datastore

STORE = "datastore.safetensors"
OnFault = Callable[[Path, str], object]


@dataclass
class Model:
    """One model of a run or bench; see `load`. ``store`` holds the clips that it compares with."""

    chosen: Chosen
    embedder: Embedder
    own: Datastore
    store: Datastore

    @property
    def classes(self) -> tuple[str, ...]:
        """The emotions that it tells apart."""
        return self.reader.classes

    def text(self) -> str:
        """Say which model it is, a line."""
        return self.chosen.text()

    def predict(
        self, audio: str | Path | np.ndarray, rate: int = 16_000, *, labels: Sequence[str] | None = None, k: int = 5
    ) -> Prediction:
        """Return what the model says of one recording.

        Args:
            audio: a file, or float samples (S,) between -1 and 1, of any length above the model's shortest.
            rate: of samples, in Hz; a file says its own.
            labels: only these emotions, two at least; the probabilities are of these alone.
            k: how many neighbours are told; 0 for none.

        Raises:
            CorpusError: the recording cannot be used; it is named. XlserError: an unknown label. RunError: more
                neighbours than the store holds, or a run that scored no emotions.
        """
        classes = self._classes(labels, k)
        return self._judge(_name(audio), *self._embedded(audio, rate), classes, k)

    def predict_files(
        self,
        files: Iterable[str | Path],
        *,
        labels: Sequence[str] | None = None,
        k: int = 5,
        on_fault: OnFault | None = None,
    ) -> Iterator[Prediction]:
        """Yield a prediction for each file that can be used, in their order; arguments as for `predict`.

        A file that cannot be used goes to ``on_fault`` with the reason; without it, it is raised as `predict` does.
        """
        classes = self._classes(labels, k)
        for path, embedded, seconds in self.embed_files(files, on_fault=on_fault):
            yield self._judge(path, embedded, seconds, classes, k)

    def embed(self, audio: str | Path | np.ndarray, rate: int = 16_000) -> np.ndarray:
        """Return the embedding, float32 (D,), of one recording; arguments and errors as for `predict`."""
        return self._embedded(audio, rate)[0]

    def embed_files(
        self, files: Iterable[str | Path], *, on_fault: OnFault | None = None
    ) -> Iterator[tuple[str, np.ndarray, float]]:
        """Yield the name, the embedding (D,) and the seconds of each file that can be used (see `predict_files`)."""
        for path in files:
            try:
                yield str(path), *embed_windows(self.embedder, windows_of(self.embedder, Path(path), None))
            except AudioFault as fault:
                if on_fault is None:
                    raise CorpusError(f"{path}: {fault}") from fault
                on_fault(Path(path), str(fault))

    @cached_property
    def reader(self) -> Reader:
        """Who names the emotion."""
        return make_reader(self.chosen, self.embedder.heads, self.store, self.own)

    @cached_property
    def dimensions(self) -> Dimensions:
        """What gives the ratings: a trained ``head``, or the ``direction`` fitted to the training clips' ratings."""
        return Dimensions.of(self.embedder.heads, self.own, self.chosen.alphas)

    @cached_property
    def _familiarity(self) -> Familiarity:
        return Familiarity.of(self.store)

    def _embedded(self, audio: str | Path | np.ndarray, rate: int) -> tuple[np.ndarray, float]:
        try:
            given = None if isinstance(audio, (str, Path)) else rate
            return embed_windows(self.embedder, windows_of(self.embedder, audio, given))
        except AudioFault as fault:
            raise CorpusError(f"{_name(audio)}: {fault}") from fault

    def _classes(self, labels: Sequence[str] | None, k: int) -> tuple[str, ...]:
        if not 0 <= k <= len(self.store):
            raise RunError(f"the neighbours must be 0 to {len(self.store)}, the stored clips, but are {k} instead.")
        return check_labels(labels, self.classes)

    def _judge(self, name: str, embedded: np.ndarray, seconds: float, classes: tuple[str, ...], k: int) -> Prediction:
        row = embedded[None]
        emotions, shares = self.reader.read(row, classes)
        distance = self._familiarity.distance(embedded)
        percentile = self._familiarity.percentile(distance)
        return Prediction(
            name,
            seconds,
            str(emotions[0]),
            dict(zip(classes, shares[0].tolist(), strict=True)),
            self.dimensions.read(embedded),
            distance,
            percentile,
            self._neighbours(row, k),
            WARNING if percentile > UNFAMILIAR else "",
        )

    def _neighbours(self, row: np.ndarray, k: int) -> list[Neighbour]:
        if not k:
            return []
        distances, positions = self.store.search(row, k)
        columns = [self.store.about.get(name) for name in ("corpus", "language", "speaker", "path", "emotion")]
        return [
            Neighbour(*(column[place] if column else "" for column in columns), float(distance))
            for place, distance in zip(positions[0], distances[0], strict=True)
        ]


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

    An autoencoder's features are z-scored with the source's statistics: nothing of other recordings is looked at.

    Args:
        folder: what `xlser run` or `xlser transfer` wrote.
        model: which model (see `find_model`); the one that did best on its source's validation speakers unless given.
        method: which method; likewise.
        seed: which seed; likewise.
        datastore: a file of other clips to compare with, embedded by the same model.

    Raises:
        RunError: a folder, method, seed or model that is not there or damaged. XlserError: a datastore that cannot be
            read, or of another encoder.
    """
    return open_model(find_model(folder, method, seed, model=model), datastore)


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
    metric = chosen.options.get("distance", store.metric)
    return Model(chosen, embedder, own, store if store.metric == metric else _measured(store, metric))


def _measured(store: Datastore, metric: str) -> Datastore:
    """Return the same clips under another metric."""
    known = {"labels": store.labels, "groups": store.groups, "about": store.about}
    return Datastore(store.embeddings, store.ids, metric=metric, encoder=store.encoder, index=store.index, **known)


def _name(audio: object) -> str:
    return str(audio) if isinstance(audio, (str, Path)) else "samples"

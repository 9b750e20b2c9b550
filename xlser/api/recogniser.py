"""A system and its readout, fitted on one dataset, as Python users hold it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from xlser.api.embedding import embed_dataset
from xlser.api.fitting import removed_if_it_fails, scored_emotions, table_hash, validation_split
from xlser.api.over_time import timeline_table
from xlser.api.saved_folder import save_model
from xlser.cachefolder import cache_folder
from xlser.data.dataset import Dataset
from xlser.data.splits import Split
from xlser.errors import CorpusError, RecipeError, RunError
from xlser.experiment.run import run_recipe
from xlser.experiment.use.answer import Prediction
from xlser.experiment.use.folder import Chosen, find_model
from xlser.experiment.use.model import Model, open_model
from xlser.experiment.use.model import load as load_model
from xlser.experiment.use.readers import check_labels
from xlser.experiment.use.request import Request
from xlser.experiment.use.saved import read_by
from xlser.experiment.use.timeline import EVERY, WINDOW, read_timeline
from xlser.experiment.workplace import Workplace
from xlser.systems.kinds import System, split_choice
from xlser.systems.speaks import Readout
from xlser.vocabulary import VALIDATION


class Recogniser:
    """A system and what reads it: ``fit`` on one dataset, then ``predict``, ``embed``, ``save``.

    ::

        model = xl.Recogniser(xl.NoNetwork("egemaps"), readout=xl.Knn()).fit(emodb)
        model.predict("call.wav").probabilities

    The object that is scored (see `evaluate`) is the object that predicts: same network, same readout, same choices.

    Args:
        system: `Autoencoder`, `FineTuned` or `NoNetwork`.
        readout: `Knn`, `Probe`, `Head` or `Interpolated`; None for the best on the validation speakers.
        seed: of the initial weights and the batches, and of which speakers validate where no split is given.
        folder: where weights, curves and scores of the training lie; a temporary one unless given. Fitting with the
            same options and the same table again goes on where it was, or reads back what is there; with others it
            trains beside it. Where recordings changed under the same path it trains anew, and keeps what there was in
            a folder beside it.
        cache: of features and decoded audio; xlser's cache folder unless given.
        progress: show bars.
    """

    def __init__(
        self,
        system: System,
        readout: Readout | None = None,
        *,
        seed: int = 0,
        folder: str | Path | None = None,
        cache: str | Path | None = None,
        progress: bool = True,
    ) -> None:
        if not isinstance(system, System):
            raise RecipeError(f"a Recogniser needs a system such as xl.Autoencoder(), but got {type(system).__name__}")
        if readout is not None and not isinstance(readout, Readout):
            raise RecipeError(f"`readout` must be such as xl.Knn(), or None, but is {type(readout).__name__} instead")
        self.system: System | None = system
        self.readout, self.seed = readout, seed
        self.folder, self.progress = folder, progress
        self.cache = Path(cache or cache_folder())
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._model: Model | None = None

    def get_params(self) -> dict[str, Any]:
        """Return its options by name, as its constructor takes them."""
        names = ("system", "readout", "seed", "folder", "cache", "progress")
        return {name: getattr(self, name) for name in names}

    def __repr__(self) -> str:
        """Say what it is, and whether it is fitted."""
        state = self._model.text() if self._model else "not fitted"
        made = f"{self.system!r}, readout={self.readout!r}" if self.system else "loaded"
        return f"Recogniser({made}): {state}"

    def fit(self, source: Dataset, split: Split | None = None) -> Recogniser:
        """Train the system on a dataset, and choose its readout on validation speakers.

        Args:
            source: with labels or ratings, as the losses need them.
            split: rows to train, to validate and (perhaps none) to test on. Unless given, about a fifth of the
                speakers validate, and all others train.

        Returns:
            Itself.

        Raises:
            CorpusError: one speaker only, or fewer than two emotions. RecipeError: ratings that a loss needs and the
                dataset has not. RunError: a folder that holds something else.
        """
        if not isinstance(source, Dataset):
            made = type(source).__name__
            raise CorpusError(f"fit needs a dataset (xl.load_corpus, xl.Dataset.from_frame), but got {made}")
        if self.system is None:
            raise RunError("a Recogniser that was loaded is fitted already; make a new one of a system to train it")
        split = split or validation_split(source, self.seed)
        folder = self._own_folder()
        # By what is in the table: other labels of the same recordings are another training.
        with removed_if_it_fails(folder / f"source-{table_hash(source)}.parquet") as written:
            recipe = self.system.recipe(
                str(source.write(written)),
                emotions=scored_emotions([source]),
                split=split_choice(split, list(source.frame["id"])),
                first_seed=self.seed,
                **(self.readout.common() if self.readout else {}),
            )
            run = folder / f"run-{recipe.hash}"
            place = Workplace(cache=self.cache, progress=self.progress, say=lambda text: None)
            run_recipe(recipe, run, place, methods=self.system.trained)
        self._model = open_model(self._read(find_model(run, self.system.method)))
        return self

    @property
    def model(self) -> Model:
        """What was fitted.

        Raises:
            RunError: nothing was.
        """
        if self._model is None:
            raise RunError("this Recogniser is not fitted: call .fit(dataset) first, or xlser.load a saved one")
        return self._model

    @property
    def classes(self) -> tuple[str, ...]:
        """The emotions that it tells apart."""
        return self.model.classes

    @property
    def source(self) -> str:
        """The name of the dataset that it was fitted on."""
        return self.model.chosen.source

    def validation(self) -> pd.DataFrame:
        """Return the scores on the validation speakers that the readout was chosen by, the features' beside them."""
        rows = [row for row in self.model.chosen.job.home["transfer"] if row["role"] == VALIDATION]
        return pd.DataFrame(rows)[["method", "classifier", "metric", "value", "low", "high", "chance", "utterances"]]

    def predict(self, audio: Any, rate: int | None = None, **options: Any) -> Any:
        """Return what it says of one recording (see `Model.predict`), or of every utterance of a dataset.

        Args:
            audio: a file, samples (S,), or a dataset.
            rate: of samples, in Hz; it must be given with them.
            options: ``labels`` and ``k``, for one recording.

        Returns:
            `Prediction`; for a dataset a DataFrame, index the ids, with ``emotion`` and a column an emotion with its
            probability, or where it learnt ratings alone a column a dimension. Recordings that cannot be used have no
            row.
        """
        if isinstance(audio, Dataset):
            return predictions(self, audio)
        return self.model.predict(audio, rate, **options)

    def predict_proba(self, dataset: Dataset) -> pd.DataFrame:
        """Return the probabilities of every utterance, index the ids, a column an emotion."""
        if not self.classes:
            raise RunError(f"{self.model.chosen.name} learnt ratings alone: it has no probabilities. Use predict.")
        return predictions(self, dataset).drop(columns="emotion")

    def embed(self, audio: Any, rate: int | None = None) -> Any:
        """Return the embedding (D,) of one recording, or of a dataset a DataFrame (N, D), index the ids."""
        if not isinstance(audio, Dataset):
            return self.model.embed(audio, rate)
        used, vectors = embed_dataset(self.model.embedder, audio, self.cache, progress=self.progress)
        return pd.DataFrame(vectors, index=pd.Index(used.frame["id"], name="id"))

    def predict_files(self, files: Iterable[Any], **options: Any) -> Iterator[Prediction]:
        """Yield a prediction for each file that can be used; see `Model.predict_files`.

        ::

            model.predict_files(paths, adapt=True)  # transductive: by the statistics of these very recordings
        """
        return self.model.predict_files(files, **options)

    def timeline(
        self,
        audio: Any,
        rate: int | None = None,
        *,
        every: float = EVERY,
        window: float = WINDOW,
        labels: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Return emotion over time: what it says of each window of one recording of any length, zero-shot.

        ::

            model.timeline("call.wav")[["start", "end", "emotion"]]

        Args:
            audio: a file, or samples (S,); see `Model.predict`.
            rate: of samples, in Hz; it must be given with them.
            every: seconds from the beginning of a window to that of the next, 0.1 to 600.
            window: seconds of a window, 0.1 to 600; the last one ends with the recording.
            labels: only these emotions, two at least.

        Returns:
            A row a window; see `timeline_table`. A recording shorter than a window is one row.

        Raises:
            CorpusError: the recording cannot be read. XlserError: a length out of its range, or an unknown label.
        """
        classes = check_labels(labels, self.classes)
        request = Request.of(audio, rate)
        windows = read_timeline(self.model, request, every=every, window=window, labels=labels)
        return timeline_table(windows, classes, tuple(self.model.dimensions.given_by))

    def save(self, folder: str | Path) -> Path:
        """Write what predicting needs into a folder that is not there yet, and return it; `load` reads it back.

        ``README.md`` beside it is a model card: what it was trained on, by which checkpoint, and their licences.

        Raises:
            RunError: the folder holds something, or nothing was fitted.
        """
        folder, chosen = Path(folder), self.model.chosen
        if folder.exists() and any(folder.iterdir()):
            raise RunError(f"{folder} is not empty. Give another folder, or delete what is in it.")
        save_model(chosen, folder)
        return folder

    @classmethod
    def of(cls, model: Model, *, cache: str | Path | None = None, progress: bool = True) -> Recogniser:
        """Return a trained model as a recogniser."""
        made = cls.__new__(cls)
        made.system, made.readout, made.seed = None, None, model.chosen.seed
        made.folder, made.progress, made.cache = model.chosen.run, progress, Path(cache or cache_folder())
        made._temporary, made._model = None, model
        return made

    def _read(self, chosen: Chosen) -> Chosen:
        return chosen if self.readout is None else read_by(chosen, self.readout.name, self.readout.options())

    def _own_folder(self) -> Path:
        if self.folder is not None:
            return Path(self.folder)
        self._temporary = tempfile.TemporaryDirectory(prefix="xlser-")
        return Path(self._temporary.name)


def predictions(model: Recogniser, dataset: Dataset) -> pd.DataFrame:
    """Return emotion and probabilities, or ratings, of every utterance that can be used, index the ids."""
    used, vectors = embed_dataset(model.model.embedder, dataset, model.cache, progress=model.progress)
    if not model.classes:  # it learnt ratings alone
        return pd.DataFrame(model.model.dimensions.read_all(vectors), index=pd.Index(used.frame["id"], name="id"))
    emotions, shares = model.model.read(vectors, model.classes, list(used.frame["speaker"]))
    table = pd.DataFrame(shares, index=pd.Index(used.frame["id"], name="id"), columns=list(model.classes))
    table.insert(0, "emotion", emotions)
    return table


def load(
    folder: str | Path,
    *,
    model: str | None = None,
    method: str | None = None,
    seed: int | None = None,
    datastore: str | Path | None = None,
    cache: str | Path | None = None,
) -> Recogniser:
    """Return a trained model: of `Recogniser.save`, of a run or of a bench, wherever its folder lies now.

    ::

        model = xlser.load("runs/RUN")
        prediction = model.predict("call.wav")
        print(prediction.emotion, prediction.probabilities, prediction.warning)
        other = xlser.load("runs/bench", model="emodb/dae-both/plain")
    theirs = xlser.load("hf:owner/name")  # of the Hugging Face hub; hf:owner/name@COMMIT for always the same

    An autoencoder's features are z-scored with the source's statistics: nothing of other recordings is looked at,
    unless ``predict_files(..., adapt=True)`` asks for it.

    Args:
        folder: a saved model, or what `xlser run`, `xlser transfer` or `xlser best` wrote; or what `xlser push` put on
            the hub, by ``hf:owner/name``.
        model: ``source/recipe/method/seed``, or any part of it that names one recipe on one source, such as ``recipe``
            or ``source/method``. What it leaves open is the one that did best on its own source's validation speakers,
            features without a network included; of equals the simplest.
        method: one of the methods; likewise.
        seed: one of its seeds; likewise.
        datastore: a file of other clips to compare with, embedded by the same model.
        cache: of features and decoded audio, for datasets; xlser's cache folder unless given.

    Raises:
        RunError: a folder, method, seed or model that is not there, damaged, or of another schema. XlserError: a
            datastore that cannot be read, or of another encoder.
    """
    return Recogniser.of(load_model(folder, model=model, method=method, seed=seed, datastore=datastore), cache=cache)

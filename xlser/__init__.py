"""Cross-lingual speech emotion recognition: learn on a language that has data, carry it to one that has little."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlser.version import __version__ as __version__

if TYPE_CHECKING:
    from pathlib import Path

    from xlser.experiment.use.model import Model


def load(
    folder: str | Path,
    *,
    model: str | None = None,
    method: str | None = None,
    seed: int | None = None,
    datastore: str | Path | None = None,
) -> Model:
    """Return a trained model of a run or bench, wherever its folder lies now.

    ::

        model = xlser.load("runs/RUN")
        prediction = model.predict("call.wav")
        print(prediction.emotion, prediction.probabilities, prediction.warning)
        other = xlser.load("runs/bench", model="emodb/dae-both/plain")

    An autoencoder's features are z-scored with the source's statistics: nothing of other recordings is looked at.

    Args:
        folder: what `xlser run` or `xlser transfer` wrote.
        model: ``source/recipe/method/seed``, or any part of it that names one recipe on one source, such as ``recipe``
            or ``source/method``. What it leaves open is the one that did best on its own source's validation speakers,
            features without a network included; of equals the simplest.
        method: one of the methods; likewise.
        seed: one of its seeds; likewise.
        datastore: a file of other clips to compare with, embedded by the same model.

    Raises:
        RunError: a folder, method, seed or model that is not there or damaged. XlserError: a datastore that cannot be
            read, or of another encoder.
    """
    from xlser.experiment.use.model import load as read  # what it needs is heavy, and `import xlser` stays light

    return read(folder, model=model, method=method, seed=seed, datastore=datastore)

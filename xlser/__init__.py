"""Cross-lingual speech emotion recognition: learn on a language that has data, carry it to one that has little."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlser.version import __version__ as __version__

if TYPE_CHECKING:
    from pathlib import Path

    from xlser.experiment.use.model import Model


def load(
    run: str | Path, *, method: str | None = None, seed: int | None = None, datastore: str | Path | None = None
) -> Model:
    """Return a trained model of a run folder, wherever that folder lies now.

    ::

        model = xlser.load("runs/RUN")
        prediction = model.predict("call.wav")
        print(prediction.emotion, prediction.probabilities, prediction.warning)

    An autoencoder's features are z-scored with the source's statistics: nothing of other recordings is looked at.

    Args:
        run: the folder that `xlser run` wrote.
        method: which method; the one that did best on the source's validation speakers unless given.
        seed: which seed; likewise.
        datastore: a file of other clips to compare with, embedded by the same model.

    Raises:
        RunError: a folder, method, seed or model that is not there or damaged. XlserError: a datastore that cannot be
            read, or of another encoder.
    """
    from xlser.experiment.use import model  # what it needs is heavy, and `import xlser` stays light

    return model.load(run, method=method, seed=seed, datastore=datastore)

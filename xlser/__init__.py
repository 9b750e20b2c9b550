"""Cross-lingual speech emotion recognition: learn on a language that has data, carry it to one that has little."""

__version__ = "0.2.0"


def load(run, *, method=None, seed=None, datastore=None):
    """Return a trained model of a run folder: see `xlser.experiment.use.model.load`.

    ::

        model = xlser.load("runs/supcon")
        prediction = model.predict("clip.wav")
        print(prediction.emotion, prediction.probabilities, prediction.warning)
    """
    import importlib  # what it needs is heavy, and `import xlser` stays light

    found = importlib.import_module("xlser.experiment.use.model")
    return found.load(run, method=method, seed=seed, datastore=datastore)

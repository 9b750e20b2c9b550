"""Few-shot curves of recordings in which two people talk: no recording gives a shot and judges it."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from xlser.experiment.bench import extras
from xlser.vocabulary import TARGET


def test_shots_and_judges_share_no_recording(monkeypatch):
    frame = pd.DataFrame({"speaker": [*"aabbccdd"], "path": ["1", "1", "1", "2", "3", "3", "3", "4"]})
    corpus, seen = SimpleNamespace(name="calls", frame=frame), {}
    reader = SimpleNamespace(system=SimpleNamespace(embed=lambda case: np.zeros((8, 2))), train=None, method="plain")

    def possible(train, target, ks, options):
        seen.update(options)
        return [], [], ks, ""

    monkeypatch.setattr(extras, "first_seed", lambda readers: readers)
    monkeypatch.setattr(extras, "probabilities", lambda *args: None)
    monkeypatch.setattr(extras, "_chosen", lambda *args: {})
    monkeypatch.setattr(extras, "_part", lambda corpus, embedded: SimpleNamespace(embeddings=embedded))
    monkeypatch.setattr(extras, "_possible", possible)
    extras.few_shot_rows([reader], SimpleNamespace(role=TARGET, corpus=corpus), ("anger", "joy"), (1,))
    assert seen["speakers"].tolist() == ["a + b"] * 4 + ["c + d"] * 4

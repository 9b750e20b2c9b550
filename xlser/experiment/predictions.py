"""What was said of every clip, so that others can be compared with it clip by clip."""

from __future__ import annotations

from typing import Any

import numpy as np

from xlser.evaluation.transfer import Views
from xlser.experiment.corpora import Corpus


def predictions(views: Views, corpus: Corpus) -> dict[str, Any]:
    """Return ``id``, ``speaker`` and ``truth`` of the clips, and what every method, classifier and seed ``said``.

    A label is None where a seed may not judge a clip; a truth is None where its emotion is none of the recipe's.
    """
    said = []
    for method, seeds in views.items():
        for number, view in enumerate(seeds):
            for classifier, labels in view.labels.items():
                judged = np.where(view.rows, labels.astype(object), None)
                said.append({"method": method, "classifier": classifier, "seed": number, "labels": judged.tolist()})
    return {
        "id": list(map(str, corpus.frame["id"])),
        "speaker": list(map(str, corpus.frame["speaker"])),
        "truth": [None if label is None else str(label) for label in corpus.labels],
        "said": said,
    }

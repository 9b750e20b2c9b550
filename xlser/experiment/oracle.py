"""A reading that is told the target's own class prior: an upper line of some published tables, and never a choice.

It looks at the target's labels. It is no adaptation, stands in no table of them, and is read only where a recipe asks
for it by name (``evaluation.oracle_prior``).
"""

from __future__ import annotations

import numpy as np

from xlser.evaluation.knn import renormalised
from xlser.experiment.readers import Reader

ORACLE_PRIOR = "oracle-prior"


def oracle_labels(
    reader: Reader, embedded: np.ndarray, classes: tuple[str, ...], labels: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the classes (N,) by reader, its probabilities carried from its own prior to that of ``labels``.

    Each p(y|x) is multiplied by the target's share of y and divided by the share under which the reader was fitted:
    equal ones for the probe, see `Judge.shares` for a classifier of the system's own. Readers without probabilities
    are not among these.

    Args:
        reader: fitted on the source.
        embedded: (N, D) of the target.
        classes: that are scored.
        labels: (N,) the target's true emotions; those of no scored class do not count.
    """
    names = np.array(classes)
    true = (labels.astype(str)[:, None] == names).mean(axis=0)
    fitted = {"probe": (reader.probed(embedded, classes), np.full(len(classes), 1 / len(classes)))}
    own = reader.judge.probabilities(embedded, classes) if reader.judge else None
    counts = (reader.train.labels.astype(str)[:, None] == names).sum(axis=0)
    if reader.judge and own is not None and counts.all():
        fitted["classifier + knn"] = own, reader.judge.shares(counts)
    return {
        name: names[renormalised(given * (true / shares)).argmax(axis=1)] for name, (given, shares) in fitted.items()
    }

"""Every corpus as the target of all others: what the chooser takes, what it gives away, and how that is in the mean."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from xlser.data.dataset import Dataset
from xlser.errors import CorpusError
from xlser.evaluation.bootstrap import interval
from xlser.evaluation.candidates import BestResult
from xlser.evaluation.layers import mean_samples
from xlser.experiment.best.domains import read_domain
from xlser.experiment.best.fits import Fits
from xlser.experiment.best.outcome import LEVEL
from xlser.experiment.best.scoring import OnProgress
from xlser.experiment.best.search import Question, everything, find_among, hidden_states
from xlser.experiment.workplace import Workplace
from xlser.features.representation import columns_of
from xlser.vocabulary import EMOTIONS

MEAN = "mean"


def leave_one_out(
    corpora: Sequence[Dataset],
    place: Workplace,
    *,
    encoder: str | None = None,
    emotions: Sequence[str] = EMOTIONS,
    minutes: float = 10.0,
    transductive: bool = True,
    on_progress: OnProgress | None = None,
) -> list[BestResult]:
    """Find the best model for each corpus as the target of all others; arguments as for `find_best`.

    The choice for a corpus never sees a label of it: only those of the others, each of which is a pretended target
    there. What is fitted for one target serves the next where it is the same.

    Args:
        corpora: labelled, three at least: with two, each choice has a single source.
        place, encoder, emotions, transductive, on_progress: see there.
        minutes: for each target.

    Raises:
        CorpusError: fewer than two corpora; and see `find_best`.
    """
    if len(corpora) < 2:
        raise CorpusError(f"leave-one-out needs two corpora at least, but got {len(corpora)}. Name more.")
    layers = hidden_states(encoder)
    extractor, jobs = everything(layers, encoder, transductive), place.jobs or os.cpu_count() or 1
    read = [read_domain(dataset, extractor, emotions, place) for dataset in corpora]
    question = Question(tuple(emotions), tuple(columns_of(extractor)), layers, transductive, 60 * minutes, jobs)
    fits, results = Fits(), []
    for away in read:
        rest = [domain for domain in read if domain is not away]
        results.append(find_among(rest, away, question, fits, on_progress).result)
        fits.forget()  # what was read is of no more use; what was fitted is
    return results


def left_out_table(results: Sequence[BestResult], level: float = LEVEL) -> pd.DataFrame:
    """Return a row a target, and the mean of those with labels: UA in [0, 1], with intervals over speakers.

    Columns: ``target``, ``protocol``, ``chosen``; ``validated``, its UA on the target; ``oracle``, that of the best in
    hindsight, and ``best`` which that was; ``regret`` between the two; ``baseline``. The first, the third and the last
    of these have ``_low`` and ``_high``, nan in the row of the mean where a target has one speaker.
    """
    rows, samples = [], []
    for one in results:
        if one.oracle is None:
            continue
        chosen, oracle, base = (one.samples[name] for name in (one.chosen, one.oracle, one.baseline))
        samples.append((chosen, oracle - chosen, base))
        about = {"target": one.target, "protocol": one.protocol, "chosen": one.chosen, "best": one.oracle}
        rows.append(about | _row(samples[-1], level))
    if samples:
        about = {"target": MEAN, "protocol": "", "chosen": "", "best": ""}
        rows.append(about | _row([mean_samples(several) for several in zip(*samples, strict=True)], level))
    return pd.DataFrame(rows)


def _row(samples: Sequence[np.ndarray], level: float) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, values in zip(("validated", "regret", "baseline"), samples, strict=True):
        low, high = interval(values, level)
        row |= {name: float(values[0]), f"{name}_low": low, f"{name}_high": high}
    return row | {"oracle": row["validated"] + row["regret"]}

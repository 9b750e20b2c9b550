"""How much more the answers hang together with the speaker than chance has it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def concentration(speakers: ArrayLike, answers: ArrayLike) -> float:
    """Return the mutual information of speaker and answer, less what permutations have, over the answers' entropy.

    0 where speakers answer alike, 1 where the speaker tells the answer; below 0 where they are more alike than chance.
    The mean over all permutations is taken exactly (Vinh et al. 2010), so that nothing is drawn at random: with few
    rows a speaker, plain mutual information is large by chance alone.

    Args:
        speakers: (M,) names.
        answers: (M,) classes.

    Returns:
        0 where all answers are one, or all speakers, or there is no row.

    Raises:
        ValueError: the two differ in length.

    >>> concentration([*"aabb"] * 9, [*"xyxy"] * 9) < 0.01, concentration([*"aabb"] * 9, [*"xxyy"] * 9) > 0.9
    (True, True)
    """
    speakers, answers = np.asarray(speakers).astype(str), np.asarray(answers).astype(str)
    if len(speakers) != len(answers):
        raise ValueError(f"`speakers` and `answers` must be as many, but are {len(speakers)} and {len(answers)}.")
    who, what = (np.unique(values, return_inverse=True)[1] for values in (speakers, answers))
    if not len(who) or not who.any() or not what.any():
        return 0.0
    from scipy.sparse import csr_matrix
    from sklearn.metrics import mutual_info_score
    from sklearn.metrics.cluster import expected_mutual_information

    table = np.zeros((who.max() + 1, what.max() + 1), dtype=np.int64)
    np.add.at(table, (who, what), 1)
    shares = table.sum(axis=0) / len(what)
    entropy = float(-(shares * np.log(shares)).sum())
    expected = expected_mutual_information(csr_matrix(table), len(who))
    found = mutual_info_score(None, None, contingency=table) - expected
    return float(found / entropy)

"""What every adaptation offers: see `xlser.evaluation.adaptations` for the table of them."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike


class Adaptation:
    """Maps a target's embeddings to the source's, or corrects probabilities; without labels of the target.

    ``name`` is what recipes and tables call it, ``rows`` how many recordings of the target it needs;
    ``on_probabilities``: it corrects these and leaves the embeddings alone, so that readouts without any have no part.
    """

    name: ClassVar[str]
    rows: ClassVar[int] = 2
    on_probabilities: ClassVar[bool] = False

    def embeddings(self, source: np.ndarray, target: np.ndarray, speakers: ArrayLike) -> np.ndarray:
        """Return the target's embeddings (M, D) as the source's readout should see them.

        Args:
            source: (N, D) of the source's training rows.
            target: (M, D) of all the target's rows.
            speakers: (M,) who speaks in each.
        """
        return target

    def probabilities(self, probabilities: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """Return corrected probabilities (M, C), or the same where it leaves them alone.

        Args:
            probabilities: (M, C), rows summing to 1.
            shares: (C,) of the classes under which the readout was fitted.
        """
        return probabilities

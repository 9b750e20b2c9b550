"""Warnings of scikit-learn whose cause is known here, and of which a user can change nothing."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unconverged() -> Iterator[None]:
    """Let a regression end where its steps do: clips that a plane parts have no best one, and later ones read no worse.

    >>> with unconverged():
    ...     from sklearn.exceptions import ConvergenceWarning
    ...     warnings.warn("lbfgs failed to converge", ConvergenceWarning)
    """
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


@contextmanager
def single_samples() -> Iterator[None]:
    """Let a class or a corpus have one clip, of which a covariance is shrunk to nothing, as it should be.

    >>> with single_samples():
    ...     warnings.warn("Only one sample available. You may want to reshape your data array")
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Only one sample available", category=UserWarning)
        yield

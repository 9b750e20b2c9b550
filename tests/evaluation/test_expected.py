"""Warnings of scikit-learn that say nothing to a user do not reach the screen; others do."""

import warnings

import numpy as np
import pytest

from xlser.evaluation.classify import probe_of
from xlser.evaluation.expected import single_samples, unconverged


def test_a_probe_of_clips_that_a_plane_parts_says_nothing(monkeypatch):
    from sklearn.linear_model import LogisticRegression

    rows = np.random.default_rng(0).normal(size=(30, 4))
    real = LogisticRegression.fit
    monkeypatch.setattr(LogisticRegression, "fit", lambda self, *a, **k: real(self.set_params(max_iter=1), *a, **k))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        probe = probe_of(rows, np.where(rows[:, 0] > 0, "a", "b"), 1e6)
    assert probe is not None


def test_only_the_warnings_that_are_named_are_left_out():
    for context in (unconverged, single_samples):
        with pytest.warns(RuntimeWarning, match="overflow"), context():
            warnings.warn("overflow", RuntimeWarning, stacklevel=1)
    with pytest.warns(UserWarning, match="another"), single_samples():
        warnings.warn("another", UserWarning, stacklevel=1)


def test_a_class_of_one_clip_says_nothing():
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    rows = np.array([[0.0, 1.0], [1.0, 0.0], [5.0, 5.0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with single_samples():
            fitted = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto").fit(rows, [*"aab"])
    assert list(fitted.classes_) == ["a", "b"]

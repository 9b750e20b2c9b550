"""The words that tables, recipes and messages share, each once, and the order of those that have one."""

from __future__ import annotations

from typing import Final, Literal

# Rated dimensions. This is the order of their columns wherever ratings stand side by side; a column is always looked up
# by its name (``DIMENSIONS.index(name)``), never by a number.
Dimension = Literal["activation", "valence", "dominance"]
DIMENSIONS: Final[tuple[Dimension, ...]] = ("activation", "valence", "dominance")
RatingsKind = Literal["rated", "derived", "none"]

# What most corpora share, and a recipe scores unless it says otherwise.
EMOTIONS: Final = ("anger", "happiness", "neutral", "sadness")

# The emotion of an utterance that nobody labelled, or of which its raters do not agree: no recipe may score either.
UNLABELLED: Final = "unlabelled"
NO_AGREEMENT: Final = "no-agreement"
# Both, and what xlser 0.1 called the second one: these are no emotions.
UNNAMED: Final = (UNLABELLED, NO_AGREEMENT, "no_agreement")

# Whose recordings a score is of.
VALIDATION: Final = "source, validation speakers"
HELD_OUT: Final = "source, held-out speakers"
TARGET: Final = "target"

# What was known of the target before it was read.
ZERO_SHOT: Final = "zero-shot"
TRANSDUCTIVE: Final = "transductive"
ORACLE: Final = "oracle"  # its labels were looked at: for comparison with tables that do so, never chosen

# Where a representation says a rated dimension: the head trained on it, the direction fitted to it, or the mean latent.
AXES: Final = ("head", "direction", "latent mean")

# Methods that are in every table: the features before any network, and a shortcut that hears nothing.
FEATURES: Final = "features"
DURATION: Final = "duration alone"
SHORTCUTS: Final = (DURATION,)

# The readouts that can predict, the simplest first: of those that do as well the first one is taken.
KNN: Final = "knn"
PROBE: Final = "probe"
HEAD: Final = "classifier"
INTERPOLATED: Final = "classifier + knn"
READOUTS: Final = (KNN, PROBE, HEAD, INTERPOLATED)

"""A corpus's clips with what they teach."""

from __future__ import annotations

import numpy as np

from xlser.experiment.corpora import Corpus
from xlser.experiment.vote_targets import soft_terms, vote_targets
from xlser.training.encoder_plan import Labelled
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.vocabulary import DIMENSIONS


def labelled(corpus: Corpus, recipe: EncoderRecipe) -> Labelled:
    """Return a corpus's clips with what they teach."""
    codes = {name: code for code, name in enumerate(recipe.emotions)}
    return Labelled(
        corpus.data,
        np.array([codes.get(label, -1) for label in corpus.labels], dtype=np.int64),
        np.stack([corpus.ratings[name] for name in DIMENSIONS], axis=1).astype(np.float32),
        np.unique(corpus.frame["speaker"].astype(str), return_inverse=True)[1].astype(np.int64),
        np.unique(corpus.languages.astype(str), return_inverse=True)[1].astype(np.int64),
        vote_targets(corpus, recipe) if soft_terms(recipe) else None,
        np.unique(corpus.frame["corpus"].astype(str), return_inverse=True)[1].astype(np.int64),
    )

"""A whole dataset through a trained model: through the caches, in batches, with a progress bar."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from xlser.data.dataset import Dataset
from xlser.experiment.use.embedders import ClipEmbedder, Embedder, FeatureEmbedder
from xlser.features.clips import read_clips
from xlser.features.extract import extract
from xlser.printable import one_line


def embed_dataset(
    embedder: Embedder, dataset: Dataset, cache: str | Path, *, progress: bool = True
) -> tuple[Dataset, np.ndarray]:
    """Return the utterances that can be used, and their embeddings, float32 (N, D).

    Args:
        embedder: of a trained model.
        dataset: any; recordings that cannot be used are left out and named in the ``left_out`` of what is returned.
        cache: where features and decoded audio are kept.
        progress: show a bar.

    Raises:
        CorpusError: no recording can be used.
    """
    if isinstance(embedder, FeatureEmbedder):
        features = extract(dataset.manifest, embedder.extractor, cache, progress=progress)
        return dataset.with_manifest(features.manifest), embedder.encode(features.values)
    assert isinstance(embedder, ClipEmbedder)
    from xlser.training.embed import embed
    from xlser.training.inputs import ClipInputs

    clips = read_clips(dataset.manifest, cache, rate=embedder.rate, progress=progress)
    inputs = ClipInputs(embedder.network, clips, Path(cache), precision=embedder.precision)
    rows = np.arange(len(clips.samples))
    with tqdm(
        total=len(rows), desc=f"embedding {one_line(dataset.name)}", unit="clip", disable=not progress, leave=False
    ) as bar:
        longest = embedder.longest / embedder.rate
        vectors = embed(embedder.network, inputs, rows, longest=longest, advance=bar.update)
    return dataset.with_manifest(clips.manifest), vectors

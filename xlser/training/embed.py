"""Embeddings of whole corpora: in batches of near length, long clips in windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from xlser.data.spans import Span, batches, windows
from xlser.errors import RunError
from xlser.models.classifier import EMBEDDING, EmotionNetwork
from xlser.models.threads import NARROW, one_thread
from xlser.training.inputs import ClipInputs, autocast

# Seconds of audio that a processor embeds at once at most: with wav2vec 2.0 base on two cores, batches of 64 took a
# tenth to a quarter longer for the same clips. Narrow networks were not measured, and keep what the recipe says.
MOST = 16.0


def embed(
    network: EmotionNetwork,
    inputs: ClipInputs,
    rows: Sequence[int] | np.ndarray,
    *,
    longest: float,
    seconds: float = 64.0,
    pool: str = EMBEDDING,
    advance: Callable[[int], object] = lambda clips: None,
) -> np.ndarray:
    """Return the embeddings of some clips, float32 (len(rows), D).

    A clip's embedding does not depend on what else is embedded with it. One longer than ``longest`` seconds is cut into
    windows of equal length, and has the mean of theirs, weighted by their samples.

    Args:
        network: in any mode; it is left as it was.
        inputs: of the corpus.
        rows: which clips.
        longest: seconds of a window.
        seconds: of padded audio in a batch, at most; a wide network on a processor takes `MOST` at once.
        pool: which of the network's pools gives the vectors.
        advance: told the number of clips that are done.

    Raises:
        RunError: out of memory, or an embedding that is not finite: the clip is named.
    """
    rate = network.encoder.rate
    place = {row: position for position, row in enumerate(dict.fromkeys(int(row) for row in rows))}
    spans = [s for row in place for s in windows(row, int(inputs.clips.samples[row]), int(longest * rate))]
    width, narrow = network.pools[pool].width, network.encoder.width < NARROW
    if next(network.parameters()).device.type == "cpu" and not narrow:
        seconds = min(seconds, MOST)
    total, weight = np.zeros((len(place), width), dtype=np.float64), np.zeros(len(place))
    training = network.training
    network.eval()
    try:
        with one_thread(narrow):
            for batch in batches(spans, int(seconds * rate)):
                for span, vector in zip(batch, _embed(network, inputs, batch, pool), strict=True):
                    samples = span.stop - span.start
                    total[place[span.row]] += samples * vector
                    weight[place[span.row]] += samples
                advance(sum(span.start == 0 for span in batch))
    finally:
        network.train(training)
    embedded = (total / weight[:, None]).astype(np.float32)[[place[int(row)] for row in rows]]
    _check(embedded, inputs, rows)
    return embedded


def _embed(network: EmotionNetwork, inputs: ClipInputs, batch: list[Span], pool: str) -> np.ndarray:
    device = next(network.parameters()).device
    taken = inputs.take(batch)
    taken = taken._replace(clips=[clip.to(device) for clip in taken.clips])
    try:
        with torch.inference_mode(), autocast(inputs.precision, device):
            return network.embed(taken)[pool].float().cpu().numpy()
    except RuntimeError as error:
        if out_of_memory(error):
            raise RunError(
                f"out of memory while embedding {len(batch)} clips at once. Lower encoder.longest or training.seconds."
            ) from error
        raise


def _check(embedded: np.ndarray, inputs: ClipInputs, rows: Sequence[int] | np.ndarray) -> None:
    bad = ~np.isfinite(embedded).all(axis=1)
    if bad.any():
        names = inputs.clips.manifest.frame["id"].iloc[[int(rows[i]) for i in np.flatnonzero(bad)[:3]]]
        raise RunError(
            f"{int(bad.sum())} embeddings are not finite, such as that of {', '.join(names)}. "
            "Use training.precision float32, or another checkpoint."
        )


def out_of_memory(error: RuntimeError) -> bool:
    """Say whether this is how torch tells that memory ran out, on a GPU or off it."""
    return isinstance(error, torch.OutOfMemoryError) or "not enough memory" in str(error)

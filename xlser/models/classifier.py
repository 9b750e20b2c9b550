"""A speech encoder with what is learnt on top of it: pooled embeddings, projections, and heads."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from xlser.models.encoder import SpeechEncoder, pad_frames
from xlser.models.pooling import LayerPool
from xlser.models.projection import projection
from xlser.vocabulary import DIMENSIONS

EMBEDDING, FED = "embedding", "fed"


class Inputs(NamedTuple):
    """Clips of one batch, each alone: ``clips`` are ``waves`` (S,); ``frames`` (T, F), the output of the frozen part up
    to hidden state ``first`` (0: of the convolutions); or ``means`` (L + 1, D), each layer's mean over time. ``masks``
    give, for the frames that a clip turns out to have, SpecAugment's masks of frames and columns."""

    kind: Literal["waves", "frames", "means"]
    clips: Sequence[Tensor]
    first: int = 0
    masks: Sequence[Callable[[int], tuple[Tensor, Tensor]]] | None = None


class EmotionNetwork(nn.Module):
    """Clips in, embeddings out; heads that judge an embedding.

    ``embed`` gives (N, D) under ``embedding`` and, where a contrastive loss is fed from another layer, (N, D') under
    ``fed``. ``classes`` and ``dimensions`` are linear heads of the embedding; ``projections`` are small networks of
    two layers through which a loss looks at it, and which nothing uses afterwards.

    Args:
        encoder: see `SpeechEncoder`.
        pool: how its hidden states become the embedding.
        fed: another way to pool, for the losses ``feeding``, or None.
        classes: number of emotions.
        projections: output width of each loss's projection.
        feeding: the losses that look at the vectors of ``fed`` in place of the embedding.
    """

    def __init__(
        self,
        encoder: SpeechEncoder,
        pool: LayerPool,
        *,
        classes: int,
        fed: LayerPool | None = None,
        projections: Mapping[str, int] | None = None,
        feeding: Collection[str] = (),
    ) -> None:
        super().__init__()
        self.encoder, self.feeding = encoder, frozenset(feeding)
        self.pools = nn.ModuleDict({EMBEDDING: pool} | ({FED: fed} if fed else {}))
        self.classes = nn.Linear(pool.width, classes)
        self.dimensions = nn.Linear(pool.width, len(DIMENSIONS))
        widths = {name: self.pools[self._source(name)].width for name in projections or {}}
        self.projections = nn.ModuleDict(
            {name: projection(widths[name], width) for name, width in (projections or {}).items()}
        )

    @property
    def lowest(self) -> int:
        """Number of the lowest hidden state that is read: frozen layers below it need to run only once."""
        return min(pool.lowest for pool in self.pools.values())

    @property
    def highest(self) -> int:
        """Number of the highest hidden state that is read."""
        pools: Any = self.pools.values()
        return max(pool.highest for pool in pools)

    def embed(self, inputs: Inputs) -> dict[str, Tensor]:
        """Return the embeddings of clips, each the same whatever else is in the batch."""
        if inputs.kind == "means":
            means = torch.stack(list(inputs.clips))
            return {name: pool.from_means(means) for name, pool in self.pools.items()}
        clips = inputs.clips
        if inputs.kind == "waves":
            clips = [self.encoder.front(wave) for wave in clips]
        frames, lengths = pad_frames(clips)
        masks = _padded_masks(inputs.masks, lengths) if inputs.masks else {}
        hidden = self.encoder(frames, lengths, first=inputs.first, **masks)
        return {name: pool(hidden, lengths, first=inputs.first) for name, pool in self.pools.items()}

    def project(self, term: str, embedded: Mapping[str, Tensor]) -> Tensor:
        """Return what the loss ``term`` compares: its projection, or the pooled vectors themselves."""
        vectors = embedded[self._source(term)]
        return self.projections[term](vectors) if term in self.projections else vectors

    def _source(self, term: str) -> str:
        return FED if term in self.feeding else EMBEDDING


def _padded_masks(masks: Sequence[Callable], lengths: Tensor) -> dict[str, Tensor]:
    times, features = zip(*(mask(frames) for mask, frames in zip(masks, lengths.tolist(), strict=True)), strict=True)
    padded = pad_sequence(times, batch_first=True)
    return {"time_mask": padded.to(lengths.device), "feature_mask": torch.stack(features).to(lengths.device)}

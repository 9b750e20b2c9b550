"""What a network is fed: samples, or the outputs of its frozen part, which are computed once and kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from xlser.data.spans import Span
from xlser.features.arrays import ArrayStore
from xlser.features.augment import augment_wave, spec_masks
from xlser.features.clips import Clips
from xlser.models.classifier import EmotionNetwork, Inputs
from xlser.models.encoder import pad_frames
from xlser.models.pooling import masked_mean
from xlser.training.encoder_recipe import Augmentation

PRECISIONS = {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}


def autocast(precision: str, device: str | torch.device = "cpu") -> AbstractContextManager:
    """Return the context in which a network computes at this precision."""
    dtype = PRECISIONS[precision]
    return torch.autocast(torch.device(device).type, dtype=dtype or torch.bfloat16, enabled=dtype is not None)


def middle(row: int, samples: int, longest: int) -> Span:
    """Return the middle ``longest`` samples of a clip, or all of a shorter one."""
    start = max(0, (samples - longest) // 2)
    return Span(row, start, start + min(samples, longest))


@dataclass(frozen=True)
class Draw:
    """Names what is random about a clip in one epoch: it depends on these and the row alone, not on the batch."""

    choice: Augmentation
    seed: int
    epoch: int

    def of(self, row: int) -> int:
        """Return a seed for one clip."""
        text = f"{self.seed}|{self.epoch}|{row}".encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:7], "big")


class ClipInputs:
    """Clips of one corpus as a network takes them.

    Where nothing random comes before them, the outputs of the frozen part are read from ``root``, a store in memory
    maps that all epochs, methods, seeds and runs share: of the convolutions, of the frozen layers that no pooling reads
    below, or, for a wholly frozen encoder whose pools are means, of every layer's mean over time.

    Args:
        network: the network; its encoder is frozen as the recipe says.
        clips: audio.
        root: cache folder, or None to compute everything anew.
        precision: in which the frozen part computes; what is kept is float32.
        augment: what is drawn at random in training; None for evaluation.
    """

    def __init__(
        self,
        network: EmotionNetwork,
        clips: Clips,
        root: Path | None,
        *,
        precision: str = "float32",
        augment: Augmentation | None = None,
    ) -> None:
        self.network, self.clips, self.precision = network, clips, precision
        self.kind, self.first = _kept(network, augment) if root else ("waves", 0)
        self.store = ArrayStore(root, self._identity()) if self.kind != "waves" else None

    def take(self, spans: Sequence[Span], draw: Draw | None = None) -> Inputs:
        """Return the inputs of some clips, with the random changes of ``draw`` if there is one."""
        clips = [self._one(span, draw) for span in spans]
        masks = None
        if draw is not None and draw.choice.of_frames and self.kind != "means" and self.first == 0:
            masks = [partial(self._masks, draw.choice, draw.of(span.row) + 1) for span in spans]
        return Inputs(self.kind, clips, self.first, masks)

    def _one(self, span: Span, draw: Draw | None) -> Tensor:
        if self.store is not None:
            found = self.store.get(self._key(span))
            return torch.from_numpy(np.array(found)) if found is not None else self._compute(span)
        wave = self._wave(span)
        return augment_wave(wave, draw.choice, draw.of(span.row)) if draw and draw.choice.of_waves else wave

    def _wave(self, span: Span) -> Tensor:
        return torch.from_numpy(np.array(self.clips.read(span.row)[span.start : span.stop]))

    def _compute(self, span: Span) -> Tensor:
        device = next(self.network.parameters()).device
        training = self.network.training
        self.network.eval()
        with torch.no_grad(), autocast(self.precision, device):
            output = self._frozen(self._wave(span).to(device)).float().cpu()
        # Copies of weights made here in half precision have no graph: a step around this must not take them up.
        torch.clear_autocast_cache()
        self.network.train(training)
        self.store.put(self._key(span), output.numpy())
        return output

    def _frozen(self, wave: Tensor) -> Tensor:
        encoder = self.network.encoder
        frames = encoder.front(wave)
        if self.kind == "frames" and self.first == 0:
            return frames
        padded, lengths = pad_frames([frames])
        hidden = encoder(padded, lengths)
        if self.kind == "frames":
            return hidden[self.first][0]
        return torch.stack([masked_mean(state, lengths)[0] for state in hidden])

    def _masks(self, choice: Augmentation, seed: int, frames: int) -> tuple[Tensor, Tensor]:
        return spec_masks(
            frames,
            self.network.encoder.width,
            time_p=choice.time,
            time_length=choice.time_length,
            feature_p=choice.feature,
            feature_length=choice.feature_length,
            seed=seed,
        )

    def _key(self, span: Span) -> str:
        content = self.clips.contents[span.row]
        if (span.start, span.stop) == (0, int(self.clips.samples[span.row])):
            return content
        return hashlib.sha256(f"{content}|{span.start}|{span.stop}".encode()).hexdigest()

    def _identity(self) -> dict:
        depth = self.network.encoder.layers if self.kind == "means" else self.first
        about = self.network.encoder.identity(depth)
        text = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]
        return {"extractor": "frozen", "encoder": text, "kind": self.kind, "first": self.first} | {
            "precision": self.precision
        }


def _kept(network: EmotionNetwork, augment: Augmentation | None) -> tuple[str, int]:
    """Return what may be kept (see `Inputs`): nothing random may come before it, and nothing that is trained."""
    encoder = network.encoder
    if encoder.frozen < 0 or (augment and augment.of_waves):
        return "waves", 0
    if encoder.frozen == 0 or (augment and augment.of_frames):
        return "frames", 0
    means = all(pool.pooling == "mean" for pool in network.pools.values())
    if encoder.frozen == encoder.layers and means:
        return "means", 0
    return "frames", min(encoder.frozen, network.lowest) if encoder.resumes else 0

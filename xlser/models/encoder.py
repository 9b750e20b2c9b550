"""Pretrained speech encoders of the wav2vec 2.0 family, in which a clip does not depend on its neighbours."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from xlser.models.checkpoint_folder import write_checkpoint
from xlser.models.front import RATE, FilterBank, Front, WaveConvolutions
from xlser.models.pooling import valid_frames
from xlser.models.transformer import final_norm, hidden_states

# What a config says of training and of names: the numbers of a frozen part do not depend on it.
TRAINING_ONLY = ("dropout", "layerdrop", "mask_", "version", "dtype", "architectures", "label")


class SpeechEncoder(nn.Module):
    """A transformers model split in two: `front` for one clip alone, `forward` for the transformer on a padded batch.

    Padding a batch of waveforms changes the numbers: of checkpoints with a group norm over time always, of the others
    where the waveform is normalised after it is padded. Here the front never sees padding, and the frames of a clip
    in a batch are those that transformers gives for the clip alone, to about 1e-6.

    Args:
        model: a transformers model of one of `xlser.models.families`, without its optional adapter.
        extractor: the transformers feature extractor that belongs to it.
        about: what the checkpoint is, JSON-able (see `checkpoints.load_encoder`).

    Attributes:
        rate: sample rate in Hz.
        shortest: the least samples of a clip.
        longest: the most seconds of a clip, infinity where memory is the only limit; longer ones go in windows.
        layers: L, the transformer layers; hidden states have the numbers 0..L.
        width: D, the columns of a hidden state.
        front_width: F, the columns of what `front` gives.
        frozen: see `freeze`; -1 at the start.
        adapters: what is random about adapters in training (see `xlser.models.lora`); empty without any.
        resumes: whether `forward` can begin above layer 0. WavLM cannot: its layers share what layer 0 computes.

    A batch norm (some HuBERT models have one over the positions) stays in eval mode while training: the statistics
    of a batch would see its padding.

    >>> from xlser.models.checkpoints import load_encoder
    >>> encoder = load_encoder("random:tiny").eval()
    >>> frames, lengths = pad_frames([encoder.front(torch.randn(8000)), encoder.front(torch.randn(400))])
    >>> [state.shape[2] for state in encoder(frames, lengths)], lengths.tolist()
    ([32, 32, 32], [24, 1])
    """

    rate: ClassVar[int] = RATE
    layerdrop_key: ClassVar[str] = "layerdrop"  # of the config

    def __init__(self, model: nn.Module, extractor: Any, about: Mapping[str, Any]):
        super().__init__()
        self.model, self.extractor, self.about = model, extractor, dict(about)
        self._front = self._make_front()
        self.shortest, self.longest = self._front.shortest, self._front.longest
        self.front_width = self._front.width
        self.layers, self.width = len(self._stack.layers), model.config.hidden_size
        self.resumes = model.config.model_type != "wavlm"
        # Taken from transformers, which would drop frozen layers as well and give no hidden state for them.
        self.layerdrop = getattr(model.config, self.layerdrop_key)
        setattr(model.config, self.layerdrop_key, 0.0)
        self.frozen = -1
        self.adapters: tuple[nn.Module, ...] = ()
        self.freeze(-1)

    def front(self, wave: Tensor) -> Tensor:
        """Return the frames (T, F) of one clip alone: float32 mono samples (S,) at 16 kHz, between -1 and 1.

        The waveform is brought to zero mean and unit variance first where the checkpoint was trained so. No gradient
        is kept once the front is frozen. A silent clip is all zeros after normalisation, and gives finite frames.

        Raises:
            ValueError: ``wave`` is not (S,) floating point, or S is below `shortest`.
        """
        if wave.ndim != 1 or not wave.is_floating_point():
            given = f"{wave.dtype} of shape {tuple(wave.shape)}"
            raise ValueError(f"`wave` must be floating point of shape (S,), but is {given} instead.")
        if len(wave) < self.shortest:
            raise ValueError(
                f"`wave` must hold at least {self.shortest} samples "
                f"({1000 * self.shortest / self.rate:.0f} ms at {self.rate} Hz), but holds {len(wave)} instead."
            )
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.frozen < 0):
            return self._front(wave.to(self._device, torch.float32))

    def forward(
        self,
        frames: Tensor,
        lengths: Tensor,
        *,
        first: int = 0,
        last: int | None = None,
        time_mask: Tensor | None = None,
        feature_mask: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        """Return hidden states number ``first``..``last``, each (N, T, D), without meaning beyond ``lengths``.

        Number 0 enters the first layer, number L is the model's last hidden state (behind the final layer norm where
        there is one).

        Args:
            frames: (N, T, F) from `front` and `pad_frames`, or hidden state number ``first``, (N, T, D), if that is
                above 0.
            lengths: (N,) integers, the valid frames of each row, 1..T.
            first: the number of the first hidden state, 0..L.
            last: the number of the last one that is wanted, ``first``..L; by default L.
            time_mask: (N, T), True where SpecAugment puts the model's learned mask vector (zeros if it has none).
            feature_mask: (N, D), True where it puts zeros.

        Raises:
            ValueError: a shape that does not fit, ``first`` or ``last`` out of range, ``first`` above 0 where the
                encoder does not resume, or a mask together with ``first`` above 0.
        """
        mask, last = self._checked(frames, lengths, first), self.layers if last is None else last
        if last not in range(first, self.layers + 1):
            raise ValueError(f"`last` must be a whole number from {first} to {self.layers}, but is {last!r} instead.")
        if first and not (time_mask is None and feature_mask is None):
            raise ValueError(f"`time_mask` and `feature_mask` ask for `first` to be 0, but it is {first} instead.")
        hidden = frames if first else self._augmented(self._projected(frames), time_mask, feature_mask)
        return self._states(hidden, mask, first, last)

    def freeze(self, depth: int) -> None:
        """Freeze nothing (-1), the front (0), the front and the first n layers (n), or everything (L).

        What is frozen has no gradient and stays in eval mode, also after ``train()``: no dropout, no layerdrop. What
        stands between front and layers is frozen from the first layer on.

        Raises:
            ValueError: ``depth`` is not in -1..L.
        """
        if depth not in range(-1, self.layers + 1):
            raise ValueError(f"`depth` must be a whole number from -1 to {self.layers}, but is {depth!r} instead.")
        self.frozen = depth
        self.requires_grad_(True)
        for part in self._parts(depth):
            part.requires_grad_(False)
        if depth > 0 and self._mask_vector is not None:
            self._mask_vector.requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> SpeechEncoder:
        """Set training mode, except for what is frozen and for batch norms."""
        super().train(mode)
        norms = [part for part in self.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
        for part in [self.model] if self.adapters else [*self._parts(self.frozen), *norms]:
            part.eval()
        for part in self.adapters:
            part.train(mode)
        return self

    def save(self, folder: str | Path) -> None:
        """Write ``config.json``, ``model.safetensors`` and ``preprocessor_config.json``, as transformers reads them.

        Every file is whole or not there. The folder is made if it is missing.

        Raises:
            XlserError: the folder cannot be written.
        """
        # The config on disk keeps the layerdrop that was taken from it.
        setattr(self.model.config, self.layerdrop_key, self.layerdrop)
        try:
            write_checkpoint(self.model, self.extractor, folder)
        finally:
            setattr(self.model.config, self.layerdrop_key, 0.0)

    def identity(self, depth: int = 0) -> dict[str, Any]:
        """Return what `front` (0) or hidden state number ``depth`` in eval mode depends on besides the audio.

        Raises:
            ValueError: ``depth`` is not in 0..L.

        >>> from xlser.models.checkpoints import load_encoder
        >>> one, other = load_encoder("random:tiny"), load_encoder("random:tiny", seed=1)
        >>> one.identity() == load_encoder("random:tiny", dropout=0.5).identity(), one.identity() == other.identity()
        (True, False)
        """
        if depth not in range(self.layers + 1):
            raise ValueError(f"`depth` must be a whole number from 0 to {self.layers}, but is {depth!r} instead.")
        told = self.model.config.to_dict().items()
        settings = {k: v for k, v in told if k[0] != "_" and not any(word in k for word in TRAINING_ONLY)}
        return {
            "encoder": self.model.config.model_type,
            "rate": self.rate,
            "depth": depth,
            **self._front.identity(),
            "settings": hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest(),
            "weights": _hash(self._parts(depth)),
            "torch": version("torch"),
            "transformers": version("transformers"),
        }

    @property
    def transformer_layers(self) -> nn.ModuleList:
        """The L layers, from the front on."""
        stack: Any = self._stack
        return stack.layers

    @property
    def _device(self) -> torch.device:
        return next(self.model.parameters()).device

    @property
    def _stack(self) -> nn.Module:
        """What has the ``layers``."""
        return self.model.encoder

    def _make_front(self) -> Front:
        kind = WaveConvolutions if hasattr(self.model, "feature_extractor") else FilterBank
        return kind(self.model, self.extractor)

    @property
    def _mask_vector(self) -> Tensor | None:
        return getattr(self.model, "masked_spec_embed", None)

    def _checked(self, frames: Tensor, lengths: Tensor, first: int) -> Tensor:
        if first not in range(self.layers + 1):
            raise ValueError(f"`first` must be a whole number from 0 to {self.layers}, but is {first!r} instead.")
        if first and not self.resumes:
            raise ValueError(
                f"`first` must be 0, because a {self.model.config.model_type} model cannot begin above its first "
                f"layer, but is {first} instead."
            )
        mask, columns = valid_frames(frames, lengths), self.width if first else self.front_width
        if frames.shape[2] != columns:
            raise ValueError(f"`frames` must have {columns} columns, but has {frames.shape[2]} instead.")
        return mask

    def _states(self, hidden: Tensor, mask: Tensor, first: int, last: int) -> tuple[Tensor, ...]:
        return hidden_states(self._stack, hidden, mask, first=first, last=last, layerdrop=self.layerdrop)

    def _projected(self, frames: Tensor) -> Tensor:
        projected = self.model.feature_projection(frames)
        return projected if isinstance(projected, Tensor) else projected[0]  # HuBERT's gives one tensor alone

    def _augmented(self, hidden: Tensor, time_mask: Tensor | None, feature_mask: Tensor | None) -> Tensor:
        if time_mask is not None:
            vector = hidden.new_zeros(self.width) if self._mask_vector is None else self._mask_vector.to(hidden.dtype)
            hidden = torch.where(_mask("time_mask", time_mask, hidden.shape[:2])[..., None], vector, hidden)
        if feature_mask is not None:
            shape = (len(hidden), self.width)
            hidden = hidden.masked_fill(_mask("feature_mask", feature_mask, shape)[:, None], 0.0)
        return hidden

    def _parts(self, depth: int) -> list[nn.Module]:
        """Return the modules that `freeze` freezes at this depth."""
        if depth == self.layers:
            return [self.model]
        front = [self.model.feature_extractor] if depth >= 0 and hasattr(self.model, "feature_extractor") else []
        if depth < 1:
            return front
        encoder = self.model.encoder
        between = [part for part in encoder.children() if part not in (encoder.layers, final_norm(encoder))]
        return [*front, self.model.feature_projection, *between, *encoder.layers[:depth]]


def pad_frames(frames: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Return frames (T_i, F) of N clips as one batch (N, T, F) with zeros behind the shorter ones, and lengths (N,).

    Raises:
        ValueError: there is no clip.

    >>> batch, lengths = pad_frames([torch.ones(1, 2), torch.ones(3, 2)])
    >>> batch.sum(2).tolist(), lengths.tolist()
    ([[2.0, 0.0, 0.0], [2.0, 2.0, 2.0]], [1, 3])
    """
    if not frames:
        raise ValueError("`frames` must hold at least one clip, but is empty instead.")
    lengths = torch.tensor([len(clip) for clip in frames], device=frames[0].device)
    return pad_sequence(list(frames), batch_first=True), lengths


def _mask(name: str, mask: Tensor, shape: Sequence[int]) -> Tensor:
    if mask.dtype != torch.bool or mask.shape != tuple(shape):
        raise ValueError(
            f"`{name}` must be bool of shape {tuple(shape)}, but is {mask.dtype} of shape {tuple(mask.shape)} instead."
        )
    return mask


def _hash(parts: Sequence[nn.Module]) -> str:
    digest = hashlib.sha256()
    for number, part in enumerate(parts):
        for name, tensor in sorted(part.state_dict().items()):
            digest.update(f"{number} {name} {tensor.dtype} {tuple(tensor.shape)} ".encode())
            digest.update(tensor.cpu().contiguous().view(-1).view(torch.uint8).numpy())
    return digest.hexdigest()

"""Whisper's encoder, on clips as long as they are: 30 seconds of silence need not be computed for a clip of two."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from xlser.errors import RecipeError, RunError
from xlser.models.checkpoint_config import check_options
from xlser.models.checkpoint_folder import (
    SAME,
    prefix_before,
    read_preprocessor,
    way_to_fit,
    weight_files,
    weight_names,
)
from xlser.models.encoder import SpeechEncoder
from xlser.models.families import FAMILIES
from xlser.models.front import RATE
from xlser.models.transformers_model import read_model_config

# Whisper's own spectrogram, in samples; two frames of it are one of the encoder's.
WINDOW, HOP = 400, 160
# A weight that every encoder has and no decoder. Before it stands `model.encoder.` on the hub, `encoder.` in a
# classifier, and nothing in what `SpeechEncoder.save` writes.
FIRST = "conv1.weight"


def read(folder: Path, about: Mapping[str, Any], dropout: float | None) -> SpeechEncoder:
    """Return the encoder of a checkpoint folder; see `xlser.models.checkpoints.load_encoder`.

    The decoder is neither built nor read from disk.
    """
    config = read_model_config(folder, "whisper")
    for key in ("dropout", "attention_dropout", "activation_dropout", "encoder_layerdrop"):
        if dropout is not None:
            setattr(config, key, float(dropout))
    extractor = _extractor(folder, config)
    return WhisperEncoder(_model(folder, config), extractor, about)


class WhisperEncoder(SpeechEncoder):
    """`SpeechEncoder` for Whisper: its front is the log-mel spectrogram of the clip alone and both convolutions.

    A clip is padded with zeros to a whole number of frames (20 ms), no further, and takes as many of the learned
    positions. On a clip that is padded to 30 s the states are those of transformers, to about 1e-6. Longer clips are
    refused: there are no positions for them.

    Source:
        Radford et al. 2022, arXiv 2212.04356, section 2.2.
    """

    layerdrop_key: ClassVar[str] = "encoder_layerdrop"
    model: Any

    @property
    def _stack(self) -> nn.Module:
        return self.model

    def _make_front(self) -> LogMelConvolutions:
        return LogMelConvolutions(self.model, self.extractor)

    def _projected(self, frames: Tensor) -> Tensor:
        positions = self.model.embed_positions.weight
        if frames.shape[1] > len(positions):
            raise ValueError(
                f"a clip must last {self.longest:g} s at most, but {frames.shape[1]} frames were given instead."
            )
        hidden = frames + positions[: frames.shape[1]]
        return nn.functional.dropout(hidden, self.model.dropout, self.model.training)

    def _states(self, hidden: Tensor, mask: Tensor, first: int, last: int) -> tuple[Tensor, ...]:
        attended = None
        if not mask.all():
            attended = torch.zeros(mask.shape, dtype=hidden.dtype, device=hidden.device)
            attended = attended.masked_fill(~mask, torch.finfo(hidden.dtype).min)
            attended = attended[:, None, None].expand(-1, 1, mask.shape[1], -1)
        states = [hidden]
        for layer in self.model.layers[first:last]:
            left = self.layerdrop > 0 and layer.training and bool(torch.rand(()) < self.layerdrop)
            states.append(states[-1] if left else layer(states[-1], attended))
        if first < last == self.layers:
            states[-1] = self.model.layer_norm(states[-1])
        return tuple(states)

    def _parts(self, depth: int) -> list[nn.Module]:
        # The positions are sinusoids, and no weights that are ever trained.
        if depth == self.layers:
            return [self.model]
        convolutions = [self.model.conv1, self.model.conv2] if depth >= 0 else []
        return [self.model.embed_positions, *convolutions, *self.model.layers[: max(depth, 0)]]


class LogMelConvolutions:
    """Whisper's log-mel spectrogram and the two convolutions behind it: 50 frames a second.

    Source:
        The numbers are those of transformers' `WhisperFeatureExtractor`. The maximum that the spectrogram is limited by
        is the clip's own.
    """

    shortest = WINDOW

    def __init__(self, model: nn.Module, extractor: Any):
        # No module of its own: the model would then stand twice among the encoder's weights.
        self.model: Any = model
        self.width = self.model.config.d_model
        positions: Any = getattr(model, "embed_positions")  # noqa: B009  (nn.Module tells no types)
        self.longest = len(positions.weight) * 2 * HOP / RATE  # seconds that have positions
        self.bank = torch.from_numpy(extractor.mel_filters).float().T.contiguous()

    def identity(self) -> dict[str, Any]:
        """Return the options of the spectrogram."""
        return {"front": "log-mel convolutions", "bins": len(self.bank), "window": WINDOW, "hop": HOP}

    def __call__(self, wave: Tensor) -> Tensor:
        """Return the frames (T, width) of samples (S,); T is S / 320, rounded up."""
        hidden = self.spectrogram(nn.functional.pad(wave, (0, -len(wave) % (2 * HOP))))[None]
        for convolution in (self.model.conv1, self.model.conv2):
            hidden = nn.functional.gelu(convolution(hidden))
        return hidden[0].T.contiguous()

    def spectrogram(self, wave: Tensor) -> Tensor:
        """Return the log-mel spectrogram (bins, S / 160) of samples (S,)."""
        window = torch.hann_window(WINDOW, device=wave.device)
        power = torch.stft(wave, WINDOW, HOP, window=window, return_complex=True)[:, :-1].abs().square()
        mel = (self.bank.to(wave.device) @ power).clamp(min=1e-10).log10()
        return (torch.maximum(mel, mel.max() - 8.0) + 4.0) / 4.0


def _extractor(folder: Path, config: Any) -> Any:
    from transformers import WhisperFeatureExtractor

    usual = WhisperFeatureExtractor()
    options = read_preprocessor(folder) or {"feature_size": config.num_mel_bins}  # as every Whisper was published
    check_options(str(folder), options, usual)
    given = usual.to_dict() | options  # nothing is built yet: a size may be absurd
    asked = {"sampling_rate": RATE, "n_fft": WINDOW, "hop_length": HOP, "feature_size": config.num_mel_bins}
    wrong = [f"{key} {given[key]}" for key, value in asked.items() if given[key] != value]
    if wrong:
        wanted = ", ".join(f"{key} {value}" for key, value in asked.items())
        raise RecipeError(
            f"checkpoint {folder} must have {wanted}, but its preprocessor_config.json says {', '.join(wrong)}. "
            "Take both files from one and the same checkpoint, or choose another one."
        )
    return WhisperFeatureExtractor.from_dict(options)


def _model(folder: Path, config: Any) -> nn.Module:
    from safetensors import safe_open
    from transformers.models.whisper.modeling_whisper import WhisperEncoder as Transformer

    files = weight_files(folder, FAMILIES["whisper"].unread)
    names = weight_names(files)
    prefix = prefix_before(FIRST, names, str(folder))
    with torch.random.fork_rng(devices=[]):
        model = Transformer(config)
    wanted, tensors = model.state_dict(), dict[str, Tensor]()
    for file in files:
        with safe_open(str(file), framework="pt") as opened:
            there = set(opened.keys())
            tensors |= {name: opened.get_tensor(prefix + name).float() for name in wanted if prefix + name in there}
    bad = sorted(name for name, tensor in wanted.items() if name not in tensors or tensors[name].shape != tensor.shape)
    if len(bad) == len(wanted) and any("decoder." in name for name in names):
        raise RunError(
            f"checkpoint {folder} must hold Whisper's encoder, but holds a decoder alone ({len(names)} weights, "
            f"such as {names[0]}). Take the checkpoint that it was cut from, such as openai/whisper-tiny."
        )
    if bad:
        missing = [name for name in bad if name not in tensors]
        way = way_to_fit(missing, {*names} - {prefix + name for name in wanted}) if missing else SAME
        raise RunError(
            f"checkpoint {folder}: {len(bad)} of the {len(wanted)} weights of Whisper's encoder that config.json asks "
            f"for are missing or of another size, such as {bad[0]}. {way}"
        )
    model.load_state_dict({name: tensors[name] for name in wanted})
    return model

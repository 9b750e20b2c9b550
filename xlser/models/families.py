"""Families of speech encoders by the ``model_type`` of their config: who reads a checkpoint, and its config's keys.

A new family is a file with a function ``read``, and a row here.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from xlser.models.encoder import SpeechEncoder


@dataclass(frozen=True)
class Family:
    """``module`` has ``read(folder, about, dropout)``; ``layers`` and ``width`` are the config's keys for L and D.

    ``padded`` are the seconds of silence that clips were padded to when the checkpoints were trained; 0 where to none.
    ``projections`` are the linear layers for query and value in a transformer layer, empty where it has none.
    ``unread``: how the names of weights begin that no encoder needs, such as a decoder's.
    """

    module: str
    layers: str = "num_hidden_layers"
    width: str = "hidden_size"
    padded: float = 0.0
    projections: tuple[str, ...] = ("q_proj", "v_proj")
    unread: str = ""

    def read(self, folder: Path, about: Mapping[str, Any], dropout: float | None) -> SpeechEncoder:
        """Return the encoder of a checkpoint folder; see `xlser.models.checkpoints.load_encoder`."""
        return import_module(self.module).read(folder, about, dropout)


_WAVE = Family("xlser.models.wave_family")
FAMILIES: dict[str, Family] = {
    "data2vec-audio": _WAVE,
    "hubert": _WAVE,
    "unispeech": _WAVE,
    "unispeech-sat": _WAVE,
    "wav2vec2": _WAVE,
    "wav2vec2-bert": Family("xlser.models.wave_family", projections=("linear_q", "linear_v")),
    "wavlm": _WAVE,
    "whisper": Family(
        "xlser.models.whisper",
        layers="encoder_layers",
        width="d_model",
        padded=30.0,
        unread=r"(model\.)?decoder\.|proj_out\.",
    ),
}
# Why a model that is asked for is none of them.
NO_FAMILY = {
    "clap": "its layers differ in width, and it hears at 48 kHz",
    "emotion2vec": "transformers has no class for it; it is published for FunASR, as a pickle",
    "speech-encoder-decoder": "it holds two models; give the encoder that it was made of",
}

"""Checkpoints of wav2vec 2.0 and its kin: HuBERT, WavLM, data2vec, UniSpeech, w2v-BERT."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xlser.errors import RecipeError, RunError
from xlser.models.checkpoint_config import check_options
from xlser.models.checkpoint_folder import prefix_before, read_preprocessor, weight_files, weight_names
from xlser.models.encoder import SpeechEncoder
from xlser.models.front import RATE
from xlser.models.transformers_model import read_model, read_model_config, with_dropout

MASK, PROJECTION = "masked_spec_embed", "feature_projection.projection.weight"
# Published base checkpoints of these, with their group norm, were trained on waveforms as they are.
AS_RECORDED = ("wavlm", "unispeech-sat")


def read(folder: Path, about: Mapping[str, Any], dropout: float | None) -> SpeechEncoder:
    """Return the encoder of a checkpoint folder; see `xlser.models.checkpoints.load_encoder`."""
    config = with_dropout(read_model_config(folder, about["model_type"]), dropout)
    config.add_adapter = False  # it thins out frames behind the last hidden state
    options = read_preprocessor(folder)
    extractor = make_extractor(config, options, str(folder))
    if options is None and hasattr(extractor, "do_normalize"):
        how = "brought to zero mean and unit variance" if extractor.do_normalize else "taken as they are"
        warnings.warn(
            f"checkpoint {about['name']} has no preprocessor_config.json: waveforms are {how}, as most of its family "
            "want them. If it was trained otherwise, write `do_normalize` into that file.",
            stacklevel=2,
        )
    model, missing = read_model(folder, config, optional=(MASK,), key_mapping=_renamed(folder, config.model_type))
    if MASK in missing:
        model.get_parameter(MASK).data.zero_()  # not what the random numbers gave
    return SpeechEncoder(model, extractor, about)


def _renamed(folder: Path, kind: str) -> dict[str, str]:
    """Return how names of weights become transformers' own: what a training framework put before them falls off."""
    prefix = prefix_before(PROJECTION, weight_names(weight_files(folder)), str(folder))
    known = ("", f"{kind.replace('-', '_')}.")  # of the encoder alone, and under a head of transformers
    return {} if prefix in known else {f"^{re.escape(prefix)}": ""}


def make_extractor(config: Any, options: Mapping[str, Any] | None, where: str) -> Any:
    """Return the transformers feature extractor of a config, with options of `preprocessor_config.json` or none.

    Raises:
        RecipeError: another sample rate. RunError: a filter bank that the config does not fit.
    """
    from transformers import SeamlessM4TFeatureExtractor, Wav2Vec2FeatureExtractor

    mel = config.model_type == "wav2vec2-bert"
    if options is None:
        layered = getattr(config, "feat_extract_norm", "layer") == "layer"
        options = {} if mel else {"do_normalize": layered or config.model_type not in AS_RECORDED}
    if options.get("sampling_rate", RATE) != RATE:
        raise RecipeError(
            f"checkpoint {where} must take speech at {RATE} Hz, but its preprocessor_config.json says "
            f"{options['sampling_rate']} Hz. Choose another checkpoint."
        )
    kind: Any = SeamlessM4TFeatureExtractor if mel else Wav2Vec2FeatureExtractor
    extractor = kind()
    check_options(where, options, extractor)
    for key in ("num_mel_bins", "stride") if mel else ():
        setattr(extractor, key, options.get(key, getattr(extractor, key)))
    if mel and extractor.num_mel_bins * extractor.stride != config.feature_projection_input_dim:
        raise RunError(
            f"checkpoint {where} must have a filter bank of {config.feature_projection_input_dim} columns, as its "
            f"config.json says, but preprocessor_config.json gives {extractor.num_mel_bins} bins in groups of "
            f"{extractor.stride}. Take both files from one and the same checkpoint."
        )
    return kind.from_dict(dict(options))

"""From samples to the embedding that a trained model gives them: a fine-tuned encoder, or features and a latent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from xlser.data.audio import AudioFault
from xlser.data.channels import channel_number
from xlser.data.regular import check_is_file
from xlser.errors import RunError
from xlser.experiment.checkpoint_places import with_checkpoints
from xlser.experiment.encoders import MODEL, UNTRAINED, untrained_fingerprint
from xlser.experiment.judge import Heads
from xlser.experiment.start import read_about_start, read_start
from xlser.experiment.use.folder import Chosen
from xlser.experiment.use.recordings import windows_of_audio
from xlser.experiment.use.request import Request, check_end, check_inside
from xlser.features.extractor import Extractor
from xlser.features.extractors import make_extractor
from xlser.features.normalise import Normalisation, Scaler, normalise
from xlser.models.classifier import EMBEDDING, EmotionNetwork, Inputs
from xlser.models.threads import NARROW, one_thread
from xlser.training.checkpoint import load_state, read_about, under
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.encoder_step import assemble
from xlser.training.inputs import autocast
from xlser.training.step import build_network
from xlser.vocabulary import FEATURES

# Features are taken of whole recordings in training; minutes of them would be another thing than the clips that a
# corpus has. [A]: the limit is an assumption.
LONGEST_FEATURES = 30.0
_NAMED = ("weights", "revision")


class Embedder(Protocol):
    """Samples at ``rate`` Hz to one vector; a recording has ``shortest`` samples at least, a window ``longest`` at
    most. ``fingerprint`` names what made the vectors, ``heads`` are linear heads on them, or None."""

    rate: int
    shortest: float
    longest: int
    fingerprint: str
    heads: Heads | None

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Return the embedding (D,) of one window."""

    def raw(self, samples: np.ndarray) -> np.ndarray:
        """Return what `encode` makes the embedding of, for one window: all that must be kept of it, (F,)."""

    def encode(self, raw: np.ndarray) -> np.ndarray:
        """Return the zero-shot embeddings (N, D) of raw rows (N, F)."""


@dataclass
class ClipEmbedder:
    """A fine-tuned encoder with its pooling."""

    network: EmotionNetwork
    precision: str
    longest: int
    fingerprint: str
    heads: Heads | None

    @property
    def rate(self) -> int:
        """In Hz."""
        return self.network.encoder.rate

    @property
    def shortest(self) -> float:
        """The receptive field of one frame, in samples."""
        return self.network.encoder.shortest

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Return the embedding (D,) of one window."""
        device = next(self.network.parameters()).device
        inputs = Inputs("waves", [torch.from_numpy(np.array(samples)).to(device)])
        narrow = self.network.encoder.width < NARROW
        with torch.inference_mode(), autocast(self.precision, device), one_thread(narrow):
            return self.network.embed(inputs)[EMBEDDING][0].float().cpu().numpy()

    def raw(self, samples: np.ndarray) -> np.ndarray:
        """Return the embedding (D,) itself."""
        return self(samples)

    def encode(self, raw: np.ndarray) -> np.ndarray:
        """Return the rows as they are."""
        return raw


@dataclass
class FeatureEmbedder:
    """Acoustic features, z-scored with the source's statistics; through an autoencoder's encoder if there is one."""

    extractor: Extractor
    scaler: Scaler
    autoencoder: torch.nn.Module | None
    fingerprint: str
    heads: Heads | None = None

    @property
    def rate(self) -> int:
        """In Hz."""
        return self.extractor.rate

    @property
    def shortest(self) -> float:
        """In samples."""
        return self.extractor.shortest * self.rate

    @property
    def longest(self) -> int:
        """In samples."""
        return int(LONGEST_FEATURES * self.rate)

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Return the latent (L,), or the features (F,) themselves, of one window."""
        return self.encode(self.raw(samples)[None])[0]

    def raw(self, samples: np.ndarray) -> np.ndarray:
        """Return the features (F,) before they are z-scored."""
        features = self.extractor(samples)
        if not np.isfinite(features).all():
            raise AudioFault(f"NaN or infinite features ({int((~np.isfinite(features)).sum())} of {features.size})")
        return features

    def encode(self, raw: np.ndarray, kind: Normalisation = "source", speakers: pd.Series | None = None) -> np.ndarray:
        """Return the latents (N, L), or the z-scores (N, F) themselves, of raw features (N, F).

        Args:
            raw: of all recordings of a list where ``kind`` is not ``source``.
            kind: whose statistics z-score them; see `normalise`.
            speakers: (N,), for ``speaker``.
        """
        scaled = normalise(raw, pd.Series(dtype=str) if speakers is None else speakers, kind, self.scaler)
        if self.autoencoder is None:
            return scaled
        with torch.inference_mode(), one_thread():
            return self.autoencoder.encode(torch.from_numpy(scaled)).numpy()


def embed_windows(embedder: Embedder, windows: Iterable[np.ndarray]) -> tuple[np.ndarray, float]:
    """Return the mean of the windows' embeddings, weighted by their samples, float32 (D,), and the seconds they last.

    Raises:
        AudioFault: no sample, or an embedding that is not finite; or what reading the windows raises.
    """
    total, weight = 0.0, 0
    for samples in windows:
        total = total + len(samples) * embedder(samples).astype(np.float64)
        weight += len(samples)
    if not weight or not np.isfinite(total).all():
        raise AudioFault("its embedding is not finite" if weight else "zero length: no samples")
    return (total / weight).astype(np.float32), weight / embedder.rate


def raw_windows(embedder: Embedder, windows: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the raw rows (W, F) of the windows of one recording, and their samples (W,).

    Raises:
        AudioFault: no sample, or numbers that are not finite; or what reading the windows raises.
    """
    pairs = [(embedder.raw(samples), len(samples)) for samples in windows]
    if not pairs:
        raise AudioFault("zero length: no samples")
    rows, counts = zip(*pairs, strict=True)
    if not np.isfinite(rows).all():
        raise AudioFault("its embedding is not finite")
    return np.stack(rows), np.array(counts)


def windows_of(embedder: Embedder, request: Request) -> Iterator[np.ndarray]:
    """Yield the windows of what is asked for, at the embedder's rate.

    Raises:
        AudioFault: see `windows_of_audio`; or a segment that ends behind the recording. ValueError, TypeError: nothing
            that stands for sound, or samples without a rate.
    """
    if request.fault:
        raise AudioFault(request.fault)
    if request.is_file:
        check_is_file(Path(request.audio).expanduser())
    heard, options = 0, (embedder.rate, embedder.longest, embedder.shortest)
    start, end, channel = request.start or 0.0, request.end, channel_number(request.channel)
    try:
        for window in windows_of_audio(request.audio, request.rate, *options, start=start, end=end, channel=channel):
            heard += len(window)
            yield window
    except AudioFault:
        if not heard and (request.start or request.end is not None):
            check_inside(request)
        raise
    check_end(request, heard / embedder.rate)


def load_embedder(chosen: Chosen) -> Embedder:
    """Read the model from inside its folder; no other place is asked, but for the checkpoint of frozen features.

    Raises:
        RunError: weights that are missing, damaged, or do not fit the recipe.
    """
    return _clips(chosen) if isinstance(chosen.recipe, EncoderRecipe) else _features(chosen)


def _clips(chosen: Chosen) -> ClipEmbedder:
    recipe: Any = chosen.recipe
    untrained = chosen.method == FEATURES
    tensors, about = ({}, {"fingerprint": _untrained(chosen)}) if untrained else _weights(chosen)
    terms, weights = UNTRAINED if untrained else recipe.methods[chosen.method], under("network", tensors)
    encoder = read_start(chosen.job.folder, recipe.encoder, about.get("checkpoint"))
    # Before training the network is one and the same for every seed.
    number = 0 if untrained else chosen.seed
    network = assemble(encoder, recipe.encoder, terms, len(recipe.emotions), number).eval()
    _fill(network, {**network.state_dict(), **weights}, chosen)
    network.to("cuda" if torch.cuda.is_available() else "cpu")
    heads = None if untrained else Heads.of(weights, recipe.emotions, terms, recipe.training.balance)
    longest = int(recipe.encoder.longest * encoder.rate)
    return ClipEmbedder(network, recipe.training.precision, longest, about["fingerprint"], heads)


def _features(chosen: Chosen) -> FeatureEmbedder:
    recipe, (tensors, about) = chosen.recipe, _weights(chosen)
    known = about.get("pretrained", [])
    extractor = with_checkpoints(make_extractor(recipe.features.extractor), known, chosen.run)
    fingerprint = about["fingerprint"]
    check_pretrained(extractor, known)
    scaler = Scaler(tensors["scaler.mean"].numpy(), tensors["scaler.std"].numpy(), recipe.features.clip)
    if chosen.method == FEATURES:
        return FeatureEmbedder(extractor, scaler, None, fingerprint)
    terms = recipe.objectives()[chosen.method].terms
    network = build_network(recipe.model, len(scaler.mean), len(recipe.emotions), chosen.seed, terms).eval()
    _fill(network, under("network", tensors), chosen)
    return FeatureEmbedder(extractor, scaler, network["autoencoder"], fingerprint)


def check_pretrained(extractor: Extractor, known: list[dict[str, object]]) -> None:
    """See that the features still come from the weights that the model was trained on: its folder does not hold them.

    Raises:
        RecipeError: a checkpoint is not there. RunError: it is another one.
    """
    for was, now in zip(known, extractor.pretrained(), strict=True):
        # By its content: where it lies, and what it is called there, is another matter.
        differing = [key for key, value in was.items() if key not in _NAMED and now.get(key) != value]
        if differing:
            key = differing[0]
            raise RunError(
                f"checkpoint {was['weights']} must have the {key} {was[key]}, of which this model was trained, but has "
                f"{now.get(key)} instead. Put the checkpoint back, or run the recipe again."
            )


def _untrained(chosen: Chosen) -> str:
    return untrained_fingerprint(read_about_start(chosen.job.folder), chosen.recipe)


def _weights(chosen: Chosen) -> tuple[dict[str, Tensor], dict[str, Any]]:
    path = chosen.folder / MODEL
    fingerprint = read_about(path, chosen.job.again).get("fingerprint", "")
    tensors, about = load_state(path, fingerprint)
    return tensors, {**about, "fingerprint": fingerprint}


def _fill(network: torch.nn.Module, weights: dict[str, Tensor], chosen: Chosen) -> None:
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise RunError(f"{chosen.folder / MODEL} does not fit the recipe of {chosen.name}: {error}.") from error

"""A hidden state of a pretrained speech encoder as it is, pooled over time into one vector."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from xlser.data.audio import resampler_identity
from xlser.data.spans import Span, batches, windows
from xlser.errors import RecipeError, RunError
from xlser.features.extractor import Extractor, check_options
from xlser.features.halves import from_half, to_half
from xlser.features.running_moments import Moments
from xlser.features.sounding import sounding_blocks, sounding_frames

if TYPE_CHECKING:
    from xlser.models.checkpoints import CheckpointFacts
    from xlser.models.encoder import SpeechEncoder

# In the order in which moments are computed; `std` is the root of the second.
STATISTICS = ("mean", "std", "min", "max")
WINDOWS = ("clip", "30s")
COMBINATIONS = ("side-by-side", "mean")
FRAMES = ("all", "sounding")
# Seconds of padded audio that a GPU embeds at once. [A]: an assumption, small enough for 8 GB and a large encoder.
TOGETHER = 64.0
_LOADING, _PADDED = threading.Lock(), threading.Lock()


@dataclass(frozen=True)
class Encoder(Extractor):
    """Statistics over time of hidden states of a pretrained speech encoder, which is never trained.

    On a processor, clips are embedded alone, one a thread, which wastes nothing on padding; on a GPU in padded batches.
    A clip's numbers do not depend on what stands beside it. Clips longer than ``longest`` go through the encoder in
    windows of equal length, and the statistics are of the frames of all windows together; of a long clip no more is
    held than the samples and one batch of windows.

    All statistics of all layers are computed in one pass, and the cache keeps them as one entry: another layer, pooling
    or combination of the same audio is read, not computed, and only its own rows are. An entry is float16 with a scale
    a row (`to_half`), so that nothing overflows, and what is computed now is rounded as it is kept: a number moves by
    a 2,048th of itself at most. Against how far a column differs between clips that is a thousandth in most columns;
    in a few of hidden state 0, which hardly differ, it can be a third, and for ``min`` and ``max`` more than all of it.
    In a padded batch on a GPU a last digit may turn.

    Args:
        weights: a hub name, a folder, or ``random:tiny`` (see `xlser.models.checkpoints.load_encoder`).
        layer: number of a hidden state, a list of several, or ``all``: 0 enters the first layer, -1 is the last. Which
            one is best differs by encoder and task; often it is not the last.
        pooling: ``mean``, ``std`` (population deviation), ``min`` and ``max`` of the frames, joined by ``+``.
        combine: what becomes of several layers: ``side-by-side``, one behind the other, or ``mean``, the average over
            them of each column. Of ``mean`` that is the mean of the averaged states; of ``std``, ``min`` and ``max`` it
            is the average of the layers' own.
        revision: a branch, tag or commit of a hub model; give a commit to have the same weights always.
        longest: seconds of a window, 1 to 30.
        window: ``clip``, or ``30s`` for Whisper alone: each window is padded with silence to 30 s, as it was trained,
            and its frames are pooled where they hold audio. A clip of three seconds costs about ten times as much.
        seed: of random weights.
        frames: ``all``, or those that are ``sounding`` (see `sounding_blocks`): the encoder hears the whole clip, and
            what is pooled leaves out pauses and the room around speech, which differ from corpus to corpus.

    Raises:
        ValueError: an option is out of its range. Whether the weights are there, and have the layer, is seen when they
            are first asked for (RecipeError, RunError).

    Degenerate case:
        A clip of one frame has a ``std`` of 0. A clip too short for one frame is left out by `extract`.

    Example:
        >>> tiny = Encoder("random:tiny", layer=(1, 2), pooling="mean+std")
        >>> tiny(np.sin(np.arange(8000) / 9).astype(np.float32)).shape, tiny.columns()[-1]
        ((128,), 'layer2_std_0031')
        >>> Encoder("random:tiny", layer="all", combine="mean").columns()[-1]
        'layers0+1+2_mean_0031'
    """

    name: ClassVar[str] = "encoder"
    libraries: ClassVar[dict[str, str]] = {"torch": "torch", "transformers": "transformers"}
    weights: str
    layer: int | str | tuple[int, ...] = -1
    pooling: str = "mean"
    revision: str | None = None
    longest: float = 12.0
    window: str = "clip"
    seed: int = 0
    combine: str = "side-by-side"
    frames: str = "all"

    def __post_init__(self) -> None:
        """Check what can be checked without the weights."""
        if isinstance(self.layer, list):
            object.__setattr__(self, "layer", tuple(self.layer))
        layers, parts = _many(self.layer), self.pooling.split("+") if isinstance(self.pooling, str) else []
        whole = self.layer == "all" or all(isinstance(n, int) and not isinstance(n, bool) for n in layers)
        known = set(parts) <= set(STATISTICS) and len(set(parts)) == len(parts) > 0
        seconds = isinstance(self.longest, (int, float)) and 1 <= self.longest <= 30
        text = isinstance(self.weights, str) and bool(self.weights)
        check_options(
            ("weights", self.weights, text, "a hub name, a folder or random:tiny"),
            ("layer", self.layer, whole and bool(layers), "a whole number, a list of them, or all"),
            ("pooling", self.pooling, known, f"some of {', '.join(STATISTICS)} joined by +, each once"),
            ("revision", self.revision, self.revision is None or isinstance(self.revision, str), "text"),
            ("longest", self.longest, seconds, "from 1 to 30 seconds"),
            ("window", self.window, self.window in WINDOWS, " or ".join(WINDOWS)),
            ("seed", self.seed, isinstance(self.seed, int), "a whole number"),
            ("combine", self.combine, self.combine in COMBINATIONS, " or ".join(COMBINATIONS)),
            ("frames", self.frames, self.frames in FRAMES, " or ".join(FRAMES)),
        )

    @property
    def shortest(self) -> float:  # type: ignore[override]
        """What one frame hears, in seconds. The weights are loaded."""
        return self._encoder.shortest / self.rate

    @property
    def batch(self) -> float:  # type: ignore[override]
        """Seconds of audio that are embedded at once: 0 on a processor."""
        return 0.0 if _device() == "cpu" else TOGETHER

    def identity(self) -> dict[str, Any]:
        """Return what `cache_identity` does, with layers, pooling and how layers are combined."""
        asked = {"layers": self._layers, "pooling": self.pooling.split("+"), "combine": self.combine}
        return self.cache_identity() | asked

    def cache_identity(self) -> dict[str, Any]:
        """Return config and weights by their hash, what is kept of all layers, window, libraries and the resampler."""
        return {
            "extractor": self.name,
            **self._facts.identity,
            "kept": [*STATISTICS, "float16"],
            "longest": self._window,
            "padded": self._padded,
            "rate": self.rate,
            "torch": version("torch"),
            "transformers": version("transformers"),
            **({"frames": self.frames} if self.frames != "all" else {}),  # entries of before have no such key
            **resampler_identity(),
        }

    def columns(self) -> list[str]:
        """Return names such as ``layer2_mean_0007``."""
        names = [f"layer{layer}" for layer in self._layers]
        if self.combine == "mean" and len(names) > 1:
            names = [f"layers{'+'.join(map(str, self._layers))}"]
        kinds = [f"{name}_{kind}" for name in names for kind in self.pooling.split("+")]
        return [f"{kind}_{column:04d}" for kind in kinds for column in range(self._facts.width)]

    def pretrained(self) -> list[dict[str, Any]]:
        """Return the checkpoint's name, revision and hash."""
        return [{"weights": self.weights, "revision": self.revision, **self._facts.identity}]

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Return the pooled states of float32 mono ``samples`` (S,) at 16 kHz, float32 (len(columns()),)."""
        return self.many([samples])[0]

    def many(self, clips: Sequence[np.ndarray], *, seconds: float = TOGETHER) -> list[np.ndarray]:
        """Return the pooled states of several clips; see `entries`."""
        return [self.select(entry[self.rows()]) for entry in self.entries(clips, seconds=seconds)]

    def entries(self, clips: Sequence[np.ndarray], *, seconds: float = TOGETHER) -> list[np.ndarray]:
        """Return what the cache keeps of several clips: `statistics` by `to_half`, float16 (4 (L + 1), D + 1) each."""
        return [to_half(found.reshape(-1, found.shape[-1])) for found in self.statistics(clips, seconds=seconds)]

    def statistics(self, clips: Sequence[np.ndarray], *, seconds: float = TOGETHER) -> list[np.ndarray]:
        """Return `STATISTICS` of all hidden states of several clips, float64 (L + 1, 4, D) each, not rounded.

        A batch holds at most ``seconds`` of audio, padding counted.

        Raises:
            RunError: out of memory.
        """
        encoder, budget = self._encoder, int(seconds * self.rate)
        spans = [span for row, clip in enumerate(clips) for span in windows(row, len(clip), self._window)]
        pooled: dict[int, Moments] = {}
        blocks = [sounding_blocks(clip, self.rate) for clip in clips] if self.frames == "sounding" else None
        # A window that is padded costs what a whole one does.
        for batch in batches(spans, budget * self._window // max(self._window, self._padded)):
            for span, moments in zip(batch, self._pooled(encoder, clips, batch, blocks), strict=True):
                if moments is not None:
                    pooled[span.row] = moments.merged(pooled.get(span.row))
        return [pooled[row].statistics() for row in range(len(clips))]

    def rows(self) -> list[int]:
        """Return where the statistics that are asked for stand in an entry."""
        places = [STATISTICS.index(kind) for kind in self.pooling.split("+")]
        return [layer * len(STATISTICS) + place for layer in self._layers for place in places]

    def select(self, entry: np.ndarray) -> np.ndarray:
        """Return the features, float32 (len(columns()),), of the `rows` of an entry."""
        found = from_half(entry).reshape(len(self._layers), -1)
        return found.mean(axis=0) if self.combine == "mean" else found.ravel()

    def _pooled(
        self,
        encoder: SpeechEncoder,
        clips: Sequence[np.ndarray],
        spans: Sequence[Span],
        blocks: Sequence[np.ndarray] | None,
    ) -> list[Moments | None]:
        """Return the moments of the frames of each window in each layer, (layers, D); None where no frame counts."""
        import torch

        from xlser.models.encoder import pad_frames
        from xlser.models.pooling import kept_frames, moments

        waves = [clips[span.row][span.start : span.stop] for span in spans]
        try:
            with torch.inference_mode(), _exact(len(waves) > 1):
                # Copies, which torch may have, with silence behind them if there is to be any.
                longer = [np.pad(wave, (0, max(0, self._padded - len(wave)))) for wave in waves]
                frames, lengths = pad_frames([encoder.front(torch.from_numpy(wave)) for wave in longer])
                states = encoder(frames, lengths)
                if self._padded:  # frames are as long as each other: those that begin where there is audio
                    heard = [-(-len(wave) * frames.shape[1] // self._padded) for wave in waves]
                    lengths = torch.tensor(heard, device=lengths.device)
                counts = lengths.tolist()
                if blocks is not None:
                    sizes = zip(spans, counts, strict=True)
                    kept = [
                        sounding_frames(blocks[span.row], span.start, span.stop, frames=count, rate=self.rate)
                        for span, count in sizes
                    ]
                    states, lengths = kept_frames(states, kept)
                    counts = [int(frames.sum()) for frames in kept]
                pooled = torch.stack([moments(state, lengths) for state in states], dim=1)
                parts = pooled.transpose(1, 2).double().cpu().numpy()
                return [
                    Moments(count, mean, count * variance, least, most) if count else None
                    for count, (mean, variance, least, most) in zip(counts, parts, strict=True)
                ]
        except torch.OutOfMemoryError as error:
            raise RunError(
                f"out of memory while {self.weights} embeds {len(waves)} windows at once. Lower the encoder's "
                "`longest`, or choose a smaller encoder."
            ) from error

    @property
    def _window(self) -> int:
        return int(self.longest * self.rate)

    @cached_property
    def _padded(self) -> int:
        """Samples that a window is padded to; 0 for none."""
        if self.window == "30s" and not self._facts.padded:
            raise RecipeError(f"`window: 30s` belongs to Whisper, but {self.weights} is none. Leave it out.")
        return int(self._facts.padded * self.rate) if self.window == "30s" else 0

    @cached_property
    def _facts(self) -> CheckpointFacts:
        from xlser.models.checkpoints import checkpoint_facts

        return checkpoint_facts(self.weights, revision=self.revision, seed=self.seed)

    @cached_property
    def _layers(self) -> list[int]:
        layers = self._facts.layers
        if self.layer == "all":
            return list(range(layers + 1))
        for number in _many(self.layer):
            if not -layers - 1 <= number <= layers:
                raise RecipeError(
                    f"`layer` must be from {-layers - 1} to {layers} ({self.weights} has {layers + 1} hidden states), "
                    f"but is {number} instead."
                )
        return [number % (layers + 1) for number in _many(self.layer)]

    @property
    def _encoder(self) -> SpeechEncoder:
        with _LOADING:  # threads that start together must not load it twice
            return _loaded(self.weights, self.revision, self.seed, _device(), json.dumps(self._facts.identity))


@lru_cache(maxsize=2)  # two encoders side by side take turns for every corpus
def _loaded(weights: str, revision: str | None, seed: int, device: str, identity: str) -> SpeechEncoder:
    """Load a checkpoint; ``identity`` tells it from what the same folder held before."""
    from xlser.models.checkpoints import load_encoder

    encoder = load_encoder(weights, revision=revision, seed=seed)
    encoder.freeze(encoder.layers)
    return encoder.eval().to(device)


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


@contextmanager
def _exact(padded: bool) -> Iterator[None]:
    """Compute in full float32, on one core: the same digits in the main thread and in one of many."""
    import torch

    from xlser.models.threads import one_thread

    with ExitStack() as stack:
        if padded:  # the encoder then knows the mask of one batch
            stack.enter_context(_PADDED)
        if _device() != "cpu":
            stack.enter_context(torch.backends.cudnn.flags(enabled=True, allow_tf32=False))
        stack.enter_context(one_thread())
        yield


def _many(layer: Any) -> tuple:
    return layer if isinstance(layer, tuple) else (layer,)

"""A fine-tuned encoder as an ONNX graph, kept only if it gives what torch gives."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from xlser.atomic import replacing
from xlser.errors import RunError
from xlser.experiment.judge import Heads
from xlser.experiment.use.embedders import ClipEmbedder, load_embedder
from xlser.experiment.use.folder import Chosen, find_model
from xlser.experiment.use.hub_models import located
from xlser.features.extractors import called
from xlser.machine import pass_on_machine
from xlser.models.classifier import EMBEDDING, EmotionNetwork, Inputs
from xlser.models.lora import merge_adapters
from xlser.vocabulary import DIMENSIONS

LIBRARIES = ("onnx", "onnxruntime")
OPSET, TOLERANCE = 17, 1e-4
# Seconds on which the graph is compared with torch, besides the shortest clip; it is traced on another length.
COMPARED, TRACED = (0.1, 0.5013, 3.0, 9.7), 1.37


@dataclass(frozen=True)
class Exported:
    """A graph that agrees with torch: ``difference`` is the largest absolute one, ``lengths`` the samples compared."""

    path: Path
    outputs: tuple[str, ...]
    difference: float
    lengths: tuple[int, ...]

    def text(self) -> str:
        """Say what was written and how well it agrees."""
        return (
            f"{self.path}: samples (1, S) at 16 kHz to {', '.join(self.outputs)}; differs from torch by at most "
            f"{self.difference:.1e} on clips of {', '.join(map(str, self.lengths))} samples"
        )


def export_onnx(
    folder: str | Path,
    out: str | Path,
    *,
    model: str | None = None,
    method: str | None = None,
    seed: int | None = None,
    tolerance: float = TOLERANCE,
) -> Exported:
    """Write one encoder of a run or bench as an ONNX graph and compare it with torch by onnxruntime.

    The graph takes ``samples``, float32 (1, S) mono at 16 kHz between -1 and 1, S being free, and gives ``embedding``
    (1, D), ``probabilities`` (1, C) in the order of the recipe's emotions if a classifier was trained, and
    ``dimensions`` (1, R) if some were, in the order of the recipe; the names of the columns stand in the graph's
    metadata. These are the heads' own answers: the neighbours of `xlser predict` are not part of a graph. Adapters are
    merged into the weights that they stand beside. Numbers are float32 whatever precision the recipe trained in. ::

        session = onnxruntime.InferenceSession("model.onnx")
        names = [output.name for output in session.get_outputs()]
        found = dict(zip(names, session.run(None, {"samples": samples[None]})))

    Args:
        folder: of the run or bench.
        out: the file; it is written only if it agrees.
        model: see `find_model`.
        method: see `find_model`.
        seed: see `find_model`.
        tolerance: the largest absolute difference on clips of noise of several lengths.

    Raises:
        RunError: an autoencoder, or an encoder that begins with a filter bank, which is no part of a graph; onnx or
            onnxruntime is missing; torch cannot trace the model; or the graph differs from torch.
    """
    chosen, path = find_model(located(folder), method, seed, model=model, exportable=True), Path(out)
    missing = [name for name in LIBRARIES if find_spec(name) is None]
    if missing:
        raise RunError(f"an export needs {' and '.join(missing)}, which are not installed: pip install 'xlser[export]'")
    embedder = _exportable(chosen)
    encoder, heads = embedder.network.encoder, embedder.heads
    graph = _Graph(embedder.network, bool(heads and heads.classes), heads.rated if heads else ())
    lengths = (encoder.shortest, *(int(seconds * encoder.rate) for seconds in COMPARED))
    with replacing(path, durable=True) as temporary:
        _trace(_merged(graph), temporary)
        _describe(temporary, chosen, heads)
        difference = compare(temporary, graph, lengths)
        if not difference <= tolerance:
            raise RunError(
                f"the graph must agree with torch within {tolerance:g}, but differs by {difference:.2g}; it was not "
                "kept. Another version of torch may export this model rightly."
            )
    return Exported(path, graph.names, difference, lengths)


def compare(path: Path, graph: nn.Module, lengths: Sequence[int]) -> float:
    """Return the largest absolute difference between a written graph and torch, on clips of noise of these lengths.

    It is nan where one of them gives nan.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    noise, worst = np.random.default_rng(0), []
    for length in lengths:
        samples = (0.1 * noise.standard_normal((1, length))).astype(np.float32)
        found = session.run(None, {"samples": samples})
        for got, want in zip(found, graph.reference(torch.from_numpy(samples[0])), strict=True):
            worst.append(np.abs(got - want.numpy()).max())
    return float(np.max(worst))


class _Graph(nn.Module):
    """The network on one clip alone, without the masks that a batch needs and a graph cannot hold."""

    def __init__(self, network: EmotionNetwork, classes: bool, rated: Sequence[str]) -> None:
        super().__init__()
        self.network, self._classes = network, classes
        self._columns = [DIMENSIONS.index(name) for name in rated]
        self.names = ("embedding", *["probabilities"] * classes, *["dimensions"] * bool(rated))

    def forward(self, samples: Tensor) -> tuple[Tensor, ...]:
        encoder, pool = self.network.encoder, self.network.pools[EMBEDDING]
        if encoder.extractor.do_normalize:
            samples = (samples - samples.mean()) / (samples.var(correction=0) + 1e-7).sqrt()
        found = encoder.model(samples, output_hidden_states=True)
        hidden = (*found.hidden_states[:-1], found.last_hidden_state)
        lengths = torch.ones_like(hidden[0][:, :, 0]).sum(1).long()  # all frames, as a number that the graph computes
        return self._judged(pool(hidden, lengths))

    @torch.inference_mode()
    def reference(self, wave: Tensor) -> tuple[Tensor, ...]:
        """Return what xlser itself gives for samples (S,)."""
        return self._judged(self.network.embed(Inputs("waves", [wave]))[EMBEDDING])

    def _judged(self, embedding: Tensor) -> tuple[Tensor, ...]:
        found = [embedding]
        if self._classes:
            found.append(self.network.classes(embedding).softmax(1))
        if self._columns:
            found.append(self.network.dimensions(embedding)[:, self._columns])
        return tuple(found)


def _merged(graph: _Graph) -> _Graph:
    """Return a copy with its adapters merged: what is written is compared with the network that has them."""
    if not graph.network.encoder.adapters:
        return graph
    merged = copy.deepcopy(graph)
    merge_adapters(merged.network.encoder)
    return merged


def _exportable(chosen: Chosen) -> ClipEmbedder:
    embedder = load_embedder(chosen)
    if not isinstance(embedder, ClipEmbedder):
        raise RunError(
            f"{chosen.name} of {chosen.run} is made of {called(chosen.recipe.features.extractor)} features, which are "
            "computed outside of any graph. Only fine-tuned encoders can be exported."
        )
    embedder.network.cpu().float()
    encoder = embedder.network.encoder
    if not hasattr(encoder.model, "feature_extractor"):
        raise RunError(
            f"{chosen.run}: the encoder is a {encoder.about['model_type']} model and begins with a filter bank that is "
            "computed outside of torch. Only encoders that read waveforms can be exported."
        )
    return embedder


def _describe(path: Path, chosen: Chosen, heads: Heads | None) -> None:
    """Write into the graph what its columns are."""
    import onnx

    told = {"sample_rate": "16000", "model": chosen.name, "method": chosen.method, "seed": str(chosen.seed)}
    told |= {"emotions": ",".join(heads.classes), "dimensions": ",".join(heads.rated)} if heads else {}
    model = onnx.load(str(path))
    onnx.helper.set_model_props(model, told)
    onnx.save(model, str(path))


def _trace(graph: _Graph, path: Path) -> None:
    samples = torch.randn(1, int(TRACED * graph.network.encoder.rate), generator=torch.Generator().manual_seed(0))
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # torch warns of shapes that it takes as constants: the comparison judges
            torch.onnx.export(
                graph,
                (samples,),
                str(path),
                input_names=["samples"],
                output_names=list(graph.names),
                dynamic_axes={"samples": {1: "length"}},
                opset_version=OPSET,
                dynamo=False,  # needs no further library, and takes a moment
            )
    except Exception as error:  # torch has many kinds of them here
        pass_on_machine(error, "exporting the model")
        raise RunError(f"torch cannot export this model as ONNX: {error}") from error

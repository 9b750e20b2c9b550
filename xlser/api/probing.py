"""A sweep over an encoder's hidden states, as Python users start it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from xlser.data.dataset import Dataset
from xlser.evaluation.layers import LayerSweep
from xlser.experiment.sweep import POOLINGS, sweep_layers
from xlser.experiment.workplace import Workplace
from xlser.features.extractor import Extractor
from xlser.features.frozen_encoder import Encoder
from xlser.vocabulary import EMOTIONS


def probe_layers(
    encoder: Encoder | str,
    sources: Sequence[Dataset],
    targets: Sequence[Dataset],
    *,
    layers: Sequence[int] | None = None,
    poolings: Sequence[str] = POOLINGS,
    emotions: Sequence[str] = EMOTIONS,
    seeds: int = 3,
    reference: Extractor | str | None = "egemaps",
    draws: int = 1000,
    level: float = 0.95,
    out: str | Path | None = None,
    cache: str | Path | None = None,
    jobs: int | None = None,
    progress: bool = True,
) -> LayerSweep:
    """Say which hidden state of an encoder carries emotion to other corpora, and which carries the corpus.

    ::

        sweep = xl.probe_layers("openai/whisper-tiny", sources=[emodb], targets=[urdu, mine])
        sweep.chosen, sweep.oracle, sweep.regret
        sweep.to_frame()

    Each state under each pooling is read as ``xlser run`` reads features without a network: z-scores of the source's
    training speakers; logistic regression for emotions and ridge regression for activation and valence, both fitted on
    training speakers and set on validation speakers; a target zero-shot and, z-scored by its own statistics,
    transductive. Then it is asked how well corpus, language and speaker can be read from it. The choice is the best UA
    on the source's validation speakers; of several sources each is left out in turn, and the mean counts. No label of a
    target takes part in it; the best in hindsight stands beside it as the oracle.

    Args:
        encoder: frozen, or its weights; of an `Encoder` layer, pooling and combination are not looked at.
        sources: learnt from, together; seed s validates on another fifth of the speakers.
        targets: read. One that shares fewer than two of the emotions takes part in decodability alone, and one without
            ratings has no r.
        layers: numbers of hidden states, 0 to the number of layers, -1 for the last; all unless given.
        poolings: each as `Encoder` has it. Of states that do as well the first pooling's lowest is chosen.
        emotions: that are scored.
        seeds: splits of the source.
        reference: features that are read beside the states, or their name; None for none.
        draws: resamplings of the speakers for each interval.
        level: of the intervals.
        out: a folder for ``layers.html``, ``layers.json`` and ``layers.csv``; nothing is written unless given.
        cache: of features; xlser's cache folder unless given.
        jobs: threads of extraction; all cores unless given.
        progress: show bars.

    Raises:
        RecipeError: what is given is no encoder; a layer, pooling or another option is out of range.
        CorpusError: a target that is a source, a source of one speaker, or one whose validation speakers have fewer
            than two of the emotions.
        RunError: weights that are not there.
    """
    if isinstance(encoder, (str, Path)):
        encoder = Encoder(str(encoder))
    place = Workplace(jobs=jobs, progress=progress, say=lambda text: None)
    place.cache = Path(cache) if cache else place.cache
    sweep = sweep_layers(
        encoder,
        sources,
        targets,
        place,
        layers=layers,
        poolings=poolings,
        emotions=emotions,
        seeds=seeds,
        reference=reference,
        draws=draws,
        level=level,
    )
    if out is not None:
        from xlser.reporting.layers.page import write_layers

        write_layers(sweep, out)
    return sweep

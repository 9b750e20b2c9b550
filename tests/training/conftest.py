"""Synthetic clips whose class is a pitch and a rhythm, and a short way to fine-tune a tiny encoder on them.

The programs that some tests run as processes of their own import this file too.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from xlser.data.manifest import Manifest
from xlser.features.arrays import ArrayStore
from xlser.features.clips import Clips

RATE = 16_000
EMOTIONS = ("anger", "happiness", "neutral", "sadness")
REPOSITORY = str(Path(__file__).resolve().parents[2])


def clips_of(waves, cache) -> Clips:
    """Return clips that stand in a cache folder and nowhere else."""
    store = ArrayStore(cache, {"extractor": "clips", "synthetic": True})
    contents = [hashlib.sha256(wave.tobytes()).hexdigest() for wave in waves]
    for content, wave in zip(contents, waves, strict=True):
        store.put(content, wave)
    manifest = Manifest(pd.DataFrame({"id": [f"toy/{n}" for n in range(len(waves))]}), Path(cache), "toy", "0" * 12)
    return Clips(manifest, np.array([len(wave) for wave in waves]), RATE, 0, {}, contents, store)


def tone(code, rng, seconds=None) -> np.ndarray:
    """Return a synthetic tone: class ``code`` chooses its pitch and how fast its level changes."""
    t = np.arange(int(RATE * (seconds or rng.uniform(0.2, 0.5)))) / RATE
    wave = np.sin(2 * np.pi * 150 * 2**code * rng.uniform(0.95, 1.05) * t + rng.uniform(0, 6))
    wave *= 1 + 0.5 * np.sin(2 * np.pi * (4 + 3 * code) * t)
    return (0.2 * wave + 0.02 * rng.normal(size=t.size)).astype(np.float32)


def synthetic(cache, count=40):
    """Return labelled synthetic clips: 4 classes, 5 speakers, 2 languages; some without a class, some not rated."""
    from xlser.training.encoder_plan import Labelled

    rng = np.random.default_rng(0)
    codes = np.arange(count) % 4
    ratings = np.tanh(rng.normal(size=(count, 3)) + codes[:, None] - 1.5).astype(np.float32)
    ratings[::5, 1], ratings[::7] = np.nan, np.nan
    speaker = np.arange(count) // 4 % 5
    clips = clips_of([tone(code, rng) for code in codes], cache)
    emotion = np.where(np.arange(count) % 13 == 12, -1, codes)
    votes = rng.dirichlet(np.ones(4), count).astype(np.float32)
    votes[::3] = np.nan
    return Labelled(clips, emotion, ratings, speaker, speaker % 2, votes, (np.arange(count) % 3 == 2).astype(int))


def recipe_of(method, *, encoder=None, augment=None, **training):
    """Return a recipe with one method: short, without dropout and augmentation unless they are asked for."""
    from xlser.training.encoder_recipe import EncoderRecipe

    chosen = {"epochs": 2, "seconds": 2.5, "lr": 1e-3, "encoder_lr": 1e-3, "patience": None, **training}
    return EncoderRecipe(
        name="toy",
        source="a",
        targets="b",
        encoder={"weights": "random:tiny", "dropout": 0.0, **(encoder or {})},
        methods={"m": method},
        augment={"time": 0, "feature": 0, **(augment or {})},
        training=chosen,
    )


def ua(truth, predicted) -> float:
    """Return the mean recall of the classes that are there."""
    return float(np.mean([(predicted[truth == code] == code).mean() for code in np.unique(truth)]))


def fitted(data, folder, store, method=None, *, seed=0, train=None, validation=None, network=None, **options):
    """Fine-tune on the first 32 clips and judge by the others, if nothing else is said.

    ``options``: those of the plan by name (``fingerprint``, ``ranks``, ``on_step``, ``on_epoch``), ``encoder``,
    ``augment``, and what is left is for ``training``.
    """
    from xlser.training.encoder_fit import fit_encoder
    from xlser.training.encoder_plan import EncoderPlan
    from xlser.training.encoder_step import build_classifier

    told = {key: options.pop(key) for key in ("ranks", "on_step", "on_epoch") if key in options}
    mark = options.pop("fingerprint", "f")
    recipe = recipe_of(method or {"cross_entropy": 1}, **options)
    terms = recipe.methods["m"]
    plan = EncoderPlan(recipe, terms, seed, Path(folder), store, mark, ua, **told)
    network = network or build_classifier(recipe.encoder, terms, len(EMOTIONS), seed)
    split = (np.arange(32) if train is None else train), (np.arange(32, 40) if validation is None else validation)
    return fit_encoder(plan, network, data, *split)


def bits(network) -> dict[str, bytes]:
    """Return every weight as bytes."""
    return {name: tensor.numpy().tobytes() for name, tensor in network.state_dict().items()}


def environment(**more) -> dict[str, str]:
    """Return the environment of a process that is started by a test."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": REPOSITORY, **more}


@pytest.fixture(scope="session")
def toy_cache(tmp_path_factory):
    """A cache folder for the whole session."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def tones(toy_cache):
    """Forty labelled synthetic clips."""
    return synthetic(toy_cache)


@pytest.fixture
def fine_tune(tones, toy_cache, tmp_path):
    """Return `fitted` on the synthetic clips, in a folder of this test's own."""
    calls = iter(range(1000))

    def run(method=None, *, folder=None, data=tones, store=toy_cache, **options):
        return fitted(data, folder or tmp_path / f"run-{next(calls)}", store, method, **options)

    return run


@pytest.fixture(scope="session")
def toys():
    """The functions of this file, for tests: a test file cannot import its conftest."""
    given = (clips_of, tone, synthetic, recipe_of, ua, fitted, bits, environment)
    return SimpleNamespace(**{function.__name__: function for function in given})

"""What many tests need: a card made of a few lines, a folder made of names, a short recording, the real corpora."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from xlser.corpora.card import Card
from xlser.errors import CardError
from xlser.schema import validate

REPOSITORY = Path(__file__).resolve().parents[1]
CARD = {
    "name": "toy",
    "title": "Toy",
    "languages": ["de"],
    "licence": "CC0",
    "elicitation": "acted",
    "audio": "*.wav",
    "grammar": r"(?P<speaker>s\d+)_(?P<emotion>[a-z]+)_(?P<take>\d+)",
    "emotion": {"ang": "anger", "hap": "happiness", "neu": "neutral", "sad": "sadness"},
}


@pytest.fixture(scope="session")
def make_card():
    """Return a function: a valid card with some keys changed; None takes a key away."""

    def make(**changes) -> Card:
        values = {key: value for key, value in (CARD | changes).items() if value is not None}
        return validate(Card, values, "card toy", CardError)

    return make


@pytest.fixture
def tree(tmp_path):
    """Return a function: a folder with an empty file of each name."""

    def make(*names: str, root: Path = tmp_path / "corpus") -> Path:
        root.mkdir(parents=True, exist_ok=True)
        for name in names:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).touch()
        return root

    return make


@pytest.fixture(scope="session")
def voice():
    """Return a function: a pulse train with formants and a syllable rhythm, which pitch trackers take for speech."""

    def make(seconds: float = 0.4, rate: int = 16_000, pitch: float = 120.0, seed: int = 0) -> np.ndarray:
        t = np.arange(round(seconds * rate)) / rate
        wave = sum(np.sin(2 * np.pi * pitch * k * t) / k for k in range(1, 20) if pitch * k < rate / 2)
        wave = wave * (1 + 0.5 * np.sin(2 * np.pi * 4 * t)) + 0.01 * np.random.default_rng(seed).normal(size=t.size)
        return (0.2 * wave / np.abs(wave).max()).astype(np.float32)

    return make


@pytest.fixture
def corpus(tmp_path, voice):
    """Return a function: a folder of readable recordings with these names, each of its own pitch."""

    def make(*names: str, root: Path = tmp_path / "corpus", rate: int = 16_000) -> Path:
        for number, name in enumerate(names):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(root / name, voice(rate=rate, pitch=90 + 7 * number, seed=number), rate)
        return root

    return make


@pytest.fixture(scope="session")
def real_corpora() -> Path:
    """Return the folder of the recorded corpora, which are never part of this repository; skip where they are not."""
    chosen = os.environ.get("XLSER_TEST_DATA")
    folder = Path(chosen) if chosen else REPOSITORY.parent / "shared" / "corpora"
    if not folder.is_dir():
        pytest.skip(f"no recorded corpora at {folder}: set XLSER_TEST_DATA to a folder with emodb, urdu and ravdess")
    return folder


@pytest.fixture
def moved(tmp_path):
    """Return a function: the same folder under another name."""

    def move(root: Path) -> Path:
        return Path(shutil.copytree(root, tmp_path / "elsewhere" / "other name"))

    return move

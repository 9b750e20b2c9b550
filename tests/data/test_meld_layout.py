"""MELD as its owners ship it: tables of three parts beside folders of MP4 films, to rows with the official parts."""

import csv

import numpy as np
import pytest
from media import encode

from xlser.corpora.card import load_card
from xlser.data.dataset import Dataset
from xlser.data.manifest import build_manifest

HEADS = ["Sr No.", "Utterance", "Speaker", "Emotion", "Sentiment", "Dialogue_ID", "Utterance_ID", "Season", "Episode"]
HEADS += ["StartTime", "EndTime"]
FOLDERS = {"train": "train_splits", "dev": "dev_splits_complete", "test": "output_repeated_splits_test"}
SAID = [("Ross", "joy"), ("Monica", "anger")]


@pytest.fixture
def meld(tmp_path, voice):
    for number, (part, folder) in enumerate(FOLDERS.items()):
        (tmp_path / folder).mkdir()
        rows = []
        for turn, (speaker, emotion) in enumerate(SAID):
            film = tmp_path / folder / f"dia0_utt{turn}.mp4"
            samples = np.stack([voice(0.5 + turn / 4, seed=number)] * 2, axis=1)
            encode(film, samples, 16_000, "aac", film=True)
            rows.append(
                [turn, f"So, {part}", speaker, emotion, "positive", 0, turn, 8, 21, "00:16:16,059", "00:16:21,731"]
            )
        with (tmp_path / f"{part}_sent_emo.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([HEADS, *rows])
    return tmp_path


def test_meld_is_read_from_its_films(meld):
    made = build_manifest(load_card("meld"), meld)
    assert made.left_out == {}
    rows = made.frame[["path", "partition", "speaker", "emotion", "text"]].to_numpy().tolist()
    assert rows == [
        [f"{folder}/dia0_utt{turn}.mp4", part, speaker, {"joy": "happiness"}.get(emotion, emotion), f"So, {part}"]
        for part, folder in sorted(FOLDERS.items(), key=lambda pair: pair[1])
        for turn, (speaker, emotion) in enumerate(SAID)
    ]
    assert made.frame["duration"].to_numpy() == pytest.approx([0.5, 0.75] * 3, abs=0.08)
    assert not [note for note in made.notes if "looks like" in note]
    samples, rate = Dataset.from_card(load_card("meld"), meld).audio(0, 16_000)
    assert rate == 16_000
    assert samples.size == pytest.approx(0.5 * rate, abs=0.08 * rate)

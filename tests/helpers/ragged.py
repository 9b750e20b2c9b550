"""Two small corpora as uneven as real ones, at 16 kHz, made of pulse trains in a second.

Nothing of them is a square: speakers have from 1 to 13 clips, emotions come in no order and miss for some speakers,
clips last unequally long, valence goes its own way beside activation, and a sixth of the clips have no rating. A
fault that a regular table hides (rows taken by position, two dimensions exchanged, a part of one class) shows here.
They wear the cards synthetic-de and synthetic-tr, whose layout is EmoDB's; eSpeak has no part in them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

RATE = 16_000
# Clips of each speaker, and the letters of the emotions that he or she has none of.
CLIPS = {
    "synthetic-de": {"01": 11, "02": 7, "03": 9, "04": 1, "05": 8, "06": 4, "07": 5, "08": 3},
    "synthetic-tr": {"01": 13, "03": 6, "04": 9, "06": 2, "07": 8, "08": 10},
}
MISSING = {"synthetic-de": {"02": "T", "05": "WA", "07": "N"}, "synthetic-tr": {"03": "NL", "08": "F"}}
# A third one, where a test needs a corpus that is neither source nor target.
THIRD = "synthetic-en"
_CLIPS = CLIPS | {THIRD: {"02": 9, "03": 8, "05": 11, "07": 6, "08": 7}}
_MISSING = MISSING | {THIRD: {"02": "L", "07": "FA"}}
# Activation and valence of EmoDB's letters on [-1, 1], far from one line.
MOODS = {
    "W": (0.6, -0.5),
    "F": (0.5, 0.8),
    "N": (0.0, 0.1),
    "T": (-0.4, -0.7),
    "A": (0.7, -0.6),
    "L": (-0.7, -0.3),
}


def make_ragged(root: Path, seed: int = 0) -> Path:
    """Write both corpora below ``root`` and return it; the same seed gives the same bytes."""
    for number, name in enumerate(CLIPS):
        _write(root / name, name, np.random.default_rng([seed, number]))
    return root


def make_third(root: Path, seed: int = 0) -> Path:
    """Write the third corpus below ``root`` and return that."""
    _write(root / THIRD, THIRD, np.random.default_rng([seed, len(CLIPS)]))
    return root


def _write(folder: Path, name: str, rng: np.random.Generator) -> None:
    (folder / "wav").mkdir(parents=True)
    rows = []
    for speaker, count in _CLIPS[name].items():
        letters = [letter for letter in MOODS if letter not in _MISSING[name].get(speaker, "")]
        for take in range(count):
            letter = str(rng.choice(letters))
            clip = f"{speaker}a{take + 1:02d}{letter}a.wav"
            mood = np.clip(np.array(MOODS[letter]) + rng.normal(scale=0.2, size=2), -1, 1)
            seconds = float(rng.uniform(0.3, 1.4))
            soundfile.write(folder / "wav" / clip, _speak(mood, int(speaker), seconds, rng), RATE, subtype="PCM_16")
            rows.append((clip, *(f"{3 + 2 * value:.2f}" for value in mood)))
    (folder / "ratings.csv").write_text("filename,activation,valence\n" + "".join(_rated(rows)), encoding="utf-8")


def _rated(rows: list[tuple[str, str, str]]) -> list[str]:
    """Return the lines of the table: every ninth clip is not in it, and every eleventh lacks its valence."""
    lines = []
    for place, (clip, activation, valence) in enumerate(rows):
        if place % 9 != 4:
            lines.append(f"{clip},{activation},{valence if place % 11 != 7 else ''}\n")
    return lines


def _speak(mood: np.ndarray, speaker: int, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return a pulse train: activation in pitch, rhythm and level, valence in the tilt of the spectrum."""
    activation, valence = mood
    t = np.arange(round(seconds * RATE)) / RATE
    pitch = (90 + 14 * speaker) * 2 ** (0.5 * activation) * (1 + 0.05 * np.sin(2 * np.pi * 3 * t))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    wave = sum(np.sin(k * phase) / k ** (1.3 - 0.5 * valence) for k in range(1, 16))
    wave = wave * (1.2 + np.sin(2 * np.pi * (4 + 2 * activation) * t + rng.uniform(0, 6)))
    wave = wave / np.abs(wave).max() + 0.01 * rng.normal(size=t.size)
    return (0.15 * 10 ** (0.4 * activation) * wave).astype(np.float32)

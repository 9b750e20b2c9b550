"""Small folders in the layouts of real corpora: their own names and tables, pulse trains instead of speech."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from itertools import product
from pathlib import Path

import numpy as np
import soundfile

RATE = 16_000
TAKES = (1, 2)
# Half tones and loudness that tell the emotions of a corpus apart, by the place of its code.
STEPS = (0, 4, 8, 12, 3, 7, 11, 15)

Name = Callable[[int, str, int], str]
# Of each corpus: its codes, how many speakers it gets here, and what a recording is called.
LAYOUTS: dict[str, tuple[tuple[str, ...], int, Name]] = {
    "cafe": (tuple("CDJNPST"), 4, lambda who, code, take: f"{code}/Fort/{who:02d}-{code}-2-{take}.wav"),
    "crema-d": (
        ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD"),
        2,
        lambda who, code, take: f"AudioWAV/{1000 + who}_{('IEO', 'TIE')[take - 1]}_{code}_XX.wav",
    ),
    "emodb": (tuple("WLEAFTN"), 4, lambda who, code, take: f"wav/{who:02d}a0{take}{code}a.wav"),
    "emovo": (
        ("neu", "dis", "gio", "pau", "rab", "sor", "tri"),
        6,
        lambda who, code, take: f"{_actor(who)}/{code}-{_actor(who)}-b{take}.wav",
    ),
    "mesd": (
        ("Anger", "Disgust", "Fear", "Happiness", "Neutral", "Sadness"),
        3,
        lambda who, code, take: f"{code}_{'FMC'[who - 1]}_A_word{take}.wav",
    ),
    "msp-podcast": (tuple("AHSN"), 6, lambda who, code, take: f"Audios/MSP-PODCAST_{who:04d}_{ord(code)}{take}.wav"),
    "ravdess": (
        tuple(f"0{code}" for code in range(1, 9)),
        6,
        lambda who, code, take: f"Actor_{who:02d}/03-01-{code}-01-0{take}-01-{who:02d}.wav",
    ),
    "resd": (
        ("happiness", "disgust", "anger", "fear", "enthusiasm", "neutral", "sadness"),
        4,
        lambda who, code, take: f"{('train', 'test')[who == 4]}/talk_{who}/{who}_{code}_{take}.wav",
    ),
    "savee": (
        ("a", "d", "f", "h", "n", "sa", "su"),
        4,
        lambda who, code, take: f"{('DC', 'JE', 'JK', 'KL')[who - 1]}/{code}0{take}.wav",
    ),
    "subesco": (
        ("ANGRY", "DISGUST", "FEAR", "HAPPY", "NEUTRAL", "SAD", "SURPRISE"),
        5,
        lambda who, code, take: f"F_{who:02d}_NAME_S_1_{code}_{take}.wav",
    ),
}


def make_layout(root: Path, corpus: str) -> Path:
    """Write two recordings of each emotion of each speaker below ``root / corpus``, and what tables the card reads."""
    codes, speakers, name = LAYOUTS[corpus]
    folder, rows = root / corpus, []
    for who, (place, code), take in product(range(1, speakers + 1), enumerate(codes), TAKES):
        path = folder / name(who, code, take)
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, _speak(who, STEPS[place], take), RATE, subtype="PCM_16")
        rows.append((who, code, path))
    if corpus == "msp-podcast":
        parts = ("Train", "Train", "Train", "Development", "Test1", "Test1")
        heads = ("FileName", "EmoClass", "EmoAct", "EmoVal", "EmoDom", "SpkrID", "Gender", "Split_Set")
        labels = ((path.name, code, 4, 4, 4, who, "Male", parts[who - 1]) for who, code, path in rows)
        _table(folder / "Labels/labels_consensus.csv", heads, labels)
    if corpus == "resd":
        for part in ("train", "test"):
            own = ((path.relative_to(folder / part), code) for _, code, path in rows if folder / part in path.parents)
            _table(folder / f"{part}.csv", ("path", "emotion"), ((name.with_suffix(""), code) for name, code in own))
    if corpus == "crema-d":
        actors = ((1000 + who, "Male") for who in range(1, speakers + 1))
        _table(folder / "VideoDemographics.csv", ("ActorID", "Sex"), actors)
    return folder


def _actor(who: int) -> str:
    return ("f1", "f2", "f3", "m1", "m2", "m3")[who - 1]


def _table(path: Path, heads: Iterable[str], rows: Iterable[Iterable]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([heads, *rows])


def _speak(who: int, step: int, take: int) -> np.ndarray:
    t = np.arange(round((0.3 + 0.02 * take) * RATE)) / RATE
    phase = 2 * np.pi * (90 + 9 * who) * 2 ** (step / 12) * t
    wave = sum(np.sin(k * phase) / k for k in range(1, 8)) * (1.2 + np.sin(2 * np.pi * 4 * t + take))
    noise = np.random.default_rng([who, step, take]).normal(size=t.size)
    return (0.2 * wave / np.abs(wave).max() + 0.003 * noise).astype(np.float32)

"""Synthetic corpora: plain sentences spoken by eSpeak NG, with emotion laid into how they are spoken.

They make every command work at once and every pipeline testable. They are machine-made: no evidence about people.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import string
import struct
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from itertools import product
from pathlib import Path
from statistics import NormalDist

import numpy as np
import soundfile
from tqdm import tqdm

from xlser.corpora.card import Card
from xlser.corpora.espeak import speak
from xlser.errors import CardError, CorpusError, XlserError

# Counted up when the same card and seed come out as other sound.
SYNTHESIS_VERSION = 1

SPEAKERS = 8
MALE = ("m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8")
# None of these uses random noise, so that no C library's rand shapes the sound.
FEMALE = ("f1", "f4", "Annie", "aunty", "belinda", "grandma", "linda")

# Where emotions lie on (valence, activation), each from -1 to 1.
CENTRES = {
    "anger": (-0.65, 0.70),
    "happiness": (0.70, 0.50),
    "neutral": (0.05, 0.0),
    "sadness": (-0.65, -0.60),
    "fear": (-0.65, 0.30),
    "boredom": (-0.25, -0.70),
    "disgust": (-0.75, 0.10),
    "surprise": (0.30, 0.75),
    "calm": (0.45, -0.50),
}
SCATTER = 0.20
_MARK = "SYNTHETIC.txt"
_OWN = {"wav", "ratings.csv", _MARK}


@dataclass(frozen=True)
class Style:
    """How one utterance is spoken: the parameters of `xlser.corpora.espeak.speak`, and vocal effort.

    ``effort`` tilts the spectrum: above 0 tense and bright, below 0 lax and dull; -0.7 to 0.7.
    """

    rate: int
    pitch: int
    range: int
    volume: int
    word_gap: int
    effort: float


@dataclass(frozen=True)
class Speaker:
    """One voice and its habits: offsets to every parameter, and how strongly it expresses emotion (1 = average)."""

    number: str
    variant: str
    pitch: float
    range: float
    rate: float
    loudness: float
    effort: float
    expressiveness: float


@dataclass(frozen=True)
class Utterance:
    """One file to be: its name without suffix, what is said, by which voice, how, and its point on the 1-5 scale."""

    name: str
    sentence: str
    voice: str
    style: Style
    valence: float
    activation: float


def synthesise(
    card: Card,
    root: str | Path,
    *,
    seed: int = 0,
    sentences: int | None = None,
    speakers: int | None = None,
    takes: int = 1,
    progress: bool = True,
) -> Path:
    """Make the corpus of a synthetic card in the folder ``root`` and return that folder.

    The layout and file names are EmoDB's (``wav/03a01Wa.wav``); ``ratings.csv`` holds the point on activation and
    valence (1 to 5) that each utterance was spoken from, and ``SYNTHETIC.txt`` says what made it all. The corpus is
    whole or not there: it is built beside ``root`` and moved. Where the same corpus is already there, nothing is done;
    where another synthetic one is, it is replaced.

    Args:
        card: a card with ``synthesis``.
        root: the corpus folder.
        seed: another seed gives other speakers' habits, points and styles. The same seed gives the same bytes.
        sentences: how many of the card's sentences are spoken; all by default.
        speakers: how many of the eight speakers speak, 1 to 8; all by default. The first four are male.
        takes: how often each speaker says a sentence in an emotion, 1 to 26; each take has a point of its own.
        progress: whether to show a progress bar.

    Raises:
        CardError: the card has no ``synthesis``, its grammar does not fit EmoDB's file names, or it has an emotion
            whose place on valence and activation is not known here.
        CorpusError: ``root`` holds something else, or cannot be written.
        XlserError: a count out of range; eSpeak NG or the card's voice is missing.
    """
    root = Path(root).expanduser()
    utterances = plan(card, seed=seed, sentences=sentences, speakers=speakers, takes=takes)
    made_by = _made_by(card, seed, utterances)
    done = partial(_is_complete, root, made_by, utterances)
    if done():
        return root
    _refuse_foreign(root)
    with _whole(root, done) as folder:
        _write_audio(folder / "wav", tqdm(utterances, desc=card.name, unit="file", disable=not progress))
        _write_tables(folder, utterances, made_by)
    return root


def plan(
    card: Card, *, seed: int = 0, sentences: int | None = None, speakers: int | None = None, takes: int = 1
) -> list[Utterance]:
    """Return what `synthesise` would speak, in file-name order within a speaker; arguments and errors are its own."""
    if card.synthesis is None:
        raise CardError(f"card {card.name} has no `synthesis`: its corpus is recorded, not made.")
    said = card.synthesis.sentences
    said = said[: _count("sentences", sentences, len(said))]
    letters = string.ascii_lowercase[: _count("takes", takes, 26)]
    cast = _cast(card, seed)[: _count("speakers", speakers, SPEAKERS)]
    _check_codes(card)
    return [
        _utterance(card, seed, speaker, number=number, text=text, code=code, letter=letter)
        for speaker, (number, text), code, letter in product(cast, enumerate(said, 1), card.emotion, letters)
    ]


def _count(name: str, value: int | None, most: int) -> int:
    value = most if value is None else value
    if not 1 <= value <= most:
        raise XlserError(f"`{name}` must be between 1 and {most}, but is {value} instead.")
    return value


def _check_codes(card: Card) -> None:
    for code, emotion in card.emotion.items():
        if emotion not in CENTRES:
            raise CardError(
                f"card {card.name}: {emotion!r} cannot be synthesised; known: {', '.join(sorted(CENTRES))}."
            )
        if not re.fullmatch(card.grammar, f"01a01{code}a"):
            raise CardError(
                f"card {card.name}: `grammar` must fit the names that synthesis writes, such as 01a01{code}a."
            )


def _utterance(card: Card, seed: int, speaker: Speaker, *, number: int, text: str, code: str, letter: str) -> Utterance:
    name = f"{speaker.number}a{number:02d}{code}{letter}"
    # One seed an utterance: its sound does not depend on what else is made, or in which order.
    centre = CENTRES[card.emotion[code]]
    draws = _normals(8, seed, card.name, name)
    valence, activation = (_rating(middle + SCATTER * z) for middle, z in zip(centre, draws[:2], strict=True))
    style = _style(speaker, (valence - 3) / 2, (activation - 3) / 2, draws[2:])
    return Utterance(name, text, f"{card.synthesis.voice}+{speaker.variant}", style, valence, activation)


def _rating(position: float) -> float:
    """Put -1..1 on the 1-5 scale, with the two decimals that the table keeps."""
    return round(min(max(3 + 2 * position, 1.0), 5.0), 2)


def _style(speaker: Speaker, valence: float, activation: float, jitter: list[float]) -> Style:
    """Turn a point (-1..1 each) into a way of speaking; ``jitter`` holds six standard normal draws.

    Activation acts on everything at once, as it does in people. Valence is carried by the melody (a wide range is
    cheerful, a flat one is not) and by vocal effort (anger is pressed, joy is not), and so is harder to hear.
    """
    v, a = speaker.expressiveness * valence, speaker.expressiveness * activation
    return Style(
        rate=_within(165 * math.exp(speaker.rate + 0.24 * a + 0.06 * v + 0.05 * jitter[0]), 90, 400),
        pitch=_within(46 + speaker.pitch + 18 * a + 5 * v + 3 * jitter[1], 0, 99),
        range=_within(48 + speaker.range + 12 * a + 32 * v + 6 * jitter[2], 0, 99),
        volume=_within(50 * math.exp(speaker.loudness + 0.48 * a + 0.12 * jitter[3]), 10, 140),
        word_gap=_within(2 - 2.5 * a - 1.5 * v + 0.5 * jitter[4], 0, 9),
        effort=min(max(speaker.effort + 0.24 * a - 0.45 * v + 0.08 * jitter[5], -0.7), 0.7),
    )


def _within(value: float, low: int, high: int) -> int:
    return round(min(max(value, low), high))


def _cast(card: Card, seed: int) -> list[Speaker]:
    """Give the corpus its eight speakers: another language has other voices with other habits."""
    males, females = (_shuffled(pool, seed, card.name)[: SPEAKERS // 2] for pool in (MALE, FEMALE))
    return [_speaker(card, seed, index, variant) for index, variant in enumerate([*males, *females])]


def _speaker(card: Card, seed: int, index: int, variant: str) -> Speaker:
    z = _normals(6, seed, card.name, "speaker", index)
    return Speaker(
        number=f"{index + 1:02d}",
        variant=variant,
        # Spread evenly over the four of one sex, on top of each variant's own base pitch.
        pitch=6 * (index % 4) - 9 + z[0],
        range=5 * z[1],
        rate=0.07 * z[2],
        loudness=0.20 * z[3],
        effort=0.06 * z[4],
        expressiveness=math.exp(0.15 * z[5]),
    )


def _normals(count: int, *key: object) -> list[float]:
    """Return standard normal draws that depend on ``key`` alone, on any machine and with any version of numpy."""
    digest = hashlib.shake_256(repr(key).encode()).digest(8 * count)
    return [NormalDist().inv_cdf(((word >> 12) + 0.5) / 2**52) for word in struct.unpack(f">{count}Q", digest)]


def _shuffled(items: tuple[str, ...], *key: object) -> list[str]:
    return [item for _, item in sorted(zip(_normals(len(items), *key, "order"), items, strict=True))]


def _write_audio(folder: Path, utterances: Iterable[Utterance]) -> None:
    folder.mkdir()
    for utterance in utterances:
        samples, sample_rate = perform(utterance)
        soundfile.write(folder / f"{utterance.name}.wav", samples, sample_rate, subtype="PCM_16")


def perform(utterance: Utterance) -> tuple[np.ndarray, int]:
    """Speak one planned utterance: int16 samples and their rate in Hz."""
    style = utterance.style
    samples, sample_rate = speak(
        utterance.sentence,
        utterance.voice,
        rate=style.rate,
        pitch=style.pitch,
        range=style.range,
        volume=style.volume,
        word_gap=style.word_gap,
    )
    return _tilted(samples, style.effort), sample_rate


def _tilted(samples: np.ndarray, effort: float) -> np.ndarray:
    """Tilt the spectrum by a first-order difference, at the same level: effort is not loudness."""
    x = samples.astype(np.float64)
    y = x.copy()
    y[1:] -= effort * x[:-1]
    power = np.mean(y**2)
    gain = math.sqrt(np.mean(x**2) / power) if power else 1.0
    peak = np.abs(y).max(initial=0.0)
    return np.rint(y * min(gain, 32767 / peak if peak else 1.0)).astype(np.int16)


def _write_tables(folder: Path, utterances: list[Utterance], made_by: str) -> None:
    rows = [f"{u.name}.wav,{u.activation:.2f},{u.valence:.2f}\n" for u in utterances]
    (folder / "ratings.csv").write_text("filename,activation,valence\n" + "".join(rows), encoding="utf-8")
    (folder / _MARK).write_text(made_by, encoding="utf-8")


def _made_by(card: Card, seed: int, utterances: list[Utterance]) -> str:
    """Return the line that says what made a corpus; two corpora with the same line are the same."""
    return (
        f"Machine-made speech, no evidence about people: xlser synthesis {SYNTHESIS_VERSION} with eSpeak NG "
        f"(espeakng-loader {version('espeakng-loader')}), card {card.name} {card.hash}, seed {seed}, "
        f"{len(utterances)} utterances {utterances[0].name} to {utterances[-1].name}\n"
    )


def _made_of(root: Path) -> str | None:
    try:
        return (root / _MARK).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _is_complete(root: Path, made_by: str, utterances: list[Utterance]) -> bool:
    if _made_of(root) != made_by or not (root / "ratings.csv").is_file():
        return False
    return {f"{utterance.name}.wav" for utterance in utterances} <= set(os.listdir(root / "wav"))


def _refuse_foreign(root: Path) -> None:
    """Stop before a folder that synthesis did not make would be replaced."""
    if not root.exists():
        return
    found = {path.name for path in root.iterdir() if not path.name.startswith(".")} if root.is_dir() else {root.name}
    foreign = found - _OWN if _made_of(root) is not None else found
    if foreign:
        raise CorpusError(
            f"{root} holds {', '.join(sorted(foreign)[:3])}, which is no synthetic corpus of ours: it is left alone. "
            "Give another folder, or move that away."
        )


@contextmanager
def _whole(root: Path, done: Callable[[], bool]) -> Iterator[Path]:
    """Yield a new folder beside ``root``, which takes its place when all went well and is removed when not."""
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root.parent, prefix=f".{root.name}.") as scratch:
            folder = Path(scratch) / "new"
            folder.mkdir()
            yield folder
            if done():  # another process was quicker
                return
            if root.exists():
                os.replace(root, Path(scratch) / "old")
            os.replace(folder, root)
    except (OSError, soundfile.SoundFileError) as error:
        raise CorpusError(f"cannot write the corpus {root}: {error}. Nothing half done was left there.") from error

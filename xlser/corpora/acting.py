"""Who says what in a synthetic corpus, and how: a point of valence and activation becomes a way of speaking."""

from __future__ import annotations

import hashlib
import math
import string
import struct
from dataclasses import dataclass
from itertools import product
from statistics import NormalDist

import numpy as np

from xlser.corpora.card import Card
from xlser.corpora.espeak import speak
from xlser.corpora.patterns import fits
from xlser.errors import CardError, XlserError

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
        if not fits(card.grammar, f"01a01{code}a"):
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


def _tilted(samples: np.ndarray, effort: float) -> np.ndarray:
    """Tilt the spectrum by a first-order difference, at the same level: effort is not loudness."""
    x = samples.astype(np.float64)
    y = x.copy()
    y[1:] -= effort * x[:-1]
    power = np.mean(y**2)
    gain = math.sqrt(np.mean(x**2) / power) if power else 1.0
    peak = np.abs(y).max(initial=0.0)
    return np.rint(y * min(gain, 32767 / peak if peak else 1.0)).astype(np.int16)

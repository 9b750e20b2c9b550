"""Words and abbreviations that people label emotions with, and the canonical name each stands for."""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

# Whole words: English, German, French, Spanish, Italian, Portuguese, Turkish, Greek, Urdu, Hindi, Polish, Russian and
# Persian (the last five romanised), and the misspellings that published tables hold.
_WORDS = {
    "anger": "anger angry mad wut wutend wuetend wutig aerger veraergert zorn colere enerve ira enojo enojado "
    "enfado rabia rabbia arrabbiato raiva kizgin ofke sinirli thymos thimos οργη θυμος gussa ghussa gusa zlosc "
    "gniew gnev zlost khashm",
    "happiness": "happiness happy joy joyful freude froh frohlich froehlich gluecklich joie heureux felicidad "
    "felicidade feliz alegria alegre felicita gioia felice mutlu mutluluk sevinc chara χαρα khushi khush "
    "radosc radost shadi",
    "sadness": "sadness sad sorrow traurig traurigkeit trauer tristesse triste tristeza tristezza uzgun uzuntu lypi "
    "lipi λυπη udaas udas udasi ghamgeen smutek smutny grust ghamgin",
    "fear": "fear fearful afraid scared anxiety angst aengstlich furcht peur miedo temor paura medo korku fovos "
    "phobos φοβος dar khauf strach strakh tars",
    "disgust": "disgust disgusted ekel degout asco disgusto nojo desgosto tiksinti igrenme aidia αηδια nafrat wstret "
    "otvrashchenie",
    "surprise": "surprise surprised surprize pleasant_surprise ueberraschung ueberrascht sorpresa sorpreso surpresa "
    "saskin saskinlik ekplixi εκπληξη hairat hairan zaskoczenie udivlenie taajob",
    "neutral": "neutral neutrality normal neutre neutro neutrale neutra notr ouderos oudeteri ουδετερος ουδετερο "
    "neutralny neytralno",
    "boredom": "boredom boredem bored langeweile gelangweilt ennui aburrimiento noia tedio sikilmis",
    "calm": "calm calmness ruhig calme calma tranquillo sakin",
    "contempt": "contempt verachtung mepris desprecio disprezzo",
    "excitement": "excitement excited aufgeregt",
    "frustration": "frustration frustrated",
    "sarcasm": "sarcasm sarcastic",
    "sleepiness": "sleepiness sleepy",
    "amusement": "amusement amused",
    "enthusiasm": "enthusiasm enthusiastic",
    "worry": "worry worried",
    "other": "other others",
}
# Short forms that mean one thing in nearly every corpus.
_SHORT = {
    "anger": "ang ano rab col",
    "happiness": "hap joy gio fel",
    "sadness": "sad tri",
    "fear": "fea fear pau",
    "disgust": "dis disg",
    "surprise": "sur sor ps surp",
    "neutral": "neu neut ntr",
    "boredom": "bor",
    "calm": "cal",
    "excitement": "exc",
    "frustration": "fru",
    "contempt": "cont",
}
# What one or two letters or a number mean differs from corpus to corpus: guesses to be checked.
_LETTERS = {
    "anger": "a w",
    "happiness": "h",
    "sadness": "s sa t",
    "fear": "f",
    "disgust": "d e",
    "surprise": "su",
    "neutral": "n",
    "boredom": "l b",
    "calm": "c",
}


class Guess(NamedTuple):
    """A canonical emotion, and whether the word leaves no doubt."""

    emotion: str
    sure: bool


def plain(word: str) -> str:
    """Return a word in lower case without accents or outer blanks; umlauts are written out.

    >>> plain(" Überraschung"), plain("Colère")
    ('ueberraschung', 'colere')
    """
    text = unicodedata.normalize("NFC", word).strip().lower()
    for umlaut, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), ("ı", "i"), (" ", "_"), ("ς", "σ")):
        text = text.replace(umlaut, letters)
    return "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))


_TURKISH = str.maketrans("üöÜÖ", "uouo")


def _table(words: dict[str, str], sure: bool) -> dict[str, Guess]:
    return {plain(word): Guess(emotion, sure) for emotion, line in words.items() for word in line.split()}


_GUESSES = _table(_LETTERS, False) | _table(_SHORT, True) | _table(_WORDS, True)


def guess_emotion(word: str) -> Guess | None:
    """Return what a label most likely means, or None.

    >>> guess_emotion("Wut"), guess_emotion("neu")
    (Guess(emotion='anger', sure=True), Guess(emotion='neutral', sure=True))
    >>> guess_emotion("W")
    Guess(emotion='anger', sure=False)
    >>> guess_emotion("03") is None
    True
    """
    # Turkish ü and ö are letters, no umlauts to be written out.
    return _GUESSES.get(plain(word)) or _GUESSES.get(plain(word.translate(_TURKISH)))

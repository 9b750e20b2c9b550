"""The door to eSpeak NG: text in, samples out, the same samples every time.

eSpeak NG keeps state between calls that no call of its interface resets: where it is in its table of pitch flutter, its
gain control, its echo. What it says next then depends on what it said before. The only way back to the beginning is a
library loaded anew, which takes some 2 ms; so every call does that.
"""

from __future__ import annotations

import _ctypes
import ctypes
import locale
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import numpy as np

from xlser.errors import MachineError, XlserError, did_you_mean

# speak_lib.h
_SYNCHRONOUS = 2
_CHARS_UTF8 = 1
_DONT_EXIT = 0x8000
_REINSTALL = "Reinstall it: pip install --force-reinstall espeakng-loader"
_RATE, _VOLUME, _PITCH, _RANGE, _WORDGAP = 1, 2, 3, 4, 7

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
_one_at_a_time = Lock()


def speak(
    text: str,
    voice: str,
    *,
    rate: int = 175,
    pitch: int = 50,
    range: int = 50,
    volume: int = 100,
    word_gap: int = 0,
) -> tuple[np.ndarray, int]:
    """Say ``text`` and return int16 samples (mono, one axis) and their rate in Hz (22,050).

    The samples depend on the arguments and eSpeak NG's version: not on earlier calls, not on the process. Voices that
    use random noise (``breath`` or ``klatt`` in their variant file: f2, f3, f5, klatt...) also depend on the C
    library's ``rand``.

    Args:
        text: in the voice's own language and script.
        voice: a language of eSpeak NG, with a voice variant or without: ``de``, ``de+f1``.
        rate: words a minute, 80 to 450.
        pitch: base pitch, 0 to 99; 50 is the voice's own, 0 an octave below it, 99 an octave above.
        range: how far pitch moves, 0 (monotone) to 99; 50 is the voice's own.
        volume: 1 to 200; 100 is eSpeak NG's own. Much above 130 its gain control sets in.
        word_gap: pause between words, in units of 10 ms at the default rate, 0 or more.

    Raises:
        XlserError: eSpeak NG or its data cannot be loaded; no such voice; a number out of range; nothing was spoken.

    >>> samples, sample_rate = speak("Guten Tag.", "de+f1")
    >>> samples.dtype, sample_rate, bool((samples == speak("Guten Tag.", "de+f1")[0]).all())
    (dtype('int16'), 22050, True)
    """
    _check("rate", rate, 80, 450)
    _check("pitch", pitch, 0, 99)
    _check("range", range, 0, 99)
    _check("volume", volume, 1, 200)
    _check("word_gap", word_gap, 0, 500)
    settings = {_RATE: rate, _VOLUME: volume, _PITCH: pitch, _RANGE: range, _WORDGAP: word_gap}
    with _one_at_a_time, _fresh_library() as (library, data):
        samples, sample_rate = _say(library, data, text, voice, settings)
    if not samples.any():
        raise XlserError(f"eSpeak NG's voice {voice!r} has nothing to say for {text!r}. Is it in the voice's language?")
    return samples, sample_rate


def _check(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise XlserError(f"`{name}` must be between {low} and {high}, but is {value} instead.")


def _say(library: ctypes.CDLL, data: Path, text: str, voice: str, settings: dict) -> tuple[np.ndarray, int]:
    chunks: list[bytes] = []

    @_Callback
    def collect(samples: int | None, count: int, _events: int | None) -> int:
        if samples and count:
            chunks.append(ctypes.string_at(samples, 2 * count))
        return 0

    with _initialised(library, data) as sample_rate:
        library.espeak_SetSynthCallback(collect)
        _set_voice(library, data, voice)
        for parameter, value in settings.items():
            library.espeak_SetParameter(parameter, int(value), 0)
        raw = text.encode() + b"\0"
        library.espeak_Synth(raw, ctypes.c_size_t(len(raw)), 0, 1, 0, _CHARS_UTF8, None, None)
        library.espeak_Synchronize()
    return np.frombuffer(b"".join(chunks), dtype=np.int16), sample_rate


@contextmanager
def _initialised(library: ctypes.CDLL, data: Path) -> Iterator[int]:
    """Start the library and yield its sample rate; end it before it is unloaded, for it may have a thread running."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        sample_rate = library.espeak_Initialize(_SYNCHRONOUS, 0, os.fsencode(data), _DONT_EXIT)
        if sample_rate <= 0:
            raise XlserError(f"eSpeak NG cannot read its data in {data}. {_REINSTALL}")
        # Initialising seeds the C library's rand with the clock.
        library.espeak_ng_SetRandSeed(ctypes.c_long(1))
        try:
            yield sample_rate
        finally:
            library.espeak_Terminate()
    finally:
        # eSpeak NG sets the locale of the whole process.
        locale.setlocale(locale.LC_CTYPE, before)


def _set_voice(library: ctypes.CDLL, data: Path, voice: str) -> None:
    language, plus, variant = voice.partition("+")
    # eSpeak NG passes over a variant that it does not know.
    variants = [path.name for path in (data / "voices" / "!v").iterdir()]
    if plus and variant not in variants:
        raise XlserError(
            f"eSpeak NG has no voice variant {variant!r} (of {voice!r}); {did_you_mean(variant, variants)}"
        )
    if library.espeak_SetVoiceByName(voice.encode()) != 0:
        languages = [path.name for path in (data / "lang").glob("*/*")]
        raise XlserError(f"eSpeak NG has no voice {language!r}; {did_you_mean(language, languages)}")


@contextmanager
def _fresh_library() -> Iterator[tuple[ctypes.CDLL, Path]]:
    """Yield a newly loaded library and its data folder, and unload it again."""
    try:
        import espeakng_loader

        path, data = espeakng_loader.get_library_path(), Path(espeakng_loader.get_data_path())
        library = ctypes.CDLL(path)
        if library.espeak_ng_GetSampleRate():
            # Someone else in this process uses it: a copy under another name is a library of its own.
            _unload(library)
            library = _load_copy(path)
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        raise MachineError(f"eSpeak NG cannot be loaded: {error}. {_REINSTALL}") from error
    try:
        yield library, data
    finally:
        _unload(library)


def _load_copy(path: str) -> ctypes.CDLL:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        return ctypes.CDLL(shutil.copy(path, folder))


def _unload(library: ctypes.CDLL) -> None:
    close = _ctypes.FreeLibrary if sys.platform == "win32" else _ctypes.dlclose
    close(library._handle)

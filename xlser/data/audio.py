"""Reading audio: whatever soundfile opens, mixed to mono, resampled once, faults named."""

from __future__ import annotations

import hashlib
import re
from codecs import getincrementaldecoder
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from xlser.errors import CorpusError
from xlser.machine import is_of_a_file, loading, machine_error

# 16-bit recordings of a working microphone never stay below this: it is one step of their scale.
SILENCE_PEAK = 2.0**-15
# soxr's own default, and librosa's: 20 bits, which is below the noise of a 16-bit recording.
QUALITY = "HQ"


class AudioFault(CorpusError):
    """One recording that cannot be used; its text says why."""


class PassingFault(AudioFault):
    """A recording that cannot be opened as things are: gone, or not permitted. Nothing about it may be remembered."""


@dataclass(frozen=True)
class AudioInfo:
    """What a header says: ``duration`` in seconds, ``sample_rate`` in Hz."""

    sample_rate: int
    channels: int
    duration: float


def probe(path: str | Path) -> AudioInfo:
    """Read the header of an audio file, not its samples.

    Raises:
        AudioFault: not audio that soundfile knows (a text named .wav), no samples, or fewer than the header promises.
    """
    with loading("soundfile"):
        import soundfile

    try:
        info = soundfile.info(str(path), verbose=True)
    except (soundfile.SoundFileError, OSError) as error:
        raise opening_fault(Path(path), error) from error
    if info.frames <= 0:
        raise AudioFault("zero length: the header is there, but no samples")
    there, promised = _sizes(info.extra_info)
    if there < promised:
        raise AudioFault(f"truncated: the header promises {promised:,} bytes of samples, but {there:,} are there")
    return AudioInfo(info.samplerate, info.channels, info.frames / info.samplerate)


def read_mono(path: str | Path, rate: int, start: float = 0.0, end: float | None = None) -> np.ndarray:
    """Return one recording as float32 samples at ``rate`` Hz, shape (samples,); full scale is 1.

    Channels are averaged. ``start`` and ``end`` are seconds; ``end`` None is the end of the file.

    Raises:
        AudioFault: the file cannot be decoded to its end, is silent (peak below one 16-bit step), holds NaN, or ends
            before ``start``.
    """
    with loading("soundfile"):
        import soundfile

    try:
        with soundfile.SoundFile(str(path)) as sound:
            own_rate, first = sound.samplerate, round(start * sound.samplerate)
            sound.seek(min(first, sound.frames))
            count = -1 if end is None else max(0, round(end * own_rate) - first)
            samples = sound.read(count, dtype="float32", always_2d=True).mean(axis=1)
    except (soundfile.SoundFileError, OSError) as error:
        raise opening_fault(Path(path), error) from error
    except MemoryError as error:
        if sound.frames > 64 * Path(path).stat().st_size:
            raise AudioFault(f"the header promises {sound.frames:,} samples, far more than the file holds") from error
        raise machine_error(error, f"reading {path}") from error
    return resample(_checked(samples), own_rate, rate)


def resample(samples: np.ndarray, rate: int, to: int) -> np.ndarray:
    """Return float32 ``samples`` (shape (N,)) at ``to`` Hz, by soxr; unchanged if they are.

    The result has `resampled_length` samples. Near full scale the filter may overshoot: values beyond [-1, 1] are
    right, and whoever hands them to something that wraps round limits them first.

    >>> resample(np.zeros(44_100, np.float32), 44_100, 16_000).shape
    (16000,)
    """
    if rate == to:
        return samples
    with loading("soxr"):
        import soxr

    return soxr.resample(samples, rate, to, quality=QUALITY)


def resampled_length(samples: int, rate: int, to: int) -> int:
    """Return how many samples soxr makes of so many: to the nearest, halves up.

    >>> resampled_length(16_000, 9, 10), resampled_length(1, 44_100, 16_000)
    (17778, 0)
    """
    return (2 * samples * to + rate) // (2 * rate)


def resampler_identity() -> dict[str, str]:
    """Return what resampled samples depend on besides the recording: the resampler's part of every cache key."""
    return {"resampler": "soxr", "version": version("soxr"), "quality": QUALITY}


def content_hash(path: str | Path, start: float = 0.0, end: float | None = None) -> str:
    """Return the SHA-256 of the file's bytes, with the segment's bounds where there are any."""
    digest = hashlib.sha256(Path(path).read_bytes())
    if start or end is not None:
        digest.update(f"|{start!r}|{end!r}".encode())
    return digest.hexdigest()


def _checked(samples: np.ndarray) -> np.ndarray:
    if samples.size == 0:
        raise AudioFault("zero length: no samples in this part of the file")
    if not np.isfinite(samples).all():
        raise AudioFault("NaN or infinite samples")
    peak = float(np.abs(samples).max())
    if peak < SILENCE_PEAK:
        raise AudioFault(f"silent: the loudest sample is {peak:.1e}")
    return samples


def _sizes(log: str) -> tuple[int, int]:
    """Return the bytes of samples that are there and that a WAV, AIFF or AU header promises, from libsndfile's log."""
    found = re.search(r"^ *(?:data|SSND|Data Size) +: (\d+) \(should be (\d+)\)", log, re.MULTILINE)
    promised, there = (int(n) for n in found.groups()) if found else (0, 0)
    # Tools that write to a pipe leave 0xFFFFFFFF (SoX: 0x7FFFF000) as "unknown": such files are whole.
    return there, promised if promised < 0x7FFFF000 else 0


def opening_fault(path: Path, error: Exception) -> AudioFault:
    """Return what is wrong with a recording that soundfile did not open or read.

    soundfile says "System error" for whatever the system said, so that the file is opened once more to hear it.

    Raises:
        MachineError: what is wrong is not the recording's.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(64)
            while file.read(2**20):  # a disk may fail anywhere in it
                pass
    except FileNotFoundError:
        return PassingFault("the file is gone")
    except (OSError, MemoryError) as problem:
        if is_of_a_file(problem):
            return PassingFault(f"cannot be read: {problem.strerror}")
        raise machine_error(problem, f"reading {path}") from problem
    reason = str(error).rsplit(": ", 1)[-1].rstrip(".")
    if not (isinstance(error, RuntimeError) or is_of_a_file(error)):
        raise machine_error(error, f"reading {path}") from error
    if reason == "System error" and not _fails_again(path):
        raise machine_error(error, f"reading {path}") from error  # it passed: too many open files, for one
    if size == 0:
        return AudioFault("zero length: an empty file")
    looks = "text named as audio" if _is_text(head) else "not audio that can be decoded, or cut short"
    return AudioFault(f"{looks} ({size} bytes; {reason})")


def _fails_again(path: Path) -> bool:
    import soundfile

    try:
        soundfile.info(str(path))
    except soundfile.SoundFileError:
        return True
    return False


def _is_text(head: bytes) -> bool:
    try:
        text = getincrementaldecoder("utf-8")().decode(head)  # the last letter may be cut in two
    except UnicodeDecodeError:
        return False
    return all(letter.isprintable() or letter.isspace() for letter in text) and not text.startswith(("RIFF", "fLaC"))

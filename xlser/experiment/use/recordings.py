"""Recordings of any length, in windows: a long one is never held whole."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from xlser.corpora.globbing import AUDIO_SUFFIXES, walk
from xlser.data.audio import QUALITY, SILENCE_PEAK, AudioFault, opening_fault, probe, resample, resampled_length
from xlser.data.spans import windows
from xlser.errors import CorpusError
from xlser.features.extract import check_length
from xlser.machine import loading, pass_on_machine

LISTS = (".csv", ".lst", ".tsv", ".txt")
COLUMNS = ("path", "file", "filename")


def find_recordings(source: str | Path) -> list[Path]:
    """Return the recordings that are meant by a file, a folder or a list.

    A folder gives all that looks like audio below it, sorted. A list is a text with a path a line, or a .csv or .tsv
    with a column ``path`` (or ``file``, ``filename``); a path that is not absolute starts from the list's folder, or
    else from the current one. Whether a single file or a listed one is there is told when it is read.

    Raises:
        CorpusError: nothing is there, a folder without audio, or a list without paths.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("b.wav", "a.FLAC", "notes.md"):
    ...     (folder / name).touch()
    >>> [path.name for path in find_recordings(folder)]
    ['a.FLAC', 'b.wav']
    """
    source = Path(source).expanduser()
    if source.is_dir():
        found = [source / name for name in walk(source) if Path(name).suffix.lower() in AUDIO_SUFFIXES]
        what = f"an audio file ({', '.join(sorted(AUDIO_SUFFIXES))})"
    elif not source.exists():
        raise CorpusError(f"{source} does not exist. Give a recording, a folder of them, or a list of paths.")
    elif source.suffix.lower() not in LISTS:
        return [source]
    else:
        found, what = [_placed(name, source.parent) for name in _listed(source)], "a path"
    if not found:
        raise CorpusError(f"{source} must hold at least {what}, but holds none.")
    return found


def recorded_windows(path: str | Path, rate: int, longest: int, shortest: float) -> Iterator[np.ndarray]:
    """Yield the samples of one recording, float32 mono at ``rate`` Hz, in the fewest windows of equal length.

    A window is read when it is asked for: memory does not grow with the length of the file. Resampling windows gives
    what resampling the whole gives.

    Args:
        path: whatever soundfile opens.
        rate: in Hz.
        longest: samples of a window at most.
        shortest: samples that the whole must have.

    Raises:
        AudioFault: the file cannot be decoded to its end, is too short, silent (peak below one 16-bit step), or holds
            NaN. Silence is known at the end only.
    """
    with loading("soundfile"):
        import soundfile

    probe(path)
    try:
        with soundfile.SoundFile(str(path)) as sound:
            yield from checked(_blocks(sound, rate, longest, shortest))
    except (soundfile.SoundFileError, OSError) as error:
        raise opening_fault(Path(path), error) from error


def array_windows(samples: Any, given: int, rate: int, longest: int, shortest: float) -> Iterator[np.ndarray]:
    """Yield samples (S,) at ``given`` Hz, between -1 and 1, as `recorded_windows` would yield a file of them.

    Raises:
        ValueError: not one-dimensional floating point. AudioFault: as `recorded_windows`.
    """
    samples = np.asarray(samples)
    if samples.ndim != 1 or samples.dtype.kind != "f":
        raise ValueError(
            f"`audio` must be a path, or floating point samples of shape (S,) between -1 and 1, but is {samples.dtype} "
            f"of shape {samples.shape} instead."
        )
    samples = resample(np.ascontiguousarray(samples, dtype=np.float32), given, rate)
    check_length(len(samples), shortest, rate)
    return checked(samples[span.start : span.stop] for span in windows(0, len(samples), longest))


def checked(pieces: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Pass pieces of a recording on, and see that they are numbers and not all silence.

    Raises:
        AudioFault: NaN or infinite samples, at that piece; silence, after the last one.
    """
    peak = 0.0
    for piece in pieces:
        if not np.isfinite(piece).all():
            raise AudioFault("NaN or infinite samples")
        peak = max(peak, float(np.abs(piece).max(initial=0)))
        yield piece
    if peak < SILENCE_PEAK:
        raise AudioFault(f"silent: the loudest sample is {peak:.1e}")


def _blocks(sound: Any, rate: int, longest: int, shortest: float) -> Iterator[np.ndarray]:
    total = resampled_length(sound.frames, sound.samplerate, rate)
    check_length(total, shortest, rate)
    pieces, held = _resampled(sound, rate), np.empty(0, dtype=np.float32)
    for span in windows(0, total, longest):
        wanted = span.stop - span.start
        while len(held) < wanted and (piece := next(pieces, None)) is not None:
            held = np.concatenate([held, piece])
        yield held[:wanted]
        held = held[wanted:]


def _resampled(sound: Any, rate: int) -> Iterator[np.ndarray]:
    """Yield a recording at ``rate`` Hz, a second at a time, by a filter that remembers what went before."""
    with loading("soxr"):
        import soxr

    own = sound.samplerate
    stream = soxr.ResampleStream(own, rate, 1, dtype="float32", quality=QUALITY) if own != rate else None
    for start in range(0, sound.frames, own):
        stop = min(sound.frames, start + own)
        samples = _read(sound, start, stop)
        yield stream.resample_chunk(samples, last=stop == sound.frames) if stream else samples


def _read(sound: Any, start: int, stop: int) -> np.ndarray:
    if sound.tell() != start:
        sound.seek(start)
    samples = sound.read(stop - start, dtype="float32", always_2d=True).mean(axis=1)
    # Compressed formats may promise a few samples more than there are.
    if len(samples) < stop - start - sound.samplerate // 10 or not len(samples):
        there, promised = (start + len(samples)) / sound.samplerate, sound.frames / sound.samplerate
        raise AudioFault(f"cut short: the header promises {promised:.1f} s, but only {there:.1f} s can be decoded")
    return samples


def _listed(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        pass_on_machine(error, f"reading the list {path}")
        raise CorpusError(f"cannot read the list {path}: {error}. Write it as UTF-8 text.") from error
    lines = [line for line in text.splitlines() if line.strip()]
    if path.suffix.lower() not in (".csv", ".tsv"):
        return [line.strip() for line in lines]
    rows = csv.DictReader(lines, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
    column = next((name for name in COLUMNS if name in (rows.fieldnames or ())), None)
    if column is None:
        has = ", ".join(rows.fieldnames or ["none"])
        raise CorpusError(f"{path} must have a column {' or '.join(COLUMNS)}, but has {has} instead.")
    return [row[column] for row in rows if row[column]]


def _placed(name: str, folder: Path) -> Path:
    path = Path(name).expanduser()
    return folder / path if not path.is_absolute() and (folder / path).exists() else path

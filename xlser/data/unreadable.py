"""Why a recording cannot be used: said of the recording, or of the machine where it is the machine's fault."""

from __future__ import annotations

import errno
from codecs import getincrementaldecoder
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

from xlser.errors import CorpusError, MachineError
from xlser.machine import is_of_a_file, machine_error

INSTALL = 'pip install "xlser[media]"'
CONVERT = "ffmpeg -i {name} -vn {stem}.wav"
# What soundfile does not open and PyAV does, by the first bytes: where they stand, what they are, what to call them.
_MEDIA = (
    (4, b"ftyp", "an MP4 file (m4a, mp4, mov, 3gp)"),
    (0, b"\x1aE\xdf\xa3", "a Matroska or WebM file"),
    (0, b"0&\xb2u\x8ef\xcf\x11", "a Windows Media file (wma, wmv, asf)"),
    (0, b"#!AMR", "an AMR file"),
    (8, b"AVI ", "an AVI file"),
    (0, b"FLV\x01", "a Flash video"),
    (0, b".RMF", "a RealMedia file"),
    (0, b"ADIF", "an AAC file"),
    (0, b"\xff\xf1", "an AAC file"),
    (0, b"\xff\xf9", "an AAC file"),
    (0, b"\x0b\x77", "an AC-3 file"),
    (0, b"\x00\x00\x01\xba", "an MPEG film"),
    (0, b"MAC ", "a Monkey's Audio file"),
    (0, b"wvpk", "a WavPack file"),
    (0, b"TTA1", "a True Audio file"),
    (0, b"caff", "a CAF file whose codec libsndfile does not know"),
    (0, b"RIFF", "a WAV file whose codec libsndfile does not know"),
)
# The slowest and the fastest sample rate that recordings of sound have, in Hz.
RATES = (1_000, 1_000_000)
# The largest arrays of microphones that are sold; a block of more channels fills the memory.
LARGEST_ARRAY = 256
_HEADERLESS = (".raw", ".pcm", ".vox", ".sln")


class AudioFault(CorpusError):
    """One recording that cannot be used; its text says why."""


class PassingFault(AudioFault):
    """A recording that cannot be opened as things are: gone, not permitted, or of a format that a library that is not
    installed reads. Nothing about it may be remembered."""


class Silence(AudioFault):
    """A recording, or a part of one, in which nothing sounds."""


@contextmanager
def reading(source: Path | BinaryIO) -> Iterator[None]:
    """Make a fault of this recording of whatever a library raises within, unless it is the machine's.

    Raises:
        AudioFault, MachineError: see `opening_fault`.
    """
    try:
        yield
    except (AudioFault, MachineError):
        raise
    except Exception as error:  # libraries raise exceptions of every kind at files that they did not expect
        raise opening_fault(source, error) from error


def opening_fault(source: Path | BinaryIO, error: Exception) -> AudioFault:
    """Return what is wrong with a recording that was not opened or read.

    soundfile says "System error" for whatever the system said, so that the file is opened once more to hear it.

    Raises:
        MachineError: what is wrong is not the recording's.
    """
    doing = f"reading {name_of(source)}"
    try:
        size, head = _looked_at(source)
    except FileNotFoundError:
        return PassingFault("the file is gone")
    except ValueError as problem:
        return AudioFault(f"no file can have that name ({problem})")
    except (OSError, MemoryError) as problem:
        if is_of_a_file(problem):
            return PassingFault(f"cannot be read: {getattr(problem, 'strerror', problem)}")
        raise machine_error(problem, doing) from problem
    reason = str(error).rsplit(": ", 1)[-1].rstrip(".") or type(error).__name__
    if isinstance(error, MemoryError) and _is_of_media(error):  # it is asked for by a header that is damaged
        return PassingFault("not audio that can be decoded, or cut short: it asks for more memory than there is")
    if _is_of_machine(error):
        raise machine_error(error, doing) from error
    if reason == "System error" and not _fails_again(source):
        raise machine_error(error, doing) from error  # it passed: too many open files, for one
    return _fault(source, size, head, reason)


def check_header(rate: int, channels: int) -> None:
    """See that what a header says of a recording can be: its sample rate in Hz, and its count of channels.

    Raises:
        AudioFault: it cannot; a header that is wrong would make hours of a second.
    """
    low, high = RATES
    if not low <= rate <= high:
        raise AudioFault(f"a sample rate of {rate:,} Hz: sound has {low:,} to {high:,}. Correct its header")
    if channels > LARGEST_ARRAY:
        raise AudioFault(f"{channels:,} channels: a recording has {LARGEST_ARRAY} at most. Correct its header")


def name_of(source: object) -> str:
    """Return what a recording is called: its path, or a file object's own name where it has one."""
    name = source if isinstance(source, Path) else getattr(source, "name", None)
    return str(name) if isinstance(name, (str, Path)) else "samples"


def _fault(source: Path | BinaryIO, size: int, head: bytes, reason: str) -> AudioFault:
    if size == 0:
        return AudioFault("zero length: an empty file")
    path = Path(name_of(source))
    convert = CONVERT.format(name=path.name, stem=path.stem)
    if head.startswith(b"NIST_1A") and b"shorten" in head:
        return _needs_media("a NIST SPHERE file that is compressed by shorten", f"sph2pipe -f wav {path.name} out.wav")
    kind = media_kind(head)
    if kind and len(head) > 64 and not find_spec("av"):
        return _needs_media(kind, convert)
    if is_headerless(source) and not kind:
        return AudioFault(
            f"samples without a header ({size} bytes): nothing in it says its rate, its width or its channels. Convert "
            f"it by what you know of it, such as ffmpeg -f s16le -ar 16000 -ac 1 -i {path.name} {path.stem}.wav"
        )
    looks = "text named as audio" if is_text(head[:64]) else "not audio that can be decoded, or cut short"
    return AudioFault(f"{looks} ({size} bytes; {reason})")


def media_kind(head: bytes) -> str | None:
    """Return what a file is that PyAV reads and soundfile does not, by its first bytes; None for anything else."""
    return next((kind for place, magic, kind in _MEDIA if head[place:].startswith(magic)), None)


def is_headerless(source: object) -> bool:
    """Say whether a file is by its name one of samples alone."""
    return Path(name_of(source)).suffix.lower() in _HEADERLESS


def _needs_media(kind: str, convert: str) -> AudioFault:
    if find_spec("av"):
        return AudioFault(f"{kind}, which cannot be decoded. Convert it: {convert}")
    return PassingFault(f"{kind}, which PyAV reads: {INSTALL}. Or convert it: {convert}")


def _is_of_machine(error: Exception) -> bool:
    if isinstance(error, (MemoryError, ImportError)):
        return True
    # A place that there is not, which a damaged header may name, is an invalid argument to the system.
    nowhere = isinstance(error, OSError) and error.errno == errno.EINVAL
    return isinstance(error, OSError) and not (_is_of_media(error) or nowhere) and not is_of_a_file(error)


def _is_of_media(error: Exception) -> bool:
    """Say whether an exception is PyAV's: they are kinds of OSError and MemoryError, but speak of what is in a file."""
    return type(error).__module__.startswith("av.")


def _looked_at(source: Path | BinaryIO) -> tuple[int, bytes]:
    """Return size and first bytes of a file; all of it is read, since a disk may fail anywhere in it."""
    if not isinstance(source, Path):
        source.seek(0)
        head = source.read(1024)
        return source.seek(0, 2), head
    with source.open("rb") as file:
        head, size = file.read(1024), source.stat().st_size
        while file.read(2**20):
            pass
    return size, head


def _fails_again(source: Path | BinaryIO) -> bool:
    import soundfile

    try:
        soundfile.info(str(source) if isinstance(source, Path) else source)
    except soundfile.SoundFileError:
        return True
    return False


def is_text(head: bytes) -> bool:
    """Say whether the first bytes of a file are text."""
    try:
        text = getincrementaldecoder("utf-8")().decode(head)  # the last letter may be cut in two
    except UnicodeDecodeError:
        return False
    return all(letter.isprintable() or letter.isspace() for letter in text) and not text.startswith(("RIFF", "fLaC"))

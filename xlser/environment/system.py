"""The machine itself: Python, cores, memory, disk, folders, accelerator, network."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from xlser.cachefolder import cache_folder
from xlser.environment.check import Check, Status
from xlser.version import __version__

GIB = 2**30
# Below these, a run over a corpus of some thousand clips is likely to end early.
_MEMORY, _DISK = 2 * GIB, 2 * GIB
_COUNTED = 200_000  # files of the cache whose sizes are added up


def check_system() -> Iterator[Check]:
    """Yield a check for everything that is not a library."""
    yield _python()
    yield Check("xlser", "ok", f"{__version__} from {Path(__file__).parents[1]}")
    yield Check(
        "platform", "ok", f"{platform.system()} {platform.machine()}, {' '.join(platform.libc_ver()) or 'no glibc'}"
    )
    yield Check("cores", "ok", f"{_cores()} of {os.cpu_count()} usable by this process")
    yield _memory()
    for name, folder in (("disk here", Path.cwd()), ("disk of the cache", _nearest(cache_folder()))):
        yield _disk(name, folder)
    yield from _folders()
    yield _cache()
    yield _ffmpeg()
    yield _hub()


def _python() -> Check:
    said = f"{platform.python_version()} ({sys.executable})"
    if (3, 10) <= sys.version_info[:2] <= (3, 13):
        return Check("python", "ok", said)
    return Check("python", "fail", f"{said}; xlser needs 3.10 to 3.13", "Choose another one: make PYTHON=python3.12")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory() -> Check:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _number(Path("/sys/fs/cgroup/memory.max"))  # a container may have less than the machine
    total = min(total, limit) if limit else total
    said = f"{total / GIB:.1f} GiB"
    free = _available()
    if free is not None:
        said += f", {free / GIB:.1f} GiB of the machine's available"
    if total < _MEMORY or (free is not None and free < _MEMORY):
        return Check("memory", "warn", said, "Close other programs; training wants 2 GiB and more")
    return Check("memory", "ok", said)


def _available() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")), None)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):  # no such control group, or "max"
        return None


def _disk(name: str, folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    said = f"{free / GIB:.1f} GiB free ({folder})"
    return Check(name, "ok", said) if free >= _DISK else Check(name, "warn", said, "Free some space, or work elsewhere")


def _folders() -> Iterator[Check]:
    cache = cache_folder()
    yield _writable("cache folder", cache, "Name another one: XLSER_CACHE=DIR, or --cache DIR", "fail")
    yield _writable("this folder", Path.cwd(), "Runs go to ./runs unless --out names another folder", "warn")
    yield _writable("temporary folder", _temporary(), "Name another one: TMPDIR=DIR", "fail")


def _temporary() -> Path:
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:  # it has tried to write to all that come into question
        return Path(os.environ.get("TMPDIR") or "/tmp")


def _writable(name: str, folder: Path, remedy: str, status: Status) -> Check:
    where = _nearest(folder)
    try:
        if not where.is_dir():
            raise NotADirectoryError(f"{where} is no folder")
        with tempfile.TemporaryFile(dir=where):
            pass
    except OSError as error:
        return Check(name, status, f"{folder} cannot be written: {error.strerror or error}", remedy)
    return Check(name, "ok", f"{folder} can be written")


def _nearest(folder: Path) -> Path:
    """Return the folder, or the first above it that is there."""
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())


def _cache() -> Check:
    size = count = 0
    for folder, _, names in os.walk(cache_folder()):
        for name in names:
            count += 1
            size += _size(os.path.join(folder, name))
        if count > _COUNTED:
            return Check("cache", "ok", f"more than {size / GIB:.1f} GiB in more than {count:,} files")
    return Check("cache", "ok", f"{size / GIB:.2f} GiB in {count:,} files; what is in it can be made again")


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _ffmpeg() -> Check:
    found = shutil.which("ffmpeg")
    if found:
        return Check("ffmpeg", "ok", found)
    return Check(
        "ffmpeg", "warn", 'not found, and not needed: m4a, mp4 and wma are read by PyAV (pip install "xlser[media]")'
    )


def _hub() -> Check:
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return Check(
            "model hub", "ok", "offline by choice (HF_HUB_OFFLINE): checkpoints come from folders or the cache"
        )
    return _reached(constants.ENDPOINT)


def _reached(address: str, get: Callable[..., object] | None = None) -> Check:
    import requests

    try:
        (get or requests.head)(address, timeout=3)
    except requests.RequestException as error:
        remedy = "Checkpoints then come from a folder or the cache; set HTTPS_PROXY where there is a proxy"
        return Check("model hub", "warn", f"cannot be reached ({type(error).__name__})", remedy)
    return Check("model hub", "ok", "can be reached")


def check_accelerator() -> Check:
    """Return which accelerator torch sees; none is needed."""
    try:
        import torch

        count = torch.cuda.device_count()
        names = [torch.cuda.get_device_name(number) for number in range(count)]
    except Exception as error:  # a driver that does not fit is no reason not to use the processor
        return Check("accelerator", "warn", f"cannot be asked for: {type(error).__name__}: {error}")
    return Check("accelerator", "ok", ", ".join(names) or "none; xlser runs on the processor")

"""Unpacking archives that strangers made: nothing leaves the folder, nothing fills the disk."""

from __future__ import annotations

import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from xlser.corpora.archive_bounds import bounded_headers, check_directory, shown
from xlser.errors import CorpusError
from xlser.machine import pass_on_machine

# Recorded speech shrinks to a half or a third; silence and text by no more than this.
MAX_RATIO = 100
# Below this much nobody's disk is in danger, whatever the ratio.
HARMLESS = 64 * 2**20
_BLOCK = 2**20
# Longer paths and deeper folders cannot be made, or not be removed again.
_LONGEST, _DEEPEST = 1_000, 64
_BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError, RuntimeError, UnicodeError)


class _Member(NamedTuple):
    name: str
    size: int
    kind: str  # file, folder, link, or other
    content: IO[bytes] | None


def is_archive(path: str | Path) -> bool:
    """Tell whether a file is a zip or a tar archive (plain or compressed), by its content."""
    if zipfile.is_zipfile(path):
        return True
    try:
        with tarfile.open(path, tarinfo=bounded_headers(Path(path))):
            return True
    except tarfile.TarError:
        return False
    except CorpusError:  # one that is refused is one
        return True


def unpack(archive: str | Path, folder: str | Path) -> int:
    """Unpack a zip or tar archive into ``folder``, which must exist, and return the number of files.

    Files get plain rights, and no file that is there is written over. What was unpacked before an error stays: unpack
    into a folder that can be thrown away.

    Raises:
        CorpusError: a member with an absolute path or ``..`` or a very long one; a link, a device or a file with holes;
            two members of one name, that share bytes, or one that is there already; more members or longer headers than
            an archive of its size can need (see `xlser.corpora.archive_bounds`); more bytes than `MAX_RATIO` times the
            archive (from `HARMLESS` on) or than the disk has left; or an archive that is damaged or encrypted.
    """
    archive, folder = Path(archive), Path(folder)
    room, count = _room(archive, folder), 0
    try:
        for member in _members(archive):
            target = folder / _safe(member, archive)
            room -= member.size
            if room < 0:
                raise CorpusError(_too_large(archive, folder))
            if member.content is None:
                target.mkdir(parents=True, exist_ok=True)
            else:
                _write(member, target, archive)
                count += 1
    except _BROKEN as error:
        raise CorpusError(f"cannot unpack {archive}: it is damaged or encrypted ({error})") from error
    except OSError as error:
        pass_on_machine(error, f"unpacking {archive} into {folder}")
        if error.errno is None:  # gzip and bz2 say so of bytes that are not theirs
            raise CorpusError(f"cannot unpack {archive}: it is damaged ({error})") from error
        raise CorpusError(f"cannot unpack {archive} into {folder}: {error.strerror or error}") from error
    return count


def _room(archive: Path, folder: Path) -> int:
    by_ratio = max(HARMLESS, MAX_RATIO * archive.stat().st_size)
    return min(by_ratio, shutil.disk_usage(folder).free)


def _members(archive: Path) -> Iterator[_Member]:
    return _zip_members(archive) if zipfile.is_zipfile(archive) else _tar_members(archive)


def _zip_members(archive: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as packed:
        check_directory(packed, archive)
        for info in packed.infolist():
            if stat.S_ISLNK(info.external_attr >> 16):
                yield _Member(info.filename, 0, "link", None)
            elif info.is_dir():
                yield _Member(info.filename, 0, "folder", None)
            else:
                with packed.open(info) as content:
                    yield _Member(info.filename, info.file_size, "file", content)


def _tar_members(archive: Path) -> Iterator[_Member]:
    # As a stream: a bomb is refused at the member that is too large, before it is blown up.
    with tarfile.open(archive, "r|*", tarinfo=bounded_headers(archive)) as packed:
        for info in packed:
            if info.isreg():
                yield _Member(info.name, info.size, "file", packed.extractfile(info))
            else:
                kind = "folder" if info.isdir() else "link" if info.issym() or info.islnk() else "other"
                yield _Member(info.name, 0, kind, None)


def _safe(member: _Member, archive: Path) -> str:
    if member.kind not in {"file", "folder"}:
        what = "a link" if member.kind == "link" else "neither file nor folder"
        raise CorpusError(_refused(archive, member.name, what))
    name = member.name.replace("\\", "/")
    parts = name.split("/")
    if name.startswith("/") or parts[0].endswith(":") or ".." in parts or "\0" in name:
        raise CorpusError(_refused(archive, member.name, "a path that leads out of the folder"))
    if len(name) > _LONGEST or len(parts) > _DEEPEST:
        why = f"a path of {len(name):,} letters and {len(parts):,} folders, more than {_LONGEST:,} or {_DEEPEST}"
        raise CorpusError(_refused(archive, member.name, why))
    return "/".join(part for part in parts if part not in {"", "."})


def _write(member: _Member, target: Path, archive: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    left = member.size
    try:
        with target.open("xb") as file:
            while block := member.content.read(_BLOCK):
                left -= len(block)
                if left < 0:
                    raise CorpusError(_refused(archive, member.name, "longer than the archive says"))
                file.write(block)
    except FileExistsError:
        raise CorpusError(_refused(archive, member.name, "in the folder already")) from None


def _refused(archive: Path, name: str, why: str) -> str:
    return f"archive {archive} is not unpacked: its member {shown(name)} is {why}. Nothing of it was kept."


def _too_large(archive: Path, folder: Path) -> str:
    size, free = archive.stat().st_size, shutil.disk_usage(folder).free
    return (
        f"archive {archive} is not unpacked: it grows from {size:,} bytes to more than {MAX_RATIO} times as much, or "
        f"than the {free:,} bytes free in {folder}. Nothing of it was kept."
    )

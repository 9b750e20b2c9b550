"""What an archive may cost before anything of it is unpacked: the headers of its members, their number, their place."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

from xlser.errors import CorpusError

# A path of one of Linux's longest is 4,096 bytes; what else stands in such a header is a line or two.
LONGEST_HEADER = 2**16
# Headers in a row that are about one member: a long name, a long link, a table of extras or two.
_IN_A_ROW = 8
# A label of one line takes more than this; below so many members nobody's memory is in danger.
_BYTES_A_MEMBER, _FEW = 50, 20_000
_ABOUT = (
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
)


def most_members(archive: Path) -> int:
    """Return how many members an archive of its size may have."""
    return max(_FEW, archive.stat().st_size // _BYTES_A_MEMBER)


def bounded_headers(archive: Path) -> type[tarfile.TarInfo]:
    """Return the class by which one tar archive is read: it refuses a header before its bytes are read.

    Raises (its methods):
        CorpusError: a header longer than `LONGEST_HEADER`, too many in a row or in all, or of a file with holes.
    """

    class Header(tarfile.TarInfo):
        count = in_a_row = 0
        most = most_members(archive)

        @classmethod
        def frombuf(cls, buf: bytes, encoding: str, errors: str) -> tarfile.TarInfo:  # type: ignore[override]
            made = super().frombuf(buf, encoding, errors)
            cls._check(made)
            return made

        @classmethod
        def _check(cls, made: tarfile.TarInfo) -> None:
            if made.type == tarfile.GNUTYPE_SPARSE:
                raise CorpusError(_holes(archive))
            is_about = made.type in _ABOUT
            cls.in_a_row = cls.in_a_row + 1 if is_about else 0
            cls.count += not is_about
            if is_about and made.size > LONGEST_HEADER:
                raise CorpusError(_long_header(archive, made.size))
            if cls.in_a_row > _IN_A_ROW:
                raise CorpusError(_refused(archive, f"more than {_IN_A_ROW} headers stand in a row before one member"))
            if cls.count > cls.most:
                raise CorpusError(_many(archive, cls.most))

        # The hooks by which tarfile reads the three kinds of maps of holes that are older than POSIX's.
        def _refuse_holes(self, *_: object) -> None:
            raise CorpusError(_holes(archive))

        _proc_gnusparse_00 = _proc_gnusparse_01 = _proc_gnusparse_10 = _refuse_holes

    return Header


def check_directory(packed: zipfile.ZipFile, archive: Path) -> None:
    """See that the members of a zip archive are not too many, and lie behind one another.

    Raises:
        CorpusError: too many, or two that share bytes, by which a small file becomes as large as one likes.
    """
    infos = packed.infolist()
    if len(infos) > (most := most_members(archive)):
        raise CorpusError(_many(archive, most))
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise CorpusError(_refused(archive, f"its member {shown(info.filename)} shares its bytes with another"))
        end = info.header_offset + 30 + info.compress_size  # of the header of a member 30 bytes are always there


def shown(name: str) -> str:
    """Return the name of a member for a message.

    >>> shown("a.wav"), len(shown("a" * 9999))
    ("'a.wav'", 104)
    """
    return repr(name) if len(name) <= 100 else f"{name[:100]!r} …"


def _refused(archive: Path, why: str) -> str:
    return f"archive {archive} is not unpacked: {why}. Nothing of it was kept."


def _holes(archive: Path) -> str:
    return _refused(archive, "one of its members is a file with holes (sparse), as no recording is")


def _long_header(archive: Path, size: int) -> str:
    return _refused(archive, f"the header of a member has {size:,} bytes, more than {LONGEST_HEADER:,}")


def _many(archive: Path, most: int) -> str:
    size = archive.stat().st_size
    return _refused(archive, f"it has more than {most:,} members, too many for its {size:,} bytes")

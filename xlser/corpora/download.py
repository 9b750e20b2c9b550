"""Downloads that go on where they stopped, checked against the checksum of their first time."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from xlser.atomic import write_text
from xlser.corpora.server_answers import EndlessError, answer_to, blocks, length_of
from xlser.errors import CorpusError
from xlser.jsonfile import read_json
from xlser.locks import holder, named_holder
from xlser.machine import pass_on_machine

CHECKSUMS = "checksums.json"


@dataclass(frozen=True)
class Remote:
    """A file on a server: its address, its name, and the checksum its publisher gives (``sha256:...``, ``md5:...``)."""

    url: str
    name: str
    checksum: str = ""

    @property
    def stored(self) -> str:
        """The name that it is stored under: safe, and unlike that of any other address.

        >>> Remote("https://example.org/1", "../My Corpus.zip").stored[9:]
        'My-Corpus.zip'
        """
        plain = re.sub(r"[^\w.-]+", "-", self.name).lstrip(".-") or "file"
        return f"{hashlib.sha256(self.url.encode()).hexdigest()[:8]}-{plain[-100:]}"


def download(remote: Remote, folder: str | Path, *, progress: bool = False) -> Path:
    """Return ``remote`` as a file in ``folder``, fetched unless it is there already.

    A download that breaks off leaves what came as ``.part``; the next call asks the server for the rest (HTTP Range,
    and only if the file there is still the same), or begins anew where the server cannot. The checksum of the first
    complete download is written to ``checksums.json`` in ``folder``, and every later use is held to it.

    Raises:
        CorpusError: a server that cannot be reached, refuses, breaks off, sends no end or next to nothing, or a length
            that is none; a checksum that differs, a disk too small, or another process that downloads the same file.
        XlserError: ``folder`` cannot be written.
    """
    import requests

    folder = Path(folder)
    part = folder / f"{remote.stored}.part"
    by_card = remote.checksum.startswith("sha256:")
    known = remote.checksum if by_card else _recorded(folder).get(remote.url, {}).get("sha256") or remote.checksum
    try:
        found = _retrieved(remote, known, part, progress)
    except requests.RequestException as error:
        raise CorpusError(_unreachable(remote.url, part, error)) from error
    except ValueError as error:
        raise CorpusError(_differs(remote.url, folder, known, known == remote.checksum)) from error
    except OSError as error:
        pass_on_machine(error, f"writing {part}")
        raise CorpusError(f"cannot write {part}: {error.strerror or error}") from error
    if remote.url not in _recorded(folder):
        _record(folder, remote.url, found)
    return found


def _retrieved(remote: Remote, known: str, part: Path, progress: bool) -> Path:
    """Return the file, downloaded unless it is there as it should be; ValueError where it does not fit ``known``."""
    path = part.with_name(remote.stored)
    if path.is_file() and _fits(path, known):
        return path
    with _locked(part) as file:
        _Resuming(part, progress).complete(remote.url, file)
        if not _fits(part, known):
            part.unlink()
            raise ValueError(remote.url)
        os.replace(part, path)
    return path


def _fits(path: Path, known: str) -> bool:
    import pooch

    return not known or pooch.hashes.hash_matches(str(path), known)


class _Resuming:
    """Continues ``part`` until it is whole."""

    def __init__(self, part: Path, progress: bool) -> None:
        self.part, self.progress = part, progress
        self._about = part.with_name(f"{part.name}.json")

    def complete(self, url: str, file: IO[bytes]) -> None:
        """Fetch what is missing in ``file``, which is ``part``, open and locked."""
        if not self._fetch(url, file):
            file.truncate(0)  # what is here is no part of what is there
            if not self._fetch(url, file):
                raise CorpusError(f"cannot download {url}: the server sends a part that nobody asked for")
        self._about.unlink(missing_ok=True)

    def _fetch(self, url: str, file: IO[bytes]) -> bool:
        """Fetch what is missing; False where the server does not know the rest of what is here."""
        import requests

        have = file.seek(0, 2)
        with answer_to(url, self._headers(have)) as answer:
            if answer.status_code == requests.codes.requested_range_not_satisfiable and have:
                return False
            answer.raise_for_status()
            begins = _range_start(answer.headers.get("Content-Range", "")) if answer.status_code == 206 else 0
            if begins not in {0, have}:
                return False
            file.truncate(begins)
            file.seek(begins)
            write_text(self._about, json.dumps({"tag": _tag(answer.headers)}))
            try:
                self._write(answer, url, file, begins)
            except EndlessError:
                file.truncate(0)
                raise
        return True

    def _headers(self, have: int) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity"}
        tag = read_json(self._about).get("tag")
        # Without a tag nobody can say that the rest belongs to the part: begin anew.
        return headers | {"Range": f"bytes={have}-", "If-Range": tag} if have and tag else headers

    def _write(self, answer: Any, url: str, file: IO[bytes], begins: int) -> None:
        from xlser.bars import tqdm

        length = length_of(answer, url)
        total = begins + length if length else None
        if total and total - begins > shutil.disk_usage(self.part.parent).free:
            raise CorpusError(f"{self.part} needs {total:,} bytes, more than the disk has left")
        bar = tqdm(total=total, initial=begins, unit="B", unit_scale=True, leave=False, disable=not self.progress)
        with bar:
            for block in blocks(answer, url, self.part.parent):
                file.write(block)
                bar.update(len(block))
        file.flush()


@contextmanager
def _locked(part: Path) -> Iterator[IO[bytes]]:
    part.parent.mkdir(parents=True, exist_ok=True)
    with part.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CorpusError(f"{holder(part)} is downloading {part}; wait until it is done") from None
        with named_holder(part):
            yield file


def _tag(headers: Any) -> str | None:
    """Return what names this state of the file: a strong ETag, or the time of its last change."""
    tag = headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else headers.get("Last-Modified")


def _range_start(text: str) -> int:
    found = re.fullmatch(r"bytes ([0-9]{1,18})-[0-9]+/.*", text)
    return int(found[1]) if found else -1


def _recorded(folder: Path) -> dict:
    return read_json(folder / CHECKSUMS)


def _record(folder: Path, url: str, path: Path) -> None:
    import pooch

    entry = {"sha256": f"sha256:{pooch.file_hash(str(path), 'sha256')}", "bytes": path.stat().st_size}
    write_text(folder / CHECKSUMS, json.dumps(_recorded(folder) | {url: entry}, indent=1, sort_keys=True))


def _unreachable(url: str, part: Path, error: Exception) -> str:
    answer = getattr(error, "response", None)
    if answer is not None:
        return f"cannot download {url}: the server says {answer.status_code} {answer.reason}. Has the corpus moved?"
    kept = f" {part.stat().st_size:,} bytes are kept: the same command goes on from there." if part.exists() else ""
    kind = "the server cannot be reached or broke off"
    return f"cannot download {url}: {kind} ({' '.join(str(error).split())[:200]}).{kept}"


def _differs(url: str, folder: Path, known: str | None, published: bool) -> str:
    source = "the published one" if published else f"the first download's, in {folder / CHECKSUMS}"
    return (
        f"the checksum of {url} differs from {source}: {known}. The file there is another one, or was changed on its "
        "way; it was not kept. If its owners say that they replaced it, correct or remove the checksum."
    )

"""The clips of the corpora that answers name: they are heard by a ticket, and none but these."""

from __future__ import annotations

import hashlib
import hmac
import io
import re
import secrets
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

from xlser.data.audio import AudioFault, read_mono
from xlser.data.channels import channel_number
from xlser.errors import CardError, CorpusError
from xlser.experiment.corpora import find_folders
from xlser.experiment.use.answer import Neighbour
from xlser.experiment.workplace import Workplace
from xlser.serve.refusal import Refused

# Seconds of a clip and its rate; tickets that are remembered; clips that are kept ready.
SECONDS, RATE = 15.0, 16_000
_TICKETS, _READY = 20_000, 64


class CorpusClips:
    """Clips below the folders of corpora. A ticket is made of an answer's neighbour, and says nothing of a path."""

    def __init__(self, place: Workplace | None) -> None:
        self._place, self._key = place, secrets.token_bytes(32)
        self._tickets: OrderedDict[str, Neighbour] = OrderedDict()
        self._folders: dict[str, Any] = {}
        self._ready: OrderedDict[str, bytes] = OrderedDict()
        self._lock, self._scanning = threading.Lock(), threading.Lock()

    @property
    def there(self) -> bool:
        """Whether it was said where corpora lie."""
        return self._place is not None

    def address(self, one: Neighbour) -> str | None:
        """Return where a neighbour's clip is heard; None where nobody said where corpora lie, or which clip it is."""
        if not self.there or not one.path:  # a model that was passed on names no recordings
            return None
        text = "\0".join((one.corpus, one.path, one.speaker, one.emotion))
        ticket = hmac.new(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]
        with self._lock:
            self._tickets[ticket] = one
            self._tickets.move_to_end(ticket)
            if len(self._tickets) > _TICKETS:
                self._tickets.popitem(last=False)
        return f"/clips/{ticket}"

    def read(self, ticket: str) -> bytes:
        """Return a clip as WAV, 16 kHz mono, `SECONDS` at most.

        Raises:
            Refused: 404, no such ticket, or the recording is not there.
        """
        with self._lock:
            one = self._tickets.get(ticket)
            if ticket in self._ready:
                return self._ready[ticket]
        if one is None:
            raise Refused(404, "There is no such clip. Clips are heard by the addresses that answers give.")
        try:
            clip = _wav(*self._found(one))
        except (AudioFault, CardError, CorpusError, OSError, ValueError) as error:
            raise Refused(404, f"The clip is not there: {one.corpus} below --data-root does not hold it.") from error
        with self._lock:
            self._ready[ticket] = clip
            if len(self._ready) > _READY:
                self._ready.popitem(last=False)
        return clip

    def _found(self, one: Neighbour) -> tuple[Path, float, float, int | None]:
        """Return file, start, end and channel of a neighbour.

        Raises:
            CorpusError: its corpus is not there, or holds no such row, or several of which nobody knows which.
        """
        manifest = self._manifest(one.corpus)
        rows = manifest.frame[manifest.frame["path"] == one.path]
        if len(rows) > 1:  # segments of one file
            speakers = (one.speaker, one.speaker.removeprefix(f"{one.corpus}/"))
            rows = rows[rows["speaker"].isin(speakers) & (rows["emotion"].fillna("") == one.emotion)]
        if len(rows) != 1:
            raise CorpusError(f"{len(rows)} recordings of {one.corpus} are {one.path}")
        row, root = rows.iloc[0], Path(manifest.root).resolve()
        path = (root / row["path"]).resolve()
        if not path.is_relative_to(root):
            raise CorpusError(f"{one.path} lies outside of its corpus")
        return path, float(row["start"]), float(row["end"]), channel_number(row.get("channel"))

    def _manifest(self, corpus: str) -> Any:
        from xlser.data.manifest import build_manifest

        if self._place is None or not re.fullmatch(r"\w[\w.-]*", corpus):  # a model may be anybody's: a name, no path
            raise CorpusError("no folder of corpora was given, or it is no corpus of a card")
        with self._scanning:
            if corpus not in self._folders:
                card, folder = find_folders(corpus, self._place)[0]
                self._folders[corpus] = build_manifest(card, folder, cache=self._place.cache)
            return self._folders[corpus]


def _wav(path: Path, start: float, end: float, channel: int | None) -> bytes:
    import soundfile

    sound = io.BytesIO()
    samples = read_mono(path, RATE, start, min(end, start + SECONDS), channel)
    soundfile.write(sound, samples, RATE, format="WAV", subtype="PCM_16")
    return sound.getvalue()

"""What part of which file each row of a manifest is: all of it, or a segment; all channels, or one."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from xlser.corpora.segments import channel_name
from xlser.data.manifest import Manifest


class Excerpt(NamedTuple):
    """A file and what of it is read: seconds from ``start`` to ``end`` (None: the end of the file), one ``channel``
    from 1 (None: the mean of all)."""

    path: Path
    start: float = 0.0
    end: float | None = None
    channel: int | None = None

    def name(self, path: str) -> str:
        """Return how it is named in messages, where ``path`` is its file's name.

        >>> Excerpt(Path("a.wav"), 1.0, 2.5, 1).name("a.wav"), Excerpt(Path("a.wav")).name("a.wav")
        ('a.wav#1.000-2.500#left', 'a.wav')
        """
        times = f"#{self.start:.3f}-{'' if self.end is None else f'{self.end:.3f}'}"
        part = times if self.start or self.end is not None else ""
        return f"{path}{part}" + (f"#{channel_name(self.channel)}" if self.channel else "")


def excerpts(manifest: Manifest) -> list[Excerpt]:
    """Return the excerpt of each row.

    A row that is its whole file has no end, so that what is kept of it is keyed by the file alone. That it is one, its
    ``file_duration`` says by being empty; of rows that share a file and a channel none is taken for it.
    """
    frame = manifest.frame
    channels = _numbers(frame, "channel")
    shared = frame.assign(channel=channels).duplicated(["path", "channel"], keep=False).to_numpy()
    begins, ends, lengths = (frame[name].to_numpy(dtype=float) for name in ("start", "end", "duration"))
    whole = (begins == 0) & (ends == lengths) & np.isnan(_numbers(frame, "file_duration")) & ~shared
    return [
        Excerpt(path, float(start), None if all_of_it else float(end), None if np.isnan(channel) else int(channel))
        for path, start, end, all_of_it, channel in zip(manifest.files(), begins, ends, whole, channels, strict=True)
    ]


def excerpt_names(manifest: Manifest) -> list[str]:
    """Return what each row is called in messages: its path, with its times and its channel where it has any."""
    return [part.name(path) for part, path in zip(excerpts(manifest), manifest.frame["path"], strict=True)]


def _numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    return frame[name].to_numpy(dtype=float) if name in frame else np.full(len(frame), np.nan)

"""How much a server takes on; every refusal names the limit that it stands on."""

from __future__ import annotations

from dataclasses import asdict, dataclass

MIB = 2**20


@dataclass(frozen=True)
class Limits:
    """Bounds of uploads and jobs.

    Attributes:
        bytes: of one upload.
        all_bytes: of all uploads that are here at once, in the temporary folder (``TMPDIR``).
        seconds: of one recording.
        channels: of one recording.
        windows: of one timeline.
        jobs: recordings that are read at once; windows go through the model in turns, one by one.
        queue: recordings that are here at once, whether they arrive, wait or are read.
        job_seconds: that reading one recording may take, from its first window.
        upload_seconds: that one upload may take; ``idle_seconds`` of them without a byte.
    """

    bytes: int = 512 * MIB
    all_bytes: int = 4096 * MIB
    seconds: float = 4 * 3600.0
    channels: int = 32
    windows: int = 50_000
    jobs: int = 4
    queue: int = 100
    job_seconds: float = 3600.0
    upload_seconds: float = 600.0
    idle_seconds: float = 30.0

    def shown(self) -> dict[str, float]:
        """Return them by name, as the page and the API show them."""
        return asdict(self)


def size(count: float) -> str:
    """Return a number of bytes in words.

    >>> size(512 * MIB), size(2_500_000_000), size(10)
    ('512 MiB', '2.33 GiB', '10 bytes')
    """
    for unit, scale in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= scale:
            return f"{count / scale:.3g} {unit}" if count < 1000 * scale else f"{count / scale:.0f} {unit}"
    return f"{count:.0f} bytes"


def duration(seconds: float) -> str:
    """Return a number of seconds in words.

    >>> duration(4 * 3600), duration(90), duration(3.5)
    ('4 h', '1.5 min', '3.5 s')
    """
    for unit, scale in (("h", 3600), ("min", 60)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds:.3g} s"

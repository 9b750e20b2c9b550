"""Who may ask: a page of another site must reach this server neither by its own name nor through its visitor."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Hosts:
    """The names under which a server answers.

    A site whose name is made to point to this machine (DNS rebinding) asks under that name, and is refused. An address
    in numbers cannot be made to point elsewhere: where the server is bound to more than loopback, all are right.
    """

    names: tuple[str, ...] = LOOPBACK
    numbers: bool = False

    @classmethod
    def of(cls, bound: str) -> Hosts:
        """Return those of a server that is bound to a host."""
        if is_loopback(bound):
            return cls((*LOOPBACK, bound.lower()))
        own = socket.gethostname().lower()
        return cls((*LOOPBACK, bound.lower(), own, own.partition(".")[0], f"{own.partition('.')[0]}.local"), True)

    def allows(self, host: str) -> bool:
        """Say whether a ``Host`` header names this server.

        >>> hosts = Hosts()
        >>> [hosts.allows(name) for name in ("localhost:8000", "127.0.0.1", "[::1]:8000", "evil.example", "")]
        [True, True, True, False, False]
        >>> everywhere = Hosts.of("0.0.0.0")
        >>> hosts.allows("10.0.0.5"), everywhere.allows("10.0.0.5:8000"), everywhere.allows("evil.example")
        (False, True, False)
        """
        try:
            parts = urlsplit(f"//{host}")
            name, _ = (parts.hostname or "").rstrip("."), parts.port
        except ValueError:
            return False
        if parts.netloc != host or "@" in host or not name:
            return False
        return name in self.names or (self.numbers and _is_number(name))

    def allows_origin(self, origin: str, host: str) -> bool:
        """Say whether a page of this ``Origin`` may post: one of this very server, under the name it was asked by.

        >>> Hosts().allows_origin("http://127.0.0.1:8000", "127.0.0.1:8000"), Hosts().allows_origin("null", "localhost")
        (True, False)
        """
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower() and self.allows(host)


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches a host.

    >>> is_loopback("localhost"), is_loopback("127.0.0.2"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True

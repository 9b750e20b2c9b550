"""A socket, the application on it, and a clean end."""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from xlser.ending import SIGNALS
from xlser.errors import XlserError
from xlser.machine import machine_error

# Seconds that answers have to end in once the server is told to.
_GRACE = 3
# Connections at once; above it, 503.
_CONNECTIONS = 512


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 for any that is free.

    Raises:
        XlserError: the port is in use, or the host is none of this machine.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(2048)
        except OSError:
            listening.close()
            raise
        return listening
    except socket.gaierror as error:
        raise XlserError(f"--host must be a name or address of this machine, but {host!r} is none it knows.") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            text = f"port {port} of {host} is in use, by another server perhaps. Give another: --port {port + 1}, or 0."
            raise XlserError(text) from error
        if error.errno == errno.EADDRNOTAVAIL:
            raise XlserError(f"--host must be an address of this machine, but {host!r} is none.") from error
        if error.errno == errno.EACCES:
            raise XlserError(f"port {port} is the administrator's. Give one above 1023: --port 8000.") from error
        raise machine_error(error, f"listening on {host}, port {port},") from error


def address(listening: socket.socket) -> str:
    """Return the address that a browser on this machine opens."""
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{host}:{port}/"


class Server(uvicorn.Server):
    """uvicorn's, which ends by SIGINT, SIGTERM and SIGHUP alike, with status 0: first what is being read is stopped."""

    def __init__(self, config: uvicorn.Config, stop: Callable[[], Any]) -> None:
        super().__init__(config)
        self._stop = stop

    def handle_exit(self, sig: int, frame: Any) -> None:
        """End, on the first signal gently, on the second at once."""
        self._stop()
        super().handle_exit(sig, frame)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take signals while it runs, and give them to nobody else at its end."""
        kinds = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
        kinds = [kind for kind in kinds if signal.getsignal(kind) != signal.SIG_IGN]  # nohup: SIGHUP stays ignored
        before = {kind: signal.signal(kind, self.handle_exit) for kind in kinds}
        try:
            yield
        finally:
            for kind, handler in before.items():
                signal.signal(kind, handler)


def serve(app: Any, listening: socket.socket) -> None:
    """Answer until a signal ends it."""
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        http="h11",
        ws="none",
        lifespan="on",
        loop="asyncio",
        proxy_headers=False,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_GRACE,
    )
    server = Server(config, app.state.desk.stop)
    asyncio.run(server.serve([listening]))

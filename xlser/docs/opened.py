"""The built site in a browser: its search needs a server, which is this machine's own and nobody else's."""

from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing of pages that are looked at."""


def local_server(folder: Path) -> tuple[ThreadingHTTPServer, str]:
    """Return a server of a folder on the loopback interface, at any free port, and its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    return server, f"http://127.0.0.1:{server.server_port}/index.html"

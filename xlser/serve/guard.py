"""Around every request: who may ask, what a browser may do with the answer, one line of log, no traceback."""

from __future__ import annotations

import asyncio
import json
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from xlser.serve.hosts import Hosts
from xlser.serve.limits import size
from xlser.serve.refusal import Refused

# Nothing of another site, nothing inline; blob: is what the page has recorded.
_CONTENT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": _CONTENT,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "microphone=(self), camera=(), geolocation=()",
    "cache-control": "no-store",
}
# How long, and how much, a body is thrown away whose request is refused: who sends first reads the answer then only.
_DRAIN_SECONDS, _DRAIN_IDLE, _DRAIN_BYTES = 60.0, 1.0, 8 * 2**30
Say = Callable[[str], Any]


class Guard:
    """ASGI middleware: `Hosts` before, `HEADERS` on top, a line to ``say`` behind. ``debug`` shows where it fell."""

    def __init__(self, app: Any, hosts: Hosts, say: Say, debug: bool = False) -> None:
        self.app, self.hosts, self.say, self.debug = app, hosts, say, debug

    async def __call__(self, scope: dict, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        call = _Call(scope, receive, send)
        try:
            check_source(self.hosts, scope)
            await self.app(scope, call.receive, call.send)
        except Refused as refused:
            await call.refuse(refused)
        except Exception as error:
            self.say(f"error: {type(error).__name__}: {printable_line(str(error))}")
            if self.debug:
                traceback.print_exception(error)
            await call.refuse(Refused(500, "Something went wrong in the server; its window says what."))
        finally:
            self.say(call.line())


def check_source(hosts: Hosts, scope: dict) -> None:
    """Refuse a request of another site.

    Raises:
        Refused: 400 or 403.
    """
    headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
    given = dict(headers)
    if sum(name == "host" for name, _ in headers) > 1 or not hosts.allows(given.get("host", "")):
        raise Refused(403, f"This server answers under {', '.join(hosts.names[:2])} alone. Open it by that address.")
    reading = scope["method"] in ("GET", "HEAD")
    if not reading and "origin" in given and not hosts.allows_origin(given["origin"], given["host"]):
        raise Refused(403, "A page of another site may not ask this server (its Origin is another one).")
    if given.get("sec-fetch-site") in ("cross-site", "same-site") and not (
        reading and given.get("sec-fetch-mode") == "navigate"
    ):
        raise Refused(403, "A page of another site may not ask this server (Sec-Fetch-Site says that it is one).")


def printable_line(text: str) -> str:
    r"""Return a text as one line without escapes that a terminal would obey.

    >>> printable_line("/a\x1b[31m\nb\u202ec")
    '/a\\x1b[31m\\nb\\u202ec'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in text)[:500]


class _Call:
    """One request: what was received of it, whether it was answered, and how."""

    def __init__(self, scope: dict, receive: Any, send: Any) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._began, self._bytes, self._status, self._ended = time.monotonic(), 0, 0, False

    async def receive(self) -> Any:
        message = await self._receive()
        self._bytes += len(message.get("body", b""))
        self._ended = self._ended or message["type"] == "http.disconnect" or not message.get("more_body", False)
        return message

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            own = {name.lower() for name, _ in message.get("headers", [])}
            extra = [(name.encode(), value.encode()) for name, value in HEADERS.items() if name.encode() not in own]
            message = {**message, "headers": [*message.get("headers", []), *extra]}
        await self._send(message)

    async def refuse(self, refused: Refused) -> None:
        """Answer with a refusal, unless an answer has begun; then see to it that the client can read it."""
        if self._status:
            raise ConnectionError(refused.detail)
        body = json.dumps({"detail": refused.detail}).encode()
        told = {"content-type": "application/json", "content-length": str(len(body)), **refused.headers}
        pairs = [(name.lower().encode(), value.encode()) for name, value in told.items()]
        await self.send({"type": "http.response.start", "status": refused.status, "headers": pairs})
        await self._send({"type": "http.response.body", "body": body, "more_body": True})
        end, most = time.monotonic() + _DRAIN_SECONDS, self._bytes + _DRAIN_BYTES
        with suppress(asyncio.TimeoutError, TimeoutError):
            while not self._ended and (left := end - time.monotonic()) > 0 and self._bytes < most:
                await asyncio.wait_for(self.receive(), min(left, _DRAIN_IDLE))
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    def line(self) -> str:
        """Return its line of the log, without the name of a recording."""
        client = (self._scope.get("client") or ("-",))[0]
        took = time.monotonic() - self._began
        sent = f" {size(self._bytes)}" if self._bytes else ""
        path = printable_line(self._scope["path"])
        return f"{client} {self._scope['method']} {path} {self._status or 'gone'}{sent} {took:.2f} s"

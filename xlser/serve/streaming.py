"""Answers that come piece by piece, and end with whoever asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, aclosing
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import StreamingResponse

from xlser.serve.desk import Event
from xlser.serve.refusal import Refused

Result = TypeVar("Result")


async def unless_gone(request: Request, answer: Awaitable[Result]) -> Result:
    """Return what is waited for; where the client leaves before, stop it.

    Raises:
        ClientDisconnect: it left.
    """
    task, gone = asyncio.ensure_future(answer), asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ClientDisconnect
    finally:
        for each in (task, gone):
            each.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


class Stream(StreamingResponse):
    """Texts as they come. What it ``holds``, a place and an upload, is given back at its end, however that comes."""

    def __init__(self, pieces: Any, holds: ExitStack, **options: Any) -> None:
        super().__init__(pieces, **options)
        self._pieces, self._holds = pieces, holds

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Send it."""
        with self._holds:
            async with aclosing(self._pieces):
                await super().__call__(scope, receive, send)


async def as_lines(first: Event, rest: Any, failed: Callable[[Exception], Refused]) -> AsyncIterator[str]:
    """Yield events as JSON, one a line, and behind them ``end``, or the ``error`` that it ended with."""
    async with aclosing(rest):
        yield _line(first)
        try:
            async for event in rest:
                yield _line(event)
            yield _line({"event": "end"})
        except Exception as error:
            refused = failed(error)
            yield _line({"event": "error", "status": refused.status, "detail": refused.detail})


async def as_texts(first: Event, rest: Any) -> AsyncIterator[str]:
    """Yield the ``text`` of events that have one."""
    async with aclosing(rest):
        yield first.get("text", "")
        async for event in rest:
            if "text" in event:
                yield event["text"]


def _line(event: Event) -> str:
    return json.dumps(event, ensure_ascii=False, allow_nan=False) + "\n"

"""Recordings in turn: so many are here at once, so many are read at once, and one window at a time is in the model."""

from __future__ import annotations

import asyncio
import copy
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

from xlser.experiment.use.model import Model
from xlser.serve.limits import Limits, duration
from xlser.serve.refusal import Refused

Event = dict[str, Any]
# Events that wait for a client who reads slowly; then its job waits for it.
_AHEAD = 256
# Seconds after which a job that waits says how many are ahead.
_LOOK = 0.5


class Stopped(BaseException):
    """Nobody waits for a job any more, or its time is up: no handler of faulty recordings may take this for one."""


class Job:
    """One recording that is read: who asked can stop it, and so can the clock."""

    def __init__(self, limits: Limits) -> None:
        self._limits, self._began = limits, 0.0
        self.stopped = threading.Event()
        self.overdue = False

    def begin(self) -> None:
        """Start the clock.

        Raises:
            Stopped: nobody waits for it any more.
        """
        self._began = time.monotonic()
        self.check()

    def check(self) -> None:
        """See that it may go on.

        Raises:
            Stopped: nobody waits for it, or its time is up.
        """
        self.overdue = time.monotonic() - self._began > self._limits.job_seconds
        if self.overdue or self.stopped.is_set():
            raise Stopped


class Turns:
    """An embedder for one job: each window takes its turn in the one thread that the model has."""

    def __init__(self, embedder: Any, thread: ThreadPoolExecutor, job: Job) -> None:
        self._embedder, self._thread, self._job = embedder, thread, job

    def __getattr__(self, name: str) -> Any:
        return getattr(self._embedder, name)

    def __call__(self, samples: Any) -> Any:
        """Return the embedding (D,) of one window."""
        return self._turn(self._embedder, samples)

    def raw(self, samples: Any) -> Any:
        """Return what `encode` makes the embedding of, for one window."""
        return self._turn(self._embedder.raw, samples)

    def encode(self, raw: Any, *rest: Any, **options: Any) -> Any:
        """Return the embeddings (N, D) of raw rows (N, F)."""
        return self._turn(self._embedder.encode, raw, *rest, **options)

    def _turn(self, work: Callable, *given: Any, **options: Any) -> Any:
        self._job.check()
        try:
            turn = self._thread.submit(work, *given, **options)
        except RuntimeError as error:  # the server has closed
            raise Stopped from error
        return turn.result()


class Desk:
    """Takes recordings on, and has them read by one model in memory."""

    def __init__(self, model: Model, limits: Limits) -> None:
        self.model, self.limits = model, limits
        _ = (model.dimensions, model.classes and model.reader)  # fitted once, for every job
        self._thread = ThreadPoolExecutor(1, "xlser-model")
        self._jobs = ThreadPoolExecutor(limits.jobs, "xlser-job")
        self.inside, self._waiting, self._all = 0, list[Job](), set[Job]()
        self._closed = False

    @contextmanager
    def place(self) -> Iterator[None]:
        """Keep a place from the first byte of an upload to its answer.

        Raises:
            Refused: 503, there is none, or the server ends.
        """
        if self._closed:
            raise Refused(503, "The server is ending.", retry_after=10)
        if self.inside >= self.limits.queue:
            text = f"{self.inside} recordings are here already, which is the limit of this server. Send it again later."
            raise Refused(503, text, retry_after=10)
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    async def events(self, work: Callable[[Model, Job], Iterator[Event]]) -> AsyncIterator[Event]:
        """Yield what ``work`` yields, in a thread of its own; before that, how many are ahead of it.

        Whoever stops asking stops the work: before its next window.

        Raises:
            Refused: 504, its time was up; 503, the server ends; or what the work raises.
        """
        job, events, room = Job(self.limits), asyncio.Queue[Event | None](), threading.Semaphore(_AHEAD)
        loop = asyncio.get_running_loop()

        def put(event: Event | None) -> None:
            with suppress(RuntimeError):  # the loop has closed: nobody waits
                loop.call_soon_threadsafe(events.put_nowait, event)

        def run() -> None:
            try:
                self._waiting.remove(job)
                job.begin()
                for event in work(self._model_for(job), job):
                    while not room.acquire(timeout=0.5):
                        job.check()
                    put(event)
            finally:
                put(None)

        self._waiting.append(job)
        self._all.add(job)
        future = self._jobs.submit(run)
        try:
            async for event in self._waited(job, events):
                room.release()
                yield event
            self._raise(future, job)
        finally:
            job.stopped.set()
            self._all.discard(job)

    async def _waited(self, job: Job, events: asyncio.Queue[Event | None]) -> AsyncIterator[Event]:
        shown = 0
        while True:
            try:
                event = await asyncio.wait_for(events.get(), _LOOK)
            except (asyncio.TimeoutError, TimeoutError):
                ahead = self._ahead(job)
                if ahead != shown:
                    yield {"event": "queued", "ahead": ahead}
                shown = ahead
                continue
            if event is None:
                return
            yield event

    def _ahead(self, job: Job) -> int:
        waiting = list(self._waiting)
        return waiting.index(job) + self.limits.jobs if job in waiting else 0

    def _raise(self, future: Future[None], job: Job) -> None:
        try:
            future.result()
        except Stopped:
            if job.overdue:
                most = duration(self.limits.job_seconds)
                text = f"The recording took more than {most} to read, the limit of this server. Send it in parts."
                raise Refused(504, text) from None
            raise Refused(503, "The server is ending.", retry_after=10) from None

    def _model_for(self, job: Job) -> Model:
        # What was fitted to read with is shared; only whom it asks for embeddings is the job's own.
        model = copy.copy(self.model)
        model.embedder = Turns(self.model.embedder, self._thread, job)
        return model

    def stop(self) -> None:
        """Take nothing on any more, and stop what is read before its next window."""
        self._closed = True
        for job in list(self._all):
            job.stopped.set()

    def close(self) -> None:
        """End the threads: what waits is stopped as soon as it begins."""
        self.stop()
        self._jobs.shutdown(wait=False)
        self._thread.shutdown(wait=False)

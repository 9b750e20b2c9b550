"""The application: what is asked by which address, and who answers it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, aclosing, asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse

from xlser.api.recogniser import Recogniser
from xlser.experiment.use.model import Model
from xlser.experiment.use.timeline import EVERY, WINDOW
from xlser.experiment.workplace import Workplace
from xlser.serve.about_model import about_model
from xlser.serve.answers import Asked, Clip, answer_events, parse_labels, timeline_events
from xlser.serve.corpus_clips import CorpusClips
from xlser.serve.desk import Desk
from xlser.serve.downloads import FORMATS, as_attachment, file_events
from xlser.serve.guard import Guard, printable_line
from xlser.serve.hosts import Hosts
from xlser.serve.limits import Limits
from xlser.serve.refusal import Refused
from xlser.serve.schemas import BODY, REFUSALS, Answer
from xlser.serve.streaming import Stream, as_lines, as_texts, unless_gone
from xlser.serve.uploads import Room, Upload, receive
from xlser.version import __version__

STATIC = Path(__file__).parent / "static"
PAGE = "live.html"
Labels = Annotated[str | None, Query(description="Choose among these emotions, between commas.", max_length=1000)]
Name = Annotated[str | None, Query(description="What the recording is called in the answer.")]


def create_app(
    model: Model | Recogniser,
    *,
    limits: Limits | None = None,
    hosts: Hosts | None = None,
    corpora: Workplace | None = None,
    say: Callable[[str], Any] = print,
    debug: bool = False,
) -> FastAPI:
    """Return the application for one model.

    Args:
        model: what `xlser.load` gave.
        limits: of uploads and jobs.
        hosts: the names that it answers under; those of loopback unless given.
        corpora: where the corpora lie whose clips can be heard; None for nowhere.
        say: is given a line a request.
        debug: show where an error came from.
    """
    model = model.model if isinstance(model, Recogniser) else model
    limits, hosts = limits or Limits(), hosts or Hosts()
    desk, room, clips = Desk(model, limits), Room(limits), CorpusClips(corpora)
    about = about_model(model, limits, clips.there)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        with closing(desk):
            yield

    # No page of documentation: those of FastAPI fetch their scripts from elsewhere.
    app = FastAPI(
        title="xlser serve",
        version=__version__,
        description=f"Speech emotion by {model.chosen.name}. Uploads are read and forgotten.",
        docs_url=None,
        redoc_url=None,
        lifespan=life,
    )
    app.state.desk, app.state.room, app.state.clips = desk, room, clips
    app.add_middleware(Guard, hosts=hosts, say=say, debug=debug)
    app.add_exception_handler(RequestValidationError, _not_valid)
    _add_pages(app, about, clips)

    _add_answers(app, Answering(desk, room, limits, clips.address, say))
    return app


@dataclass(frozen=True)
class Answering:
    """What answers: the desk at which jobs stand, the room for uploads, and their limits.

    ``clip`` gives the address of a neighbour's clip; ``say`` is given a line of what went wrong.
    """

    desk: Desk
    room: Room
    limits: Limits
    clip: Clip
    say: Callable[[str], Any]


def _add_answers(app: FastAPI, by: Answering) -> None:
    def failed(error: Exception) -> Refused:
        if isinstance(error, Refused):
            return error
        by.say(f"error: {type(error).__name__}: {printable_line(str(error))}")
        return Refused(500, "Something went wrong in the server; its window says what.")

    @app.post("/api/predict", response_model=Answer, responses=REFUSALS, openapi_extra=BODY)
    async def predict(request: Request, labels: Labels = None, name: Name = None) -> Any:
        """Say which emotion one recording has."""
        with by.desk.place(), closing(Upload(by.room)) as upload:
            await receive(request, upload, by.limits)
            asked = Asked(upload, by.limits, by.clip, parse_labels(labels))
            return JSONResponse(await unless_gone(request, _last(by.desk.events(partial(answer_events, asked)))))

    @app.post("/api/timeline", responses=REFUSALS, openapi_extra=BODY, response_class=StreamingResponse)
    async def timeline(  # noqa: PLR0917  FastAPI gives them by name
        request: Request,
        every: Annotated[float, Query(description="Seconds from one window to the next.")] = EVERY,
        window: Annotated[float, Query(description="Seconds of a window.")] = WINDOW,
        labels: Labels = None,
        name: Name = None,
        format: Annotated[
            Literal["events", "csv", "jsonl", "textgrid"], Query(description="events: JSON, a line each, as they come.")
        ] = "events",
    ) -> Any:
        """Say which emotion one recording has over time, window by window, as it is read."""
        with ExitStack() as stack:
            stack.enter_context(by.desk.place())
            upload = stack.enter_context(closing(Upload(by.room)))
            await receive(request, upload, by.limits)
            asked = Asked(upload, by.limits, by.clip, parse_labels(labels), every, window)
            if format == "events":
                events = by.desk.events(partial(timeline_events, asked))
                first = await unless_gone(request, anext(events))
                return Stream(as_lines(first, events, failed), stack.pop_all(), media_type="application/x-ndjson")
            events = by.desk.events(partial(file_events, format, asked))
            first = await unless_gone(request, anext(events))
            kind, headers = FORMATS[format][0], as_attachment(upload.label, format)
            return Stream(as_texts(first, events), stack.pop_all(), media_type=kind, headers=headers)


def _add_pages(app: FastAPI, about: dict[str, Any], clips: CorpusClips) -> None:
    # A list made now: no part of an address ever becomes a path.
    static = {path.name: path for path in STATIC.iterdir() if path.is_file()}

    @app.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(static[PAGE])

    @app.get("/favicon.ico", include_in_schema=False)
    def icon() -> Response:
        return Response(status_code=204)

    @app.get("/static/{name}", include_in_schema=False)
    def file(name: str) -> FileResponse:
        if name not in static:
            raise Refused(404, "There is no such part of the page.")
        return FileResponse(static[name])

    @app.get("/api/model")
    def model() -> dict[str, Any]:
        """Say which model answers, by which protocol, what it was trained on, and what the server takes on."""
        return about

    @app.get("/clips/{ticket}", responses=REFUSALS, response_class=Response)
    def clip(ticket: str) -> Response:
        """Return a clip that an answer has named, as WAV."""
        return Response(clips.read(ticket), media_type="audio/wav")


async def _last(events: Any) -> Any:
    last = None
    async with aclosing(events):
        async for event in events:
            last = event
    return last


async def _not_valid(request: Request, error: Exception) -> JSONResponse:
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    text = "; ".join(f"{fault['loc'][-1]}: {fault['msg']}" for fault in faults)
    return JSONResponse({"detail": f"{text}. /openapi.json says what may be asked."}, status_code=400)

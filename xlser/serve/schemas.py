"""The shapes of answers, as ``/openapi.json`` describes them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class ClipNear(BaseModel):
    """A clip of the corpora that the model learnt from, near to the recording."""

    model_config = ConfigDict(extra="forbid")

    corpus: str
    language: str
    speaker: str
    emotion: str
    voted: bool = Field(description="Whether it had a vote in the answer.")
    distance: float | None
    clip: str | None = Field(description="Where it can be heard; null where the server was not told where corpora lie.")


class Answer(BaseModel):
    """What the model says of one recording."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="A label made of the name that was sent; never a path.")
    seconds: float
    emotion: str = Field(description="Empty where the model learnt ratings alone.")
    probabilities: dict[str, float | None]
    ratings: dict[str, float | None] = Field(description="activation, valence, dominance on about [-1, 1].")
    distance: float | None
    percentile: float | None = Field(description="How unlike the training clips it is, in percent; above 99 a warning.")
    warning: str
    protocol: str = Field(description="zero-shot, or transductive.")
    adapt: str
    neighbours: list[ClipNear]


class Refusal(BaseModel):
    """Why there is no answer."""

    detail: str


REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": Refusal, "description": "A question that is none."},
    403: {"model": Refusal, "description": "Asked under another name, or by a page of another site."},
    408: {"model": Refusal, "description": "The upload stood still."},
    413: {"model": Refusal, "description": "Too large, or too long."},
    415: {"model": Refusal, "description": "Compressed on the way."},
    422: {"model": Refusal, "description": "No recording that can be used; the reason is said."},
    503: {"model": Refusal, "description": "Too many recordings are here. Retry-After says when to ask again."},
    504: {"model": Refusal, "description": "Reading it took too long."},
}
# The body of an upload: FastAPI must not read it, since it would do so without a limit.
BODY = {
    "requestBody": {
        "required": True,
        "description": "The bytes of one audio file, or a form with it.",
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
            },
        },
    }
}

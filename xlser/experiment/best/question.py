"""What is asked of `xlser best`, and what can be seen to be wrong with that before a corpus is read."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from xlser.errors import RecipeError, RunError
from xlser.evaluation.results_file import CLAIM
from xlser.experiment.best.targets import target_name
from xlser.jsonfile import read_json
from xlser.vocabulary import EMOTIONS, UNNAMED


@dataclass(frozen=True)
class BestQuestion:
    """What is asked of a search, as it is typed; a folder belongs to one question.

    Attributes:
        sources: corpora to learn from, such as ``("emodb", "ravdess")``.
        target: a card, a table or a folder.
        encoder: weights of a pretrained speech encoder; None for eGeMAPS alone.
        emotions: that are told apart.
        transductive: whether the target's recordings may be looked at.
        speakers: a column, or a table, that says who speaks in the target.
        few_shot: a table of labelled recordings of the target.
    """

    sources: tuple[str, ...]
    target: str
    encoder: str | None = None
    emotions: tuple[str, ...] = EMOTIONS
    transductive: bool = True
    speakers: str | None = None
    few_shot: str | None = None

    def claim(self) -> dict[str, Any]:
        """Return what a folder says of whose it is: tables count by what stands in them."""
        about: dict[str, Any] = {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }
        for name in ("speakers", "few_shot"):
            path = Path(str(about[name] or ""))
            if about[name] and path.is_file():
                about[name] = [str(path), hashlib.sha256(path.read_bytes()).hexdigest()[:16]]
        text = json.dumps(about, sort_keys=True)
        return {"hash": hashlib.sha256(text.encode()).hexdigest()[:16], "best": about}


def default_out(question: BestQuestion) -> Path:
    """Return ``runs/best-<target>``."""
    return Path("runs") / f"best-{target_name(question.target)}"


def check_question(question: BestQuestion, minutes: float) -> None:
    """Refuse what can be seen to be wrong before a corpus is looked for.

    Raises:
        RecipeError: fewer than two emotions, or one named twice; no time; no source.
    """
    if not question.sources:
        raise RecipeError("--sources must name at least a corpus, such as emodb,ravdess, but names none.")
    if len(set(question.emotions)) < 2 or len(set(question.emotions)) < len(question.emotions):
        raise RecipeError(
            f"--emotions must be two at least, each once, but are {', '.join(question.emotions) or 'none'} instead."
        )
    wrong = [name for name in question.emotions if name in UNNAMED]
    if wrong:
        raise RecipeError(f"--emotions must be emotions, but {wrong[0]} says that there is none. Leave it out.")
    if not minutes > 0:
        raise RecipeError(f"--minutes must be above 0, but is {minutes:g} instead.")


def check_folder(question: BestQuestion, out: Path) -> None:
    """Refuse a folder that belongs to another question, and say what differs.

    Raises:
        RunError: it does.
    """
    held, asked = read_json(out / CLAIM).get("best"), question.claim()["best"]
    if isinstance(held, dict) and held != asked:
        was = [f"{name} was {held.get(name)!r}, now {asked[name]!r}" for name in asked if held.get(name) != asked[name]]
        raise RunError(
            f"{out} holds what another `xlser best` found: {'; '.join(was)}. Choose another --out, or delete "
            "that folder."
        )

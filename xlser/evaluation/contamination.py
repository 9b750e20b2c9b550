"""What pretrained checkpoints have heard of the corpora that they are judged on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from typing import Any, Literal

from xlser.evaluation.audit.published import Published, published

PRE_TRAINED = "pre-trained"
# By what a checkpoint is taken for a published one; all but the first are guesses.
By = Literal["name", "base", "folder", ""]


@dataclass(frozen=True)
class Heard:
    """That a checkpoint was trained on a corpus.

    ``use`` says for what (fine-tuned: with its labels), ``source`` who says so. ``sure`` is false where the source
    names a collection that holds the corpus, or where it is guessed which checkpoint it is.
    """

    corpus: str
    use: str
    sure: bool
    source: str


@dataclass(frozen=True)
class Checkpoint:
    """A pretrained checkpoint that results rest on, as far as it is known; empty texts stand for what is not.

    Attributes:
        weights: hub name or folder that the recipe names; ``revision`` what it asks for.
        hub: its name on the hub; ``commit`` what the revision led to.
        sha256: of config, preprocessor and weights; ``family`` its type of model.
        base: what its model card or config says that it was made from.
        card_licence: what its model card says; ``datasets`` likewise.
    """

    weights: str
    revision: str | None = None
    hub: str = ""
    commit: str = ""
    sha256: str = ""
    family: str = ""
    base: str = ""
    card_licence: str = ""
    datasets: tuple[str, ...] = ()

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Checkpoint:
        """Return a row of ``checkpoints`` in results (see `xlser.models.origin`); older runs have the name alone."""
        texts = {name: str(row.get(name, "")) for name in ("hub", "commit", "sha256", "base")}
        more = {"family": str(row.get("model_type", "")), "card_licence": str(row.get("licence", ""))}
        name = str(row["weights"])
        if not row.get("sha256") and re.fullmatch(r"[\w-][\w.-]*/[\w.-]+", name):
            texts["hub"] = name  # an older run: it may be a folder, which then has a name like a model of the hub
        return cls(name, row.get("revision"), **texts, **more, datasets=tuple(row.get("datasets", ())))

    @property
    def name(self) -> str:
        """What a person calls it: its hub name, or else the folder's own."""
        return self.hub or PurePath(self.weights).name or self.weights

    @cached_property
    def known(self) -> tuple[Published | None, By]:
        """What is published of it, and by what it was taken for that: None where nothing is."""
        if row := published(self.hub):
            return row, "name"
        if row := published(self.base):
            return row, "base"
        if not self.hub and (row := published(self.name, folder=True)):
            return row, "folder"
        return None, ""

    @property
    def licence(self) -> str:
        """What its model card says, or else what its page is known to say; ``not stated`` where neither does."""
        if self.card_licence:
            return self.card_licence
        row, by = self.known
        if row is None or not row.licence:
            return "not stated"
        return (
            f"{row.licence} (as its page says)" if by == "name" else f"not stated ({row.licence} if it is {row.model})"
        )

    def heard(self, corpora: Iterable[str]) -> list[Heard]:
        """Return which of these corpora, by the names of their cards, it was trained on; ``a+b`` is both."""
        row, by = self.known
        names = {_plain(name.rpartition("/")[2]) for name in self.datasets}
        heard = []
        for corpus in dict.fromkeys(part for name in corpora for part in name.split("+")):
            if row and corpus in (*row.corpora, *row.maybe):
                heard.append(Heard(corpus, row.use, corpus in row.corpora and by != "folder", row.source))
            elif _plain(corpus) in names:
                heard.append(Heard(corpus, "trained", True, "its model card"))
        return heard


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def checkpoints_of(about: Mapping[str, Any], recipe: Mapping[str, Any]) -> list[Checkpoint]:
    """Return the checkpoints of a run (its ``about``) or of a bench's cell: those of the recipe, where it names none.

    Random weights are none.

    >>> [one.name for one in checkpoints_of({}, {"encoder": {"weights": "openai/whisper-tiny"}})]
    ['openai/whisper-tiny']
    """
    rows = about.get("checkpoints") or list(_named(recipe))
    return [Checkpoint.of(row) for row in rows if not str(row["weights"]).startswith("random:")]


def _named(recipe: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if encoder := recipe.get("encoder"):
        yield encoder
    written = (recipe.get("features") or {}).get("extractor", ())
    for part in written if isinstance(written, (list, tuple)) else (written,):
        options = next(iter(part.values())) if isinstance(part, dict) else {}
        if options and "weights" in options:
            yield options

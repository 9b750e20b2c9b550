"""The corpus card: everything xlser knows of a corpus, as data."""

from __future__ import annotations

import hashlib
import os
import re
import string
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from xlser import shipped
from xlser.corpora.emotions import check_canonical
from xlser.corpora.globbing import glob_regex
from xlser.errors import CardError, did_you_mean
from xlser.schema import Strict, validate
from xlser.yamlfile import read_yaml

Dimension = Literal["valence", "activation", "dominance"]
Scale = tuple[float, float]


def _regular(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from None
    return pattern


def _glob(pattern: str) -> str:
    try:
        glob_regex(pattern)
    except re.error:
        raise ValueError(f"is not a file pattern: a brace or bracket of {pattern!r} is not closed or empty") from None
    return pattern


Many = BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)
Texts = Annotated[tuple[str, ...], Many]
Globs = Annotated[tuple[Annotated[str, AfterValidator(_glob)], ...], Many]
Regex = Annotated[str, AfterValidator(_regular)]

# What a grammar group or a table column may be called: each becomes a field that templates can name.
_SLUG = r"^[a-z0-9][a-z0-9_-]*$"


class Source(Strict):
    """Where a corpus comes from."""

    url: str = ""
    citation: str = ""


class Table(Strict):
    """A table of labels or ratings joined to the audio by file name.

    ``key`` and the columns name headers as they should read; headers are compared without case, outer blanks or blank
    leading columns, and a list gives spellings, the first that is there being taken.
    """

    file: str
    key: Texts
    columns: dict[str, Texts]
    separator: str = ","
    encoding: str = "utf-8-sig"


class Dimensions(Strict):
    """Ratings of valence, activation (arousal) and dominance, and the scale they are on."""

    scale: Scale
    file: str | None = None
    key: Texts = ("filename", "file", "name")
    columns: dict[Dimension, Texts] = Field(default={})
    separator: str = ","
    encoding: str = "utf-8-sig"
    citation: str = ""

    @field_validator("scale")
    @classmethod
    def _ordered(cls, scale: Scale) -> Scale:
        if not scale[0] < scale[1]:
            raise ValueError(f"must be [low, high] with low < high, but is {list(scale)} instead")
        return scale

    def table(self) -> Table | None:
        """Return the side table that holds the ratings, or None where the grammar or the main table does."""
        columns = {f"{name}_raw": heads for name, heads in self.columns.items()}
        if self.file is None:
            return None
        return Table(file=self.file, key=self.key, columns=columns, separator=self.separator, encoding=self.encoding)


class Synthesis(Strict):
    """What a synthetic corpus is made from: a voice of eSpeak NG and sentences that say nothing emotional."""

    voice: str
    sentences: tuple[str, ...] = Field(min_length=2)


class Expect(Strict):
    """Counts of the complete corpus, checked by ``xlser corpora verify``."""

    utterances: int | None = None
    speakers: int | None = None
    emotion: dict[str, int] = Field(default={})


class Ignored(Strict):
    """Files that belong to the folder but not to the corpus, and why."""

    files: Globs
    reason: str


class Card(Strict):
    """One corpus: where it comes from, how its files are named, what its codes mean, what should be there.

    ``grammar`` is a regular expression for the whole file name without suffix; one that holds a ``/`` is for the whole
    path below the corpus folder instead. Its named groups, and the columns of ``table``, are the fields that the
    templates ``speaker``, ``text``, ``session`` and ``language`` are filled from.
    """

    name: str = Field(pattern=_SLUG)
    title: str
    languages: tuple[str, ...] = Field(min_length=1)
    licence: str
    source: Source = Source()
    elicitation: Literal["acted", "elicited", "natural", "synthetic"]
    audio: Globs
    grammar: Regex
    speaker: str = "{speaker}"
    text: str | None = None
    session: str | None = None
    language: str | None = None
    emotion: dict[str, str] = Field(min_length=1)
    sex: dict[str, Literal["male", "female"]] = Field(default={})
    speaker_sex: dict[Literal["male", "female"], Regex] = Field(default={})
    table: Table | None = None
    dimensions: Dimensions | None = None
    ignore: tuple[Ignored, ...] = ()
    expect: Expect = Expect()
    synthesis: Synthesis | None = None
    verified: bool = True
    notes: str = ""

    @field_validator("languages")
    @classmethod
    def _language_tags(cls, tags: tuple[str, ...]) -> tuple[str, ...]:
        for tag in tags:
            if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", tag):
                raise ValueError(f"must be BCP 47 tags such as ur or fr-CA, but holds {tag!r} instead")
        return tags

    @field_validator("emotion")
    @classmethod
    def _canonical(cls, codes: dict[str, str]) -> dict[str, str]:
        return {code: check_canonical(name) for code, name in codes.items()}

    @model_validator(mode="after")
    def _fields_exist(self) -> Card:
        fields = self.fields()
        templates = {"speaker": self.speaker, "text": self.text, "session": self.session, "language": self.language}
        for key, template in templates.items():
            for field in placeholders(template or ""):
                if field not in fields:
                    raise ValueError(
                        f"`{key}` names {{{field}}}, which no grammar group or table column gives; "
                        f"{did_you_mean(field, fields)}"
                    )
            try:
                (template or "").format(**dict.fromkeys(fields, ""))
            except (ValueError, LookupError) as error:
                raise ValueError(f"`{key}` is no template: {error} in {template!r}") from None
        if "emotion" not in fields:
            raise ValueError(
                "`grammar` (or `table.columns`) must give a group named `emotion`: (?P<emotion>...); "
                f"groups there now: {', '.join(sorted(fields)) or 'none'}"
            )
        if len(self.languages) > 1 and self.language is None:
            raise ValueError("`language` must be a template when `languages` holds more than one")
        for code in self.expect.emotion:
            if code not in self.emotion:
                hint = did_you_mean(code, self.emotion)
                raise ValueError(f"`expect.emotion` counts {code!r}, which `emotion` does not hold; {hint}")
        return self

    @property
    def synthetic(self) -> bool:
        """Whether the recordings are machine-made: every result on them must say so."""
        return self.elicitation == "synthetic"

    @property
    def hash(self) -> str:
        """First 12 digits of the SHA-256 of everything in the card but its prose."""
        return hashlib.sha256(self.model_dump_json(exclude={"title", "notes"}).encode()).hexdigest()[:12]

    def fields(self) -> set[str]:
        """Return the names that templates may use."""
        return set(re.compile(self.grammar).groupindex) | set(self.table.columns if self.table else ())


def placeholders(template: str) -> list[str]:
    """Return the field names in a format template.

    >>> placeholders("{sex}{speaker}")
    ['sex', 'speaker']
    """
    return [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]


def card_folders() -> list[Path]:
    """Return the folders that are searched for cards: ``XLSER_CARDS`` (like PATH) first, then xlser's own."""
    own = [Path(part).expanduser() for part in os.environ.get("XLSER_CARDS", "").split(os.pathsep) if part]
    return [*own, shipped.folder("corpora")]


def card_paths() -> dict[str, Path]:
    """Return the card file of every known corpus by its file name without suffix; a user's own folder wins."""
    found: dict[str, Path] = {}
    for folder in card_folders():
        for path in sorted(folder.glob("*.yaml")):
            found.setdefault(path.stem, path)
    return dict(sorted(found.items()))


def load_card(name_or_path: str | Path) -> Card:
    """Load a card by its name (``urdu``) or from a file (``my/corpus.yaml``).

    Raises:
        CardError: no such card; or its text is not a valid card, with every problem named.

    >>> load_card("urdu").languages
    ('ur',)
    """
    text = str(name_or_path)
    if text.endswith((".yaml", ".yml")) or os.sep in text:
        return _read(Path(text).expanduser())
    paths = card_paths()
    if text not in paths:
        raise CardError(
            f"no corpus card is named {text!r}; {did_you_mean(text, paths)}. "
            "For a corpus of your own give the path of its card: ./my-corpus.yaml"
        )
    return _read(paths[text])


def _read(path: Path) -> Card:
    values: dict[str, Any] = read_yaml(path, CardError)
    return validate(Card, values, f"card {path}", CardError)

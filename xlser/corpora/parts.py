"""The pieces that a corpus card is made of."""

from __future__ import annotations

import re
import string
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from xlser.corpora.globbing import glob_pattern
from xlser.corpora.patterns import compiled
from xlser.corpora.times import Unit
from xlser.corpora.votes import Rule
from xlser.errors import shortened
from xlser.filenames import FileName
from xlser.schema import Grown, Strict
from xlser.vocabulary import Dimension

Scale = tuple[float, float]


def _regular(pattern: str) -> str:
    compiled(pattern)
    return pattern


def _glob(pattern: str) -> str:
    if pattern.startswith(("/", "~")) or ".." in re.split(r"[/\\]", pattern):
        raise ValueError(f"is matched with paths below the corpus folder, and {shortened(pattern)} leads out of it")
    try:
        compiled(glob_pattern(pattern), any_case=True)
    except ValueError:
        text = shortened(pattern)
        raise ValueError(
            f"is not a file pattern: a brace or bracket of {text} is not closed or empty, or it is too long"
        ) from None
    return pattern


def _address(text: str) -> str:
    if not re.match(r"https?://[^\s/]", text):
        raise ValueError(
            f"must be a web address that begins with https:// or http://, but is {shortened(text)} instead"
        )
    return text


def placeholders(template: str) -> list[str]:
    """Return the field names in a format template, such as ``{sex}{speaker}``, or with a width ``{speaker:0>2}``.

    Raises:
        ValueError: it is none, or asks for more of a field than its text in up to 99 letters.

    >>> placeholders("{sex}{speaker}")
    ['sex', 'speaker']
    """
    names = []
    for _, name, width, conversion in string.Formatter().parse(template):
        if name is None:
            continue
        if conversion or not re.fullmatch(r"([^{}]?[<>^])?\d{0,2}", width or "") or re.search(r"[.\[\]]", name):
            rule = "of a field its text can be asked for, in up to 99 letters: {speaker} or {speaker:0>2}"
            raise ValueError(f"{rule}; but {shortened(template)} asks for more")
        names.append(name)
    return names


Many = BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)
Texts = Annotated[tuple[str, ...], Many]
Globs = Annotated[tuple[Annotated[str, AfterValidator(_glob)], ...], Many]
Regex = Annotated[str, AfterValidator(_regular)]
Address = Annotated[str, AfterValidator(_address)]
Addresses = Annotated[tuple[Address, ...], Many]


class Source(Strict):
    """Where a corpus comes from.

    ``url`` is its page. ``download`` holds the addresses of its archives where nobody need be asked; the page of a
    Zenodo record or of a GitHub repository stands for all files there. ``sha256`` maps such an address to a checksum.
    ``ask`` is where to ask for it instead, and ``mirror`` a copy that is not its owners'.
    """

    url: str = ""
    citation: str = ""
    download: Addresses = ()
    sha256: dict[Address, Annotated[str, Field(pattern="^[0-9a-f]{64}$")]] = Field(default={})
    ask: Address | None = None
    mirror: Addresses = ()


class Votes(Strict):
    """Several raters of one recording, and how they become one label.

    ``columns`` are counts of raters by label (``{anger: ang_votes, neutral: neu_votes}``: a code of the card's
    ``emotion`` table, or a canonical name), or a list of columns, each with one rater's label or several separated by
    ``;``. Without ``columns`` the table has a row for each rater of a recording: ``rater`` is the column that names
    him, so that nobody counts twice, and numbers on the ratings' scale become their mean. ``votes: rows`` is this
    without such a column.

    ``rule`` is ``plurality`` (the label that more raters give than any other) or ``majority`` (that more than half of
    them give); raters in equal parts do not agree. Where the table counts raters, and the file name or another column
    gives the emotion, it is that one, and the votes stand beside it.
    """

    columns: dict[str, Texts] | Texts = ()
    rater: Texts = ()
    rule: Rule = "plurality"

    @model_validator(mode="after")
    def _in_one_way(self) -> Votes:
        if self.columns and self.rater:
            raise ValueError("`columns` (a row a recording) and `rater` (a row a rater) must not both be there")
        return self

    @property
    def rows(self) -> bool:
        """Whether the table has a row for each rater."""
        return not self.columns


_ROWS = BeforeValidator(lambda value: {} if value == "rows" else value)


class Table(Grown):
    """A table of labels, texts or ratings joined to the audio by path.

    ``file`` may be a pattern with ``*``, ``?`` and ``[...]``: every table that fits is read. ``key`` and the columns
    name headers as they should read; headers are compared without case, outer blanks or blank leading columns, and a
    list gives spellings, the first that is there being taken. Where the file name alone does not tell rows apart,
    ``key`` is a template of headers (and of ``{table}``, the table's own name without suffix), ``join`` one of the
    card's fields, and a row belongs to the recording whose ``join`` comes out as its ``key``. Otherwise ``key`` holds
    paths (see `xlser.corpora.matching.match_paths`; a name without folders must be unique), or with ``match: name``
    names whose folders are not those on the disk. ``votes`` says how the table holds what several raters say (see
    `Votes`).

    The columns ``start`` and ``end`` (or ``duration``) make each row a segment of its recording, ``id`` its name;
    ``times`` is their unit where the headers name none or the wrong one. ``ignore`` names columns of times that are
    none of the recordings' own. ``channel`` is the channel (from 1, or left, right) that a row is about.
    """

    later: ClassVar[frozenset[str]] = frozenset({"votes", "times", "match", "ignore"})

    file: str
    key: Texts
    columns: dict[str, Texts]
    join: str | None = None
    separator: str = ","
    encoding: str = "utf-8-sig"
    votes: Annotated[Votes | None, _ROWS] = None
    times: Unit | None = None
    match: Literal["path", "name"] = "path"
    ignore: Texts = ()

    @model_validator(mode="after")
    def _segments_are_whole(self) -> Table:
        ends = [name for name in ("end", "duration") if name in self.columns]
        if len(ends) == 2 and "start" in self.columns:
            raise ValueError("`columns` must give `end` or `duration`, not both: write the other under `ignore`")
        if "start" in self.columns and not ends:
            raise ValueError("`columns` gives the `start` of segments, but neither `end` nor `duration`")
        if "end" in self.columns and "start" not in self.columns:
            raise ValueError("`columns` gives the `end` of segments, but no `start`")
        if self.times and "start" not in self.columns:
            raise ValueError("`times` is the unit of segments, but `columns` gives no `start`")
        return self

    @property
    def segmented(self) -> bool:
        """Whether its rows are parts of recordings."""
        return "start" in self.columns

    @property
    def by_rater(self) -> bool:
        """Whether it has a row for each rater of a recording."""
        return self.votes is not None and self.votes.rows

    @field_validator("key")
    @classmethod
    def _one_template(cls, key: tuple[str, ...]) -> tuple[str, ...]:
        named = [placeholders(spelling) for spelling in key]
        if any(named) and len(key) > 1:
            raise ValueError(f"must be spellings of one header or a single template, but is {list(key)} instead")
        return key

    @field_validator("file")
    @classmethod
    def _no_deep_search(cls, file: str) -> str:
        if "**" in file:
            raise ValueError(f"must name its folders (** would search the disk), but is {file!r} instead")
        return file


class Dimensions(Grown):
    """Ratings of valence, activation (arousal) and dominance, and the scale they are on.

    Where ``file`` holds them, ``key``, ``match`` and ``ignore`` are those of a `Table`. Where it has a row for each
    rater of a recording, ``rater`` names their column; the mean is taken.
    """

    later: ClassVar[frozenset[str]] = frozenset({"rater", "match", "ignore"})

    scale: Scale
    file: str | None = None
    key: Texts = ("filename", "file", "name")
    columns: dict[Dimension, Texts] = Field(default={})
    separator: str = ","
    encoding: str = "utf-8-sig"
    match: Literal["path", "name"] = "path"
    ignore: Texts = ()
    rater: Texts = ()
    citation: str = ""

    @field_validator("scale")
    @classmethod
    def _ordered(cls, scale: Scale) -> Scale:
        if not 0 < scale[1] - scale[0] < float("inf"):
            raise ValueError(f"must be two finite numbers [low, high] with low < high, but is {list(scale)} instead")
        return scale

    def raw_columns(self) -> dict[str, Texts]:
        """Return the columns under the names that rows have for ratings on the corpus's own scale."""
        return {f"{name}_raw": heads for name, heads in self.columns.items()}

    def table(self) -> Table | None:
        """Return the side table that holds the ratings, or None where a hook or the card's own table does."""
        if self.file is None:
            return None
        options = {name: getattr(self, name) for name in ("separator", "encoding", "match", "ignore")}
        votes = Votes(rater=self.rater) if self.rater else None
        return Table(file=self.file, key=self.key, columns=self.raw_columns(), votes=votes, **options)


class Synthesis(Strict):
    """What a synthetic corpus is made from: a voice of eSpeak NG and sentences that say nothing emotional."""

    voice: FileName
    sentences: tuple[str, ...] = Field(min_length=2)


class Expect(Strict):
    """Counts of the complete corpus, checked by ``xlser corpora verify``; ``hours`` only informs."""

    utterances: int | None = Field(default=None, gt=0)
    speakers: int | None = Field(default=None, gt=0)
    hours: float | None = Field(default=None, gt=0)
    emotion: dict[str, Annotated[int, Field(ge=0)]] = Field(default={})


class Ignored(Strict):
    """Files that belong to the folder but not to the corpus, and why."""

    files: Globs
    reason: str

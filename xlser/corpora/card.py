"""The corpus card: everything xlser knows of a corpus, as data."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, PrivateAttr, field_validator, model_validator

from xlser.corpora.emotions import KNOWN, check_canonical
from xlser.corpora.globbing import nfc
from xlser.corpora.namesakes import UNKNOWN_NAMES, Unknown
from xlser.corpora.parts import Dimensions, Expect, Globs, Ignored, Regex, Source, Synthesis, Table, placeholders
from xlser.errors import CardError, did_you_mean, shortened
from xlser.filenames import FileName
from xlser.schema import Grown, validate
from xlser.shipped import shipped_folder
from xlser.vocabulary import DIMENSIONS, UNNAMED
from xlser.yamlfile import parse_yaml, yaml_text

_SLUG = r"^[a-z0-9][a-z0-9_-]*$"
Sex = Literal["male", "female"]

# What `corpora init` writes where somebody must say more.
EDIT = re.compile(r"(?m)^[^#\n]*(?<![\w-])EDIT(?![\w-]).*$")
# Columns that are read by their names; others by the templates that name them.
_READ = frozenset({"emotion", "sex", "id", "start", "end", "duration", "channel", "secondary"})
# What each hook (a file in xlser/corpora/hooks) adds to the fields that the grammar gives.
HOOK_FIELDS = {"iemocap": "emotion", "msp-improv": "emotion", "thai-ser": "emotion", "esd": "text"}


class Card(Grown):
    """One corpus: where it comes from, how its files are named, what its codes mean, what should be there.

    ``grammar`` is a regular expression for the whole file name without suffix; one that holds a ``/`` is for the whole
    path below the corpus folder instead. Its named groups, and the columns of ``table`` and ``speakers`` or what
    ``hook`` reads, are the fields that the templates ``speaker``, ``text``, ``session`` and ``language`` are filled
    from; a corpus whose table says it all needs no grammar. Where ``grammar`` gives the emotion itself, ``table`` and
    ``hook`` may lack rows or be missing altogether.

    ``speakers`` is a table with a row for each speaker. ``speaker_sex`` and ``speaker_language`` tell both from the
    speaker's name, ``same_speaker`` maps names to the one that is used for this person, and in ``sex`` null stands for
    unknown. ``partition`` is the corpus's own name for a part of its official split. ``unknown_names`` are names that
    stand for many people: with ``unknown_speaker: own`` each of their recordings is a speaker of its own, with
    ``leave-out`` they are left out; unless given, it is ``own``, but what has no name at all is left out.

    ``channel`` says what of recordings with several channels is used: the ``mix`` of all, the ``left`` or the ``right``
    one, a number from 1, or ``each``, a row for every channel (see `xlser.data.channel_rows`).

    ``own_emotions`` are canonical emotions of this corpus alone, such as ``poker_face``: any other that the literature
    does not know is an error, since it may be a slip of the pen.

    A corpus with ``dimensions`` needs no ``emotion``: it is rated, and its recordings are unlabelled. Several raters of
    a recording are described by the ``votes`` of ``table``. ``verified`` is false where layout or codes rest on one
    second-hand source, and ``never`` in a card of one's own; ``notes`` say what to check.
    """

    later: ClassVar[frozenset[str]] = frozenset(
        {"channel", "partition", "unknown_speaker", "unknown_names", "own_emotions"}
    )

    name: FileName = Field(pattern=_SLUG)
    title: str
    languages: tuple[str, ...] = Field(min_length=1)
    licence: str
    source: Source = Source()
    elicitation: Literal["acted", "elicited", "natural", "synthetic"]
    audio: Globs
    grammar: Regex = ".+"
    speaker: str = "{speaker}"
    text: str | None = None
    session: str | None = None
    language: str | None = None
    partition: str | None = None
    emotion: dict[str, str] = Field(default={})
    own_emotions: tuple[str, ...] = ()
    sex: dict[str, Sex | None] = Field(default={})
    speaker_sex: dict[Sex, Regex] = Field(default={})
    speaker_language: dict[str, Regex] = Field(default={})
    same_speaker: dict[str, str] = Field(default={})
    unknown_speaker: Unknown | None = None
    unknown_names: tuple[str, ...] = UNKNOWN_NAMES
    table: Table | None = None
    speakers: Table | None = None
    hook: Literal["iemocap", "msp-improv", "thai-ser", "esd"] | None = None
    dimensions: Dimensions | None = None
    channel: Literal["mix", "left", "right", "each"] | Annotated[int, Field(ge=1)] = "mix"
    ignore: tuple[Ignored, ...] = ()
    expect: Expect = Expect()
    synthesis: Synthesis | None = None
    verified: Annotated[bool, BeforeValidator(lambda value: False if value == "never" else value)] = True
    notes: str = ""
    # Of the file that it was read from: its tables may lie there.
    _folder: Path | None = PrivateAttr(None)

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
        return {nfc(code): check_canonical(name) for code, name in codes.items()}

    @model_validator(mode="after")
    def _is_consistent(self) -> Card:
        fields = self.fields()
        for key, template in self._templates().items():
            _check_template(key, template, fields)
        self._check_columns()
        self._check_labels(fields)
        if self.table and self.hook:
            raise ValueError("`table` and `hook` must not both be there: a hook reads what stands in place of a table")
        self._check_own_emotions()
        self._check_segments()
        self._check_votes()
        self._check_languages()
        for code in self.expect.emotion:
            if code not in self.emotion:
                hint = did_you_mean(code, self.emotion)
                raise ValueError(f"`expect.emotion` counts {code!r}, which `emotion` does not hold; {hint}")
        return self

    def _check_own_emotions(self) -> None:
        """Refuse a canonical emotion that nobody knows and the card does not declare."""
        unknown = sorted({*self.emotion.values()} - KNOWN - {*self.own_emotions, *UNNAMED})
        if unknown:
            name = unknown[0]
            raise ValueError(
                f"`emotion` holds {name!r}, which is no canonical emotion; {did_you_mean(name, sorted(KNOWN))}. If "
                f"this corpus has an emotion of its own, declare it: own_emotions: [{', '.join(unknown)}]"
            )

    def _check_columns(self) -> None:
        """Refuse columns under names that nothing reads: a slip of the pen would lose what they hold."""
        templates = {field for template in self._templates().values() for field in placeholders(template)}
        rated = {f"{name}_raw" for name in DIMENSIONS}
        for key, table in (("table", self.table), ("speakers", self.speakers)):
            used = templates | rated | _READ
            for name in table.columns if table else ():
                if name not in used:
                    raise ValueError(
                        f"`{key}.columns` names {name!r}, which nothing reads; {did_you_mean(name, used)}. Name "
                        f"{{{name}}} in a template such as `speaker`, or leave the column out"
                    )

    def _check_segments(self) -> None:
        """Refuse tables by which a whole recording would get what holds of a part of it."""
        segmented = self.table is not None and self.table.segmented
        if segmented and self.dimensions and self.dimensions.file is not None:
            raise ValueError(
                "`table` has segments, but `dimensions.file` rates whole recordings: put the ratings into the table, "
                "and leave `dimensions.file` out"
            )
        if self.speakers is not None and self.speakers.segmented:
            raise ValueError("`speakers` has a row for each speaker, and no `start`")

    def _check_labels(self, fields: set[str]) -> None:
        """Refuse a card by which no recording has a label, a vote or a rating."""
        if "emotion" in fields and not self.emotion:
            raise ValueError("`emotion` must say what the labels mean: {A: anger, ...}")
        if "emotion" in fields or self.votes_columns or (self.dimensions and not self.emotion):
            return
        raise ValueError(
            "`grammar` (or `table.columns`) must give a group named `emotion`: (?P<emotion>...); "
            f"groups there now: {', '.join(sorted(fields)) or 'none'}. Raters' votes are `table.votes`; a corpus that "
            "is rated and has no labels has `dimensions` and no `emotion`"
        )

    def _check_votes(self) -> None:
        for label, name in self.meanings().items():
            if label not in self.emotion:
                try:
                    check_canonical(name)
                except ValueError as error:
                    known = f"it is no code of `emotion` ({', '.join(self.emotion) or 'none'})"
                    raise ValueError(f"`table.votes.columns`: {known}, and {error}") from None

    def _check_languages(self) -> None:
        if len(self.languages) > 1 and self.language is None and not self.speaker_language:
            raise ValueError(
                "`language` must be a template when `languages` holds more than one (or `speaker_language` must tell)"
            )
        for tag in self.speaker_language:
            if tag not in self.languages:
                raise ValueError(f"`speaker_language` names {tag!r}, which `languages` does not hold")

    def _templates(self) -> dict[str, str]:
        names = {key: getattr(self, key) for key in ("speaker", "text", "session", "language", "partition")}
        joins = {f"{key}.join": table.join for key in ("table", "speakers") if (table := getattr(self, key))}
        return {key: template for key, template in (names | joins).items() if template}

    @property
    def folder(self) -> Path | None:
        """The folder of the card's file, links resolved; None where it was made in Python."""
        return self._folder

    def lying_in(self, folder: Path) -> Card:
        """Return it as one whose file is in a folder: its tables may lie there."""
        card = self.model_copy()
        card._folder = folder.resolve()
        return card

    @property
    def synthetic(self) -> bool:
        """Whether the recordings are machine-made: every result on them must say so."""
        return self.elicitation == "synthetic"

    @property
    def hash(self) -> str:
        """First 12 digits of the SHA-256 of everything in the card but its prose."""
        return hashlib.sha256(self.model_dump_json(exclude={"title", "notes"}).encode()).hexdigest()[:12]

    @property
    def labels_from_names(self) -> bool:
        """Whether file names alone give the emotion, so that a recording without a row in the table can be read."""
        return "emotion" in re.compile(self.grammar).groupindex

    @property
    def votes_columns(self) -> bool:
        """Whether the table has columns of votes; a row for each rater has its label in the column ``emotion``."""
        return self.table is not None and self.table.votes is not None and not self.table.by_rater

    @property
    def rated_only(self) -> bool:
        """Whether its recordings have ratings and no labels."""
        return not self.emotion and not self.votes_columns

    @property
    def is_own(self) -> bool:
        """Whether it is a user's card: none of those that xlser has, which were compared with what is published."""
        return not (shipped_folder("corpora") / f"{self.name}.yaml").exists()

    def meanings(self) -> dict[str, str]:
        """Return the canonical emotion of every code, and of every column of counts that is called like one."""
        counted = self.table.votes.columns if self.table and self.table.votes else ()
        own = {label: label for label in counted if label not in self.emotion} if isinstance(counted, dict) else {}
        return self.emotion | own

    def fields(self) -> set[str]:
        """Return the names that templates may use."""
        tables = [table.columns for table in (self.table, self.speakers) if table]
        given = {HOOK_FIELDS[self.hook]} if self.hook else set()
        return set(re.compile(self.grammar).groupindex).union(given, *tables)

    def given_roles(self) -> set[str]:
        """Return which of the roles that columns of a table may have the card has already, from wherever."""
        roles = {
            "speaker": bool(placeholders(self.speaker)),
            "sex": bool(self.sex or self.speaker_sex or self.speakers),
            "time": self.table is not None and self.table.segmented,
            "partition": self.partition is not None,
        }
        return {role for role, there in roles.items() if there}

    def main_table(self) -> Table | None:
        """Return ``table`` with the ratings that no file of their own holds."""
        if self.table is None or self.dimensions is None or self.dimensions.file is not None:
            return self.table
        return self.table.model_copy(update={"columns": self.table.columns | self.dimensions.raw_columns()})


def _check_template(key: str, template: str, fields: set[str]) -> None:
    try:
        named = placeholders(template)
    except ValueError as error:
        raise ValueError(f"`{key}` is no template: {error}") from None
    for field in named:
        if field not in fields:
            raise ValueError(
                f"`{key}` names {{{field}}}, which no grammar group or table column gives; "
                f"{did_you_mean(field, fields)}. Name it in `grammar`, (?P<{field}>...), or give `{key}` a fixed text"
            )


def card_folders() -> list[Path]:
    """Return the folders that are searched for cards: ``XLSER_CARDS`` (like PATH) first, then xlser's own."""
    own = [Path(part).expanduser() for part in os.environ.get("XLSER_CARDS", "").split(os.pathsep) if part]
    return [*own, shipped_folder("corpora")]


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
        CardError: no such card; its text is not a valid card, with every problem named; or the card that was asked for
            by its name has another one inside, so that two could go by one name.

    >>> load_card("urdu").languages
    ('ur',)
    """
    text = str(name_or_path)
    if text.endswith((".yaml", ".yml")):
        return _read(Path(text).expanduser())
    if os.sep in text:
        raise CardError(f"a card must be a file such as ./mine.yaml, but {shortened(text)} ends otherwise")
    paths = card_paths()
    if text not in paths:
        raise CardError(
            f"no corpus card is named {text!r}; {did_you_mean(text, paths)}. "
            "For a corpus of your own, give the path of its card: ./my-corpus.yaml"
        )
    card = _read(paths[text])
    if card.name != text:
        taken = f", which {paths[card.name]} has too" if card.name in paths else ""
        raise CardError(
            f"card {paths[text]} has `name: {card.name}`{taken}. In a folder of cards a file is called like its card: "
            f"rename it to {card.name}.yaml, or write `name: {text}`."
        )
    return card


def _read(path: Path) -> Card:
    text = yaml_text(path, CardError)
    _check_finished(path, text)
    card = validate(Card, parse_yaml(text, str(path), CardError), f"card {path}", CardError)
    return card.lying_in(path.resolve().parent)


def _check_finished(path: Path, text: str) -> None:
    """Refuse a first card in which something is still to be written, and name the lines."""
    lines = [(text.count("\n", 0, found.start()) + 1, found[0].strip()) for found in EDIT.finditer(text)]
    if lines:
        listed = "".join(f"\n  line {number}: {line}" for number, line in lines)
        raise CardError(f"card {path} is not finished: write what is true in place of each EDIT{listed}")

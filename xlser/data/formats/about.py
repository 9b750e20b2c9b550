"""What a table does not say of itself, and what its labels mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from xlser.corpora.emotions import check_canonical
from xlser.corpora.words import guess_emotion
from xlser.errors import CorpusError
from xlser.filenames import path_part


@dataclass(frozen=True)
class About:
    """What a table does not say of itself: the corpus's name, and what holds for rows that are silent on it.

    ``emotions`` maps labels to canonical names and goes before xlser's own list of words; ``scale`` is [low, high] of
    the ratings; ``speaker`` stands for every row without one. Labels that nothing reads are refused, or with
    ``keep_unread`` kept as they are and noted; ``how_to_map`` says in messages how to give them a meaning, and
    ``command`` which command makes a manifest of the table, where the reader itself has no options.
    """

    name: str
    language: str | None = None
    licence: str = "unknown"
    scale: tuple[float, float] | None = None
    emotions: dict[str, str] = field(default_factory=dict)
    speaker: str | None = None
    keep_unread: bool = False
    how_to_map: str = "--emotion LABEL=canonical, such as --emotion A=anger"
    command: str = ""

    def __post_init__(self) -> None:
        """Refuse a name that cannot be a file's, before recordings are read or written."""
        path_part(self.name, "the name of a dataset", CorpusError)

    def way(self, option: str) -> str:
        """Return how to say what is missing: an option, and the command that has it where this one has none."""
        if not self.command:
            return option
        return f"{self.command} {option} --out {self.name}.parquet, and give {self.name}.parquet"

    def meanings(self, counts: Counter[str], own: Mapping[str, str | None]) -> tuple[dict[str, str], list[str]]:
        """Return what every label means, and notes on those that nothing reads.

        Args:
            counts: rows of each label.
            own: what the table itself says that they mean.

        Raises:
            CorpusError: labels that nothing reads, unless ``keep_unread``; a name that cannot be canonical.
        """
        found = {raw: self.emotions.get(raw) or own.get(raw) or by_word(raw) for raw in counts}
        unread = [f"{raw!r} ({counts[raw]})" for raw, emotion in found.items() if emotion is None]
        said = f"nobody says what these labels mean: {', '.join(unread[:10])}"
        if unread and not self.keep_unread:
            raise CorpusError(f"corpus {self.name}: {said}. Name each: {self.way(self.how_to_map)}")
        notes = [f"{said}. They are kept as they are; name each: {self.how_to_map}"] if unread else []
        try:
            return {raw: check_canonical(emotion) if emotion else raw for raw, emotion in found.items()}, notes
        except ValueError as error:
            raise CorpusError(f"corpus {self.name}: {error}") from None


def by_word(raw: str) -> str | None:
    """Return the emotion that a word names beyond doubt, or None.

    >>> by_word("Wut"), by_word("W")
    ('anger', None)
    """
    guess = guess_emotion(raw)
    return guess.emotion if guess and guess.sure else None

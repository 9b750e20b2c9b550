"""Which column of a stranger's table is which."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from xlser.corpora.times import UNITS, is_time, time_columns, unit_of_header
from xlser.data.manifest import ADDED, REQUIRED
from xlser.errors import CorpusError, did_you_mean
from xlser.vocabulary import DIMENSIONS

_HEADERS = {
    "id": "id utterance_id utt_id file_id segment_id",
    "path": "path file_name filename file audio_path audio_file file_path filepath wav wav_path wav_file audio "
    "audio_filepath audio_file_path audio_filename audio_file_name recording recording_path clip clip_path full_path",
    "emotion_raw": "emotion_raw",
    "emotion": "emotion emo emotion_label label emoclass category class emotion_class",
    "speaker": "speaker speaker_id spk spk_id spkid spkrid speakerid speaker_name actor actor_id client_id subject "
    "subject_id participant participant_id talker talker_id",
    "sex": "sex gender speaker_gender speaker_sex",
    "language": "language lang locale",
    "text": "text transcription transcript sentence raw_text normalized_text",
    "session": "session session_id",
    "licence": "licence license",
    "channel": "channel channel_id channel_number chan audio_channel ch",
    "split": "partition split split_set subset data_split dataset_split split_name fold",
    "rater": "rater rater_id annotator annotator_id coder coder_id evaluator evaluator_id judge labeler worker "
    "worker_id",
    "votes": "votes",
    "agreement": "agreement",
    "secondary": "secondary secondary_emotion",
    "valence": "valence_raw valence val emoval",
    "activation": "activation_raw activation arousal_raw arousal aro act emoact",
    "dominance": "dominance_raw dominance dom emodom",
}
TIMES = ("start", "end", "duration")
ROLES = (*_HEADERS, *TIMES)
# What a manifest of xlser has besides: nobody needs to be warned of it.
_OURS = frozenset((*REQUIRED.names, *DIMENSIONS, *(column.name for column in ADDED)))


@dataclass(frozen=True)
class Columns:
    """The columns of a table: ``heads`` has the header of each role, ``units`` the unit that times name (or None).

    ``second`` has the further headers of a role, which are not read, ``unread`` those of no role.
    """

    heads: dict[str, str]
    units: dict[str, str | None] = field(default_factory=dict)
    second: dict[str, list[str]] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)

    def notes(self) -> list[str]:
        """Return what is not read, and what may have been meant by it, a sentence each."""
        notes = [
            f"column {self.heads[role]!r} is the {_MEANS.get(role, role)}; not read: {_quoted(others)}"
            for role, others in self.second.items()
        ]
        times = [head for head in self.unread if is_time(head)]
        if times:
            notes.append(
                f"columns that may be times are not read: {_quoted(times)}. If they are, name them: "
                f"--column start={times[0]!r}, or end or duration"
            )
        others = [head for head in self.unread if head not in times]
        return notes + ([f"columns not read: {_quoted(others)}"] if others else [])


_MEANS = {"path": "path of the audio", "split": "partition"}


def find_columns(headers: Iterable[object], given: Mapping[str, str] | None = None) -> Columns:
    """Say which header is which role's; of several spellings the first in our list is taken.

    Args:
        headers: of the table.
        given: header of a role, by the role or any spelling of it (``arousal``), before anything that is guessed; of a
            time its unit may stand behind the role: ``start:milliseconds``.

    Raises:
        CorpusError: ``given`` has a role or a header that is not there.

    >>> find_columns(["file_name", "Label", "onset", "offset", "mood"]).unread
    ['mood']
    """
    heads = [str(header) for header in headers]
    named, units = _given(heads, given or {})
    free = [head for head in heads if head not in named.values()]
    known = {role: _spelt(free, spellings) for role, spellings in _HEADERS.items()}
    named |= {role: fits[0] for role, fits in known.items() if fits and role not in named}
    named |= _times([head for head in free if not any(head in fits for fits in known.values())], named)
    ours = _OURS if "emotion_raw" in named else frozenset()
    rest = [head for head in heads if head not in named.values() and head not in ours]
    second = {role: others for role, fits in known.items() if (others := [head for head in fits if head in rest])}
    unread = [head for head in rest if not any(head in fits for fits in known.values())]
    units = {role: units.get(role) or unit_of_header(named[role]) for role in TIMES if role in named}
    return Columns(named, units, second, unread)


def roles(headers: Iterable[str]) -> dict[str, str]:
    """Return ``{role: header}`` for the headers that are known; of several spellings the first in our list wins.

    >>> roles(["file_name", "Label", "speaker_id", "arousal"])
    {'path': 'file_name', 'emotion': 'Label', 'speaker': 'speaker_id', 'activation': 'arousal'}
    """
    return find_columns(headers).heads


def role_of(word: str) -> str:
    """Return the role that a word means.

    Raises:
        CorpusError: none.

    >>> role_of("arousal"), role_of("audio"), role_of("onset")
    ('activation', 'path', 'start')
    """
    if word in ROLES:
        return word
    found = next((role for role, names in _HEADERS.items() if _plain(word) in map(_plain, names.split())), None)
    found = found or next(iter(time_columns([word])), None)
    if found is None:
        raise CorpusError(f"there is no column for {word!r}; {did_you_mean(word, ROLES)}")
    return found


def read_sex(text: str | None) -> str | None:
    """Return male or female for the ways in which tables say so, None for anything else.

    >>> read_sex("F"), read_sex("Man"), read_sex("other")
    ('female', 'male', None)
    """
    word = (text or "").strip().lower()
    words = {"female": "female f w woman women weiblich fem", "male": "male m man men männlich masc"}
    return next((sex for sex, spellings in words.items() if word in spellings.split()), None)


def _given(heads: list[str], given: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str | None]]:
    """Return the header of each role that the user names, and the units that stand behind the roles."""
    chosen, units = {}, {}
    for word, header in given.items():
        role = role_of(word.partition(":")[0])
        if header not in heads:
            raise CorpusError(f"there is no column {header!r} for {role}; {did_you_mean(header, heads)}")
        chosen[role], unit = header, word.partition(":")[2]
        units[role] = unit_of_header(f"start_{unit}") if unit else None
        if unit and units[role] not in UNITS:
            raise CorpusError(f"{word!r} must name a unit of times: {', '.join(UNITS)}")
    return chosen, units


def _spelt(heads: list[str], spellings: str) -> list[str]:
    return [head for name in spellings.split() for head in heads if _plain(head) == _plain(name)]


def _times(free: list[str], chosen: Mapping[str, str]) -> dict[str, str]:
    """Return the columns of times beside those that are named already."""
    found = time_columns([*(role for role in TIMES if role in chosen), *free])
    found = {role: head for role, head in found.items() if role not in chosen}
    # A start or an end, who knows? It is named among the columns that may be times.
    return {} if [_plain(head) for head in found.values()] == ["offset"] and not set(TIMES) & set(chosen) else found


def _quoted(heads: list[str], most: int = 12) -> str:
    return ", ".join(map(repr, heads[:most])) + (f" and {len(heads) - most} more" if len(heads) > most else "")


def _plain(header: str) -> str:
    """Return what spellings of one header have in common: ``Speaker ID``, ``speaker_id`` and ``SpeakerId``.

    >>> _plain("Speaker ID") == _plain("speaker_id") == _plain("SpeakerId")
    True
    """
    return re.sub(r"[\W_]+", "", header.lower())

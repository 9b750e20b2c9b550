"""Which column of a stranger's table is which."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from xlser.corpora.times import UNITS, is_time, time_columns, unit_of_header
from xlser.corpora.words import plain
from xlser.data.formats.headings import ELSEWHERE, HEADERS
from xlser.data.manifest import ADDED, REQUIRED
from xlser.errors import CorpusError, did_you_mean
from xlser.vocabulary import DIMENSIONS

_HEADERS = {role: f"{names} {ELSEWHERE.get(role, '')}" for role, names in HEADERS.items()}
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

    >>> read_sex("F"), read_sex("Man"), read_sex("Kobieta"), read_sex("other")
    ('female', 'male', 'female', None)
    """
    return _SEXES.get(plain(text or "").replace("_", ""))


def read_sexes(codes: Iterable[str]) -> dict[str, str | None]:
    """Return what each code of a column stands for; a letter is read by those that stand beside it.

    M is a man beside K or W, and a woman (mujer, mulher) beside H; F is a woman beside H (homme) or M, and a man
    (férfi) beside N.

    >>> read_sexes(["K", "M"]), read_sexes(["H", "M"]), read_sexes(["F", "N"])
    ({'K': 'female', 'M': 'male'}, {'H': 'male', 'M': 'female'}, {'F': 'male', 'N': 'female'})
    >>> read_sexes(["K", "M", "?"])
    {'K': 'female', 'M': 'male', '?': None}
    """
    codes = list(codes)
    letters = {plain(code) for code in codes}
    # Beside them stand other things: a dash, "unknown", a third sex.
    single = {letter for letter in letters if len(letter) == 1 and letter.isalpha()}
    pair = next((pair for pair in _PAIRS if single == set(pair)), ())
    known = dict(zip(pair, ("female", "male"), strict=False))
    return {code: known.get(plain(code)) or read_sex(code) for code in codes}


_FEMALE = (
    "female f w woman women girl weiblich frau fem kobieta zenska mujer femenino femme feminin donna "
    "femmina mulher feminino vrouw vrouwelijk kvinde kvinna kvinne nainen naine no zena kadin γυναικα "
    "θηλυ женщина женский ж жен انثى أنثى امرأة عورت زن महिला स्त्री หญิง ሴት 女 女性 여 여성 여자"
)
_MALE = (
    "male m man men boy mannlich maennlich mann masc mezczyzna meska hombre masculino homme masculin uomo "
    "maschio homem mannelijk mand mies mees ferfi muz erkek ανδρας αντρας αρρεν мужчина мужской муж ذكر "
    "رجل مرد पुरुष ชาย ወንድ 男 男性 남 남성 남자"
)
_SEXES = {plain(word): "female" for word in _FEMALE.split()} | {plain(word): "male" for word in _MALE.split()}
# Letters that mean a sex beside each other alone, the female one first: kobieta, kvinde, kadın; Weib; mujer, mulher;
# femme beside homme; nő and nainen; vrouw; donna; žena; γυναίκα.
_PAIRS = [
    *(("k", "m"), ("k", "e"), ("w", "m"), ("m", "h"), ("f", "h"), ("n", "f"), ("n", "m"), ("v", "m"), ("d", "u")),
    *(("z", "m"), ("ж", "м"), ("γ", "α"), ("θ", "α")),
]


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
    return re.sub(r"[\W_]+", "", plain(header))

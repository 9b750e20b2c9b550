"""Looking at file names: where they can be cut, and which piece is the emotion, the speaker, the sex."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from xlser.corpora.words import Guess, guess_emotion
from xlser.data.formats.columns import read_sexes

# Letters, digits and what stands between them; a letter may carry an accent.
_TOKEN = re.compile(r"[^\W\d_]+|\d+|[\W_]+")
_LETTERS, _DIGITS = r"[^\W\d_]+", r"\d+"
_INTENSITIES = {"xx", "lo", "md", "hi", "low", "high", "faible", "fort", "strong", "weak"}
# Codes of well-known corpora: a guess where all codes of a corpus are among them.
_CODES = (
    {"W": "anger", "L": "boredom", "E": "disgust", "A": "fear", "F": "happiness", "T": "sadness", "N": "neutral"},
    {"a": "anger", "d": "disgust", "f": "fear", "h": "happiness", "n": "neutral", "sa": "sadness", "su": "surprise"},
    {"C": "anger", "D": "disgust", "J": "happiness", "N": "neutral", "P": "fear", "S": "surprise", "T": "sadness"},
    {"A": "anger", "N": "neutral", "S": "sadness", "W": "surprise", "H": "happiness", "F": "fear"},
    {
        **{"01": "neutral", "02": "calm", "03": "happiness", "04": "sadness"},
        **{"05": "anger", "06": "fear", "07": "disgust", "08": "surprise"},
    },
)


@dataclass(frozen=True)
class Field:
    """One piece of the names: its value in each file, the pattern that finds it, and where it stands.

    ``place`` counts pieces of the file name from 0; folders have negative places, the nearest being -1.
    """

    values: tuple[str, ...]
    pattern: str
    place: int
    role: str = ""

    @property
    def distinct(self) -> list[str]:
        """The values, each once, sorted."""
        return sorted(set(self.values))

    @property
    def constant(self) -> bool:
        """Whether all files have one value here."""
        return len(set(self.values)) == 1

    def regex(self) -> str:
        """Return the piece of a grammar that finds the field."""
        if self.role:
            return f"(?P<{self.role}>{self.pattern})"
        return re.sub(r"\\([- ])", r"\1", re.escape(self.values[0])) if self.constant else self.pattern


@dataclass(frozen=True)
class Names:
    """The files whose names are cut alike, the fields they are cut into, and the files that are not."""

    files: tuple[str, ...]
    folders: tuple[Field, ...]
    fields: tuple[Field, ...]
    others: tuple[str, ...]


def cut(files: list[str]) -> Names:
    """Cut the names of files (relative paths) into fields, the way most of them can be cut.

    >>> [field.distinct for field in cut(["03a01Fa.wav", "08b02Wb.wav", "03a02Na.wav"]).fields]
    [['03', '08'], ['a', 'b'], ['01', '02'], ['F', 'N', 'W'], ['a', 'b']]
    """
    shapes = [_shape(path) for path in files]
    best, count = Counter(shapes).most_common(1)[0]
    if count < 0.8 * len(files):  # names without any system: all that is taken from them is how they begin
        return _loosely(files)
    chosen = tuple(path for path, shape in zip(files, shapes, strict=True) if shape == best)
    others = tuple(path for path, shape in zip(files, shapes, strict=True) if shape != best)
    columns = list(zip(*(_TOKEN.findall(PurePosixPath(path).stem) for path in chosen), strict=True))
    pieces = [piece for column in columns for piece in _pieces(column)]
    fields = tuple(replace(field, place=place) for place, field in enumerate(pieces))
    return Names(chosen, _folders(chosen), fields, others)


def find_roles(names: Names) -> Names:
    """Return the same names with the roles emotion, sex and speaker given to the fields that look like them."""
    fields = [*names.folders, *names.fields]
    emotion = max(fields, key=_emotion_score)
    fields = [replace(f, role="emotion") if f is emotion and _emotion_score(f) > (0, 0, 0) else f for f in fields]
    sexes = [
        f
        for f in fields
        if not f.role and len(f.distinct) == 2 and set(read_sexes(f.distinct).values()) == {"female", "male"}
    ]
    fields = [replace(f, role="sex") if sexes and f is sexes[0] else f for f in fields]
    speaker = max(fields, key=lambda f: _speaker_score(f, fields))
    found = _speaker_score(speaker, fields) > 0
    fields = [replace(f, role="speaker") if found and f is speaker else f for f in fields]
    cut_at = len(names.folders)
    return replace(names, folders=tuple(fields[:cut_at]), fields=tuple(fields[cut_at:]))


def read_codes(codes: list[str]) -> dict[str, Guess | None]:
    """Return what each label most likely means: by word, or, where words fail, by the codes of known corpora.

    >>> read_codes(["F", "N", "W"])["F"]
    Guess(emotion='happiness', sure=False)
    """
    by_word = {code: guess_emotion(code) for code in codes}
    if all(guess and guess.sure for guess in by_word.values()):
        return dict(by_word)
    # Two codes stand in many a table by chance: takes 01 and 02 are no emotions.
    known = next((table for table in _CODES if len(codes) > 2 and set(codes) <= table.keys()), {})
    return {code: _first(by_word[code], Guess(known[code], False) if code in known else None) for code in codes}


def _first(word: Guess | None, code: Guess | None) -> Guess | None:
    return word if word and (word.sure or code is None) else code


def _shape(path: str) -> tuple[str, ...]:
    kinds = [
        _DIGITS if t.isdigit() else _LETTERS if t.isalpha() else t for t in _TOKEN.findall(PurePosixPath(path).stem)
    ]
    return (str(path.count("/")), *kinds)


def _pieces(column: tuple[str, ...]) -> list[Field]:
    first = column[0]
    if all(re.fullmatch(r"[A-Z][a-z]", value) for value in column) and len(set(column)) > 2:
        return [Field(tuple(v[0] for v in column), "[A-Z]", 0), Field(tuple(v[1] for v in column), "[a-z]", 0)]
    if {value[1:] for value in column} in ({"M", "F"}, {"m", "f"}) and len({value[0] for value in column}) == 1:
        ends = tuple(value[1:] for value in column)
        return [Field((first[0],) * len(column), "", 0), Field(ends, f"[{''.join(sorted(set(ends)))}]", 0)]
    pattern = _DIGITS if first.isdigit() else _LETTERS if first.isalpha() else ""
    return [Field(column, pattern, 0)]


def _folders(files: tuple[str, ...]) -> tuple[Field, ...]:
    parts = list(zip(*(PurePosixPath(path).parts[:-1] for path in files), strict=True))
    return tuple(Field(column, "[^/]+", place - len(parts)) for place, column in enumerate(parts))


def _loosely(files: list[str]) -> Names:
    depth = Counter(path.count("/") for path in files).most_common(1)[0][0]
    chosen = tuple(path for path in files if path.count("/") == depth)
    others = tuple(path for path in files if path.count("/") != depth)
    stems = [PurePosixPath(path).stem for path in chosen]
    begins = tuple(re.match(r"[^_\-. ]*", stem)[0] for stem in stems)
    rest = tuple(stem[len(begin) :] for stem, begin in zip(stems, begins, strict=True))
    fields = (Field(begins, r"[^_\-. ]*", 0), Field(rest, ".*", 1))
    return Names(chosen, _folders(chosen), fields, others)


def _emotion_score(field: Field) -> tuple[float, float, float]:
    """Return how many files have a sure word here, how many have a code, and whether it stands in the file name."""
    if not 2 <= len(field.distinct) <= 20:
        return (0, 0, 0)
    guesses = read_codes(field.distinct)
    sizes, emotions = Counter(field.values), {guess.emotion for guess in guesses.values() if guess}
    sure = sum(sizes[code] for code, guess in guesses.items() if guess and guess.sure) / len(field.values)
    any_ = sum(sizes[code] for code, guess in guesses.items() if guess) / len(field.values)
    if len(emotions) < 2 or any_ < 0.5 or (sure < 0.5 and len(field.values) < 2 * len(sizes)):
        return (0, 0, 0)
    return (round(sure, 1), any_ * len(emotions), field.place >= 0)


def _speaker_score(field: Field, fields: list[Field]) -> float:
    emotion = next((f for f in fields if f.role == "emotion"), None)
    count = len(field.distinct)
    if field.role or not field.pattern or field.pattern == ".*" or count < 2 or count > len(field.values) / 2:
        return 0
    varying = [f for f in fields if f.place >= 0 and f.pattern and not f.constant and not f.role]
    score = 1.0 + 2 * (field.place < 0) + 2 * (varying[:1] == [field]) + (varying[-1:] == [field] != varying)
    score += 3 * bool(re.match(r"(?i)(actor|speaker|spk|subject)", field.values[0]))
    score += 2 * all(re.fullmatch(r"\d{4}", value) for value in field.distinct)
    score += 2 * any(f.role == "sex" and f.place == field.place - 1 >= 0 for f in fields)
    score -= 3 * bool({value.lower() for value in field.distinct} & _INTENSITIES) + 3 * (field.pattern == "[a-z]")
    if emotion is None:
        return score
    counts_takes = field.pattern == _DIGITS and 0 <= emotion.place == field.place - 1
    return score - 3 * counts_takes - 2 * (_emotions_each(field, emotion) < 1.5)


def _emotions_each(field: Field, emotion: Field) -> float:
    """Return the mean number of emotions that one value goes with: a person mostly acts several."""
    pairs = set(zip(field.values, emotion.values, strict=True))
    return len(pairs) / len(field.distinct)

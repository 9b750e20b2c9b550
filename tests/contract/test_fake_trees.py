"""Every card reads back a folder made up from it: names walked out of its grammar, tables written from its columns.

What a row must hold is noted while a name is built, part by part, and never matched out of the finished name: reader
and maker share no code but the card.
"""

import csv
import json
import random
import re
import string
from itertools import product

import pytest

from xlser.corpora.card import HOOK_FIELDS, load_card
from xlser.corpora.globbing import matches_any
from xlser.corpora.hooks import HOOKS
from xlser.corpora.scan import scan
from xlser.shipped import shipped_folder
from xlser.vocabulary import DIMENSIONS

try:
    from re import _parser as parser
except ImportError:  # Python 3.10
    import sre_parse as parser

# A card of segments has several rows a recording: see tests/corpora/test_described.py.
SEGMENTED = {"pavoque"}
CARDS = sorted({path.stem for path in shipped_folder("corpora").glob("*.yaml")} - SEGMENTED)
DIGITS, LETTERS = string.digits, "abcdefgh"


@pytest.fixture(params=CARDS)
def card(request):
    return load_card(request.param)


class Names:
    """Words of a regular expression; ``parts`` holds what each named group of the last one was given."""

    def __init__(self, pattern, rng, given=()):
        self.rng, self.given = rng, dict(given)
        self.tree = parser.parse(pattern)
        self.groups = {number: name for name, number in self.tree.state.groupdict.items()}

    def make(self):
        self.parts = dict.fromkeys(self.groups.values(), "")
        return self.walk(self.tree)

    def walk(self, tokens):
        return "".join(self.one(str(op), value) for op, value in tokens)

    def one(self, op, value):
        if op == "LITERAL":
            return chr(value)
        if op in ("ANY", "NOT_LITERAL"):
            return self.rng.choice(LETTERS)
        if op == "IN":
            return self.rng.choice(self.choices(value))
        if op == "BRANCH":
            return self.walk(self.rng.choice(value[1]))
        if op in ("MAX_REPEAT", "MIN_REPEAT"):
            low, high, inner = value
            return "".join(self.walk(inner) for _ in range(self.rng.randint(low, min(int(high), low + 4))))
        assert op == "SUBPATTERN", f"the walk knows no {op}"
        number, *_, inner = value
        text = self.walk(inner)
        name = self.groups.get(number)
        if name:
            text = self.parts[name] = self.given.get(name, text)
        return text

    def choices(self, items):
        found = ""
        for op, value in items:
            if str(op) == "NEGATE":
                return LETTERS
            if str(op) == "CATEGORY":
                found += DIGITS if str(value).endswith("DIGIT") else LETTERS + DIGITS
            else:
                found += "".join(map(chr, range(value[0], value[1] + 1))) if str(op) == "RANGE" else chr(value)
        return found


def unbraced(pattern):
    """Return every pattern that one with (unnested) braces stands for."""
    parts = re.split(r"\{([^}]*)\}", pattern)
    return ["".join(chosen) for chosen in product(*(p.split(",") if i % 2 else [p] for i, p in enumerate(parts)))]


def folder(pattern, rng):
    """Make up a folder that a brace-free glob looks into."""
    text = pattern.rpartition("/")[0].replace("**", "deep").replace("*", "any folder")
    return re.sub(r"\[(.)-?(.)?[^]]*\]", lambda found: rng.choice([found[1], found[2] or found[1]]), text)


def recordings(card, rng):
    """Return ``{path: parts}``: for every code two recordings whose names the grammar and the glob allow."""
    found, taken = {}, set()
    for code in list(card.emotion) * 2:
        names = Names(card.grammar, rng, {"emotion": code})
        for _ in range(500):
            path = a_path(card, names, rng)
            if matches_any(path, card.audio) and not ignored(card, path) and stem(path) not in taken:
                break
        else:
            raise AssertionError(f"{card.name}: no name for {code} that fits {card.audio}; the last was {path}")
        taken.add(stem(path))
        found[path] = names.parts | {"emotion": code}
    return found


def stem(path):
    return path.rpartition("/")[2].rpartition(".")[0].lower()


def a_path(card, names, rng):
    pattern = rng.choice([one for glob in card.audio for one in unbraced(glob)])
    name = names.make() + "." + pattern.rpartition(".")[2]
    place = folder(pattern, rng)
    return name if "/" in card.grammar or not place else f"{place}/{name}"


def ignored(card, path):
    return any(matches_any(path, rule.files) for rule in card.ignore)


def a_value(card, column, code, rng):
    if column == "emotion":
        return code
    if column == "sex":
        return rng.choice(list(card.sex))
    if column in ("speaker", "speaker_id", "actor", "user_id"):
        return rng.choice(["SB0", "JMI", "Zoë"])
    return f"{column} {rng.randint(1, 99)}, said"


def ratings(card, rng):
    return {name: rng.randint(*map(int, card.dimensions.scale)) + 0.0 for name in card.dimensions.columns or DIMENSIONS}


def write_rows(path, heads, rows, separator=","):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=separator).writerows([heads, *rows])


def write_table(card, root, found, values):
    """Write the main table, each row in the file that its key names, with a column nobody reads in front."""
    table = card.table
    columns = card.main_table().columns
    files = {}
    for path, parts in found.items():
        name, keys = key_cells(table, path, parts)
        cells = [values[path][column] for column in columns]
        files.setdefault(name, []).append(["x", *keys.values(), *(f"  {cell}" for cell in cells)])
    for name, rows in files.items():
        heads = ["nobody", *keys, *(f"{spellings[0]} " for spellings in columns.values())]
        write_rows(root / name, heads, rows, table.separator)


def key_cells(table, path, parts):
    """Return the table's file and the cells that make a recording's key: the key template read backwards."""
    name = re.sub(r"\[(.).*?\]", r"\1", table.file)
    if not table.join:
        return name, {table.key[0]: path.rpartition("/")[2]}
    pieces = string.Formatter().parse(table.key[0])
    pattern = "".join(re.escape(text) + (f"(?P<{field}>.+?)" if field else "") for text, field, *_ in pieces)
    cells = re.fullmatch(pattern, table.join.format(**parts)).groupdict()
    own = cells.pop("table")
    return f"{own}.csv", cells


def expected(card, path, parts, values, rated, sexes):
    fields = parts | values
    speaker = card.speaker.format(**fields).strip()
    speaker = card.same_speaker.get(speaker, speaker)
    told = [sex for sex, pattern in card.speaker_sex.items() if re.fullmatch(pattern, speaker)]
    sex = sexes.get(speaker, fields.get("sex"))
    by_code = {code.lower(): meaning for code, meaning in card.sex.items()}
    tongues = [tag for tag, pattern in card.speaker_language.items() if re.fullmatch(pattern, speaker)]
    return {
        "speaker": speaker,
        "sex": by_code[sex.lower()] if card.sex else (told or [None])[0],
        "emotion_raw": fields["emotion"],
        "emotion": card.emotion[fields["emotion"]],
        "text": card.text.format(**fields).strip() or None if card.text else None,
        "session": card.session.format(**fields) if card.session else None,
        "language": (tongues or [card.languages[0]])[0],
        "licence": card.licence,
        **{f"{name}_raw": rated.get(name) for name in DIMENSIONS},
    }


def make(card, root, rng):
    """Fill ``root`` and return ``{path: what its row must hold}``."""
    found = recordings(card, rng)
    rated = {path: ratings(card, rng) if card.dimensions else {} for path in found}
    columns = card.table.columns if card.table else ()
    told = {p: {c: a_value(card, c, parts["emotion"], rng) for c in columns} for p, parts in found.items()}
    if card.table:
        raw = {path: {f"{name}_raw": value for name, value in rated[path].items()} for path in found}
        write_table(card, root, found, {path: told[path] | raw[path] for path in found})
    if card.hook:
        told = HOOK_FILES[card.hook](root, found, rated)
    if card.dimensions and card.dimensions.file:
        heads = [card.dimensions.columns[name][0] for name in reversed(rated[next(iter(found))])]
        rows = [[path.rpartition("/")[2], *reversed(rated[path].values())] for path in found]
        write_rows(root / card.dimensions.file, [card.dimensions.key[0], *heads], rows)
    sexes = {parts["speaker"]: rng.choice(list(card.sex)) for parts in found.values()} if card.speakers else {}
    if card.speakers:
        write_rows(
            root / card.speakers.file, [card.speakers.key[0], "Age", "Sex"], [(k, 30, v) for k, v in sexes.items()]
        )
    for path in found:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return {path: expected(card, path, parts, told[path], rated[path], sexes) for path, parts in found.items()}


def a_file(pattern):
    """Make up a path that fits a pattern of files to ignore."""
    return (
        pattern.replace("**/*.", "copies/x.")
        .replace("/**/*", "/copies/x.wav")
        .replace("**/", "copies/")
        .replace("*", "wav")
    )


def iemocap_files(root, found, rated):
    folder = root / "Session1/dialog/EmoEvaluation"
    folder.mkdir(parents=True)
    lines = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]", ""]
    for path, parts in found.items():
        v, a, d = (rated[path][name] for name in ("valence", "activation", "dominance"))
        turn = path.rpartition("/")[2].removesuffix(".wav")
        lines += [
            f"[6.2901 - 8.2357]\t{turn}\t{parts['emotion']}\t[{v:.4f}, {a:.4f}, {d:.4f}]",
            "C-E2:\tNeutral;\t()",
            "",
        ]
    (folder / "Ses01F_impro01.txt").write_text("\n".join(lines))
    return {path: {} for path in found}


def msp_improv_files(root, found, rated):
    lines = []
    for path, parts in found.items():
        v, a, d = (rated[path][name] for name in ("valence", "activation", "dominance"))
        turn = path.rpartition("/")[2].removesuffix(".wav").replace("MSP-", "UTD-")
        lines += [
            f"{turn}.avi; {parts['emotion']}; A:{a:.6f}; V:{v:.6f}; D:{d:.6f} ; N:4.0;",
            "R1; Angry; ; A:1.0; V:1.0;",
        ]
    (root / "Evalution.txt").write_text("\n".join(lines))
    return {path: {} for path in found}


def thai_ser_files(root, found, rated):
    chosen = {code: [[code]] * 3 for code in ("Neutral", "Angry", "Happy", "Sad", "Frustrated")}
    chosen["none"] = [["Angry"], ["Sad"], ["Other"]]
    turns = {
        p.rpartition("/")[2].replace(".flac", ".wav"): [{"annotated": chosen[parts["emotion"]]}]
        for p, parts in found.items()
    }
    (root / "emotion_label.json").write_text(json.dumps(turns))
    return {path: {} for path in found}


def esd_files(root, found, rated):
    told = {}
    for number, path in enumerate(found):
        speaker = path.partition("/")[0]
        text, other = ("打远一看", "gb18030") if speaker <= "0010" else ("Let’s see", "cp1252")
        encoding = "utf-16" if speaker[-1] in "13579" else other
        (root / speaker).mkdir(exist_ok=True)
        file = root / speaker / f"{speaker}.txt"
        old = file.read_bytes().decode(encoding) if file.exists() else ""
        name = path.rpartition("/")[2].removesuffix(".wav")
        file.write_bytes(f"{old}{name}\t{text} {number}\tAngry\r\n".encode(encoding))
        told[path] = {"text": f"{text} {number}"}
    return told


HOOK_FILES = {"iemocap": iemocap_files, "msp-improv": msp_improv_files, "thai-ser": thai_ser_files, "esd": esd_files}


def test_every_hook_has_its_fields_and_its_files_here():
    assert set(HOOKS) == set(HOOK_FIELDS) == set(HOOK_FILES)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_folder_made_from_a_card_reads_back_row_by_row(card, tmp_path, seed):
    want = make(card, tmp_path, random.Random(seed))
    found = scan(card, tmp_path)
    got = {row["path"]: row for row in found.rows}
    assert set(got) == set(want)
    for path, row in want.items():
        assert {key: got[path][key] for key in row} == row, path
    assert [note for note in found.notes if not note.endswith("columns not read: nobody")] == []


def test_strays_of_a_corpus_are_left_out_and_named(card, tmp_path):
    want = make(card, tmp_path, random.Random(2))
    first = next(iter(want))
    name = first.rpartition("/")[2]
    hidden = (tmp_path / first).with_name(f"._{name}")
    hidden.touch()
    stray = "a folder/of copies/by someone/else, kept/" + name
    bad = [a_file(pattern) for rule in card.ignore for pattern in rule.files]
    for path in (stray, "README.txt", *bad):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    found = scan(card, tmp_path)
    outside = {path for paths in found.left_out.values() for path in paths}
    assert outside | {row["path"] for row in found.rows} == set(want) | {stray, *bad}
    assert {row["path"] for row in found.rows} - set(want) <= ({stray} if matches_any(stray, card.audio) else set())
    reasons = {f"ignored by the card: {rule.reason}" for rule in card.ignore}
    assert reasons <= set(found.left_out)


def test_another_case_of_suffix_and_codes_reads_the_same(card, tmp_path):
    want = make(card, tmp_path, random.Random(3))
    for path in want:
        head, _, suffix = path.rpartition(".")
        (tmp_path / path).rename(tmp_path / f"{head}.{suffix.upper()}")
    got = {row["path"].rpartition(".")[0]: row["emotion"] for row in scan(card, tmp_path).rows}
    assert got == {path.rpartition(".")[0]: row["emotion"] for path, row in want.items()}


def test_every_code_that_the_grammar_allows_is_in_the_table(card):
    group = re.search(r"\(\?P<emotion>((?:[^()]|\([^()]*\))*)\)", card.grammar)
    if group is None:
        return
    known = {code.lower() for code in card.emotion}
    assert all(re.fullmatch(group[1], code) for code in card.emotion)
    if not re.search(r"[+*{]", group[1]):
        names = Names(group[1], random.Random(0))
        assert {names.make().lower() for _ in range(300)} == known

"""A first card for a folder or a table nobody wrote one for: guessed by looking, for the user to correct."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from xlser.corpora.card import Card
from xlser.corpora.globbing import AUDIO_SUFFIXES, nfc, walk
from xlser.corpora.scan import scan
from xlser.corpora.words import plain
from xlser.data.formats.columns import read_sex
from xlser.data.formats.table_options import TableOptions
from xlser.data.formats.table_reader import read_rows
from xlser.data.init_fields import Field, Names, cut, find_roles, read_codes
from xlser.errors import CardError, CorpusError
from xlser.printable import is_unicode
from xlser.schema import validate
from xlser.vocabulary import DIMENSIONS
from xlser.yamlfile import parse_yaml

CHECK = "  # please check"


@dataclass
class Draft:
    """The text of a first card, what was guessed, and what its user must look at."""

    text: str
    guessed: list[str] = field(default_factory=list)
    check: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)


def first_card(source: str | Path, name: str | None = None, options: TableOptions | None = None) -> Draft:
    """Write a first card for a folder of recordings, or for a table that lies beside them.

    Labels are read by a list of words in a dozen languages, then by the codes of well-known corpora; whatever is not
    sure is marked ``# please check``. The card loads and reads the folder as it is; ``options`` say how a table is read
    and where its recordings are.

    Raises:
        CorpusError: nothing is there, no audio, nothing that looks like an emotion, or a card that does not fit after
            all (with the card's own error).
    """
    source = Path(source).expanduser()
    if not source.exists():
        raise CorpusError(f"{source} does not exist: give a folder of recordings or a table that names them")
    options = options or TableOptions()
    root = source if source.is_dir() else options.folder(source)
    audio = (path for path in walk(root) if PurePosixPath(path).suffix.lower() in AUDIO_SUFFIXES)
    files = [path for path in audio if is_unicode(path)]  # the scan names the others
    if not files:
        raise CorpusError(f"{root} holds no audio file")
    draft = _from_names(files, root) if source.is_dir() else _from_table(source, files, options)
    draft.text = _head(name or root.resolve().name, draft, files) + draft.text
    if not draft.languages:
        draft.check.append("languages: und stands for a language that nobody named; write a tag such as ur or fr-CA")
    draft.check.append("licence, elicitation and source: nobody can see them")
    _try(draft, root)
    return draft


def _head(name: str, draft: Draft, files: list[str]) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", plain(name)).strip("-") or "corpus"
    return (
        f"# A first card, guessed by looking at {len(files)} files, for you to correct.\n"
        f"name: {slug}\ntitle: {json.dumps(name, ensure_ascii=False)}\n"
        f"languages: [{', '.join(draft.languages) or 'und'}]  # EDIT: BCP 47, such as ur or fr-CA\n"
        'licence: "unknown"  # EDIT\nelicitation: acted  # EDIT: acted | elicited | natural | synthetic\n'
    )


def _from_names(files: list[str], root: Path) -> Draft:
    suffix = Counter(PurePosixPath(path).suffix.lower() for path in files).most_common(1)[0][0]
    names = find_roles(cut([nfc(path) for path in files if PurePosixPath(path).suffix.lower() == suffix]))
    by_role = {f.role: f for f in (*names.folders, *names.fields) if f.role}
    if "emotion" not in by_role:
        raise CorpusError(
            f"nothing in the names below {root} looks like an emotion, such as {names.files[0]}. If a table holds the "
            "labels, give the table: xlser corpora init labels.csv"
        )
    draft = Draft("")
    _tell(names, by_role, draft)
    lines = [f"audio: {_quoted(_glob(names, suffix))}", f"grammar: {_quoted(_grammar(names))}"]
    lines += _speaker(by_role, draft) + _emotions(by_role["emotion"].distinct, draft)
    if "sex" in by_role:
        codes = {code: read_sex(code) for code in by_role["sex"].distinct}
        lines.append("sex: {" + ", ".join(f"{json.dumps(code)}: {sex}" for code, sex in codes.items()) + "}")
    draft.text = "\n".join(lines) + "\n"
    return draft


def _glob(names: Names, suffix: str) -> str:
    return "*/" * len(names.folders) + f"*{suffix}"


def _grammar(names: Names) -> str:
    stem = "".join(f.regex() for f in names.fields)
    if not any(f.role for f in names.folders):
        return stem
    return "/".join([*(f.regex() if f.role else "[^/]+" for f in names.folders), stem])


def _speaker(by_role: dict[str, Field], draft: Draft) -> list[str]:
    speaker, sex = by_role.get("speaker"), by_role.get("sex")
    if speaker is None:
        draft.check.append(
            "speaker: nothing looks like one, so all files count as ONE person; no split can part people"
        )
        return ["speaker: unknown  # EDIT: every file counts as one person now"]
    joined = sex is not None and 0 <= sex.place == speaker.place - 1
    draft.check.append(f"speaker: are these people? {_some(speaker.distinct)}")
    return [f'speaker: "{"{sex}" * joined}{{speaker}}"{CHECK}']


def _emotions(codes: list[str], draft: Draft) -> list[str]:
    lines = ["emotion:"]
    for number, (code, guess) in enumerate(read_codes(codes).items()):
        emotion = guess.emotion if guess else f"unread-{_letters(number)}"
        sure = guess is not None and guess.sure
        lines.append(f"  {json.dumps(code, ensure_ascii=False)}: {emotion}{'' if sure else CHECK}")
        if not sure:
            draft.check.append(f"emotion: does {code!r} mean {emotion}?")
    return lines


def _letters(number: int) -> str:
    """Return a, b ... z, ba, bb: canonical names hold no digits."""
    return (_letters(number // 26) if number >= 26 else "") + chr(ord("a") + number % 26)


def _from_table(table: Path, files: list[str], options: TableOptions) -> Draft:
    read = read_rows(table, options, ("path", "emotion|emotion_raw"))
    heads, rows = read.heads, read.rows
    if read.separator is None:
        raise CorpusError(
            f"a card reads text tables, and {table.name} is none: save it as CSV, or make a manifest of it: "
            f"xlser corpora import csv {table} --out mine.parquet"
        )
    draft = Draft(
        "",
        [f"{table.name}: {len(rows)} rows; columns {', '.join(f'{r} = {h!r}' for r, h in heads.items())}"],
        read.notes(),
    )
    taken = ("emotion", "speaker", "sex", "text", "session")
    columns: dict[str, str] = {role: heads[role] for role in taken if role in heads}
    if "emotion_raw" in heads:
        columns["emotion"] = heads["emotion_raw"]
    columns |= {f"{role}_raw": heads[role] for role in DIMENSIONS if role in heads}
    draft.languages = sorted({str(row["language"]).strip() for row in rows}) if "language" in heads else []
    if len(draft.languages) > 1:
        columns["language"] = heads["language"]
    role = "emotion_raw" if "emotion_raw" in heads else "emotion"
    suffixes = sorted({PurePosixPath(path).suffix.lower() for path in files})
    lines = ["audio: " + json.dumps([f"**/*{suffix}" for suffix in suffixes]), "grammar: '(?P<file>.+)'"]
    lines += [f"table:\n  file: {_quoted(table.name)}\n  key: {json.dumps(heads['path'], ensure_ascii=False)}"]
    lines += [f"  separator: {json.dumps(read.separator)}", f"  columns: {json.dumps(columns, ensure_ascii=False)}"]
    lines += [f"  encoding: {json.dumps(read.encoding)}"] if read.encoding != "utf-8-sig" else []
    lines += ['language: "{language}"'] if "language" in columns else []
    if "speaker" not in heads:
        lines += _speaker({}, draft)
    lines += _emotions(sorted({str(row[role]).strip() for row in rows if row.get(role)}), draft)
    sexes = {str(row.get("sex") or "").strip(): read_sex(str(row.get("sex") or "")) for row in rows}
    if any(sexes.values()):
        lines.append("sex: " + json.dumps({code: sex for code, sex in sexes.items() if sex}, ensure_ascii=False))
    lines += _dimensions(rows, heads, draft)
    draft.text = "\n".join(lines) + "\n"
    return draft


def _dimensions(rows: list[dict], heads: dict[str, str], draft: Draft) -> list[str]:
    rated = [role for role in DIMENSIONS if role in heads]
    values = [
        float(text) for row in rows for role in rated if re.fullmatch(r"-?\d+(\.\d+)?", text := str(row[role]).strip())
    ]
    if not values:
        return []
    low, high = min(values), max(values)
    draft.check.append(f"dimensions: the ratings lie in [{low:g}, {high:g}]; write the ends of their scale")
    return [f"dimensions: {{scale: [{low:g}, {high if high > low else low + 1:g}]}}{CHECK}"]


def _tell(names: Names, by_role: dict[str, Field], draft: Draft) -> None:
    draft.guessed.append(f"{len(names.files)} names such as {names.files[0]}")
    for role, found in by_role.items():
        where = f"piece {found.place + 1} of the file name" if found.place >= 0 else "a folder"
        draft.guessed.append(f"{role}: {where}: {_some(found.distinct)}")
    if names.others:
        draft.check.append(f"{len(names.others)} names are built otherwise and left out, such as {names.others[0]}")


def _try(draft: Draft, root: Path) -> None:
    card = validate(Card, parse_yaml(draft.text, "the first card", CardError), "the first card", CardError)
    found = scan(card, root)
    speakers = {row["speaker"] for row in found.rows}
    draft.guessed.append(f"read with this card: {len(found.rows)} recordings, {len(speakers)} speaker(s)")
    draft.check += [f"{len(paths)} left out, {reason}: {_some(paths, 3)}" for reason, paths in found.left_out.items()]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _some(values: list[str], most: int = 8) -> str:
    return ", ".join(values[:most]) + (f" and {len(values) - most} more" if len(values) > most else "")

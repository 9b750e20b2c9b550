"""A first card for a folder or a table nobody wrote one for: guessed by looking, for the user to correct."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath

from xlser.corpora.globbing import AUDIO_SUFFIXES, nfc, walk
from xlser.corpora.words import plain
from xlser.data.formats.columns import read_sexes
from xlser.data.formats.table_options import TableOptions
from xlser.data.init_draft import CHECK, Draft, attempt, emotion_lines, nobody_lines, some, word
from xlser.data.init_fields import Field, Names, cut, find_roles
from xlser.data.init_table import table_draft, table_paths, tables_in
from xlser.data.init_unfinished import unfinished_draft
from xlser.errors import CorpusError
from xlser.filenames import LONGEST, file_name_fault
from xlser.printable import is_unicode


def first_card(source: str | Path, name: str | None = None, options: TableOptions | None = None) -> Draft:
    """Write a first card for a folder of recordings, or for a table that names them.

    In a folder a table of segments is used, and any other where the names of the files say nothing of emotion, or where
    the options say how a table is read.

    Labels are read by a list of words in a dozen languages, then by the codes of well-known corpora; whatever is not
    sure is marked ``# please check``. The card loads and reads the folder as it is; ``options`` say how a table is read
    and where its recordings are. Where that cannot be had, the card says what was seen, and EDIT where something is
    missing (see `unfinished_draft`).

    Raises:
        CorpusError: there is no such folder or file.
    """
    source = Path(source).expanduser()
    if not source.exists():
        raise CorpusError(f"{source} does not exist: give a folder of recordings or a table that names them")
    options = options or TableOptions()
    root = source if source.is_dir() else options.folder(source)
    audio = (path for path in walk(root) if PurePosixPath(path).suffix.lower() in AUDIO_SUFFIXES)
    files = [path for path in audio if is_unicode(path)]  # the scan names the others
    head = partial(_head, name or root.resolve().name, len(files))
    try:
        draft = _draft(source, root, files, options, head)
    except CorpusError as error:
        draft = unfinished_draft(source, root, files, options, head=head, reason=str(error))
    if not draft.languages:
        draft.check.append("languages: und stands for a language that nobody named; write a tag such as ur or fr-CA")
    draft.check.append("licence, elicitation and source: nobody can see them")
    return draft


def _draft(
    source: Path, root: Path, files: list[str], options: TableOptions, head: Callable[[list[str]], str]
) -> Draft:
    if not files:
        raise CorpusError(f"{root} holds no audio file")
    return (
        _from_folder(files, root, options, head) if source.is_dir() else table_draft(source, root, files, options, head)
    )


def _head(name: str, count: int, languages: list[str]) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", plain(name))[:LONGEST].strip("-") or "corpus"
    slug = f"{slug}-corpus" if file_name_fault(slug) else slug
    return (
        f"# A first card, guessed by looking at {count} files, for you to correct.\n"
        f"name: {word(slug)}\ntitle: {json.dumps(name, ensure_ascii=False)}\n"
        f"languages: [{', '.join(map(word, languages)) or 'und'}]  # EDIT: BCP 47, such as ur or fr-CA\n"
        'licence: "unknown"  # EDIT\nelicitation: acted  # EDIT: acted | elicited | natural | synthetic\n'
        "verified: never  # nobody but you has compared this card with the recordings\n"
    )


def _from_folder(files: list[str], root: Path, options: TableOptions, head: Callable[[list[str]], str]) -> Draft:
    tables = tables_in(root, files, options)
    segmented = [table for table, read in tables.items() if "start" in read.heads]
    of_table = partial(table_draft, root=root, files=files, options=options, head=head)
    if len(segmented) == 1:
        return of_table(segmented[0])
    if options.columns or options.encoding or options.separator:
        return of_table(_only([*tables] or table_paths(root), root))
    try:
        draft = _from_names(files, root, head)
    except CorpusError as error:
        return _where_names_fail(error, [*tables] or table_paths(root), root, of_table)
    draft.check += [
        f"{table.name} names these recordings and is not read: give it in place of the folder" for table in tables
    ]
    return draft


def _where_names_fail(error: CorpusError, tables: list[Path], root: Path, of_table: Callable[[Path], Draft]) -> Draft:
    if not tables:
        raise CorpusError(f"{error}. If a table holds the labels, put it there, or give it: xlser corpora init TABLE")
    try:
        return of_table(_only(tables, root))
    except CorpusError as why:
        raise CorpusError(f"{error}; {why}") from why


def _only(tables: list[Path], root: Path) -> Path:
    """Return the table of a folder; it is an error where there is none, or more than one."""
    if len(tables) == 1:
        return tables[0]
    if not tables:
        raise CorpusError(f"{root} holds no table whose columns, encoding or separator could be named: give the table")
    raise CorpusError(f"{root} holds several tables; give the one with the labels: {', '.join(map(str, tables))}")


def _from_names(files: list[str], root: Path, head: Callable[[list[str]], str]) -> Draft:
    suffix = Counter(PurePosixPath(path).suffix.lower() for path in files).most_common(1)[0][0]
    names = find_roles(cut([nfc(path) for path in files if PurePosixPath(path).suffix.lower() == suffix]))
    by_role = {f.role: f for f in (*names.folders, *names.fields) if f.role}
    if "emotion" not in by_role:
        raise CorpusError(f"nothing in the names below {root} looks like an emotion, such as {names.files[0]}")
    draft = Draft("")
    _tell(names, by_role, draft)
    lines = [f"audio: {_quoted(_glob(names, suffix))}", f"grammar: {_quoted(_grammar(names))}"]
    lines += _speaker(by_role, draft) + emotion_lines(by_role["emotion"].distinct, draft)
    if "sex" in by_role:
        codes = read_sexes(by_role["sex"].distinct)
        lines.append("sex: {" + ", ".join(f"{json.dumps(code)}: {sex}" for code, sex in codes.items()) + "}")
    draft.text = head([]) + "\n".join(lines) + "\n"
    _try(draft, root)
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
        return nobody_lines(draft)
    joined = sex is not None and 0 <= sex.place == speaker.place - 1
    draft.check.append(f"speaker: are these people? {some(speaker.distinct)}")
    return [f'speaker: "{"{sex}" * joined}{{speaker}}"{CHECK}']


def _tell(names: Names, by_role: dict[str, Field], draft: Draft) -> None:
    draft.guessed.append(f"{len(names.files)} names such as {names.files[0]}")
    for role, found in by_role.items():
        where = f"piece {found.place + 1} of the file name" if found.place >= 0 else "a folder"
        draft.guessed.append(f"{role}: {where}: {some(found.distinct)}")
    if names.others:
        draft.check.append(f"{len(names.others)} names are built otherwise and left out, such as {names.others[0]}")


def _try(draft: Draft, root: Path) -> None:
    found = attempt(draft.text, root)
    speakers = {row["speaker"] for row in found.rows}
    draft.guessed.append(f"read with this card: {len(found.rows)} recordings, {len(speakers)} speaker(s)")
    draft.check += [f"{len(paths)} left out, {reason}: {some(paths, 3)}" for reason, paths in found.left_out.items()]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

"""Files are whole or not there, and YAML is read without its surprises."""

import errno
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import Field

from xlser.atomic import replacing, write_text
from xlser.errors import CardError, XlserError
from xlser.schema import Strict, validate
from xlser.yamlfile import parse_yaml, read_yaml


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    return path


def run(code, *arguments):
    return subprocess.run([sys.executable, "-c", code, *map(str, arguments)], check=False)


def full_disk(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_whole_file_takes_the_place_of_the_old_one(old):
    with replacing(old) as temporary:
        temporary.write_text("new")
        assert old.read_text() == "old"
    assert old.read_text() == "new"
    assert os.listdir(old.parent) == [old.name]


def test_missing_folders_are_made(tmp_path):
    write_text(tmp_path / "a" / "b" / "ü.txt", "größer")
    assert (tmp_path / "a" / "b" / "ü.txt").read_text(encoding="utf-8") == "größer"


def test_an_exception_leaves_the_old_file_and_no_other(old):
    def half():
        with replacing(old) as temporary:
            temporary.write_text("hal")
            raise KeyError("stop")

    with pytest.raises(KeyError):
        half()
    assert old.read_text() == "old"
    assert os.listdir(old.parent) == [old.name]


def test_a_kill_in_the_middle_leaves_the_old_file_whole(old):
    code = (
        "import os, sys; from xlser.atomic import replacing\n"
        "with replacing(sys.argv[1]) as temporary:\n"
        "    temporary.write_text('hal'); os._exit(9)"
    )
    assert run(code, old).returncode == 9
    assert old.read_text() == "old"
    others = set(os.listdir(old.parent)) - {old.name}
    assert all(name.startswith(".") for name in others), "what a kill leaves behind must stay hidden from globs"


@pytest.mark.parametrize("step", ["open", "replace"])
def test_a_full_disk_names_the_file_and_the_way_out(old, monkeypatch, step):
    monkeypatch.setattr(os, step, full_disk)
    with pytest.raises(XlserError, match=r"cannot write .*table\.csv: No space left.*Free some space"):
        write_text(old, "new")
    monkeypatch.undo()
    assert old.read_text() == "old"
    assert os.listdir(old.parent) == [old.name]


def test_a_disk_that_fills_up_while_writing_is_told_the_same_way(old, monkeypatch):
    monkeypatch.setattr(Path, "write_text", full_disk)
    with pytest.raises(XlserError, match=r"table\.csv: No space left.*choose another folder"):
        write_text(old, "new")
    assert os.listdir(old.parent) == [old.name]


def test_two_processes_end_in_one_whole_file(tmp_path):
    path = tmp_path / "shared.txt"
    code = (
        "import sys; from xlser.atomic import write_text\n"
        "for _ in range(100): write_text(sys.argv[1], sys.argv[2] * 200_000)"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(path), letter]) for letter in "ab"]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert path.read_text() in {"a" * 200_000, "b" * 200_000}
    assert os.listdir(tmp_path) == ["shared.txt"]


def test_files_have_the_rights_of_any_new_file_even_when_threads_write(tmp_path):
    before = os.umask(0o027)
    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda number: write_text(tmp_path / f"{number % 7}", "x"), range(200)))
        after = os.umask(0o027)
    finally:
        sys.setswitchinterval(switch)
        os.umask(before)
    assert after == 0o027, "the umask belongs to the process, not to one writer"
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o640}


def test_no_tag_of_a_yaml_file_runs_code(tmp_path):
    path = tmp_path / "card.yaml"
    path.write_text(f"name: !!python/object/apply:os.mkdir ['{tmp_path / 'made'}']\n")
    with pytest.raises(CardError, match=r"card\.yaml is not valid YAML"):
        read_yaml(path, CardError)
    assert not (tmp_path / "made").exists()


def test_keys_stay_the_text_they_are():
    text = "{01: a, no: b, on: c, 1.50: d, null: e, 0x1F: f, 2024-01-01: g}"
    keys = ["01", "no", "on", "1.50", "null", "0x1F", "2024-01-01"]
    assert parse_yaml(text, "x") == dict(zip(keys, "abcdefg", strict=True))


@pytest.mark.parametrize("text", ["1e-4", "+1e-4", "1E-4", "+1.0e-4", ".1e-3", "0.0001"])
def test_every_way_to_write_a_learning_rate_is_a_number(text):
    assert parse_yaml(f"lr: {text}", "x") == {"lr": 1e-4}


@pytest.mark.parametrize("text", ["1e-4a", "e5", "01e", "-e1"])
def test_what_only_looks_like_a_number_stays_text(text):
    assert parse_yaml(f"code: {text}", "x") == {"code": text}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nb: {c: 1, c: 2}", r"key 'c' given twice.*line 2"),
        ("a: 1\n'a': 2", "key 'a' given twice"),
        ("? [a]\n: 1", "a key must be plain text"),
        ("a: [1", "is not valid YAML"),
        ("a: &x [*x]", "is not valid YAML"),
        ("day: 2024-99-99", "is not valid YAML: month"),
        ("- a", "must hold a mapping of keys to values, but holds list"),
        ("", "is empty"),
    ],
)
def test_yaml_that_cannot_be_used_is_refused_with_the_reason(text, told):
    with pytest.raises(XlserError, match=f"(?s)x.*{told}"):
        parse_yaml(text, "x")


def test_a_merged_mapping_may_be_overridden():
    assert parse_yaml("base: &b {a: 1, c: 3}\nx: {<<: *b, a: 2}", "x")["x"] == {"a": 2, "c": 3}


def test_a_byte_order_mark_is_passed_over(tmp_path):
    (tmp_path / "x.yaml").write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_yaml(tmp_path / "x.yaml") == {"a": 1}


@pytest.mark.parametrize("content", [None, "name: Größe".encode("latin-1")], ids=["missing", "latin-1"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "x.yaml"
    if content:
        path.write_bytes(content)
    with pytest.raises(CardError, match=r"cannot read .*x\.yaml"):
        read_yaml(path, CardError)


class Inner(Strict):
    epochs: int = 1


class Outer(Strict):
    inner: Inner = Inner()
    many: dict[str, Inner] = Field(default={})
    name: str


def test_all_errors_are_told_at_once_with_the_nearest_key():
    values = {"inner": {"epoch": 3}, "many": {"a": {"epochs": "x"}}, "nme": "n"}
    with pytest.raises(CardError) as told:
        validate(Outer, values, "card x", CardError)
    first, *lines = str(told.value).splitlines()
    assert first == "card x: 4 problems"
    assert {line.strip() for line in lines} == {
        "inner.epoch: unknown key; did you mean 'epochs'?",
        "many.a.epochs: Input should be a valid integer, unable to parse string as an integer (got 'x')",
        "name: is missing",
        "nme: unknown key; did you mean 'name'?",
    }


def test_an_unknown_key_in_a_group_of_groups_gets_the_inner_keys():
    with pytest.raises(CardError, match=r"many\.a\.zzz: unknown key; known: epochs"):
        validate(Outer, {"name": "n", "many": {"a": {"zzz": 1}}}, "card x", CardError)


def test_a_valid_model_cannot_be_changed():
    model = validate(Outer, {"name": "n"}, "card x", CardError)
    with pytest.raises(ValueError, match="frozen"):
        model.name = "other"

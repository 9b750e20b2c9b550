"""What a report clears away: files that an earlier one made and this one did not, and nothing else."""

import json

import pytest

from xlser.errors import XlserError
from xlser.ownfiles import OwnFiles
from xlser.reporting.bench.written import INDEX, write_all

OLD = [("pages/a.html", "a"), ("pages/b.html", "b"), ("tables/t.md", "t")]


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_what_is_no_longer_written_goes_and_the_users_own_stays(tmp_path):
    write_all(tmp_path, OLD)
    for name in ("pages/mine.html", "tables/mine.tex", "notes.txt", "clips/x.mp3"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine")
    write_all(tmp_path, [("pages/b.html", "other")])
    assert files(tmp_path) == sorted(
        ["clips/x.mp3", "notes.txt", "pages/b.html", "pages/mine.html", INDEX, "tables/mine.tex"]
    )
    assert (tmp_path / "pages" / "b.html").read_text() == "other"


def test_a_page_that_somebody_changed_stays(tmp_path):
    write_all(tmp_path, OLD)
    (tmp_path / "tables" / "t.md").write_text("t, with my notes")
    write_all(tmp_path, OLD[:1])
    assert files(tmp_path) == ["pages/a.html", INDEX, "tables/t.md"]


def test_one_that_is_gone_already_is_no_fault(tmp_path):
    write_all(tmp_path, OLD)
    (tmp_path / "pages" / "a.html").unlink()
    write_all(tmp_path, OLD[1:])
    assert files(tmp_path) == ["pages/b.html", INDEX, "tables/t.md"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"pages/../../x": "0"}', '"x"', "null"])
def test_an_index_that_is_damaged_deletes_nothing(tmp_path, text):
    write_all(tmp_path, OLD)
    (tmp_path / INDEX).write_text(text)
    write_all(tmp_path, OLD[:1])
    assert files(tmp_path) == sorted([name for name, _ in OLD] + [INDEX])


def test_an_index_that_names_files_elsewhere_deletes_none(tmp_path):
    write_all(tmp_path, OLD)
    (tmp_path / "results.json").write_text("a")
    (tmp_path / "pages" / "deep").mkdir()
    (tmp_path / "pages" / "deep" / "x").write_text("a")
    told = json.loads((tmp_path / INDEX).read_text())
    ours = told["pages/a.html"]
    evil = ("results.json", "../results.json", "pages/deep/x", "pages/..", str(tmp_path / "results.json"))
    (tmp_path / INDEX).write_text(json.dumps(told | dict.fromkeys(evil, ours)))
    write_all(tmp_path, OLD)
    assert {"results.json", "pages/deep/x"} <= set(files(tmp_path))


def test_names_that_differ_in_case_alone_may_be_one_file(tmp_path):
    write_all(tmp_path, OLD)
    write_all(tmp_path, [("pages/A.html", "a")])
    assert (tmp_path / "pages" / "A.html").read_text() == "a"
    assert (tmp_path / "pages" / "a.html").exists()


def test_a_report_that_breaks_off_deletes_nothing(tmp_path, monkeypatch):
    write_all(tmp_path, OLD)

    def full(own, name, text):
        raise XlserError("no space")

    monkeypatch.setattr(OwnFiles, "write", full)
    with pytest.raises(XlserError):
        write_all(tmp_path, OLD[:1])
    assert files(tmp_path) == sorted([name for name, _ in OLD] + [INDEX])

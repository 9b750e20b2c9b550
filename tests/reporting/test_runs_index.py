"""A page of all results: each by its own answer, what cannot be read is named, a click sorts."""

import json
import re

import pytest

from xlser.errors import RunError
from xlser.reporting import first_screen
from xlser.reporting.facts import Facts
from xlser.reporting.runs_index import KEPT, refresh_index, write_index


@pytest.fixture
def folder(tmp_path, results):
    """Two runs, one of which was finished later, with a name that is hostile; a damaged one; and a folder of notes."""
    for name, when, value in (
        ("b/one", "2026-01-02 00:00:00 +0000", 0.9),
        ("<i>&#x", "2026-01-03 00:00:00 +0000", 0.3),
    ):
        made = json.loads(json.dumps(results))
        made["about"]["finished"] = when
        for row in made["transfer"]:
            row["value"] = value
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "results.json").write_text(json.dumps(made))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "results.json").write_text("{")
    (tmp_path / "notes").mkdir()
    return tmp_path


def test_every_result_has_its_answer_the_newest_first(folder):
    text = write_index(folder).read_text(encoding="utf-8")
    rows = re.findall(r"<tr.*?</tr>", text.partition("<tbody>")[2], re.DOTALL)
    assert [re.search(r'href="([^"]+)"', row)[1] for row in rows] == [
        "%3Ci%3E%26%23x/report.html",
        "b/one/report.html",
    ]
    facts = Facts(json.loads((folder / "b/one/results.json").read_text()))
    assert first_screen.headline(facts).text in rows[1]
    assert "UA 0.90" in rows[1]
    assert "<i>" not in text
    assert re.search("Not read: broken: .*results.json", text)


def test_what_has_changed_is_read_again_and_damage_to_what_is_kept_is_nothing(folder):
    first = write_index(folder).read_text(encoding="utf-8")
    assert write_index(folder).read_text(encoding="utf-8") == first
    changed = folder / "b/one/results.json"
    changed.write_text(changed.read_text().replace("0.9", "0.70"))
    assert "UA 0.70" in write_index(folder).read_text(encoding="utf-8")
    for damage in ("{", "[]", json.dumps({"schema": 0, "results": {"b/one": 5}})):
        (folder / KEPT).write_text(damage)
        assert "UA 0.70" in write_index(folder).read_text(encoding="utf-8")
    assert (folder / KEPT).read_text() != damage


def test_results_that_are_json_but_none_of_ours_are_named(folder):
    for number, text in enumerate(("[]", "null", '{"about": 5}', '{"schema": 1}')):
        (folder / f"odd{number}").mkdir()
        (folder / f"odd{number}" / "results.json").write_text(text)
    text = write_index(folder).read_text(encoding="utf-8")
    assert all(f"Not read: odd{number}" in text for number in range(4))
    assert "UA 0.90" in text


def test_the_index_of_runs_is_made_anew_and_no_result_fails_by_it(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert refresh_index(folder / "b/one") is None
    (tmp_path / "b").rename(tmp_path / "runs")
    assert refresh_index("runs/one") is not None
    assert "UA 0.90" in (tmp_path / "runs" / "index.html").read_text(encoding="utf-8")
    (tmp_path / "runs" / "index.html").unlink()
    (tmp_path / "runs" / "index.html").mkdir()
    assert refresh_index("runs/one") is None


def test_a_folder_without_results_is_named(tmp_path):
    with pytest.raises(RunError, match=r"results\.json"):
        write_index(tmp_path)
    with pytest.raises(RunError, match="nowhere"):
        write_index(tmp_path / "nowhere")


def test_a_click_sorts_and_another_turns_it_round(folder, browser, faults_of):
    file = write_index(folder)
    assert faults_of(file, answered=False) == []
    page = browser.new_page()
    page.goto(file.resolve().as_uri())
    answers = "[...document.querySelectorAll('tbody tr')].map(row => row.cells[3].textContent.match(/[\\d.]+/)[0])"
    assert page.evaluate(answers) == ["0.30", "0.90"]
    for expected in (["0.30", "0.90"], ["0.90", "0.30"]):
        page.get_by_role("button", name="UA").click()
        assert page.evaluate(answers) == expected
    page.get_by_role("button", name="Finished").click()
    assert page.evaluate(answers) == ["0.90", "0.30"]
    for typed, left in (("B/ONE 0.9", 1), ("nowhere", 0), ("", 2)):
        page.get_by_role("searchbox").fill(typed)
        assert page.locator("tbody tr:visible").count() == left
    page.close()

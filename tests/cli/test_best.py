"""``xlser best`` as a new user types it: one command, one page, one model that ``xlser predict`` uses."""

import csv
import io
import shutil

import pytest
from ragged import make_ragged

SOURCES = ("--sources", "synthetic-de,synthetic-tr", "--minutes", 0.01)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_ragged(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    """A folder of recordings without labels."""
    return make_ragged(tmp_path_factory.mktemp("more"), seed=5) / "synthetic-tr" / "wav"


@pytest.mark.slow
def test_a_folder_gets_a_page_and_a_model_that_predicts(xlser, data, field, tmp_path):
    out = tmp_path / "best"
    status, said, _ = xlser("best", *SOURCES, "--target", field, "--data-root", data, "--out", out)
    assert status == 0
    assert "Expect a UA of" in said
    assert f"xlser predict {out}" in said
    assert {"report.html", "README.md", "best.csv", "best.json", "model.json"} <= {path.name for path in out.iterdir()}
    status, said, _ = xlser("predict", out, field, "--format", "csv")
    assert status == 0
    rows = list(csv.DictReader(io.StringIO(said)))
    assert len(rows) == len(list(field.glob("*.wav")))
    assert {row["emotion"] for row in rows} <= {"anger", "happiness", "neutral", "sadness"}
    (out / "report.html").unlink()
    status, said, faults = xlser("report", out)
    assert status == 0, faults
    assert (out / "report.html").is_file()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        (("--target", "one"), "2 recordings at least"),
        (("--target", "nowhere-at-all"), "nowhere-at-all"),
        (("--leave-one-out",), "--target"),
        (("--minutes", 0), "above 0"),
        (("--emotions", "anger"), "two at least"),
        (("--few-shot", "nowhere.csv"), "nowhere.csv"),
        (("--speakers", "who"), "--speakers must be"),
        (("--root", "nobody=/tmp"), "no corpus 'nobody'"),
        (("--sources", "synthetic-de,synthetic-de"), "twice"),
    ],
)
def test_what_cannot_be_is_one_message(xlser, data, field, tmp_path, changes, named):
    words = ("best", *SOURCES, "--target", field, "--data-root", data, "--out", tmp_path / "out")
    if changes[-1] == "one":
        (tmp_path / "one").mkdir()
        shutil.copy(next(field.glob("*.wav")), tmp_path / "one")
        changes = ("--target", tmp_path / "one")
    status, _, said = xlser(*words, *changes)
    assert status != 0
    assert named in said
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()

"""``xlser probe-layers`` as a user types it."""

import json

import pytest
from ragged import make_ragged


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_ragged(tmp_path_factory.mktemp("data"))


def test_it_prints_tables_and_writes_page_json_and_csv(xlser, data, tmp_path):
    words = ("--sources", "synthetic-de", "--targets", "synthetic-tr", "--data-root", data, "--out", tmp_path)
    status, said, _ = xlser(
        "probe-layers", "random:tiny", *words, "--layers", "0,-1", "--poolings", "mean", "--seeds", 2
    )
    assert status == 0
    assert "eGeMAPS" in said
    assert {path.name for path in tmp_path.glob("[!.]*")} == {"layers.html", "layers.json", "layers.csv"}
    states = {row["state"]["layer"] for row in json.loads((tmp_path / "layers.json").read_text())["scores"]}
    assert states == {0, 2, None}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        (("--layers", "0,9"), "from 0 to 2"),
        (("--layers", "two"), "whole numbers such as 0,1,2"),
        (("--poolings", "attentive"), "some of mean, std, min, max"),
        (("--targets", "synthetic-de"), "named twice"),
        (("--targets", "nowhere"), "nowhere"),
        (("--emotions", "anger"), "emotions"),
    ],
)
def test_what_cannot_be_is_one_message(xlser, data, changes, named):
    words = ("--sources", "synthetic-de", "--targets", "synthetic-tr", "--data-root", data)
    status, _, said = xlser("probe-layers", "random:tiny", *words, *changes)
    assert status != 0
    assert named in said

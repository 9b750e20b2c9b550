"""A source of few speakers, as SAVEE (4) and TESS (2) are: folds are as many as it allows, and the result says so."""

import json
import shutil

import pytest

import xlser
from xlser.errors import CorpusError
from xlser.experiment.bench.plan import make_jobs
from xlser.experiment.bench.run import run_bench
from xlser.experiment.run import run_recipe
from xlser.reporting.bench.compare import compare
from xlser.reporting.bench.report import render_bench, write_bench_report
from xlser.reporting.report import render_terminal, write_report
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.recipe import Recipe

HELD_OUT, VALIDATION = "source, held-out speakers", "source, validation speakers"
COMMON = {"source": "synthetic-de", "targets": ("synthetic-tr",), "evaluation": {"draws": 100}}
AUTOENCODER = Recipe(name="few", training={"epochs": 1, "seeds": 2, "batch": 8}, model={"hidden": (8,)}, **COMMON)
ENCODER = EncoderRecipe(
    name="few",
    encoder={"weights": "random:tiny"},
    methods={"ce": {"cross_entropy": 1}},
    training={"epochs": 1, "seeds": 2, "seconds": 16},
    **COMMON,
)


@pytest.fixture
def few(place, small_data, tmp_path):
    """Return a function: the workplace where the source has only these speakers."""

    def cut(*speakers):
        place.data_root = shutil.copytree(small_data, tmp_path / "data")
        for path in (place.data_root / "synthetic-de" / "wav").iterdir():
            if path.name[:2] not in speakers:
                path.unlink()
        return place

    return cut


def roles(rows):
    return {row["role"] for row in rows}


@pytest.mark.parametrize("recipe", [AUTOENCODER, ENCODER], ids=["autoencoder", "encoder"])
def test_two_speakers_are_carried_elsewhere_without_a_test_of_their_own(few, tmp_path, recipe):
    run = run_recipe(recipe, tmp_path / "run", few("01", "03"))
    results = json.loads((run / "results.json").read_text())
    assert (results["folds"]["asked"], results["folds"]["made"]) == (5, 2)
    assert "2 speakers" in results["folds"]["why"]
    for split in results["splits"]:
        assert sorted([*split["speakers"]["train"], *split["speakers"]["validation"]]) == ["01", "03"]
        assert split["speakers"]["test"] == []
    assert len({split["hash"] for split in results["splits"]}) == 2
    assert roles(results["transfer"]) == {VALIDATION, "target"}
    assert all(row["value"] is not None for row in results["transfer"])
    assert roles(results["correlation"]) <= {VALIDATION, "target"}
    notes = " ".join(results["about"]["notes"])
    assert "split.folds is 5, but 2 folds were made" in notes
    assert "no score on held-out speakers" in notes
    page = write_report(run).read_text()
    assert "2 folds were made" in page
    assert render_terminal(run)
    assert "synthetic-tr" in compare(run, run)
    assert xlser.load(run).predict(next((tmp_path / "data" / "synthetic-tr" / "wav").iterdir()), k=1).emotion


def test_a_bench_of_two_speakers_scores_its_targets_and_no_source(few, tmp_path):
    out = tmp_path / "bench"
    jobs = make_jobs([AUTOENCODER], ["synthetic-de"], ["synthetic-tr"], out, few_shot=(1,), adapt=("coral",))
    run_bench(jobs, out, few("03", "05"))
    results = json.loads((out / "results.json").read_text())
    assert results["failed"] == results["holes"] == {}
    home, away = results["cells"]
    assert roles(home["transfer"]) == {VALIDATION}
    assert roles(away["transfer"]) == {"target"}
    assert {cell["folds"]["made"] for cell in results["cells"]} == {2}
    assert all(any("2 folds were made" in note for note in cell["notes"]) for cell in results["cells"])
    assert {row["role"] for row in results["matrix"]} == {"target"}
    for table in ("few_shot", "trust", "dimensions", "nuisances", "label_modes"):
        assert away[table], (table, away["notes"])
    assert all(row["r_source"] is not None for row in away["dimensions"] if row["axis"] == "direction")
    write_bench_report(out)
    assert any("2 folds were made" in page.read_text() for page in out.rglob("*.html"))
    assert "synthetic-tr" in render_bench(out)
    assert "synthetic-tr" in compare(out, out)


def test_four_speakers_have_a_fold_each(few, tmp_path):
    recipe = AUTOENCODER.model_copy(update={"training": AUTOENCODER.training.model_copy(update={"seeds": 4})})
    run = run_recipe(recipe, tmp_path / "run", few("01", "02", "03", "05"))
    results = json.loads((run / "results.json").read_text())
    assert (results["folds"]["asked"], results["folds"]["made"]) == (5, 4)
    assert sorted(split["speakers"]["test"][0] for split in results["splits"]) == ["01", "02", "03", "05"]
    assert HELD_OUT in roles(results["transfer"])
    assert any("split.folds is 5, but 4 folds were made" in note for note in results["about"]["notes"])


def test_one_speaker_is_no_source(few, tmp_path):
    with pytest.raises(CorpusError, match=r"at least 2 speakers .* has 1"):
        run_recipe(AUTOENCODER, tmp_path / "run", few("01"))


def test_folds_as_asked_are_no_note(recipe, place, tmp_path):
    results = json.loads((run_recipe(recipe, tmp_path / "run", place) / "results.json").read_text())
    assert results["folds"] == {"asked": 4, "made": 4, "why": ""}
    assert not any("folds were made" in note for note in results["about"]["notes"])

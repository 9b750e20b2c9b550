"""The models of a bench put to use: the same answers as a run's, by any part of a name, wherever the folder lies."""

import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

import xlser
from xlser.cli.embed import command as embed
from xlser.cli.predict import command as predict
from xlser.errors import RunError
from xlser.experiment.bench.plan import make_jobs
from xlser.experiment.bench.run import run_bench
from xlser.experiment.run import run_recipe
from xlser.experiment.use.export import export_onnx
from xlser.experiment.use.folder import find_model
from xlser.experiment.workplace import Workplace
from xlser.reporting.bench.compare import compare
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.recipe import Recipe

BOTH = ["synthetic-de", "synthetic-tr"]
COMMON = {"source": "synthetic-de", "targets": ("synthetic-tr",), "split": {"folds": 4}, "evaluation": {"draws": 100}}
LATENTS = Recipe(
    name="latents",
    features={"extractor": "logmel"},
    training={"epochs": 2, "seeds": 2, "batch": 16},
    methods={"activation": {"metric": "signed"}},
    **COMMON,
)
TUNED = EncoderRecipe(
    name="ce",
    encoder={"weights": "random:tiny-group"},
    methods={"ce": {"cross_entropy": 1}, "supcon": {"supcon": 1}},
    training={"epochs": 1, "seeds": 1, "lr": 1e-2, "encoder_lr": 1e-3},
    **COMMON,
)


@pytest.fixture(scope="module")
def here(small_data, small_cache):
    return Workplace(small_data, cache=small_cache, progress=False, say=lambda text: None)


@pytest.fixture(scope="module")
def made(here, tmp_path_factory):
    """Two recipes on two sources, a third source that has no folder, and then the bench has moved."""
    out = tmp_path_factory.mktemp("bench") / "made"
    run_bench(make_jobs([LATENTS, TUNED], [*BOTH, "urdu"], BOTH, out), out, here)
    return out.rename(out.parent / "moved")


@pytest.fixture
def bench(made, tmp_path):
    """Links in the place of weights: a test may change what it likes."""
    return shutil.copytree(made, tmp_path / "bench")


def results(folder):
    return json.loads((folder / "results.json").read_text())


def write(folder, table):
    (folder / "results.json").write_text(json.dumps(table))


def prefer(folder, *wanted, value=0.9):
    """Let every source's validation speakers prefer these (source, recipe, method, readout), all equally."""
    table = results(folder)
    for cell in table["cells"]:
        for row in cell["transfer"]:
            if row["role"] == "source, validation speakers" and row["metric"] == "UA":
                name = (cell["source"], cell["recipe"], row["method"], row["classifier"])
                row["value"] = value if name in wanted else 0.1
    write(folder, table)


@pytest.mark.parametrize(("recipe", "method"), [(LATENTS, "activation"), (LATENTS, "features"), (TUNED, "supcon")])
def test_a_model_of_a_bench_answers_as_that_of_a_run(made, here, tmp_path, voice, recipe, method):
    run = run_recipe(recipe, tmp_path / "run", here)
    one = xlser.load(run, method=method).model
    other = xlser.load(made, model=f"synthetic-de/{recipe.name}/{method}").model
    assert (other.chosen.seed, other.chosen.reader) == (one.chosen.seed, one.chosen.reader)
    assert one.chosen.name == other.chosen.name
    assert other.predict(voice(1.2), 16_000).probabilities == one.predict(voice(1.2), 16_000).probabilities
    assert other.predict(voice(1.2), 16_000).ratings == one.predict(voice(1.2), 16_000).ratings
    np.testing.assert_array_equal(other.embed(voice(0.9), 16_000), one.embed(voice(0.9), 16_000))


WANTED = [
    ("synthetic-tr", "ce", "supcon", "knn"),
    ("synthetic-de", "latents", "plain", "probe"),
    ("synthetic-tr", "latents", "features", "knn"),
    ("synthetic-de", "ce", "ce", "classifier"),
]


@pytest.mark.parametrize("wanted", WANTED)
def test_the_best_on_its_own_validation_speakers_is_taken_and_said(bench, wanted):
    prefer(bench, wanted)
    model = xlser.load(bench).model
    assert (model.chosen.source, model.chosen.recipe.name, model.chosen.method, model.chosen.reader) == wanted
    assert model.chosen.recipe.source == wanted[0]
    said = model.text()
    assert all(part in said for part in (*wanted, str(bench), "UA 0.900", "the best of 12 methods"))
    assert xlser.load(bench, model=model.chosen.name).model.chosen.folder == model.chosen.folder


def test_of_equals_the_features_and_then_the_first_that_was_asked_for_are_taken(bench):
    prefer(bench, *WANTED)
    assert find_model(bench).name == "synthetic-tr/latents/features/0"
    prefer(bench, *WANTED[:2], WANTED[3])
    assert find_model(bench).name.startswith("synthetic-de/latents/plain/")
    table = results(bench)
    table["about"]["recipes"] = dict(reversed(table["about"]["recipes"].items()))
    write(bench, table)
    assert find_model(bench).name == "synthetic-de/ce/ce/0"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("synthetic-tr/latents/plain/1", "synthetic-tr/latents/plain/1"),
        ("synthetic-tr/latents/plain", "synthetic-tr/latents/plain/1"),
        ("synthetic-tr/plain/0", "synthetic-tr/latents/plain/0"),
        ("synthetic-de/supcon", "synthetic-de/ce/supcon/0"),
        ("synthetic-tr/latents", "synthetic-tr/latents/plain/1"),
        ("synthetic-de/ce", "synthetic-de/ce/ce/0"),  # a method before a recipe
        ("synthetic-de/latents/0", "synthetic-de/latents/plain/0"),
    ],
)
def test_a_part_of_a_name_is_enough(bench, text, name):
    prefer(bench, *((source, "latents", "plain", "knn") for source in BOTH), ("synthetic-tr", "ce", "ce", "knn"))
    for source in BOTH:
        (folder,) = (bench / "jobs" / "latents" / source).glob("trained-*")
        (folder / "models" / "plain" / "seed-0").rename(folder / "models" / "plain" / "aside")
        shutil.copytree(folder / "models" / "plain" / "seed-1", folder / "models" / "plain" / "seed-0")
        first = folder / "models" / "plain" / "seed-0" / "model.safetensors"
        lower_the_score(first)
    assert find_model(bench, model=text).name == name


def lower_the_score(path):
    """Give a model a kept epoch with a very high loss."""
    from xlser.training.checkpoint import load_state, read_about, save_state

    about = read_about(path, "")
    tensors, _ = load_state(path, about["fingerprint"])
    curve = [{"epoch": about["best_epoch"], "valid/loss": 1e9}]
    save_state(path, tensors, about | {"curve": curve})


def test_method_and_seed_narrow_the_choice(bench):
    prefer(bench, ("synthetic-tr", "ce", "supcon", "knn"), ("synthetic-de", "latents", "activation", "knn"))
    assert find_model(bench, "supcon").name == "synthetic-tr/ce/supcon/0"
    assert find_model(bench, "activation", 1).name == "synthetic-de/latents/activation/1"
    assert find_model(bench, seed=1).name == "synthetic-de/latents/activation/1"
    assert find_model(bench, "activation", model="synthetic-tr/latents").source == "synthetic-tr"
    with pytest.raises(RunError, match="no model of method 'activation'; known: ce"):
        find_model(bench, "activation", model="synthetic-tr/ce")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("synthetic-de/latents/plane", r"has no model .*; did you mean 'synthetic-de/latents/plain"),
        ("supcan", "did you mean 'supcon'"),
        ("zzz", r"known: synthetic-de/latents/plain, .* and 4 more"),
        ("plain", "several models 'plain': synthetic-de/latents/plain, synthetic-tr/latents/plain. Name one"),
        ("synthetic-de", "several models .*synthetic-de/ce/ce"),
        ("0", "several models '0'"),
        ("urdu/latents", r"not there, latents on urdu: where is corpus urdu"),
    ],
)
def test_a_name_of_none_or_of_several_models_is_refused_and_names_are_given(made, text, said):
    with pytest.raises(RunError, match=said):
        find_model(made, model=text)


def test_an_export_takes_an_encoder_of_a_bench(bench, tmp_path):
    pytest.importorskip("onnxruntime")
    prefer(bench, ("synthetic-tr", "latents", "features", "knn"))
    assert find_model(bench, exportable=True).recipe.name == "ce"
    export_onnx(bench, tmp_path / "m.onnx", model="synthetic-tr/ce/ce")
    assert (tmp_path / "m.onnx").exists()
    with pytest.raises(RunError, match="has no model 'synthetic-tr/latents/plain'"):
        export_onnx(bench, tmp_path / "m.onnx", model="synthetic-tr/latents/plain")


def test_the_verbs_say_which_model_it_is(made, tmp_path, corpus):
    clip = corpus("a.wav") / "a.wav"
    words = [str(made), str(clip), "--model", "synthetic-tr/ce/supcon"]
    told = CliRunner().invoke(predict, [*words, "--format", "jsonl"])
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["model"] == "synthetic-tr/ce/supcon/0"
    assert "trained on synthetic-tr" in told.stderr
    told = CliRunner().invoke(embed, [*words, "--out", str(tmp_path / "e.csv")])
    assert told.exit_code == 0, told.output


@pytest.mark.parametrize("recipe", [LATENTS, TUNED])
def test_a_run_and_the_job_of_a_bench_differ_in_nothing(made, here, tmp_path, recipe):
    run = run_recipe(recipe, tmp_path / "run", here)
    cells = [cell for cell in results(made)["cells"] if (cell["recipe"], cell["source"]) == (recipe.name, BOTH[0])]
    rows = [row for cell in cells for row in cell["transfer"] if row["method"] != "duration alone"]
    assert rows == results(run)["transfer"]
    text = compare(run, made)
    (line,) = [line for line in text.splitlines() if line.startswith("synthetic-de > synthetic-tr")]
    assert "0.00 p 1.000 (1.000)" in line
    assert text.count(find_model(run).method) >= 2


def test_where_no_source_was_scored_nothing_is_chosen(bench):
    table = results(bench)
    table["cells"] = [cell for cell in table["cells"] if cell["source"] != cell["target"]]
    write(bench, table)
    with pytest.raises(RunError, match=r"no recipe of .* was scored on its source.*latents on urdu: where is"):
        find_model(bench)


def test_a_bench_of_an_older_xlser_is_read_where_its_weights_are_plain_to_see(bench, here):
    table = results(bench)
    del table["trained"]
    write(bench, table)
    assert find_model(bench, model="synthetic-de/ce/ce").folder.is_dir()
    (trained,) = (bench / "jobs" / "ce" / "synthetic-de").glob("trained-*")
    shutil.copytree(trained, trained.with_name("trained-else"))
    with pytest.raises(RunError, match="Run the same `xlser transfer` command again"):
        xlser.load(bench, model="synthetic-de/ce/ce").model
    run_bench(make_jobs([LATENTS, TUNED], BOTH, BOTH, bench), bench, here)
    assert xlser.load(bench, model="synthetic-de/ce/ce").model.chosen.job.folder == trained


@pytest.mark.parametrize(
    "gone", ["trained-*", "trained-*/models/plain", "trained-*/models/plain/seed-0/datastore.saf*"]
)
def test_what_is_missing_is_named_and_made_again_as_it_says(bench, here, gone):
    (path,) = (bench / "jobs" / "latents" / "synthetic-de").glob(gone)
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    home = bench / "jobs" / "latents" / "synthetic-de" / "cells" / "synthetic-de.json"
    with pytest.raises(RunError, match=rf"is missing.*delete {home} and run the same `xlser transfer`"):
        xlser.load(bench, model="synthetic-de/latents/plain/0").model
    assert xlser.load(bench, model="synthetic-tr/latents/plain").model.embedder
    home.unlink()
    run_bench(make_jobs([LATENTS, TUNED], BOTH, BOTH, bench), bench, here)
    assert xlser.load(bench, model="synthetic-de/latents/plain/0").model.embedder

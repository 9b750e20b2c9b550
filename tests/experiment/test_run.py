"""The road from a folder of recordings to result files, on synthetic speech."""

import json
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from xlser.errors import CardError, CorpusError, RecipeError, RunError, XlserError
from xlser.evaluation.verdicts import unpacked
from xlser.experiment.cases import VALIDATION
from xlser.experiment.run import default_out, run_recipe


@pytest.fixture
def results(recipe, place, tmp_path):
    run_recipe(recipe, tmp_path / "run", place)
    return json.loads((tmp_path / "run" / "results.json").read_text())


def test_every_number_says_what_it_is(results, recipe):
    assert {row["protocol"] for row in results["transfer"]} == {"zero-shot", "transductive"}
    assert {row["data"] for row in results["transfer"] + results["correlation"]} == {"synthetic"}
    assert results["about"]["recipe_hash"] == recipe.hash
    assert results["about"]["synthetic"] == ["synthetic-de", "synthetic-tr"]
    assert all(split["hash"] and not split["shared"] for split in results["splits"])
    assert {row["method"] for row in results["transfer"]} == {"features", "plain", "activation"}


def test_chance_and_the_gain_over_plain_stand_beside_each_number(results):
    rows = [row for row in results["transfer"] if row["method"] == "activation" and row["metric"] == "UA"]
    plain = {
        (r["corpus"], r["role"], r["protocol"], r["classifier"]): r["value"]
        for r in results["transfer"]
        if r["method"] == "plain" and r["metric"] == "UA"
    }
    for row in rows:
        assert row["chance"] == pytest.approx(0.25)
        key = (row["corpus"], row["role"], row["protocol"], row["classifier"])
        assert row["gain"] == pytest.approx(row["value"] - plain[key])


def test_speakers_are_never_shared_between_training_and_test(results):
    for split in results["splits"]:
        train, validation, test = (set(split["speakers"][part]) for part in ("train", "validation", "test"))
        assert train.isdisjoint(validation | test)
        assert validation.isdisjoint(test)
        assert len(train | validation | test) == 8


def test_labels_that_are_not_scored_are_counted(results):
    labels = results["corpora"][0]["labels"]
    assert sum(labels["kept"].values()) + sum(labels["dropped"].values()) == 48
    assert set(labels["dropped"]) == {"fear", "boredom"}


def test_tables_are_the_same_numbers_as_the_json(results, tmp_path):
    table = pd.read_csv(tmp_path / "run" / "transfer.csv")
    assert table["value"].tolist() == pytest.approx([row["value"] for row in results["transfer"]])
    assert len(pd.read_csv(tmp_path / "run" / "embedding.csv")) == 2 * 2 * 48


def test_what_was_said_of_every_clip_gives_the_numbers_again(results, recipe, tmp_path):
    kept = json.loads((tmp_path / "run" / "predictions.json").read_text())["corpora"]
    places = {(row["corpus"], row["role"], row["protocol"]) for row in results["transfer"]}
    assert {(one["corpus"], one["role"], one["protocol"]) for one in kept} == {
        place for place in places if place[1] != VALIDATION
    }
    for one in kept:
        assert one["classes"] == list(recipe.emotions)
        said = unpacked(one)
        for row in results["transfer"]:
            if row["metric"] != "WA" or any(row[name] != one[name] for name in ("corpus", "role", "protocol")):
                continue
            labels = [
                several["labels"]
                for several in said["said"]
                if (several["method"], several["classifier"]) == (row["method"], row["classifier"])
            ]
            assert len(labels) == 2
            pairs = [
                (label, truth)
                for seed in labels
                for label, truth in zip(seed, said["truth"], strict=True)
                if label is not None and truth in one["classes"]
            ]
            assert row["value"] == pytest.approx(np.mean([label == truth for label, truth in pairs]))


def test_nothing_in_a_run_folder_is_a_pickle(results, tmp_path):
    for path in (tmp_path / "run").rglob("*"):
        if path.is_file() and path.stat().st_size:
            head = path.read_bytes()[:2]
            assert head not in {b"PK", b"\x80\x02", b"\x80\x04", b"\x80\x05"}, path


def test_a_finished_run_is_not_done_again_and_gives_the_same_numbers(results, recipe, place, tmp_path):
    models = {p: p.stat().st_mtime_ns for p in (tmp_path / "run").rglob("model.safetensors")}
    run_recipe(recipe, tmp_path / "run", place)
    assert models == {p: p.stat().st_mtime_ns for p in (tmp_path / "run").rglob("model.safetensors")}
    before = (tmp_path / "run" / "results.json").read_text()
    assert json.loads(before) == results
    (tmp_path / "run" / "results.json").unlink()
    run_recipe(recipe, tmp_path / "run", place)
    assert models == {p: p.stat().st_mtime_ns for p in (tmp_path / "run").rglob("model.safetensors")}
    again = json.loads((tmp_path / "run" / "results.json").read_text())
    assert again["transfer"] == results["transfer"]
    assert again["correlation"] == results["correlation"]


SCRIPT = """
import sys
from pathlib import Path
from xlser.experiment.run import run_recipe
from xlser.experiment.workplace import Workplace
from xlser.training.recipe import Recipe
recipe = Recipe.model_validate_json(sys.argv[1])
run_recipe(recipe, sys.argv[2], Workplace(Path(sys.argv[3]), cache=Path(sys.argv[4]), progress=False))
"""


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_with_the_same_numbers(recipe, place, tmp_path):
    recipe = recipe.model_copy(update={"training": recipe.training.model_copy(update={"epochs": 30})})
    command = [
        sys.executable,
        "-c",
        SCRIPT,
        recipe.model_dump_json(),
        str(tmp_path / "killed"),
        str(place.data_root),
        str(place.cache),
    ]
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    waited = time.time()
    while child.poll() is None and time.time() - waited < 300:  # a busy machine takes its time
        # In the middle of the second model: one is whole, one has checkpoints only.
        if list((tmp_path / "killed").glob("models/plain/seed-1/checkpoints/*/state.ckpt")):
            child.send_signal(signal.SIGKILL)
            break
        time.sleep(0.005)
    child.wait()
    assert child.returncode == -signal.SIGKILL
    assert not (tmp_path / "killed" / "results.json").exists()
    run_recipe(recipe, tmp_path / "killed", place)
    run_recipe(recipe, tmp_path / "whole", place)
    for name in ("transfer.csv", "correlation.csv", "confusion.csv", "embedding.csv"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_run_folder_of_another_recipe_is_refused(results, recipe, place, tmp_path):
    other = recipe.model_copy(update={"training": recipe.training.model_copy(update={"lr": 0.5})})
    with pytest.raises(RunError, match="another recipe"):
        run_recipe(other, tmp_path / "run", place)
    assert default_out(other) != default_out(recipe)


def test_a_folder_with_other_things_in_it_is_left_alone(recipe, place, tmp_path):
    (tmp_path / "thesis.txt").write_text("do not overwrite")
    with pytest.raises(RunError, match="not empty"):
        run_recipe(recipe, tmp_path, place)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_two_processes_cannot_work_in_one_run_folder(recipe, place, tmp_path):
    from filelock import FileLock

    (tmp_path / "run").mkdir()
    with FileLock(tmp_path / "run" / ".lock"), pytest.raises(RunError, match="another process"):
        run_recipe(recipe, tmp_path / "run", place)


def test_models_of_other_data_are_kept_beside_and_not_gone_on_with(results, recipe, place, small_data, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(small_data, data)
    next((data / "synthetic-de" / "wav").glob("*.wav")).unlink()
    place.data_root = data
    (tmp_path / "run" / "results.json").unlink()
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").rglob("model.safetensors")}
    run_recipe(recipe, tmp_path / "run", place)
    (kept,) = tmp_path.glob("run-before-*")
    assert {path.name: path.read_bytes() for path in kept.rglob("model.safetensors")} == before
    assert json.loads((tmp_path / "run" / "results.json").read_text())["corpora"][0]["utterances"] == 47


@pytest.mark.parametrize("made", [False, True], ids=["no folder", "an empty folder"])
@pytest.mark.parametrize("wrong", ["ratings", "batch", "checkpoint", "corpus", "interrupted"])
def test_a_start_that_fails_leaves_nothing(recipe, place, small_data, tmp_path, monkeypatch, made, wrong):
    from xlser.training.recipe import Recipe

    values, out = recipe.model_dump(), tmp_path / "deep" / "run"
    if wrong == "batch":
        values |= {"training": {"batch": 4, "seeds": 1}, "methods": {"c": {"metric": "class-cluster"}}}
        values |= {"emotions": ("anger", "contempt")}
    elif wrong == "checkpoint":
        values |= {"features": {"encoder": str(tmp_path / "no-checkpoint")}}
    elif wrong == "corpus":
        values |= {"targets": ("urdu",)}
    elif wrong == "ratings":
        shutil.copytree(small_data, tmp_path / "data")
        (tmp_path / "data" / "synthetic-de" / "ratings.csv").unlink()
        place.data_root = tmp_path / "data"
    else:
        monkeypatch.setattr("xlser.experiment.run.train", lambda *_, **options: 1 / 0)
    if made:
        out.mkdir(parents=True)
    with pytest.raises((XlserError, ZeroDivisionError)):
        run_recipe(Recipe.model_validate(values), out, place)
    assert out.exists() == made
    assert (tmp_path / "deep").exists() == made
    assert not made or [path.name for path in out.iterdir() if path.name != ".lock"] == []


def test_a_missing_checkpoint_is_told_before_a_recording_is_read(recipe, place, tmp_path, monkeypatch):
    from xlser.training.encoder_recipe import EncoderRecipe
    from xlser.training.recipe import Recipe

    def read(*_, **options):
        raise AssertionError("a recording was read")

    for name in ("data.manifest.read_headers", "features.extract.read_mono", "features.clips.read_mono"):
        monkeypatch.setattr(f"xlser.{name}", read)
    place.cache = tmp_path / "cache"
    about = {"name": "x", "source": "synthetic-de", "targets": ("synthetic-tr",)}
    tuned = EncoderRecipe(**about, encoder={"weights": str(tmp_path / "none")}, methods={"ce": {"cross_entropy": 1}})
    for other in (Recipe(**about, features={"encoder": str(tmp_path / "none")}), tuned):
        with pytest.raises(RecipeError, match="none"):
            run_recipe(other, tmp_path / "run", place)


def test_a_damaged_checkpoint_or_a_layer_too_many_is_told_before_a_recording_is_decoded(
    recipe, place, tmp_path, monkeypatch
):
    from xlser.models.checkpoints import load_encoder
    from xlser.training.encoder_recipe import EncoderRecipe
    from xlser.training.recipe import Recipe

    def read(*_, **options):
        raise AssertionError("a recording was read")

    for name in ("features.extract.read_mono", "features.clips.read_mono"):
        monkeypatch.setattr(f"xlser.{name}", read)
    folder = tmp_path / "checkpoint"
    load_encoder("random:tiny").save(folder)
    place.cache = tmp_path / "cache"
    about = {"name": "x", "source": "synthetic-de", "targets": ("synthetic-tr",), "split": {"folds": 4}}

    def refused(match, **choice):
        tuned = EncoderRecipe(**about, encoder={"weights": str(folder), **choice}, methods={"ce": {"cross_entropy": 1}})
        for other in (Recipe(**about, features={"encoder": str(folder), **choice}), tuned):
            with pytest.raises((RecipeError, RunError), match=match):
                run_recipe(other, tmp_path / "run", place)
            assert not (tmp_path / "run").exists()

    refused("layer", layer=9)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))
    refused("of the weights|not all there")
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:5000])
    refused("cannot be read")


def test_a_start_that_fails_on_changed_inputs_leaves_the_old_results(results, recipe, place, small_data, tmp_path):
    shutil.copytree(small_data, tmp_path / "data")
    (tmp_path / "data" / "synthetic-de" / "ratings.csv").unlink()
    place.data_root = tmp_path / "data"
    with pytest.raises(RecipeError, match="ratings"):
        run_recipe(recipe, tmp_path / "run", place)
    assert json.loads((tmp_path / "run" / "results.json").read_text()) == results
    assert not list(tmp_path.glob("run-before-*"))


def test_a_source_without_ratings_is_told_before_training(recipe, place, small_data, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(small_data, data)
    (data / "synthetic-de" / "ratings.csv").unlink()
    place.data_root = data
    with pytest.raises(RecipeError, match=r"ratings=derived"):
        run_recipe(recipe, tmp_path / "run", place)
    assert not (tmp_path / "run" / "models").exists()


def test_derived_ratings_are_marked_wherever_they_are_used(recipe, place, small_data, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(small_data, data)
    (data / "synthetic-de" / "ratings.csv").unlink()
    place.data_root = data
    run_recipe(recipe.model_copy(update={"ratings": "derived"}), tmp_path / "run", place)
    table = pd.read_csv(tmp_path / "run" / "correlation.csv")
    marks = table.groupby("corpus")["ratings"].unique()
    assert list(marks["synthetic-de"]) == ["derived"]
    assert list(marks["synthetic-tr"]) == ["rated, learnt from derived"]


def test_recordings_that_cannot_be_used_are_left_out_and_counted(recipe, place, small_data, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(small_data, data)
    victims = sorted((data / "synthetic-tr" / "wav").glob("*.wav"))[:3]
    victims[0].write_text("hello, I am text")
    victims[1].write_bytes(b"")
    victims[2].write_bytes(victims[2].read_bytes()[:2000])
    place.data_root = data
    run_recipe(recipe, tmp_path / "run", place)
    target = json.loads((tmp_path / "run" / "results.json").read_text())["corpora"][1]
    assert target["utterances"] == 45
    assert target["left_out"] == {"text named as audio": 1, "zero length": 1, "truncated": 1}
    place.strict = True
    with pytest.raises(CorpusError, match=victims[0].name):
        run_recipe(recipe, tmp_path / "strict", place)


def test_shared_speakers_need_asking_and_the_result_carries_them(recipe, place, tmp_path):
    split = recipe.split.model_copy(update={"kind": "shared-speakers"})
    run_recipe(recipe.model_copy(update={"split": split}), tmp_path / "run", place)
    splits = json.loads((tmp_path / "run" / "results.json").read_text())["splits"]
    assert all(len(split["shared"]) > 1 for split in splits)


def test_a_target_without_shared_labels_is_noted_and_the_rest_goes_on(recipe, place, small_data, tmp_path):
    from pathlib import Path

    card = Path("corpora/synthetic-tr.yaml") if Path("corpora").is_dir() else None
    if card is None:
        pytest.skip("needs a checkout: it edits a shipped card")
    text = card.read_text().replace("name: synthetic-tr", "name: odd-tr")
    for old in ("anger", "happiness", "neutral", "sadness"):
        text = text.replace(f": {old}", ": contempt", 1)
    (tmp_path / "odd-tr.yaml").write_text(text)
    place.roots = {"odd-tr": small_data / "synthetic-tr"}
    both = recipe.model_copy(update={"targets": (str(tmp_path / "odd-tr.yaml"), "synthetic-tr")})
    run_recipe(both, tmp_path / "run", place)
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert any("odd-tr: no classification" in note for note in results["about"]["notes"])
    assert {row["corpus"] for row in results["transfer"]} == {"synthetic-de", "synthetic-tr"}


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"source": "emodbb"}, CardError, "did you mean 'emodb'"),
        ({"source": "emodb"}, CorpusError, "where is corpus emodb.*--root emodb=DIR"),
        ({"targets": ("urdu",)}, CorpusError, "where is corpus urdu"),
        ({"split": {"kind": "shared-speakers", "folds": 99}}, CorpusError, "at least 99 utterances"),
        (
            {
                "training": {"batch": 4, "seeds": 1},
                "methods": {"c": {"metric": "class-cluster"}},
                "emotions": ("anger", "contempt"),
            },
            RecipeError,
            "larger batch",
        ),
    ],
)
def test_what_cannot_be_run_is_said_before_training(recipe, place, tmp_path, change, error, words):
    from xlser.training.recipe import Recipe

    values = recipe.model_dump() | change
    with pytest.raises(error, match=words):
        run_recipe(Recipe.model_validate(values), tmp_path / "run", place)


def test_a_root_for_no_corpus_of_the_recipe_is_refused(recipe, place, tmp_path):
    place.roots = {"synthetic-t": tmp_path}
    with pytest.raises(CorpusError, match="did you mean 'synthetic-tr'"):
        run_recipe(recipe, tmp_path / "run", place)


def test_recordings_of_the_target_that_were_trained_on_are_a_warning(recipe, place, small_data, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(small_data, data)
    names = sorted(path.name for path in (data / "synthetic-de" / "wav").glob("*.wav"))
    victim = next((data / "synthetic-tr" / "wav").glob("*.wav"))
    shutil.copy(data / "synthetic-de" / "wav" / names[0], victim)
    shutil.copy(data / "synthetic-de" / "wav" / names[1], data / "synthetic-de" / "wav" / names[2])
    place.data_root = data
    run_recipe(recipe, tmp_path / "run", place)
    notes = json.loads((tmp_path / "run" / "results.json").read_text())["about"]["notes"]
    assert any(note.startswith("WARNING: 1 of the 48 recordings of synthetic-tr are also in") for note in notes)
    assert any("synthetic-de: 1 recording is a copy" in note for note in notes)


def test_speakers_that_are_never_held_out_are_counted(results):
    tested = {name for split in results["splits"] for name in split["speakers"]["test"]}
    held = [row for row in results["transfer"] if row["role"] == "source, held-out speakers"]
    assert {row["speakers"] for row in held} == {len(tested)}
    assert any(f"{len(tested)} of the 8 speakers" in note for note in results["about"]["notes"])


def test_a_run_folder_that_is_a_file_is_refused(recipe, place, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RunError, match="is a file; a run needs a folder"):
        run_recipe(recipe, tmp_path / "file", place)

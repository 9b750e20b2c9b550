"""A bench on synthetic speech: the same numbers on any number of processes, holes where it fails, nothing twice."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from xlser.errors import MachineError, RunError
from xlser.evaluation import metrics
from xlser.evaluation.adapt import by_speaker, coral, prior_correction, quantile
from xlser.experiment.bench.plan import make_jobs
from xlser.experiment.bench.run import run_bench
from xlser.experiment.workplace import Workplace
from xlser.fileformats import VERSIONS
from xlser.training.recipe import Recipe

BOTH = ["synthetic-de", "synthetic-tr"]


@pytest.fixture(scope="module")
def small() -> Recipe:
    return Recipe(
        name="small",
        source="synthetic-de",
        targets=("synthetic-tr",),
        split={"folds": 4},
        training={"epochs": 2, "seeds": 2, "checkpoint_every": 1, "batch": 16},
        evaluation={"draws": 100},
    )


@pytest.fixture(scope="module")
def twin(small) -> Recipe:
    return changed(small, name="twin", training={"lr": 0.01})


@pytest.fixture(scope="module")
def quiet(small_data, small_cache) -> Workplace:
    return Workplace(small_data, cache=small_cache, progress=False, say=lambda text: None)


@pytest.fixture(scope="module")
def done(small, twin, quiet, tmp_path_factory) -> Path:
    """Two recipes on two sources, by this process alone."""
    out = tmp_path_factory.mktemp("bench") / "one"
    return run_bench(make_jobs([small, twin], BOTH, BOTH, out, few_shot=(1,)), out, quiet)


@pytest.fixture
def again(done, tmp_path) -> Path:
    return Path(shutil.copytree(done, tmp_path / "again"))


def changed(recipe: Recipe, **changes) -> Recipe:
    values = recipe.model_dump()
    for name, value in changes.items():
        values[name] = values[name] | value if isinstance(value, dict) else value
    return Recipe.model_validate(values)


def results(out: Path) -> dict:
    return json.loads((out / "results.json").read_text())


def numbers(out: Path) -> str:
    """Everything that must not depend on who did it, and when."""
    told = {key: value for key, value in results(out).items() if key not in ("about", "times")}
    for cell in told["cells"]:
        del cell["seconds"]
    return json.dumps(told)


def times(out: Path, pattern: str) -> dict:
    return {str(path.relative_to(out)): path.stat().st_mtime_ns for path in out.rglob(pattern)}


def cell(out: Path, source: str, target: str, recipe: str = "small") -> dict:
    return json.loads((out / "jobs" / recipe / source / "cells" / f"{target}.json").read_text())


def copied(small_data: Path, to: Path) -> Path:
    return Path(shutil.copytree(small_data, to / "data"))


@pytest.mark.slow
def test_two_processes_give_the_numbers_of_one(done, small, twin, quiet, tmp_path):
    out = tmp_path / "two"
    run_bench(make_jobs([twin, small], BOTH[::-1], BOTH, out, few_shot=(1,)), out, quiet, workers=2)
    assert numbers(out) == numbers(done)
    for path in done.rglob("cells/*.json"):
        one, two = (json.loads(p.read_text()) for p in (path, out / path.relative_to(done)))
        assert one.pop("seconds") > 0
        assert two.pop("seconds") > 0
        assert json.dumps(one) == json.dumps(two)


def test_every_pair_has_a_cell_and_every_line_is_one(done):
    found = results(done)
    assert [(c["recipe"], c["source"], c["target"]) for c in found["cells"]] == [
        (recipe, source, target) for recipe in ("small", "twin") for source in BOTH for target in BOTH
    ]
    assert [json.loads(line) for line in (done / "results.jsonl").read_text().splitlines()] == found["cells"]
    assert found["failed"] == found["holes"] == {}
    assert found["about"]["few_shot"] == [1]
    assert all((c["few_shot"] != []) == (c["source"] != c["target"]) for c in found["cells"])
    for c in found["cells"]:
        assert {row["mode"] for row in c["label_modes"]} == {"intersection", "reject", "mapped"}
        probes = {row["nuisance"] for row in c["nuisances"]}
        assert ("corpus, source and target" in probes) == (c["source"] != c["target"])


def test_a_second_run_makes_nothing_and_reads_no_model(again, small, twin, quiet, monkeypatch):
    before, models = numbers(again), times(again, "*.safetensors") | times(again, "cells/*.json")
    monkeypatch.setattr("xlser.experiment.bench.job.train", forbidden)
    began = time.process_time()
    run_bench(make_jobs([small, twin], BOTH, BOTH, again, few_shot=(1,)), again, quiet)
    assert time.process_time() - began < 3
    assert (numbers(again), results(again)["times"]) == (before, {})
    assert times(again, "*.safetensors") | times(again, "cells/*.json") == models


def forbidden(*args, **options):
    raise AssertionError("nothing is to be trained here")


def test_a_further_target_costs_no_training(again, small, quiet, small_data, tmp_path, monkeypatch):
    monkeypatch.setattr("xlser.training.autoencoder_brain.fit", forbidden)
    data = copied(small_data, tmp_path)
    place = Workplace(data, {"synthetic-en": data / "synthetic-tr"}, quiet.cache, progress=False, say=quiet.say)
    models, cells = times(again, "*.safetensors"), times(again, "cells/*.json")
    run_bench(make_jobs([small], BOTH, [*BOTH, "synthetic-en"], again, few_shot=(1,)), again, place)
    assert results(again)["failed"] == results(again)["holes"] == {}
    assert set(results(again)["times"]["small on synthetic-de"]) == {"training", "synthetic-en"}
    assert times(again, "*.safetensors") == models
    assert {path: when for path, when in times(again, "cells/*.json").items() if "synthetic-en" not in path} == cells
    # The same recordings under another name score the same.
    one, other = (cell(again, "synthetic-de", name)["transfer"] for name in ("synthetic-tr", "synthetic-en"))
    assert [row["value"] for row in one] == [row["value"] for row in other]


def test_other_shots_change_every_cell_and_no_model(again, small, twin, quiet, monkeypatch):
    monkeypatch.setattr("xlser.training.autoencoder_brain.fit", forbidden)
    before = times(again, "cells/*.json")
    run_bench(make_jobs([small], BOTH, BOTH, again, few_shot=(1, 2)), again, quiet)
    after = times(again, "cells/*.json")
    assert {path for path in before if before[path] != after[path]} == {path for path in before if "/small/" in path}
    assert {row["k"] for row in cell(again, "synthetic-de", "synthetic-tr")["few_shot"]} == {0, 1, 2}


def test_another_recipe_of_the_same_name_is_trained_anew_and_the_others_stay(again, small, twin, quiet):
    before, models = times(again, "cells/*.json"), times(again, "model.safetensors")
    other = changed(small, training={"epochs": 3})
    run_bench(make_jobs([other, twin], BOTH, BOTH, again, few_shot=(1,)), again, quiet)
    after = times(again, "cells/*.json")
    assert results(again)["failed"] == {}
    assert {path for path in before if before[path] == after[path]} == {path for path in before if "/twin/" in path}
    now = times(again, "model.safetensors")
    assert models.items() <= now.items()
    assert len(now) == len(models) * 3 // 2


def test_more_seeds_train_only_the_new_ones(again, small, quiet):
    models = times(again, "model.safetensors")
    run_bench(make_jobs([small], BOTH[:1], BOTH, again, seeds=3, few_shot=(1,)), again, quiet)
    new = times(again, "model.safetensors")
    assert models.items() <= new.items()
    assert {Path(path).parent.name for path in new.keys() - models} == {"seed-2"}
    assert results(again)["about"]["seeds"] == 3


def test_a_release_of_xlser_rescores_nothing(again, small, quiet, monkeypatch):
    monkeypatch.setattr("xlser.experiment.results_folder.__version__", "99.0")
    monkeypatch.setattr("xlser.experiment.bench.job.train", forbidden)
    cells = times(again, "cells/*.json")
    run_bench(make_jobs([small], BOTH[:1], BOTH, again, few_shot=(1,)), again, quiet)
    assert results(again)["times"] == {}
    assert times(again, "cells/*.json") == cells
    assert cells


def test_another_schema_of_cells_makes_them_again(again, small, twin, quiet, monkeypatch):
    monkeypatch.setitem(VERSIONS, "cell", 99)
    before = numbers(again)
    run_bench(make_jobs([small], BOTH[:1], BOTH, again, few_shot=(1,)), again, quiet)
    assert list(results(again)["times"]) == ["small on synthetic-de"]
    both = json.loads(before)["cells"][:2], json.loads(numbers(again))["cells"]
    assert [c["transfer"] for c in both[0]] == [c["transfer"] for c in both[1]]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"schema": 1}', '{"schema": 0, "key": "x"}'])
def test_a_damaged_cell_is_made_again(again, small, quiet, damage):
    path = again / "jobs" / "small" / "synthetic-de" / "cells" / "synthetic-tr.json"
    before = json.loads(path.read_text())
    path.write_text(damage)
    run_bench(make_jobs([small], BOTH[:1], BOTH, again, few_shot=(1,)), again, quiet)
    after = json.loads(path.read_text())
    del before["seconds"], after["seconds"]
    assert before == after


def test_the_cell_of_a_job_that_fails_is_not_taken_for_a_result(again, small, quiet, monkeypatch):
    monkeypatch.setattr("xlser.experiment.bench.job.train", forbidden)
    other = changed(small, training={"epochs": 3})
    with pytest.raises(RunError, match=r"every job of the bench failed.*nothing is to be trained here"):
        run_bench(make_jobs([other], BOTH, BOTH, again, few_shot=(1,)), again, quiet)
    assert results(again)["cells"] == []


SCRIPT = """
import json, sys
from pathlib import Path
from xlser.experiment.bench.plan import make_jobs
from xlser.experiment.bench.run import run_bench
from xlser.experiment.workplace import Workplace
from xlser.training.recipe import Recipe
recipes = [Recipe.model_validate(values) for values in json.loads(sys.argv[1])]
out, both = Path(sys.argv[2]), ["synthetic-de", "synthetic-tr"]
place = Workplace(Path(sys.argv[3]), cache=Path(sys.argv[4]), progress=False)
run_bench(make_jobs(recipes, both, both, out, few_shot=(1,)), out, place)
"""


@pytest.mark.slow
def test_a_killed_bench_goes_on_and_ends_with_the_same_numbers(done, small, twin, quiet, tmp_path):
    out = tmp_path / "killed"
    recipes = json.dumps([recipe.model_dump(mode="json") for recipe in (small, twin)])
    command = [sys.executable, "-c", SCRIPT, recipes, str(out), str(quiet.data_root), str(quiet.cache)]
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    began = time.time()
    # One job is whole, and the second has begun to train.
    while child.poll() is None and time.time() - began < 60 and not list(out.glob("jobs/small/*-tr/*/*/*/*/*.saf*")):
        time.sleep(0.005)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert child.returncode == -signal.SIGKILL
    assert len(list(out.rglob("cells/*.json"))) >= 2
    assert not (out / "results.json").exists()
    kept = times(out, "cells/*.json")
    run_bench(make_jobs([small, twin], BOTH, BOTH, out, few_shot=(1,)), out, quiet)
    assert numbers(out) == numbers(done)
    assert kept.items() <= times(out, "cells/*.json").items()


def test_a_missing_target_is_a_hole_and_a_missing_source_a_failed_job(small, quiet, tmp_path):
    told = []
    place = Workplace(quiet.data_root, cache=quiet.cache, progress=False, say=told.append)
    sources, targets = ["urdu", "synthetic-de"], ["synthetic-tr", "ravdess"]
    run_bench(make_jobs([small], sources, targets, tmp_path / "b"), tmp_path / "b", place)
    found = results(tmp_path / "b")
    assert [(c["source"], c["target"]) for c in found["cells"]] == [("synthetic-de", name) for name in BOTH]
    assert list(found["failed"]) == ["small on urdu"]
    assert "where is corpus urdu?" in found["failed"]["small on urdu"]
    assert list(found["holes"]) == ["small on synthetic-de, ravdess"]
    assert any(line.startswith("  failed: small on urdu: where is corpus urdu") for line in told)
    assert any(line.startswith("  hole: small on synthetic-de, ravdess: where is") for line in told)


def test_a_fault_in_one_cell_leaves_the_others(again, small, quiet, monkeypatch):
    from xlser.experiment.bench import job

    def faulty(readers, case):
        if case.corpus.name == "synthetic-tr":
            raise KeyError("oops")
        return real(readers, case)

    real = job.nuisances
    monkeypatch.setattr(job, "nuisances", faulty)
    run_bench(make_jobs([small], BOTH[:1], BOTH, again), again, quiet)
    assert results(again)["holes"] == {"small on synthetic-de, synthetic-tr": "KeyError: 'oops'"}
    assert [c["target"] for c in results(again)["cells"]] == ["synthetic-de"]


def test_when_every_job_fails_the_first_reason_is_the_error(small, quiet, tmp_path):
    with pytest.raises(RunError, match="every job of the bench failed; the first: where is corpus emodb"):
        run_bench(make_jobs([small], ["emodb"], ["urdu"], tmp_path / "b"), tmp_path / "b", quiet)


def test_a_full_disk_is_told_and_what_is_done_is_kept(small, quiet, tmp_path, monkeypatch):
    from xlser.evaluation import results_file

    def full(path, text, **options):
        if "synthetic-tr" in str(path.parent.parent.name) or path.name == "results.json":
            raise OSError(28, "No space left on device", str(path))
        real(path, text, **options)

    real, jobs = results_file.write_text, make_jobs([small], BOTH, BOTH, tmp_path / "b")
    with monkeypatch.context() as patched:
        patched.setattr(results_file, "write_text", full)
        with pytest.raises(MachineError, match=r"No space left on device.*kept"):
            run_bench(jobs, tmp_path / "b", quiet)
        with pytest.raises(MachineError, match=r"working in .*No space left on device.*kept"):
            run_bench(jobs[:1], tmp_path / "b", quiet)
    kept = times(tmp_path / "b", "cells/*.json")
    assert len(kept) == 2
    run_bench(jobs, tmp_path / "b", quiet)
    assert kept.items() < times(tmp_path / "b", "cells/*.json").items()


def test_two_benches_cannot_work_in_one_folder(small, quiet, tmp_path):
    from filelock import FileLock

    (tmp_path / "b").mkdir()
    with FileLock(tmp_path / "b" / ".lock"), pytest.raises(RunError, match="another process"):
        run_bench(make_jobs([small], BOTH, BOTH, tmp_path / "b"), tmp_path / "b", quiet)


def test_a_folder_of_something_else_is_left_alone(small, quiet, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(RunError, match="not empty"):
        run_bench(make_jobs([small], BOTH, BOTH, tmp_path), tmp_path, quiet)
    run = tmp_path / "run"
    run.mkdir()
    (run / "recipe.json").write_text('{"hash": "abc", "recipe": {}}')
    with pytest.raises(RunError, match="holds a run"):
        run_bench(make_jobs([small], BOTH, BOTH, run), run, quiet)


def test_a_killed_worker_is_told_and_what_is_done_is_kept(small, quiet, tmp_path, monkeypatch):
    jobs = make_jobs([small], BOTH, BOTH, tmp_path / "b")
    place = Workplace(Killer(), cache=quiet.cache, progress=False, say=quiet.say)
    with pytest.raises(RunError, match=r"(?s)a worker was killed.*run the same command again"):
        run_bench(jobs, tmp_path / "b", place, workers=2)


class Killer:
    """A data root that ends any other process which looks into it."""

    def __init__(self):
        self.home = os.getpid()

    def __truediv__(self, name):
        if os.getpid() != self.home:
            os.kill(os.getpid(), signal.SIGKILL)
        raise OSError("not here")


def test_a_target_without_a_shared_label_has_a_cell_that_says_so(small, quiet, small_data, tmp_path):
    card = Path(__file__).parents[2] / "corpora" / "synthetic-tr.yaml"
    text = card.read_text().replace("name: synthetic-tr", "name: odd-tr")
    for old in ("anger", "happiness", "neutral", "sadness"):
        text = text.replace(f": {old}", ": contempt", 1)
    (tmp_path / "odd-tr.yaml").write_text(text)
    place = Workplace(small_data, {"odd-tr": small_data / "synthetic-tr"}, quiet.cache, False, False, False)
    place.say = quiet.say
    jobs = make_jobs([small], BOTH[:1], [str(tmp_path / "odd-tr.yaml")], tmp_path / "b", few_shot=(1,))
    run_bench(jobs, tmp_path / "b", place)
    odd = cell(tmp_path / "b", "synthetic-de", "odd-tr")
    assert odd["classes"] == odd["transfer"] == odd["few_shot"] == odd["trust"] == []
    assert any("odd-tr: no classification" in note for note in odd["notes"])
    # What is left of the labels is contempt, fear and boredom: all of them other, two of them negative.
    assert odd["label_modes"] == []
    assert {note.split(",")[0] for note in odd["notes"] if "label mode" in note} == {
        f"odd-tr: no label mode {name}" for name in ("reject", "mapped")
    }
    assert odd["dimensions"]
    assert odd["nuisances"]
    assert [row["target"] for row in results(tmp_path / "b")["matrix"]] == ["synthetic-de"] * 3


def test_a_target_of_one_speaker_gets_scores_without_intervals_and_no_shots(small, quiet, small_data, tmp_path):
    data = copied(small_data, tmp_path)
    for path in (data / "synthetic-tr" / "wav").glob("*.wav"):
        if not path.name.startswith("04"):
            path.unlink()
    place = Workplace(data, cache=quiet.cache, progress=False, say=quiet.say)
    run_bench(make_jobs([small], BOTH[:1], BOTH, tmp_path / "b", few_shot=(1,)), tmp_path / "b", place)
    found = cell(tmp_path / "b", "synthetic-de", "synthetic-tr")
    assert found["few_shot"] == []
    assert any("synthetic-tr: few-shot stops at k = 0" in note for note in found["notes"])
    assert all(row["value"] is not None and row["low"] is None for row in found["transfer"])
    assert all(row["p"] is None for row in found["dimensions"])
    means = results(tmp_path / "b")["languages"]
    assert {(row["language"], row["low"]) for row in means} == {("tr", None), ("all languages", None)}


def test_shots_stop_where_the_target_has_no_more_clips(small, quiet, tmp_path):
    jobs = make_jobs([small], BOTH[:1], BOTH, tmp_path / "b", few_shot=(1, 2, 500))
    run_bench(jobs, tmp_path / "b", quiet)
    found = cell(tmp_path / "b", "synthetic-de", "synthetic-tr")
    assert {row["k"] for row in found["few_shot"]} == {0, 1, 2}
    assert any("few-shot stops at k = 2: `k` must be below the clips" in note for note in found["notes"])


def test_ratings_that_are_absent_or_constant(small, quiet, small_data, tmp_path):
    data = copied(small_data, tmp_path)
    (data / "synthetic-tr" / "ratings.csv").unlink()
    table = data / "synthetic-de" / "ratings.csv"
    rows = list(csv.DictReader(table.open()))
    table.write_text(
        "filename,activation,valence\n" + "".join(f"{row['filename']},3,{row['valence']}\n" for row in rows)
    )
    place = Workplace(data, cache=quiet.cache, progress=False, say=quiet.say)
    run_bench(make_jobs([small], BOTH, BOTH, tmp_path / "b"), tmp_path / "b", place)
    assert results(tmp_path / "b")["failed"] == results(tmp_path / "b")["holes"] == {}
    assert cell(tmp_path / "b", "synthetic-de", "synthetic-tr")["dimensions"] == []
    own = cell(tmp_path / "b", "synthetic-de", "synthetic-de")
    assert {row["p"] for row in own["dimensions"] if row["dimension"] == "activation"} == {None}
    assert all(row["p"] is not None for row in own["dimensions"] if row["dimension"] == "valence")
    merged = results(tmp_path / "b")["cells"][0]["dimensions"]
    assert all((row["p_fdr"] is None) == (row["p"] is None) for row in merged)


def test_joined_sources_are_read_in_what_they_do_not_hold(small, quiet, small_data, tmp_path):
    place = Workplace(small_data, {"synthetic-en": small_data / "synthetic-tr"}, quiet.cache, progress=False)
    place.say = quiet.say
    jobs = make_jobs([small], ["synthetic-de+synthetic-tr"], [*BOTH, "synthetic-en"], tmp_path / "b")
    run_bench(jobs, tmp_path / "b", place)
    found = results(tmp_path / "b")
    assert [(c["source"], c["target"]) for c in found["cells"]] == [
        ("synthetic-de+synthetic-tr", "synthetic-de+synthetic-tr"),
        ("synthetic-de+synthetic-tr", "synthetic-en"),
    ]
    assert {row["language"] for row in found["languages"]} == {"en", "all languages"}


def test_what_duration_alone_scores_stands_beside_every_method(done, quiet, small):
    from xlser.evaluation.classify import fit_knn
    from xlser.experiment.corpora import find_corpus, read_corpora
    from xlser.experiment.seeds import make_seeds

    for found in results(done)["cells"]:
        methods = {row["method"] for row in found["transfer"]}
        assert methods == {"features", "plain", "duration alone"}
        for name in ("correlation", "few_shot", "trust", "dimensions", "nuisances", "label_modes"):
            assert "duration alone" not in {row.get("method") for row in found[name]}
    for row in results(done)["chosen"]:  # a shortcut is no answer, however well it does
        told = cell(done, row["source"], row["source"])["transfer"]
        said = [one for one in told if one["role"] == "source, validation speakers" and one["metric"] == "UA"]
        best = max(one["value"] for one in said if one["method"] in ("features", "plain"))
        assert row["validation"] == best
        assert row["method"] in ("features", "plain")
    source, target = (read_corpora(find_corpus(name, quiet), small, quiet) for name in BOTH)
    values = []
    for seed in make_seeds(small, source):
        pieces = []
        for rows in (seed.split.train, seed.split.validation):
            known = np.array([row for row in rows if source.labels[row]])
            pieces += [np.log(source.frame["duration"].to_numpy()[known])[:, None], source.labels[known].astype(str)]
        known = np.array([label is not None for label in target.labels])
        said = fit_knn(*pieces).predict(np.log(target.frame["duration"].to_numpy()[known])[:, None])
        values.append(metrics.unweighted_accuracy(metrics.confusion(target.labels[known], said, small.emotions)))
    row = one(cell(done, *BOTH)["transfer"], method="duration alone", classifier="knn", metric="UA", normalise="corpus")
    assert row["value"] == pytest.approx(np.mean(values))


def one(rows: list[dict], **about) -> dict:
    (found,) = [row for row in rows if about.items() <= row.items()]
    return found


def test_adaptations_are_transductive_and_of_the_zero_shot_reading(again, small, quiet, monkeypatch):
    from xlser.experiment.bench import job

    kept = []
    real = job._cell
    monkeypatch.setattr(job, "_cell", lambda *given: kept.append(given) or real(*given))
    monkeypatch.setattr("xlser.training.autoencoder_brain.fit", forbidden)
    names = ("speakers", "coral", "quantile", "prior")
    run_bench(make_jobs([small], BOTH[:1], BOTH, again, few_shot=(1,), adapt=names), again, quiet)
    home, found = cell(again, *BOTH[:1] * 2), cell(again, *BOTH)
    assert {row["normalise"] for row in home["transfer"]} == {"source"}
    assert {(row["protocol"], row["normalise"]) for row in found["transfer"]} == {
        ("zero-shot", "source"),
        *(("transductive", name) for name in ("corpus", *names)),
    }
    rows = {name: [row for row in found["transfer"] if row["normalise"] == name] for name in names}
    assert {row["classifier"] for row in rows["prior"]} == {"probe"}
    assert {row["classifier"] for row in rows["speakers"]} == {"probe", "knn"}
    assert {row["classifier"] for row in rows["coral"]} == {"probe", "knn"}
    assert {row["normalise"] for row in found["correlation"]} == {"source", "corpus", "speakers", "coral", "quantile"}
    _, trained, *_ = kept[1]
    readers, targets = trained.readers, [case for case in trained.cases if case.corpus.name == "synthetic-tr"]
    zero = next(case for case in targets if case.kind == "source" and not case.adapt)
    corpus, classes = zero.corpus, small.emotions
    known = np.array([label is not None for label in corpus.labels])
    for name in names:
        values = []
        for reader in readers:
            if reader.method != "plain":
                continue
            embedded, probe = reader.system.embed(zero), reader.of_classes(classes)["probe"]
            if name == "prior":
                order = [list(probe.model.classes_).index(name) for name in classes]
                given = probe.model.predict_proba(probe.scaler.transform(embedded))[:, order]
                said = np.array(classes)[prior_correction(given, np.full(4, 0.25))[0].argmax(1)]
            else:
                home, speakers = reader.train.embeddings, corpus.frame["speaker"]
                maps = {"coral": coral, "quantile": quantile, "speakers": partial(by_speaker, speakers=speakers)}
                mapped = maps[name](home, embedded)
                said = probe.predict(mapped.astype(np.float32))
            table = metrics.confusion(corpus.labels[known].astype(str), said[known], classes)
            values.append(metrics.unweighted_accuracy(table))
        row = one(rows[name], method="plain", classifier="probe", metric="UA")
        assert row["value"] == pytest.approx(np.mean(values))


def test_the_command_fails_where_a_job_or_a_cell_is_missing(small, small_data, small_cache, tmp_path, monkeypatch):
    import yaml
    from click.testing import CliRunner

    from xlser.cli.transfer import command

    monkeypatch.setattr("xlser.reporting.bench.report.render_bench", lambda out: "table")
    monkeypatch.setattr("xlser.reporting.bench.report.write_bench_report", lambda out: out / "report.html")
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(small.model_dump(mode="json")))
    words = ["--recipe", str(tmp_path / "small.yaml"), "--sources", "synthetic-de", "--data-root", str(small_data)]
    words += ["--out", str(tmp_path / "b"), "--cache", str(small_cache), "--seeds", "1", "--targets"]
    good = CliRunner().invoke(command, [*words, "synthetic-tr"])
    assert (good.exit_code, "report: " in good.output) == (0, True), good.output
    bad = CliRunner().invoke(command, [*words, "synthetic-tr,urdu"])
    assert bad.exit_code == 1
    assert "table" in bad.output
    assert "hole: small on synthetic-de, urdu" in bad.output


def test_threads_of_a_process_take_turns(small, quiet, tmp_path, monkeypatch):
    from concurrent.futures import ThreadPoolExecutor

    from xlser.experiment.bench.job import run_job

    inside, most = [], []

    def train(*given, **options):
        inside.append(given)
        most.append(len(inside))
        time.sleep(0.2)
        inside.pop()
        raise RunError("enough")

    monkeypatch.setattr("xlser.experiment.bench.job.train", train)
    jobs = make_jobs([small], BOTH, BOTH, tmp_path)
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda job: run_job(job, quiet), jobs))
    assert [outcome.failed for outcome in outcomes] == ["enough", "enough"]
    assert most == [1, 1]


def test_a_job_waits_for_another_process_that_is_at_it(small, quiet, tmp_path):
    import threading

    from filelock import FileLock

    from xlser.experiment.bench.job import run_job

    (job,) = make_jobs([small], BOTH[:1], BOTH, tmp_path)
    job.folder.mkdir(parents=True)
    held, ended = threading.Event(), []

    def hold() -> None:
        with FileLock(job.folder / ".lock"):
            held.set()
            time.sleep(1)
            ended.append(list(job.folder.glob("cells/*")))

    other = threading.Thread(target=hold)
    other.start()
    held.wait()
    assert run_job(job, quiet).made == 2
    other.join()
    assert ended == [[]]


def test_a_map_has_all_clips_or_so_many_that_are_the_same_for_every_method(monkeypatch):
    import pandas as pd

    from xlser.experiment.bench import job
    from xlser.experiment.scores import Scores

    blank = {"x": 0.12345, "y": 0.0, "emotion": "anger", "activation": None, "valence": None, "part": "target"}
    frames = [pd.DataFrame([{"method": name, "id": f"{i}"} | blank for i in range(40)]) for name in ("a", "b")]
    for most, count in ((100, 40), (15, 15)):
        monkeypatch.setattr(job, "DRAWN", most)
        rows = job._points(Scores(grid=frames))
        several = [[row["id"] for row in rows if row["method"] == name] for name in ("a", "b")]
        assert several[0] == several[1] == sorted(set(several[0]), key=int)
        assert len(several[0]) == count
    assert rows[0]["x"] == 0.1234 or rows[0]["x"] == 0.1235

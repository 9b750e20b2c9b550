"""Every file that xlser writes and reads back, damaged: one message or a right answer, never a traceback or a hang.

A small run, bench and search are made once; then one file after the other is changed by value (another type, NaN,
numbers without end, a name twice, nothing at all) or by bytes (cut, flipped, no UTF-8), and given to what reads it.
"""

import contextlib
import io
import json
import shutil
import time
from pathlib import Path

import click
import numpy as np
import pytest
from mutated import mutated_bytes, mutated_json
from ragged import make_ragged

from xlser.cli.main import xlser
from xlser.data.manifest import read_manifest
from xlser.errors import RunError, XlserError
from xlser.evaluation.candidates import read_best
from xlser.evaluation.results import read_results
from xlser.evaluation.run_folder import load_predictions
from xlser.experiment.bench.cells import read_cell
from xlser.experiment.bench.plan import make_jobs
from xlser.experiment.bench.run import run_bench
from xlser.experiment.best.question import BestQuestion
from xlser.experiment.best.run import run_best
from xlser.experiment.best.trials import Trials
from xlser.experiment.results_folder import own
from xlser.experiment.run import run_recipe
from xlser.experiment.run_inputs import read_inputs
from xlser.experiment.use.folder import find_model
from xlser.experiment.workplace import Workplace
from xlser.jsonfile import parse_json
from xlser.store.datastore import Datastore
from xlser.systems.combined import Combined
from xlser.training.checkpoint import load_state, read_about
from xlser.training.recipe import Recipe

BOTH = ["synthetic-de", "synthetic-tr"]
CELL = "jobs/small/synthetic-de/cells/synthetic-tr.json"
WEIGHTS = "models/plain/seed-0/model.safetensors"
STORE, MANIFEST = "datastore.safetensors", "manifests/synthetic-de.parquet"
SECONDS = 20


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A run, a bench and a search of a few seconds."""
    root = tmp_path_factory.mktemp("made")
    place = Workplace(make_ragged(root / "data"), cache=root / "cache", progress=False, say=lambda text: None)
    training = {"epochs": 1, "seeds": 1, "checkpoint_every": 1, "batch": 16}
    recipe = Recipe(
        name="small",
        source=BOTH[0],
        targets=(BOTH[1],),
        split={"folds": 4},
        training=training,
        evaluation={"draws": 100},
        methods={"activation": {"metric": "signed", "on": "activation"}},
    )
    run_recipe(recipe, root / "run", place)
    run_bench(make_jobs([recipe], BOTH, BOTH, root / "bench", few_shot=(1,)), root / "bench", place)
    run_best(BestQuestion((BOTH[0],), BOTH[1]), root / "best", place, minutes=0.05)
    return root


@pytest.fixture(scope="module")
def damaged(made, tmp_path_factory):
    """A copy of what was made, whose files may be damaged; each test puts its file back."""
    skipped = shutil.ignore_patterns("data", "cache")
    return shutil.copytree(made, tmp_path_factory.mktemp("damaged") / "made", ignore=skipped)


def command(*words):
    """Run a verb in this process, and return what it printed."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        xlser(args=[str(word) for word in words], standalone_mode=False, prog_name="xlser")
    return said.getvalue()


def claimed(folder):
    """Take a folder for a run of some recipe, as `xlser run` and `xlser best` begin."""
    with own(folder, {"hash": "another"}):
        pass


def weights(path):
    """Read a checkpoint as predicting does: whose it is, and then its tensors."""
    return load_state(path, read_about(path, "again").get("fingerprint", ""))


# Which file, and what reads it: quick readers many times, whole reports a few.
READERS = {
    "results of a run": ("run/results.json", read_results, 20),
    "results of a bench": ("bench/results.json", read_results, 20),
    "results for a model": ("run/results.json", find_model, 13),
    "results of a bench for a model": ("bench/results.json", find_model, 13),
    "report of a bench": ("bench/results.json", lambda folder: command("report", folder), 4),
    "comparison": ("bench/results.json", lambda folder: command("compare", folder, folder), 4),
    "report of a run": ("run/results.json", lambda folder: command("report", folder), 2),
    "whose folder": ("run/recipe.json", claimed, 13),
    "whose bench": ("bench/recipe.json", lambda folder: command("compare", folder, folder), 2),
    "predictions": ("run/predictions.json", load_predictions, 13),
    "predictions, compared": ("run/predictions.json", lambda folder: command("compare", folder, folder), 2),
    "a cell": (f"bench/{CELL}", lambda folder: read_cell(folder / CELL), 20),
    "a cell, compared": (f"bench/{CELL}", lambda folder: command("compare", folder, folder), 2),
    "a search": ("best/best.json", read_best, 20),
    "report of a search": ("best/best.json", lambda folder: command("report", folder), 2),
    "a model of a search": ("best/model.json", Combined.load, 20),
    "what was tried": ("best/tried.jsonl", lambda folder: Trials(folder / "tried.jsonl"), 13),
    "files of a report": ("bench/report-files.json", lambda folder: command("report", folder), 2),
}
BINARY = {
    "weights": (f"run/{WEIGHTS}", lambda folder: weights(folder / WEIGHTS), 13),
    "a datastore": (f"best/{STORE}", lambda folder: Datastore.load(folder / STORE), 13),
    "arrays of a search": ("best/combined.safetensors", Combined.load, 13),
    "inputs": ("run/inputs.parquet", read_inputs, 13),
    "a manifest": (f"run/{MANIFEST}", lambda folder: read_manifest(folder / MANIFEST), 13),
}


@pytest.mark.parametrize("what", READERS)
def test_a_damaged_table_is_one_message_or_a_right_answer(what, made, damaged):
    name, read, times = READERS[what]
    whole = (made / name).read_bytes() if (made / name).exists() else b'{"a": "b"}'
    if what == "files of a report":
        command("report", made / "bench")
        whole = (made / name).read_bytes()
    text = whole.decode().splitlines()[0] if name.endswith("l") else whole.decode()
    for seed in range(times):
        how, data = mutated_json(text, seed) if seed % 4 else mutated_bytes(whole, seed)
        judge(read, damaged / name, data, whole, how)


@pytest.mark.parametrize("what", BINARY)
def test_damaged_bytes_are_one_message_or_a_right_answer(what, made, damaged):
    name, read, times = BINARY[what]
    whole = (made / name).read_bytes()
    for seed in range(times):
        how, data = mutated_bytes(whole, seed)
        judge(read, damaged / name, data, whole, how)


def judge(read, path, data, whole, how):
    """Give damage to a reader; put the file back."""
    began, said = time.monotonic(), ""
    folder = next(above for above in path.parents if above.name in ("run", "bench", "best"))
    path.write_bytes(data)
    try:
        read(folder)
    except (XlserError, click.ClickException) as error:
        said = str(error)
    except Exception as error:
        pytest.fail(f"{path.name}, {how}: {type(error).__name__}: {error}")
    finally:
        path.write_bytes(whole)
    assert time.monotonic() - began < SECONDS, how
    assert len(said) < 3000, how


def test_a_flipped_bit_of_weights_or_embeddings_is_seen(made, damaged):
    """No number may be another one without a word: wherever a bit is flipped, the file is refused."""
    for name, read, _ in (BINARY["weights"], BINARY["a datastore"]):
        whole, rng = (made / name).read_bytes(), np.random.default_rng(0)
        for at in rng.integers(len(whole) // 2, len(whole), 20):
            data = bytearray(whole)
            data[at] ^= 4
            (damaged / name).write_bytes(bytes(data))
            with pytest.raises(XlserError, match=Path(name).name):
                read(damaged / Path(name).parts[0])
        (damaged / name).write_bytes(whole)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda run: run["transfer"][0].update(value="0.9"), r"`transfer.0.value` must be a number, but is '0.9'"),
        (lambda run: run["transfer"][0].update(utterances=True), r"`transfer.0.utterances` must be a whole number"),
        (lambda run: run["about"].update(versions=[]), r"`about.versions` must be a table"),
        (lambda run: run["transfer"][0].pop("method"), r"lacks transfer\.method"),
        (lambda run: run.update(schema=True), r"schema True"),
    ],
)
def test_the_file_the_key_the_rule_and_the_value_are_named(change, said, made, damaged):
    table = parse_json((made / "run/results.json").read_bytes())
    change(table)
    (damaged / "run/results.json").write_text(json.dumps(table))
    with pytest.raises(RunError, match=rf"results\.json.*{said}"):
        read_results(damaged / "run")
    shutil.copy(made / "run/results.json", damaged / "run/results.json")

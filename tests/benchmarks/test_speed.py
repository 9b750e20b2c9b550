"""The timings that README quotes: ratios of two things measured in turn, in one run. `make bench` runs them."""

import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from xlser.corpora.card import load_card
from xlser.corpora.synthetic import synthesise
from xlser.data.manifest import build_manifest
from xlser.features.egemaps import Egemaps
from xlser.features.extract import extract
from xlser.losses import continuous_metric
from xlser.training.recipe import Objective, Recipe
from xlser.training.step import Batch, build_network

pytestmark = pytest.mark.bench
ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("XLSER_TEST_DATA", ROOT.parent / "shared"))
ROUNDS = 5


@pytest.mark.parametrize("metric", ["none", "signed"])
def test_brain_takes_at_most_1_3_times_a_bare_loop(tmp_path, table, metric, in_turn):
    from xlser.training.autoencoder_brain import Plan, fit

    torch.manual_seed(0)
    x, ratings = torch.randn(10_000, 88), torch.rand(10_000, 2) * 2 - 1
    rows = Batch(x, ratings, torch.zeros(10_000, dtype=torch.long), torch.zeros(10_000, 3, dtype=torch.long))
    few = Batch(*(column[:1000] for column in rows))
    objective, epochs = Objective(metric=metric), 4
    recipe = Recipe(name="bench", source="a", targets=("b",), training={"epochs": epochs})

    def brain():
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
        fit(Plan(recipe, objective, 0, tmp_path / "run", "bench", 4), rows, few)

    def bare():
        network = build_network(recipe.model, 88, 4, 0)["autoencoder"]
        adam = torch.optim.Adam(network.parameters(), lr=recipe.training.lr)
        for _ in range(epochs):
            for places in torch.randperm(len(x)).split(64):
                clean = x[places]
                rebuilt, z = network(clean + torch.randn_like(clean))
                loss = torch.nn.functional.mse_loss(rebuilt, clean)
                if metric == "signed":
                    loss = torch.log(loss + continuous_metric(z, ratings[places, 0]))
                adam.zero_grad()
                loss.backward()
                adam.step()
            with torch.no_grad():
                torch.nn.functional.mse_loss(network(few.x)[0], few.x)

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as `fit` does: the ratio is of the loops, not of the threads
    ours, theirs = in_turn(brain, bare)
    torch.set_num_threads(threads)
    table(f"DAE training, {metric}: Brain / bare loop", f"{ours / theirs:.2f} ({ours:.2f} s / {theirs:.2f} s)", "≤ 1.3")
    assert ours / theirs <= 1.3


def pairs(z, y):
    """Write the signed form out over all pairs i < j, vectorised."""
    i, j = torch.triu_indices(len(y), len(y), offset=1)
    n = ((z[i] - z[j]).sum(1) + 1e-6) / z.shape[1]
    x = y[i] - y[j] + 1e-6
    b = (x @ n) / (x @ x)
    return (b - 1).abs() + ((b * x - n) ** 2).mean()


def saved_bytes(loss, z, y):
    """Return how many bytes a loss keeps for its backward pass."""
    kept = 0

    def count(tensor):
        nonlocal kept
        kept += tensor.numel() * tensor.element_size()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        loss(z.clone().requires_grad_(), y)
    return kept


def test_closed_form_is_50_times_faster_than_the_pairs(table, in_turn):
    torch.manual_seed(0)
    z, y = torch.randn(4096, 2), torch.rand(4096)

    def timed(loss, times):
        def call():
            for _ in range(times):
                leaf = z.clone().requires_grad_()
                loss(leaf, y).backward()

        return call

    closed, written = in_turn(timed(continuous_metric, 50), timed(pairs, 1))
    closed /= 50
    table("metric loss at N = 4,096, pairs / closed form", f"{written / closed:.0f} times", "≥ 50")
    assert written / closed >= 50


def test_closed_form_keeps_memory_linear_in_the_batch(table):
    torch.manual_seed(0)
    sizes = [4096, 8192]
    closed, written = (
        [saved_bytes(loss, torch.randn(n, 2), torch.rand(n)) for n in sizes] for loss in (continuous_metric, pairs)
    )
    table(
        "bytes kept for backward when N doubles, closed form",
        f"{closed[1] / closed[0]:.2f} times ({closed[0] / 1024:.0f} KiB at 4,096; pairs {written[0] / 2**20:.0f} MiB)",
        "2 (linear)",
    )
    assert closed[1] / closed[0] < 2.1 < 3.5 < written[1] / written[0]


def test_two_workers_and_the_cache_make_features_quick(tmp_path, table):
    real = DATA / "corpora" / "urdu"
    if real.is_dir():
        name, manifest = "400 Urdu files", build_manifest(load_card("urdu"), real)
    else:
        card = load_card("synthetic-ur")
        name, manifest = "288 synthetic files", build_manifest(card, synthesise(card, tmp_path / "ur", progress=False))
    extractor = Egemaps()

    def timed(jobs, cache):
        began = time.perf_counter()
        extract(manifest, extractor, tmp_path / cache, jobs=jobs, progress=False)
        return time.perf_counter() - began

    extract(manifest, extractor, tmp_path / "warm", jobs=1, progress=False)
    rounds = [(timed(1, f"one{n}"), timed(2, f"two{n}"), timed(2, f"two{n}")) for n in range(3)]
    one, two, cached = (statistics.median(column) for column in zip(*rounds, strict=True))
    table(f"features of {name}, one worker / two", f"{one / two:.2f} times ({one:.1f} s / {two:.1f} s)", "≥ 1.6")
    table(f"features of {name}, one worker / cache", f"{one / cached:.0f} times ({cached:.2f} s)", "≥ 50")
    assert one / two >= 1.6
    assert one / cached >= 50


def test_the_whole_emodb_recipe_takes_under_90_seconds(tmp_path, table):
    if not (DATA / "corpora" / "emodb").is_dir():
        pytest.skip(f"needs EmoDB, URDU and RAVDESS below {DATA / 'corpora'} (XLSER_TEST_DATA names another folder)")
    command = [
        sys.executable,
        "-m",
        "xlser.cli.main",
        "run",
        "recipes/emodb/dae-activation.yaml",
        "--data-root",
        str(DATA / "corpora"),
        "--cache",
        str(tmp_path / "cache"),
    ]
    times = []
    for number in range(3):
        began = time.perf_counter()
        subprocess.run([*command, "--out", str(tmp_path / f"run{number}")], check=True, cwd=ROOT, capture_output=True)
        times.append(time.perf_counter() - began)
    table(
        "EmoDB recipe, 5 seeds x 100 epochs, 2 targets, report, from cached features",
        f"{max(times[1:]):.0f} s (first time, with extraction: {times[0]:.0f} s)",
        "< 90 s",
    )
    assert max(times[1:]) < 90

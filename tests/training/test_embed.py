"""Embeddings of a corpus: alone as in a batch, long clips in windows, every row in its place."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from xlser.data.spans import windows
from xlser.errors import RunError
from xlser.models.classifier import Inputs
from xlser.training.embed import embed
from xlser.training.encoder_step import build_classifier
from xlser.training.inputs import ClipInputs

RATE = 16_000


@pytest.fixture
def lengths(toys, tmp_path):
    """Synthetic clips of 0.1 to 4 s."""
    rng = np.random.default_rng(1)
    waves = [toys.tone(n % 4, rng, seconds) for n, seconds in enumerate((0.1, 4.0, 0.7, 1.3, 0.1, 2.2, 0.5))]
    return toys.clips_of(waves, tmp_path / "clips")


def network_of(toys, method=None, **encoder):
    recipe = toys.recipe_of(method or {"cross_entropy": 1}, encoder=encoder)
    return build_classifier(recipe.encoder, recipe.methods["m"], 4, 0)


def one_by_one(network, clips, rows, longest, pool="embedding"):
    """Window by window, each in a batch of its own, with the mean by samples."""
    out = []
    network.eval()
    for row in rows:
        wave, total = torch.tensor(clips.read(row)), 0
        for span in windows(row, len(wave), int(longest * RATE)):
            with torch.no_grad():
                part = network.embed(Inputs("waves", [wave[span.start : span.stop]]))[pool][0]
            total = total + part * (span.stop - span.start)
        out.append((total / len(wave)).numpy())
    return np.stack(out)


@pytest.mark.parametrize(
    "encoder",
    [
        {},
        {"freeze": "nothing", "pooling": "attentive"},
        {"freeze": 1, "layer": "weighted"},
        {"freeze": "all"},
        {"weights": "random:tiny-group", "freeze": "all", "pooling": "attentive"},
    ],
    ids=str,
)
@pytest.mark.parametrize("longest", [1.0, 12.0])
def test_a_clip_alone_is_what_it_is_in_a_batch(toys, lengths, tmp_path, encoder, longest):
    network = network_of(toys, **encoder)
    expected = one_by_one(network, lengths, range(7), longest)
    for root in (None, tmp_path / "store"):
        inputs = ClipInputs(network, lengths, root)
        for seconds in (0.5, 6.0, 64.0):
            found = embed(network, inputs, range(7), longest=longest, seconds=seconds)
            assert found.dtype == np.float32
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_the_windows_of_a_clip_count_by_their_samples(toys, lengths, monkeypatch):
    """One window of 3 samples with an embedding of zeros, one of 1 sample with one of ones."""
    import xlser.training.embed as module

    network = network_of(toys)
    first, parts = iter([0.0, 1.0]), [module.Span(2, 0, 3), module.Span(2, 3, 4)]
    monkeypatch.setattr(module, "_embed", lambda network, inputs, batch, pool: [np.full(32, next(first))])
    monkeypatch.setattr(module, "windows", lambda *_: parts)
    found = embed(network, ClipInputs(network, lengths, None), [2], longest=1.0, seconds=1e-4)
    assert found[0].tolist() == [0.25] * 32


def test_rows_keep_their_order_and_may_come_twice(toys, lengths):
    network = network_of(toys)
    inputs = ClipInputs(network, lengths, None)
    whole = embed(network, inputs, np.arange(7), longest=12.0)
    rows = [5, 0, 6, 5, 1]
    np.testing.assert_allclose(embed(network, inputs, np.array(rows), longest=12.0), whole[rows], rtol=1e-4, atol=1e-6)
    assert embed(network, inputs, [], longest=12.0).shape == (0, 32)


def test_a_clip_of_a_tenth_of_a_second_has_an_embedding(toys, lengths):
    network = network_of(toys)
    assert np.isfinite(embed(network, ClipInputs(network, lengths, None), [0, 4], longest=1.0)).all()


def test_twenty_minutes_are_read_in_windows(toys, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    clips = toys.clips_of([rng.normal(0, 0.1, 20 * 60 * RATE).astype(np.float32)], tmp_path)
    network, seen = network_of(toys), []
    front = network.encoder.front
    monkeypatch.setattr(network.encoder, "front", lambda wave: (seen.append(len(wave)), front(wave[: RATE // 10]))[1])
    found = embed(network, ClipInputs(network, clips, None), [0], longest=12.0)
    assert np.isfinite(found).all()
    assert len(seen) == 100
    assert max(seen) <= 12 * RATE
    assert sum(seen) == clips.samples[0]


def test_no_batch_holds_more_than_its_seconds(toys, lengths, monkeypatch):
    network, seen = network_of(toys), []
    inputs = ClipInputs(network, lengths, None)
    take = inputs.take
    monkeypatch.setattr(
        inputs, "take", lambda spans: (seen.append([span.stop - span.start for span in spans]), take(spans))[1]
    )
    embed(network, inputs, range(7), longest=1.0, seconds=2.0)
    assert all(len(batch) == 1 or len(batch) * max(batch) <= 2 * RATE for batch in seen)
    assert len(seen) < sum(map(len, seen)), "some batches hold several"
    assert sum(map(sum, seen)) == lengths.samples.sum()


def test_progress_counts_every_clip_once(toys, lengths):
    network, told = network_of(toys), []
    embed(network, ClipInputs(network, lengths, None), range(7), longest=1.0, seconds=2.0, advance=told.append)
    assert sum(told) == 7


def test_another_pool_can_be_read(toys, lengths):
    feed = {"layer": 0, "pooling": "attentive"}
    network = network_of(toys, {"contrastive": {"feed": feed}})
    found = embed(network, ClipInputs(network, lengths, None), range(7), longest=2.0, pool="fed")
    assert found.shape == (7, 64)
    np.testing.assert_allclose(found, one_by_one(network, lengths, range(7), 2.0, "fed"), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("mode", [True, False])
def test_the_network_is_left_in_its_mode_also_after_a_fault(toys, lengths, mode):
    network = network_of(toys, dropout=0.5).train(mode)
    inputs = ClipInputs(network, lengths, None)
    one, same = (embed(network, inputs, range(7), longest=2.0) for _ in range(2))
    assert network.training is mode
    assert np.array_equal(one, same), "no dropout"
    with torch.no_grad():
        network.encoder.model.encoder.layers[0].attention.k_proj.weight.fill_(torch.nan)
    with pytest.raises(RunError, match=r"7 embeddings are not finite, such as that of toy/0, toy/1, toy/2\. .*float32"):
        embed(network, inputs, range(7), longest=2.0)
    assert network.training is mode


def test_a_clip_with_a_hole_is_named(toys, tmp_path):
    rng = np.random.default_rng(0)
    waves = [toys.tone(n % 4, rng, 0.3) for n in range(4)]
    waves[2][100] = np.nan
    clips = toys.clips_of(waves, tmp_path)
    network = network_of(toys)
    with pytest.raises(RunError, match=r"1 embeddings are not finite, such as that of toy/2\."):
        embed(network, ClipInputs(network, clips, None), [3, 2, 0], longest=2.0)


@pytest.mark.parametrize(
    "fault", [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("DefaultCPUAllocator: not enough memory")]
)
def test_too_little_memory_is_told_with_the_way_out(toys, lengths, monkeypatch, fault):
    network = network_of(toys)

    def full(*_):
        raise fault

    monkeypatch.setattr(type(network), "embed", full)
    with pytest.raises(RunError, match=r"out of memory while embedding \d clips at once\. Lower encoder.longest or"):
        embed(network, ClipInputs(network, lengths, None), range(7), longest=2.0)


def test_other_faults_are_not_taken_for_it(toys, lengths, monkeypatch):
    network = network_of(toys)

    def broken(*_):
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(type(network), "embed", broken)
    with pytest.raises(RuntimeError, match="shapes differ"):
        embed(network, ClipInputs(network, lengths, None), range(7), longest=2.0)


def test_bfloat16_is_near_float32(toys, lengths):
    network = network_of(toys)
    wide, half = (
        embed(network, ClipInputs(network, lengths, None, precision=precision), range(7), longest=2.0)
        for precision in ("float32", "bfloat16")
    )
    assert not np.array_equal(wide, half)
    np.testing.assert_allclose(half, wide, atol=0.1)

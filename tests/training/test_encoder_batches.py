"""What is refused before the first step, and what stops training with a reason."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from xlser.errors import RecipeError, RunError
from xlser.losses import SupCon
from xlser.training.encoder_batches import check_batch
from xlser.training.encoder_brain import EncoderBrain
from xlser.training.encoder_recipe import Terms
from xlser.training.encoder_step import build_classifier

HALF_RATED = np.r_[np.arange(96.0).reshape(32, 3) / 96, np.full((8, 3), np.nan)]


@pytest.fixture
def no_step(monkeypatch):
    """Fail where a batch is computed: a fault of the recipe is told before that."""

    def fail(*_):
        raise AssertionError("training began")

    monkeypatch.setattr(EncoderBrain, "fit_batch", fail)


def told(data, **columns):
    return data._replace(**{name: np.array(values) for name, values in columns.items()})


@pytest.mark.parametrize(
    ("method", "changes", "message"),
    [
        ({"contrastive": {"pairs": "cross-language"}}, {"language": [0] * 40}, "more languages"),
        ({"contrastive": {"pairs": "cross-speaker"}}, {"speaker": [1] * 40}, "more speakers"),
        ({"metric": {"on": "valence"}}, {"ratings": np.full((40, 3), np.nan)}, "no two different ratings of valence"),
        ({"dimensions": {"of": ["dominance"]}}, {"ratings": np.ones((40, 3))}, "no two different ratings of dominance"),
        ({"cross_entropy": 1}, {"emotion": [0] * 40}, "only 1 of the classes have 2 clips"),
        ({"cross_entropy": 1}, {"emotion": [0, 1, 2, 3] * 8 + [-1] * 8}, "too few clips of the recipe's emotions"),
        ({"supcon": 1}, {"emotion": [0, 1, 2, 3] * 8 + [1] * 8}, r"to judge an epoch by \(8, of 1 emotions\)"),
        ({"supcon": 1}, {"emotion": [0, 1, 2, 3] * 8 + [0, 1, 2, 3, -1, -1, -1, -1]}, r"\(4, of 4 emotions\)"),
        ({"metric": 1}, {"ratings": HALF_RATED}, "the validation set has no two different ratings of activation"),
    ],
)
def test_what_a_loss_lacks_is_told_before_training(fine_tune, tones, no_step, method, changes, message):
    with pytest.raises(RecipeError, match=message):
        fine_tune(method, data=told(tones, **changes))


def test_a_frozen_encoder_with_nothing_to_learn_is_refused(fine_tune, no_step):
    method = {"supcon": {"projection": None}}
    with pytest.raises(RecipeError, match="nothing learns: the encoder is frozen"):
        fine_tune(method, encoder={"freeze": "all"})


@pytest.mark.parametrize(
    ("method", "encoder"),
    [
        ({"supcon": {"projection": 8}}, {}),
        ({"supcon": {"projection": None}}, {"pooling": "attentive"}),
        ({"metric": 1}, {"layer": "weighted"}),
        ({"dimensions": {"of": ["activation"]}}, {}),
    ],
)
def test_a_frozen_encoder_below_something_that_learns_is_trained(fine_tune, method, encoder):
    found = fine_tune(method, encoder={"freeze": "all", **encoder}, epochs=1, lr=1e-2)
    assert np.isfinite(found.curve[0]["train/loss"])


def test_float16_asks_for_a_gpu(fine_tune, no_step, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(RecipeError, match=r"training\.precision float16 needs a GPU\. Use bfloat16"):
        fine_tune(precision="float16")


def test_a_batch_that_cannot_hold_its_classes_is_told(fine_tune, no_step):
    with pytest.raises(RecipeError, match=r"training\.seconds 4 makes 3 batches or more .* Raise training\.seconds"):
        fine_tune(classes=4, clips=2, seconds=4.0)


@pytest.mark.parametrize(
    "method", [{"cross_entropy": {"balance": True}}, {"supcon": 1}, {"contrastive": {"pairs": "hard"}}]
)
def test_a_class_with_one_clip_and_one_without_any_are_no_fault(fine_tune, tones, method):
    emotion = np.array([0, 1] * 20)
    emotion[5] = 2
    found = fine_tune(method, data=told(tones, emotion=emotion), epochs=2)
    assert all(np.isfinite(epoch["train/loss"]) for epoch in found.curve)


def test_a_meeting_counts_rows_of_a_class_only():
    from collections import namedtuple

    rows = np.arange(4)
    data = namedtuple("Data", "emotion speaker language")
    terms = Terms(contrastive={"pairs": "cross-speaker"})
    check_batch(terms, data(np.array([0, 0, 1, -1]), np.array([0, 1, 0, 1]), None), rows)
    for emotion, speaker in (([0, 1, -1, -1], [0, 1, 0, 1]), ([0, 0, 1, 1], [0, 0, 1, 1]), ([-1] * 4, [0, 1, 2, 3])):
        with pytest.raises(RecipeError, match="cross-speaker: a batch has no two clips of one emotion by different"):
            check_batch(terms, data(np.array(emotion), np.array(speaker), None), rows)


def broken(toys, where, value, **encoder):
    recipe = toys.recipe_of({"cross_entropy": 1}, encoder=encoder)
    network = build_classifier(recipe.encoder, recipe.methods["m"], 4, 0)
    with torch.no_grad():
        network.get_parameter(where).fill_(value)
    return network


@pytest.mark.parametrize("chunk_seconds", [None, 1.0])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_numbers_stop_it_and_clips_are_named(fine_tune, toys, value, chunk_seconds):
    network = broken(toys, "encoder.model.encoder.layers.1.attention.k_proj.weight", value)
    with pytest.raises(RunError, match=r"epoch 1, step 1: the embedding of toy/\d+, .* is not finite\. Lower"):
        fine_tune(network=network, chunk_seconds=chunk_seconds)


def test_a_head_that_is_not_a_number_stops_it_too(fine_tune, toys):
    with pytest.raises(RunError, match=r"epoch 1, step 1: `logits` must be finite.* The clips: toy/\d+, "):
        fine_tune(network=broken(toys, "classes.weight", float("nan")))


def test_one_bad_clip_is_named_alone(fine_tune, toys, tmp_path):
    data = toys.synthetic(tmp_path / "clips")
    wave = np.array(data.clips.read(7))
    wave[10] = np.nan
    data.clips.store.put(data.clips.contents[7], wave)
    with pytest.raises(RunError, match=r"the embedding of toy/7 is not finite"):
        fine_tune(data=data, store=None)


def test_a_loss_that_is_not_finite_is_told_by_its_terms(fine_tune, monkeypatch):
    monkeypatch.setattr(SupCon, "__call__", lambda *_: torch.tensor(torch.inf))
    with pytest.raises(RunError, match=r"not finite \(cross_entropy .*, supcon inf, loss inf\); the batch: toy/\d"):
        fine_tune({"cross_entropy": 1, "supcon": 0.5})


def test_a_rate_that_is_far_too_high_ends_in_words(fine_tune):
    with pytest.raises(RunError, match=r"training stopped in epoch \d+, step \d+|embeddings are not finite"):
        fine_tune(lr=1e30, encoder_lr=1e30, clip=None, epochs=3, warmup=0.0, decay="constant")


@pytest.mark.parametrize(
    ("chosen", "bound"),
    [
        ({}, r"Lower training\.seconds \(now 2\.5\), or set training\.chunk_seconds"),
        ({"chunk_seconds": 1.0}, r"Lower training\.chunk_seconds \(now 1\)"),
    ],
)
def test_too_little_memory_names_the_bound_to_lower(fine_tune, monkeypatch, chosen, bound):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    monkeypatch.setattr(EncoderBrain, "_embed", full)
    with pytest.raises(RunError, match=r"epoch 1, step 1: out of memory with \d+ clips at once\. " + bound):
        fine_tune(**chosen)


def test_a_checkpoint_of_another_run_is_refused(fine_tune, tmp_path):
    fine_tune(folder=tmp_path / "run", fingerprint="one", epochs=1)
    with pytest.raises(RunError, match=r"belongs to another recipe or other data .*one, this run's is two"):
        fine_tune(folder=tmp_path / "run", fingerprint="two", epochs=1)


def test_a_damaged_checkpoint_is_told(fine_tune, tmp_path):
    fine_tune(folder=tmp_path / "run", epochs=1)
    (state,) = (tmp_path / "run").rglob("state.ckpt")
    state.write_bytes(state.read_bytes()[:500])
    with pytest.raises(RunError, match=r"cannot read .*state\.ckpt: .* Delete it; the run then makes it again"):
        fine_tune(folder=tmp_path / "run", epochs=1)
    state.unlink()
    assert len(fine_tune(folder=tmp_path / "run", epochs=1).curve) == 1

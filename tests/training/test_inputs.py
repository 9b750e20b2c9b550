"""What a network is fed: what is kept of its frozen part, what is drawn anew, and that neither changes a number."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from xlser.data.spans import Span, windows
from xlser.models.front import WaveConvolutions
from xlser.training.encoder_step import build_classifier
from xlser.training.inputs import ClipInputs, Draw, autocast, middle

# A level alone leaves nothing behind: the encoder normalises its input. Noise does.
SPEC, WAVE = {"time": 0.3, "time_length": 3}, {"gain": [-6, 6], "snr": [5, 15]}


@pytest.fixture
def front(monkeypatch):
    """Count the clips that go through the convolutions."""
    told, call = [], WaveConvolutions.__call__
    monkeypatch.setattr(WaveConvolutions, "__call__", lambda self, wave: (told.append(len(wave)), call(self, wave))[1])
    return told


def inputs_of(toys, data, root, method=None, *, augment=None, precision="float32", **encoder):
    recipe = toys.recipe_of(method or {"cross_entropy": 1}, encoder=encoder, augment=augment)
    network = build_classifier(recipe.encoder, recipe.methods["m"], 4, 0)
    return ClipInputs(network, data.clips, root, precision=precision, augment=recipe.augment if augment else None)


def whole(data, row):
    return Span(row, 0, int(data.clips.samples[row]))


@pytest.mark.parametrize(
    ("encoder", "augment", "kept"),
    [
        ({"freeze": "nothing"}, None, ("waves", 0)),
        ({"freeze": "front"}, None, ("frames", 0)),
        ({"freeze": "front"}, SPEC, ("frames", 0)),
        ({"freeze": "front"}, WAVE, ("waves", 0)),
        ({"freeze": 1}, None, ("frames", 1)),
        ({"freeze": 1}, SPEC, ("frames", 0)),
        ({"freeze": 1, "layer": 0}, None, ("frames", 0)),
        ({"freeze": 1, "layer": "weighted"}, None, ("frames", 0)),
        ({"freeze": 2, "pooling": "attentive"}, None, ("frames", 2)),
        ({"freeze": "all"}, None, ("means", 0)),
        ({"freeze": 2}, None, ("means", 0)),
        ({"freeze": "all", "layer": "weighted"}, None, ("means", 0)),
        ({"freeze": "all", "pooling": "attentive"}, None, ("frames", 2)),
        ({"freeze": "all"}, SPEC, ("frames", 0)),
        ({"freeze": "all"}, WAVE, ("waves", 0)),
    ],
)
def test_what_is_kept_is_what_nothing_random_and_nothing_trained_comes_before(
    toys, tones, tmp_path, encoder, augment, kept
):
    inputs = inputs_of(toys, tones, tmp_path, augment=augment, **encoder)
    assert (inputs.kind, inputs.first) == kept
    assert (inputs_of(toys, tones, None, augment=augment, **encoder).kind) == "waves"


def test_a_fed_pool_counts_too(toys, tones, tmp_path):
    feeds = [{"layer": 0}, {"layer": -1, "pooling": "attentive"}]
    methods = [{"cross_entropy": 1, "contrastive": {"feed": feed}} for feed in feeds]
    lower, attentive = (inputs_of(toys, tones, tmp_path, method, freeze=2) for method in methods)
    assert (lower.kind, attentive.kind, attentive.first) == ("means", "frames", 2)
    assert inputs_of(toys, tones, tmp_path, methods[0], freeze=1).first == 0


@pytest.mark.parametrize(
    "encoder",
    [
        {"freeze": "nothing"},
        {"freeze": "front"},
        {"freeze": 1},
        {"freeze": 1, "layer": "weighted"},
        {"freeze": "all", "layer": "weighted"},
        {"freeze": "all", "pooling": "attentive", "layer": 1},
    ],
    ids=str,
)
def test_training_with_the_store_is_training_without(fine_tune, tmp_path, encoder):
    method = {"cross_entropy": 1, "supcon": 0.5}
    runs = [fine_tune(method, store=root, encoder=encoder) for root in (None, tmp_path / "new", tmp_path / "new")]
    for found in runs[1:]:
        torch.testing.assert_close(found.network.state_dict(), runs[0].network.state_dict(), rtol=1e-4, atol=1e-5)
        for one, other in zip(found.curve, runs[0].curve, strict=True):
            assert one == pytest.approx(other, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(("freeze", "kinds"), [("front", 1), (1, 1), ("all", 1)])
def test_a_clip_goes_through_the_frozen_part_once_in_a_whole_run(fine_tune, front, tones, tmp_path, freeze, kinds):
    fine_tune(store=tmp_path / "new", epochs=4, encoder={"freeze": freeze})
    assert sorted(front) == sorted(tones.clips.samples), "32 clips are trained on, 8 judged by"
    front.clear()
    fine_tune(store=tmp_path / "new", epochs=2, encoder={"freeze": freeze}, seed=1)
    assert front == []


def test_with_specaugment_a_frozen_encoder_keeps_frames_for_training_and_means_for_judging(fine_tune, front, tmp_path):
    fine_tune(store=tmp_path / "new", epochs=3, encoder={"freeze": "all"}, augment=SPEC)
    assert len(front) == 40


def test_another_checkpoint_precision_or_depth_has_entries_of_its_own(toys, make_other, tones, tmp_path):
    one = inputs_of(toys, tones, tmp_path, freeze=1)
    others = [
        inputs_of(toys, tones, tmp_path, freeze=1, precision="bfloat16"),
        inputs_of(toys, tones, tmp_path, freeze="front"),
        inputs_of(toys, tones, tmp_path, freeze="all"),
        inputs_of(toys, tones, tmp_path, freeze=1, weights=make_other),
        inputs_of(toys, tones, tmp_path, freeze=1, weights="random:tiny-group"),
    ]
    folders = {inputs.store.folder for inputs in (one, *others)}
    assert len(folders) == 6
    assert inputs_of(toys, tones, tmp_path, freeze=1, dropout=0.3).store.folder == one.store.folder


@pytest.fixture(scope="session")
def make_other(tmp_path_factory):
    """The folder of a tiny checkpoint of which one weight is another."""
    from xlser.models.checkpoints import load_encoder

    folder, encoder = tmp_path_factory.mktemp("other"), load_encoder("random:tiny")
    with torch.no_grad():
        next(encoder.model.feature_extractor.parameters())[0] += 1e-3
    encoder.save(folder)
    return str(folder)


@pytest.mark.parametrize("freeze", ["front", 1, "all"])
def test_a_damaged_entry_is_made_again(toys, tones, tmp_path, freeze):
    inputs = inputs_of(toys, tones, tmp_path, freeze=freeze)
    (before,) = inputs.take([whole(tones, 3)]).clips
    (path,) = inputs.store.folder.rglob("*.npy")
    for damage in (path.read_bytes()[:-40], path.read_bytes()[:-9] + b"damaged!!"):
        path.write_bytes(damage)
        again = inputs_of(toys, tones, tmp_path, freeze=freeze)
        assert torch.equal(again.take([whole(tones, 3)]).clips[0], before)
        assert inputs_of(toys, tones, tmp_path, freeze=freeze).store.get(tones.clips.contents[3]) is not None


def test_filling_the_store_leaves_the_network_in_its_mode(toys, tones, tmp_path):
    inputs = inputs_of(toys, tones, tmp_path, freeze=1, dropout=0.5)
    for mode in (True, False):
        inputs.network.train(mode)
        inputs.take([whole(tones, int(mode))])
        assert inputs.network.training is mode
        assert inputs.network.encoder.model.encoder.layers[1].training is mode
        assert not inputs.network.encoder.model.encoder.layers[0].training


def test_what_is_kept_does_not_depend_on_dropout(toys, tones, tmp_path):
    taken = []
    for root, dropout in ((tmp_path / "a", 0.0), (tmp_path / "b", 0.5)):
        inputs = inputs_of(toys, tones, root, freeze=1, dropout=dropout)
        inputs.network.train()
        taken.append(inputs.take([whole(tones, 0)]).clips[0])
    assert torch.equal(*taken)


def test_a_part_of_a_clip_has_an_entry_of_its_own(toys, tones, tmp_path):
    inputs = inputs_of(toys, tones, tmp_path, freeze="front")
    part = Span(3, 100, 2100)
    first, all_of_it = inputs.take([part]).clips[0], inputs.take([whole(tones, 3)]).clips[0]
    fresh = inputs_of(toys, tones, None).network.encoder.front(torch.tensor(tones.clips.read(3)[100:2100]))
    torch.testing.assert_close(first, fresh.detach())
    assert len(all_of_it) > len(first)
    assert torch.equal(inputs.take([part]).clips[0], first)


def masks_of(inputs, rows, draw, data):
    taken = inputs.take([whole(data, row) for row in rows], draw)
    return [mask(40) for mask in taken.masks]


@pytest.mark.parametrize("freeze", ["nothing", "front", 1, "all"])
def test_masks_are_new_in_every_epoch_and_seed_and_do_not_depend_on_the_batch(toys, tones, tmp_path, freeze):
    inputs = inputs_of(toys, tones, tmp_path, augment=SPEC, freeze=freeze)
    choice = toys.recipe_of({"cross_entropy": 1}, augment=SPEC).augment

    def told(rows, seed, epoch):
        return [mask[0].tolist() for mask in masks_of(inputs, rows, Draw(choice, seed, epoch), tones)]

    first = told([0, 1, 2, 3], 0, 1)
    assert told([0, 1, 2, 3], 0, 1) == first
    assert told([3, 1], 0, 1) == [first[3], first[1]]
    assert len({str(mask) for mask in first}) > 1
    assert told([0, 1, 2, 3], 0, 2) != first
    assert told([0, 1, 2, 3], 1, 1) != first


def test_waves_are_new_in_every_epoch_and_do_not_depend_on_the_batch(toys, tones):
    choice = {"gain": [-12, 12], "snr": [0, 20], "speed": [0.9, 1.1]}
    inputs = inputs_of(toys, tones, None, augment=choice)
    augment = toys.recipe_of({"cross_entropy": 1}, augment=choice).augment
    one, again, next_epoch = (
        inputs.take([whole(tones, row) for row in rows], Draw(augment, 0, epoch)).clips
        for rows, epoch in (([0, 1], 1), ([1, 5, 0], 1), ([0, 1], 2))
    )
    assert torch.equal(one[0], again[2])
    assert torch.equal(one[1], again[0])
    assert len(one[0]) != tones.clips.samples[0]
    assert one[0].shape != next_epoch[0].shape or not torch.equal(one[0], next_epoch[0])


def test_nothing_is_drawn_in_evaluation(toys, tones, tmp_path):
    for encoder in ({"freeze": "nothing"}, {"freeze": "front"}):
        inputs = inputs_of(toys, tones, tmp_path, augment={**SPEC, "gain": [6, 12]}, **encoder)
        taken = inputs.take([whole(tones, 0)])
        assert taken.masks is None
        assert torch.equal(taken.clips[0], torch.tensor(tones.clips.read(0)))


@pytest.mark.parametrize("freeze", ["nothing", "front", "all"])
@pytest.mark.parametrize("augment", [SPEC, {**SPEC, **WAVE}, WAVE, {"feature": 0.3, "feature_length": 4}], ids=str)
def test_augmented_training_runs_and_differs_from_plain_training(fine_tune, freeze, augment):
    plain, changed = (
        fine_tune(epochs=1, encoder={"freeze": freeze}, augment=choice).curve[0]["train/loss"]
        for choice in (None, augment)
    )
    assert np.isfinite(changed)
    assert changed != plain


@pytest.mark.parametrize("samples", [1, 400, 16_000, 16_001, 47_999, 48_000, 160_001])
def test_windows_cover_a_clip_once_in_near_equal_parts(samples):
    found = windows(3, samples, 16_000)
    assert [span.start for span in found] == [0, *(span.stop for span in found[:-1])]
    assert found[-1].stop == samples
    lengths = [span.stop - span.start for span in found]
    assert max(lengths) <= 16_000
    assert max(lengths) - min(lengths) <= 1
    assert len(found) == -(-samples // 16_000)


def test_the_middle_of_a_long_clip_is_taken():
    assert middle(1, 10, 4) == Span(1, 3, 7)
    assert middle(1, 4, 4) == middle(1, 4, 9) == Span(1, 0, 4)


def test_precision_is_of_the_network_alone():
    x = torch.ones(2, 2)
    with autocast("float32"):
        assert (x @ x).dtype == torch.float32
    with autocast("bfloat16"):
        assert (x @ x).dtype == torch.bfloat16
        with autocast("float32"):
            assert (x @ x).dtype == torch.float32


def test_validation_is_judged_on_clips_as_they_are(fine_tune):
    still = {"lr": 1e-20, "encoder_lr": 0.0, "epochs": 1}
    plain, changed = (fine_tune(**still, augment=choice).curve[0] for choice in (None, {**SPEC, **WAVE}))
    assert changed["train/loss"] != plain["train/loss"]
    assert changed["valid/loss"] == pytest.approx(plain["valid/loss"], rel=1e-6)

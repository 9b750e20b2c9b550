"""Fine-tuning on synthetic tones: it learns, steps as the recipe says, keeps the best epoch, and stops in time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from xlser.training.encoder_brain import EncoderBrain
from xlser.training.schedule import rate

ALL = {
    "cross_entropy": {"weight": 1, "balance": True, "smoothing": 0.1},
    "supcon": {"weight": 0.5, "projection": 8},
    "contrastive": {"weight": 0.3, "pairs": "random-balanced", "feed": {"layer": 1}, "projection": 4},
    "metric": {"metric": "signed", "on": "activation", "weight": 0.2},
    "dimensions": {"weight": 0.4, "of": ["activation", "valence"]},
}


@pytest.fixture
def steps(monkeypatch):
    """Record every optimizer step: rates, gradients before and after averaging and clipping, and the losses."""
    told, average, clip = [], EncoderBrain.optimizers_step, torch.nn.utils.clip_grad_norm_
    raw = {}

    def clipping(parameters, limit):
        raw["norm"] = torch.linalg.vector_norm(torch.stack([p.grad.norm() for p in parameters if p.grad is not None]))
        return clip(parameters, limit)

    def step(brain):
        raw["before"] = {n: p.grad.clone() for n, p in brain.network.named_parameters() if p.grad is not None}
        zero = brain.optimizer.zero_grad

        def look(set_to_none=True):
            told.append(
                {
                    "gradient": raw["before"],
                    "rates": [group["lr"] for group in brain.optimizer.param_groups],
                    "norm": raw.get("norm"),
                    "clipped": torch.linalg.vector_norm(
                        torch.stack([p.grad.norm() for p in brain.network.parameters() if p.grad is not None])
                    ),
                    "step": brain.step,
                    "count": brain.count,
                }
            )
            zero(set_to_none=set_to_none)

        monkeypatch.setattr(brain.optimizer, "zero_grad", look)
        average(brain)
        monkeypatch.setattr(brain.optimizer, "zero_grad", zero)

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", clipping)
    monkeypatch.setattr(EncoderBrain, "optimizers_step", step)
    return told


@pytest.fixture
def losses(monkeypatch):
    """Record the loss of every batch."""
    told, backward = [], EncoderBrain._backward

    def listening(brain, batch):
        parts = backward(brain, batch)
        told.append({name: float(value) for name, value in parts.items()})
        return parts

    monkeypatch.setattr(EncoderBrain, "_backward", listening)
    return told


def test_synthetic_tones_are_learnt_by_heart(fine_tune):
    rows = np.arange(40)
    found = fine_tune(train=rows, validation=rows, epochs=12, lr=1e-2, encoder_lr=3e-3, decay="constant", warmup=0.02)
    assert max(epoch["valid/score"] for epoch in found.curve) > 0.95
    assert found.curve[-1]["train/loss"] < found.curve[0]["train/loss"] / 2


@pytest.mark.slow
def test_sixty_four_recorded_clips_are_learnt_by_heart(real_corpora, toys, tmp_path):
    from xlser.corpora.card import load_card
    from xlser.data.manifest import build_manifest
    from xlser.features.clips import read_clips
    from xlser.training.encoder_plan import Labelled

    manifest = build_manifest(load_card("emodb"), real_corpora / "emodb")
    codes = {"anger": 0, "happiness": 1, "neutral": 2, "sadness": 3}
    scored = manifest.frame[manifest.frame["emotion"].isin(codes)].sort_values("duration")
    manifest.frame = frame = scored.groupby("emotion").head(16).reset_index(drop=True)
    clips = read_clips(manifest, tmp_path / "cache", progress=False)
    rows, emotion = np.arange(64), frame["emotion"].map(codes).to_numpy()
    speaker = np.unique(frame["speaker"], return_inverse=True)[1]
    data = Labelled(clips, emotion, np.full((64, 3), np.nan, np.float32), speaker, np.zeros(64, int))

    class Done(Exception):
        pass

    def enough(epoch, scalars):
        if scalars["valid/score"] > 0.95:
            raise Done

    with pytest.raises(Done):
        toys.fitted(
            data,
            tmp_path / "run",
            tmp_path / "cache",
            {"cross_entropy": 1, "supcon": 0.5},
            train=rows,
            validation=rows,
            encoder={"pooling": "attentive", "layer": "weighted"},
            epochs=60,
            seconds=48.0,
            lr=1e-2,
            encoder_lr=3e-3,
            decay="constant",
            warmup=0.02,
            on_epoch=enough,
        )


def test_the_same_seed_gives_the_same_bits_and_another_one_others(fine_tune, toys):
    noisy = {"encoder": {"dropout": 0.2}, "augment": {"time": 0.2, "time_length": 3, "feature": 0.1}}
    one, same, other = (fine_tune(ALL, seed=seed, **noisy) for seed in (0, 0, 1))
    assert toys.bits(one.network) == toys.bits(same.network)
    assert one.curve == same.curve
    assert toys.bits(one.network) != toys.bits(other.network)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_chunks_give_the_gradient_of_the_whole_batch(fine_tune, steps, precision):
    fine_tune(ALL, epochs=1, precision=precision)
    plain = list(steps)
    steps.clear()
    fine_tune(ALL, epochs=1, precision=precision, chunk_seconds=1.0)
    assert len(plain) == len(steps) > 1
    close = {"rtol": 1e-5, "atol": 1e-5} if precision == "float32" else {"rtol": 0.1, "atol": 0.05}
    torch.testing.assert_close(steps[0]["gradient"], plain[0]["gradient"], **close)
    assert any(name.startswith("encoder.") for name in plain[0]["gradient"])


def test_chunks_see_the_same_dropout_twice(fine_tune, losses):
    fine_tune(ALL, epochs=1, encoder={"dropout": 0.3}, chunk_seconds=1.0)
    assert all(np.isfinite(part["loss"]) for part in losses)


@pytest.mark.parametrize("group", [1, 2, 3, 4, 100])
def test_no_trailing_batch_is_lost(fine_tune, steps, losses, group):
    fine_tune(accumulate=group, epochs=2)
    count = steps[0]["count"]
    assert len(losses) == 2 * count
    assert [step["step"] for step in steps] == 2 * [*range(group, count, group), count]


def test_a_last_group_is_averaged_over_its_own_size(fine_tune, steps):
    """With rates of next to nothing the weights stay: the gradients of a run without groups can be added by hand."""
    still = {"lr": 1e-20, "encoder_lr": 0.0, "epochs": 1, "clip": None}
    fine_tune(**still)
    single = [step["gradient"] for step in steps]
    assert len(single) % 4, "the last group is to be a short one"
    steps.clear()
    fine_tune(accumulate=4, **still)
    groups = [single[start : start + 4] for start in range(0, len(single), 4)]
    for found, parts in zip(steps, groups, strict=True):
        mean = {name: sum(part[name] for part in parts) / len(parts) for name in parts[0]}
        torch.testing.assert_close(found["gradient"], mean, rtol=1e-4, atol=1e-7)


def test_both_rates_warm_up_and_fall(fine_tune, steps):
    fine_tune(epochs=3, encoder_lr=2e-4, lr=5e-3, warmup=0.3, decay="cosine")
    total = len(steps)
    for number, step in enumerate(steps):
        share = rate(number / total, warmup=0.3, decay="cosine")
        assert step["rates"] == pytest.approx([2e-4 * share, 5e-3 * share])
    assert steps[0]["rates"][0] < steps[total // 3]["rates"][0] > steps[-1]["rates"][0]


@pytest.mark.parametrize("name", ["encoder_lr", "lr"])
def test_each_rate_moves_its_own_weights(fine_tune, toys, name):
    rates = {"encoder_lr": 0.0, "lr": 1e-20, name: 1e-2}
    whole = {"freeze": "nothing"}
    start = _start(toys, whole)
    found = fine_tune(epochs=1, **rates, encoder=whole)
    moved = {n for n, tensor in found.network.state_dict().items() if (tensor - start[n]).abs().max() > 1e-6}
    assert moved
    assert all(n.startswith("encoder.") == (name == "encoder_lr") for n in moved)


def _start(toys, encoder):
    from xlser.training.encoder_step import build_classifier

    recipe = toys.recipe_of({"cross_entropy": 1}, encoder=encoder)
    return build_classifier(recipe.encoder, recipe.methods["m"], 4, 0).state_dict()


def test_one_norm_bounds_the_gradient_of_all_groups(fine_tune, steps):
    fine_tune(clip=0.05, epochs=1)
    for step in steps:
        assert step["norm"] > 0.05, "there is something to clip"
        assert step["clipped"] == pytest.approx(0.05, rel=1e-3)


@pytest.mark.parametrize(("freeze", "free"), [("front", "layers.0."), (1, "layers.1."), ("all", "classes.")])
def test_frozen_weights_stay_bit_for_bit(fine_tune, toys, freeze, free):
    chosen = {"freeze": freeze}
    start = _start(toys, chosen)
    found = fine_tune(encoder=chosen, weight_decay=0.1, lr=1e-2, encoder_lr=1e-2).network
    frozen = {name for name, parameter in found.named_parameters() if not parameter.requires_grad}
    assert frozen
    assert all(torch.equal(found.state_dict()[name], start[name]) for name in frozen)
    assert any(free in name and not torch.equal(p, start[name]) for name, p in found.named_parameters())


def test_weight_decay_is_that_of_adamw(fine_tune, toys):
    """With a rate r for the heads and a gradient g, one AdamW step is w (1 - r d) - r g / (|g| + eps)."""
    rows = {"train": np.arange(8), "validation": np.arange(8), "epochs": 1, "seconds": 100.0, "warmup": 0.0}
    plain, decayed = (fine_tune(**rows, lr=0.1, weight_decay=d, clip=None).network for d in (0.0, 0.5))
    start = _start(toys, {})
    difference = decayed.classes.weight - plain.classes.weight
    torch.testing.assert_close(difference.detach(), -0.1 * 0.5 * start["classes.weight"], rtol=1e-4, atol=1e-6)


def test_the_best_epoch_by_validation_ua_is_kept(fine_tune, tones, toys, toy_cache):
    from xlser.training.embed import embed
    from xlser.training.inputs import ClipInputs

    # Rates so high that later epochs are worse than earlier ones.
    found = fine_tune(epochs=6, lr=0.1, encoder_lr=0.02, decay="constant", warmup=0.0)
    ranked = [(epoch["valid/score"], -epoch["valid/loss"]) for epoch in found.curve]
    assert found.best_epoch == ranked.index(max(ranked)) + 1
    rows = np.arange(32, 40)[tones.emotion[32:40] >= 0]
    vectors = embed(found.network, ClipInputs(found.network, tones.clips, None), rows, longest=12.0)
    predicted = found.network.classes(torch.from_numpy(vectors)).argmax(1).numpy()
    assert toys.ua(tones.emotion[rows], predicted) == max(ranked)[0]
    assert not found.network.training


def test_it_stops_when_validation_no_longer_gains(fine_tune, monkeypatch, tones):
    scores = iter([0.2, 0.5, 0.4, 0.5, 0.3, 0.9])
    seen = []
    evaluate = EncoderBrain.evaluate_batch

    def judged(brain, batch, stage):
        loss = evaluate(brain, batch, stage)
        brain._validation = {"valid/score": next(scores), "valid/loss": 1.0}
        return loss

    monkeypatch.setattr(EncoderBrain, "evaluate_batch", judged)
    found = fine_tune(epochs=6, patience=2, on_epoch=lambda epoch, scalars: seen.append(epoch))
    assert seen == [1, 2, 3, 4]
    assert found.best_epoch == 2


@pytest.mark.parametrize(
    "method",
    [
        {"supcon": 1},
        {"contrastive": {"pairs": "random-balanced", "feed": {"layer": 0, "pooling": "attentive"}, "projection": 4}},
        {"metric": {"on": "valence"}},
        {"dimensions": {"of": ["activation", "dominance"]}},
    ],
    ids=lambda method: next(iter(method)),
)
def test_without_a_classifier_the_loss_on_validation_decides(fine_tune, method):
    found = fine_tune(method, epochs=3)
    scores = [epoch["valid/score"] for epoch in found.curve]
    assert [epoch["valid/loss"] for epoch in found.curve] == [-score for score in scores]
    assert found.best_epoch == scores.index(max(scores)) + 1
    assert fine_tune(method, epochs=3).curve == found.curve, "pairs are drawn from the seed, in validation too"


@pytest.mark.parametrize(("frozen", "layer"), [("nothing", -1), ("front", "weighted"), (1, 1), ("all", "weighted")])
def test_bfloat16_is_near_float32(fine_tune, losses, frozen, layer):
    chosen = {"freeze": frozen, "layer": layer}
    runs = []
    for precision in ("float32", "bfloat16"):
        losses.clear()
        fine_tune({"cross_entropy": 1, "supcon": 0.5}, epochs=1, precision=precision, encoder=chosen)
        runs.append([part["loss"] for part in losses])
    assert all(np.isfinite(runs[1]))
    assert runs[1] == pytest.approx(runs[0], rel=0.05)


def test_in_bfloat16_the_trained_layers_get_their_gradient_while_the_store_fills(fine_tune, steps, tmp_path):
    """Filling the store runs the trained layers without a graph: their copies in half precision must not be kept."""
    for store in (tmp_path / "empty", None):
        fine_tune(epochs=1, precision="bfloat16", encoder={"freeze": 1}, store=store)
    half = len(steps) // 2
    for with_store, without in zip(steps[:half], steps[half:], strict=True):
        assert with_store["gradient"].keys() == without["gradient"].keys()
        assert any("layers.1." in name for name in with_store["gradient"])


def test_shares_of_an_epoch_add_up(fine_tune):
    shares = []
    fine_tune(epochs=3, on_step=shares.append)
    assert sum(shares) == pytest.approx(3)


def test_adapters_learn_at_the_rate_of_what_is_new_and_alone(fine_tune, toys):
    options = {"epochs": 1, "encoder": {"lora": 4}, "encoder_lr": 0.0, "lr": 1e-2}
    found = fine_tune(**options).network.state_dict()
    from xlser.models.checkpoints import load_encoder

    start = load_encoder("random:tiny").state_dict()
    moved = {name for name, tensor in found.items() if ".lora_B." in name and tensor.any()}
    assert len(moved) == 4
    for name, tensor in start.items():
        key = f"encoder.{name}"
        assert found[key if key in found else key.replace("_proj.", "_proj.base_layer.")].equal(tensor), name
    again = fine_tune(**options).network.state_dict()
    assert all(found[name].equal(tensor) for name, tensor in again.items())
    other = fine_tune(seed=1, **options).network.state_dict()
    drawn = [name for name in found if ".lora_A." in name]
    assert not any(found[name].equal(other[name]) for name in drawn)

"""Votes and mixup in the trainings of both networks: the degenerate cases to the bit, and a run taken up again."""

from pathlib import Path

import numpy as np
import pytest
import torch

from xlser.losses import CrossEntropy, Labels
from xlser.training.objective import Objective
from xlser.training.recipe import Recipe
from xlser.training.step import Batch, build_network, losses

EPOCHS = 4


def rows(count, seed):
    rng = torch.Generator().manual_seed(seed)
    emotion = torch.arange(count) % 4 - (torch.arange(count) % 9 == 0).long()
    shares = torch.rand(count, 4, generator=rng)
    shares = shares / shares.sum(1, keepdim=True)
    shares[::5] = torch.nan
    groups = torch.zeros(count, 3).long()
    return Batch(torch.randn(count, 8, generator=rng), torch.full((count, 3), torch.nan), emotion, groups, shares)


DATA = rows(60, 1), rows(24, 2)


def train(folder, term, data=DATA, on_epoch=lambda epoch, scalars: None, **model):
    from xlser.training.autoencoder_brain import Plan, fit

    recipe = Recipe(
        name="toy",
        source="a",
        model={"hidden": (6, 4), "latent": 3, **model},
        training={"epochs": EPOCHS, "checkpoint_every": 1, "batch": 20, "lr": 1e-2},
    )
    plan = Plan(recipe, Objective(losses=[CrossEntropy(**term)], combine="sum"), 0, Path(folder), "f", 4, on_epoch)
    fitted = fit(plan, *data)
    return {name: tensor.numpy().tobytes() for name, tensor in fitted.network.state_dict().items()}, fitted.curve


def one_hot(batch):
    hard = torch.nn.functional.one_hot(batch.emotion.clamp_min(0), 4).float()
    return batch._replace(shares=torch.where((batch.emotion >= 0)[:, None], hard, torch.nan))


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return train(tmp_path_factory.mktemp("plain"), {})


def test_votes_for_one_class_train_the_same_bits(plain, tmp_path):
    assert train(tmp_path / "a", {"targets": "votes"}, [one_hot(part) for part in DATA]) == plain
    assert train(tmp_path / "b", {"targets": "votes"})[0] != plain[0]


def test_as_alpha_goes_to_nought_mixup_trains_the_same_bits(plain, tmp_path):
    assert train(tmp_path / "a", {"mixup": 1e-12}) == plain
    assert train(tmp_path / "b", {"mixup": 1.0})[0] != plain[0]


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_a_mixed_training_that_was_stopped_ends_the_same(tmp_path, noise):
    term = {"mixup": 1.0, "targets": "votes", "undecided": True}

    class Stopped(Exception):
        pass

    def stopping(epoch, scalars):
        if epoch == 2:
            raise Stopped

    with pytest.raises(Stopped):
        train(tmp_path / "again", term, on_epoch=stopping, noise=noise)
    assert train(tmp_path / "again", term, noise=noise) == train(tmp_path / "once", term, noise=noise)


def test_every_batch_is_mixed_otherwise(tmp_path, monkeypatch):
    from xlser.training import step

    drawn, draw = [], step.draw_mix
    monkeypatch.setattr(step, "draw_mix", lambda *given: (drawn.append(draw(*given)), drawn[-1])[1])
    train(tmp_path, {"mixup": 1.0}, noise=0.0)
    assert len(drawn) == EPOCHS * 3, "validation is not mixed"
    assert len({mix.share for mix in drawn}) == len(drawn)


def test_the_head_judges_mixed_latents_and_is_taught_mixed_targets():
    objective = Objective(losses=[CrossEntropy(mixup=1.0)], combine="sum")
    network = build_network(Recipe(name="r", source="a").model, 8, 4, 0, objective.terms).eval()
    batch = DATA[0]
    found = losses(network, batch, batch.x, objective, mixing=torch.Generator().manual_seed(3))["cross_entropy"]
    known = batch.emotion >= 0
    latent, emotion = network["autoencoder"].encode(batch.x)[known], batch.emotion[known]
    generator = torch.Generator().manual_seed(3)
    partner = torch.randperm(len(latent), generator=generator)
    drawn = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator))).beta(1, 1)
    share, total = max(drawn, 1 - drawn), 0.0
    log_p = network["head"](share * latent + (1 - share) * latent[partner]).log_softmax(1)
    for i in range(len(latent)):
        total -= share * log_p[i, emotion[i]] + (1 - share) * log_p[i, emotion[partner[i]]]
    assert found.item() == pytest.approx((total / len(latent)).item(), rel=1e-5)


def test_undecided_rows_are_drawn_under_balance_where_nothing_is_reconstructed():
    from xlser.training.autoencoder_brain import _groups, _keys

    batch = DATA[0]
    for undecided in (False, True):
        term = CrossEntropy(targets="votes", undecided=undecided)
        objective = Objective(losses=[term], combine="sum", reconstruct=False)
        codes = _groups(batch, objective, _keys(batch, objective), ("emotion",))
        votes = batch.shares.isfinite().all(1)
        expected = (batch.emotion >= 0) | (votes if undecided else False)
        assert ((codes >= 0) == expected.numpy()).all()


def test_class_weights_come_from_the_votes_that_are_learnt():
    from xlser.training.loss_terms import weights_of

    labels = DATA[0].labels()
    term = CrossEntropy(targets="votes", balance=True)
    mass = torch.zeros(4)
    for code, votes in zip(labels.emotion.tolist(), labels.shares, strict=True):
        if code >= 0:
            mass += torch.eye(4)[code] if votes.isnan().any() else votes
    assert torch.allclose(weights_of({"m": term}, labels, 4), (1 / mass) / (1 / mass).mean())
    hard = weights_of({"m": CrossEntropy(balance=True)}, labels, 4)
    rows_of = labels.emotion[labels.emotion >= 0].bincount()
    assert torch.allclose(hard, (1 / rows_of) / (1 / rows_of).mean())
    assert weights_of({"m": CrossEntropy()}, Labels(labels.emotion), 4) is None


def test_an_encoder_learns_from_votes_and_mixes(fine_tune, toys, tones):
    plain = fine_tune(epochs=1)
    hard = np.where((tones.emotion >= 0)[:, None], np.eye(4, dtype=np.float32)[tones.emotion], np.nan)
    same = fine_tune({"cross_entropy": {"targets": "votes"}}, data=tones._replace(shares=hard), epochs=1)
    assert toys.bits(same.network) == toys.bits(plain.network)
    assert toys.bits(fine_tune({"cross_entropy": {"targets": "votes"}}, epochs=1).network) != toys.bits(plain.network)
    least = fine_tune({"cross_entropy": {"mixup": 1e-12}}, epochs=1)
    assert toys.bits(least.network) == toys.bits(plain.network)
    mixed = [fine_tune({"cross_entropy": {"mixup": 1}}, epochs=1) for _ in range(2)]
    assert toys.bits(mixed[0].network) == toys.bits(mixed[1].network) != toys.bits(plain.network)


def test_an_encoder_balances_corpora_and_one_corpus_changes_nothing(fine_tune, toys, tones, monkeypatch):
    from xlser.training.encoder_brain import EncoderBrain

    seen, backward = [], EncoderBrain._backward
    monkeypatch.setattr(
        EncoderBrain, "_backward", lambda brain, batch: (seen.extend(s.row for s in batch), backward(brain, batch))[1]
    )
    balanced = fine_tune(epochs=1, balance="corpus", seconds=4.0)
    counts = np.bincount(tones.corpus[seen])
    assert len(seen) == 32
    assert abs(counts[0] - counts[1]) <= 1
    plain = fine_tune(epochs=1, seconds=4.0)
    assert toys.bits(balanced.network) != toys.bits(plain.network)
    alone = fine_tune(epochs=1, balance="corpus", seconds=4.0, data=tones._replace(corpus=np.zeros(40, int)))
    assert toys.bits(alone.network) == toys.bits(plain.network)

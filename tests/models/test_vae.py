"""The variational autoencoder draws in training only, and repeatably."""

import pytest
import torch
from torch import nn

from xlser.models import Autoencoder, EmotionHead, VariationalAutoencoder


@pytest.fixture
def model():
    torch.manual_seed(0)
    return VariationalAutoencoder(features=5, hidden=(4, 3), latent=2)


@pytest.fixture
def x():
    return torch.randn(6, 5, generator=torch.Generator().manual_seed(1))


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def test_it_has_the_autoencoders_layers_and_one_head_more():
    plain, variational = Autoencoder(), VariationalAutoencoder()
    assert str(variational.decoder) == str(plain.decoder)
    assert str(variational.trunk) == str(plain.encoder[:-1])
    extra = sum(p.numel() for p in variational.parameters()) - sum(p.numel() for p in plain.parameters())
    assert extra == 10 * 2 + 2


def test_training_draws_the_same_from_the_same_generator_and_else_from_another(model, x):
    first, again, other = (model(x, seeded(seed))[1] for seed in (7, 7, 8))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_generator_leaves_the_global_one_alone(model, x):
    before = torch.get_rng_state()
    model(x, seeded(7))
    assert torch.equal(torch.get_rng_state(), before)


def test_the_draw_is_the_mean_plus_noise_of_the_given_deviation(model, x):
    _, z, mean, logvar = model(x, seeded(7))
    noise = torch.randn(6, 2, generator=seeded(7))
    torch.testing.assert_close(z, mean + logvar.exp().sqrt() * noise)


def test_eval_does_not_draw(model, x):
    model.eval()
    generator = seeded(7)
    reconstruction, z, mean, _ = model(x, generator)
    assert torch.equal(z, mean)
    assert torch.equal(mean, model.encode(x))
    assert torch.equal(reconstruction, model.decode(mean))
    assert torch.equal(generator.get_state(), seeded(7).get_state())


def test_the_reconstruction_gives_both_heads_a_gradient(model, x):
    (model(x, seeded(7))[0] - x).square().mean().backward()
    assert all(p.grad.abs().sum() > 0 for head in (model.mean, model.logvar) for p in head.parameters())


def test_impossible_sizes_are_refused():
    with pytest.raises(ValueError, match=r"`hidden\[0\]` must be a whole number of at least 1, but is 0"):
        VariationalAutoencoder(hidden=(0,))


def test_the_emotion_head_is_linear_in_the_latent():
    head = EmotionHead(latent=2, classes=4)
    a, b = torch.randn(2, 3, 2, generator=seeded(0))
    torch.testing.assert_close(head(a + b) - head(b), head(a) - head(torch.zeros(3, 2)))
    assert [tuple(p.shape) for p in head.parameters()] == [(4, 2), (4,)]
    assert not any(isinstance(layer, nn.ReLU) for layer in head.modules())


def test_an_emotion_head_of_one_class_is_refused():
    with pytest.raises(ValueError, match="`classes` must be a whole number of at least 2, but is 1"):
        EmotionHead(latent=2, classes=1)

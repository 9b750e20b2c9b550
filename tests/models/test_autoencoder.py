"""The autoencoder has the layers of the paper, and refuses sizes no network can have."""

import pytest
import torch
from torch import nn

from xlser.models import Autoencoder


def widths(module):
    layers = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    return [layers[0].in_features, *(layer.out_features for layer in layers)]


def order(module):
    return [type(layer).__name__ for layer in module.modules() if not isinstance(layer, nn.Sequential)]


def test_the_default_has_the_papers_layers():
    model = Autoencoder()
    assert widths(model.encoder) == [88, 40, 20, 10, 2]
    assert widths(model.decoder) == [2, 10, 20, 40, 88]
    assert sum(p.numel() for p in model.parameters()) == 4_612 + 4_698


def test_the_encoder_has_a_relu_between_layers_and_a_linear_latent():
    assert order(Autoencoder().encoder) == ["Linear", "ReLU"] * 3 + ["Linear"]


@pytest.mark.parametrize(
    ("hidden", "width"), [((40, 20, 10), 20), ((40,), 40), ((40, 20), 20), ((64, 32, 16, 8), 32), ([30, 20, 10], 20)]
)
def test_the_decoder_has_one_relu_after_the_second_hidden_width_or_the_only_one(hidden, width):
    layers = list(Autoencoder(hidden=hidden).decoder)
    relus = [place for place, layer in enumerate(layers) if isinstance(layer, nn.ReLU)]
    assert len(relus) == 1
    assert layers[relus[0] - 1].out_features == width


def test_forward_is_encode_then_decode():
    model, x = Autoencoder(features=5, hidden=(4, 3), latent=2), torch.randn(6, 5)
    reconstruction, z = model(x)
    assert (reconstruction.shape, z.shape) == ((6, 5), (6, 2))
    assert torch.equal(z, model.encode(x))
    assert torch.equal(reconstruction, model.decode(z))


def test_the_reconstruction_gives_every_weight_a_gradient():
    torch.manual_seed(0)
    model, x = Autoencoder(), torch.randn(64, 88)
    (model(x)[0] - x).square().mean().backward()
    assert all(p.grad.abs().sum() > 0 for p in model.parameters())


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"features": 0}, "`features` must be a whole number of at least 1, but is 0"),
        ({"latent": -1}, "`latent` .* but is -1"),
        ({"hidden": ()}, r"`hidden` must hold at least one width, but is \(\)"),
        ({"hidden": (40, 0)}, r"`hidden\[1\]` .* but is 0"),
        ({"latent": 2.0}, "`latent` .* but is 2.0"),
    ],
)
def test_impossible_sizes_are_refused(sizes, message):
    with pytest.raises(ValueError, match=message):
        Autoencoder(**sizes)

"""The autoencoder of Das et al. 2022, and the layers the variational one shares with it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn


class Autoencoder(nn.Module):
    """Squeeze a feature vector into a small latent and rebuild it.

    By default the encoder is 88-40-20-10-2 with a ReLU between layers and none at the latent, and the decoder
    2-10-20-40-88 with a single ReLU, after its layer of 20 units. For other sizes that ReLU follows the decoder layer
    of width ``hidden[1]``, and of ``hidden[0]`` where there is only one. Weights start as PyTorch's ``nn.Linear``
    starts them. Denoising is the caller's: pass the noisy input, compare with the clean one.

    Args:
        features: columns of the input, 88 for eGeMAPS functionals, standardised by the caller.
        hidden: widths from the input inwards, at least one.
        latent: width of the latent, at least 1; it may exceed the input, which then is merely no bottleneck.

    Raises:
        ValueError: a size is not a whole number of at least 1, or ``hidden`` is empty.

    Source:
        Das et al. 2022, arXiv 2203.14867, the network of the paper's code.

    >>> import torch
    >>> model = Autoencoder()
    >>> reconstruction, z = model(torch.zeros(4, 88))
    >>> reconstruction.shape, z.shape
    (torch.Size([4, 88]), torch.Size([4, 2]))
    """

    def __init__(self, features: int = 88, hidden: Sequence[int] = (40, 20, 10), latent: int = 2):
        super().__init__()
        check_sizes(features, hidden, latent)
        self.encoder = nn.Sequential(*encoder_trunk(features, hidden), nn.Linear(hidden[-1], latent))
        self.decoder = decoder(features, hidden, latent)

    def encode(self, x: Tensor) -> Tensor:
        """Map features (N, features) to the latent (N, latent), unbounded. RuntimeError on other columns."""
        return self.encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        """Map a latent (N, latent) to features (N, features), unbounded. RuntimeError on other columns."""
        return self.decoder(z)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the reconstruction (N, features) and the latent (N, latent) of features (N, features)."""
        z = self.encode(x)
        return self.decode(z), z


def encoder_trunk(features: int, hidden: Sequence[int]) -> nn.Sequential:
    """Layers from the input to the innermost hidden width, a ReLU after each.

    >>> [layer.out_features for layer in encoder_trunk(88, (40, 20)) if hasattr(layer, "out_features")]
    [40, 20]
    """
    layers = [[nn.Linear(wide, narrow), nn.ReLU()] for wide, narrow in pairwise((features, *hidden))]
    return nn.Sequential(*(layer for pair in layers for layer in pair))


def decoder(features: int, hidden: Sequence[int], latent: int) -> nn.Sequential:
    """Layers from the latent out to the features, with one ReLU: after width ``hidden[1]``, or ``hidden[0]`` if alone.

    >>> decoder(88, (40,), 2)
    Sequential(
      (0): Linear(in_features=2, out_features=40, bias=True)
      (1): ReLU()
      (2): Linear(in_features=40, out_features=88, bias=True)
    )
    """
    layers = [nn.Linear(narrow, wide) for narrow, wide in pairwise((latent, *reversed(hidden), features))]
    # The other layers are linear in the authors' code, unlike the encoder's. Kept as it is, not an oversight here.
    layers.insert(max(len(hidden) - 1, 1), nn.ReLU())
    return nn.Sequential(*layers)


def check_sizes(features: int, hidden: Sequence[int], latent: int) -> None:
    """Refuse sizes no network can have.

    Raises:
        ValueError: a size is not a whole number of at least 1, or ``hidden`` is empty.

    >>> check_sizes(88, (40, 0), 2)
    Traceback (most recent call last):
    ValueError: `hidden[1]` must be a whole number of at least 1, but is 0 instead.
    """
    if len(hidden) == 0:
        raise ValueError(f"`hidden` must hold at least one width, but is {hidden!r} instead.")
    check_size("features", features)
    check_size("latent", latent)
    for place, width in enumerate(hidden):
        check_size(f"hidden[{place}]", width)


def check_size(name: str, value: int, least: int = 1) -> None:
    """Refuse what is not a whole number of at least ``least``.

    Raises:
        ValueError: it is not.

    >>> check_size("latent", 2.0)
    Traceback (most recent call last):
    ValueError: `latent` must be a whole number of at least 1, but is 2.0 instead.
    """
    if not isinstance(value, int) or value < least:
        raise ValueError(f"`{name}` must be a whole number of at least {least}, but is {value!r} instead.")

"""The variational autoencoder, and the classifier on its latent that makes it semi-supervised."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from xlser.models.autoencoder import check_size, check_sizes, decoder, encoder_trunk


class VariationalAutoencoder(nn.Module):
    """The layers of ``Autoencoder``, with a mean and a log-variance in place of the latent.

    In training mode the latent is drawn, z = mean + exp(logvar / 2) e with e from N(0, 1); in eval mode it is the mean,
    so that an embedding does not change from call to call.

    Args:
        features: columns of the input, 88 for eGeMAPS functionals, standardised by the caller.
        hidden: widths from the input inwards, at least one.
        latent: width of the latent, at least 1.

    Raises:
        ValueError: a size is not a whole number of at least 1, or ``hidden`` is empty.

    Source:
        Kingma and Welling 2014, arXiv 1312.6114, for the draw; Das et al. 2022, arXiv 2203.14867, for the layers.
        [A]: that the companion's VAE (arXiv 2203.14865) has the same layers is an assumption.

    >>> model = VariationalAutoencoder().eval()
    >>> reconstruction, z, mean, logvar = model(torch.zeros(4, 88))
    >>> reconstruction.shape, logvar.shape, bool((z == mean).all())
    (torch.Size([4, 88]), torch.Size([4, 2]), True)
    """

    def __init__(self, features: int = 88, hidden: Sequence[int] = (40, 20, 10), latent: int = 2):
        super().__init__()
        check_sizes(features, hidden, latent)
        self.trunk = encoder_trunk(features, hidden)
        self.mean = nn.Linear(hidden[-1], latent)
        self.logvar = nn.Linear(hidden[-1], latent)
        self.decoder = decoder(features, hidden, latent)

    def encode(self, x: Tensor) -> Tensor:
        """Map features (N, features) to the mean of the latent (N, latent). RuntimeError on other columns."""
        return self.mean(self.trunk(x))

    def decode(self, z: Tensor) -> Tensor:
        """Map a latent (N, latent) to features (N, features), unbounded. RuntimeError on other columns."""
        return self.decoder(z)

    def forward(self, x: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the reconstruction (N, features), then latent, mean and log-variance, each (N, latent).

        ``generator`` makes the draw repeatable and has to be on the device of ``x``; eval mode does not touch it.
        """
        trunk = self.trunk(x)
        mean, logvar = self.mean(trunk), self.logvar(trunk)
        z = _draw(mean, logvar, generator) if self.training else mean
        return self.decode(z), z, mean, logvar


class EmotionHead(nn.Module):
    """A linear classifier on the latent, for the semi-supervised variational autoencoder.

    [A]: an assumption. The head of the companion paper (Das et al. 2022, arXiv 2203.14865) could not be had; a linear
    one is the least that makes the latent separable by class. Never quote it as the paper's.

    Args:
        latent: width of the latent, at least 1.
        classes: number of classes, at least 2.

    Raises:
        ValueError: a size is too small or not a whole number.

    >>> EmotionHead(latent=2, classes=4)(torch.zeros(3, 2)).shape
    torch.Size([3, 4])
    """

    def __init__(self, latent: int, classes: int):
        super().__init__()
        check_size("latent", latent)
        check_size("classes", classes, least=2)
        self.linear = nn.Linear(latent, classes)

    def forward(self, z: Tensor) -> Tensor:
        """Return logits (N, classes) of a latent (N, latent). RuntimeError on other columns."""
        return self.linear(z)


def _draw(mean: Tensor, logvar: Tensor, generator: torch.Generator | None) -> Tensor:
    # randn_like takes no generator.
    noise = torch.randn(mean.shape, generator=generator, device=mean.device, dtype=mean.dtype)
    return mean + (0.5 * logvar).exp() * noise

"""Hard batches: embeddings and a dimensional label, in float64."""

import pytest
import torch


def _random(rows, dims, seed=0):
    rng = torch.Generator().manual_seed(seed)
    z = torch.randn(rows, dims, generator=rng, dtype=torch.float64)
    return z, torch.randn(rows, generator=rng, dtype=torch.float64)


def _batches():
    z, y = _random(5, 2)
    same_z, same_y = z.clone(), y.clone()
    same_z[3], same_y[3], same_z[4] = z[0], y[0], z[1]
    return {
        "two rows": _random(2, 2),
        "five rows": (z, y),
        "one dimension": _random(5, 1),
        "ten dimensions": _random(17, 10),
        "shifted means": (z + 1000, y - 500),
        "scaled": (100 * z, 0.01 * y),
        "correlated": ((y + 0.1 * z[:, 0])[:, None].repeat(1, 2), y),
        "anti-correlated": ((0.1 * z[:, 0] - y)[:, None].repeat(1, 2), y),
        "duplicates": (same_z, same_y),
        "tied labels": (z, torch.tensor([1.0, 1.0, 1.0, 2.0, 2.0], dtype=torch.float64)),
        "collapsed": (torch.ones_like(z), y),
    }


@pytest.fixture(params=_batches())
def hard(request):
    return _batches()[request.param]


@pytest.fixture
def ordinary():
    z, y = _random(7, 3, seed=1)
    return z.requires_grad_(), y

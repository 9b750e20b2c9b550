"""How many threads torch computes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

# Narrower networks than this gain nothing from a second thread.
NARROW = 256


@contextmanager
def one_thread(when: bool = True) -> Iterator[None]:
    """Compute on one thread: small networks gain nothing from two, and lose tenfold where cores are shared."""
    before = torch.get_num_threads()
    if when:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)

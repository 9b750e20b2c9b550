"""Threads share one encoder: the padding of a batch in one of them is nobody else's."""

import threading

import torch

from xlser.models.checkpoints import load_encoder
from xlser.models.encoder import pad_frames
from xlser.models.transformer import _masked_convolutions


def test_a_batch_of_another_thread_masks_nothing_here():
    encoder = load_encoder("random:tiny", seed=0).eval()
    frames, lengths = pad_frames([encoder.front(torch.randn(9_000, generator=torch.manual_seed(0)))])
    with torch.inference_mode():
        alone = encoder(frames, lengths)
    mask = torch.ones(frames.shape[:2], dtype=torch.bool)
    mask[:, 3:] = False  # as long as ours, so that it would not even fail
    inside, leave = threading.Event(), threading.Event()

    def other():
        with _masked_convolutions(encoder._stack, mask):
            inside.set()
            leave.wait(60)

    thread = threading.Thread(target=other)
    thread.start()
    try:
        assert inside.wait(60)
        with torch.inference_mode():
            beside = encoder(frames, lengths)
    finally:
        leave.set()
        thread.join()
    for state, expected in zip(beside, alone, strict=True):
        torch.testing.assert_close(state, expected, rtol=0, atol=0)

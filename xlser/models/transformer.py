"""Run the transformer of a pretrained speech model on a padded batch, from any of its layers on.

Which clips stand beside a clip must not change its numbers. The attention masks of transformers see to most of that;
what they leave open is closed here: convolutions over the positions that are stacked, or that follow a batch norm, put
something other than zero into the padding and read it back into the last valid frames.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


def hidden_states(
    encoder: nn.Module, hidden: Tensor, mask: Tensor, *, first: int, last: int, layerdrop: float
) -> tuple[Tensor, ...]:
    """Return hidden states number ``first``..``last``, each (N, T, D); what stands beyond the mask has no meaning.

    Args:
        encoder: the ``encoder`` of a transformers model of the wav2vec 2.0 family, its own layerdrop set to 0.
        hidden: the projected frames if ``first`` is 0, else hidden state number ``first``, (N, T, D).
        mask: (N, T), True where there is a frame.
        first: 0..L.
        last: ``first``..L; layers above it are not computed.
        layerdrop: how often a layer in training mode is left out; its hidden state is then its input. It is computed
            all the same, because some families hand more than the hidden state from layer to layer.
    """
    # A copy in any case: transformers zeroes the padding in place.
    hidden = hidden.masked_fill(~mask[..., None], 0.0)
    if first == len(encoder.layers):
        return (hidden,)
    # What enters a layer is a state as well, but the first one is behind what stands before the layers.
    taps = [_Tap(layer, layerdrop) for layer in encoder.layers[first : max(last, first + 1)]]
    with _masked_convolutions(encoder, mask):
        left = _part(encoder, first, last, taps)(hidden, attention_mask=mask).last_hidden_state
    return (*(tap.entered for tap in taps), left)[: last - first + 1]


def final_norm(encoder: nn.Module) -> nn.Module | None:
    """Return the layer norm behind the last layer, which only models with a norm before every layer have.

    The others have a module of the same name before the first layer.
    """
    return encoder.layer_norm if type(encoder).__name__.endswith("StableLayerNorm") else None


class _Tap(nn.Module):
    """One layer, which keeps what entered it and now and then lets it pass unchanged."""

    def __init__(self, layer: nn.Module, layerdrop: float):
        super().__init__()
        self.layer, self.layerdrop = layer, layerdrop

    def forward(self, hidden: Tensor, *rest: Any, **options: Any) -> Any:
        self.entered = hidden
        left = self.layer(hidden, *rest, **options)
        if not (self.layer.training and self.layerdrop > 0 and torch.rand(()) < self.layerdrop):
            return left
        return hidden if isinstance(left, Tensor) else (hidden, *left[1:])


class _NoPositions(nn.Module):
    def forward(self, hidden: Tensor) -> Tensor:
        return torch.zeros_like(hidden)


def _part(encoder: nn.Module, first: int, last: int, taps: list[_Tap]) -> nn.Module:
    """Return an encoder of these layers that shares every weight.

    Above layer 0 nothing stands before them, and below the last one no norm behind them.
    """
    view = copy.copy(encoder)
    parts = {**encoder._modules, "layers": nn.ModuleList(taps)}
    if first:
        parts["dropout"] = nn.Identity()
        if "pos_conv_embed" in parts:
            parts["pos_conv_embed"] = _NoPositions()
        if "layer_norm" in parts and final_norm(encoder) is None:
            parts["layer_norm"] = nn.Identity()
    if last < len(encoder.layers) and final_norm(encoder) is not None:
        parts["layer_norm"] = nn.Identity()
    view._modules = parts
    return view


@contextmanager
def _masked_convolutions(encoder: nn.Module, mask: Tensor) -> Iterator[None]:
    """Let every convolution over positions see zeros in the padding, as it does where a clip ends on its own.

    Other threads that embed with the same model meanwhile have masks of their own, or none.
    """
    if bool(mask.all()):
        yield
        return
    positions = getattr(encoder, "pos_conv_embed", None)
    convolutions = [] if positions is None else [m for m in positions.modules() if isinstance(m, nn.Conv1d)]
    hooks = [convolution.register_forward_pre_hook(_clearing(mask)) for convolution in convolutions]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _clearing(mask: Tensor) -> Callable[[nn.Module, tuple[Tensor]], tuple[Tensor] | None]:
    mine = threading.get_ident()  # hooks belong to the module, which threads share

    def clear(_: nn.Module, given: tuple[Tensor]) -> tuple[Tensor] | None:
        return (given[0].masked_fill(~mask[:, None], 0.0),) if threading.get_ident() == mine else None

    return clear

"""Low-rank adapters in the attention of a frozen speech encoder, by PEFT (Hu et al. 2022)."""

from __future__ import annotations

from collections.abc import Sequence
from types import MethodType
from typing import Any

from torch import Tensor, nn

from xlser.errors import RecipeError, did_you_mean
from xlser.models.encoder import SpeechEncoder
from xlser.models.families import FAMILIES


def add_adapters(
    encoder: SpeechEncoder,
    *,
    rank: int,
    alpha: float | None = None,
    dropout: float = 0.0,
    targets: Sequence[str] | None = None,
    last: int | None = None,
) -> list[str]:
    """Put an adapter beside linear layers of the encoder's transformer; nothing else of the encoder learns any more.

    A linear layer W then gives W x + (alpha / rank) B A x, with A (rank, columns in) drawn from torch's random state
    and B (columns out, rank) zero: before training the encoder gives what it gave. The encoder stays in eval mode, as
    all that is frozen: no dropout but that of the adapters, no layerdrop.

    Args:
        encoder: frozen as far as it shall stay without adapters (see `SpeechEncoder.freeze`); it is changed.
        rank: 1 to the smaller side of the layers.
        alpha: how strongly an adapter counts; by default twice the rank.
        dropout: how often, in training mode, a number of an adapter's input is zero.
        targets: names of linear layers in a transformer layer, such as ``q_proj``; by default the query and value
            projections of the family.
        last: adapters go into the layers up to this one, counted from 1, because only hidden states up to there are
            read; by default into all.

    Returns:
        The full names of the layers that have an adapter.

    Raises:
        RecipeError: a family without attention projections, a name that no layer has, a rank that is too large, or no
            layer left between the frozen ones and ``last``.

    Source:
        Hu et al. 2022, arXiv 2106.09685, section 4.1.
    """
    from peft import LoraConfig, inject_adapter_in_model
    from peft.tuners.lora import LoraLayer

    last = encoder.layers if last is None else last
    if last <= max(encoder.frozen, 0):
        raise RecipeError(
            f"encoder.lora: the layers up to {encoder.frozen} are frozen, and hidden state {last} is the highest that "
            "is read: no layer is left for an adapter. Lower encoder.freeze, or read a higher encoder.layer."
        )
    layers = list(encoder.transformer_layers[max(encoder.frozen, 0) : last])
    names = _checked(encoder, layers, targets)
    chosen = {id(module): module for layer in layers for name, module in _linear(layer) if name in names}
    widest = min(min(module.weight.shape) for module in chosen.values())
    if rank > widest:
        raise RecipeError(
            f"encoder.lora.rank must be at most {widest}, the columns of {', '.join(names)}, but is {rank} instead."
        )
    full = [name for name, module in encoder.model.named_modules() if id(module) in chosen]
    alpha = 2 * rank if alpha is None else alpha
    # PEFT scales by alpha / rank, whole or not, though its annotation says int.
    strength: Any = alpha
    config = LoraConfig(r=rank, lora_alpha=strength, lora_dropout=dropout, target_modules=full, bias="none")
    inject_adapter_in_model(config, encoder.model)
    _call_projections(encoder.model)
    encoder.adapters = tuple(part.lora_dropout for part in encoder.modules() if isinstance(part, LoraLayer))
    encoder.train(encoder.training)
    return full


def merge_adapters(encoder: SpeechEncoder) -> SpeechEncoder:
    """Add every adapter to the weights that it stands beside, so that plain linear layers are left; return the encoder.

    The numbers stay the same to about 1e-6. An encoder without adapters is left as it is.
    """
    from peft.tuners.lora import LoraLayer

    encoder.adapters = ()
    adapted = [(name, module) for name, module in encoder.model.named_modules() if isinstance(module, LoraLayer)]
    for name, module in adapted:
        module.merge(safe_merge=True)
        parent, _, own = name.rpartition(".")
        setattr(encoder.model.get_submodule(parent), own, module.get_base_layer())
    return encoder


def _checked(encoder: SpeechEncoder, layers: Sequence[nn.Module], targets: Sequence[str] | None) -> list[str]:
    model: Any = encoder.model
    kind = str(model.config.model_type)
    known = sorted({name for layer in layers for name, _ in _linear(layer)})
    names = list(FAMILIES[kind].projections if targets is None else targets)
    unknown = [name for name in names if name not in known]
    if targets is None and (unknown or not names):
        raise RecipeError(
            f"encoder.lora: {kind} models have no attention projections that adapters go into by themselves. "
            f"Name linear layers in encoder.lora.targets ({', '.join(known) or 'there are none'}), or leave lora out."
        )
    if unknown:
        raise RecipeError(
            f"encoder.lora.targets: no layer of a {kind} model has a linear layer {unknown[0]!r}; "
            f"{did_you_mean(unknown[0], known)}"
        )
    return names


def _linear(layer: nn.Module) -> list[tuple[str, nn.Linear]]:
    """Return the linear layers of a transformer layer by their own names, such as ``q_proj``."""
    return [(n.rpartition(".")[2], part) for n, part in layer.named_modules() if isinstance(part, nn.Linear)]


def _call_projections(model: nn.Module) -> None:
    """Let WavLM call its projections: it hands their weights to torch, and what PEFT puts beside them is not asked."""
    part: Any
    for part in model.modules():
        if type(part).__name__ == "WavLMAttention":
            part.torch_multi_head_self_attention = MethodType(_attend, part)


def _attend(attention: Any, hidden: Tensor, attention_mask: Tensor | None, bias: Tensor) -> tuple[Tensor, None]:
    """Return what ``WavLMAttention.torch_multi_head_self_attention`` does, by way of the projections."""
    rows, frames, width = hidden.shape
    query, key, value = (
        projection(hidden).view(rows, frames, attention.num_heads, -1).transpose(1, 2)
        for projection in (attention.q_proj, attention.k_proj, attention.v_proj)
    )
    bias = bias.view(rows, attention.num_heads, frames, frames)
    if attention_mask is not None:
        bias = bias.masked_fill(attention_mask.ne(1)[:, None, None], float("-inf"))
    dropout = attention.dropout if attention.training else 0.0
    attended = nn.functional.scaled_dot_product_attention(query, key, value, bias.to(query.dtype), dropout)
    return attention.out_proj(attended.transpose(1, 2).reshape(rows, frames, width)), None

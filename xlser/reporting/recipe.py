"""What an encoder recipe chose, as people say it: the losses of each method, the checkpoint, batches, augmentation."""

from __future__ import annotations

from typing import Any

from xlser.reporting.facts import Facts, Row
from xlser.reporting.wording import listing, plural

NAMES = {
    "cross_entropy": "cross-entropy",
    "supcon": "SupCon",
    "contrastive": "contrastive",
    "metric": "metric loss",
    "dimensions": "1 − CCC",
}
# What a loss's name says already.
_SAID = {"contrastive": ("pairs",), "metric": ("metric", "on"), "dimensions": ("of",)}
_MASKED = {"time": "frames", "feature": "columns"}
_FROZEN = {
    "nothing": "nothing",
    "front": "the convolutions",
    "all": "the whole checkpoint; only what was put on it was trained",
}


def terms_said(terms: dict[str, Row]) -> str:
    """Return what a method minimises, short enough for a table.

    >>> terms_said({"cross_entropy": {"weight": 1.0}, "contrastive": {"weight": 0.5, "pairs": "hard"}})
    'cross-entropy + 0.5 contrastive (hard)'
    """
    parts = []
    for name, term in terms.items():
        detail = "; ".join(_words(term[key]) for key in _SAID.get(name, ()) if key in term)
        weight = term.get("weight", 1)
        text = NAMES.get(name, name) + (f" ({detail})" if detail else "")
        parts.append(text if weight == 1 else f"{weight:g} {text}")
    return " + ".join(parts)


def loss_lines(facts: Facts) -> list[tuple[str, str, str]]:
    """Return each method, what it minimises, and the settings of its losses."""
    return [
        (facts.method_name(name), terms_said(facts.terms(name)), _settings(facts.terms(name)))
        for name in facts.main
        if facts.terms(name)
    ]


def encoder_lines(facts: Facts) -> list[tuple[str, str]]:
    """Return what was fine-tuned and how, a line each; nothing for autoencoders."""
    if not facts.encoder:
        return []
    lines = {
        "Checkpoint": facts.network + (" (random weights, not pretrained)" if facts.random else ""),
        **_identity(facts),
        **_learnt(facts.encoder),
        "Embedding": _embedding(facts.encoder),
        "Dropout": "as in the checkpoint" if facts.encoder.get("dropout") is None else _words(facts.encoder["dropout"]),
        "Batches": _batches(facts),
        "Epochs": _epochs(facts.recipe.get("training", {})),
        "Rates": _rates(facts),
        "Precision": str(facts.recipe.get("training", {}).get("precision", "")),
        "Augmentation": _augmentation(facts.recipe.get("augment", {})),
    }
    return [(name, text) for name, text in lines.items() if text]


def _identity(facts: Facts) -> dict[str, str]:
    """Return the revision that was asked for, and what an older run says was really read; others say more elsewhere."""
    told = {} if "checkpoints" in facts.about else facts.about.get("encoder", {})
    keys = {"Family": "model_type", "Commit": "commit", "SHA-256": "sha256", "Seed of weights": "seed"}
    found = {title: str(told[key]) for title, key in keys.items() if told.get(key) is not None}
    return {"Revision": str(facts.encoder.get("revision") or ""), **found}


def _learnt(encoder: Row) -> dict[str, str]:
    """Return what of the checkpoint stayed as it was, and what was put into it."""
    freeze, lora = encoder.get("freeze", "nothing"), encoder.get("lora")
    if not lora:
        return {"Kept as it was": _frozen(freeze)}
    alpha = 2 * lora["rank"] if lora.get("alpha") is None else lora["alpha"]
    beside = listing(lora["targets"]) if lora.get("targets") else "query and value"
    where = "every layer that is read" if freeze == "front" else f"the layers above the first {freeze}"
    adapters = f"LoRA of rank {lora['rank']}, alpha {alpha:g}, dropout {lora['dropout']:g}, on {beside} of {where}"
    return {"Kept as it was": "the whole checkpoint; adapters in it were trained", "Adapters": adapters}


def _frozen(freeze: str | int) -> str:
    return _FROZEN.get(freeze, f"the convolutions and the first {freeze} layers")


def _embedding(encoder: Row) -> str:
    layer, pooling = encoder.get("layer", -1), encoder.get("pooling", "mean")
    which = {-1: "the last layer", "weighted": "a learnt mixture of all layers"}.get(layer, f"hidden state {layer}")
    return f"{pooling} pooling of {which}"


def _batches(facts: Facts) -> str:
    training = facts.recipe.get("training", {})
    if "seconds" not in training:
        return ""
    text = f"at most {training['seconds']:g} s of audio, padding counted"
    if "classes" in training and "clips" in training:
        text += f", {training['classes']} classes of {training['clips']} clips at least"
    if "longest" in facts.encoder:
        text += f"; clips cut to {facts.encoder['longest']:g} s in training"
    if training.get("accumulate", 1) > 1:
        text += f"; {training['accumulate']} batches a step"
    if training.get("chunk_seconds"):
        text += f"; embedded {training['chunk_seconds']:g} s at a time (gradient caching)"
    return text


def _epochs(training: Row) -> str:
    if "epochs" not in training:
        return ""
    patience = training.get("patience")
    stop = f"; stopped after {plural(patience, 'epoch')} without a better validation score" if patience else ""
    return f"at most {training['epochs']}{stop}" if patience else str(training["epochs"])


def _rates(facts: Facts) -> str:
    training = facts.recipe.get("training", {})
    if "encoder_lr" not in training or "lr" not in training:
        return ""
    rest = [f"{training['decay']} decay"] if "decay" in training else []
    rest += [f"{training['warmup']:.0%} warm-up"] if training.get("warmup") else []
    rest += [f"weight decay {training['weight_decay']:g}"] if training.get("weight_decay") else []
    own = f"{training['encoder_lr']:g} for the checkpoint, " if "lora" not in facts.encoder else ""
    return ", ".join([f"{own}{training['lr']:g} for what is new", *rest])


def _augmentation(augment: Row) -> str:
    parts = [f"speed {_words(augment['speed'])}"] if augment.get("speed") else []
    for key, name in (("snr", "noise at"), ("gain", "gain of")):
        if augment.get(key):
            parts.append(f"{name} {augment[key][0]:g} to {augment[key][1]:g} dB")
    masks = [f"{augment[key]:.0%} of the {what}" for key, what in _MASKED.items() if augment.get(key)]
    parts += [f"SpecAugment hides about {listing(masks)}"] if masks else []
    return "; ".join(parts) or "none"


def _settings(terms: dict[str, Row]) -> str:
    """Write out what the losses' names leave open, a loss after the other."""
    parts = []
    for name, term in terms.items():
        left = {key: value for key, value in term.items() if key not in ("weight", *_SAID.get(name, ()))}
        told = ", ".join(f"{key.replace('_', ' ')} {_words(value)}" for key, value in left.items() if value is not None)
        parts += [f"{NAMES.get(name, name)}: {told}"] if told else []
    return "; ".join(parts)


def _words(value: Any) -> str:
    """Write a setting.

    >>> _words(True), _words(0.10), _words(("a", 1)), _words({"layer": 3, "pooling": "mean"})
    ('yes', '0.1', 'a, 1', 'layer 3, pooling mean')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(inner)}" for key, inner in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_words, value))
    return f"{value:g}" if isinstance(value, float) else str(value)

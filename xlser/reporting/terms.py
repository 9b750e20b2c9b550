"""The words that a page uses and that not everybody knows, each with what it means here."""

from __future__ import annotations

from xlser.reporting.facts import HEADS, INTERPOLATED, Facts

Term = tuple[str, str]

_SCORES: list[Term] = [
    (
        "UA",
        "Unweighted accuracy: the mean of the recalls of the emotions, so that a frequent emotion counts no more than "
        "a rare one. Chance is one over their number.",
    ),
    (
        "WA, macro-F1",
        "Share of utterances that are right, and the mean F1 of the emotions. Their chance is what always saying the "
        "most frequent emotion gives.",
    ),
    (
        "r, CCC",
        "Pearson's (or Spearman's) correlation asks whether an axis rises with the ratings; the concordance "
        "correlation coefficient also asks whether it has their mean and spread. Chance is 0.",
    ),
]
_LOSSES = {
    "supcon": (
        "SupCon",
        "Supervised contrastive loss (Khosla et al. 2020): in each batch, clips of the same emotion are drawn together "
        "and those of others pushed apart, beside the cross-entropy of the classifier.",
    ),
    "contrastive": (
        "Contrastive, pairs",
        "Siamese margin loss (Hadsell et al. 2006): pairs of the same emotion are drawn together, others pushed apart "
        "until the margin lies between them. The word in brackets is the rule by which a batch's pairs are chosen.",
    ),
    "metric": ("Metric loss", "Lays the embedding out along a rated dimension: distances follow those of the ratings."),
    "dimensions": ("1 − CCC", "Trains the head of a rated dimension by its concordance with the source's ratings."),
}
_LATENTS = (
    "Latent mean, best latent, z1, z2 …",
    "The mean of all latent dimensions; the one that follows the source's ratings best; each one alone. All are "
    "oriented on the source: their sign makes them rise with its training ratings, and a negative r on a target means "
    "that the sign did not carry over.",
)
_READERS = (
    "kNN, linear probe",
    "Two classifiers fitted on the source's training speakers; k and C are chosen on its validation speakers.",
)
_DIRECTION = "The line through the {} space that ridge regression fits to the source's ratings."


def terms(facts: Facts) -> list[Term]:
    """Return each term that the page of this run uses, and its meaning."""
    own = _of_encoder(facts) if facts.encoder else _of_autoencoder(facts)
    return [*_SCORES, *own, _interval(facts)]


def _of_autoencoder(facts: Facts) -> list[Term]:
    return [
        ("Zero-shot", "Nothing of the target was seen: features are z-scored with the source's mean and deviation."),
        (
            "Transductive",
            "Unlabelled target recordings were seen: their own mean and deviation z-score the features. No target "
            "label is used.",
        ),
        (
            f"Plain {facts.network}",
            "The same autoencoder, trained to reconstruct and nothing else. “Gain” is the difference to it on the same "
            "draws of speakers, taken before rounding.",
        ),
        ("Features, no network", "The same readers on the normalised input features."),
        _READERS,
        ("Direction", _DIRECTION.format("latent")),
        _LATENTS,
    ]


def _of_encoder(facts: Facts) -> list[Term]:
    axes = {row["axis"] for row in facts.results["correlation"]}
    losses = dict.fromkeys(name for method in facts.main for name in facts.terms(method))
    found = [
        ("Zero-shot", "Nothing of the target was seen: the encoder takes its clips as they are."),
        *_of_heads(facts),
        *(_LOSSES[name] for name in losses if name in _LOSSES),
        (
            "Checkpoint before training",
            f"The embedding of {facts.network} as it was loaded, pooled in the same way: what fine-tuning added is the "
            "difference to it.",
        ),
        _READERS,
    ]
    found += [("Head", "What the network's own head for the dimension says.")] if "head" in axes else []
    found += [("Direction", _DIRECTION.format("embedding"))] if "direction" in axes else []
    return [*found, *([_LATENTS] if "latent mean" in axes else [])]


def _of_heads(facts: Facts) -> list[Term]:
    gain = ("Gain", f"The difference to “{facts.baseline}” on the same draws of speakers, taken before rounding.")
    readers = {row["classifier"] for row in facts.results["transfer"]} & set(HEADS)
    if not readers:
        return [gain]
    found = [
        ("Classifier", "The network's own linear layer on the embedding, trained with it."),
        (
            gain[0],
            f"The difference to the classifier of “{facts.baseline}” on the same draws of speakers, taken before "
            "rounding; kNN, linear probe and axes are compared with the same one of it.",
        ),
    ]
    if INTERPOLATED not in readers:
        return found
    return [
        *found,
        (
            "+ kNN",
            "kNN interpolation (Khandelwal et al. 2020; for emotions Wang et al. 2023): the classifier's probabilities "
            "are mixed with the votes of the nearest training clips, (1 − w) · classifier + w · neighbours. k, "
            "distance, temperature and w are chosen on the source's validation speakers; w = 0: the classifier alone.",
        ),
    ]


def _interval(facts: Facts) -> Term:
    draws = facts.recipe.get("evaluation", {}).get("draws", "the")
    return (
        "Interval",
        f"Percentile interval over {draws} resamplings of the speakers, averaged over seeds draw by draw, and widened "
        "for few speakers (Hesterberg 2015). That of a correlation leans upwards with few of them: a draw with fewer "
        "distinct speakers has less spread between them. One speaker gives none.",
    )

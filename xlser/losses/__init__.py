"""Losses: pure functions of embeddings and labels, each with a frozen class that holds its options.

A function takes the embeddings ``z`` (N, D) first and the labels of the same rows second, and returns one number that
carries a gradient. It raises rather than return 0.0 when the batch says nothing: a NaN, a single row, one label only.
Those of a head take its output instead: ``cross_entropy`` logits (N, C), ``dimension_ccc`` predictions (N,).

A class, such as `SupCon`, is what a network is given: a term with a weight, which is called with the embeddings of a
batch and its `Labels`, of which it takes what it needs. ``TERMS`` has them all.
Nothing here loads torch before a value is asked for.
"""

from xlser.losses.cluster import ClassCluster, class_cluster
from xlser.losses.continuous import ContinuousMetric, EuclideanMetric, continuous_metric
from xlser.losses.contrastive import Contrastive, contrastive
from xlser.losses.cross_entropy import CrossEntropy, class_weights, cross_entropy
from xlser.losses.dimension import Regression, dimension_ccc
from xlser.losses.focal import Focal, focal
from xlser.losses.kernel import KernelContrastive, kernel_contrastive
from xlser.losses.kl import kl_standard_normal, kl_weight
from xlser.losses.mixup import Mix, draw_mix
from xlser.losses.pairs import ELR, PairCCC, ccc_pairs, elr
from xlser.losses.rank import RankNContrast, rank_n_contrast
from xlser.losses.soft_cross_entropy import soft_cross_entropy
from xlser.losses.supcon import SupCon, supcon
from xlser.losses.term import Labels, Term

# By the name that a recipe gives it. A new loss is a file of its own, and a row here.
TERMS: dict[str, type[Term]] = {
    "cross_entropy": CrossEntropy,
    "supcon": SupCon,
    "contrastive": Contrastive,
    "class-cluster": ClassCluster,
    "signed": ContinuousMetric,
    "euclidean": EuclideanMetric,
    "elr": ELR,
    "ccc": PairCCC,
    "rank-n-contrast": RankNContrast,
    "kernel": KernelContrastive,
    "dimensions": Regression,
    "focal": Focal,
}

__all__ = [
    "ELR",
    "TERMS",
    "ClassCluster",
    "ContinuousMetric",
    "Contrastive",
    "CrossEntropy",
    "EuclideanMetric",
    "Focal",
    "KernelContrastive",
    "Labels",
    "Mix",
    "PairCCC",
    "RankNContrast",
    "Regression",
    "SupCon",
    "Term",
    "ccc_pairs",
    "class_cluster",
    "class_weights",
    "continuous_metric",
    "contrastive",
    "cross_entropy",
    "dimension_ccc",
    "draw_mix",
    "elr",
    "focal",
    "kernel_contrastive",
    "kl_standard_normal",
    "kl_weight",
    "rank_n_contrast",
    "soft_cross_entropy",
    "supcon",
]

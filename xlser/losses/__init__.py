"""Losses: pure functions of embeddings and labels, each with a thin module that holds its options.

A function takes the embeddings ``z`` (N, D) first and the labels of the same rows second, and returns one number that
carries a gradient. It raises rather than return 0.0 when the batch says nothing: a NaN, a single row, one label only.
"""

from xlser.losses.cluster import ClassClusterLoss, class_cluster
from xlser.losses.continuous import ContinuousMetricLoss, continuous_metric
from xlser.losses.kl import AnnealedKLLoss, kl_standard_normal, kl_weight
from xlser.losses.pairs import ELRLoss, PairCCCLoss, ccc_pairs, elr

__all__ = [
    "AnnealedKLLoss",
    "ClassClusterLoss",
    "ContinuousMetricLoss",
    "ELRLoss",
    "PairCCCLoss",
    "ccc_pairs",
    "class_cluster",
    "continuous_metric",
    "elr",
    "kl_standard_normal",
    "kl_weight",
]

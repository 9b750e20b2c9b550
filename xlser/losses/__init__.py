"""Losses: pure functions of embeddings and labels, each with a thin module that holds its options.

A function takes the embeddings ``z`` (N, D) first and the labels of the same rows second, and returns one number that
carries a gradient. It raises rather than return 0.0 when the batch says nothing: a NaN, a single row, one label only.
The two of a head take its output instead: ``cross_entropy`` logits (N, C), ``dimension_ccc`` predictions (N,).
"""

from xlser.losses.cluster import ClassClusterLoss, class_cluster
from xlser.losses.continuous import ContinuousMetricLoss, continuous_metric
from xlser.losses.contrastive import ContrastiveLoss, contrastive
from xlser.losses.cross_entropy import CrossEntropyLoss, class_weights, cross_entropy
from xlser.losses.dimension import DimensionCCCLoss, dimension_ccc
from xlser.losses.kernel import KernelContrastiveLoss, kernel_contrastive
from xlser.losses.kl import AnnealedKLLoss, kl_standard_normal, kl_weight
from xlser.losses.pairs import ELRLoss, PairCCCLoss, ccc_pairs, elr
from xlser.losses.rank import RankNContrastLoss, rank_n_contrast
from xlser.losses.supcon import SupConLoss, supcon

__all__ = [
    "AnnealedKLLoss",
    "ClassClusterLoss",
    "ContinuousMetricLoss",
    "ContrastiveLoss",
    "CrossEntropyLoss",
    "DimensionCCCLoss",
    "ELRLoss",
    "KernelContrastiveLoss",
    "PairCCCLoss",
    "RankNContrastLoss",
    "SupConLoss",
    "ccc_pairs",
    "class_cluster",
    "class_weights",
    "continuous_metric",
    "contrastive",
    "cross_entropy",
    "dimension_ccc",
    "elr",
    "kernel_contrastive",
    "kl_standard_normal",
    "kl_weight",
    "rank_n_contrast",
    "supcon",
]

"""Nearest rows by faiss: exactly, or, for stores beyond a million rows, approximately by cells or by a graph."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

Metric = Literal["l2", "cosine"]
IndexKind = Literal["flat", "ivf", "hnsw"]

# Up to here a flat index answers in bearable time.
FLAT_ROWS = 1_000_000
# faiss warns where k-means gets fewer points a cell than this.
POINTS_A_CELL = 39
# A flat index is many times faster without a filter: up to so many rows more are found, and then left out.
FEW_ROWS = 2048


class Index:
    """N rows of D dimensions and their nearest neighbours.

    For ``l2`` faiss holds the rows about their mean, which leaves the distances as they are and keeps a large shared
    offset from rounding them away; for ``cosine`` it holds them at unit length.

    ``flat`` compares with every row: exact up to float32 rounding. ``ivf`` sorts the rows into 4 sqrt(N) cells and
    looks into an eighth of them; ``hnsw`` walks a graph of near rows (Malkov and Yashunin 2018; 32 links a row, 128
    candidates or more). Both may miss a neighbour, the more so the less the rows cluster, and give the same answer
    every time. A query for which they find fewer than ``k`` rows is compared with every row instead.

    Args:
        rows: (N, D) finite float32, kept and not copied; N and D at least 1.
        metric: ``l2`` for squared Euclidean distances, ``cosine`` for 1 - cosine similarity, in [0, 2].
        kind: ``flat``, ``ivf`` or ``hnsw``. The graph is built on one thread, so that no race for
            its links can make two builds differ, and takes long.

    Raises:
        ValueError: an unknown metric or kind, or a zero row for ``cosine``.

    >>> Index(np.float32([[0.0], [3.0], [5.0]]), "l2").search(np.float32([[4.5]]), 2)[1].tolist()
    [[2, 1]]
    """

    def __init__(self, rows: np.ndarray, metric: Metric, kind: IndexKind = "flat"):
        if metric not in ("l2", "cosine"):
            raise ValueError(f"`metric` must be 'l2' or 'cosine', but is {metric!r} instead.")
        if kind not in ("flat", "ivf", "hnsw"):
            raise ValueError(f"`index` must be 'flat', 'ivf' or 'hnsw', but is {kind!r} instead.")
        if kind == "flat" and len(rows) > FLAT_ROWS:
            warnings.warn(f"a flat index of {len(rows)} rows is slow: try index='ivf' or 'hnsw'.", stacklevel=3)
        self._rows, self._metric, self._kind = rows, metric, kind
        self._centre = rows.mean(0, dtype=np.float64)
        self._faiss = self._built(kind)

    def search(
        self, queries: np.ndarray, k: int, group_of: np.ndarray | None = None, without: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the distances, float32 (Q, k), and positions, int64 (Q, k), of the k nearest rows, nearest first.

        Args:
            queries: (Q, D) finite float32; Q may be 0.
            k: at least 1, at most N.
            group_of: (N,) the group of each row, counted from 0.
            without: (Q,) the group that each query may not find, -1 for none. Where that leaves fewer than ``k`` rows
                the positions end in -1.

        Raises:
            ValueError: a zero row for ``cosine``.
        """
        queries = self._prepared("queries", queries)
        if group_of is None or without is None or (without < 0).all():
            found, positions = self._among(queries, k, None)
        else:
            found, positions = self._outside(queries, k, group_of, without)
        # Rounding can put a distance a hair outside its range, and a square root of -1e-9 is a nan further on.
        return (found.clip(min=0) if self._metric == "l2" else (1 - found).clip(0, 2)), positions

    def _outside(
        self, queries: np.ndarray, k: int, group_of: np.ndarray, without: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        largest = int(np.bincount(group_of)[without[without >= 0]].max())
        if self._kind == "flat" and largest <= FEW_ROWS:
            found, positions = self._among(queries, min(k + largest, len(self._rows)), None)
            return _first(k, found, np.where(group_of[positions] != without[:, None], positions, -1))
        found, positions = np.empty((len(queries), k), np.float32), np.empty((len(queries), k), np.int64)
        for number in np.unique(without):
            rows = without == number
            found[rows], positions[rows] = self._among(queries[rows], k, group_of != number)
        return found, positions

    def _among(self, queries: np.ndarray, k: int, keep: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Search among the rows of ``keep`` (N,) bool, or all; wholly where the index finds fewer than there are."""
        found, positions = _faiss_search(self._faiss, queries, int(k), keep)
        most = min(k, len(self._rows) if keep is None else int(keep.sum()))
        short = (positions >= 0).sum(1) < most
        if short.any():
            found[short], positions[short] = _faiss_search(self._built("flat"), queries[short], int(k), keep)
        return found, positions

    def _built(self, kind: IndexKind) -> Any:
        import faiss

        metric = faiss.METRIC_L2 if self._metric == "l2" else faiss.METRIC_INNER_PRODUCT
        rows = self._prepared("embeddings", self._rows)
        size, dimensions = rows.shape
        if kind == "hnsw":
            return _graph(faiss.IndexHNSWFlat(dimensions, 32, metric), rows)
        index = faiss.IndexFlat(dimensions, metric)
        if kind == "ivf":
            cells = max(1, min(int(4 * size**0.5), size // POINTS_A_CELL))
            index = faiss.IndexIVFFlat(index, dimensions, cells, metric)
            index.nprobe = max(1, cells // 8)
            index.cp.min_points_per_centroid, index.cp.max_points_per_centroid = 1, 64
            index.train(rows)
        index.add(rows)
        return index

    def _prepared(self, name: str, rows: np.ndarray) -> np.ndarray:
        if self._metric == "l2":
            return np.ascontiguousarray(rows - self._centre, dtype=np.float32)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        if not norms.all():
            raise ValueError(f"`{name}` must not hold a zero row for 'cosine', but row {norms.argmin()} is zero.")
        return np.ascontiguousarray(rows / norms)


def checked_rows(name: str, values: ArrayLike, dimensions: int | None = None) -> np.ndarray:
    """Return a float32 copy; ``dimensions`` is what the store has, for queries, which may be none at all.

    Raises:
        ValueError: a shape that does not fit, or a number that is not finite as float32.

    >>> checked_rows("queries", [[1, 2]], 2)
    array([[1., 2.]], dtype=float32)
    """
    with np.errstate(over="ignore"):  # what overflows is infinite, and reported below
        rows = np.array(values, dtype=np.float32, order="C")
    shape = "(Q, D)" if dimensions else "(N, D), both at least 1"
    if rows.ndim != 2 or not rows.shape[1] or not (dimensions or len(rows)):
        raise ValueError(f"`{name}` must be of shape {shape}, but is of shape {rows.shape} instead.")
    if dimensions not in (None, rows.shape[1]):
        raise ValueError(f"`{name}` must have {dimensions} dimensions, as the store, but has {rows.shape[1]} instead.")
    finite = np.isfinite(rows).all(1)
    if not finite.all():
        raise ValueError(f"`{name}` must be finite as float32, but row {finite.argmin()} is not.")
    return rows


def _graph(index: Any, rows: np.ndarray) -> Any:
    import faiss

    index.hnsw.efConstruction = 200
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        index.add(rows)
    finally:
        faiss.omp_set_num_threads(threads)
    return index


def _faiss_search(index: Any, queries: np.ndarray, k: int, keep: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    import faiss

    bits = None if keep is None else np.packbits(keep, bitorder="little")  # named, as faiss only points at it
    options = {} if bits is None else {"sel": faiss.IDSelectorBitmap(bits)}
    if isinstance(index, faiss.IndexHNSW):
        parameters = faiss.SearchParametersHNSW(efSearch=max(128, 2 * k), **options)
    elif isinstance(index, faiss.IndexIVF):
        parameters = faiss.SearchParametersIVF(nprobe=index.nprobe, **options)
    else:
        parameters = faiss.SearchParameters(**options) if options else None
    return index.search(queries, k, params=parameters)


def _first(k: int, found: np.ndarray, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first k of each row whose position is not -1, and then -1 where they are fewer."""
    order = np.argsort(positions < 0, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(found, order, axis=1), np.take_along_axis(positions, order, axis=1)

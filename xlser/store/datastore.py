"""Embeddings with ids and a hash, and their exact nearest neighbours (a flat faiss index)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from xlser.atomic import replacing
from xlser.errors import XlserError

Metric = Literal["l2", "cosine"]


class Datastore:
    """N embeddings of D dimensions that can be searched, saved and told apart by their hash.

    The search is exact up to float32 rounding and fit for about a million rows. For ``l2`` the index holds the
    embeddings about their mean, which leaves the distances as they are and keeps a large shared offset from rounding
    them away; for ``cosine`` it holds them at unit length.

    Args:
        embeddings: (N, D) finite numbers, kept as float32; N and D at least 1, no zero row when ``cosine``.
        ids: N distinct ids, kept as strings.
        metric: ``l2`` for squared Euclidean distances, ``cosine`` for 1 - cosine similarity, in [0, 2].

    Raises:
        ValueError: a shape that does not fit, a number that is not finite, an id given twice, an unknown metric.

    >>> store = Datastore([[0.0, 0.0], [3.0, 4.0]], ["a", "b"])
    >>> distances, positions = store.search([[3.0, 3.0]], k=2)
    >>> distances.tolist(), [store.ids[position] for position in positions[0]]
    ([[1.0, 18.0]], ['b', 'a'])
    """

    def __init__(self, embeddings: ArrayLike, ids: Sequence[str], *, metric: Metric = "l2"):
        import faiss

        if metric not in ("l2", "cosine"):
            raise ValueError(f"`metric` must be 'l2' or 'cosine', but is {metric!r} instead.")
        self.metric = metric
        # A copy that cannot be written to: what was hashed is what is searched.
        self.embeddings = _checked("embeddings", embeddings)
        self.embeddings.setflags(write=False)
        self.ids = [str(name) for name in ids]
        self._position = _positions(self.ids, len(self.embeddings))
        self._centre = self.embeddings.mean(0, dtype=np.float64)
        self._index = (faiss.IndexFlatL2 if metric == "l2" else faiss.IndexFlatIP)(self.embeddings.shape[1])
        self._index.add(self._prepared("embeddings", self.embeddings))

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def hash(self) -> str:
        """The sha256 of the ids and the float32 bytes, in their order: 64 hexadecimal digits.

        >>> Datastore([[1.0]], ["a"]).hash == Datastore([[1.0]], ["b"]).hash
        False
        """
        digest = hashlib.sha256(json.dumps(self.ids).encode())
        digest.update(self.embeddings)
        return digest.hexdigest()

    def search(
        self, queries: ArrayLike, k: int, exclude_ids: Sequence[str] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the k nearest embeddings of each of the Q queries, nearest first.

        Args:
            queries: (Q, D) finite numbers; Q may be 0.
            k: at least 1, at most N, or N - 1 where ids are excluded.
            exclude_ids: Q ids, one a query, that query's own embedding: leave-one-out over stored embeddings. An id
                that is not stored excludes nothing.

        Returns:
            Distances, float32 (Q, k), and positions in ``ids``, int64 (Q, k).

        Raises:
            ValueError: ``k`` out of range, a shape that does not fit, a number that is not finite.

        >>> store = Datastore([[0.0], [1.0], [3.0]], ["a", "b", "c"])
        >>> store.search([[0.0], [3.0]], k=1, exclude_ids=["a", "c"])[1].tolist()
        [[1], [1]]
        """
        queries = _checked("queries", queries, self.embeddings.shape[1])
        if exclude_ids is None:
            _check_k(k, len(self), "the number of stored embeddings")
            return self._nearest(queries, k)
        if len(exclude_ids) != len(queries):
            raise ValueError(f"`exclude_ids` must hold {len(queries)} ids, one a query, but holds {len(exclude_ids)}.")
        _check_k(k, len(self) - 1, "the number of stored embeddings less the excluded one")
        own = np.array([self._position.get(str(name), -1) for name in exclude_ids], dtype=np.int64)
        distances, positions = self._nearest(queries, k + 1)
        drop = positions == own[:, None]
        drop[~drop.any(1), -1] = True
        return distances[~drop].reshape(-1, k), positions[~drop].reshape(-1, k)

    def save(self, path: str | Path) -> None:
        """Write embeddings, ids, metric and hash to one safetensors file, whole or not at all.

        Raises:
            XlserError: the file cannot be written; the message names it and the reason.

        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "train.safetensors"
        >>> Datastore([[1.0, 2.0]], ["a"]).save(path)
        >>> Datastore.load(path).ids
        ['a']
        """
        from safetensors.numpy import save

        about = {"ids": json.dumps(self.ids), "metric": self.metric, "hash": self.hash}
        with replacing(path) as temporary:
            temporary.write_bytes(save({"embeddings": self.embeddings}, metadata=about))

    @classmethod
    def load(cls, path: str | Path) -> Datastore:
        """Read what `save` wrote, and check that it still is what was written.

        Raises:
            XlserError: the file is missing, is not a datastore, or does not match its hash; the message names it.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="numpy") as file:
                about, embeddings = file.metadata(), file.get_tensor("embeddings")
            store = cls(embeddings, json.loads(about["ids"]), metric=about["metric"])
            expected = about["hash"]
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise XlserError(f"cannot read {path} as a datastore: {error}. Write it again.") from error
        if store.hash != expected:
            raise XlserError(f"{path} does not match its hash: it was changed or damaged. Write it again.")
        return store

    def _nearest(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        found, positions = self._index.search(self._prepared("queries", queries), k)
        # Rounding can put a distance a hair outside its range, and a square root of -1e-9 is a nan further on.
        return (found.clip(min=0) if self.metric == "l2" else (1 - found).clip(0, 2)), positions

    def _prepared(self, name: str, rows: np.ndarray) -> np.ndarray:
        if self.metric == "l2":
            return np.ascontiguousarray(rows - self._centre, dtype=np.float32)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        if not norms.all():
            raise ValueError(f"`{name}` must not hold a zero row for 'cosine', but row {norms.argmin()} is zero.")
        return np.ascontiguousarray(rows / norms)


def _checked(name: str, values: ArrayLike, dimensions: int | None = None) -> np.ndarray:
    """Return a float32 copy; ``dimensions`` is what the store has, for queries, which may be none at all."""
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


def _check_k(k: int, most: int, what: str) -> None:
    if k < 1:
        raise ValueError(f"`k` must be at least 1, but is {k} instead.")
    if k > most:
        raise ValueError(f"`k` must be at most {what} ({most}), but is {k} instead.")


def _positions(ids: list[str], rows: int) -> dict[str, int]:
    if len(ids) != rows:
        raise ValueError(f"`ids` must hold one id an embedding ({rows}), but holds {len(ids)} instead.")
    position: dict[str, int] = {}
    for index, name in enumerate(ids):
        if position.setdefault(name, index) != index:
            raise ValueError(f"`ids` must be distinct, but {name!r} stands in rows {position[name]} and {index}.")
    return position

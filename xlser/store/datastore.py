"""Embeddings with ids, labels, an encoder and a hash, and their nearest neighbours."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from xlser.atomic import replacing
from xlser.errors import XlserError, brief
from xlser.fileformats import VERSIONS, check_version
from xlser.jsonfile import parse_json
from xlser.machine import check_opens, pass_on_machine
from xlser.store.columns import joined, joined_all, left_out, rows_by_id, text_column
from xlser.store.in_order import in_order
from xlser.store.index import Index, IndexKind, Metric, checked_rows

__all__ = ["Datastore", "IndexKind", "Metric"]


class Datastore:
    """N embeddings of D dimensions that can be searched, extended, saved and told apart by their hash.

    A model learns another language, or forgets one, by the store it is given: `extend` adds rows without training, and
    swapping is using another store. The default index is exact and fit for about a million rows (see `Index`).

    Args:
        embeddings: (N, D) finite numbers, kept as float32; N and D at least 1, no zero row when ``cosine``.
        ids: N distinct ids, kept as strings.
        metric: ``l2`` for squared Euclidean distances, ``cosine`` for 1 - cosine similarity, in [0, 2].
        labels: N texts, the class of each row. Rows without a label are the caller's to drop.
        groups: N texts, what a query may leave out as a whole: its speaker. Ids that occur in several corpora must
            carry the corpus's name.
        about: columns of N texts each (corpus, language, path), for whoever looks at the neighbours.
        encoder: what made the embeddings, as text in which two encoders differ; empty where it is not known.
        index: ``flat`` (exact), ``ivf`` or ``hnsw`` (approximate, for more than a million rows).

    Raises:
        ValueError: a shape that does not fit, a number that is not finite, an id given twice, a column that is not
            text, an unknown metric or index.

    >>> store = Datastore([[0.0, 0.0], [3.0, 4.0]], ["a", "b"], labels=["joy", "anger"])
    >>> distances, positions = store.search([[3.0, 3.0]], k=2)
    >>> distances.tolist(), [store.labels[position] for position in positions[0]]
    ([[1.0, 18.0]], ['anger', 'joy'])
    """

    def __init__(
        self,
        embeddings: ArrayLike,
        ids: Sequence[str],
        *,
        metric: Metric = "l2",
        labels: Sequence[str] | None = None,
        groups: Sequence[str] | None = None,
        about: Mapping[str, Sequence[str]] | None = None,
        encoder: str = "",
        index: IndexKind = "flat",
    ):
        # A copy that cannot be written to: what was hashed is what is searched.
        self.embeddings = checked_rows("embeddings", embeddings)
        self.embeddings.setflags(write=False)
        rows = len(self.embeddings)
        self.ids = [str(name) for name in ids]
        self._position = rows_by_id(self.ids, rows)
        self.labels = None if labels is None else text_column("labels", labels, rows)
        self.groups = None if groups is None else text_column("groups", groups, rows)
        self.about = {name: text_column(f"about[{name!r}]", column, rows) for name, column in (about or {}).items()}
        self.metric, self.encoder, self.index = metric, encoder, index
        # Numbers stand for groups: a store without any is one group that no query can leave out.
        self._groups, self._group_of = np.unique(self.groups or [""] * rows, return_inverse=True)
        self._group_sizes = np.bincount(self._group_of)
        self._index = Index(self.embeddings, metric, index)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def hash(self) -> str:
        """The sha256 of the ids, the float32 bytes, and the columns and encoder if any: 64 hexadecimal digits.

        >>> Datastore([[1.0]], ["a"]).hash == Datastore([[1.0]], ["b"]).hash
        False
        """
        digest = hashlib.sha256(json.dumps(self.ids).encode())
        digest.update(self.embeddings)
        if known := self._known():
            digest.update(json.dumps(known, sort_keys=True).encode())
        return digest.hexdigest()

    def check_encoder(self, identity: str) -> None:
        """Refuse embeddings of another encoder: their distances to those stored mean nothing.

        Raises:
            XlserError: ``identity`` is not the store's; the message names both.

        >>> Datastore([[1.0]], ["a"], encoder="eGeMAPS v02").check_encoder("eGeMAPS v02")
        """
        if identity != self.encoder:
            raise XlserError(
                f"datastore of another encoder: it holds embeddings of {self.encoder or 'an encoder not named'}, but "
                f"these are of {identity or 'an encoder not named'}. Embed both with one encoder."
            )

    def extend(self, other: Datastore) -> Datastore:
        """Return a new store of these rows and then the other's, with this one's kind of index. Both stay as they are.

        Raises:
            XlserError: the other store's embeddings are of another encoder.
            ValueError: an id that both hold, another metric or dimension, or a column that only one of them has.

        >>> source = Datastore([[0.0]], ["en/1"], labels=["joy"])
        >>> source.extend(Datastore([[1.0]], ["ur/1"], labels=["anger"])).labels
        ('joy', 'anger')
        """
        self.check_encoder(other.encoder)
        if other.metric != self.metric:
            raise ValueError(f"the stores must be of one metric, but are {self.metric!r} and {other.metric!r} instead.")
        if (here := self.embeddings.shape[1]) != (there := other.embeddings.shape[1]):
            raise ValueError(f"the stores must have as many dimensions, but have {here} and {there} instead.")
        if common := self._position.keys() & other._position.keys():
            raise ValueError(f"the stores must have no id in common, but share {min(common)!r} ({len(common)} in all).")
        return Datastore(
            np.concatenate([self.embeddings, other.embeddings]),
            self.ids + other.ids,
            metric=self.metric,
            labels=joined("labels", self.labels, other.labels),
            groups=joined("groups", self.groups, other.groups),
            about=joined_all(self.about, other.about),
            encoder=self.encoder,
            index=self.index,
        )

    def search(
        self,
        queries: ArrayLike,
        k: int,
        exclude_ids: Sequence[str] | None = None,
        exclude_groups: Sequence[str] | None = None,
        *,
        encoder: str | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the k nearest embeddings of each of the Q queries, nearest first.

        Args:
            queries: (Q, D) finite numbers; Q may be 0.
            k: at least 1, at most N, or N - 1 where ids are excluded, or what the excluded groups leave.
            exclude_ids: Q ids, one a query, that query's own embedding: leave-one-out over stored embeddings. An id
                that is not stored excludes nothing.
            exclude_groups: Q groups, one a query, of which no row is found: leave-one-speaker-out. A group that is not
                stored excludes nothing.
            encoder: what made the queries; checked (see `check_encoder`) where given.

        Returns:
            Distances, float32 (Q, k), and positions in ``ids``, int64 (Q, k).

        Raises:
            XlserError: queries of another encoder.
            ValueError: ``k`` out of range, a shape that does not fit, a number that is not finite, groups that the
                store does not have.

        >>> store = Datastore([[0.0], [1.0], [3.0]], ["a", "b", "c"], groups=["anna", "anna", "ben"])
        >>> store.search([[0.0], [3.0]], k=1, exclude_ids=["a", "c"])[1].tolist()
        [[1], [1]]
        >>> store.search([[0.0], [3.0]], k=1, exclude_groups=["anna", "ben"])[1].tolist()
        [[2], [1]]
        """
        if encoder is not None:
            self.check_encoder(encoder)
        queries = checked_rows("queries", queries, self.embeddings.shape[1])
        own = left_out("exclude_ids", exclude_ids, self._position, len(queries))
        if exclude_groups is not None and self.groups is None:
            raise ValueError("`exclude_groups` must be None, as this store has no groups. Give `groups` to Datastore.")
        numbers = {name: number for number, name in enumerate(self._groups.tolist())}
        group = left_out("exclude_groups", exclude_groups, numbers, len(queries))
        _check_k(k, len(self) - (exclude_ids is not None), exclude_ids is not None)
        self._check_left(k, own, group)
        if exclude_ids is None:
            return self._index.search(queries, k, self._group_of, group)
        distances, positions = self._index.search(queries, k + 1, self._group_of, group)
        drop = positions == own[:, None]
        drop[~drop.any(1), -1] = True
        return distances[~drop].reshape(-1, k), positions[~drop].reshape(-1, k)

    def save(self, path: str | Path) -> None:
        """Write embeddings, ids, columns, metric, encoder and hash to one safetensors file, whole or not at all.

        The index is not written: `load` builds it anew.

        Raises:
            XlserError: the file cannot be written; the message names it and the reason.

        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "train.safetensors"
        >>> Datastore([[1.0, 2.0]], ["a"]).save(path)
        >>> Datastore.load(path).ids
        ['a']
        """
        from safetensors.numpy import save

        about = {"ids": json.dumps(self.ids), "metric": self.metric, "index": self.index, "hash": self.hash}
        about |= {"schema": str(VERSIONS["datastore"])}
        about["known"] = json.dumps(self._known())
        with replacing(path, durable=True) as temporary:
            temporary.write_bytes(in_order(save({"embeddings": self.embeddings}, metadata=about)))

    @classmethod
    def load(cls, path: str | Path) -> Datastore:
        """Read what `save` wrote, and check that it still is what was written.

        Raises:
            XlserError: the file is missing, is not a datastore, or does not match its hash; the message names it.
        """
        from safetensors import SafetensorError, safe_open

        try:
            check_opens(path)
            with safe_open(path, framework="numpy") as file:
                about, embeddings = file.metadata(), file.get_tensor("embeddings")
            schema = int(about.get("schema", 1))
            known = parse_json(about.get("known", "{}"))  # files of before there were columns have neither
            index = about.get("index", "flat")
            store = cls(embeddings, parse_json(about["ids"]), metric=about["metric"], index=index, **known)
            expected = about["hash"]
        except (OSError, SafetensorError, AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            pass_on_machine(error, f"reading {path}")
            raise XlserError(f"cannot read {path} as a datastore: {brief(error)}. Write it again.") from error
        check_version("datastore", schema, path, "write it again", error=XlserError)
        if store.hash != expected:
            raise XlserError(f"{path} does not match its hash: it was changed or damaged. Write it again.")
        return store

    def _known(self) -> dict[str, object]:
        """Return what is known of the rows beside their ids, without what is not: a bare store hashes as ever."""
        known = {"labels": self.labels, "groups": self.groups, "about": self.about, "encoder": self.encoder}
        return {name: value for name, value in known.items() if value}

    def _check_left(self, k: int, own: np.ndarray, group: np.ndarray) -> None:
        outside = (own >= 0) & (self._group_of[own] != group)
        left = len(self) - np.where(group >= 0, self._group_sizes[group], 0) - outside
        if len(left) and k > left.min():
            query = int(left.argmin())
            raise ValueError(
                f"`k` must be at most the {left[query]} stored embeddings that query {query} may find "
                f"outside its group {str(self._groups[group[query]])!r}, but is {k} instead."
            )


def _check_k(k: int, most: int, without_own: bool) -> None:
    what = "the number of stored embeddings" + " less the excluded one" * without_own
    if k < 1:
        raise ValueError(f"`k` must be at least 1, but is {k} instead.")
    if k > most:
        raise ValueError(f"`k` must be at most {what} ({most}), but is {k} instead.")

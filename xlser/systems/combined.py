"""Linear models of one or several representations, adapted to one target and averaged: one system that can be saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from xlser.errors import RunError, XlserError, brief
from xlser.evaluation.adapting import Fitted, restore
from xlser.evaluation.best_schema import CombinedFile
from xlser.evaluation.results_file import write_json
from xlser.features.normalise import Scaler
from xlser.features.representation import Representation
from xlser.fileformats import VERSIONS, check_version
from xlser.machine import pass_on_machine
from xlser.typedtable import check_types, read_typed

# The same name as that of a saved recogniser: it says which of the two a folder holds.
SAVED, ARRAYS, KIND = "model.json", "combined.safetensors", "combined"
# Z-scores beyond it are set to it, as for every network: see `xlser.features.normalise.Scaler`.
CLIP = 5.0
_LEAST = 1e-12


@dataclass(frozen=True)
class Linear:
    """A linear readout: ``coefficients`` (C, D) and ``intercepts`` (C,) of the log-odds of C ``classes``."""

    classes: tuple[str, ...]
    coefficients: np.ndarray
    intercepts: np.ndarray

    def probabilities(self, rows: np.ndarray) -> np.ndarray:
        """Return the softmax (N, C) for rows (N, D)."""
        logits = rows @ self.coefficients.T + self.intercepts
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class Member:
    """One model of one representation, and what was fitted to the target.

    Attributes:
        representation: what it hears.
        sources: what it was fitted on.
        scaler: of these sources; z-scores are not clipped before they are adapted.
        linear: the readout of adapted z-scores.
        fitted: the target's adaptation.
        weight: in the average of log-probabilities.
    """

    representation: Representation
    sources: tuple[str, ...]
    scaler: Scaler
    linear: Linear
    fitted: Fitted
    weight: float = 1.0

    def __str__(self) -> str:
        """Return what it hears."""
        return str(self.representation)

    def embeddings(self, values: np.ndarray, speakers: np.ndarray | None = None) -> np.ndarray:
        """Return what its readout sees, (N, D), of its own raw columns (N, D); speakers (N,) where they are known."""
        adapted = self.fitted.embeddings(self.scaler.apply(values), speakers)
        return np.asarray(np.clip(adapted, -CLIP, CLIP))

    def probabilities(self, values: np.ndarray, speakers: np.ndarray | None = None) -> np.ndarray:
        """Return probabilities (N, C) of its own raw columns (N, D), each row by itself."""
        rows = self.embeddings(values, speakers)
        return self.fitted.posterior(rows, self.linear.probabilities(rows))


@dataclass(frozen=True)
class Combined:
    """Members whose log-probabilities are averaged, and what is done to the average.

    Every recording is read by itself: what the target gave is in the fitted chains, and stays as it was.

    Attributes:
        classes: C emotions.
        columns: names of the raw features that `probabilities` is given.
        members: one at least, of the same classes.
        fitted: steps on the averaged probabilities.
        about: extractor and speakers of known recordings, and whatever else belongs to it, JSON-able.

    Raises:
        XlserError: members of other classes; each is named.
    """

    classes: tuple[str, ...]
    columns: tuple[str, ...]
    members: tuple[Member, ...]
    fitted: Fitted
    about: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse members that tell other emotions apart, or the same in another order."""
        several = {f"{member} from {'+'.join(member.sources)}": member.linear.classes for member in self.members}
        check_labels_agree({"the ensemble": self.classes, **several})

    def probabilities(self, values: np.ndarray, speakers: np.ndarray | None = None) -> np.ndarray:
        """Return probabilities (N, C) of raw features (N, F), in the order of ``columns``.

        Args:
            values: of recordings, each of which is read by itself.
            speakers: (N,) who speaks, as the target named them; of others the target's own statistics are taken.
        """
        several = [member.probabilities(part, speakers) for member, part in self._parts(values)]
        return self.fitted.posterior(self.joint(values, speakers), average(several, self._weights))

    def joint(self, values: np.ndarray, speakers: np.ndarray | None = None) -> np.ndarray:
        """Return what all members' readouts see, side by side, (N, D1 + D2 + ...): what the last steps look at."""
        return side_by_side([member.embeddings(part, speakers) for member, part in self._parts(values)])

    def embeddings(self, values: np.ndarray, speakers: np.ndarray | None = None) -> np.ndarray:
        """Return what the first member's readout sees, (N, D): how far recordings are from the source is said by it."""
        member, part = next(iter(self._parts(values)))
        return member.embeddings(part, speakers)

    @property
    def _weights(self) -> list[float]:
        return [member.weight for member in self.members]

    def _parts(self, values: np.ndarray) -> list[tuple[Member, np.ndarray]]:
        return [(member, values[:, member.representation.columns(self.columns)]) for member in self.members]

    def save(self, folder: str | Path) -> Path:
        """Write ``model.json`` and ``combined.safetensors`` into a folder, and return it."""
        from safetensors.numpy import save

        from xlser.atomic import replacing

        folder, rows = Path(folder), []
        arrays: dict[str, np.ndarray] = {}
        folder.mkdir(parents=True, exist_ok=True)
        for number, member in enumerate(self.members):
            about, own = member.fitted.state()
            own = {f"chain.{name}": values for name, values in own.items()}
            own |= {"scaler.mean": member.scaler.mean, "scaler.std": member.scaler.std}
            own |= {"coefficients": member.linear.coefficients, "intercepts": member.linear.intercepts}
            arrays |= {f"{number}.{name}": values for name, values in own.items()}
            row = {"representation": asdict(member.representation), "sources": list(member.sources)}
            row |= {"classes": list(member.linear.classes)}
            rows.append(row | {"weight": member.weight, "clip": member.scaler.clip, "chain": about})
        about, own = self.fitted.state()
        arrays |= {f"chain.{name}": values for name, values in own.items()}
        with replacing(folder / ARRAYS, durable=True) as temporary:
            temporary.write_bytes(save({name: np.ascontiguousarray(values) for name, values in arrays.items()}))
        table = {"schema": VERSIONS["combined"], "kind": KIND, "classes": list(self.classes)}
        table |= {"columns": list(self.columns), "members": rows, "chain": about, "about": dict(self.about)}
        write_json(folder / SAVED, table, indent=1)
        return folder

    @classmethod
    def load(cls, folder: str | Path) -> Combined:
        """Return what `save` wrote.

        Raises:
            RunError: it is not there, damaged, or of another schema.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        path, again = Path(folder) / SAVED, "Run the same `xlser best` command again."
        table = read_typed(path, dict, again)
        check_version("combined", table.pop("schema", None), path, "run the same `xlser best` command again")
        check_types(CombinedFile, table, path, again)
        try:
            arrays = load_file(Path(folder) / ARRAYS)
            members = tuple(_member(row, _under(f"{number}", arrays)) for number, row in enumerate(table["members"]))
            fitted = restore(table["chain"], _under("chain", arrays))
            made = cls(tuple(table["classes"]), tuple(table["columns"]), members, fitted, table.get("about", {}))
            made._check_shapes()
        except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, SafetensorError) as error:
            pass_on_machine(error, f"reading {path}")
            raise RunError(f"cannot read {path}: {brief(error)}. {again}") from error
        return made

    def _check_shapes(self) -> None:
        """See that the arrays of every member go together, as far as they can be known before a recording is read.

        Raises:
            ValueError: they do not; or there is no member, or a number that is not finite.
        """
        if not self.members or not sum(member.weight for member in self.members) > 0:
            raise ValueError("`members` must hold one with a weight at least")
        for number, member in enumerate(self.members):
            width, classes = len(member.representation.columns(self.columns)), len(self.classes)
            shapes = {"scaler.mean": (width,), "scaler.std": (width,), "intercepts": (classes,)}
            arrays = {"scaler.mean": member.scaler.mean, "scaler.std": member.scaler.std}
            arrays |= {"intercepts": member.linear.intercepts, "coefficients": member.linear.coefficients}
            for name, values in arrays.items():
                if name in shapes and values.shape != shapes[name]:
                    raise ValueError(f"`{number}.{name}` must be of shape {shapes[name]}, but is {values.shape}")
                if not np.isfinite(values).all():
                    raise ValueError(f"`{number}.{name}` must hold finite numbers alone")
            if member.linear.coefficients.ndim != 2 or len(member.linear.coefficients) != classes:
                raise ValueError(f"`{number}.coefficients` must have {classes} rows, one a class")


def is_combined(folder: str | Path) -> bool:
    """Say whether a folder holds what `Combined.save` wrote.

    >>> is_combined("nowhere")
    False
    """
    from xlser.jsonfile import read_json

    return read_json(Path(folder) / SAVED).get("kind") == KIND


def average(several: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """Return the weighted mean of log-probabilities as probabilities again, (N, C).

    Args:
        several: probabilities (N, C) each, of the same recordings and classes.
        weights: one for each, at least 0, not all 0.

    Raises:
        ValueError: none, other shapes, or weights that are no weights.

    >>> average([np.array([[0.9, 0.1]]), np.array([[0.1, 0.9]])], [1, 1]).tolist()
    [[0.5, 0.5]]
    """
    shares = np.asarray(weights, dtype=float)
    if not len(several) or len({rows.shape for rows in several}) > 1 or shares.shape != (len(several),):
        raise ValueError(f"`several` must be of one shape, a weight each, but are {[rows.shape for rows in several]}.")
    if not (np.isfinite(shares).all() and (shares >= 0).all() and shares.sum() > 0):
        raise ValueError(f"`weights` must be at least 0 and not all 0, but are {shares.tolist()} instead.")
    if len(several) == 1:
        return np.asarray(several[0])
    logs = sum(share * np.log(rows + _LEAST) for share, rows in zip(shares / shares.sum(), several, strict=True))
    raised = np.exp(logs - np.max(logs, axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def side_by_side(several: Sequence[np.ndarray]) -> np.ndarray:
    """Return embeddings of several members as one, (N, D): its cosines are the mean of theirs.

    >>> side_by_side([np.array([[3.0, 4.0]])]).tolist()
    [[0.6, 0.8]]
    """
    units = [rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), _LEAST) for rows in several]
    return np.asarray(np.concatenate(units, axis=1) / np.sqrt(len(units)))


def check_labels_agree(several: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the classes that systems share; all must have them in one order.

    Args:
        several: classes by the name of a system.

    Raises:
        XlserError: they tell different emotions apart, or in another order; each system and what it lacks is named.

    >>> check_labels_agree({"a": ["x", "y"], "b": ["x", "y"]})
    ('x', 'y')
    """
    every = list(dict.fromkeys(name for classes in several.values() for name in classes))
    lacking = {name: [label for label in every if label not in own] for name, own in several.items()}
    if any(lacking.values()):
        texts = [f"{name} does not know {', '.join(missing)}" for name, missing in lacking.items() if missing]
        raise XlserError(
            f"an ensemble must be of systems with the same labels, but {'; '.join(texts)}. "
            "Leave these systems out, or fit all on the same emotions."
        )
    orders = {tuple(classes) for classes in several.values()}
    if len(orders) > 1:
        raise XlserError(
            f"an ensemble's systems must have their labels in one order, but have {sorted(orders)} instead."
        )
    return next(iter(orders))


def _member(row: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Member:
    about = row["representation"]
    representation = Representation(**about | {"states": tuple(about["states"])})
    scaler = Scaler(arrays["scaler.mean"], arrays["scaler.std"], row["clip"])
    linear = Linear(tuple(row["classes"]), arrays["coefficients"], arrays["intercepts"])
    fitted = restore(row["chain"], _under("chain", arrays))
    return Member(representation, tuple(row["sources"]), scaler, linear, fitted, row["weight"])


def _under(start: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name.removeprefix(f"{start}."): rows for name, rows in arrays.items() if name.startswith(f"{start}.")}

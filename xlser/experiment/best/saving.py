"""A model of a search in its folder: what `xlser predict` needs, and the sources' clips to compare recordings with."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from xlser.evaluation.results_file import plain
from xlser.experiment.best.domains import Domain
from xlser.experiment.best.fits import Task, home_rows
from xlser.experiment.best.outcome import Outcome
from xlser.experiment.best.space import Candidate
from xlser.experiment.use.model import STORE
from xlser.features.extractor import Extractor
from xlser.features.extractors import written_as
from xlser.features.representation import columns_of, together
from xlser.store.datastore import Datastore
from xlser.systems.combined import Combined


def save_best(outcome: Outcome, out: Path, encoder: str | None) -> Combined:
    """Write the model, its store of clips and ``best.json`` into a folder, and return the model as it was written.

    Of all raw features only those stay that a member hears.

    Raises:
        MachineError: the folder cannot be written.
    """
    model, task, result = outcome.model, outcome.task, outcome.result
    extractor = together([member.representation for member in model.members], encoder)
    fingerprint = _fingerprint(model, extractor)
    about = {
        "name": result.chosen,
        "sources": list(result.sources),
        "target": result.target,
        "recordings": len(task.away.values),
        "protocol": result.protocol,
        "looks_at": list(result.looks_at),
        "adaptation": result.get(result.chosen).adaptation,
        "extractor": _json(written_as(extractor)),
        "pretrained": extractor.pretrained(),
        "fingerprint": fingerprint,
        "speakers": _speakers(task.away),
    }
    kept = replace(model, columns=tuple(columns_of(extractor)), about=about)
    out.mkdir(parents=True, exist_ok=True)
    _store(task, outcome.candidate, fingerprint).save(out / STORE)
    result.write(out)
    kept.save(out)  # last: a folder with it is whole
    return kept


def _store(task: Task, candidate: Candidate, fingerprint: str) -> Datastore:
    """Return the clips that were learnt from, where the first member's readout sees them."""
    rows, _ = home_rows(task.sources, candidate.settings[0], task)
    parts = [(domain, np.flatnonzero(domain.labelled(task.classes))) for domain in task.sources]
    frames = [(domain, domain.dataset.frame.iloc[places]) for domain, places in parts]
    people = [f"{domain.name}/{name}" for domain, frame in frames for name in frame["speaker"]]

    def column(name: str) -> list[str]:
        return [str(value) for _, frame in frames for value in frame[name]]

    speakers = people if len(frames) > 1 else column("speaker")
    about = {name: column(name) for name in ("corpus", "language", "path", "emotion")} | {"speaker": speakers}
    ids = [f"{domain.name}/{name}" for domain, frame in frames for name in frame["id"]]
    return Datastore(rows, ids, labels=column("emotion"), groups=people, about=about, encoder=fingerprint)


def _speakers(away: Domain) -> dict[str, str]:
    """Return who speaks in each recording of the target, by its content: told again from the file alone."""
    if away.speakers is None:
        return {}
    return {content: str(name) for content, name in zip(away.contents, away.speakers, strict=True)}


def _fingerprint(model: Combined, extractor: Extractor) -> str:
    digest = hashlib.sha256(json.dumps(extractor.identity(), sort_keys=True, default=str).encode())
    for member in model.members:
        for values in (member.scaler.mean, member.scaler.std, member.linear.coefficients):
            digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def _json(written: Any) -> Any:
    return json.loads(json.dumps(plain(written)))

"""What else an embedding gives away: who speaks, how long, in which language, and from which corpus a clip comes."""

from __future__ import annotations

import numpy as np

from xlser.evaluation.nuisance import nuisance_rows, probe
from xlser.experiment.bench.extras import first_seed
from xlser.experiment.cases import Case
from xlser.experiment.corpora import Corpus
from xlser.experiment.readers import Reader
from xlser.vocabulary import TARGET

Row = dict[str, object]
MOST = 400  # clips a side, so that a large corpus costs no more than a small one


def nuisances(readers: list[Reader], case: Case) -> list[Row]:
    """Return how well speaker, sex and duration can be read from every method's embedding of a corpus."""
    frame, rows = case.corpus.frame, []
    columns = {"sex": frame["sex"].to_numpy(object), "log duration": np.log(frame["duration"].to_numpy(float))}
    columns["language"] = case.corpus.languages
    for reader in first_seed(readers):
        found = nuisance_rows(reader.system.embed(case), columns, frame["speaker"].to_numpy(str))
        rows += [{"method": reader.method, "corpus": case.corpus.name} | row for row in found]
    return rows


def origins(readers: list[Reader], home: Case, case: Case) -> list[Row]:
    """Return how well corpus and language are read from source and target together, for every method of a target.

    Each side is embedded as its scores are: the source's held-out speakers by ``home``, the target by ``case``. At most
    `MOST` clips a side take part, drawn by a fixed seed. Folds hold whole speakers, and classes count alike. Where each
    corpus has a language of its own both are one question with one answer.

    That a corpus is told says nothing of why: language, microphones, actors, emotions. That it is not told is little
    where the target was z-scored with its own statistics: corpora of equal means have no linear border between them,
    and the value may even lie below chance, since the speakers left to train on lie opposite to those held out.
    """
    if case.role != TARGET:
        return []
    rows = []
    for reader in first_seed(readers):
        sides = [(side, _some(side.judged(reader.seed))) for side in (home, case)]
        embedded = np.concatenate([reader.system.embed(side)[taken] for side, taken in sides])
        corpora, languages, speakers = (
            np.concatenate([told(side.corpus)[taken] for side, taken in sides])
            for told in (_corpora, lambda corpus: corpus.languages.astype(str), _speakers)
        )
        found = {"corpus": probe(embedded, corpora, speakers)}
        found["language"] = found["corpus"] if _same(corpora, languages) else probe(embedded, languages, speakers)
        about = {"method": reader.method, "corpus": case.corpus.name}
        rows += [about | {"nuisance": f"{name}, source and target"} | row for name, row in found.items()]
    return rows


def _some(judged: np.ndarray) -> np.ndarray:
    """Return the rows that may be judged, or `MOST` of them."""
    rows = np.flatnonzero(judged)
    return np.sort(np.random.default_rng(0).permutation(rows)[:MOST])


def _corpora(corpus: Corpus) -> np.ndarray:
    """Return the name of the corpus that each row comes from, (N,)."""
    return corpus.frame["corpus"].to_numpy(dtype=str)


def _speakers(corpus: Corpus) -> np.ndarray:
    """Return the speakers under names that no other corpus has, (N,)."""
    return np.array([f"{corpus.name}/{speaker}" for speaker in corpus.frame["speaker"]])


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    """Say whether two columns of names part the rows alike."""
    pairs = {*zip(one, other, strict=True)}
    return len(pairs) == len(set(one)) == len(set(other))

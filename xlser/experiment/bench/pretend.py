"""Jobs that a bench adds in order to choose: each corpus of a joined source is left out, and read as if it were new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from xlser.experiment.bench.plan import Job, called
from xlser.experiment.corpora import corpus_texts
from xlser.training.recipe import Recipe


def choosing_jobs(jobs: Sequence[Job]) -> list[Job]:
    """Return the jobs that must be done besides, so that it can be chosen how the targets of ``jobs`` are read.

    Where a source joins several corpora and something is tried to adapt to its targets, its recipe is trained without
    each of them in turn, and reads it: the labels of a target have no part in that. A job that does so anyway is not
    done twice, and one serves all sources that leave it the same corpora. A network is trained once, by its first seed.
    """
    done = {(job.recipe.name, _corpora(job.recipe.source), called(name)) for job in jobs for name in job.recipe.targets}
    wanted: dict[tuple, tuple[Job, str, list[str]]] = {}
    for job in (job for job in jobs if job.adapt):
        texts = corpus_texts(job.recipe.source)
        for text in texts if len(texts) > 1 else ():
            rest = "+".join(other for other in texts if other != text)
            key = (job.recipe.name, _corpora(rest))
            if (*key, called(text)) not in done:
                targets = wanted.setdefault(key, (job, rest, []))[2]
                targets += [text] * (text not in targets)
    return [_job(job, rest, tuple(targets)) for job, rest, targets in wanted.values()]


def _corpora(text: str) -> frozenset[str]:
    return frozenset(called(part) for part in corpus_texts(text))


def _job(job: Job, source: str, targets: tuple[str, ...]) -> Job:
    values: dict = {"source": source, "targets": targets}
    if not isinstance(job.recipe, Recipe) or job.recipe.model is not None:
        values["training"] = job.recipe.training.model_copy(update={"seeds": 1})
    folder = job.folder.parents[2] / "choosing" / job.recipe.name / called(source)
    return replace(job, recipe=job.recipe.model_copy(update=values), folder=folder, few_shot=(), pretended=True)

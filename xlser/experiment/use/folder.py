"""A finished run or bench: which of its models is read unless one is named."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from xlser.errors import RunError, did_you_mean
from xlser.evaluation.choice import choose_among, choose_rating
from xlser.evaluation.going_together import going_together
from xlser.evaluation.headline import Headline
from xlser.experiment.corpora import AnyRecipe
from xlser.experiment.use.hub_models import shown
from xlser.experiment.use.jobs import TrainedJob, trained_jobs
from xlser.experiment.use.names import Name, named
from xlser.features.extractors import random_weights
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.vocabulary import FEATURES, VALIDATION


@dataclass(frozen=True)
class Chosen:
    """One model of a run or bench, and what the source's validation speakers chose for it.

    ``run`` is the folder of the run or bench, ``job`` the recipe and source that it was trained by. ``method`` is
    ``features`` where the features, or an encoder before any training, do as well as every network. ``reader`` is the
    readout that speaks for it (see `xlser.evaluation.choice.READOUTS`); None where no emotions were scored.
    ``options`` are the reader's (k, C, temperature ...), of which ``fixed`` were given by name; ``alphas`` are those of
    the ridge direction of each rated dimension. ``accuracy`` is the reader's UA on the source's validation speakers,
    over all seeds of the method; nan where there is none. It is the best of ``among`` methods. ``agreement`` is the
    mean CCC of its ratings there, where no emotions were scored.
    """

    run: Path
    job: TrainedJob
    method: str
    seed: int
    reader: str | None
    options: dict[str, Any]
    alphas: dict[str, float]
    accuracy: float
    among: int = 1
    fixed: Mapping[str, Any] = field(default_factory=dict)
    agreement: float = math.nan

    @property
    def recipe(self) -> AnyRecipe:
        """What it was trained by."""
        return self.job.recipe

    @property
    def source(self) -> str:
        """What it was trained on."""
        return self.job.source

    @property
    def folder(self) -> Path:
        """Where its weights and its datastore lie."""
        return self.job.model(self.method, self.seed)

    @property
    def name(self) -> str:
        """What ``--model`` calls it: source/recipe/method/seed."""
        return f"{self.source}/{self.recipe.name}/{self.method}/{self.seed}"

    def options_for(self, classes: tuple[str, ...]) -> dict[str, Any]:
        """Return the reader's options where it tells these emotions apart, as a target with just these was read by."""
        if classes == tuple(self.recipe.emotions) or self.reader is None:
            return self.options
        settled = self.job.choices(self.method, self.seed, self.reader, classes)
        return self.options | (settled or {}) | dict(self.fixed)

    @property
    def headline(self) -> Headline:
        """What the report says of it, target by target."""
        recipe = self.recipe.model_dump(mode="json", include={"features", "encoder"})
        return Headline.of(recipe, self.job.scores, self.method, self.reader)

    def text(self) -> str:
        """Say in one line which model it is, why it was taken, and how good its validation was."""
        how = f"read by {self.reader}" if self.reader else "which gives ratings alone"
        text = f"{shown(self.run)}: method {self.method}, seed {self.seed}, {how}"
        scores = {"UA": self.accuracy, "mean CCC": self.agreement}
        if known := [f"{name} {value:.3f}" for name, value in scores.items() if not math.isnan(value)]:
            best = f", the best of {self.among} methods there" if self.among > 1 else ""
            text += f" ({known[0]} on the source's validation speakers{best})"
        text += f"; recipe {self.recipe.name}, trained on {self.source}: --model {self.name}"
        if self.recipe.normalise == "speaker":
            text += "; trained on z-scores by speaker, which one recording has not: those of the source stand in"
        if isinstance(self.recipe, EncoderRecipe):
            random = self.recipe.encoder.weights.startswith("random:")
        else:
            random = bool(random_weights(self.recipe.features.extractor))
        if random:
            text += "; its encoder began with random weights, not pretrained ones: do not rely on its answers"
        return text


def find_model(
    run: str | Path,
    method: str | None = None,
    seed: int | None = None,
    *,
    model: str | None = None,
    exportable: bool = False,
) -> Chosen:
    """Choose a model of a finished run or bench by its source's validation speakers alone.

    Recipe, source, method and readout are what `xlser.evaluation.choice.choose_among` takes there; of the method's
    seeds the one with the best epoch (see `TrainedJob.best_seed`). Seeds have other validation speakers each, so that
    the choice among them is a matter of taste, and `seed` may say otherwise.

    Args:
        run: the folder that `xlser run` or `xlser transfer` wrote, wherever it lies now.
        method: one of its methods, or ``features``: the choice is among the models that have it.
        seed: one of its seeds, likewise.
        model: ``source/recipe/method/seed``, or any part of it that names one recipe on one source, such as
            ``recipe`` or ``source/method``; what it leaves open is chosen.
        exportable: leave out the features, which no network gives, and autoencoders where there are encoders.

    Raises:
        RunError: no such folder, method, seed or model, or a run that did not finish.
    """
    with going_together(run):
        return _found(Path(run), method, seed, model, exportable)


def _found(run: Path, method: str | None, seed: int | None, model: str | None, exportable: bool) -> Chosen:
    jobs, failed = trained_jobs(run)
    if exportable:
        jobs = [_without_features(job) for job in _encoders(jobs) or jobs]
        if not any(job.models for job in jobs):
            raise RunError(f"{run} trained no network: its features alone cannot be exported. Choose another run.")
    jobs = _of_model(run, jobs, model, failed) if model is not None else jobs
    jobs = _of_method(run, jobs, method) if method is not None else jobs
    jobs = _of_seed(run, jobs, seed) if seed is not None else jobs
    return _chosen(run, jobs)


def _chosen(run: Path, jobs: list[TrainedJob]) -> Chosen:
    methods = list(dict.fromkeys(name for job in jobs for name in job.models))
    best = choose_among({place: job.home["transfer"] for place, job in enumerate(jobs)}, methods)
    job = jobs[best[0]] if best else jobs[0]
    rated = None if best else choose_rating(job.home["correlation"], list(job.models))
    method = best[1].method if best else rated[0] if rated else next(iter(job.models))
    seed = job.best_seed(method)
    rows = [row for row in job.home["choices"] if (row["method"], row["seed"]) == (method, seed)]
    own = {row["reader"]: row for row in rows if row.get("role", VALIDATION) == VALIDATION}
    directions = {name.removeprefix("direction of "): row["alpha"] for name, row in own.items() if "alpha" in row}
    reader, accuracy = (best[1].classifier, best[1].validation) if best else (None, math.nan)
    among = sum(len(each.models) for each in jobs)
    agreement = rated[1] if rated else math.nan
    options = own.get(reader, {}) if reader else {}
    return Chosen(run, job, method, seed, reader, options, directions, accuracy, among, agreement=agreement)


def _encoders(jobs: list[TrainedJob]) -> list[TrainedJob]:
    return [job for job in jobs if isinstance(job.recipe, EncoderRecipe)]


def _without_features(job: TrainedJob) -> TrainedJob:
    return replace(job, models={method: seeds for method, seeds in job.models.items() if method != FEATURES})


def _of_model(run: Path, jobs: list[TrainedJob], text: str, failed: list[str]) -> list[TrainedJob]:
    """Return the job that a text names, with those of its models that it may mean."""
    names = {
        Name(job.source, job.recipe.name, method, str(seed)): place
        for place, job in enumerate(jobs)
        for method, seeds in job.models.items()
        for seed in seeds
    }
    meant = named(text, names, f"{run}", "".join(f"\n  not there, {fault}" for fault in failed))
    (place,) = {names[name] for name in meant}
    models: dict[str, tuple[int, ...]] = {}
    for name in sorted(meant, key=list(names).index):
        models[name.method] = (*models.get(name.method, ()), int(name.seed))
    return [replace(jobs[place], models=models)]


def _of_method(run: Path, jobs: list[TrainedJob], method: str) -> list[TrainedJob]:
    known = list(dict.fromkeys(name for job in jobs for name in job.models))
    if method not in known:
        raise RunError(f"{run} has no model of method {method!r}; {did_you_mean(method, known)}")
    return [replace(job, models={method: job.models[method]}) for job in jobs if method in job.models]


def _of_seed(run: Path, jobs: list[TrainedJob], seed: int) -> list[TrainedJob]:
    kept = [replace(job, models=_with_seed(job.models, seed)) for job in jobs]
    if not any(job.models for job in kept):
        known = sorted({number for job in jobs for seeds in job.models.values() for number in seeds})
        raise RunError(f"{run} must have the seed {seed}, but has {', '.join(map(str, known))} instead.")
    return [job for job in kept if job.models]


def _with_seed(models: Mapping[str, tuple[int, ...]], seed: int) -> dict[str, tuple[int, ...]]:
    return {method: (seed,) for method, seeds in models.items() if seed in seeds}

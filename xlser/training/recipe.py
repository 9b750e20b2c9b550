"""The recipe: every choice of a run, validated whole before the first second of work."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt, field_validator, model_validator

from xlser import shipped
from xlser.corpora.emotions import check_canonical
from xlser.data.splits import SplitKind
from xlser.errors import RecipeError, did_you_mean
from xlser.features.extractor import ExtractorName
from xlser.features.normalise import Normalisation
from xlser.schema import Strict, validate
from xlser.yamlfile import parse_yaml, read_yaml

Metric = Literal["none", "signed", "euclidean", "elr", "ccc", "class-cluster"]
Many = BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)


class FeatureChoice(Strict):
    """Which features, whose mean and deviation z-scores are taken with, and where they are cut off (null: nowhere)."""

    extractor: ExtractorName = "egemaps"
    normalise: Normalisation = "corpus"
    clip: PositiveFloat | None = 5.0


class SplitChoice(Strict):
    """How the source's speakers are divided; seed s holds out fold s (modulo the number of folds)."""

    kind: SplitKind = "speaker-folds"
    folds: int = Field(5, ge=3)
    seed: int = 0
    given: tuple[dict[str, tuple[str, ...]], ...] = ()


class Annealing(Strict):
    """Weight of the KL term: rises linearly over ``warmup`` (share of all steps), ``cycles`` times (Fu et al. 2019)."""

    warmup: float = Field(0.5, ge=0, le=1)
    cycles: PositiveInt = 1
    maximum: float = Field(1.0, ge=0)


class ModelChoice(Strict):
    """The network: ``hidden`` and ``latent`` are layer widths; ``noise`` is the deviation added to z-scored inputs."""

    kind: Literal["dae", "vae"] = "dae"
    hidden: tuple[PositiveInt, ...] = Field((40, 20, 10), min_length=1)
    latent: PositiveInt = 2
    noise: float = Field(1.0, ge=0)
    annealing: Annealing = Annealing()


class Objective(Strict):
    """What is learnt besides the reconstruction.

    ``metric`` on ``on``: ``both`` gives the first half of the latent to activation and the rest to valence.
    ``class-cluster`` uses the emotion labels. ``combine`` is log(MSE + weight * metric), or the plain sum.
    ``emotion_head`` adds a linear classifier of the latent with cross-entropy (the semi-supervised VAE).
    """

    metric: Metric = "none"
    on: Literal["activation", "valence", "both"] = "activation"
    combine: Literal["log", "sum"] = "log"
    weight: PositiveFloat = 1.0
    emotion_head: bool = False

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The rated dimensions that the metric needs, in the order of their share of the latent."""
        if self.metric in {"none", "class-cluster"}:
            return ()
        return ("activation", "valence") if self.on == "both" else (self.on,)


class TrainingChoice(Strict):
    """Adam with rate ``lr``; ``seeds`` runs; a checkpoint every ``checkpoint_every`` epochs."""

    epochs: PositiveInt = 100
    batch: int = Field(64, ge=4)
    lr: PositiveFloat = 1e-3
    seeds: PositiveInt = 5
    checkpoint_every: PositiveInt = 20


class EvaluationChoice(Strict):
    """``draws`` resamplings of the speakers for each interval of ``level``."""

    draws: int = Field(1000, ge=100)
    level: float = Field(0.95, gt=0.5, lt=1)


class Recipe(Strict):
    """Train on ``source``, read in ``targets``.

    ``emotions`` are the classes that are scored, where the corpus has them; ``merge`` maps a canonical emotion into
    another before that. ``ratings`` ``derived`` takes valence and activation from a published table of emotion words
    where a source has no ratings of its own: every number on them is marked so.
    """

    name: str
    description: str = ""
    source: str
    targets: Annotated[tuple[str, ...], Many] = Field(min_length=1)
    emotions: tuple[str, ...] = Field(("anger", "happiness", "neutral", "sadness"), min_length=2)
    merge: dict[str, str] = {}
    ratings: Literal["rated", "derived"] = "rated"
    features: FeatureChoice = FeatureChoice()
    split: SplitChoice = SplitChoice()
    model: ModelChoice = ModelChoice()
    methods: dict[str, Objective] = {}
    training: TrainingChoice = TrainingChoice()
    evaluation: EvaluationChoice = EvaluationChoice()

    @field_validator("emotions")
    @classmethod
    def _canonical(cls, emotions: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(emotions)) < len(emotions):
            raise ValueError(f"must name each emotion once, but is {list(emotions)} instead")
        return tuple(check_canonical(name) for name in emotions)

    @field_validator("merge")
    @classmethod
    def _merges_emotions(cls, merge: dict[str, str]) -> dict[str, str]:
        return {check_canonical(name): check_canonical(into) for name, into in merge.items()}

    @field_validator("methods")
    @classmethod
    def _names_free(cls, methods: dict[str, Objective]) -> dict[str, Objective]:
        taken = {"plain", "features"} & set(methods)
        if taken:
            raise ValueError(f"{taken.pop()!r} is always part of a run and cannot be defined")
        return methods

    @model_validator(mode="after")
    def _fits_together(self) -> Recipe:
        problems = []
        if len(set(self.targets)) < len(self.targets):
            problems.append(f"`targets` must name each corpus once, but is {list(self.targets)} instead")
        for name, into in self.merge.items():
            if into not in self.emotions:
                problems.append(
                    f"merge.{name}: {into!r} is not among the scored `emotions` ({', '.join(self.emotions)})"
                )
        if self.source in self.targets:
            problems.append(
                f"`source` {self.source!r} stands in `targets` too; its held-out speakers are scored anyway"
            )
        for name, objective in self.methods.items():
            if objective.on == "both" and objective.dimensions and self.model.latent < 2:
                problems.append(
                    f"methods.{name}: `on: both` needs model.latent of at least 2, but it is "
                    f"{self.model.latent} instead"
                )
            if objective.metric == "elr" and objective.combine == "log":
                problems.append(f"methods.{name}: `metric: elr` can be negative and has no logarithm; use combine: sum")
            if objective.emotion_head and self.model.kind != "vae":
                problems.append(f"methods.{name}: `emotion_head` belongs to model.kind vae")
        if self.split.kind.startswith("given") and not self.split.given:
            problems.append(f"split.given must list the folds when split.kind is {self.split.kind!r}")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def hash(self) -> str:
        """First 12 digits of the SHA-256 of everything that can change a number."""
        text = self.model_dump_json(exclude={"description"})
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def objectives(self) -> dict[str, Objective]:
        """Return every method that is trained: the plain autoencoder first, then the recipe's own."""
        return {"plain": Objective(), **self.methods}


def load_recipe(path: str | Path, overrides: tuple[str, ...] = ()) -> Recipe:
    """Load a recipe from a file, or one of xlser's own by the same path outside a checkout.

    Args:
        path: a YAML file; ``recipes/emodb/dae-activation.yaml`` and ``emodb/dae-activation`` find the shipped one.
        overrides: texts such as ``training.epochs=5``; the value is read as YAML.

    Raises:
        RecipeError: no such file, an unknown key, a wrong type or a value out of range; all of them at once.
    """
    found = _find(Path(path))
    values = read_yaml(found, RecipeError)
    for text in overrides:
        _set(values, text)
    return validate(Recipe, values, f"recipe {found}", RecipeError)


def recipe_paths() -> list[str]:
    """Return xlser's own recipes as ``corpus/name``."""
    root = shipped.folder("recipes")
    return sorted(path.relative_to(root).with_suffix("").as_posix() for path in root.glob("*/*.yaml"))


def _find(path: Path) -> Path:
    if path.is_file():
        return path
    parts = path.parts[1:] if path.parts[:1] == ("recipes",) else path.parts
    own = shipped.folder("recipes").joinpath(*parts).with_suffix(".yaml")
    if own.is_file() and not path.is_absolute():
        return own
    name = Path(*parts).with_suffix("").as_posix()
    raise RecipeError(f"no recipe at {path}; {did_you_mean(name, recipe_paths())}")


def _set(values: dict[str, Any], text: str) -> None:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise RecipeError(f"--set needs KEY=VALUE such as training.epochs=5, but is {text!r} instead.")
    *groups, last = key.strip().split(".")
    for group in groups:
        values = values.setdefault(group, {})
        if not isinstance(values, dict):
            raise RecipeError(f"--set {text}: {group!r} is a value, not a group of keys.")
    values[last] = parse_yaml(f"value: {value}", f"--set {text}", RecipeError)["value"]

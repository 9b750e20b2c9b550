"""The recipe of an autoencoder on acoustic features: every choice, validated whole before the first second of work."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from xlser.features.extractors import Written, encoder_options, make_extractor, written_as
from xlser.features.normalise import Normalisation
from xlser.filenames import FileName
from xlser.schema import Grown, Strict
from xlser.training.common import Balance, CommonRecipe
from xlser.training.objective import Objective


class FeatureChoice(Strict):
    """Which features, whose mean and deviation z-scores are taken with, and where they are cut off (null: nowhere).

    ``extractor`` is a name, a name with options, or a list of these, side by side (see `xlser.features.extractors`);
    it is kept in the shortest way to write it. ``{encoder: openai/whisper-tiny, layer: 2}`` is a frozen encoder, whose
    options may stand beside those here; a list in place of all this are extractors.

    ``joined`` is for ``normalise: corpus`` and sources such as ``emodb+ravdess``: ``pooled`` z-scores their training
    rows by the statistics of all, ``each`` by those of their own corpus, as a target is by its own. With ``pooled`` a
    network may tell the corpora by how they were recorded, with ``each`` hardly; zero-shot, a target is z-scored by the
    statistics of all either way.
    """

    extractor: Annotated[Written, BeforeValidator(lambda value: written_as(make_extractor(value)))] = "egemaps"
    normalise: Normalisation = "corpus"
    joined: Literal["pooled", "each"] = "pooled"
    clip: PositiveFloat | None = 5.0

    @model_validator(mode="before")
    @classmethod
    def _of_an_encoder(cls, values: Any) -> Any:
        values = {"extractor": values} if isinstance(values, (str, list, tuple)) else values
        if not isinstance(values, dict) or "encoder" not in values:
            return values
        if "extractor" in values:
            raise ValueError("`encoder` and `extractor` are two ways to say the same; leave one out")
        written = {key: values[key] for key in encoder_options() if key in values}
        if not isinstance(written["encoder"], str):
            raise ValueError(f"`encoder` must be a hub name or a folder, but is {written['encoder']!r} instead")
        return {key: value for key, value in values.items() if key not in written} | {"extractor": written}

    def pretrained(self) -> dict[str, Any]:
        """Return, under ``pretrained``, the checkpoints that the features come from, by their hash; empty without any.

        A path or a name may hold other weights tomorrow: whatever is kept of a run names what there were.

        Raises:
            RecipeError, RunError: the weights are not there.
        """
        weights = make_extractor(self.extractor).pretrained()
        return {"pretrained": weights} if weights else {}


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


class TrainingChoice(Grown):
    """Adam with rate ``lr``; ``seeds`` trainings, numbered from ``first_seed`` on.

    A checkpoint is written every ``checkpoint_every`` epochs.

    With ``balance``, each corpus of a joined source, each scored emotion, or each pair of them that there is gives
    equally many rows to an epoch and to a batch; an epoch keeps its number of rows (see
    `xlser.data.sampling.DealtBatches`). Rows that a method learns nothing from (without a class for a loss on classes,
    and without reconstruction) are not drawn then; rows without a scored emotion that it does learn from are balanced
    like an emotion of their own. It holds for every method, the plain autoencoder too, and not for validation rows.
    """

    later: ClassVar[frozenset[str]] = frozenset({"first_seed"})

    epochs: PositiveInt = 100
    batch: int = Field(64, ge=4)
    balance: Balance = ()
    lr: PositiveFloat = 1e-3
    seeds: PositiveInt = 5
    checkpoint_every: PositiveInt = 20
    first_seed: NonNegativeInt = 0


class Recipe(CommonRecipe):
    """An autoencoder on features, trained once plainly and once by each of ``methods``.

    With ``model: none`` there is no network: the features themselves are read, and nothing else.
    """

    features: FeatureChoice = FeatureChoice()
    model: Annotated[ModelChoice | None, BeforeValidator(lambda value: None if value == "none" else value)] = (
        ModelChoice()
    )
    methods: dict[FileName, Objective] = {}
    training: TrainingChoice = TrainingChoice()

    @field_validator("methods")
    @classmethod
    def _names_free(cls, methods: dict[str, Objective]) -> dict[str, Objective]:
        taken = {"plain", "features"} & set(methods)
        if taken:
            raise ValueError(f"{taken.pop()!r} is always part of a run and cannot be defined")
        return methods

    def _problems(self) -> list[str]:
        problems = []
        if self.features.joined == "each" and self.normalise != "corpus":
            problems.append(
                f"features.joined: `each` belongs to features.normalise: corpus, but that is {self.normalise}; "
                "use normalise: corpus, or joined: pooled"
            )
        if self.model is None:
            trained = f"methods: `model: none` trains no network, but {', '.join(self.methods)} would be trained"
            return [*problems, f"{trained}; leave `methods` out, or `model`"] if self.methods else problems
        for name, objective in self.methods.items():
            fits = objective.problems(latent=self.model.latent, variational=self.model.kind == "vae")
            problems += [f"methods.{name}: {text}" for text in fits]
        return problems

    @property
    def normalise(self) -> Normalisation:
        """Whose statistics the features of a target are z-scored with."""
        return self.features.normalise

    def objectives(self) -> dict[str, Objective]:
        """Return every method that is trained: the plain autoencoder first, then the recipe's own; none without one."""
        return {} if self.model is None else {"plain": Objective(), **self.methods}

"""What can be trained: an autoencoder, a fine-tuned encoder, or no network. A recipe is these, spelled in YAML."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from xlser.data.splits import Split
from xlser.errors import RecipeError
from xlser.features.extractor import Extractor
from xlser.features.extractors import written_as
from xlser.features.normalise import Normalisation
from xlser.schema import validate
from xlser.training.common import Balanced, CommonRecipe
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.loss_terms import Terms
from xlser.training.recipe import Recipe
from xlser.vocabulary import FEATURES

AnyRecipe = Recipe | EncoderRecipe


@dataclass(frozen=True)
class System(ABC):
    """What every system has: a name, and the recipe that it is."""

    def get_params(self) -> dict[str, Any]:
        """Return its options by name, as its constructor takes them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    @abstractmethod
    def method(self) -> str:
        """What the tables of a run call it."""

    @property
    def trained(self) -> tuple[str, ...]:
        """The recipe's methods that are trained for it."""
        return (self.method,)

    @abstractmethod
    def recipe(self, source: str, targets: Sequence[str] = (), **common: Any) -> AnyRecipe:
        """Return the recipe that trains it on a source.

        Args:
            source: a card's name, or the path of a dataset (see `xlser.data.dataset.Dataset.write`).
            targets: likewise.
            common: what `CommonRecipe` takes besides, such as ``emotions``, and ``seeds`` and ``first_seed``.

        Raises:
            RecipeError: options that are out of range or do not go together; all of them at once.
        """


@dataclass(frozen=True)
class Autoencoder(System):
    """A denoising autoencoder on features, whose latent is laid out by losses (Das et al. 2022).

    ::

        dae = xl.Autoencoder("egemaps", latent=16, losses=[xl.losses.ContinuousMetric(on="activation")])

    Args:
        features: an extractor such as ``xl.features.Egemaps()``, or its name.
        latent, hidden: widths of the latent and of the layers before it.
        losses: what is learnt besides the reconstruction; nothing gives the plain autoencoder.
        kind: ``dae``, or ``vae`` for a variational one.
        noise: deviation of what is added to the z-scored input.
        combine: ``log`` for log(MSE + weight * loss), as in the paper, or the plain ``sum``.
        reconstruct: False trains no decoder: an ordinary network of the losses.
        normalise: whose statistics a target is z-scored with in a bench: ``source``, ``corpus`` or ``speaker``.
        clip: z-scores beyond it are set to it; None for no limit.
        epochs, batch, lr, balance: see `xlser.training.recipe.TrainingChoice`.
        name: what tables call it.

    Raises:
        RecipeError: options that are out of range or do not go together.
    """

    features: Any = "egemaps"
    latent: int = 2
    hidden: tuple[int, ...] = (40, 20, 10)
    losses: Sequence[Any] = ()
    kind: Literal["dae", "vae"] = "dae"
    noise: float = 1.0
    combine: Literal["log", "sum"] = "log"
    reconstruct: bool = True
    normalise: Normalisation = "corpus"
    clip: float | None = 5.0
    epochs: int = 100
    batch: int = 64
    lr: float = 1e-3
    balance: tuple[Balanced, ...] = ()
    name: str = "autoencoder"

    def __post_init__(self) -> None:
        """Check the options together, before anything is spent on them."""
        self.recipe("source")

    @property
    def method(self) -> str:
        """Its name, or ``plain`` without losses."""
        return self.name if self.losses or not self.reconstruct else "plain"

    def recipe(self, source: str, targets: Sequence[str] = (), **common: Any) -> Recipe:
        """Return the recipe that trains it on a source; see `System.recipe`."""
        learnt = {} if self.method == "plain" else {self.name: self._objective()}
        training = {"epochs": self.epochs, "batch": self.batch, "lr": self.lr, "balance": self.balance}
        values = {
            "features": {"extractor": _written(self.features), "normalise": self.normalise, "clip": self.clip},
            "model": {"kind": self.kind, "hidden": self.hidden, "latent": self.latent, "noise": self.noise},
            "methods": learnt,
        }
        made: Recipe = _recipe(Recipe, self.name, (source, targets), values=values, training=training, common=common)
        return made

    def _objective(self) -> dict[str, Any]:
        learnt = {"combine": self.combine, "reconstruct": self.reconstruct}
        return {"losses": _terms(self.losses, self.name)} | learnt


@dataclass(frozen=True)
class FineTuned(System):
    """A pretrained speech encoder, fine-tuned by losses on its pooled embedding (Wang et al. 2023, Lian et al. 2018).

    ::

        w2v = xl.FineTuned("facebook/wav2vec2-base", losses=[xl.losses.CrossEntropy(), xl.losses.SupCon(weight=0.5)])

    Args:
        weights: a hub name, a folder, or ``random:tiny`` for a tiny encoder with random weights.
        losses: what is learnt, one term at least.
        layer, pooling, freeze, dropout, longest, revision: see `xlser.training.encoder_recipe.EncoderChoice`.
        lora: a rank such as 8, or options of `xlser.training.encoder_recipe.LoraChoice`: adapters learn, and nothing
            else of the checkpoint. None for none.
        augment: see `xlser.training.encoder_recipe.Augmentation`.
        training: see `xlser.training.encoder_recipe.FineTuning`.
        name: what tables call it.

    Raises:
        RecipeError: options that are out of range or do not go together.
    """

    weights: str = "random:tiny"
    losses: Sequence[Any] = ()
    layer: int | Literal["weighted"] = -1
    pooling: str = "mean"
    freeze: str | int = "front"
    dropout: float | None = None
    longest: float = 12.0
    revision: str | None = None
    lora: int | Mapping[str, Any] | None = None
    augment: Mapping[str, Any] | None = None
    training: Mapping[str, Any] | None = None
    name: str = "fine-tuned"

    def __post_init__(self) -> None:
        """Check the options together, before anything is spent on them."""
        self.recipe("source")

    @property
    def method(self) -> str:
        """Its name."""
        return self.name

    def recipe(self, source: str, targets: Sequence[str] = (), **common: Any) -> EncoderRecipe:
        """Return the recipe that trains it on a source; see `System.recipe`."""
        names = ("weights", "layer", "pooling", "freeze", "dropout", "longest", "revision", "lora")
        values = {
            "encoder": {name: getattr(self, name) for name in names},
            "methods": {self.name: _terms(self.losses, self.name)},
            "augment": dict(self.augment or {}),
        }
        made: EncoderRecipe = _recipe(
            EncoderRecipe,
            self.name,
            (source, targets),
            values=values,
            training=dict(self.training or {}),
            common=common,
        )
        return made


@dataclass(frozen=True)
class NoNetwork(System):
    """Features as they are, z-scored: what every network has to beat.

    Args:
        features: an extractor such as ``xl.features.Egemaps()``, or its name.
        normalise, clip: as for `Autoencoder`.
        name: what tables call it.
    """

    features: Any = "egemaps"
    normalise: Normalisation = "corpus"
    clip: float | None = 5.0
    name: str = "no-network"

    def __post_init__(self) -> None:
        """Check the options together, before anything is spent on them."""
        self.recipe("source")

    @property
    def method(self) -> str:
        """The features, which every run has."""
        return FEATURES

    @property
    def trained(self) -> tuple[str, ...]:
        """Nothing is."""
        return ()

    def recipe(self, source: str, targets: Sequence[str] = (), **common: Any) -> Recipe:
        """Return the recipe that reads a source; see `System.recipe`."""
        features = {"extractor": _written(self.features), "normalise": self.normalise, "clip": self.clip}
        values = {"features": features, "model": "none"}
        made: Recipe = _recipe(Recipe, self.name, (source, targets), values=values, training={}, common=common)
        return made


def split_choice(split: Split, ids: Sequence[str]) -> dict[str, Any]:
    """Return a split of a dataset's rows as a recipe spells it.

    Args:
        split: row positions; its test part may be empty.
        ids: of the dataset's rows.
    """
    parts = {name: tuple(ids[row] for row in getattr(split, name)) for name in ("train", "validation", "test")}
    kind = "given-shared-speakers" if split.shared else "given"
    return {"kind": kind, "given": ({name: rows for name, rows in parts.items() if rows},)}


def _terms(losses: Sequence[Any], name: str) -> Terms:
    try:
        made: Terms = Terms.of(losses)
    except (TypeError, ValueError) as error:
        raise RecipeError(f"system {name}: {error}") from None
    return made


def _written(features: Any) -> Any:
    return written_as(features) if isinstance(features, Extractor) else features


def _recipe(
    kind: type[CommonRecipe],
    name: str,
    between: tuple[str, Sequence[str]],
    *,
    values: dict[str, Any],
    training: dict[str, Any],
    common: Mapping[str, Any],
) -> Any:
    (source, targets), common = between, dict(common)
    training = training | {"seeds": common.pop("seeds", 1), "first_seed": common.pop("first_seed", 0)}
    about = {"name": name, "source": source, "targets": tuple(targets), "training": training}
    return validate(kind, values | about | common, f"system {name}", RecipeError)

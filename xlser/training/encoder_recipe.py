"""The recipe of a fine-tuned speech encoder: which checkpoint, which losses, which batches."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from xlser.features.normalise import Normalisation
from xlser.filenames import FileName
from xlser.losses.term import Layer, Pooling
from xlser.schema import Grown, Strict
from xlser.training.common import Balance, CommonRecipe, Many
from xlser.training.loss_terms import Terms

Share = Annotated[float, Field(ge=0, le=1)]


class LoraChoice(Strict):
    """Low-rank adapters: ``rank``, how strongly they count (``alpha``; null: twice the rank), ``dropout`` before them.

    ``targets`` are linear layers of a transformer layer, such as ``[q_proj, k_proj, v_proj, out_proj]``; null for the
    query and value projections, whatever the family calls them. See `xlser.models.lora.add_adapters`.
    """

    rank: PositiveInt = 8
    alpha: PositiveFloat | None = None
    dropout: float = Field(0.05, ge=0, lt=1)
    targets: Annotated[tuple[str, ...], Many, Field(min_length=1)] | None = None


def _as_lora(value: object) -> object:
    """Return ``{rank: 8}`` for 8."""
    return {"rank": value} if isinstance(value, int) and not isinstance(value, bool) else value


class EncoderChoice(Grown):
    """The checkpoint, how much of it stays as it is, and how its frames become one embedding.

    ``weights`` is a hub name, a folder, ``random:tiny`` or ``random:base``. ``freeze`` is ``nothing``, ``front`` (the
    convolutions), ``all``, or n for the front and the first n layers. ``layer`` counts hidden states: 0 is the input of
    the first layer, -1 the last one; ``weighted`` learns a mixture of all. ``dropout`` null keeps the checkpoint's own.
    Clips longer than ``longest`` seconds are cut in training and read in windows afterwards.

    With ``lora`` (see `LoraChoice`; ``lora: 8`` gives the rank alone) nothing of the checkpoint learns but adapters,
    which are all that a run keeps of it: the checkpoint stays where it is. ``freeze`` then says where adapters are:
    ``front`` in every layer that comes before what is read, n in those above the first n. As in all that is frozen,
    the checkpoint's own dropout is off.
    """

    later: ClassVar[frozenset[str]] = frozenset({"lora"})

    weights: str = "random:tiny"
    revision: str | None = None
    freeze: Literal["nothing", "front", "all"] | PositiveInt = "front"
    layer: Layer = -1
    pooling: Pooling = "mean"
    dropout: float | None = Field(None, ge=0, lt=1)
    longest: float = Field(12.0, ge=1)
    lora: Annotated[LoraChoice | None, BeforeValidator(_as_lora)] = None

    @model_validator(mode="after")
    def _somewhere(self) -> EncoderChoice:
        if self.lora and self.freeze in ("nothing", "all"):
            raise ValueError(
                f"`lora` leaves the checkpoint as it is and puts adapters into it, but `freeze` is {self.freeze}; give "
                "`freeze: front` for adapters in every layer, n for those above the first n, or leave out `lora`"
            )
        return self


class Augmentation(Strict):
    """What is drawn anew for a clip in each epoch; everything off by default but SpecAugment.

    ``speed`` are factors, ``snr`` and ``gain`` ranges in dB. SpecAugment hides about a share ``time`` of the frames, in
    spans of ``time_length``, and a share ``feature`` of the columns, as wav2vec 2.0 is fine-tuned in transformers.
    """

    speed: tuple[PositiveFloat, ...] = ()
    snr: tuple[float, float] | None = None
    gain: tuple[float, float] | None = None
    time: Share = 0.08
    time_length: PositiveInt = 15
    feature: Share = 0.05
    feature_length: PositiveInt = 64

    @field_validator("snr", "gain")
    @classmethod
    def _ordered(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value and value[0] > value[1]:
            raise ValueError(f"must be [low, high] in dB, but is {list(value)} instead")
        return value

    @property
    def of_waves(self) -> bool:
        """Whether the samples themselves are changed."""
        return bool(self.speed) or self.snr is not None or self.gain is not None

    @property
    def of_frames(self) -> bool:
        """Whether SpecAugment is on."""
        return self.time > 0 or self.feature > 0


class FineTuning(Grown):
    """How it is trained.

    A batch holds at most ``seconds`` of audio, padding counted, with ``classes`` classes of ``clips`` clips at least;
    ``accumulate`` batches make one step. ``chunk_seconds`` embeds a batch in pieces of that size, by gradient caching:
    the same gradient in less memory. ``encoder_lr`` is for the checkpoint, ``lr`` for what is new: heads, pooling,
    projections, and adapters, which begin at zero and want a rate a hundred times that of the checkpoint. Training
    stops after ``patience`` epochs without a better UA on the source's validation speakers (null: never). ``seeds``
    trainings are numbered from ``first_seed`` on.

    With ``balance``, each corpus of a joined source, each scored emotion, or each pair of them that there is gives
    equally many clips to an epoch, which keeps its number of clips; see `xlser.data.balanced_clips.BalancedClips`.
    """

    later: ClassVar[frozenset[str]] = frozenset({"first_seed", "balance"})

    epochs: PositiveInt = 15
    seconds: float = Field(64.0, gt=0)
    classes: int = Field(2, ge=2)
    clips: int = Field(2, ge=2)
    chunk_seconds: PositiveFloat | None = None
    accumulate: PositiveInt = 1
    balance: Balance = ()
    encoder_lr: NonNegativeFloat = 1e-5
    lr: PositiveFloat = 1e-4
    weight_decay: NonNegativeFloat = 0.0
    warmup: float = Field(0.1, ge=0, lt=1)
    decay: Literal["linear", "cosine", "constant"] = "linear"
    clip: PositiveFloat | None = 1.0
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    patience: PositiveInt | None = 5
    seeds: PositiveInt = 5
    checkpoint_every: PositiveInt = 50
    first_seed: NonNegativeInt = 0


class EncoderRecipe(CommonRecipe):
    """A speech encoder, fine-tuned once by each of ``methods``; the first one is what the others are compared with."""

    encoder: EncoderChoice
    methods: dict[FileName, Annotated[Terms, BeforeValidator(lambda value: value or {})]] = Field(min_length=1)
    augment: Augmentation = Augmentation()
    training: FineTuning = FineTuning()

    @field_validator("methods")
    @classmethod
    def _names_free(cls, methods: dict[str, Terms]) -> dict[str, Terms]:
        if "features" in methods:
            raise ValueError("'features' is always part of a run and cannot be defined")
        for name, terms in methods.items():
            if not terms.given:
                known = ", ".join(Terms.model_fields)
                raise ValueError(f"{name!r} must have at least one term ({known}), but has none")
        return methods

    @property
    def normalise(self) -> Normalisation:
        """An encoder takes a target's clips as they are: nothing of the target is looked at."""
        return "source"

    def _problems(self) -> list[str]:
        problems = []
        shortest = self.training.classes * self.training.clips * 0.5
        if self.training.seconds < shortest:
            problems.append(
                f"training.seconds must hold {self.training.classes} classes of {self.training.clips} clips, "
                f"{shortest:g} s at least, but is {self.training.seconds:g} instead"
            )
        for name, terms in self.methods.items():
            for term, loss in terms.given.items():
                if loss.grouped == "corpus":
                    problems.append(f"methods.{name}.{term}: an encoder knows speakers and languages; use one of them")
        return problems

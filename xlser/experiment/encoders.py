"""Encoders of a run: fine-tuned for every method and seed, or read back; what they make of every corpus is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from xlser.bars import tqdm
from xlser.data.spans import Span
from xlser.evaluation.metrics import confusion, unweighted_accuracy
from xlser.evaluation.readout import Part
from xlser.experiment.cases import Case
from xlser.experiment.corpora import Corpus
from xlser.experiment.judge import Heads, HeadsJudge
from xlser.experiment.labelled import labelled
from xlser.experiment.seeds import Seed
from xlser.experiment.start import about_start, write_start
from xlser.experiment.stored import keep, stored
from xlser.experiment.workplace import Workplace
from xlser.models.checkpoints import load_encoder
from xlser.models.classifier import EmotionNetwork
from xlser.models.encoder import SpeechEncoder
from xlser.store.datastore import Datastore
from xlser.training.checkpoint import load_state, save_state, under
from xlser.training.embed import embed
from xlser.training.encoder_batches import make_batches
from xlser.training.encoder_plan import EncoderPlan, Labelled
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.encoder_step import Given, assemble
from xlser.training.inputs import ClipInputs, middle
from xlser.training.loss_terms import Terms
from xlser.training.ranks import Ranks, barrier
from xlser.vocabulary import DIMENSIONS, FEATURES

MODEL = "model.safetensors"
UNTRAINED = Terms()


@dataclass
class Embedded:
    """A network as the report needs it: embeddings of every corpus, and heads that judge them."""

    method: str
    seed: Seed
    vectors: dict[str, np.ndarray]
    heads: Heads | None = None
    best_epoch: int = 0
    curve: list[dict[str, float]] = field(default_factory=list)

    def embed(self, case: Case) -> np.ndarray:
        """Return the embeddings of a case, (N, D)."""
        return self.vectors[case.corpus.name]

    def judge(self, train: Part, validation: Part) -> HeadsJudge | None:
        """Return the heads, interpolated with neighbours among the training clips; None before training."""
        return HeadsJudge.fit(self.heads, train, validation) if self.heads else None


def train_encoders(
    recipe: EncoderRecipe,
    corpora: list[Corpus],
    seeds: list[Seed],
    out: Path,
    *,
    place: Workplace,
    ranks: Ranks,
    methods: Collection[str] | None = None,
) -> list[Embedded]:
    """Fine-tune every method, or those that are named, for every seed and embed every corpus.

    What ``out`` holds whole is read back.

    Only one network is in memory at a time. Under torchrun every process trains; only the first one, rank 0, embeds
    and gives results: the others get an empty list.

    Raises:
        RecipeError: batches that cannot serve a loss. RunError: see `fit_encoder` and `load_encoder`.
    """
    start = _Start(recipe, corpora, out, place, ranks)
    jobs = [
        _Job(start, seed, method, out / "models" / method / f"seed-{seed.number}")
        for method in recipe.methods
        if methods is None or method in methods
        for seed in seeds
    ]
    for job in jobs:
        job.check()
    total = len(jobs) * recipe.training.epochs
    form = "{l_bar}{bar}| {n:.1f}/{total} [{elapsed}<{remaining}]"
    with tqdm(
        total=total, desc="training", unit="epoch", disable=not place.progress, leave=False, bar_format=form
    ) as b:
        trained = [job.run(b.update) for job in jobs]
    if ranks.rank:
        return []
    vectors, mark = start.untrained(), untrained_fingerprint(start.about, recipe)
    for seed in seeds:
        start.keep(vectors, seed, out / "models" / FEATURES / f"seed-{seed.number}", mark)
    return [*(Embedded(FEATURES, seed, vectors) for seed in seeds), *trained]


@dataclass
class _Start:
    """What all jobs share: the checkpoint that they start from, and the corpora."""

    recipe: EncoderRecipe
    corpora: list[Corpus]
    out: Path
    place: Workplace
    ranks: Ranks

    @cached_property
    def about(self) -> dict:
        """Name, revision and hash of the checkpoint; the run folder gets what it needs of it."""
        encoder, choice = self.encoder(), self.recipe.encoder
        if self.ranks.rank == 0:
            write_start(encoder, choice, self.out)
        return about_start(encoder, choice)

    @cached_property
    def labelled(self) -> Labelled:
        """The source's clips with what they teach."""
        return labelled(self.corpora[0], self.recipe)

    def spans(self, rows: np.ndarray) -> list[Span]:
        """Return the part of each clip that is trained on."""
        clips = self.corpora[0].data
        return [
            middle(int(row), int(clips.samples[row]), int(self.recipe.encoder.longest * clips.rate)) for row in rows
        ]

    def encoder(self) -> SpeechEncoder:
        choice = self.recipe.encoder
        return load_encoder(choice.weights, revision=choice.revision, dropout=choice.dropout)

    def network(self, terms: Terms, seed: int) -> EmotionNetwork:
        return assemble(self.encoder(), self.recipe.encoder, terms, len(self.recipe.emotions), seed)

    def untrained(self) -> dict[str, np.ndarray]:
        """Return the embeddings of the checkpoint as it was loaded."""
        folder = self.out / "models" / FEATURES
        return self.embedded(folder, untrained_fingerprint(self.about, self.recipe), lambda: self.network(UNTRAINED, 0))

    def keep(self, vectors: dict[str, np.ndarray], seed: Seed, folder: Path, fingerprint: str) -> None:
        """Store what a prediction compares with: the training clips with a scored emotion, or all if none has one."""
        source, rows = self.corpora[0], seed.split.train
        known = rows[np.isin(source.labels[rows].astype(str), self.recipe.emotions)]
        keep(vectors[source.name], source, known if len(known) else rows, fingerprint, folder, recipe=self.recipe)

    def embedded(self, folder: Path, fingerprint: str, network: Callable[[], EmotionNetwork]) -> dict[str, np.ndarray]:
        """Return the embeddings of every corpus by name; those that ``folder`` holds are read back."""
        made: list[EmotionNetwork] = []
        vectors = {}
        for corpus in self.corpora:
            path = folder / "embedded" / f"{corpus.name}.safetensors"
            # By the recordings too: a target that was corrected has other embeddings under the same ids.
            mark = _digest([fingerprint, corpus.data.contents])
            found = _read(path, corpus, mark)
            if found is None:
                made = made or [network().to(self.ranks.device)]
                found = self._embed(made[0], corpus)
                stored(found, corpus, np.arange(len(found)), mark).save(path)
            vectors[corpus.name] = found
        return vectors

    def _embed(self, network: EmotionNetwork, corpus: Corpus) -> np.ndarray:
        choice = self.recipe.training
        inputs = ClipInputs(network, corpus.data, self.place.cache, precision=choice.precision)
        rows = np.arange(len(corpus.frame))
        quiet = not self.place.progress
        with tqdm(total=len(rows), desc=f"embedding {corpus.name}", unit="clip", disable=quiet, leave=False) as bar:
            longest = self.recipe.encoder.longest
            return embed(network, inputs, rows, longest=longest, seconds=choice.seconds, advance=bar.update)


@dataclass(frozen=True)
class _Job:
    """One model of a run: trained, or read back from ``folder`` where it stands whole."""

    start: _Start
    seed: Seed
    method: str
    folder: Path

    @property
    def recipe(self) -> EncoderRecipe:
        return self.start.recipe

    @property
    def source(self) -> Corpus:
        return self.start.corpora[0]

    @property
    def terms(self) -> Terms:
        return self.recipe.methods[self.method]

    def run(self, advance: Callable[[float], object]) -> Embedded | None:
        done = 0.0

        def on_step(share: float) -> None:
            nonlocal done
            done += share
            advance(share)

        if not (self.folder / MODEL).exists():
            self._train(on_step)
        advance(self.recipe.training.epochs - done)  # read back, stopped early, or gone on after a kill
        barrier()
        return self._embedded() if self.start.ranks.rank == 0 else None

    def _embedded(self) -> Embedded:
        tensors, about = load_state(self.folder / MODEL, self.fingerprint)
        weights = under("network", tensors)

        def network() -> EmotionNetwork:
            made = self.start.network(self.terms, self.seed.number)
            made.load_state_dict({**made.state_dict(), **weights})
            return made

        vectors = self.start.embedded(self.folder, self.fingerprint, network)
        self.start.keep(vectors, self.seed, self.folder, self.fingerprint)
        heads = Heads.of(weights, self.recipe.emotions, self.terms, self.recipe.training.balance)
        return Embedded(self.method, self.seed, vectors, heads, about["best_epoch"], about["curve"])

    def check(self) -> None:
        """Refuse batches that cannot serve the losses, before anything is trained."""
        train, clips = self._rows(), self.source.data
        make_batches(self._plan(), self.start.labelled, train, self.start.spans(train), clips.rate)

    def _rows(self) -> np.ndarray:
        """Return the training rows that teach something: a scored emotion, votes or a rating that are learnt."""
        data, train = self.start.labelled, self.seed.split.train
        ratings = data.ratings[train][:, [DIMENSIONS.index(name) for name in self.terms.rated]]
        taught = (data.emotion[train] >= 0) | np.isfinite(ratings).any(axis=1)
        labels = data.targets(train, "cpu").labels(Given())
        for term in self.terms.given.values():
            if term.on_classes:
                taught = taught | term.taught(labels).numpy()
        return train[taught]

    def _train(self, on_step: Callable[[float], object]) -> None:
        from torch.utils.tensorboard import SummaryWriter

        lead = self.start.ranks.rank == 0
        writer = SummaryWriter(self.folder / "tensorboard") if lead else None

        def on_epoch(epoch: int, scalars: dict[str, float]) -> None:
            for name, value in scalars.items() if writer else ():
                writer.add_scalar(name, value, epoch)

        plan = replace(self._plan(), on_step=on_step, on_epoch=on_epoch)
        network = self.start.network(self.terms, self.seed.number)
        split = self.seed.split
        from xlser.training.encoder_fit import fit_encoder  # SpeechBrain, which reading a model needs not

        fitted = fit_encoder(plan, network, self.start.labelled, self._rows(), split.validation)
        if writer:
            writer.close()
            self._save(fitted)

    def _plan(self) -> EncoderPlan:
        return EncoderPlan(
            recipe=self.recipe,
            terms=self.terms,
            seed=self.seed.number,
            folder=self.folder,
            store=self.start.place.cache,
            fingerprint=self.fingerprint,
            score=_ua,
            ranks=self.start.ranks,
        )

    def _save(self, fitted) -> None:
        trained = {name for name, parameter in fitted.network.named_parameters() if parameter.requires_grad}
        tensors = {f"network.{k}": v for k, v in fitted.network.state_dict().items() if k in trained}
        about: dict[str, Any] = {
            "fingerprint": self.fingerprint,
            "method": self.method,
            "recipe": self.recipe.name,
        }
        about |= {"best_epoch": fitted.best_epoch, "curve": fitted.curve}
        if self.recipe.encoder.lora:
            about["checkpoint"] = self.start.about
        save_state(self.folder / MODEL, tensors, about)

    @cached_property
    def fingerprint(self) -> str:
        """Name everything that can change a trained weight: a model under another name is not this one."""
        choices = self.recipe.model_dump(mode="json", include={"encoder", "training", "augment", "emotions", "merge"})
        for name in ("checkpoint_every", "seeds", "first_seed"):
            choices["training"].pop(name, None)
        choices["terms"] = self.terms.model_dump(mode="json")
        about = [choices, self.start.about, self.seed.number, self.seed.split.hash, self.source.data.contents]
        ratings = [self.source.ratings[name].tobytes() for name in DIMENSIONS]
        more = [self.start.labelled.shares] if any(term.soft for term in self.terms.given.values()) else []
        if self.recipe.training.balance:
            more.append(self.start.labelled.corpus)
        return _digest(
            [*about, list(map(str, self.source.labels))],
            *ratings,
            *(column.tobytes() for column in more if column is not None),
        )


def untrained_fingerprint(about: dict, recipe: EncoderRecipe) -> str:
    """Name everything that can change an embedding of the checkpoint before training; ``about`` is what it is."""
    return _digest([about, recipe.encoder.model_dump(mode="json")])


def _read(path: Path, corpus: Corpus, mark: str) -> np.ndarray | None:
    if not path.exists():
        return None
    found = Datastore.load(path)
    same = found.encoder == mark and found.ids == [str(name) for name in corpus.frame["id"]]
    return np.array(found.embeddings) if same else None


def _ua(truth: np.ndarray, predicted: np.ndarray) -> float:
    classes = np.unique(np.concatenate([truth, predicted])).tolist()
    return float(unweighted_accuracy(confusion(truth, predicted, classes)))


def _digest(value: object, *more: bytes) -> str:
    digest = hashlib.sha256(json.dumps(value, sort_keys=True).encode())
    for part in more:
        digest.update(part)
    return digest.hexdigest()[:16]

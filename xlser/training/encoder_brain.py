"""Fine-tuning a speech encoder on clips."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from xlser.data.balanced_clips import BalancedClips
from xlser.data.clip_batches import ClipBatches
from xlser.data.spans import Span
from xlser.errors import RunError
from xlser.models.classifier import EMBEDDING, EmotionNetwork
from xlser.training import gradcache
from xlser.training.brain import ResumableBrain, Stage
from xlser.training.embed import embed, out_of_memory
from xlser.training.encoder_plan import EncoderPlan, Labelled
from xlser.training.encoder_step import Given, balance_of, weighted_sum
from xlser.training.inputs import ClipInputs, Draw
from xlser.training.ranks import average_gradients, gather_integers, gather_rows
from xlser.training.schedule import EarlyStopping, rate

# SpeechBrain's names for what `training.precision` says.
_PRECISIONS = {"float32": "fp32", "bfloat16": "bf16", "float16": "fp16"}


class EncoderBrain(ResumableBrain):
    """One step: embed a batch (in chunks, if asked), take the weighted losses of all ranks' rows, step.

    What is random in a step is seeded by the run's seed, the epoch and the step; a clip's augmentation by the epoch and
    the clip.
    """

    def __init__(
        self,
        plan: EncoderPlan,
        network: EmotionNetwork,
        data: Labelled,
        train: np.ndarray,
        batches: ClipBatches | BalancedClips,
    ) -> None:
        self.plan, self.data, self.batches = plan, data, batches
        self.choice = choice = plan.recipe.training
        self.count, self.losses, self.rows = len(batches), [], []
        self.stopping = EarlyStopping(choice.patience or choice.epochs)
        network.to(plan.ranks.device)
        clips, store = data.clips, plan.store
        self.inputs = ClipInputs(network, clips, store, precision=choice.precision, augment=plan.recipe.augment)
        self.plain = ClipInputs(network, clips, store, precision=choice.precision)
        super().__init__(
            plan.folder,
            plan.fingerprint,
            modules={"network": network},
            opt_class=self._optimizer,
            run_opts={
                "device": plan.ranks.device,
                "precision": _PRECISIONS[choice.precision],
                "nonfinite_patience": 0,
                "noprogressbar": True,
            },
        )
        # It is saved with the rest, not by SpeechBrain's pickle.
        self.checkpointer.recoverables.pop("scaler", None)
        self.network: EmotionNetwork = self.modules["network"]
        taught = data.targets(train, self.device)
        self.balance = balance_of(taught.emotion, plan.terms, network.classes.out_features, taught.shares)

    def _optimizer(self, parameters: Any) -> torch.optim.Optimizer:
        """AdamW with a rate for what came with the checkpoint and one for what is new; frozen weights are left out."""
        adapted = self.plan.recipe.encoder.lora is not None  # nothing else of the encoder learns then
        old = set() if adapted else {id(parameter) for parameter in self.modules["network"].encoder.parameters()}
        trained = [parameter for parameter in parameters if parameter.requires_grad]
        groups = [
            {"params": [p for p in trained if id(p) in old], "lr": self.choice.encoder_lr},
            {"params": [p for p in trained if id(p) not in old], "lr": self.choice.lr},
        ]
        for group in groups:
            group["highest"] = group["lr"]
        kept = [group for group in groups if group["params"]]
        return torch.optim.AdamW(kept, weight_decay=self.choice.weight_decay, fused=True)

    def weights(self) -> dict[str, Tensor]:
        """Return the tensors that training changes: a frozen part stays as it was loaded."""
        trained = {name for name, parameter in self.modules.named_parameters() if parameter.requires_grad}
        return {name: tensor for name, tensor in self.modules.state_dict().items() if name in trained}

    def remaining(self) -> Iterator[int]:
        """Yield the epochs that are still to do; read after a checkpoint was recovered."""
        while self.epoch < self.choice.epochs and not self.stopping.over:
            yield self.epoch + 1

    def on_stage_start(self, stage: Stage, epoch: int | None = None) -> None:
        """Begin the epoch's batches, behind those that were done before a kill."""
        if epoch is not None:
            self.batches.set_epoch(epoch)
        if self.step:
            self.batches.resume(self.step)
        self.count = len(self.batches)

    def fit_batch(self, batch: Sequence[Span]) -> Tensor:
        """Add the gradient of one batch, and step where its group of ``accumulate`` batches is whole."""
        parts = self._backward(batch)
        self.losses.append(float(parts["loss"]))
        group = self.choice.accumulate
        if self.step % group == 0 or self.step == self.count:
            self.optimizers_step()
            if self._checkpoint_due():
                self.checkpoint()
        self.plan.on_step(1 / self.count)
        return parts["loss"].cpu()

    def _checkpoint_due(self) -> bool:
        # The epoch's last one is saved after validation.
        return self.step % self.choice.checkpoint_every < self.choice.accumulate <= self.step < self.count

    def optimizers_step(self) -> None:
        """Average the gradients over ranks, clip those of all groups together, and step at the rates of this moment."""
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        average_gradients(parameters)
        self.scaler.unscale_(self.optimizer)
        if self.choice.clip:
            torch.nn.utils.clip_grad_norm_(parameters, self.choice.clip)
        progress = (self.epoch + (self.step - 1) / self.count) / self.choice.epochs
        for group in self.optimizer.param_groups:
            group["lr"] = group["highest"] * rate(progress, warmup=self.choice.warmup, decay=self.choice.decay)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        self.optimizer_step += 1

    def _backward(self, batch: Sequence[Span]) -> dict[str, Tensor]:
        draw = Draw(self.plan.recipe.augment, self.plan.seed, self.epoch + 1)
        chunks = self._chunks(batch)
        group = self.choice.accumulate
        whole = self.count - self.count % group
        share = group if self.step <= whole else self.count % group
        self.rows = [span.row for span in batch]
        try:
            with self.training_ctx:
                return gradcache.backward(
                    lambda chunk, number: self._embed(chunk, draw),
                    chunks,
                    self._loss,
                    seed=self._seed(self.plan.ranks.rank),
                    scale=lambda loss: self.scaler.scale(loss / share),
                )
        except RuntimeError as error:
            if out_of_memory(error):
                raise RunError(self._memory(chunks)) from error
            raise

    def _embed(self, chunk: Sequence[Span], draw: Draw) -> dict[str, Tensor]:
        taken = self.inputs.take(chunk, draw)
        return self.network.embed(taken._replace(clips=[clip.to(self.device) for clip in taken.clips]))

    def _loss(self, embedded: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the losses on the rows of all ranks: every rank computes the same."""
        for name, vectors in embedded.items():
            self._finite(name, vectors)
        rows = gather_integers(torch.tensor(self.rows, device=self.device))
        # In one order however many processes there are: the same pairs are drawn.
        order = rows.argsort()
        whole = {name: gather_rows(vectors)[order] for name, vectors in embedded.items()}
        mixing = torch.Generator().manual_seed(self._seed(0, "mixup"))
        parts = self._weighted(whole, rows[order].cpu().numpy(), mixing)
        if not torch.isfinite(parts["loss"]):
            told = ", ".join(f"{name} {value.item():g}" for name, value in parts.items())
            raise RunError(f"{self._place()}: the loss is not finite ({told}); the batch: {self._names(self.rows)}.")
        return parts

    def _weighted(
        self, embedded: dict[str, Tensor], rows: np.ndarray, mixing: torch.Generator | None = None
    ) -> dict[str, Tensor]:
        given = Given(self.balance, torch.Generator().manual_seed(self._seed(0)), mixing)
        try:
            return weighted_sum(self.network, embedded, self.data.targets(rows, self.device), self.plan.terms, given)
        except ValueError as error:
            raise RunError(f"{self._place()}: {error} The clips: {self._names(rows)}.") from error

    def _finite(self, name: str, vectors: Tensor) -> None:
        bad = ~torch.isfinite(vectors.detach()).all(dim=1).cpu().numpy()
        if bad.any():
            rows = [row for row, flag in zip(self.rows, bad, strict=True) if flag]
            raise RunError(
                f"{self._place()}: the {name} of {self._names(rows)} is not finite. "
                f"Lower training.{'lr' if self.plan.recipe.encoder.lora else 'encoder_lr'}, or use training.precision "
                "float32."
            )

    def on_stage_end(self, stage: Stage, stage_loss: float, epoch: int | None = None) -> None:
        """After validation: keep the best weights, note the curve, save a checkpoint."""
        if stage == Stage.TRAIN:
            return
        self.epoch = epoch
        scalars = {"train/loss": float(np.mean(self.losses)), **self._validation}
        self.losses = []
        self.curve.append({"epoch": epoch, **scalars})
        if self.stopping.update(self._validation["valid/score"], -self._validation["valid/loss"]):
            self.keep_best()
        self.checkpoint()
        self.plan.on_epoch(epoch, scalars)

    def evaluate_batch(self, batch: np.ndarray, stage: Stage) -> Tensor:
        """Judge all validation clips: UA and cross-entropy of the classifier, or the losses where there is none."""
        if not self.plan.terms.classifies:
            loss = self._weighted({name: self._embedded(batch, name) for name in self.network.pools}, batch)["loss"]
            self._validation = {"valid/score": -float(loss), "valid/loss": float(loss)}
            return loss.cpu()
        targets = self.data.targets(batch, self.device)
        known = targets.emotion >= 0
        logits = self.network.classes(self._embedded(batch, EMBEDDING)[known]).float()
        loss = torch.nn.functional.cross_entropy(logits, targets.emotion[known])
        truth, predicted = targets.emotion[known].cpu().numpy(), logits.argmax(dim=1).cpu().numpy()
        self._validation = {"valid/score": self.plan.score(truth, predicted), "valid/loss": float(loss)}
        return loss.cpu()

    def _embedded(self, rows: np.ndarray, pool: str) -> Tensor:
        longest, seconds = self.plan.recipe.encoder.longest, self.choice.seconds
        vectors = embed(self.network, self.plain, rows, longest=longest, seconds=seconds, pool=pool)
        return torch.from_numpy(vectors).to(self.device)

    def about(self) -> dict[str, Any]:
        """Return where in the epoch it stands, the losses so far, and what early stopping knows."""
        scale = self.scaler.state_dict() if self.scaler.is_enabled() else {}
        return {"step": self.step, "losses": self.losses, "stopping": self.stopping.state(), "scaler": scale}

    def restore(self, about: dict[str, Any]) -> None:
        """Put it back."""
        self.step, self.losses = about["step"], about["losses"]
        self.stopping = EarlyStopping(**about["stopping"])
        if about["scaler"]:
            self.scaler.load_state_dict(about["scaler"])

    def _chunks(self, batch: Sequence[Span]) -> list[list[Span]]:
        """Cut a batch into runs of clips whose padded seconds are at most ``chunk_seconds``, a clip at least."""
        limit = (self.choice.chunk_seconds or float("inf")) * self.network.encoder.rate
        chunks: list[list[Span]] = [[]]
        for span in batch:
            longest = max(other.stop - other.start for other in [*chunks[-1], span])
            if chunks[-1] and longest * (len(chunks[-1]) + 1) > limit:
                chunks.append([])
            chunks[-1].append(span)
        return chunks

    def _seed(self, rank: int, use: str = "") -> int:
        entropy = [self.plan.seed, self.epoch, self.step, rank, *use.encode()]
        return int(np.random.SeedSequence(entropy).generate_state(1)[0])

    def _place(self) -> str:
        return f"training stopped in epoch {self.epoch + 1}, step {self.step}"

    def _names(self, rows: Sequence[int]) -> str:
        names = [str(name) for name in self.data.clips.manifest.frame["id"].iloc[list(rows)[:5]]]
        return ", ".join(names) + (f" and {len(rows) - 5} more" if len(rows) > 5 else "")

    def _memory(self, chunks: list[list[Span]]) -> str:
        chosen = self.choice
        bound = f"training.seconds (now {chosen.seconds:g}), or set training.chunk_seconds: it embeds a batch in pieces"
        if chosen.chunk_seconds:
            bound = f"training.chunk_seconds (now {chosen.chunk_seconds:g})"
        return f"{self._place()}: out of memory with {max(map(len, chunks))} clips at once. Lower {bound}."

"""Batches of clips bounded by seconds of audio, every one with the classes and clips that a contrastive loss needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from xlser.data.clip_buckets import deal
from xlser.data.clip_rules import Clips

_TRIES = 20  # deals of an epoch
_TRIALS = 3  # deals in a row that must succeed before a number of batches is chosen


class ClipBatches:
    """Row positions in batches bounded by seconds of audio, other in every epoch, the same for the same seed and epoch.

    Every clip comes once an epoch. Every batch, all ranks together, holds at least ``classes`` different classes with
    at least ``clips`` clips each, and its clips times its longest one are at most ``budget`` seconds. Clips of near
    length share a batch (see `xlser.data.clip_buckets`), the order of the batches is random, and there are equally many
    in every epoch. A batch is split over the ranks by dealing its clips from long to short, to and fro.

    With ``mixed``, the clips of each of these classes are of two different codes at least, so that every batch holds a
    pair of one class between speakers, or between languages. Where codes differ in length, this takes some padding.

    Where lengths or classes leave so little room that 20 deals of an epoch fail, the one found at set-up comes again in
    another order. Some 100 clips, or a budget that a few clips fill, leave less to vary than large data.

    Args:
        seconds: (N,) duration of each clip as it is trained on.
        labels: (N,) integer class codes from 0 on; -1 for clips without a class.
        budget: the most seconds in a batch, padding counted.
        classes: P, the classes that every batch has.
        clips: K, the clips of each of them.
        spread: (N, S) integer codes from 0 on, the finest first (speaker, then language): the clips of a class that
            stand together differ in them as far as near lengths allow.
        seed: of the whole run.
        rank: of this process, from 0.
        world: the number of processes; each gets at least one clip of every batch.
        mixed: (N,) integer codes from 0 on, of which the clips of each of the P classes have two or more; takes K >= 2.
        mixed_name: what one of these codes is called in an error.

    Raises:
        ValueError: a shape, code, duration or number that cannot be.
        RecipeError: at set-up, where no such batches can be made; the text names the clip or the classes.

    >>> batches = ClipBatches(np.array([1.0, 1.1, 4.0, 1.2, 3.9, 4.1, 1.0, 3.8]), np.array([0, 1] * 4), budget=17)
    >>> sorted(sorted(rows.tolist()) for rows in batches)
    [[0, 1, 3, 6], [2, 4, 5, 7]]
    >>> speakers = np.array([0, 0, 1, 0, 0, 1, 1, 1])
    >>> batches = ClipBatches(np.ones(8), np.array([0, 1] * 4), budget=4, mixed=speakers, mixed_name="speaker")
    >>> [sorted(speakers[rows].tolist()) for rows in batches]
    [[0, 0, 1, 1], [0, 0, 1, 1]]
    """

    def __init__(
        self,
        seconds: np.ndarray,
        labels: np.ndarray,
        *,
        budget: float,
        classes: int = 2,
        clips: int = 2,
        spread: np.ndarray | None = None,
        seed: int = 0,
        rank: int = 0,
        world: int = 1,
        mixed: np.ndarray | None = None,
        mixed_name: str = "group",
    ) -> None:
        if not 0 <= rank < world:
            raise ValueError(f"`rank` must be from 0 to `world` - 1 ({world - 1}), but is {rank} instead.")
        self.seed, self.rank, self.world, self.epoch, self._first = seed, rank, world, 1, 0
        rules = {"budget": budget, "sets": classes, "quota": clips, "world": world}
        self._clips = Clips.of(seconds, labels, spread, **rules, mixed=mixed, mixed_name=mixed_name)
        self._fallback = _first_deal(self._clips)

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose batches come next; another one than before begins with its first batch."""
        if epoch != self.epoch:
            self.epoch, self._first = epoch, 0

    def resume(self, step: int) -> None:
        """Let the next iteration of this epoch begin with batch ``step``, counted from 0; later ones begin with 0.

        Raises:
            ValueError: the epoch has fewer batches.
        """
        if not 0 <= step <= len(self):
            raise ValueError(f"`step` must be from 0 to the number of batches ({len(self)}), but is {step} instead.")
        self._first = step

    def __len__(self) -> int:
        return len(self._fallback)

    def __iter__(self) -> Iterator[np.ndarray]:
        first, self._first = self._first, 0
        return iter([self._shares(rows)[self.rank] for rows in self._batches()[first:]])

    def whole(self) -> list[np.ndarray]:
        """Return the batches of this epoch, from its first, with the rows of all ranks one after the other."""
        return [np.concatenate(self._shares(rows)) for rows in self._batches()]

    def _batches(self) -> list[np.ndarray]:
        rng = np.random.default_rng([self.seed, self.epoch])
        deals = (deal(self._clips, len(self), rng) for _ in range(_TRIES))
        batches = next((found for found in deals if found), self._fallback)
        return [batches[place] for place in rng.permutation(len(batches))]

    def _shares(self, rows: np.ndarray) -> list[np.ndarray]:
        """Return the rows of each rank, from long to short."""
        rows = rows[np.argsort(-self._clips.seconds[rows], kind="stable")]
        turn = np.arange(len(rows)) % (2 * self.world)
        ranks = np.minimum(turn, 2 * self.world - 1 - turn)
        return [rows[ranks == rank] for rank in range(self.world)]


def padding_share(seconds: np.ndarray, batches: Iterable[np.ndarray]) -> float:
    """Return the share of padding in batches padded to their longest clip, in [0, 1); nan where there is no batch.

    >>> padding_share(np.array([1.0, 3.0, 2.0]), [np.array([0, 1]), np.array([2])])
    0.25
    """
    held = [seconds[rows] for rows in batches]
    padded = sum(len(row) * row.max() for row in held)
    return float(1 - sum(row.sum() for row in held) / padded) if held else float("nan")


def _first_deal(clips: Clips) -> list[np.ndarray]:
    """Return a deal in the least number of batches in which several deals in a row succeed, the same for every seed."""
    rng = np.random.default_rng(0)
    batches = clips.fewest_batches
    while batches <= clips.most_batches:
        deals = [found for _ in range(_TRIALS) if (found := deal(clips, batches, rng))]
        if len(deals) == _TRIALS:
            return deals[0]
        batches += 1 + batches // 50
    raise clips.no_deal()

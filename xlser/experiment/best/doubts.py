"""What makes a target one that adaptations may do harm to, in sentences."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from xlser.experiment.best.fits import Fits, Task
from xlser.experiment.best.space import Candidate

# Fewer recordings than these are few to take statistics of; a class that has this share before the prior is most of it.
FEW, MOST = 20, 0.6


def doubts(task: Task, chosen: Candidate, looks_at: tuple[str, ...], fits: Fits) -> list[str]:
    """Return what a user should doubt of a choice that looks at the target; nothing of one that does not.

    Args:
        task: the real one.
        chosen: what was taken.
        looks_at: what of the target it looks at.
        fits: of the search.
    """
    name, count, found = task.away.name, len(task.away.values), []
    if not looks_at:
        return []
    if count < FEW:
        found.append(
            f"WARNING: {name} has {count} recordings: their statistics say more of these than of where they come from. "
            "Give more of the same kind, or look at none of them: --zero-shot."
        )
    if "prior" in looks_at:
        found.append(_of_prior(task, chosen, fits))
    return found


def _of_prior(task: Task, chosen: Candidate, fits: Fits) -> str:
    """Return what is assumed, and whether the answers without it speak against it."""
    settings = tuple(replace(setting, adapt="") for setting in chosen.settings)
    shares = fits.probabilities(task, replace(chosen, settings=settings, adapt=""))
    (place, times), *_ = Counter(shares.argmax(axis=1).tolist()).most_common(1)
    emotion, share = task.classes[place], times / len(shares)
    said = f"every emotion is assumed to be as frequent in {task.away.name} as any other"
    if share < MOST:
        return f"The prior: {said}. Where one is rare there, others are called by its name."
    return (
        f"WARNING: {said}, but without that assumption {100 * share:.0f} % of its recordings are called {emotion}. If "
        "it holds little else, the other emotions are invented: give recordings of several emotions, or look at none "
        "of them: --zero-shot."
    )

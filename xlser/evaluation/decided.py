"""Speaker statistics where they help: a rule that looks at no label, and statistics that know the classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xlser.errors import RecipeError
from xlser.evaluation.adapting import Adaptation, Away, Fitted, Home, check_labels
from xlser.evaluation.concentration import concentration
from xlser.evaluation.linear import fit_linear
from xlser.evaluation.priors import stated_prior
from xlser.evaluation.shrunk import FittedStatistics, SpeakerStatistics, check_clip, fit_statistics, known_names
from xlser.features.normalise import SPEAKER_MINIMUM, Scaler

# Answers by corpus statistics depend on the voice, too; those by speaker statistics should not depend on the speaker.
MOST_BEFORE, MOST_AFTER = 0.2, 0.05


@dataclass(frozen=True)
class SpeakerOrCorpus(SpeakerStatistics):
    """Speaker statistics (see `SpeakerStatistics`), or the whole target's where speakers seem to keep to few emotions.

    Speaker statistics take out what a speaker says throughout: his voice, but also his emotion where he has one or
    two. Whether that is so can be seen without labels. A plain readout of the source answers by corpus statistics, and
    by speaker statistics; of both answers, `concentration` says how much more than chance the speaker tells them. By
    corpus statistics a voice sways them too (up to 0.15 in corpora where all speakers say all); beyond ``before`` it
    is the emotions. By speaker statistics nothing of a voice is left, so that more than ``after`` is of the emotions.
    In either case, with fewer than five clips a speaker in the mean, with fewer than two speakers, and where none is
    named, the statistics are the corpus's.

    Args:
        shrink: see `SpeakerStatistics`.
        clip: likewise.
        sources: likewise.
        residuals: speaker statistics, where they help, are those that know the classes (see `SpeakerResiduals`).
        before: the largest concentration by corpus statistics; of guessed speakers, half of it.
        after: the largest by speaker statistics.
    """

    name: ClassVar[str] = "speaker-or-corpus"
    assumes: ClassVar[str] = "Answers of the source's readout show whether each speaker says something of all classes."
    residuals: bool = False
    before: float = MOST_BEFORE
    after: float = MOST_AFTER

    @property
    def needs_speakers(self) -> bool:
        """It takes the corpus's statistics where none is named."""
        return False

    def _fit(self, home: Home, away: Away) -> Fitted:
        by_speaker, reason = self._decide(home, away)
        if by_speaker and self.residuals:
            left = SpeakerResiduals(clip=self.clip)._fit(home, away)
            left.notes = (f"speaker statistics that know the classes: {reason}", *left.notes)
            return left
        who = away.speakers if by_speaker else None
        fitted = fit_statistics(home, Away(away.embeddings, who), self.shrink, clip=self.clip, sources=self.sources)
        fitted.notes = (f"{'speaker' if by_speaker else 'corpus'} statistics: {reason}",)
        return fitted

    def _decide(self, home: Home, away: Away) -> tuple[bool, str]:
        check_labels(self.name, home)
        names = known_names(away.speakers, len(away.embeddings))
        known = names != ""
        speakers = len(set(names[known]))
        if speakers < 2:
            return False, f"{speakers or 'no'} speaker{' is' if speakers else 's are'} known"
        clips = known.sum() / speakers
        if clips < SPEAKER_MINIMUM:
            return False, f"{speakers} speakers have {clips:.1f} clips in the mean, and {SPEAKER_MINIMUM} are needed"
        found = []
        for who, voices in ((None, None), (away.speakers, home.speakers)):
            source = Home(home.embeddings, home.labels, home.classes, home.corpora, voices)
            fitted = fit_statistics(source, Away(away.embeddings, who), self.shrink, clip=None, sources=True)
            mapped = fitted.home(source.embeddings, source.corpora, voices)
            readout = fit_linear(Home(mapped, home.labels, home.classes, home.corpora))
            answers = readout.probabilities(fitted.embeddings(away.embeddings, who)).argmax(axis=1)
            found.append(concentration(names[known], answers[known]))
        before = self.before / 2 if away.guessed else self.before
        helps = found[0] <= before and found[1] <= self.after
        return helps, (
            f"of {speakers} speakers with {clips:.0f} clips in the mean, the speaker tells {max(found[0], 0):.2f} of "
            f"the answer by corpus statistics (at most {before:g} allowed) and {max(found[1], 0):.2f} by speaker "
            f"statistics (at most {self.after:g}): they seem to "
            f"{'say something of all emotions' if helps else 'keep to some emotions'}"
        )


@dataclass(frozen=True)
class SpeakerResiduals(Adaptation):
    """Speaker statistics that know the classes: of what is left of each clip once its class's mean is taken out.

    A plain readout answers each clip, by the corpus's statistics first and as though classes were equally frequent.
    With class means m_c of the whole target by these answers, a speaker's shift is the mean of x_i less the mean of the
    class of i, drawn to 0 by ``shrink``, and his scale is that of what is left; then the readout may be asked again. A
    speaker with one emotion keeps it as far as the readout sees it. (A mixed-effects model, speakers being random.)

    Args:
        shrink: k, at least 0; in clips.
        iterations: at least 1.
        clip: see `SpeakerStatistics`.

    Raises:
        RecipeError: an option out of range.
    """

    name: ClassVar[str] = "speaker-residuals"
    looks_at: ClassVar[tuple[str, ...]] = ("recordings", "speakers")
    assumes: ClassVar[str] = "The source's readout is right more often than not, and voices shift all classes alike."
    shrink: float = 10.0
    iterations: int = 1
    clip: float | None = None

    def __post_init__(self) -> None:
        """Check the options."""
        if not 0 <= self.shrink < np.inf:
            raise RecipeError(f"{self.name}: shrink must be at least 0 and finite, but is {self.shrink} instead")
        if self.iterations < 1 or self.iterations != int(self.iterations):
            raise RecipeError(
                f"{self.name}: iterations must be a whole number of at least 1, but is {self.iterations} instead"
            )
        check_clip(self)

    def _fit(self, home: Home, away: Away) -> Fitted:
        check_labels(self.name, home)
        to = Scaler.fit(home.embeddings)
        # Each source corpus by its own statistics, as the target is.
        alike = fit_statistics(Home(home.embeddings, corpora=home.corpora), away, 0, clip=None, sources=True)
        source = alike.home(home.embeddings, home.corpora)
        readout = fit_linear(Home(source, home.labels, home.classes, home.corpora))
        corpus = Scaler.fit(away.embeddings)
        z = (np.asarray(away.embeddings, dtype=float) - corpus.mean) / corpus.std
        who = known_names(away.speakers, len(z))
        names = tuple(name for name in np.unique(who).tolist() if name)
        shifts, scales = np.zeros((len(names) + 1, z.shape[1])), np.ones((len(names) + 1, z.shape[1]))
        place = np.array([{name: at for at, name in enumerate(names)}.get(name, len(names)) for name in who], dtype=int)
        for _ in range(int(self.iterations)):
            given = readout.probabilities((z - shifts[place]) / scales[place] * to.std + to.mean)
            left = _residuals(z, given)
            variance = left.var(axis=0)
            for at in range(len(names)):
                own = left[place == at]
                weight = len(own) / (len(own) + self.shrink) if len(own) > 1 or self.shrink else 0.0
                shifts[at] = weight * own.mean(axis=0)
                spread = weight * own.var(axis=0) + (1 - weight) * variance
                scales[at] = np.sqrt((spread + 1e-9) / (variance + 1e-9))
        notes = (
            f"of {len(names)} speakers, voices shift by {np.abs(shifts[:-1]).mean() if names else 0:.2f} deviations",
        )
        middles, spreads = corpus.mean + corpus.std * shifts, corpus.std * scales
        return FittedStatistics(notes, None, names, middles, spreads, to.mean, to.std, self.clip)


def _residuals(z: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Return rows (M, D) less the mean of the class that each is answered, by probabilities (M, C) at equal shares.

    Answers, not probabilities: a readout that is not sure would leave a part of each class to be taken for a voice.
    """
    answers = (given * stated_prior(given, np.full(given.shape[1], 1 / given.shape[1]))).argmax(axis=1)
    left = z.copy()
    for answer in np.unique(answers):
        left[answers == answer] -= z[answers == answer].mean(axis=0)
    return left

"""Splits whose speakers never meet, unless asked for by name, and whose recordings never do."""

from __future__ import annotations

import hashlib
import json
import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from xlser.data.official_split import COLUMN_KINDS, NamedParts, official_parts
from xlser.data.together import has_segments, parted_recordings, split_units
from xlser.data.validation_clips import validate_on_clips
from xlser.errors import CorpusError

SplitKind = Literal[
    "speaker-folds",
    "leave-one-speaker-out",
    "leave-one-session-out",
    "given",
    "shared-speakers",
    "given-shared-speakers",
    "column",
    "column-shared-speakers",
]
# Kinds that ask by name for speakers on both sides.
SHARING = ("shared-speakers", "given-shared-speakers", "column-shared-speakers")
PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """Row positions of one split of a manifest.

    ``train``, ``validation`` and ``test`` are sorted int arrays that do not overlap. ``shared`` names the speakers that
    stand on more than one side: empty for every kind that does not ask by name to share them.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    shared: tuple[str, ...] = ()
    hash: str = ""


def make_splits(
    frame: pd.DataFrame,
    kind: SplitKind = "speaker-folds",
    *,
    folds: int = 5,
    seed: int = 0,
    given: list[dict[str, list[str]]] | None = None,
    parts: NamedParts | None = None,
    validation_clips: float | None = None,
) -> list[Split]:
    """Return the splits of one corpus, one for each fold.

    The validation part of fold i is the test part of fold i + 1, so that no speaker of the training part is in either.
    Segments of one recording stay together: speakers who talk in one recording count as one (`split_units`).

    Args:
        frame: a manifest with the columns ``id``, ``speaker``, ``emotion`` and, for sessions, ``session``.
        kind: ``speaker-folds`` (whole speakers, stratified by emotion as far as they allow), ``leave-one-speaker-out``,
            ``leave-one-session-out``, ``given`` (lists of ids or speakers in ``given``), ``shared-speakers``
            (recordings dealt at random, stratified by emotion) or ``given-shared-speakers``: in the last two speakers
            stand on both sides, and the split says so.
        folds: number of folds; only for ``speaker-folds`` and ``shared-speakers``.
        seed: for the shuffling.
        given: for ``given``, a mapping per fold from ``test`` and ``validation`` (and optionally ``train``) to ids or
            speakers; without ``train`` the rest is the training part, and without ``test`` none is tested.
        parts: for ``column``, the corpus's own names (column ``partition``) of each part, several each:
            ``{"train": ["Train"], "test": ["Test1", "Test2"]}``. Without ``validation`` speakers of ``train`` are held
            out for it. ``column-shared-speakers`` allows speakers on both sides. There is one fold.
        validation_clips: of folds that are made here, the share of untested recordings that validate instead of a fold
            of speakers (see `validate_on_clips`): training and validation then share speakers, which the split names.

    Raises:
        CorpusError: fewer speakers (sessions) than the split needs, sessions missing, an unknown id in ``given``, an
            empty part, or speakers on both sides of a split that was not asked to share them.
    """
    if kind in COLUMN_KINDS:
        made = [official_parts(frame, parts or {}, lambda train: _held_out(train, seed))]
    elif kind.startswith("given"):
        made = [_given_parts(frame, fold) for fold in given or []]
        if not made:
            raise CorpusError(f"a split of kind {kind!r} must come with at least one fold under `given`.")
    else:
        groups = _groups(frame, kind, folds, seed)
        count = int(groups.max()) + 1
        made = [_rotation(groups, fold, count) for fold in range(count)]
        if validation_clips:
            made = [validate_on_clips(frame, rows, validation_clips, seed) for rows in made]
    return [_checked(frame, rows, kind, known_voices=bool(validation_clips)) for rows in made]


def adapted_splits(
    frame: pd.DataFrame,
    kind: SplitKind = "speaker-folds",
    *,
    folds: int = 5,
    seed: int = 0,
    given: list[dict[str, list[str]]] | None = None,
    parts: NamedParts | None = None,
    validation_clips: float | None = None,
) -> tuple[list[Split], str]:
    """Return the splits of `make_splits`, or those that a corpus of few speakers allows, and why they are others.

    With fewer speakers than ``folds`` there is a fold for each of them. Of two speakers one is trained on and the other
    validated on, each in turn: a source needs no test speakers to be carried to other corpora, and the test part is
    empty. Arguments are those of `make_splits`.

    Returns:
        The splits, and a sentence, empty where they are as asked.

    Raises:
        CorpusError: see `make_splits`; one speaker is too few for any split by speakers.

    >>> frame = pd.DataFrame({"id": [*"abcd"], "speaker": [*"ssuu"], "emotion": [*"xyxy"]})
    >>> splits, why = adapted_splits(frame)
    >>> splits[0].train.tolist(), splits[0].validation.tolist(), splits[0].test.tolist()
    ([0, 1], [2, 3], [])
    """
    units = split_units(frame)
    speakers = units.nunique()
    by_speaker = kind in ("speaker-folds", "leave-one-speaker-out")
    if by_speaker and speakers < 2:
        raise CorpusError(
            f"{kind} needs at least 2 speakers (training and validation), but the corpus has {speakers}"
            f"{_tied(frame)}. Use a corpus with more speakers as the source, or ask for kind: shared-speakers by name."
        )
    if by_speaker and speakers == 2 and not validation_clips:
        codes = pd.factorize(units, sort=True)[0]
        none = np.empty(0, dtype=int)
        parts = [(np.flatnonzero(codes == one), np.flatnonzero(codes != one)) for one in (0, 1)]
        made = [{"train": train, "validation": validation, "test": none} for train, validation in parts]
        why = "it has 2 speakers: one trains and the other validates, and none is left to be tested"
        return [Split(**part, hash=_hash(frame, part)) for part in made], why
    options: dict[str, Any] = {"seed": seed, "validation_clips": validation_clips}
    if kind == "speaker-folds" and 3 <= speakers < folds:
        return make_splits(frame, kind, folds=speakers, **options), f"it has {speakers} speakers, a fold for each"
    return make_splits(frame, kind, folds=folds, given=given, parts=parts, **options), ""


def _held_out(frame: pd.DataFrame, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rows to train and to validate on: about a fifth of the speakers validate."""
    if frame["speaker"].nunique() < 2:
        raise CorpusError(
            "the training part has one speaker, and none can be held out for validation. Name a part for it: "
            "split.validation"
        )
    fold = adapted_splits(frame, seed=seed)[0][0]
    return np.sort(np.concatenate([fold.train, fold.test])), fold.validation


def overlapping(frame: pd.DataFrame, parts: dict[str, np.ndarray]) -> tuple[str, ...]:
    """Return the speakers that stand in more than one part, sorted."""
    speakers = [set(frame["speaker"].iloc[rows]) for rows in parts.values()]
    shared = {name for i, one in enumerate(speakers) for other in speakers[i + 1 :] for name in one & other}
    return tuple(sorted(shared))


def _groups(frame: pd.DataFrame, kind: SplitKind, folds: int, seed: int) -> np.ndarray:
    """Return the fold in which each row is tested."""
    if kind == "leave-one-session-out":
        if frame["session"].isna().any():
            raise CorpusError(
                "leave-one-session-out needs a `session` for every utterance; the card gives none. "
                "Use kind: speaker-folds, or add a `session` template to the card."
            )
        return _codes(split_units(frame, "session"), kind)
    kept = frame.assign(speaker=split_units(frame))
    if kind == "leave-one-speaker-out":
        return _codes(kept["speaker"], kind)
    shares = kind == "shared-speakers"
    units, unit = (len(frame), "utterances") if shares else (kept["speaker"].nunique(), "speakers")
    if shares and has_segments(frame):  # utterances of one recording go together
        kept, shares = frame.assign(speaker=frame["path"]), False
        units, unit = frame["path"].nunique(), "recordings"
    if units < max(folds, 3):
        raise CorpusError(
            f"{kind} with `folds` {folds} needs at least {max(folds, 3)} {unit} (test, validation and "
            f"training), but the corpus has {units}{_tied(frame)}. Use fewer folds, a corpus with more speakers as the "
            "source, or ask for kind: shared-speakers by name."
        )
    if folds < 3:
        raise CorpusError(f"`folds` must be at least 3 (test, validation and training), but is {folds} instead.")
    return _stratified(kept, folds, seed, shares)


def _tied(frame: pd.DataFrame) -> str:
    """Say that there are fewer groups than speakers, if recordings tie them."""
    people, groups = frame["speaker"].nunique(), split_units(frame).nunique()
    return f" (its {people} speakers share recordings, which keeps them together)" if groups < people else ""


def _stratified(frame: pd.DataFrame, folds: int, seed: int, shares: bool) -> np.ndarray:
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    sizes = frame["emotion"].value_counts()
    if not shares and sizes.max() < folds:
        return _dealt(frame["speaker"], folds, seed)  # nothing to stratify by; scikit-learn would refuse
    # Scikit-learn only warns when a class is rarer than the folds; such a class then misses from some of them.
    labels = frame["emotion"] if sizes.min() >= folds or not shares else pd.Series(["all"] * len(frame))
    groups = np.full(len(frame), -1)
    # Speakers are shuffled here: scikit-learn before 1.8 shuffles their counts and not the speakers.
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed) if shares else StratifiedGroupKFold(folds)
    speakers = None if shares else _shuffled(frame["speaker"], seed)
    with warnings.catch_warnings():
        # It warns of classes rarer than the folds: "as far as the speakers allow" is what was asked for.
        warnings.simplefilter("ignore", UserWarning)
        for number, (_, test) in enumerate(splitter.split(frame, labels, speakers)):
            groups[test] = number
    return groups if len(np.unique(groups)) == folds else _dealt(frame["speaker"], folds, seed)


def _shuffled(speakers: pd.Series, seed: int) -> np.ndarray:
    """Return a number for each row's speaker, the numbers being dealt to the speakers at random."""
    names, codes = np.unique(speakers, return_inverse=True)
    order = np.arange(len(names))
    np.random.RandomState(seed).shuffle(order)
    return np.argsort(order)[codes]


def _dealt(speakers: pd.Series, folds: int, seed: int) -> np.ndarray:
    """Deal whole speakers in turn, most utterances first: stratification can leave a fold empty, this cannot."""
    order = np.random.default_rng(seed).permutation(sorted(speakers.unique()))
    sizes = speakers.value_counts()
    ranked = sorted(order, key=lambda name: -sizes[name])
    fold = {name: number % folds for number, name in enumerate(ranked)}
    return speakers.map(fold).to_numpy()


def _codes(values: pd.Series, kind: str) -> np.ndarray:
    codes, names = pd.factorize(values, sort=True)
    if len(names) < 3:
        raise CorpusError(
            f"{kind} needs at least 3 of them (test, validation and training), but there are {len(names)}: "
            f"{', '.join(map(str, names))}."
        )
    return codes


def _rotation(groups: np.ndarray, fold: int, count: int) -> dict[str, np.ndarray]:
    test, validation = groups == fold, groups == (fold + 1) % count
    return {
        "train": np.flatnonzero(~(test | validation)),
        "validation": np.flatnonzero(validation),
        "test": np.flatnonzero(test),
    }


def _given_parts(frame: pd.DataFrame, fold: dict[str, list[str]]) -> dict[str, np.ndarray]:
    masks = {}
    for name, members in fold.items():
        known = frame["id"].isin(members) | frame["speaker"].isin(members)
        missing = set(members) - set(frame["id"]) - set(frame["speaker"])
        if name not in PARTS or missing:
            raise CorpusError(
                f"given fold: {sorted(missing)[:3] or name!r} is neither an id nor a speaker of the corpus, "
                f"or is no part of a split ({', '.join(PARTS)})."
            )
        masks[name] = known.to_numpy()
    rest = ~np.logical_or.reduce(list(masks.values()))
    masks.setdefault("train", rest)
    return {name: np.flatnonzero(masks.get(name, np.zeros(len(frame), bool))) for name in PARTS}


def _checked(
    frame: pd.DataFrame, parts: dict[str, np.ndarray], kind: SplitKind, *, known_voices: bool = False
) -> Split:
    # A fold that is given need not name a test part: a source is carried elsewhere without one.
    needed = ("train", "validation") if kind.startswith(("given", "column")) else PARTS
    empty = [name for name in needed if len(parts[name]) == 0]
    if empty:
        raise CorpusError(f"split of kind {kind!r}: its {' and '.join(empty)} part is empty.")
    twice = len(np.concatenate(list(parts.values()))) - len(np.unique(np.concatenate(list(parts.values()))))
    shared = overlapping(frame, parts)
    unasked = sorted({*shared} & {*frame["speaker"].iloc[parts["test"]]}) if known_voices else shared
    torn = parted_recordings(frame, parts)
    if torn and kind not in ("given-shared-speakers", "column-shared-speakers"):
        raise CorpusError(
            f"split of kind {kind!r} puts segments of {len(torn)} recordings on both sides, such as {torn[0]}. Results "
            "would measure recognition of the recording too: give all segments of a recording to one part."
        )
    if twice or (unasked and kind not in SHARING):
        raise CorpusError(
            f"split of kind {kind!r} puts {len(unasked)} speakers on both sides: {', '.join(unasked[:5])}. "
            "Results would measure recognition of the speaker too. To do so all the same ask by name for "
            f"kind: {f'{kind}-shared-speakers' if kind in ('given', 'column') else 'shared-speakers'}."
        )
    return Split(**parts, shared=shared, hash=_hash(frame, parts))


def _hash(frame: pd.DataFrame, parts: dict[str, np.ndarray]) -> str:
    ids = {name: sorted(frame["id"].iloc[rows]) for name, rows in parts.items()}
    return hashlib.sha256(json.dumps(ids, sort_keys=True).encode()).hexdigest()[:12]

"""EmoBox folds and label maps, laid over a manifest of ours: who spoke is ours to say, for its tables do not know."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from xlser.corpora.words import guess_emotion, plain
from xlser.data.formats.places import Places
from xlser.data.manifest import Manifest
from xlser.errors import CorpusError
from xlser.jsonfile import parse_json
from xlser.machine import pass_on_machine

# EmoBox's names of the parts, and ours.
_PARTS = {"train": "train", "valid": "validation", "test": "test"}
_LABEL_FILES = ("label_map.json", "label_dict.json")


@dataclass
class EmoboxFolds:
    """What EmoBox's tables say of a corpus.

    ``given`` maps part to ids, fold by fold, as ``split.given`` of a recipe takes it. ``shared`` names,
    fold by fold, the speakers that stand on both sides. ``labels`` maps EmoBox's raw labels to our canonical names
    (None where EmoBox maps a label to nothing that we know), ``merged`` counts recordings that it calls otherwise than
    our card does: ``(ours, EmoBox's)``. ``notes`` are sentences for the user.
    """

    given: list[dict[str, list[str]]]
    shared: list[tuple[str, ...]]
    labels: dict[str, str | None]
    merged: Counter = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Return the folds as lines for a terminal, shared speakers first."""
        lines = []
        for number, (fold, shared) in enumerate(zip(self.given, self.shared, strict=True), 1):
            sizes = ", ".join(f"{part} {len(ids)}" for part, ids in fold.items())
            lines.append(f"fold {number}: {sizes}; {self._told(shared)}")
        lines += [
            f"note: {count} recordings are {ours} by our card and {theirs} by EmoBox"
            for (ours, theirs), count in self.merged.most_common()
        ]
        return "\n".join(lines + [f"note: {note}" for note in self.notes])

    def _told(self, shared: tuple[str, ...]) -> str:
        if not shared:
            return "no speaker on both sides"
        return f"{len(shared)} SPEAKERS ON BOTH SIDES: {', '.join(shared[:12])}{' ...' * (len(shared) > 12)}"


def read_emobox(folder: str | Path, manifest: Manifest, *, validation: float = 0.2, seed: int = 0) -> EmoboxFolds:
    """Read ``data/<corpus>`` of EmoBox and lay its folds over ``manifest``, recording by recording.

    Recordings are matched by file name, and by as many folders above it as tell two of one name apart. Speakers come
    from the manifest: EmoBox's own (in ``data.seg.wrd.stm``) are wrong for five corpora and never read; nor are
    ``corpus.cfg`` and ``data.seg.audmap``. Where a fold has no validation part, one is made of whole training speakers,
    about ``validation`` of the recordings; 0 makes none.

    Raises:
        CorpusError: no fold in ``folder``, a fold without train or test table, a table or label map that cannot be
            read, or no recording that the manifest knows.
    """
    folder = Path(folder)
    found = Places(manifest.frame)
    numbers = sorted(int(path.name[5:]) for path in folder.glob("fold_*") if path.name[5:].isdigit())
    if not numbers:
        raise CorpusError(f"{folder} holds no folder fold_1, fold_2 ...: is it data/<corpus> of EmoBox?")
    labels = _labels(folder)
    result = EmoboxFolds([], [], {})
    for number in numbers:
        records = _fold_records(folder, number)
        fold = {part: found.ids(rows) for part, rows in records.items()}
        result.shared.append(_shared(manifest.frame, fold))
        result.given.append(_with_validation(manifest.frame, fold, validation, seed))
        _read_labels(result, records, labels, found if number == numbers[0] else None)
    if not any(fold["test"] for fold in result.given):
        raise CorpusError(f"none of EmoBox's recordings in {folder} is in the manifest, such as {found.unknown[0]}")
    result.notes += _notes(result, found, len(manifest.frame))
    return result


def _fold_records(folder: Path, number: int) -> dict[str, list[dict]]:
    inside = folder / f"fold_{number}"
    records = {}
    for part, name in _PARTS.items():
        # Only these names: legacy tables such as emodb_test_fold1.jsonl lie beside them.
        stem = inside / f"{folder.resolve().name}_{part}_fold_{number}"
        paths = [path for suffix in (".jsonl", ".json") if (path := stem.with_name(stem.name + suffix)).is_file()]
        if paths:
            records[name] = _records(paths[0])
        elif part != "valid":
            others = ", ".join(sorted(path.name for path in inside.iterdir())[:6]) or "nothing"
            raise CorpusError(f"{inside} holds no {stem.name}.jsonl; it holds {others}. Keep the folder's own name.")
    return records


def _records(path: Path) -> list[dict]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        lines = [line for line in text.splitlines() if line.strip()]
        rows = list(parse_json(text).values()) if path.suffix == ".json" else [parse_json(line) for line in lines]
        return [row | {"wav": row.get("wav") or row["audio"], "emo": row.get("emo", row.get("label"))} for row in rows]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        pass_on_machine(error, f"reading {path}")
        raise CorpusError(f"cannot read EmoBox table {path}: {type(error).__name__} {error}") from error


def _labels(folder: Path) -> dict[str, str]:
    path = next((folder / name for name in _LABEL_FILES if (folder / name).is_file()), None)
    if path is None:
        return {}
    try:
        return {plain(raw): str(name) for raw, name in parse_json(path.read_text(encoding="utf-8-sig")).items()}
    except (OSError, ValueError, AttributeError) as error:
        pass_on_machine(error, f"reading {path}")
        raise CorpusError(f"cannot read EmoBox label map {path}: {error}") from error


def _read_labels(
    result: EmoboxFolds, records: dict[str, list[dict]], labels: dict[str, str], found: Places | None
) -> None:
    for record in (record for rows in records.values() for record in rows):
        raw = str(record["emo"])
        guess = guess_emotion(labels.get(plain(raw), ""))
        theirs = result.labels[raw] = guess.emotion if guess else None
        ours = found.emotion.get(found.find(record) or "") if found else None
        if ours and theirs and ours != theirs:
            result.merged[ours, theirs] += 1


def _shared(frame: pd.DataFrame, fold: dict[str, list[str]]) -> tuple[str, ...]:
    speakers = frame.set_index("id")["speaker"]
    seen = [*fold["train"], *fold.get("validation", [])]
    return tuple(sorted(set(speakers[seen]) & set(speakers[fold["test"]])))


def _with_validation(frame: pd.DataFrame, fold: dict, share: float, seed: int) -> dict[str, list[str]]:
    """Take whole speakers out of the training part, or, where it has but one, recordings."""
    if fold.get("validation") or not share or not fold["train"]:
        return fold
    speakers = frame.set_index("id")["speaker"][fold["train"]]
    units = speakers if speakers.nunique() > 1 else pd.Series(speakers.index, index=speakers.index)
    order = random.Random(seed).sample(sorted(units.unique()), units.nunique())
    sizes = units.value_counts()[order].cumsum()
    taken = set(order[: max(1, int((sizes <= share * len(units)).sum()))])
    kept, held = ([i for i in fold["train"] if (units[i] in taken) is side] for side in (False, True))
    return {"train": kept, "validation": held, "test": fold["test"]}


def _notes(result: EmoboxFolds, found: Places, size: int) -> list[str]:
    notes = []
    if found.unknown:
        missing = sorted(set(found.unknown))
        notes.append(f"{len(missing)} of EmoBox's recordings are not in the manifest, such as {missing[0]}")
    used = {row_id for fold in result.given for ids in fold.values() for row_id in ids}
    if len(used) < size:
        notes.append(f"{size - len(used)} recordings of the manifest are in no fold")
    unread = sorted(raw for raw, emotion in result.labels.items() if emotion is None)
    if unread:
        notes.append(f"EmoBox's label map does not say what these labels mean: {', '.join(unread)}")
    return notes

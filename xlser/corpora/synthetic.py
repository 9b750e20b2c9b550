"""Synthetic corpora: plain sentences spoken by eSpeak NG, with emotion laid into how they are spoken.

They make every command work at once and every pipeline testable. They are machine-made: no evidence about people.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path

import soundfile
from tqdm import tqdm

from xlser.corpora.acting import Utterance, perform, plan
from xlser.corpora.card import Card
from xlser.errors import CorpusError
from xlser.machine import pass_on_machine, stop_if_of_machine
from xlser.ownfiles import RECORD, OwnFiles, beside, files_below, some

# Counted up when the same card and seed come out as other sound.
SYNTHESIS_VERSION = 1
_MARK = "SYNTHETIC.txt"
# What a corpus is made of: EmoDB's names, two tables, and the record of what was written.
_OWN = re.compile(rf"wav/\d\d[a-z]\d\d[A-Z][a-z]\.wav|ratings\.csv|{re.escape(_MARK)}|{re.escape(RECORD)}")


def synthesise(
    card: Card,
    root: str | Path,
    *,
    seed: int = 0,
    sentences: int | None = None,
    speakers: int | None = None,
    takes: int = 1,
    progress: bool = True,
) -> Path:
    """Make the corpus of a synthetic card in the folder ``root`` and return that folder.

    The layout and file names are EmoDB's (``wav/03a01Wa.wav``); ``ratings.csv`` holds the point on activation and
    valence (1 to 5) that each utterance was spoken from, and ``SYNTHETIC.txt`` says what made it all. The corpus is
    whole or not there: it is built beside ``root`` and moved. Where the same corpus is already there, nothing is done;
    where another synthetic one is, or one of which a file was lost or changed, it is replaced, and what was changed is
    kept in a folder beside it. Where there is anything else, hidden or not, nothing is touched.

    Args:
        card: a card with ``synthesis``.
        root: the corpus folder.
        seed: another seed gives other speakers' habits, points and styles. The same seed gives the same bytes.
        sentences: how many of the card's sentences are spoken; all by default.
        speakers: how many of the eight speakers speak, 1 to 8; all by default. The first four are male.
        takes: how often each speaker says a sentence in an emotion, 1 to 26; each take has a point of its own.
        progress: whether to show a progress bar.

    Raises:
        CardError: the card has no ``synthesis``, its grammar does not fit EmoDB's file names, or it has an emotion
            whose place on valence and activation is not known here.
        CorpusError: ``root`` holds something else, which is named, or cannot be written.
        XlserError: a count out of range; eSpeak NG or the card's voice is missing.
    """
    root = Path(root).expanduser()
    utterances = plan(card, seed=seed, sentences=sentences, speakers=speakers, takes=takes)
    made_by = _made_by(card, seed, utterances)
    place = root.resolve()  # a link stays one
    done = partial(_is_complete, place, made_by, utterances)
    if done():
        return root
    _refuse_foreign(place)
    with _whole(place, done) as folder:
        _write_audio(folder / "wav", tqdm(utterances, desc=card.name, unit="file", disable=not progress))
        _write_tables(folder, utterances, made_by)
    return root


def _write_audio(folder: Path, utterances: Iterable[Utterance]) -> None:
    folder.mkdir()
    for utterance in utterances:
        samples, sample_rate = perform(utterance)
        soundfile.write(folder / f"{utterance.name}.wav", samples, sample_rate, subtype="PCM_16")


def _write_tables(folder: Path, utterances: list[Utterance], made_by: str) -> None:
    rows = [f"{u.name}.wav,{u.activation:.2f},{u.valence:.2f}\n" for u in utterances]
    (folder / "ratings.csv").write_text("filename,activation,valence\n" + "".join(rows), encoding="utf-8")
    (folder / _MARK).write_text(made_by, encoding="utf-8")
    own = OwnFiles(folder, batch=True)
    own.note(*files_below(folder))
    own.save()


def _made_by(card: Card, seed: int, utterances: list[Utterance]) -> str:
    """Return the line that says what made a corpus; two corpora with the same line are the same."""
    return (
        f"Machine-made speech, no evidence about people: xlser synthesis {SYNTHESIS_VERSION} with eSpeak NG "
        f"(espeakng-loader {version('espeakng-loader')}), card {card.name} {card.hash}, seed {seed}, "
        f"{len(utterances)} utterances {utterances[0].name} to {utterances[-1].name}\n"
    )


def _made_of(root: Path) -> str | None:
    try:
        return (root / _MARK).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        pass_on_machine(error, f"reading {root / _MARK}")
        return None


def _is_complete(root: Path, made_by: str, utterances: list[Utterance]) -> bool:
    if _made_of(root) != made_by or not (root / "ratings.csv").is_file():
        return False
    if not {f"{utterance.name}.wav" for utterance in utterances} <= set(os.listdir(root / "wav")):
        return False
    own = OwnFiles(root)  # one that an older xlser made has no record
    return all(map(own.holds, own.names))


def _refuse_foreign(root: Path) -> None:
    """Stop before a folder that synthesis did not make would be replaced."""
    if not root.exists():
        return
    found = files_below(root) if root.is_dir() else [root.name]
    foreign = [name for name in found if _made_of(root) is None or not _OWN.fullmatch(name)]
    if foreign:
        raise CorpusError(
            f"{root} holds {some(foreign)}, which is no part of a "
            "synthetic corpus of ours: everything there is left alone. Give another folder, or move that away."
        )


def _keep_changed(root: Path) -> None:
    """Move what somebody changed in a corpus of ours into a folder beside it, and say so."""
    own, aside = OwnFiles(root), beside(root, "before")
    changed = [name for name in own.names if (root / name).is_file() and not own.holds(name)]
    for name in changed:
        (aside / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(root / name, aside / name)
    if changed:
        print(f"{root}: changed since it was made, and kept in {aside}: {some(changed)}", file=sys.stderr, flush=True)


@contextmanager
def _whole(root: Path, done: Callable[[], bool]) -> Iterator[Path]:
    """Yield a new folder beside ``root``, which takes its place when all went well and is removed when not."""
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root.parent, prefix=f".{root.name}.") as scratch:
            folder = Path(scratch) / "new"
            folder.mkdir()
            yield folder
            if done():  # another process was quicker
                return
            if root.exists():
                _keep_changed(root)
                os.replace(root, Path(scratch) / "old")
            os.replace(folder, root)
    except (OSError, soundfile.SoundFileError) as error:
        if isinstance(error, OSError):
            stop_if_of_machine(error, f"writing the corpus {root}")
        raise CorpusError(f"cannot write the corpus {root}: {error}. Nothing half done was left there.") from error

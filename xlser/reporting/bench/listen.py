"""Small copies of recordings beside a bench, so that its maps can be listened to. They are for local use alone."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlser.atomic import replacing
from xlser.corpora.card import Card, load_card
from xlser.errors import CardError, CorpusError, RunError
from xlser.evaluation.results_file import load_bench
from xlser.ownfiles import OwnFiles
from xlser.reporting.bench.facts import Bench, Row
from xlser.reporting.wording import plural

if TYPE_CHECKING:
    import pandas as pd

# At most so many clips a corpus, each its recording's first seconds, in a size that a folder of many corpora can bear.
MOST, SECONDS, RATE, SEED = 120, 4.0, 16_000, 0
CLIPS = "clips"
# Every browser plays the first; a libsndfile that was built without it writes the second.
_SUFFIXES = {"MP3": ".mp3", "OGG": ".ogg"}
_NOTICE = (
    "The recordings belong to the owners of their corpora. These copies are for local use under each corpus's licence: "
    "do not publish them, and take this folder out before you pass the report on."
)
Find = Callable[[str], list[tuple[Card, Path]]]
Say = Callable[[str], None]


def copy_clips(folder: str | Path, find: Find, *, cache: str | Path | None = None, say: Say = print) -> int:
    """Copy small clips of every corpus of a bench to ``clips/<corpus>/``, and what they are to ``clips/README.txt``.

    At most `MOST` recordings a corpus that stand on its maps, in turns over emotions and speakers; what is there
    already is not made again. A corpus or a recording that cannot be read is named, and the rest goes on.

    Args:
        folder: that of the bench.
        find: returns card and folder of a corpus's name; CardError or CorpusError where they are not there.
        cache: where headers of recordings are remembered (see `build_manifest`).
        say: is given each line that the user should read.

    Returns:
        How many clips are there now.

    Raises:
        RunError: no bench (see `load_bench`), or one without points to draw.
        CorpusError: not one clip could be copied.
        XlserError: the folder cannot be written.
    """
    bench = Bench(load_bench(folder))
    cards, there = _cards(bench), 0
    for corpus, emotions in _recordings(bench, folder).items():
        try:
            place = find(cards.get(corpus, corpus))[0]
            there += _copy_corpus(place, emotions, Path(folder) / CLIPS, cache, say)
        except (CardError, CorpusError) as error:
            say(f"  {corpus}: no clips: {error}")
    if not there:
        raise CorpusError(f"no clip was copied to {Path(folder) / CLIPS}: what each corpus lacks is told above.")
    OwnFiles(folder).write(f"{CLIPS}/README.txt", _readme(bench))
    say(_NOTICE)
    return there


def clips_there(folder: str | Path) -> dict[str, str]:
    """Return what lies in ``clips/``: `stem` to path below the folder, with ``/``; nothing where no clip was copied."""
    found = sorted((Path(folder) / CLIPS).glob("*/*"))
    paths = [path.relative_to(folder) for path in found if path.suffix in _SUFFIXES.values() and path.is_file()]
    return {path.relative_to(CLIPS).with_suffix("").as_posix(): path.as_posix() for path in paths}


def links(cell: Row, there: dict[str, str]) -> dict[str, str]:
    """Return the link from a cell's page to the clip of each of its points that has one, by the point's id."""
    ids = dict.fromkeys(str(point["id"]) for point in cell.get("points", [])) if there else {}
    paths = {name: there.get(stem(recording(cell["target"], name))) for name in ids}
    return {name: f"../{path}" for name, path in paths.items() if path}


def recording(corpus: str, name: str) -> str:
    """Return a manifest's id from that of a point: joined corpora have the part's name before it.

    >>> recording("emodb", "emodb/wav/03a01Fa"), recording("emodb+urdu", "emodb/emodb/wav/03a01Fa")
    ('emodb/wav/03a01Fa', 'emodb/wav/03a01Fa')
    """
    return name.partition("/")[2] if "+" in corpus else name


def stem(name: str) -> str:
    """Return folder and file name of a recording's clip that any system can hold, another one for every other id.

    >>> stem("emodb/wav/03a01Fa")
    'emodb/wav_03a01Fa-c8d60ad2'
    """
    corpus, _, rest = name.partition("/")
    safe = [re.sub(r"[^\w.-]|^\.+", "_", part, flags=re.ASCII) for part in (corpus, rest)]
    return f"{safe[0]}/{safe[1][-80:]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def chosen(frame: pd.DataFrame, most: int = MOST) -> pd.DataFrame:
    """Return at most ``most`` rows of a manifest, in turns over emotions and within each over speakers.

    Which of a speaker's recordings come first is drawn with a fixed seed: the same table gives the same rows.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"emotion": list("aaaab"), "speaker": list("xxxyx")})
    >>> sorted(chosen(table, 3)[["emotion", "speaker"]].itertuples(index=False, name=None))
    [('a', 'x'), ('a', 'y'), ('b', 'x')]
    """
    mixed = frame.sample(frac=1, random_state=SEED)
    for groups in (["emotion", "speaker"], ["emotion"]):
        turns = mixed.groupby(groups).cumcount()
        mixed = mixed.loc[turns.sort_values(kind="stable").index]
    return mixed.head(most)


def _cards(bench: Bench) -> dict[str, str]:
    """Return how the bench was given each corpus, by its name: that may be a card's file. Cards now gone are not in."""
    recipes = bench.about["recipes"].values()
    given = {part for recipe in recipes for text in (recipe["source"], *recipe["targets"]) for part in text.split("+")}
    found = {}
    for text in sorted(given):
        with suppress(CardError):
            found[load_card(text).name] = text
    return found


def _recordings(bench: Bench, folder: str | Path) -> dict[str, dict[str, str]]:
    """Return the ids that stand on maps with the emotion that they have there, by the corpus that they are of."""
    found: dict[str, dict[str, str]] = {}
    for (_, _, target), cell in bench.cells.items():
        for point in cell.get("points", []):
            name = recording(target, str(point["id"]))
            here = found.setdefault(name.partition("/")[0], {})
            here[name] = here.get(name) or str(point["emotion"] or "")
    if not found:
        raise RunError(f"the bench in {folder} holds no points of maps: there is nothing to listen to on its pages.")
    return dict(sorted(found.items()))


def _copy_corpus(
    place: tuple[Card, Path], emotions: dict[str, str], clips: Path, cache: str | Path | None, say: Say
) -> int:
    from xlser.bars import tqdm
    from xlser.data.audio import AudioFault
    from xlser.data.manifest import build_manifest

    card, manifest = place[0], build_manifest(*place, cache=cache)
    # As they are on the maps: what no recipe scores is one kind.
    frame = manifest.frame.assign(emotion=manifest.frame["id"].map(emotions))
    rows = chosen(frame[frame["emotion"].notna()])
    new, faults = 0, {}
    bar = tqdm(rows.itertuples(), total=len(rows), desc=f"clips of {card.name}", unit="file", leave=False, disable=None)
    for row in bar:
        try:
            new += _copy(manifest.root / row.path, row, clips)
        except AudioFault as fault:
            faults[row.path] = str(fault)
    for path, why in faults.items():
        say(f"  {card.name}: left out {path}: {why}")
    there = len(rows) - len(faults)
    say(f"  {card.name}: {plural(there, 'clip')}, {new} of them new; licence: {card.licence}")
    return there


def _copy(path: Path, row: Any, clips: Path) -> bool:
    """Write the clip of a row; False where it is there already."""
    import soundfile

    from xlser.data.audio import read_mono
    from xlser.data.channels import channel_number

    kind = next(name for name in _SUFFIXES if name in soundfile.available_formats())
    clip = clips / f"{stem(row.id)}{_SUFFIXES[kind]}"
    if clip.is_file():
        return False
    channel = channel_number(getattr(row, "channel", None))
    samples = read_mono(path, RATE, row.start, min(row.end, row.start + SECONDS), channel)
    # In memory first: libsndfile does not say whether a disk is full.
    sound = io.BytesIO()
    soundfile.write(sound, samples, RATE, format=kind)
    with replacing(clip) as temporary:
        temporary.write_bytes(sound.getvalue())
    return True


def _readme(bench: Bench) -> str:
    lines = [_NOTICE, "", f"At most {MOST} recordings a corpus, the first {SECONDS:g} seconds of each, mono.", ""]
    for name, about in bench.corpora.items():
        lines.append(f"{name}: {about.get('title', name)}")
        lines += [f"  {key}: {about.get(key) or 'not stated'}" for key in ("licence", "citation")]
    return "\n".join(lines) + "\n"

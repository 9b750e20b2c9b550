"""What a scan tells its user: the thing, the rule, the files, and the way out."""

from __future__ import annotations

from pathlib import Path

from xlser.corpora.card import Card
from xlser.corpora.tables import SideTable
from xlser.printable import one_line

SHOWN = 3
_NO_SPEAKER = (
    "The card's `speaker` template comes out empty: correct it, or take each recording for a speaker of its own "
    "(unknown_speaker: own), or all for one (speaker: unknown)."
)
_NO_LABEL = "Correct the columns of `table` or `dimensions` in the card."


def some(items: list, most: int = SHOWN) -> str:
    """Return the first few items as text, and how many more there are.

    >>> some(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    shown = ", ".join(one_line(str(item)) for item in items[:most])
    return shown + (f" and {len(items) - most} more" if len(items) > most else "")


def no_folder(card: Card, root: Path) -> str:
    """Tell that the corpus folder is missing."""
    kind = "is not a folder" if root.exists() else "does not exist"
    return f"corpus {card.name}: {root} {kind}. Give the folder that holds {card.audio[0]!r}."


def no_files(card: Card, root: Path, others: list[str]) -> str:
    """Tell that no file fits the card's glob; ``others`` are the audio files that do not."""
    seen = f"It holds audio elsewhere, such as {some(others)}." if others else "It holds no audio file at all."
    return (
        f"corpus {card.name}: no file below {root} fits {' or '.join(map(repr, card.audio))}. {seen} "
        "Is this the folder that the card means?"
    )


def nothing_fits(card: Card, root: Path, names: list[str]) -> str:
    """Tell that the grammar fits none of the names."""
    return (
        f"corpus {card.name}: the grammar fits none of the {len(names)} files below {root}.\n"
        f"  grammar: {card.grammar}\n  it failed on: {some(names)}\n"
        "  Correct `grammar` in the card (it must match the whole name, without suffix)."
    )


def not_listed(card: Card, main: SideTable, paths: list[str]) -> str:
    """Tell that the table has a row for none of the recordings."""
    notes = "".join(f"  {note}\n" for note in table_notes(main) if "several recordings" in note)
    return (
        f"corpus {card.name}: the table {main.path} has no row for any of the {len(paths)} recordings.\n"
        f"  recordings: {some(paths)}\n  its keys: {some(sorted(main.values)) or 'none'}\n{notes}"
        "  Correct `table.key` in the card (it names the column that holds the file names); where its folders are not "
        "those on the disk, but each name is there once, write `match: name` under `table`."
    )


def does_not_fit(card: Card, root: Path, problems: dict[str, list[str]]) -> str:
    """Tell everything that contradicts the card, each with its files."""
    lines = [f"  {what}: {_files(paths)}, such as {some(paths)}" for what, paths in problems.items()]
    return (
        f"corpus {card.name} in {root} does not fit its card:\n"
        + "\n".join(lines)
        + "\n  Correct the card, or name files that do not belong under `ignore` in it."
    )


def none_usable(card: Card, root: Path, left_out: dict[str, list[str]]) -> str:
    """Tell why every recording that was read was left out; empty where none was read."""
    said = {"no speaker": _NO_SPEAKER, "neither label nor rating": _NO_LABEL}
    lines = [
        f"  {reason}: {_files(left_out[reason])}, such as {some(left_out[reason])}. {way_out}"
        for reason, way_out in said.items()
        if left_out.get(reason)
    ]
    return f"corpus {card.name} in {root}: no recording can be used.\n" + "\n".join(lines) if lines else ""


def _files(paths: list[str]) -> str:
    return f"{len(paths)} file{'s' * (len(paths) > 1)}"


def speaker_notes(rows: list[dict], left_out: dict[str, list[str]]) -> list[str]:
    """Tell how many recordings count as speakers of their own, and how many were left out for want of one."""
    notes, own = [], [row["path"] for row in rows if row["speaker"].startswith("unknown:")]
    if own:
        notes.append(
            f"{len(own)} recording(s) of unknown speakers, each taken for a speaker of its own, such as {some(own)}: "
            "some may be the same person on both sides of a split (unknown_speaker: leave-out in the card drops them)"
        )
    nameless = left_out.get("no speaker", [])
    if nameless and rows:
        notes.append(
            f"{len(nameless)} recording(s) without a speaker left out, such as {some(nameless)} (unknown_speaker: own "
            "in the card takes each for a speaker of its own)"
        )
    return notes


def double_ids(card: Card, paths: list[str], count: int) -> str:
    """Tell that ``count`` ids stand for two files each, the first of them for ``paths``."""
    return (
        f"corpus {card.name}: {count} ids stand for two files, such as {' and '.join(paths)} (letter case and the "
        "form of accents do not count: some disks cannot tell them apart). Name the copies under `ignore` in the card."
    )


def table_notes(table: SideTable) -> list[str]:
    """Tell which rows of a table nobody used."""
    name = table.path.name
    notes = [f"{name}: {remark}" for remark in table.remarks]
    doubtful = table.matches.doubtful if table.matches else {}
    unused = sorted(table.unused - {key for key, text in table.written.items() if text in doubtful})
    if table.empty_rows:
        notes.append(f"{name}: {table.empty_rows} incomplete row(s) passed over")
    if table.untimed:
        notes.append(
            f"{name}: {len(table.untimed)} row(s) without start or end left out, such as {some(table.untimed)}"
        )
    if table.doubled and table.parts:
        notes.append(f"{name}: {table.doubled} row(s) stand twice and count once")
    if doubtful:
        pairs = [f"{path} ({' or '.join(files[:2])})" for path, files in doubtful.items()]
        notes.append(
            f"{name}: {len(pairs)} row(s) may be about several recordings and are used for none, such as "
            f"{some(pairs)}. Write the folders in front of the name"
        )
    if unused:
        notes.append(f"{name}: {len(unused)} row(s) without audio, such as {some(unused)}")
    return notes

"""``xlser corpora import`` and ``export``: other toolkits' formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xlser.cli.table_options import table_options

if TYPE_CHECKING:
    from xlser.data.formats.rows import About, Imported
    from xlser.data.formats.table_options import TableOptions

FOLDER = click.Path(path_type=Path)


@click.group("import")
def import_() -> None:
    """Read another toolkit's format: a manifest from tables, folders and annotations, folds from EmoBox."""


@click.group("export")
def export() -> None:
    """Write a manifest (see `xlser corpora prepare`) in another toolkit's format."""


def _described(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say what a table does not say of itself."""
    for option in (
        click.option("--emotion", "emotions", multiple=True, metavar="LABEL=NAME", help="What a label means."),
        click.option("--scale", nargs=2, type=float, metavar="LOW HIGH", help="Scale of the ratings."),
        click.option("--speaker", help="The speaker of rows that name none."),
        click.option("--licence", default="unknown", show_default=True, help="Where the rows name none."),
        click.option("--language", help="BCP 47 tag, where the rows name none."),
        click.option("--out", type=FOLDER, required=True, help="Manifest to write, .parquet or .csv."),
    ):
        verb = option(verb)
    return verb


@import_.command("audformat")
@click.argument("folder", type=FOLDER)
@click.option("--name", help="Name of the corpus.  [default: the database's]")
@click.option("--table", "tables", multiple=True, help="Take the rows of this table only.")
@_described
def audformat(folder: Path, name: str | None, tables: tuple[str, ...], out: Path, **described: Any) -> None:
    """Read an audformat database: db.yaml with its CSV or Parquet tables."""
    from xlser.data.formats.audformat_db import database_name, read_audformat

    about = _about(name or database_name(folder), **described)
    _write(read_audformat(folder, about, tables=list(tables) or None), out, folder / "db.yaml")


@import_.command("folder")
@click.argument("folder", type=FOLDER)
@click.option("--name", required=True, help="Name of the corpus.")
@click.option("--audio", type=FOLDER, help="Folder for recordings that save_to_disk put in.  [default: beside --out]")
@table_options
@_described
def folder(
    folder: Path, name: str, audio: Path | None, out: Path, table_options: TableOptions, **described: Any
) -> None:
    """Read a folder: of metadata.csv (.jsonl, .parquet), save_to_disk, .eaf or .TextGrid files, or of classes."""
    from xlser.data.formats.folders import read_audio_folder
    from xlser.data.formats.saved_datasets import is_saved, read_saved

    about = _about(name, **described)
    if is_saved(folder):
        _write(read_saved(folder, audio or out.with_suffix(".audio"), about, table_options), out, folder)
    else:
        _write(read_audio_folder(folder, about, table_options), out, folder)


@import_.command("parquet")
@click.argument("source", type=FOLDER)
@click.option("--audio", type=FOLDER, required=True, help="Folder to write the recordings into.")
@click.option("--name", required=True, help="Name of the corpus.")
@table_options
@_described
def parquet(source: Path, audio: Path, name: str, out: Path, table_options: TableOptions, **described: Any) -> None:
    """Read Parquet tables that hold the audio, as CAMEO does."""
    from xlser.data.formats.parquet import read_parquet

    _write(read_parquet(source, audio, _about(name, **described), table_options), out, source)


@click.command()
@click.argument("table", type=FOLDER)
@click.option("--name", required=True, help="Name of the corpus.")
@table_options
@_described
def table(table: Path, name: str, out: Path, table_options: TableOptions, **described: Any) -> None:
    """Read a table with a column of paths and one of emotions or ratings, of recordings or segments of them.

    TABLE is .csv, .tsv, .txt, .json, .jsonl, .xlsx or .parquet, or annotations: .eaf, .TextGrid.
    """
    from xlser.data.formats.tables import read_csv

    _write(read_csv(table, _about(name, **described), table_options), out, table)


import_.add_command(table, "table")
import_.add_command(table, "csv")


@import_.command("emobox")
@click.argument("folder", type=FOLDER)
@click.option("--corpus", required=True, help="Our card of the same corpus.")
@click.option("--root", type=FOLDER, required=True, help="Folder of the corpus.")
@click.option("--validation", default=0.2, show_default=True, help="Share of training speakers to validate on.")
@click.option("--out", type=FOLDER, required=True, help="YAML file to write: a recipe's `split`.")
def emobox(folder: Path, corpus: str, root: Path, validation: float, out: Path) -> None:
    """Read the folds of EmoBox's data/<corpus>; speakers on both sides of a fold are named."""
    from xlser.cachefolder import cache_folder
    from xlser.corpora.card import load_card
    from xlser.data.formats.emobox import read_emobox
    from xlser.data.formats.splits import write_split
    from xlser.data.manifest import build_manifest

    manifest = build_manifest(load_card(corpus), root, cache=cache_folder())
    folds = read_emobox(folder, manifest, validation=validation)
    write_split(folds.given, out)
    click.echo(f"{folds.text()}\nwrote {out}")


@export.command("audformat")
@click.argument("manifest", type=FOLDER)
@click.option("--out", type=FOLDER, required=True, help="Folder to write.")
@click.option("--audio", type=click.Choice(["link", "copy", "none"]), default="link", show_default=True)
@click.option("--scale", nargs=2, type=float, metavar="LOW HIGH", help="Scale of the ratings.  [default: worked out]")
@click.option("--usage", default="research", show_default=True, help="commercial, other, research, restricted ...")
@click.option("--source", default="", help="Where the corpus comes from.")
def to_audformat(manifest: Path, out: Path, audio: Any, scale: Any, usage: str, source: str) -> None:
    """Write an audformat database, which audformat, audb and nkululeko read."""
    from xlser.data.formats.audformat_write import write_audformat
    from xlser.data.manifest import read_manifest

    click.echo(write_audformat(read_manifest(manifest), out, audio=audio, scale=scale, usage=usage, source=source))


@export.command("speechbrain")
@click.argument("manifest", type=FOLDER)
@click.option("--out", type=FOLDER, required=True, help="Folder to write.")
@click.option("--full-paths", is_flag=True, help="Write full paths in place of {data_root}.")
def to_speechbrain(manifest: Path, out: Path, full_paths: bool) -> None:
    """Write SpeechBrain's JSON manifest."""
    from xlser.data.formats.speechbrain_json import write_speechbrain
    from xlser.data.manifest import read_manifest

    for path in write_speechbrain(read_manifest(manifest), out, movable=not full_paths):
        click.echo(path)


def _about(
    name: str, language: str | None, licence: str, speaker: str | None, scale: Any, emotions: tuple[str, ...]
) -> About:
    from xlser.data.formats.rows import About

    pairs = dict(text.partition("=")[::2] for text in emotions)
    if not all(pairs.values()):
        raise click.BadParameter("write LABEL=NAME, such as A=anger", param_hint="--emotion")
    return About(name, language, licence, scale or None, pairs, speaker)


def _write(imported: Imported, out: Path, source: Path) -> None:
    from xlser.data.formats.splits import write_split
    from xlser.data.manifest import write_manifest
    from xlser.ownfiles import OwnFiles, refuse_input

    refuse_input(out, source)
    manifest = imported.manifest
    write_manifest(manifest, out)
    click.echo(f"{out}: {len(manifest.frame)} utterances, {manifest.frame['speaker'].nunique()} speakers")
    for note in [
        f"{count} left out: {reason}" for reason, count in manifest.left_out_counts().items()
    ] + manifest.notes:
        click.echo(f"note: {note}")
    if imported.split:
        path = out.with_suffix(".split.yaml")
        with OwnFiles(path.parent).replacing(path.name) as temporary:  # nobody named this file
            write_split([imported.split], temporary)
        click.echo(f"{path}: the split that came with it")

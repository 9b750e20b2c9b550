"""``xlser corpora``: list, show, verify, prepare, synthesise."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from xlser.cli.audit import audit
from xlser.cli.fetch import command as fetch
from xlser.cli.formats import export, import_
from xlser.cli.init import command as init

FOLDER = click.Path(path_type=Path)


@click.group("corpora")
def command() -> None:
    """List, show, check and prepare speech corpora.

    CORPUS is the name of a card (see `xlser corpora list`) or the path of a card of your own, such as ./mine.yaml.
    """


@command.command("list")
def list_() -> None:
    """List the corpora that xlser has a card for, your own in $XLSER_CARDS included."""
    from xlser.reporting.cards import card_list

    click.echo(card_list())


@command.command()
@click.argument("corpus")
def show(corpus: str) -> None:
    """Show what a card says: source, licence, labels, scale, expected counts."""
    from xlser.corpora.card import load_card
    from xlser.reporting.cards import card_text

    click.echo(card_text(load_card(corpus)))


@command.command()
@click.argument("corpus")
@click.option("--root", type=FOLDER, required=True, help="Folder of the corpus, as its owners lay it out.")
@click.option("--headers-only", is_flag=True, help="Do not decode the audio: faster, but misses silent files.")
def verify(corpus: str, root: Path, headers_only: bool) -> None:
    """Compare a folder with its card: counts, unreadable files, labels, ratings.

    An incomplete corpus is reported, not refused. Exit status 1 means that something is wrong.
    """
    from xlser.cachefolder import cache_folder
    from xlser.corpora.card import load_card
    from xlser.data.verify import verify as check

    show_bar = sys.stderr.isatty()
    result = check(load_card(corpus), root, decode=not headers_only, progress=show_bar, cache=cache_folder())
    click.echo(result.text())
    sys.exit(0 if result.ok else 1)


@command.command()
@click.argument("corpus")
@click.option("--root", type=FOLDER, required=True, help="Folder of the corpus, as its owners lay it out.")
@click.option("--out", type=FOLDER, help="File to write, .parquet or .csv.  [default: <corpus>.parquet here]")
@click.option("--strict", is_flag=True, help="Stop at the first file that cannot be used.")
def prepare(corpus: str, root: Path, out: Path | None, strict: bool) -> None:
    """Write the manifest of a corpus: a table with one row an utterance."""
    from xlser.cachefolder import cache_folder
    from xlser.corpora.card import load_card
    from xlser.data.manifest import build_manifest, write_manifest

    manifest = build_manifest(load_card(corpus), root, strict=strict, cache=cache_folder())
    target = out or Path(f"{manifest.card}.parquet")
    write_manifest(manifest, target)
    left = "".join(f"; {count} left out: {reason}" for reason, count in manifest.left_out_counts().items())
    click.echo(f"{target}: {len(manifest.frame)} utterances, {manifest.frame['speaker'].nunique()} speakers{left}")
    for note in manifest.notes:
        click.echo(f"note: {note}")


@command.command()
@click.argument("corpus")
@click.option("--root", type=FOLDER, required=True, help="Folder to make.")
@click.option("--seed", default=0, show_default=True, help="Other seeds scatter the emotions otherwise.")
def synthesise(corpus: str, root: Path, seed: int) -> None:
    """Speak a synthetic corpus, such as synthetic-de, into a folder."""
    from xlser.corpora.card import load_card
    from xlser.corpora.synthetic import synthesise as speak

    click.echo(f"{speak(load_card(corpus), root, seed=seed)}: synthetic speech, no evidence about human emotion")


command.add_command(audit)
command.add_command(init)
command.add_command(fetch)
command.add_command(import_)
command.add_command(export)

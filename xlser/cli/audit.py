"""``xlser corpora audit``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

FOLDER = click.Path(path_type=Path)


@click.command("audit")
@click.argument("corpus", nargs=-1, required=True)
@click.option("--data-root", type=FOLDER, help="Folder that holds a folder for each corpus, named like its card.")
@click.option("--root", "roots", multiple=True, metavar="CORPUS=DIR", help="Folder of one corpus; may be repeated.")
@click.option("--split", metavar="KIND|FILE", help="Kind of split such as leave-one-speaker-out, or a file of folds.")
@click.option("--out", type=FOLDER, help="Folder for audit.html and audit.json.  [default: audit-<corpora> here]")
@click.option("--cache", type=FOLDER, help="Cache of what was measured.  [default: $XLSER_CACHE or the user's]")
@click.option("--jobs", type=click.IntRange(min=1), help="Threads for decoding.  [default: all cores]")
@click.option("--no-features", is_flag=True, help="Names, labels and headers only: nothing is decoded.")
def audit(
    corpus: tuple[str, ...],
    data_root: Path | None,
    roots: tuple[str, ...],
    split: str | None,
    out: Path | None,
    cache: Path | None,
    jobs: int | None,
    no_features: bool,
) -> None:
    """Say what is in corpora before anything is learnt: copies, confounds, shortcuts, levels, labels.

    Several corpora are also compared with each other, each as a source of every other one.
    """
    from xlser.experiment.audit import audit_corpora
    from xlser.experiment.workplace import Workplace, parse_roots
    from xlser.reporting.audit.page import audit_text, write_audit

    place = Workplace(data_root, parse_roots(roots), jobs=jobs, progress=sys.stderr.isatty())
    if cache:
        place.cache = cache
    result = audit_corpora(list(corpus), place, split=split, decode=not no_features)
    names = [one["corpus"] for one in result["corpora"]]
    page, data = write_audit(result, out or Path(f"audit-{'-'.join(names)}"))
    click.echo(audit_text(result))
    click.echo(f"\naudit: {page}\n       {data}")

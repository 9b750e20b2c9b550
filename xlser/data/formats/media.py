"""Recordings laid beside a table that names them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from xlser.atomic import replacing
from xlser.data.formats.cells import is_inside
from xlser.data.manifest import Manifest
from xlser.errors import CorpusError


def lay_beside(manifest: Manifest, folder: Path, *, link: bool) -> None:
    """Lay a manifest's recordings into ``folder`` under their own names, as hard links if ``link`` and the disk allow.

    A file that is there already stays as it is.

    Raises:
        CorpusError: a recording that is not there, or whose path leads out of the manifest's folder.
        XlserError: ``folder`` cannot be written.
    """
    for name in manifest.frame["path"].unique():
        source, target = manifest.root / name, folder / name
        if not is_inside(name) or not source.is_file():
            raise CorpusError(f"the recording {source} is not there; give audio='none' to write the tables alone")
        if not target.exists():
            _link_or_copy(source, target, link)


def _link_or_copy(source: Path, target: Path, link: bool) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if link:
        try:
            os.link(source, target)
            return
        except OSError:  # another disk, or one that knows no links
            pass
    with replacing(target) as temporary:
        shutil.copyfile(source, temporary)

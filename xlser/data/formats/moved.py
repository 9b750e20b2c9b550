"""The recordings of a manifest that was moved, with them or without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from xlser.data.manifest import Manifest
from xlser.errors import CorpusError


def find_recordings_of(manifest: Manifest, path: Path, root: Path | None = None) -> Manifest:
    """Return a manifest with the folder where its recordings are now.

    That is ``root``; else the folder that it names; else, where it was moved with them, its own folder or one there
    of the name that its folder had. Several put together are taken as they are.

    Args:
        manifest: as it was read.
        path: of its file.
        root: the folder, where the user names it.

    Raises:
        CorpusError: none of the recordings is in any of these.
    """
    if manifest.roots and root is None:
        return manifest
    beside = path.resolve().parent
    tried = [root.expanduser().resolve()] if root else [manifest.root, beside, beside / manifest.root.name]
    folder = next((folder for folder in tried if _any_there(manifest, folder)), None)
    if folder is None:
        names = ", ".join(dict.fromkeys(map(str, tried)))
        raise CorpusError(
            f"none of the {manifest.frame['path'].nunique()} recordings of {path} is below {names}, such as "
            f"{manifest.frame['path'].iloc[0]}. Where are they? --root {manifest.card}=FOLDER (in Python root=FOLDER)"
        )
    return replace(manifest, root=folder, roots={})


def _any_there(manifest: Manifest, folder: Path) -> bool:
    return any((folder / name).is_file() for name in manifest.frame["path"].unique())

"""The documentation as a site that opens offline, built by Zensical from the guide, the results and the reference."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import click

from xlser.atomic import write_text
from xlser.docs.reference import reference_pages
from xlser.errors import XlserError
from xlser.ownfiles import OwnFiles, files_below, some
from xlser.shipped import shipped_folder

GUIDE = Path(__file__).parent / "guide"
_NAV = Path(__file__).parent / "zensical.toml"


def write_sources(folder: Path, group: click.Group) -> None:
    """Write everything that the site is built from: guide, results of recipes, reference, configuration.

    Args:
        folder: which must be empty, or not there.
        group: the command line, for the reference.
    """
    shutil.copytree(GUIDE, folder / "docs" / "guide")
    (folder / "docs" / "index.md").write_text((GUIDE.parent / "index.md").read_text(encoding="utf-8"), encoding="utf-8")
    for picture in GUIDE.parent.glob("*.png"):
        shutil.copy(picture, folder / "docs")
    (folder / "docs" / "assets").mkdir()
    shutil.copy(_NAV.parent / "file-worker.js", folder / "docs" / "assets" / "iframe-worker.js")
    recipes = shipped_folder("recipes")
    for path in recipes.rglob("RESULTS.md"):
        place = folder / "docs" / "results" / path.relative_to(recipes)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    (folder / "docs" / "reference").mkdir()
    for name, text in reference_pages(group).items():
        (folder / "docs" / "reference" / f"{name}.md").write_text(text, encoding="utf-8")
    shutil.copy(_NAV, folder / "zensical.toml")


def build_site(out: Path, group: click.Group, *, cached: bool = False) -> Path:
    """Build the site into a folder, and return its first page.

    A site that is there is replaced; so is all else where it is ``cached``, since that folder is xlser's.

    Raises:
        XlserError: the folder holds something else, which is named; Zensical is not installed, or it warned of
            something, which is said.
    """
    place = out.resolve()  # a link stays one
    if not cached:
        _refuse_foreign(place)
    if find_spec("zensical") is None:
        raise XlserError('the documentation is built by Zensical, which is not installed: pip install "xlser[docs]"')
    with tempfile.TemporaryDirectory(prefix="xlser-docs-") as name:
        folder = Path(name)
        write_sources(folder, group)
        words = [sys.executable, "-m", "zensical", "build", "--strict", "-f", str(folder / "zensical.toml")]
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode or not (folder / "site" / "index.html").is_file():
            raise XlserError(f"the documentation could not be built: {(done.stdout + done.stderr).strip()}")
        _note(folder / "site")
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(str(folder / "site"), place)
    return out / "index.html"


def _refuse_foreign(out: Path) -> None:
    """Stop before anything would be replaced that is no site of ours."""
    others = OwnFiles(out).others() if out.is_dir() else [out.name] if out.exists() else []
    if others:
        raise XlserError(
            f"{out} holds {some(others)}, which the documentation is "
            "not made of: everything there is left alone. Give another --out, or move that away."
        )


def _note(site: Path) -> None:
    write_text(site / "sources.txt", fingerprint() + "\n")
    own = OwnFiles(site, batch=True)
    own.note(*files_below(site))
    own.save()


def cached_site(cache: Path, group: click.Group) -> Path:
    """Return the first page of a site in the cache folder, built where it is not there or its sources changed."""
    page, stamp = cache / "docs" / "index.html", cache / "docs" / "sources.txt"
    if page.is_file() and stamp.is_file() and stamp.read_text(encoding="utf-8").strip() == fingerprint():
        return page
    return build_site(cache / "docs", group, cached=True)


def fingerprint() -> str:
    """Return what tells one state of the sources from another: of xlser's code, cards, recipes and pages."""
    digest = hashlib.sha256()
    package = Path(__file__).parents[1]
    folders = [package, shipped_folder("recipes"), shipped_folder("corpora")]
    for path in sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in _SOURCES):
        digest.update(path.read_bytes())
    return digest.hexdigest()


_SOURCES = {".py", ".md", ".yaml", ".toml", ".js"}

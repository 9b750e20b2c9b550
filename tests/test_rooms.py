"""Data flows one way: a room imports the rooms to its left, and nobody else."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "xlser"
ORDER = (
    {"corpora"},
    {"data"},
    {"models", "losses"},
    {"features"},
    {"training"},
    {"store"},
    {"evaluation"},
    {"systems"},
    {"experiment"},
    {"reporting"},
    {"api"},
    {"environment"},
    {"docs"},
    {"serve"},
    {"cli"},
)
# What a report is made of is files: it must not be able to train.
NEVER = {"reporting": {"models", "losses", "training", "experiment"}}
FILES = sorted(PACKAGE.rglob("*.py"))
FACE = PACKAGE / "__init__.py"


def imported(source):
    """Return every module that a text imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are not read here"
            found |= {node.module} | {f"{node.module}.{name.name}" for name in node.names}
    return found


def rooms(source):
    names = {name.split(".")[1] for name in imported(source) if name.startswith("xlser.")}
    return names & set.union(*ORDER)


def room_of(path):
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else None


def allowed(room):
    place = next(i for i, peers in enumerate(ORDER) if room in peers)
    return {room}.union(*ORDER[:place]) - NEVER.get(room, set())


def test_every_folder_is_a_room_with_a_place():
    assert {room_of(path) for path in FILES} - {None} == set.union(*ORDER)


def test_imports_are_seen_wherever_they_stand():
    assert rooms("def f():\n    from xlser import losses\n    import xlser.models.vae") == {"losses", "models"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_file_imports_only_from_rooms_to_its_left(path):
    room = room_of(path)
    if path == FACE:  # what users import stands to the right of every room
        assert room is None
    else:
        assert rooms(path.read_text(encoding="utf-8")) <= (allowed(room) if room else set())


@pytest.mark.parametrize("path", [path for path in FILES if path != FACE], ids=lambda path: path.name)
def test_no_room_imports_the_packages_face(path):
    names = imported(path.read_text(encoding="utf-8"))
    assert "xlser.load" not in names
    assert "xlser.__version__" not in names


def test_one_file_imports_speechbrain():
    using = {
        path.relative_to(PACKAGE).as_posix()
        for path in FILES
        if any(name.split(".")[0] == "speechbrain" for name in imported(path.read_text(encoding="utf-8")))
    }
    assert using == {"training/brain.py"}

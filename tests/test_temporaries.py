"""Temporaries tell whose they are; those of ended processes are swept, and nothing else is."""

import os
import subprocess
import sys
import time

import pytest

from xlser import temporaries
from xlser.atomic import replacing, write_text
from xlser.temporaries import FOREIGN, Owner, remove_own, sweep, temporary_folder, temporary_name

HALF = """
import os, sys
from pathlib import Path
from xlser.atomic import replacing
from xlser.temporaries import temporary_folder
with replacing(sys.argv[1]) as file, temporary_folder(Path(sys.argv[1])) as folder:
    file.write_text("half")
    (folder / "inner").mkdir()
    (folder / "inner" / "half").write_text("half")
    print("ready", flush=True)
    sys.stdin.read()
"""


def at_work(path):
    child = subprocess.Popen([sys.executable, "-c", HALF, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"ready\n"
    return child


def named(folder, **other):
    """Return the path of a temporary that would be this process's but for what ``other`` says."""
    owner = Owner.this()._replace(**other)
    return folder / f".a.npy.xlser-{owner.pid}-{owner.began}-{owner.place}-0011aabb.npy"


def old(path, seconds):
    then = time.time() - seconds
    os.utime(path, (then, then))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_a_killed_process_left_goes_and_what_a_living_one_writes_stays(tmp_path):
    child = at_work(tmp_path / "a.txt")
    mine = names(tmp_path)
    assert len(mine) == 2
    sweep(tmp_path)
    assert names(tmp_path) == mine
    child.kill()
    child.wait()
    sweep(tmp_path)
    assert names(tmp_path) == []


def test_a_process_that_ended_and_was_not_waited_for_is_gone(tmp_path):
    child = at_work(tmp_path / "a.txt")
    child.kill()
    deadline = time.monotonic() + 5
    while names(tmp_path) and time.monotonic() < deadline:
        sweep(tmp_path)
    assert names(tmp_path) == []
    child.wait()


def test_the_next_write_into_a_folder_sweeps_it(tmp_path):
    child = at_work(tmp_path / "a.txt")
    child.kill()
    child.wait()
    write_text(tmp_path / "b.txt", "whole")
    assert names(tmp_path) == ["b.txt"]


def test_the_number_of_a_process_given_to_another_one_is_not_the_owner(tmp_path):
    here = named(tmp_path, began=Owner.this().began + 1)
    here.touch()
    sweep(tmp_path)
    assert names(tmp_path) == ([] if sys.platform == "linux" else [here.name])


def test_another_machines_work_is_left_for_a_day(tmp_path):
    young, ended = named(tmp_path, place="00000000"), named(tmp_path, place="00000001")
    young.touch()
    ended.touch()
    old(young, FOREIGN - 60)
    old(ended, FOREIGN + 60)
    sweep(tmp_path)
    assert names(tmp_path) == [young.name]


def test_a_folder_is_as_young_as_what_changed_in_it_last(tmp_path):
    folder = named(tmp_path, place="00000000")
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "new").touch()
    for path in (folder / "inner", folder):
        old(path, 2 * FOREIGN)
    sweep(tmp_path)
    assert folder.exists()
    old(folder / "inner" / "new", 2 * FOREIGN)
    sweep(tmp_path)
    assert not folder.exists()


def test_own_work_stays_however_old(tmp_path):
    mine = named(tmp_path)
    mine.touch()
    old(mine, 9 * FOREIGN)
    sweep(tmp_path)
    assert mine.exists()


@pytest.mark.parametrize(
    "name",
    [
        "a.npy.xlser-1-1-00000000-0011aabb.npy",  # not hidden
        ".a.npy.0011223344556677.npy",
        ".xlser-1-1-00000000-0011aabb",
        ".a.xlser-0-1-00000000-0011aabb",  # no process has this number
        ".a.xlser-1-1-00000000-0011aabb.tar.gz",
        ".a.xlser-1-1-00000000-0011AABB.npy",
        ".git",
        "notes.txt",
    ],
)
def test_a_users_file_is_never_swept(tmp_path, name):
    (tmp_path / name).touch()
    old(tmp_path / name, 9 * FOREIGN)
    sweep(tmp_path, 3)
    assert names(tmp_path) == [name]


def test_a_number_that_no_process_can_have_does_no_harm(tmp_path):
    named(tmp_path, pid=9_999_999_999).touch()
    sweep(tmp_path)


def test_links_are_not_followed(tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    here = tmp_path / "here"
    here.mkdir()
    named(here, place="00000000").symlink_to(tmp_path / "kept")
    (here / "deeper").symlink_to(tmp_path / "kept")
    left = named(tmp_path / "kept", place="00000000")
    left.touch()
    old(left, 2 * FOREIGN)
    os.utime(named(here, place="00000000"), (0, 0), follow_symlinks=False)
    sweep(here, 3)
    assert names(here) == ["deeper"]
    assert names(tmp_path / "kept") == sorted([left.name, "file"])


def test_only_so_deep(tmp_path):
    deep = tmp_path / "one" / "two"
    deep.mkdir(parents=True)
    left = named(deep, place="00000000")
    left.touch()
    old(left, 2 * FOREIGN)
    sweep(tmp_path, 1)
    assert left.exists()
    sweep(tmp_path, 2)
    assert not left.exists()


def test_a_folder_that_is_not_there_or_may_not_be_read_is_passed_over(tmp_path):
    sweep(tmp_path / "nowhere", 2)
    (tmp_path / "closed").mkdir(mode=0)
    sweep(tmp_path, 2)


def test_long_names_fit(tmp_path):
    for name in ("ü" * 125 + ".npy", "a" * 255, "b." + "c" * 253):
        temporary = temporary_name(tmp_path / name)
        assert len(os.fsencode(temporary.name)) <= 255
        assert Owner.of_name(temporary.name) == Owner.this()
        write_text(tmp_path / name, "whole")


def test_a_process_that_ends_at_once_removes_what_it_was_writing(tmp_path):
    with replacing(tmp_path / "a.txt") as file, temporary_folder(tmp_path / "b") as folder:
        (folder / "inner").touch()
        remove_own()
        assert not file.exists()
        assert not folder.exists()
        file.touch()
    assert not [path for path in temporaries._mine if path.is_relative_to(tmp_path)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_process_does_not_remove_its_parents_work(tmp_path):
    with replacing(tmp_path / "a.txt") as file:
        child = os.fork()
        if not child:
            remove_own()
            os._exit(0)
        os.waitpid(child, 0)
        assert file.exists()


def test_what_is_durable_reaches_the_disk_before_its_name_does(tmp_path, monkeypatch):
    events, fsync, replace = [], os.fsync, os.replace

    def seen(number):
        events.append(
            os.path.basename(os.readlink(f"/proc/self/fd/{number}")) if os.path.exists("/proc/self/fd") else ""
        )
        fsync(number)

    monkeypatch.setattr(os, "fsync", seen)
    monkeypatch.setattr(os, "replace", lambda *paths: (events.append("renamed"), replace(*paths)))
    write_text(tmp_path / "new" / "a.json", "{}", durable=True)
    synced = [event.partition(".xlser-")[0] for event in events]
    if os.path.exists("/proc/self/fd"):
        assert synced == [".a.json", "renamed", "new", tmp_path.name]
    events.clear()
    write_text(tmp_path / "new" / "b.json", "{}")
    assert events == ["renamed"]

"""Which files a pattern means, on disks as they are."""

import os
import unicodedata

import pytest

from xlser.corpora.globbing import matches_any, walk
from xlser.errors import CorpusError


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("*.wav", "a.wav", True),
        ("*.wav", "A.WAV", True),
        ("WAV/*.wav", "wav/a.wav", True),
        ("*.wav", "x/a.wav", False),
        ("*.wav", "a.wav.txt", False),
        ("*.wav", "awav", False),
        ("**/*.wav", "a.wav", True),
        ("**/*.wav", "x/y z/a.wav", True),
        ("x/**/*.wav", "x/a.wav", True),
        ("x/**/*.wav", "xy/a.wav", False),
        ("{Angry,Sad}/*.wav", "Sad/a.wav", True),
        ("{Angry,Sad}/*.wav", "Sadder/a.wav", False),
        ("{a,{b,c}d}.wav", "cd.wav", True),
        ("{a,{b,c}d}.wav", "c.wav", False),
        ("a,b.wav", "a,b.wav", True),
        ("s[0-3]?.wav", "s2x.wav", True),
        ("s[!0-3].wav", "s2.wav", False),
        ("s[!0-3].wav", "s7.wav", True),
        ("s?.wav", "s/.wav", False),
        ("a01 (*).wav", "a01 (2).wav", True),
        ("*.wav", "s05 [old] {x}+.wav", True),
        ("a[[]1].wav", "a[1].wav", True),
        ("Colère/*.wav", unicodedata.normalize("NFD", "Colère/a.wav"), True),
        (unicodedata.normalize("NFD", "Colère/*.wav"), "Colère/a.wav", True),
    ],
)
def test_a_pattern_fits_what_it_should(pattern, path, fits):
    assert matches_any(path, (pattern,)) is fits
    assert matches_any(path, ("nothing", pattern)) is fits


def test_files_come_sorted_and_hidden_ones_not_at_all(tree):
    root = tree("b/2.wav", "b/10.wav", "a.wav", "._a.wav", ".git/x.wav", "b/.DS_Store")
    assert list(walk(root)) == ["a.wav", "b/10.wav", "b/2.wav"]


def test_a_linked_folder_is_entered(tree, tmp_path):
    outside = tree("1.wav", root=tmp_path / "outside")
    root = tree("a.wav")
    (root / "link").symlink_to(outside)
    assert list(walk(root)) == ["a.wav", "link/1.wav"]


def test_the_folder_itself_may_be_a_link(tree, tmp_path):
    (tmp_path / "corpus link").symlink_to(tree("a.wav"))
    assert list(walk(tmp_path / "corpus link")) == ["a.wav"]


@pytest.mark.parametrize("target", [".", "a", "a/b"])
def test_a_link_to_a_folder_above_ends_and_finds_nothing_twice(tree, target):
    root = tree("a/b/1.wav")
    (root / "a" / "b" / "loop").symlink_to(root / target)
    assert list(walk(root)) == ["a/b/1.wav"]


def test_links_into_each_other_end(tree):
    root = tree("a/1.wav", "b/2.wav")
    (root / "a" / "to b").symlink_to(root / "b")
    (root / "b" / "to a").symlink_to(root / "a")
    assert {"a/1.wav", "b/2.wav"} <= set(walk(root))


def test_a_name_that_is_not_utf8_is_still_a_file(tmp_path):
    try:
        (tmp_path / os.fsdecode(b"gr\xf6\xdfe.wav")).touch()
    except OSError:
        pytest.skip("this disk takes UTF-8 names only: run on a Linux file system")
    assert len(list(walk(tmp_path))) == 1


def test_a_folder_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    def refused(folder):
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr("xlser.corpora.globbing.os.scandir", refused)
    with pytest.raises(CorpusError, match=f"cannot read the folder {tmp_path}: Permission denied"):
        list(walk(tmp_path))

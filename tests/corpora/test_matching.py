"""Paths that tables write, and the recordings that they name."""

import time

import pytest

from xlser.corpora.matching import match_paths

TREE = ["anna/000.wav", "anna/001.wav", "bert/000.wav"]


@pytest.mark.parametrize(
    ("written", "file"),
    [
        ("anna/000.wav", "anna/000.wav"),
        ("anna/000", "anna/000.wav"),
        ("./anna//000.WAV ", "anna/000.wav"),
        ("Anna\\000.wav", "anna/000.wav"),
        ("001.wav", "anna/001.wav"),
        ("001", "anna/001.wav"),
        ("C:\\data\\corpus\\bert\\000.wav", "bert/000.wav"),
        ("/home/other/bert/000.wav", "bert/000.wav"),
        ("../corpus/bert/000.wav", "bert/000.wav"),
        ("corpus/bert/000.wav", "bert/000.wav"),
        ("file:///data/bert/000.wav", "bert/000.wav"),
        ("{data_root}/bert/000.wav", "bert/000.wav"),
        ("bert/000.flac", "bert/000.wav"),
        ("bert/000.mp4", "bert/000.wav"),
        ("000.wav", None),
        ("carl/000.wav", None),
        ("carl/001.wav", None),
        ("wav/bert/000.wav", None),
        ("/home/carl/001.wav", None),
        ("", None),
        (".", None),
        ("anna", None),
    ],
)
def test_one_written_path(written, file):
    assert match_paths([written], TREE, "/data/corpus").files == [file]


def test_a_table_of_one_folder_labels_no_file_of_another():
    found = match_paths(["anna/000.wav"], ["bert/000.wav"])
    assert (found.files, found.unmatched, found.unnamed) == ([None], ["anna/000.wav"], ["bert/000.wav"])


def test_what_could_be_several_is_none_of_them_and_is_named():
    found = match_paths(["000.wav", "anna/001.wav", "nowhere.wav"], TREE)
    assert found.files == [None, "anna/001.wav", None]
    assert found.doubtful == {"000.wav": ["anna/000.wav", "bert/000.wav"]}
    assert found.unmatched == ["nowhere.wav"]
    assert found.unnamed == ["anna/000.wav", "bert/000.wav"]
    notes = " ".join(found.notes("t.csv"))
    assert all(name in notes for name in ("000.wav", "nowhere.wav", "bert/000.wav"))


@pytest.mark.parametrize("other", ["/d/bert/000.wav", "C:\\d\\bert\\000.wav", "../bert/000.wav"])
def test_two_paths_never_name_one_recording(other):
    found = match_paths(["/d/anna/000.wav", other], ["000.wav"])
    assert found.files == [None, None]
    assert list(found.doubtful) == ["/d/anna/000.wav", other]


def test_rows_of_one_path_name_one_recording():
    assert match_paths(["anna/000.wav"] * 3, TREE).files == ["anna/000.wav"] * 3


def test_the_same_suffix_and_letter_case_come_first():
    files = ["A.wav", "a.wav", "b.flac", "b.wav"]
    assert match_paths(["a.wav", "A.wav", "b.wav", "b.flac"], files).files == ["a.wav", "A.wav", "b.wav", "b.flac"]
    assert match_paths(["b"], files).doubtful == {"b": ["b.flac", "b.wav"]}


def test_accents_are_composed_or_not():
    assert match_paths(["a\u0308.wav", "\u00e9"], ["\u00e4.wav", "e\u0301.wav"]).files == ["\u00e4.wav", "e\u0301.wav"]


def test_absolute_paths_have_their_common_folders_left_away():
    files = ["wav/anna/000.wav", "wav/bert/000.wav"]
    written = ["C:\\corpus\\anna\\000.wav", "C:\\corpus\\bert\\000.wav"]
    found = match_paths(written, files)
    assert found.files == files
    assert found.by_tail == dict(zip(written, files, strict=True))
    assert match_paths(["/corpus/anna/000.wav"], files).files == files[:1]
    assert match_paths(["/corpus/carl/000.wav"], files[:1]).files == [None]


def test_the_longest_agreement_counts():
    assert match_paths(["/d/anna/000.wav"], ["000.wav", "anna/000.wav"]).files == ["anna/000.wav"]


def test_many_paths_of_one_name_take_no_time():
    files = [f"{n:05}/clip.wav" for n in range(5000)]
    start = time.perf_counter()
    assert match_paths([f"C:\\x\\{file}" for file in files], files).files == files
    assert time.perf_counter() - start < 5

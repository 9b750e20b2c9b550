"""A second look at a folder reads what changed, and nothing else."""

import errno
import os
import time
from pathlib import Path

import pytest
import soundfile

import xlser.data.headers as headers_module
from xlser.data.manifest import build_manifest
from xlser.data.scan_index import ScanIndex
from xlser.errors import MachineError

NAMES = ("s1_ang_1.wav", "s2_hap_1.wav", "s3_sad_1.wav")


@pytest.fixture
def settled(corpus):
    """Return a corpus folder whose files are an hour old."""
    root = corpus(*NAMES)
    for path in root.iterdir():
        age(path)
    return root


@pytest.fixture
def probed(monkeypatch):
    """Return the list of file names whose headers were read."""
    names = []
    real = headers_module.probe
    monkeypatch.setattr(headers_module, "probe", lambda path: (names.append(os.path.basename(path)), real(path))[1])
    return names


def age(path, seconds=3600):
    then = time.time() - seconds
    os.utime(path, (then, then))


def rewrite(path, seconds, rate=16_000):
    soundfile.write(path, [0.1] * int(seconds * rate), rate)


def test_an_unchanged_folder_is_not_read_again(make_card, settled, probed, tmp_path):
    first = build_manifest(make_card(), settled, cache=tmp_path / "cache")
    assert sorted(probed) == sorted(NAMES)
    second = build_manifest(make_card(), settled, cache=tmp_path / "cache")
    assert len(probed) == 3
    assert second.frame.equals(first.frame)
    assert (second.root, second.card_hash, second.left_out) == (first.root, first.card_hash, first.left_out)


def test_a_changed_file_is_read_again_and_alone(make_card, settled, probed, tmp_path):
    build_manifest(make_card(), settled, cache=tmp_path / "cache")
    rewrite(settled / NAMES[1], 1.5)
    age(settled / NAMES[1], 600)
    manifest = build_manifest(make_card(), settled, cache=tmp_path / "cache")
    assert probed[3:] == [NAMES[1]]
    assert manifest.frame.set_index("path")["duration"][NAMES[1]] == 1.5


def test_a_file_of_the_same_size_and_another_time_is_read_again(make_card, settled, probed, tmp_path):
    build_manifest(make_card(), settled, cache=tmp_path / "cache")
    age(settled / NAMES[0], 60)
    build_manifest(make_card(), settled, cache=tmp_path / "cache")
    assert probed[3:] == [NAMES[0]]


def test_a_file_that_changed_just_now_is_not_trusted(make_card, corpus, probed, tmp_path):
    root = corpus(*NAMES)
    for _ in range(2):
        build_manifest(make_card(), root, cache=tmp_path / "cache")
    assert len(probed) == 6


def test_a_new_and_a_lost_file_are_seen(make_card, settled, corpus, tmp_path):
    build_manifest(make_card(), settled, cache=tmp_path / "cache")
    (settled / NAMES[0]).unlink()
    corpus("s4_neu_1.wav", root=settled)
    manifest = build_manifest(make_card(), settled, cache=tmp_path / "cache")
    assert list(manifest.frame["path"]) == [NAMES[1], NAMES[2], "s4_neu_1.wav"]


def test_another_card_and_a_changed_table_are_other_scans(make_card, settled, tmp_path):
    dimensions = {"file": "r.csv", "scale": [1, 5], "columns": {"valence": "v"}}
    build_manifest(make_card(), settled, cache=tmp_path / "cache")
    assert build_manifest(make_card(text="{take}"), settled, cache=tmp_path / "cache").frame["text"].notna().all()
    for rating in ("2", "4"):
        above = settled.parent / "labels" / "r.csv"  # outside the folder, where published ratings may lie
        above.parent.mkdir(exist_ok=True)
        above.write_text("file,v\n" + "".join(f"{name},{rating}\n" for name in NAMES))
        age(above, 100 * int(rating))
        manifest = build_manifest(make_card(dimensions=dimensions), settled, cache=tmp_path / "cache")
        assert set(manifest.frame["valence_raw"]) == {float(rating)}


def test_a_damaged_index_is_made_anew(make_card, settled, probed, tmp_path):
    first = build_manifest(make_card(), settled, cache=tmp_path / "cache")
    for path in (tmp_path / "cache" / "scans").iterdir():
        path.write_bytes(b"PAR1 nonsense")
    assert build_manifest(make_card(), settled, cache=tmp_path / "cache").frame.equals(first.frame)
    assert len(probed) == 6


def test_only_the_last_state_is_kept(make_card, settled, tmp_path):
    for seconds in (500, 400, 300):
        age(settled / NAMES[0], seconds)
        build_manifest(make_card(), settled, cache=tmp_path / "cache")
    assert len(list((tmp_path / "cache" / "scans").iterdir())) == 2


def test_a_fault_is_never_remembered(make_card, settled, tmp_path):
    (settled / NAMES[0]).write_text("no audio")
    age(settled / NAMES[0])
    kept = build_manifest(make_card(), settled, cache=tmp_path / "cache")
    assert kept.left_out == {"text named as audio": [NAMES[0]]}
    assert NAMES[0] not in ScanIndex(make_card(), settled.resolve(), tmp_path / "cache").headers()
    assert build_manifest(make_card(), settled, cache=tmp_path / "cache").left_out == kept.left_out


def test_a_name_in_another_encoding_is_no_reason_to_stop(make_card, settled, tmp_path):
    name = os.fsdecode(b"caf\xe9.wav")
    try:
        (settled / name).touch()
    except OSError:
        pytest.skip("this disk takes only UTF-8 names")
    age(settled / name)
    assert len(build_manifest(make_card(), settled, cache=tmp_path / "cache").frame) == 3


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_a_cache_that_may_only_be_read_does(make_card, corpus, tmp_path, monkeypatch, number):
    root, make = corpus("s1_ang_1.wav", "s2_sad_1.wav"), Path.mkdir

    def refuse(self, *args, **options):
        if tmp_path / "cache" in (self, *self.parents):
            raise OSError(number, os.strerror(number), str(self))
        return make(self, *args, **options)

    for path in root.iterdir():  # settled: written long ago
        os.utime(path, (1, 1))
    monkeypatch.setattr(Path, "mkdir", refuse)
    assert len(build_manifest(make_card(), root, cache=tmp_path / "cache").frame) == 2
    assert not (tmp_path / "cache").exists()


def test_a_full_disk_is_no_cache_that_may_only_be_read(make_card, corpus, tmp_path, monkeypatch):
    root = corpus("s1_ang_1.wav", "s2_sad_1.wav")
    for path in root.iterdir():
        os.utime(path, (1, 1))

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(MachineError, match="The disk is full"):
        build_manifest(make_card(), root, cache=tmp_path / "cache")

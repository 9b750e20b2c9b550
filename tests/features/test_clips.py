"""Audio of a manifest: decoded once, the same bits ever after, nothing but lengths held."""

import errno
import gc
import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import soundfile
from pandas.testing import assert_frame_equal

from xlser.corpora.card import load_card
from xlser.data.audio import content_hash, read_mono
from xlser.data.manifest import build_manifest, write_manifest
from xlser.errors import CorpusError, XlserError
from xlser.features import clips
from xlser.features.clips import read_clips

NAMES = tuple(f"s{n}_ang_1.wav" for n in range(1, 7))
READ = """
import os, sys, time
from xlser.data.manifest import read_manifest
from xlser.features.clips import read_clips
manifest = read_manifest(sys.argv[1])
"""


@pytest.fixture
def folder(corpus):
    return corpus(*NAMES)


@pytest.fixture
def manifest(make_card, folder):
    return build_manifest(make_card(), folder)


@pytest.fixture
def run(tmp_path):
    def go(manifest, **options):
        return read_clips(manifest, tmp_path / "cache", **{"jobs": 1, "progress": False, **options})

    return go


@pytest.fixture
def decoded(monkeypatch):
    """Return the list of files that were decoded."""
    names = []
    real = clips.read_mono
    monkeypatch.setattr(clips, "read_mono", lambda path, *rest: names.append(path.name) or real(path, *rest))
    return names


def entries(tmp_path):
    return sorted(path for path in (tmp_path / "cache").rglob("*.npy") if not path.name.startswith("."))


def python(code, *arguments):
    return subprocess.Popen([sys.executable, "-c", READ + code, *map(str, arguments)])


@pytest.mark.parametrize(("own", "rate"), [(16_000, 16_000), (44_100, 16_000), (16_000, 8_000)])
def test_the_audio_is_that_of_read_mono_bit_for_bit(run, make_card, corpus, tmp_path, own, rate):
    manifest = build_manifest(make_card(), corpus(*NAMES, root=tmp_path / str(own), rate=own))
    for found in (run(manifest, rate=rate), run(manifest, rate=rate, jobs=3)):
        for row, path in enumerate(manifest.files()):
            samples = found.read(row)
            assert samples.tobytes() == read_mono(path, rate).tobytes()
            assert (samples.dtype, len(samples)) == (np.float32, found.samples[row])
    assert_frame_equal(found.manifest.frame, manifest.frame)
    assert found.contents == [content_hash(path) for path in manifest.files()]
    assert (found.samples.dtype, found.rate, found.cached, found.faults) == (np.int64, rate, 6, {})
    assert found.seconds.tolist() == [0.4] * 6


def test_stereo_becomes_mono(run, manifest, folder):
    one, other = (soundfile.read(folder / name, dtype="float32")[0] for name in NAMES[:2])
    soundfile.write(folder / NAMES[0], np.stack([one, other], axis=1), 16_000, subtype="FLOAT")
    assert run(manifest).read(0) == pytest.approx((one + other) / 2)


def test_what_is_read_is_mapped_and_cannot_be_changed(run, manifest):
    samples = run(manifest).read(2)
    assert isinstance(samples.base, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        samples[0] = 1


def test_a_second_run_decodes_nothing_and_reads_headers_only(run, manifest, decoded, monkeypatch):
    first = run(manifest)
    assert len(decoded) == 6
    decoded.clear()
    with monkeypatch.context() as patch:
        patch.setattr(np, "memmap", None)  # whoever asks for samples falls over this
        second = run(manifest)
    assert (second.cached, decoded) == (6, [])
    assert second.samples.tolist() == first.samples.tolist()
    assert second.read(5).tobytes() == first.read(5).tobytes()


def test_another_rate_is_another_entry(run, manifest, tmp_path):
    run(manifest)
    assert run(manifest, rate=8_000).cached == 0
    assert {path.parent.parent.name[:6] for path in entries(tmp_path)} == {"clips-"}
    assert len(entries(tmp_path)) == 12


def test_a_folder_that_was_moved_is_still_in_the_cache(run, make_card, manifest, folder, moved):
    run(manifest)
    assert run(build_manifest(make_card(), moved(folder))).cached == 6


def test_an_entry_that_is_gone_or_damaged_after_the_start_is_made_again(run, manifest, tmp_path, decoded):
    found = run(manifest)
    whole = [found.store.path(content).read_bytes() for content in found.contents]
    paths = [found.store.path(content) for content in found.contents]
    paths[0].unlink()
    paths[1].write_bytes(whole[1][:-9])
    paths[2].write_bytes(whole[2][:5000] + b"\xff\xff" + whole[2][5002:])
    paths[3].write_bytes(b"")
    decoded.clear()
    for row, path in enumerate(manifest.files()):
        samples = found.read(row)
        assert samples.tobytes() == read_mono(path, 16_000).tobytes()
        assert not samples.flags.writeable
    assert decoded == list(NAMES[:4])
    assert [path.read_bytes() for path in paths] == whole
    assert run(manifest).cached == 6


def test_an_entry_cut_between_two_runs_is_made_again(run, manifest, tmp_path):
    first = [run(manifest).read(row).tobytes() for row in range(6)]
    entry = entries(tmp_path)[3]
    entry.write_bytes(entry.read_bytes()[:-400])
    second = run(manifest)
    assert second.cached == 5
    assert [second.read(row).tobytes() for row in range(6)] == first


def test_a_recording_that_was_changed_does_not_take_the_place_of_the_lost_entry(run, manifest, folder, tmp_path):
    found = run(manifest)
    found.store.path(found.contents[1]).unlink()
    soundfile.write(folder / NAMES[1], soundfile.read(folder / NAMES[2])[0], 16_000)
    with pytest.raises(CorpusError, match=rf"corpus toy: .*{NAMES[1]}: the file was changed since this run began"):
        found.read(1)
    assert len(entries(tmp_path)) == 5


def test_a_recording_that_is_gone_with_its_entry_is_named(run, manifest, folder):
    found = run(manifest)
    found.store.path(found.contents[1]).unlink()
    (folder / NAMES[1]).unlink()
    with pytest.raises(CorpusError, match=rf"corpus toy: .*{NAMES[1]}: cannot be read: No such file"):
        found.read(1)


def spoil(folder):
    """A silent recording, one that is gone, one that is NaN, one that is text, one that is too short."""
    soundfile.write(folder / NAMES[0], np.zeros(6400), 16_000)
    (folder / NAMES[1]).unlink()
    soundfile.write(folder / NAMES[2], np.full(6400, np.nan), 16_000, subtype="FLOAT")
    (folder / NAMES[3]).write_text("404")
    soundfile.write(folder / NAMES[4], np.full(399, 0.1), 16_000)


def test_recordings_that_cannot_be_used_are_left_out_and_named(run, manifest, folder):
    spoil(folder)
    manifest.left_out["silent"] = ["before.wav"]
    found = run(manifest, jobs=3)
    assert found.manifest.frame["path"].tolist() == [NAMES[5]]
    assert found.samples.tolist() == [6400]
    assert found.read(0).tobytes() == read_mono(folder / NAMES[5], 16_000).tobytes()
    assert found.manifest.left_out == {
        "silent": ["before.wav", NAMES[0]],
        "cannot be read": [NAMES[1]],
        "NaN or infinite samples": [NAMES[2]],
        "text named as audio": [NAMES[3]],
        "too short": [NAMES[4]],
    }
    assert found.faults[NAMES[4]] == "too short: 25 ms of 25 needed"
    assert manifest.left_out == {"silent": ["before.wav"]}, "the manifest that was given stays as it is"


def test_the_shortest_length_holds_for_cached_clips_too(run, manifest, folder):
    soundfile.write(folder / NAMES[0], np.full(400, 0.1), 16_000)
    assert run(manifest).samples[0] == 400
    longer = run(manifest, shortest=401)
    assert (longer.cached, list(longer.faults)) == (5, [NAMES[0]])


def test_strict_stops_and_names_the_recording(run, manifest, folder):
    spoil(folder)
    with pytest.raises(CorpusError, match=r"s1_ang_1\.wav: silent: .*stopped by --strict"):
        run(manifest, strict=True, jobs=2)


def test_a_corpus_without_one_usable_recording_says_why(run, manifest, folder):
    for name in NAMES:
        soundfile.write(folder / name, np.zeros(6400), 16_000)
    with pytest.raises(CorpusError, match=r"none of its 6 recordings gives clips; s1_ang_1\.wav: silent"):
        run(manifest)


def test_segments_of_one_file_are_clips_of_their_own(run, manifest, folder):
    frame = manifest.frame.iloc[[0, 0, 1]].reset_index(drop=True)
    frame["start"], frame["end"], frame["duration"] = [0.0, 0.1, 0.0], [0.1, 0.3, 0.4], [0.4, 0.4, 0.4]
    manifest.frame = frame
    found = run(manifest)
    assert found.samples.tolist() == [1600, 3200, 6400]
    found.store.path(found.contents[1]).unlink()
    assert found.read(1).tobytes() == read_mono(folder / NAMES[0], 16_000)[1600:4800].tobytes()
    assert run(manifest).cached == 3


def test_a_full_disk_stops_and_keeps_what_was_done(run, manifest, monkeypatch):
    real, written = os.replace, []

    def fills_up(source, target):
        written.append(target)
        if len(written) > 4:  # extractor.json and three entries
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(source, target)

    monkeypatch.setattr(os, "replace", fills_up)
    with pytest.raises(XlserError, match="No space left"):
        run(manifest)
    monkeypatch.setattr(os, "replace", real)
    assert run(manifest).cached == 3


def test_a_killed_run_leaves_whole_entries_and_the_next_goes_on(run, manifest, tmp_path):
    write_manifest(manifest, tmp_path / "m.parquet")
    code = """
real, done = os.replace, []
os.replace = lambda a, b: os._exit(9) if len(done) == 3 else (done.append(b), real(a, b))
read_clips(manifest, sys.argv[2], jobs=1, progress=False)
"""
    assert python(code, tmp_path / "m.parquet", tmp_path / "cache").wait() == 9
    assert len(entries(tmp_path)) == 2
    found = run(manifest)
    assert found.cached == 2
    assert [found.read(row).tobytes() for row in range(6)] == [read_mono(f, 16_000).tobytes() for f in manifest.files()]


def test_two_processes_at_once_share_a_cache(run, manifest, tmp_path):
    write_manifest(manifest, tmp_path / "m.parquet")
    code = """
for _ in range(3):
    found = read_clips(manifest, sys.argv[2], jobs=2, progress=False)
    assert [len(found.read(row)) for row in range(6)] == [6400] * 6
    for content in found.contents[:3]:
        found.store.path(content).unlink(missing_ok=True)
"""
    readers = [python(code, tmp_path / "m.parquet", tmp_path / "cache") for _ in range(2)]
    assert [reader.wait() for reader in readers] == [0, 0]
    found = run(manifest)
    assert [found.read(row).tobytes() for row in range(6)] == [read_mono(f, 16_000).tobytes() for f in manifest.files()]


def test_only_lengths_and_hashes_are_held(run, make_card, tmp_path):
    root = tmp_path / "long"
    root.mkdir()
    for number in range(30):
        noise = np.random.default_rng(number).normal(0, 0.1, 32_000)
        soundfile.write(root / f"s{number}_ang_1.wav", noise, 16_000)
    manifest = build_manifest(make_card(), root)
    run(manifest)  # what is imported lazily is there by now
    for path in entries(tmp_path):
        path.unlink()
    gc.collect()
    tracemalloc.start()
    found = run(manifest)
    gc.collect()
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    audio = int(found.samples.sum()) * 4
    assert (audio, found.cached) == (30 * 2 * 64_000, 0)
    assert held < audio / 20
    assert peak < audio / 4, "a few recordings at a time, whatever the corpus"


def test_the_recorded_corpora_are_read_whole(real_corpora, run):
    manifest = build_manifest(load_card("urdu"), real_corpora / "urdu")
    manifest.frame = manifest.frame.iloc[::50].reset_index(drop=True)
    found = run(manifest)
    assert found.seconds == pytest.approx(manifest.frame["duration"], abs=2 / 16_000)
    for row, path in enumerate(manifest.files()):
        assert found.read(row).tobytes() == read_mono(path, 16_000).tobytes()

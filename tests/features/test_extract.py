"""Features of a manifest: each recording once, in order, and those that cannot be used named."""

import errno
import os
import time
from typing import ClassVar

import numpy as np
import pytest
import soundfile
from pandas.testing import assert_frame_equal

from xlser.data.manifest import build_manifest
from xlser.errors import CorpusError, XlserError
from xlser.features.extract import extract
from xlser.features.extractor import Extractor

NAMES = tuple(f"s{n}_ang_1.wav" for n in range(1, 7))


class Toy(Extractor):
    """Samples, loudness and peak, and how often it was asked."""

    name: ClassVar[str] = "toy"
    shortest: ClassVar[float] = 0.0

    def __init__(self, option=1):
        self.option, self.calls = option, 0

    def identity(self):
        return {"extractor": self.name, "option": self.option}

    def columns(self):
        return ["samples", "loudness", "peak"]

    def __call__(self, samples):
        self.calls += 1
        return np.array([samples.size, np.abs(samples).mean(), np.abs(samples).max()], dtype=np.float32)


@pytest.fixture
def folder(corpus):
    return corpus(*NAMES)


@pytest.fixture
def manifest(make_card, folder):
    return build_manifest(make_card(), folder)


@pytest.fixture
def run(tmp_path):
    def go(manifest, toy=None, **options):
        return extract(manifest, toy or Toy(), tmp_path / "cache", **{"jobs": 1, "progress": False, **options})

    return go


def test_there_is_one_row_of_features_a_row_of_the_manifest(run, manifest, folder):
    found = run(manifest)
    loud = [np.abs(soundfile.read(folder / name, dtype="float32")[0]).mean() for name in NAMES]
    assert found.values.dtype == np.float32
    assert found.values[:, 1] == pytest.approx(loud)
    assert found.columns == ["samples", "loudness", "peak"]
    assert_frame_equal(found.manifest.frame, manifest.frame)
    assert (found.cached, found.faults) == (0, {})


def test_a_second_run_reads_all_from_the_cache(run, manifest):
    first, toy = run(manifest), Toy()
    second = run(manifest, toy)
    assert (toy.calls, second.cached) == (0, 6)
    assert second.values.tobytes() == first.values.tobytes()


def test_other_options_are_computed_anew(run, manifest):
    run(manifest)
    toy = Toy(option=2)
    run(manifest, toy)
    assert toy.calls == 6


def test_a_folder_that_was_moved_or_renamed_is_still_in_the_cache(run, make_card, manifest, folder, moved):
    run(manifest)
    toy = Toy()
    assert run(build_manifest(make_card(), moved(folder)), toy).cached == 6
    assert toy.calls == 0


def test_a_run_that_was_stopped_goes_on_where_it_was(run, manifest):
    class Stops(Toy):
        def __call__(self, samples):
            if self.calls == 4:
                raise KeyboardInterrupt
            return super().__call__(samples)

    with pytest.raises(KeyboardInterrupt):
        run(manifest, Stops())
    toy = Toy()
    again = run(manifest, toy)
    assert (toy.calls, again.cached) == (2, 4)
    assert len(again.values) == 6


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


def test_a_damaged_entry_is_computed_again(run, manifest, tmp_path):
    first = run(manifest)
    entry = sorted((tmp_path / "cache").rglob("*.npy"))[2]
    entry.write_bytes(entry.read_bytes()[:-9])
    toy = Toy()
    assert run(manifest, toy).values.tobytes() == first.values.tobytes()
    assert toy.calls == 1
    assert run(manifest).cached == 6


def test_the_order_of_the_rows_stays_whichever_is_ready_first(run, manifest):
    class Uneven(Toy):
        def __call__(self, samples):
            time.sleep(0.03 * (self.calls % 2 == 0))
            return super().__call__(samples)

    alone = run(manifest, Toy(option="alone")).values
    assert run(manifest, Uneven(option="uneven"), jobs=4).values.tobytes() == alone.tobytes()


def spoil(folder):
    """A silent recording, one that is gone, one that is NaN, one that was overwritten with text."""
    soundfile.write(folder / NAMES[1], np.zeros(6400), 16_000)
    (folder / NAMES[2]).unlink()
    soundfile.write(folder / NAMES[3], np.full(6400, np.nan), 16_000, subtype="FLOAT")
    (folder / NAMES[4]).write_text("404")


def test_recordings_that_cannot_be_used_are_left_out_and_named(run, manifest, folder):
    spoil(folder)
    manifest.left_out["silent"] = ["before.wav"]
    found = run(manifest, jobs=3)
    assert found.manifest.frame["path"].tolist() == [NAMES[0], NAMES[5]]
    assert found.manifest.frame.index.tolist() == [0, 1]
    assert found.values.shape == (2, 3)
    assert found.manifest.left_out == {
        "silent": ["before.wav", NAMES[1]],
        "cannot be read": [NAMES[2]],
        "NaN or infinite samples": [NAMES[3]],
        "text named as audio": [NAMES[4]],
    }
    assert set(found.faults) == set(NAMES[1:5])
    assert manifest.left_out == {"silent": ["before.wav"]}, "the manifest that was given stays as it is"
    assert len(manifest.frame) == 6


def test_strict_stops_at_the_first_and_names_it(run, manifest, folder):
    spoil(folder)
    with pytest.raises(CorpusError, match=r"s2_ang_1\.wav: silent: .*stopped by --strict"):
        run(manifest, strict=True, jobs=2)


def test_features_that_are_not_numbers_are_faults_and_are_not_kept(run, manifest, tmp_path):
    class Odd(Toy):
        def __call__(self, samples):
            values = super().__call__(samples)
            return values * np.nan if self.calls == 3 else values

    found = run(manifest, Odd())
    assert found.faults == {NAMES[2]: "NaN or infinite features (3 of 3)"}
    assert found.manifest.left_out == {"NaN or infinite features": [NAMES[2]]}
    assert len(list((tmp_path / "cache").rglob("*.npy"))) == 5


def test_a_corpus_without_one_usable_recording_says_why(run, manifest, folder):
    for name in NAMES:
        soundfile.write(folder / name, np.zeros(6400), 16_000)
    with pytest.raises(CorpusError, match=r"none of its 6 recordings gives features; s1_ang_1\.wav: silent"):
        run(manifest)


def test_recordings_come_at_the_rate_that_the_extractor_wants(run, make_card, corpus, tmp_path):
    manifest = build_manifest(make_card(), corpus(*NAMES[:2], root=tmp_path / "fast", rate=44_100))
    assert run(manifest).values[:, 0].tolist() == [6400, 6400]


def test_segments_of_one_file_are_rows_of_their_own(run, manifest, folder):
    samples, rate = soundfile.read(folder / NAMES[0])
    soundfile.write(folder / NAMES[0], np.concatenate([samples, np.zeros(3200), samples[:800]]), rate)
    frame = manifest.frame.iloc[[0, 0, 0, 1]].reset_index(drop=True)
    frame["start"], frame["end"] = [0.0, 0.4, 0.6, 0.0], [0.4, 0.6, 0.65, 0.4]
    frame["duration"] = frame["end"] - frame["start"]
    manifest.frame = frame
    found = run(manifest)
    assert found.manifest.frame["start"].tolist() == [0.0, 0.6, 0.0]
    assert found.values[:, 0].tolist() == [6400, 800, 6400]
    assert found.manifest.left_out == {"silent": [f"{NAMES[0]}#0.400-0.600"]}
    assert run(manifest).cached == 3

"""Copies are found however they were wrapped, shifted, amplified or coded; another take of the sentence is not one."""

import hashlib
import warnings
from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import soundfile

from xlser.corpora.card import load_card
from xlser.data.audio import AudioFault, resample
from xlser.data.manifest import build_manifest
from xlser.evaluation.audit.duplicates import exact_groups, near_pairs, with_labels
from xlser.evaluation.audit.fingerprint import THRESHOLD, band_levels, moves, power_frames, similarity
from xlser.evaluation.audit.measure import measure_corpus
from xlser.evaluation.audit.sound import decode

RATE = 16_000


def phrase(seed, seconds=1.6, rate=RATE):
    """Return syllables of random pitch, length and colour: two seeds are two sentences."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate)) / rate
    wave = 0.002 * rng.standard_normal(t.size)
    at = 0.1
    while at < seconds - 0.3:
        long = rng.uniform(0.08, 0.22)
        inside = (t >= at) & (t < at + long)
        pitch, tilt = rng.uniform(90, 260), rng.uniform(0.3, 1.5)
        tone = sum(np.sin(2 * np.pi * pitch * k * t[inside]) / k**tilt for k in range(1, 13))
        wave[inside] += rng.uniform(0.3, 1) * tone * np.hanning(inside.sum())
        at += long + rng.uniform(0.02, 0.12)
    return (0.4 * wave / np.abs(wave).max()).astype(np.float32)


def write(folder, name, samples, rate=RATE, **options):
    folder.mkdir(exist_ok=True)
    soundfile.write(folder / name, samples, rate, **options)


@pytest.fixture
def measured(make_card, tmp_path):
    """Return a function: what was measured of a folder of s1_ang_1.wav and the like, and its manifest's table."""

    def measure(root, cache=None, **card):
        card = make_card(audio=["*.wav", "*.flac", "*.ogg", "*.mp3"], **card)
        manifest = build_manifest(card, root)
        return measure_corpus(manifest, cache or tmp_path / "cache", progress=False), manifest.frame

    return measure


def test_wrapping_and_width_and_twin_channels_do_not_change_what_is_hashed(tmp_path):
    whole = np.round(phrase(0) * 32768) / 32768
    write(tmp_path / "a", "a.wav", whole, subtype="PCM_16")
    write(tmp_path / "a", "b.flac", whole)
    write(tmp_path / "a", "c.wav", whole, subtype="PCM_24")
    write(tmp_path / "a", "d.wav", whole, subtype="FLOAT")
    write(tmp_path / "a", "e.wav", np.stack([whole, whole], axis=1), subtype="PCM_16")
    sounds = [decode(path) for path in sorted((tmp_path / "a").iterdir())]
    assert len({sound.key() for sound in sounds}) == 1
    assert len({sound.digest() for sound in sounds}) == 1
    assert [sound.channels for sound in sounds] == [1, 1, 1, 1, 2]


def test_one_sample_or_the_rate_makes_another_recording(tmp_path):
    whole = np.round(phrase(0) * 32768) / 32768
    other = whole.copy()
    other[700] += 1 / 32768
    write(tmp_path / "a", "a.wav", whole)
    write(tmp_path / "a", "b.wav", other)
    write(tmp_path / "a", "c.wav", whole, rate=RATE // 2)
    assert len({decode(path).digest() for path in (tmp_path / "a").iterdir()}) == 3


def test_a_recording_beyond_full_scale_or_between_steps_stays_float(tmp_path):
    write(tmp_path / "a", "a.wav", 3 * phrase(0), subtype="FLOAT")
    sound = decode(tmp_path / "a" / "a.wav")
    assert sound.samples.dtype == np.float32
    assert np.abs(sound.mono() - 3 * phrase(0)).max() < 1e-6


@pytest.mark.parametrize(("content", "fault"), [(b"", "zero length"), (b"not audio at all", "text named as audio")])
def test_what_cannot_be_decoded_is_named_and_left_out(tmp_path, measured, content, fault):
    root = tmp_path / "c"
    write(root, "s1_ang_1.wav", phrase(1))
    write(root, "s2_sad_1.wav", phrase(2))
    (root / "bad.bin").write_bytes(content)
    with pytest.raises(AudioFault, match=fault):
        decode(root / "bad.bin")
    frame = measured(root)[1]
    assert len(frame) == 2


def test_exact_groups_name_the_conflict(tmp_path, measured):
    root = tmp_path / "c"
    same = np.round(phrase(3) * 32768) / 32768
    write(root, "s1_ang_1.wav", same)
    write(root, "s2_sad_1.flac", same)
    write(root, "s1_ang_2.wav", phrase(4))
    found, frame = measured(root)
    (group,) = with_labels(exact_groups([found]), frame)
    assert group["ids"] == ["toy/s1_ang_1", "toy/s2_sad_1"]
    assert group["conflicts"] == ["emotion", "speaker"]
    assert len(group["sha256"]) == len(hashlib.sha256().hexdigest())


def test_a_meeting_of_checksums_is_no_duplicate(tmp_path, measured, monkeypatch):
    from xlser.evaluation.audit import sound

    monkeypatch.setattr(sound, "zlib", SimpleNamespace(crc32=lambda _: 7))
    root = tmp_path / "c"
    for take in range(3):
        write(root, f"s1_ang_{take}.wav", phrase(take))
    assert exact_groups([measured(root)[0]]) == []


def test_silent_recordings_are_not_copies_of_each_other(tmp_path, measured):
    root = tmp_path / "c"
    for take in range(3):
        write(root, f"s1_ang_{take}.wav", np.zeros(RATE))
    found, _ = measured(root)
    assert exact_groups([found]) == []
    assert near_pairs([found], []) == []


def altered(samples):
    quiet = np.zeros(round(0.2137 * RATE), dtype=np.float32)
    noise = np.random.default_rng(0).standard_normal(len(samples)).astype(np.float32)
    return {
        "shifted": (np.concatenate([quiet, samples]), RATE, {}, "wav"),
        "trimmed": (samples[1717:-1200], RATE, {}, "wav"),
        "turned down": (0.1 * samples, RATE, {}, "wav"),
        "8 kHz": (resample(samples, RATE, 8000), 8000, {}, "wav"),
        "Vorbis": (samples, RATE, {"format": "OGG", "subtype": "VORBIS"}, "ogg"),
        "MP3": (samples, RATE, {"format": "MP3", "subtype": "MPEG_LAYER_III"}, "mp3"),
        "noisy": (samples + 0.05 * samples.std() * noise, RATE, {}, "wav"),
    }


@pytest.mark.parametrize("how", altered(np.zeros(RATE, np.float32)))
def test_an_altered_copy_is_found_among_forty_sentences(tmp_path, measured, how):
    root = tmp_path / "c"
    for number in range(40):
        write(root, f"s{number % 4}_ang_{number}.wav", phrase(number))
    samples, rate, options, suffix = altered(phrase(17))[how]
    write(root, f"s9_ang_99.{suffix}", samples, rate, **options)
    found, _ = measured(root)
    (pair,) = near_pairs([found], exact_groups([found]))
    assert set(pair["ids"]) == {"toy/s1_ang_17", "toy/s9_ang_99"}
    if how == "shifted":
        assert abs(abs(pair["shift"]) - 0.2137) < 0.011


def test_copies_are_found_across_corpora(tmp_path, measured):
    for number in range(6):
        write(tmp_path / "one", f"s1_ang_{number}.wav", phrase(number))
        write(tmp_path / "two", f"s1_ang_{number}.wav", phrase(100 + number))
    write(tmp_path / "two", "s1_ang_9.wav", 0.3 * phrase(3))
    both = [measured(tmp_path / "one")[0], measured(tmp_path / "two", name="other")[0]]
    (pair,) = near_pairs(both, [])
    assert set(pair["ids"]) == {"toy/s1_ang_3", "other/s1_ang_9"}
    frame = pd.concat([measured(tmp_path / "one")[1], measured(tmp_path / "two", name="other")[1]])
    frame["speaker"] = frame["corpus"] + "/" + frame["speaker"]
    assert with_labels([pair], frame)[0]["conflicts"] == []


def test_similarity_without_movement_is_not_defined():
    nothing = np.zeros((50, 12), dtype=np.int8)
    assert np.isnan(similarity(nothing, nothing)[0])
    assert np.isnan(similarity(nothing[:0], nothing)[0])
    assert len(moves(band_levels(power_frames(np.zeros(10, np.float32), RATE), RATE))) == 0


def slow(one, other):
    """Return the best cosine over all shifts, a pair of loops at a time."""
    best = -2.0
    for lag in range(-len(other) + 1, len(one)):
        rows = [t for t in range(len(one)) if 0 <= t - lag < len(other)]
        a, b = one[rows].astype(float), other[[t - lag for t in rows]].astype(float)
        short = (a, one) if len(one) <= len(other) else (b, other)
        moving = (short[0] ** 2).sum() >= 0.5 * (short[1].astype(float) ** 2).sum()
        if len(rows) >= 0.6 * min(len(one), len(other)) and moving and (a**2).sum() * (b**2).sum() > 0:
            best = max(best, (a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))
    return best


@pytest.mark.parametrize("sizes", [(5, 5), (30, 18), (18, 30), (40, 7)])
def test_similarity_is_that_of_the_loops(sizes):
    rng = np.random.default_rng(sum(sizes))
    one, other = (rng.integers(-127, 128, (size, 12)).astype(np.int8) for size in sizes)
    assert similarity(one, other)[0] == pytest.approx(slow(one, other), abs=1e-5)


def test_measures_come_back_from_the_cache_and_lost_ones_are_made_again(tmp_path, measured, monkeypatch):
    root = tmp_path / "c"
    for number in range(4):
        write(root, f"s1_ang_{number}.wav", phrase(number))
    first, _ = measured(root)
    from xlser.evaluation.audit import measure

    def never(*_):
        raise AssertionError("decoded again")

    with monkeypatch.context() as patch:
        patch.setattr(measure, "decode", never)
        second, _ = measured(root)
    assert first.table.equals(second.table)
    assert np.array_equal(first.summaries, second.summaries)
    before = second.moves(2)
    for path in second.cache.folder.rglob("*.npy"):
        path.unlink()
    assert np.array_equal(second.moves(2), before)


def test_other_takes_of_a_sentence_in_the_real_corpora_are_not_copies(real_corpora, tmp_path):
    """RAVDESS's repetitions and EmoDB's versions: one speaker, one sentence, one emotion, and not one recording."""
    if not (real_corpora / "ravdess" / "Actor_07").is_dir():
        pytest.skip(f"no RAVDESS with Actor_07 in {real_corpora}")
    manifest = build_manifest(load_card("ravdess"), real_corpora / "ravdess")
    found = measure_corpus(manifest, tmp_path, progress=False)
    same = manifest.frame.groupby(["speaker", "emotion", "text"]).groups.values()
    takes = [pair for rows in same for pair in combinations(rows, 2)]
    names = found.table.index
    scores = {pair: similarity(*(found.moves(row) for row in pair))[0] for pair in takes}
    alike = [tuple(names[row].split("/")[-1] for row in pair) for pair, score in scores.items() if score >= THRESHOLD]
    assert alike == [("03-01-03-01-02-01-07", "03-01-03-01-02-02-07")]
    assert sorted(scores.values())[-2] < THRESHOLD - 0.02


def test_nothing_warns(tmp_path, measured):
    root = tmp_path / "c"
    write(root, "s1_ang_1.wav", np.full(2000, 0.5))
    write(root, "s1_ang_2.wav", phrase(1)[:100])
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        found, _ = measured(root)
    assert len(found.table) == 2

"""The numbers of the audit against hand-made corpora in which the answer is known."""

import numpy as np
import pandas as pd
import pytest

from xlser.data.audio import resample
from xlser.errors import CorpusError
from xlser.evaluation.audit import confound, counts, harmony, levels, overlap, published, shortcuts
from xlser.evaluation.audit.fingerprint import power_frames

RATE = 16_000


def table(speakers=8, emotions=("anger", "neutral", "sadness"), takes=4, **columns):
    rows = [
        {"id": f"c/{s}{e}{t}", "path": f"{s}{e}{t}.wav", "speaker": f"s{s}", "emotion": e, "text": f"t{t}"}
        for s in range(speakers)
        for e in emotions
        for t in range(takes)
    ]
    frame = pd.DataFrame(rows).assign(duration=1.0, sample_rate=RATE, channels=1, language="de", sex="male")
    return frame.assign(emotion_raw=frame["emotion"], session=None, **columns)


def entropy(values):
    shares = pd.Series(values).value_counts(normalize=True)
    return -(shares * np.log(shares)).sum()


def test_cramers_v_and_theil_are_those_of_scipy_and_of_the_definition():
    from scipy.stats.contingency import association

    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 3, 60).astype(str), rng.integers(0, 7, 60).astype(str)
    assert confound.cramers_v(one, other) == pytest.approx(association(pd.crosstab(one, other)), abs=1e-12)
    within = sum((other == name).mean() * entropy(one[other == name]) for name in set(other))
    assert confound.told_share(one, other) == pytest.approx(1 - within / entropy(one), abs=1e-12)


def test_a_constant_has_no_association():
    assert np.isnan(confound.cramers_v(["a", "a"], ["x", "y"]))
    assert np.isnan(confound.told_share(["a", "a"], ["x", "y"]))
    assert np.isnan(confound.association(["a", "a"], ["x", "y"], permutations=5)["p"])


def test_association_stands_beside_what_chance_gives():
    frame = table()
    nothing = confound.association(frame["emotion"], frame["speaker"])
    assert nothing["v"] == pytest.approx(0)
    assert 0.1 < nothing["v_chance"] < 0.5
    everything = confound.association(frame["emotion"], frame["emotion"])
    assert (everything["v"], everything["told"]) == (1, 1)
    assert everything["p"] == pytest.approx(1 / (1 + confound.PERMUTATIONS))


def test_coverage_names_the_speakers_with_few_emotions():
    frame = pd.concat([table(2), table(3, ("anger",)).replace({f"s{i}": f"x{i}" for i in range(3)})])
    cover = confound.coverage(frame)
    assert cover["few"] == cover["single"] == ["x0", "x1", "x2"]
    assert cover["few_share"] == 0.6


def test_a_speaker_of_two_sexes_is_named_and_a_missing_sex_is_none():
    frame = table(3)
    frame.loc[0, "sex"] = "female"
    frame.loc[frame["speaker"] == "s1", "sex"] = None
    assert counts.two_sexes(frame) == ["s0"]
    assert counts.count_corpus(frame)["sexes"] == {"female": 1, "male": 1, "unknown": 1}


def test_counts_are_of_every_kind():
    found = counts.count_corpus(table(2, takes=3))
    assert (found["utterances"], found["speakers"], found["texts"]) == (18, 2, 3)
    assert found["emotions"] == {"anger": 6, "neutral": 6, "sadness": 6}
    assert found["duration"]["0.5"] == 1.0


@pytest.mark.parametrize("cue", ["duration", "rms_db", "cutoff_hz"])
def test_a_cue_that_tells_the_emotion_is_found_and_the_others_are_not(cue):
    rng = np.random.default_rng(1)
    frame = table(takes=6)
    noise = {name: rng.normal(2, 0.3, len(frame)) for name in ("duration", "rms_db", "cutoff_hz")}
    frame = frame.assign(**noise)
    frame[cue] += frame["emotion"].map({"anger": 0.0, "neutral": 5.0, "sadness": 20.0})
    rows = {row["cue"]: row for row in shortcuts.shortcut_rows(frame)}
    name = {"duration": "duration", "rms_db": "loudness", "cutoff_hz": "sample rate and bandwidth"}[cue]
    assert rows[name]["ua"] > 0.95
    assert all(row["ua"] < 0.55 for key, row in rows.items() if key != name)
    assert rows[name]["chance"] == pytest.approx(1 / 3)


def test_a_constant_cue_and_too_few_speakers_have_no_number_but_a_reason():
    rows = {row["cue"]: row for row in shortcuts.shortcut_rows(table())}
    assert "the same for every recording" in rows["duration"]["why"]
    two = table(2).assign(duration=np.linspace(1, 2, 24))
    rows = {row["cue"]: row for row in shortcuts.shortcut_rows(two)}
    assert np.isnan(rows["duration"]["ua"])
    assert "speakers" in rows["duration"]["why"]


def test_the_habit_of_speakers_with_one_emotion_is_right_always():
    frame = pd.concat([table(3, (name,), 5).assign(speaker=lambda f, n=name: n + f["speaker"]) for name in "abc"])
    (habit,) = [row for row in shortcuts.shortcut_rows(frame) if row["cue"].startswith("speaker")]
    assert habit["ua"] == 1
    assert 0.3 < habit["chance"] < 0.75


def test_a_cue_carries_over_when_it_means_the_same_and_not_otherwise():
    rng = np.random.default_rng(2)
    places = {"anger": 0.0, "neutral": 4.0, "sadness": 9.0}
    make = lambda sign, gain: table().assign(  # noqa: E731
        rms_db=lambda f: gain + sign * f["emotion"].map(places) + rng.normal(0, 0.2, len(f))
    )
    same = {row["cue"]: row for row in shortcuts.transfer_rows(make(1, 0), make(1, -30))}
    turned = {row["cue"]: row for row in shortcuts.transfer_rows(make(1, 0), make(-1, 0))}
    assert same["loudness"]["ua"] > 0.95
    assert turned["loudness"]["ua"] < 0.6
    assert shortcuts.transfer_rows(make(1, 0), make(1, 0).assign(emotion="anger")) == []


def test_overlap_counts_speakers_and_texts():
    frame = table(4, takes=2)
    fold, unknown = overlap.rows_of(frame, {"test": ["s0", "c/1anger0", "nobody"]})
    assert unknown == ["nobody"]
    (found,) = overlap.split_overlap(frame, [fold])
    assert found["speakers"] == ["s1"]
    assert found["texts"] == ["t0", "t1"]
    assert found["test_rows_seen"] == 1
    assert found["sizes"] == {"train": 17, "test": 7}


def test_texts_that_are_kept_apart_are_not_seen():
    frame = table(4, takes=2)
    fold = {"train": np.flatnonzero(frame["text"] == "t0"), "test": np.flatnonzero(frame["text"] == "t1")}
    assert overlap.split_overlap(frame, [fold])[0]["test_rows_seen"] == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("f.json", '[{"test": ["a"]}]'),
        ("f.yaml", "given: [{test: [a]}]"),
        ("f.yml", "folds:\n- {test: [a]}"),
        ("g.yaml", "split: {given: [{test: [a]}]}"),
    ],
)
def test_folds_are_read_from_json_and_yaml(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert overlap.read_folds(tmp_path / name) == [{"test": ["a"]}]


@pytest.mark.parametrize("text", ["[]", "{}", '{"given": 3}', '[{"test": "a"}]', "[", "{"])
def test_folds_that_are_none_are_refused(tmp_path, text):
    (tmp_path / "f.json").write_text(text)
    with pytest.raises(CorpusError, match="folds"):
        overlap.read_folds(tmp_path / "f.json")


def test_a_fold_of_another_corpus_or_part_is_refused():
    with pytest.raises(CorpusError, match="no member of the fold"):
        overlap.rows_of(table(), {"test": ["x", "y"]})
    with pytest.raises(CorpusError, match="'tset'"):
        overlap.rows_of(table(), {"tset": ["s0"]})


def test_labels_of_a_set():
    found = harmony.harmonise({"a": {"anger": 3, "calm": 2}, "b": {"anger": 1, "neutral": 4}})
    assert found["shared"] == ["anger"]
    assert found["dropped"] == {"a": {"calm": 2}, "b": {"neutral": 4}}
    (apart,) = found["apart"]
    assert (apart["label"], apart["not"], apart["has"], apart["other"]) == ("calm", "neutral", {"a": 2}, {"b": 4})


def test_published_models_are_known_or_unknown():
    assert any("MSP" in row["model"] or "msp" in row["model"] for row in published.trained_on("msp-podcast"))
    assert all(row["source"].startswith("https://") for row in published.trained_on("ravdess"))
    assert [row["sure"] for row in published.trained_on("nemo")] == [False]
    assert published.trained_on("synthetic-de") == []


def measured(samples):
    samples = np.asarray(samples, dtype=np.float32)
    return levels.measure_levels(samples, power_frames(samples, RATE), RATE)


def noise(seconds=1.0, level=0.1):
    return level * np.random.default_rng(0).standard_normal(round(seconds * RATE))


def test_silence_around_is_measured_in_seconds():
    found = measured(np.concatenate([np.zeros(RATE // 2), noise(), np.zeros(RATE // 4)]))
    assert found["lead_s"] == pytest.approx(0.5, abs=0.04)
    assert found["trail_s"] == pytest.approx(0.25, abs=0.04)
    assert found["silent_share"] == pytest.approx(0.75 / 1.75, abs=0.04)


def test_dc_and_level_are_those_of_the_definition():
    found = measured(noise() + 0.05)
    assert found["dc"] == pytest.approx(0.5, abs=0.02)
    assert found["rms_db"] == pytest.approx(10 * np.log10(0.1**2 + 0.05**2), abs=0.1)


def test_clipping_is_found_when_it_was_turned_down_afterwards():
    tone = np.sin(2 * np.pi * 200 * np.arange(RATE) / RATE)
    assert measured(0.9 * tone)["clipped"] == 0
    clipped = 0.5 * np.clip(3 * tone, -1, 1)
    assert measured(clipped)["clipped"] == pytest.approx((np.abs(clipped) == 0.5).mean(), abs=1e-3)


def test_the_band_ends_where_it_was_cut():
    from scipy.signal import butter, sosfiltfilt

    cut = sosfiltfilt(butter(16, 4000, fs=RATE, output="sos"), noise(2))
    assert 3900 < measured(cut)["cutoff_hz"] < 5600
    assert measured(noise())["cutoff_hz"] == RATE / 2


def test_recordings_of_a_telephones_band_are_counted_also_where_they_were_resampled():
    narrow = np.float32(noise())[: RATE // 2]
    samples = {8_000: narrow, 16_000: resample(narrow, 8_000, 16_000), 16_001: np.float32(noise())}
    rows = [
        {"path": f"{rate}.wav"} | levels.measure_levels(wave, power_frames(wave, rate), rate)
        for rate, wave in samples.items()
    ]
    rows += [{"path": "silent.wav"} | measured(np.zeros(RATE))]
    found = levels.level_table(pd.DataFrame(rows), 1)["narrow"]
    assert found == {"count": 2, "share": 0.5, "first": ["8000.wav"]}


def test_a_silent_recording_is_silence_from_end_to_end():
    found = measured(np.zeros(RATE))
    assert (found["lead_s"], found["silent_share"], found["clipped"]) == (1.0, 1.0, 0.0)
    assert np.isnan(found["rms_db"])

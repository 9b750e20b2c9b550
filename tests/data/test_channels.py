"""Which channel is used, what of it cannot be, and how a card asks for it."""

import numpy as np
import pytest
import soundfile

from xlser.data.audio import AudioFault, content_hash, read_mono
from xlser.data.channels import OVERSHOOT_PEAK, channel_number
from xlser.data.excerpts import excerpt_names, excerpts
from xlser.data.manifest import build_manifest, read_manifest, write_manifest
from xlser.data.verify import verify
from xlser.errors import CardError, CorpusError
from xlser.experiment.use.recordings import windows_of_audio
from xlser.features.clips import read_clips
from xlser.features.extract import extract
from xlser.features.logmel import LogMel

RATE = 16_000


def wave(pitch=200.0, seconds=1.5, rate=RATE):
    t = np.arange(round(seconds * rate)) / rate
    return (0.3 * np.sin(2 * np.pi * pitch * t)).astype(np.float32)


def write(path, *channels, rate=RATE, subtype="FLOAT"):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.stack(channels, axis=1), rate, subtype=subtype)
    return path


def read_in_windows(path, channel=None):
    return np.concatenate(list(windows_of_audio(path, None, RATE, 7000, 400, channel=channel)))


READERS = [lambda path, channel=None: read_mono(path, RATE, channel=channel), read_in_windows]
BOTH = pytest.mark.parametrize("read", READERS, ids=["training", "predicting"])


@BOTH
def test_a_channel_is_that_one_and_the_mix_their_mean(tmp_path, read):
    left, right = wave(200), 0.5 * wave(310)
    path = write(tmp_path / "a.wav", left, right)
    assert np.array_equal(read(path, 1), left)
    assert np.array_equal(read(path, 2), right)
    assert np.allclose(read(path), (left + right) / 2, atol=1e-7)


@BOTH
def test_a_channel_that_is_not_there_is_a_fault(tmp_path, read):
    with pytest.raises(AudioFault, match=r"no channel 3 \(3\): it has 2"):
        read(write(tmp_path / "a.wav", wave(), wave()), 3)
    with pytest.raises(AudioFault, match=r"no channel 2 \(right\): it has 1"):
        read(write(tmp_path / "b.wav", wave()), 2)


@BOTH
@pytest.mark.parametrize("leak", [0.0, 0.05], ids=["exact", "nearly"])
def test_channels_that_cancel_out_are_no_silence(tmp_path, read, leak):
    path = write(tmp_path / "a.wav", wave(), -(1 - leak) * wave())
    with pytest.raises(AudioFault, match=r"cancel out.*`channel: left`.*--channel left"):
        read(path)
    assert np.array_equal(read(path, 1), wave())


@BOTH
@pytest.mark.parametrize("other", [np.zeros(24_000), wave(), 0.01 * wave(333), -0.5 * wave(), wave(333)])
def test_channels_that_differ_in_other_ways_are_mixed(tmp_path, read, other):
    path = write(tmp_path / "a.wav", wave(), other)
    assert np.allclose(read(path), (wave() + other) / 2, atol=1e-6)


@BOTH
def test_a_silent_side_is_silent_and_so_are_two_of_them(tmp_path, read):
    path = write(tmp_path / "a.wav", wave(), 0 * wave())
    with pytest.raises(AudioFault, match="silent"):
        read(path, 2)
    with pytest.raises(AudioFault, match="silent"):
        read(write(tmp_path / "b.wav", 0 * wave(), 0 * wave()))


# The scale of samples.


@BOTH
@pytest.mark.parametrize(
    ("scale", "told"), [(2**15, "16-bit"), (50, "16-bit"), (2**23, "24-bit"), (2**31, "32-bit")], ids=str
)
def test_floating_point_on_another_scale_is_refused_with_the_way_out(tmp_path, read, scale, told):
    path = write(tmp_path / "a.wav", scale * wave())
    with pytest.raises(AudioFault, match=rf"out of range: the loudest sample is [\d,]+,.*{told}.*ffmpeg"):
        read(path)
    write(tmp_path / "b.wav", scale * wave(), np.zeros(24_000))
    with pytest.raises(AudioFault, match="out of range"):
        read(tmp_path / "b.wav")


@BOTH
@pytest.mark.parametrize("peak", [1.02, 2.0, OVERSHOOT_PEAK])
def test_an_overshoot_is_no_other_scale(tmp_path, read, peak):
    samples = peak / 0.3 * wave()
    samples[samples > peak] = peak
    assert np.array_equal(read(write(tmp_path / "a.wav", samples)), samples)


def test_samples_on_another_scale_are_refused_too():
    with pytest.raises(AudioFault, match=r"out of range.*32768"):
        list(windows_of_audio(2**15 * wave(), RATE, RATE, 7000, 400))
    assert len(list(windows_of_audio((2**15 * wave()).astype(np.int16), RATE, RATE, 7000, 400))) == 4


# Cards.

GRAMMAR = r"(?P<speaker>s\d+)_(?P<emotion>[a-z]+)_\d+"


@pytest.fixture
def calls(tmp_path):
    """A folder of two calls, whose sides are two people, and one recording with one channel."""
    root = tmp_path / "calls"
    write(root / "s1_ang_1.wav", wave(200), wave(310))
    write(root / "s2_hap_1.wav", wave(220), wave(330))
    write(root / "s3_sad_1.wav", wave(240))
    return root


def frame_of(make_card, calls, **changes):
    return build_manifest(make_card(grammar=GRAMMAR, **changes), calls).frame


def test_without_a_word_channels_are_mixed_and_the_card_keeps_its_hash(make_card, calls):
    frame = frame_of(make_card, calls)
    assert frame["channel"].isna().all()
    assert make_card().hash == make_card(channel="mix").hash != make_card(channel="left").hash


@pytest.mark.parametrize(("channel", "number"), [("left", 1), (1, 1), ("right", 2), (2, 2)])
def test_a_card_takes_one_channel(make_card, calls, channel, number):
    frame = frame_of(make_card, calls, channel=channel)
    # A recording with a single channel has no other left one, and no right one at all.
    assert frame["channel"].tolist()[:2] == [number, number]
    assert len(frame) == (3 if number == 1 else 2)
    assert frame["id"].str.contains("#").sum() == 0
    if number == 2:
        left_out = build_manifest(make_card(grammar=GRAMMAR, channel=channel), calls).left_out
        assert left_out == {"no channel 2 (right)": ["s3_sad_1.wav"]}


def test_each_channel_is_a_row_and_a_person(make_card, calls, tmp_path):
    card = make_card(grammar=GRAMMAR, channel="each", same_speaker={"s2#left": "s1#left"})
    manifest = build_manifest(card, calls)
    frame = manifest.frame
    sides = ["toy/s1_ang_1#left", "toy/s1_ang_1#right", "toy/s2_hap_1#left", "toy/s2_hap_1#right", "toy/s3_sad_1"]
    assert frame["id"].tolist() == sides
    assert frame["speaker"].tolist() == ["s1#left", "s1#right", "s1#left", "s2#right", "s3"]
    assert frame["channel"].tolist()[:4] == [1, 2, 1, 2]
    assert np.isnan(frame["channel"].iloc[4])
    clips = read_clips(manifest, tmp_path / "cache", progress=False)
    assert np.array_equal(clips.read(1), wave(310))
    assert len(set(clips.contents)) == 5
    features = extract(manifest, LogMel(), tmp_path / "cache", progress=False)
    assert len({row.tobytes() for row in features.values}) == 5
    assert extract(manifest, LogMel(), tmp_path / "cache", progress=False).cached == 5
    write_manifest(manifest, tmp_path / "m.parquet")
    assert excerpts(read_manifest(tmp_path / "m.parquet")) == excerpts(manifest)


def test_a_channel_that_no_recording_has_is_told(make_card, calls):
    with pytest.raises(CorpusError, match=r"no channel 3 \(3\) in any of its 3 recordings: correct `channel`"):
        frame_of(make_card, calls, channel=3)


@pytest.mark.parametrize("channel", [0, -1, "middle", 1.5, None])
def test_a_card_names_a_channel_that_there_can_be(make_card, channel):
    if channel is not None:
        with pytest.raises(CardError, match="channel"):
            make_card(channel=channel)
        with pytest.raises(ValueError, match="`channel` must be"):
            channel_number(channel)


def test_only_a_chosen_channel_changes_what_is_kept_under_a_key(calls):
    path = calls / "s1_ang_1.wav"
    assert content_hash(path) == content_hash(path, channel=None)
    assert len({content_hash(path, *part) for part in ((), (0, None, 1), (0, None, 2), (1, 2), (1, 2, 2))}) == 5


def test_a_fault_of_a_side_names_the_side(make_card, calls, tmp_path):
    write(calls / "s1_ang_1.wav", wave(200), np.zeros(24_000))
    card = make_card(grammar=GRAMMAR, channel="each")
    found = extract(build_manifest(card, calls), LogMel(), tmp_path, progress=False)
    assert found.faults == {"s1_ang_1.wav#right": "silent: the loudest sample is 0.0e+00"}
    assert len(found.manifest.frame) == 4
    assert "s1_ang_1.wav#right: silent: the loudest sample is 0.0e+00" in verify(card, calls).problems


def test_a_lone_segment_from_the_beginning_is_no_whole_file(make_card, calls, tmp_path):
    manifest = build_manifest(make_card(grammar=GRAMMAR), calls)
    whole = extract(manifest, LogMel(), tmp_path, progress=False)
    manifest.frame["end"] = manifest.frame["duration"] = 0.5
    manifest.frame["file_duration"] = 1.5
    found = extract(manifest, LogMel(), tmp_path, progress=False)
    assert found.cached == 0
    assert not (found.values == whole.values).all(axis=1).any()
    assert excerpt_names(manifest)[0] == "s1_ang_1.wav#0.000-0.500"
    assert [len(read_clips(manifest, tmp_path, progress=False).read(row)) for row in range(3)] == [8000] * 3

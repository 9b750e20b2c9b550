"""Frozen hidden states: what transformers gives for the clip alone, whatever stands beside it, window by window."""

import errno
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file, save_file

from xlser.data.audio import read_mono, resample
from xlser.data.manifest import build_manifest
from xlser.data.spans import windows
from xlser.errors import RecipeError, XlserError
from xlser.features import frozen_encoder
from xlser.features.extract import extract
from xlser.features.frozen_encoder import STATISTICS, Encoder
from xlser.features.logmel import LogMel
from xlser.models.checkpoints import load_encoder
from xlser.models.encoder import pad_frames

ALL = "mean+std+min+max"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A checkpoint folder of two layers with random weights, in transformers' own layout."""
    path = tmp_path_factory.mktemp("checkpoint")
    load_encoder("random:tiny", seed=5).save(path)
    return path


@pytest.fixture(scope="module")
def clips():
    """Ragged clips of 25 ms to 2 s."""
    rng = np.random.default_rng(1)
    return [rng.normal(0.01, 0.1, size).astype(np.float32) for size in (400, 9_000, 32_000, 8_999, 16_000, 700, 5_001)]


def slowly(folder, clip, layers, longest):
    """Every statistic by transformers and NumPy, one window at a time, (layers, 4, D)."""
    from transformers import AutoFeatureExtractor, AutoModel

    model, ready = AutoModel.from_pretrained(folder).eval(), AutoFeatureExtractor.from_pretrained(folder)
    frames = []
    for _, start, stop in windows(0, len(clip), longest):
        given = ready(clip[start:stop], sampling_rate=16_000, return_tensors="pt")
        with torch.no_grad():
            found = model(**given, output_hidden_states=True)
        states = (*found.hidden_states[:-1], found.last_hidden_state)
        frames.append(np.stack([states[layer][0].double().numpy() for layer in layers]))
    frames = np.concatenate(frames, axis=1)
    return np.stack([frames.mean(1), frames.std(1), frames.min(1), frames.max(1)], axis=1)


def exact(encoder, clip):
    """What `Encoder` gives before it is rounded to half precision."""
    found = encoder.statistics([clip])[0]
    return found.reshape(-1, found.shape[-1])[encoder.rows()].ravel()


@pytest.mark.parametrize(("layers", "longest"), [((2,), 12.0), ((0, 1), 12.0), ((1, 2), 1.0)])
def test_they_are_statistics_of_what_transformers_gives(folder, clips, layers, longest):
    encoder = Encoder(str(folder), layer=layers, pooling=ALL, longest=longest)
    for clip in clips[1:5]:
        expected = slowly(folder, clip, layers, int(16_000 * longest)).ravel()
        np.testing.assert_allclose(exact(encoder, clip), expected, atol=2e-5)
        np.testing.assert_allclose(encoder(clip), exact(encoder, clip), rtol=2**-11, atol=1e-8)


def paused(clip):
    """The clip with a pause in it and a room around it: hiss 50 dB below."""
    parts = [np.zeros(7000), clip[:9000], np.zeros(5000), clip[9000:], np.zeros(11_001)]
    noise = np.random.default_rng(0).normal(size=sum(map(len, parts)))
    return (np.concatenate(parts) + noise * np.abs(clip).std() * 3e-3).astype(np.float32)


@pytest.mark.parametrize(("longest", "window"), [(12.0, "clip"), (1.0, "clip")])
def test_sounding_frames_are_those_that_a_loop_keeps(folder, clips, longest, window):
    clip = paused(clips[2])
    encoder = Encoder(str(folder), layer=(0, 2), pooling=ALL, frames="sounding", longest=longest)
    power = [float(np.mean(clip[at : at + 320].astype(float) ** 2)) for at in range(0, len(clip), 320)]
    loud = sorted(power)[int(np.ceil(0.95 * (len(power) - 1)))]
    states = Encoder(str(folder), layer="all", longest=longest)._encoder
    rows = []
    for span in windows(0, len(clip), int(16_000 * longest)):
        frames, lengths = pad_frames([states.front(torch.from_numpy(clip[span.start : span.stop]))])
        with torch.inference_mode():
            found = [state[0].double().numpy() for state in states(frames, lengths)]
        step = (span.stop - span.start) / len(found[0])
        for frame in range(len(found[0])):
            start, stop = span.start + frame * step, span.start + (frame + 1) * step
            inside = [n for n in range(len(power)) if start <= 320 * n + 160 < stop and 320 * n + 160 < span.stop]
            inside.append(min(int((start + stop) / 2 // 320), len(power) - 1))
            if any(power[n] >= loud / 1000 for n in inside):
                rows.append([found[0][frame], found[2][frame]])
    rows = np.array(rows)
    expected = np.stack([rows.mean(0), rows.std(0), rows.min(0), rows.max(0)], axis=1)
    np.testing.assert_allclose(exact(encoder, clip), expected.ravel(), atol=2e-5)
    assert 0 < len(rows) < len(clip) / 320 * 0.8


def test_a_pause_and_the_room_around_change_sounding_statistics_less(clips):
    clip = clips[2]
    moved = {}
    for frames in ("all", "sounding"):
        encoder = Encoder("random:tiny", layer=0, frames=frames)
        moved[frames] = np.abs(exact(encoder, paused(clip)) - exact(encoder, clip)).mean()
    assert moved["sounding"] < moved["all"] / 2


def test_a_window_in_which_nothing_sounds_counts_nothing(clips):
    clip = np.concatenate([clips[2], np.zeros(40_000, np.float32)])
    encoder = Encoder("random:tiny", layer=1, pooling=ALL, frames="sounding", longest=1.0)
    assert np.isfinite(exact(encoder, clip)).all()
    np.testing.assert_allclose(encoder.statistics([clip, clips[1]])[0], encoder.statistics([clip])[0], atol=2e-6)


@pytest.mark.parametrize("pooling", ["std", "max+mean", ALL])
def test_the_columns_are_where_their_names_say(folder, clips, pooling):
    encoder = Encoder(str(folder), layer=(0, -1), pooling=pooling)
    found = dict(zip(encoder.columns(), exact(encoder, clips[1]), strict=True))
    expected = slowly(folder, clips[1], (0, 2), 10**6)
    for name, value in found.items():
        layer, kind, column = name.removeprefix("layer").split("_")
        assert value == pytest.approx(expected[int(layer) // 2, STATISTICS.index(kind), int(column)], abs=2e-5), name


@pytest.mark.parametrize("longest", [12.0, 1.0])
@pytest.mark.parametrize("seconds", [0.1, 1.5, 64.0])
def test_neighbours_change_nothing(clips, seconds, longest):
    encoder = Encoder("random:tiny", longest=longest)
    alone = [encoder.statistics([clip])[0] for clip in clips]
    np.testing.assert_allclose(encoder.statistics(clips, seconds=seconds), alone, atol=2e-6)
    np.testing.assert_allclose(encoder.many(clips), [encoder(clip) for clip in clips], rtol=2**-10)


def test_one_frame_has_no_deviation(clips):
    found = Encoder("random:tiny", pooling="mean+std+min")(clips[0]).reshape(3, 32)
    assert not found[1].any()
    np.testing.assert_array_equal(found[0], found[2])


def test_the_identity_names_what_changes_a_number_and_not_where_the_folder_lies(folder, tmp_path):
    given = {"weights": str(folder), "layer": 1, "pooling": "mean", "longest": 12.0}
    others = [{"layer": 2}, {"layer": (1, 2)}, {"pooling": "std"}, {"longest": 6.0}, {"weights": "random:tiny"}]
    others += [{"weights": "random:tiny", "seed": 1}, {"layer": (1, 2), "combine": "mean"}, {"frames": "sounding"}]
    known = [json.dumps(Encoder(**(given | change)).identity()) for change in ({}, *others)]
    assert len(set(known)) == len(known)
    moved = shutil.copytree(folder, tmp_path / "moved")
    assert json.dumps(Encoder(**(given | {"weights": str(moved)})).identity()) == known[0]
    assert json.dumps(Encoder(**(given | {"layer": -2})).identity()) == known[0]
    weights = load_file(moved / "model.safetensors")
    next(iter(weights.values())).view(-1)[0] += 1e-3
    save_file(weights, moved / "model.safetensors", {"format": "pt"})
    assert json.dumps(Encoder(**(given | {"weights": str(moved)})).identity()) != known[0]


def test_what_a_folder_holds_now_is_what_embeds(clips, tmp_path):
    found = []
    for seed in (0, 1, 0):
        load_encoder("random:tiny", seed=seed).save(tmp_path)
        found.append(Encoder(str(tmp_path))(clips[1]).tobytes())
    assert found[0] == found[2] != found[1]


@pytest.mark.parametrize("layer", [3, -4, [0, 7]])
def test_a_layer_that_there_is_not_is_told_with_those_there_are(layer):
    with pytest.raises(RecipeError, match=r"`layer` must be from -3 to 2 .* 3 hidden states"):
        Encoder("random:tiny", layer=layer).identity()


@pytest.mark.parametrize(
    "options",
    [
        *({"layer": "weighted"}, {"layer": []}, {"layer": True}),
        *({"pooling": "mean+mean"}, {"pooling": ""}, {"pooling": "attentive"}),
        *({"longest": 0.5}, {"longest": 31}, {"weights": ""}, {"seed": "x"}, {"revision": 3}, {"window": "20s"}),
        *({"layer": "al"}, {"combine": "sum"}),
    ],
    ids=str,
)
def test_an_option_out_of_range_is_named(options):
    with pytest.raises(ValueError, match=f"`{next(iter(options))}` must be"):
        Encoder(**({"weights": "random:tiny"} | options))


def test_weights_that_are_nowhere_are_named():
    with pytest.raises(XlserError, match=r"random:tinny.*did you mean 'random:tiny'"):
        Encoder("random:tinny").identity()


@pytest.fixture
def manifest(make_card, corpus, voice):
    """Five recordings of 0.2 to 1 s, one too short for a frame, one of text."""
    names = [f"s{number}_ang_1.wav" for number in range(1, 8)]
    root = corpus(*names)
    for number, seconds in enumerate((0.2, 1.0, 0.5, 0.3, 0.7, 0.02)):
        soundfile.write(root / names[number], voice(seconds, seed=number), 16_000)
    found = build_manifest(make_card(), root)
    (root / names[6]).write_text("404")
    return found


TINY = Encoder("random:tiny", layer=1, pooling="mean+std")


def values(manifest, cache, extractor=TINY, **options):
    return extract(manifest, extractor, cache, progress=False, **{"jobs": 1} | options)


@pytest.mark.parametrize("seconds", [0.1, 1.2, 64.0])
def test_batches_as_on_a_gpu_give_the_rows_that_clips_alone_give(manifest, tmp_path, monkeypatch, seconds):
    alone = values(manifest, tmp_path / "alone")
    monkeypatch.setattr(Encoder, "batch", seconds)
    together = values(manifest, tmp_path / "together", jobs=2)
    np.testing.assert_allclose(together.values, alone.values, rtol=2**-10, atol=2e-6)
    assert together.manifest.frame["id"].tolist() == alone.manifest.frame["id"].tolist()
    assert together.contents == alone.contents
    assert set(together.faults) == set(alone.faults) == {"s6_ang_1.wav", "s7_ang_1.wav"}
    again = values(manifest, tmp_path / "together")
    assert (again.cached, again.values.tobytes()) == (5, together.values.tobytes())


def test_threads_do_not_meet_in_one_encoder(manifest, tmp_path):
    alone, threads = values(manifest, tmp_path / "alone"), values(manifest, tmp_path / "threads", jobs=4)
    assert threads.values.tobytes() == alone.values.tobytes()


SELECTIONS = [
    *({"layer": layer, "pooling": pooling} for layer in (0, 1, -1) for pooling in ("mean", "std+max", ALL)),
    *({"layer": "all"}, {"layer": (2, 0), "pooling": "max"}, {"layer": (1, 2), "pooling": ALL, "combine": "mean"}),
]


def test_after_one_pass_every_selection_is_read_and_is_what_is_computed_for_a_clip_alone(
    manifest, tmp_path, monkeypatch
):
    manifest.frame = manifest.frame.iloc[:5]
    first = values(manifest, tmp_path)
    assert first.cached == 0
    encoders = [Encoder("random:tiny", **options) for options in SELECTIONS]
    clips = [read_mono(path, 16_000) for path in manifest.files()]
    alone = [np.stack([encoder(clip) for clip in clips]) for encoder in (TINY, *encoders)]
    assert first.values.tobytes() == alone[0].tobytes()
    monkeypatch.setattr(frozen_encoder, "_loaded", None)
    for encoder, expected in zip((TINY, *encoders), alone, strict=True):
        found = values(manifest, tmp_path, encoder)
        assert found.cached == 5, encoder
        assert found.values.tobytes() == expected.tobytes(), encoder
        assert found.values.shape[1] == len(found.columns), encoder
    assert len(list(tmp_path.rglob("*/[0-9a-f]*.npy"))) == 5


@pytest.mark.parametrize("change", [{"seed": 1}, {"longest": 6.0}, {"weights": "random:tiny-group"}])
def test_what_changes_a_number_of_the_pass_has_entries_of_its_own(manifest, tmp_path, change):
    manifest.frame = manifest.frame.iloc[:1]
    values(manifest, tmp_path)
    assert values(manifest, tmp_path, Encoder(**({"weights": "random:tiny"} | change))).cached == 0


def test_averaged_layers_are_the_mean_of_what_stands_side_by_side(clips):
    options = {"weights": "random:tiny", "layer": (0, 2), "pooling": "mean+std"}
    apart, averaged = Encoder(**options), Encoder(**options, combine="mean")
    np.testing.assert_allclose(averaged(clips[1]), apart(clips[1]).reshape(2, 64).mean(0), rtol=1e-6)
    assert averaged.columns()[::63] == ["layers0+2_mean_0000", "layers0+2_std_0031"]
    states = slowly_averaged(clips[1])
    np.testing.assert_allclose(averaged(clips[1])[:32], states, rtol=2**-10, atol=1e-3)


def slowly_averaged(clip):
    """The mean over time of the mean of hidden states 0 and 2."""
    encoder = load_encoder("random:tiny").eval()
    with torch.no_grad():
        states = encoder(*pad_frames([encoder.front(torch.from_numpy(clip))]))
    return ((states[0] + states[2]) / 2)[0].mean(0).numpy()


def test_all_layers_are_every_hidden_state_in_order(clips):
    every = Encoder("random:tiny", layer="all", pooling="mean+std")
    assert every.identity() == Encoder("random:tiny", layer=[0, 1, 2], pooling="mean+std").identity()
    np.testing.assert_array_equal(
        every(clips[1]), Encoder("random:tiny", layer=[0, 1, 2], pooling="mean+std")(clips[1])
    )


def test_a_full_disk_stops_and_what_was_embedded_is_kept(manifest, tmp_path, monkeypatch):
    real, written = os.replace, []

    def fills_up(source, target):
        written.append(target)
        if len(written) > 3:  # extractor.json and two entries
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(source, target)

    monkeypatch.setattr(os, "replace", fills_up)
    with pytest.raises(XlserError, match=r"No space left.*The disk is full"):
        values(manifest, tmp_path)
    monkeypatch.setattr(os, "replace", real)
    again = values(manifest, tmp_path)
    assert (again.cached, len(again.values)) == (2, 5)
    assert not list(tmp_path.rglob(".*"))


def test_twenty_milliseconds_are_too_short_for_a_frame_and_named(manifest, tmp_path):
    assert values(manifest, tmp_path).faults["s6_ang_1.wav"] == "too short: 20 ms of 25 needed"
    with pytest.raises(ValueError, match=r"at least 400 samples \(25 ms.*holds 320"):
        TINY(np.ones(320, np.float32))


def test_eight_kilohertz_are_resampled(make_card, corpus, tmp_path):
    root = corpus("s1_ang_1.wav", rate=8_000)
    found = values(build_manifest(make_card(), root), tmp_path)
    samples, rate = soundfile.read(root / "s1_ang_1.wav", dtype="float32")
    assert found.values[0].tobytes() == TINY(resample(samples, rate, 16_000)).tobytes()


def test_of_a_long_clip_one_batch_of_windows_is_held_at_a_time(monkeypatch):
    """Forty minutes go through, and no call of the encoder sees more than 64 s."""
    calls = []

    class Counting:
        def front(self, wave):
            calls.append(len(wave))
            return torch.full((len(wave) // 320, 2), float(wave[0]))

        def __call__(self, frames, lengths):
            calls.append(tuple(frames.shape))
            return (frames, frames + 1, frames)

    monkeypatch.setattr(frozen_encoder, "_loaded", lambda *_: Counting())
    ramp = np.repeat(np.arange(200, dtype=np.float32), 12 * 16_000)
    found = Encoder("random:tiny", layer=1, pooling="mean+std+min+max").statistics([ramp])[0]
    assert max(shape[0] * shape[1] for shape in calls if isinstance(shape, tuple)) * 320 <= 64 * 16_000
    assert max(size for size in calls if isinstance(size, int)) == 12 * 16_000
    np.testing.assert_allclose(found[1, :, 0], [100.5, np.arange(200).std(), 1, 200])


class Picky(LogMel):
    """A log-mel extractor that cannot use clips of half a second or less."""

    shortest = 0.55


def test_side_by_side_each_part_has_its_cache_and_a_row_needs_both(manifest, tmp_path):
    encoder, picky = Encoder("random:tiny", layer=1), Picky(bands=5)
    both = values(manifest, tmp_path, picky + encoder)
    assert both.manifest.frame["path"].tolist() == ["s2_ang_1.wav", "s5_ang_1.wav"]
    assert both.values.shape == (2, 30 + 32)
    assert len(both.columns) == 62
    assert set(both.faults) == {f"s{number}_ang_1.wav" for number in (1, 3, 4, 6, 7)}
    assert {reason: len(paths) for reason, paths in both.manifest.left_out.items()}["too short"] == 4
    other = values(manifest, tmp_path, encoder + picky)
    np.testing.assert_array_equal(other.values, np.roll(both.values, 32, axis=1))
    assert other.contents == both.contents
    assert values(manifest, tmp_path, encoder).cached == 5, "the part alone was cached under its own name"
    assert other.cached == 2


def test_the_names_are_there_without_torch():
    code = (
        "import sys; from xlser.features import Egemaps, Encoder, LogMel\n"
        "both = Egemaps() + Encoder('openai/whisper-tiny', layer=2, pooling='mean+std')\n"
        "print(both, sorted({'torch', 'transformers', 'opensmile'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")

"""What is drawn for a clip depends on its seed alone, and is distributed as the papers say."""

import numpy as np
import pytest
import torch
from transformers.models.wav2vec2.modeling_wav2vec2 import _compute_mask_indices

from xlser.features.augment import WaveChoice, augment_wave, spec_masks

ALL = WaveChoice(snr=(5.0, 20.0), gain=(-6.0, 6.0))
STILL = WaveChoice(speed=())


@pytest.fixture
def wave(voice):
    return torch.from_numpy(voice(1.0))


def masks(frames, width=8, *, seed=0, **options):
    return spec_masks(frames, width, **options, seed=seed)


@pytest.mark.parametrize("factor", [0.9, 1.1, 0.8, 1.25, 2.0])
def test_speed_reads_the_wave_at_other_times(factor):
    """The slow way: a sum of tones below half the new rate, written down at the times at which it is read."""
    samples = 16_000
    tones = [(50 + 300 * k, 0.1 / (k + 1), k) for k in range(12)]

    def at(times):
        return sum(a * torch.sin(2 * torch.pi * f * times + phase) for f, a, phase in tones)

    wave = at(torch.arange(samples, dtype=torch.float64) / 16_000).float()
    found = augment_wave(wave, WaveChoice(speed=(factor,)), seed=0)
    assert len(found) == int(samples / factor + 0.5)
    expected = at(torch.arange(len(found), dtype=torch.float64) * factor / 16_000).float()
    inner = slice(200, -200)  # the ends know nothing of what would come before and after
    torch.testing.assert_close(found[inner], expected[inner], rtol=0, atol=2e-5)


def test_a_faster_tone_is_a_higher_tone():
    tone = torch.sin(2 * torch.pi * 1000 * torch.arange(16_000) / 16_000)
    for factor in (0.9, 1.1):
        found = augment_wave(tone, WaveChoice(speed=(factor,)), seed=0)
        loudest = int(torch.fft.rfft(found * torch.hann_window(len(found))).abs().argmax())
        assert loudest * 16_000 / len(found) == pytest.approx(1000 * factor, abs=2)


def test_every_factor_comes_as_often_as_the_others(wave):
    lengths = [len(augment_wave(wave[:2000], WaveChoice(), seed)) for seed in range(600)]
    values, counts = np.unique(lengths, return_counts=True)
    assert values.tolist() == [1818, 2000, 2222]
    assert (abs(counts - 200) < 60).all()  # five standard deviations


def test_noise_is_white_and_as_loud_as_asked(wave):
    drawn = []
    for seed in range(200):
        noise = augment_wave(wave, WaveChoice(speed=(), snr=(5.0, 20.0)), seed) - wave
        drawn.append(20 * float((wave.norm() / noise.norm()).log10()))
        assert abs(float(noise.mean() / noise.std())) < 0.05
        assert abs(float((noise[1:] * noise[:-1]).mean() / noise.var())) < 0.05
    assert min(drawn) == pytest.approx(5, abs=0.5)
    assert max(drawn) == pytest.approx(20, abs=0.5)
    assert np.mean(drawn) == pytest.approx(12.5, abs=1.6)


def test_gain_is_in_its_range(wave):
    drawn = [
        20 * float((augment_wave(wave, WaveChoice(speed=(), gain=(-6.0, 2.0)), seed).norm() / wave.norm()).log10())
        for seed in range(200)
    ]
    assert (min(drawn), max(drawn), np.mean(drawn)) == pytest.approx((-6, 2, -2), abs=0.9)
    assert -6 <= round(min(drawn), 4) < round(max(drawn), 4) <= 2


def test_turning_one_change_off_leaves_the_others_as_they_were(wave):
    for seed in range(20):
        level = augment_wave(wave, WaveChoice(speed=(), gain=(-6.0, 6.0)), seed)
        both = augment_wave(wave, WaveChoice(speed=(), snr=(10.0, 10.0), gain=(-6.0, 6.0)), seed)
        noisy = augment_wave(wave, WaveChoice(speed=(), snr=(10.0, 10.0)), seed)
        torch.testing.assert_close(both, noisy * (level[0] / wave[0]))


def test_with_nothing_to_draw_the_wave_stays(wave):
    assert augment_wave(wave, STILL, seed=3) is wave


def test_the_seed_alone_decides(wave):
    alone = {seed: augment_wave(wave, ALL, seed) for seed in range(12)}
    torch.manual_seed(99)
    for seed in reversed(range(12)):
        torch.rand(7)
        assert torch.equal(augment_wave(wave, ALL, seed), alone[seed])
        for mask, again in zip(masks(300, 768, seed=seed), masks(300, 768, seed=seed), strict=True):
            assert torch.equal(mask, again)
    assert len({tuple(found[:5].tolist()) for found in alone.values()}) == 12
    assert len({tuple(masks(300, seed=seed, time_p=0.5)[0].tolist()) for seed in range(12)}) == 12


def test_nobodys_random_state_is_touched_and_the_wave_is_not_written(wave):
    torch.manual_seed(5)
    np.random.seed(5)
    before, numbers, samples = torch.get_rng_state(), np.random.get_state()[1].copy(), wave.clone()
    augment_wave(wave, ALL, seed=1)
    masks(300, 768, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(np.random.get_state()[1], numbers)
    assert torch.equal(wave, samples)


def test_a_clip_that_would_become_too_short_keeps_its_speed(wave):
    fast = WaveChoice(speed=(1.25,))
    assert len(augment_wave(wave[:499], fast, seed=0)) == 499
    assert len(augment_wave(wave[:500], fast, seed=0)) == 400
    assert len(augment_wave(wave[:499], fast, seed=0, shortest=399)) == 399


def test_silence_stays_silence(wave):
    assert not augment_wave(torch.zeros(800), WaveChoice(snr=(5.0, 5.0), gain=(3.0, 3.0)), seed=0).any()


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (WaveChoice(speed=(1.0, 0.0)), r"`speed` must hold factors above 0.01, but holds \[1.0, 0.0\]"),
        (WaveChoice(speed=(float("nan"),)), "`speed` must hold factors"),
        (WaveChoice(snr=(20.0, 5.0)), r"`snr` must be \(low, high\) in dB, but is \(20.0, 5.0\)"),
        (WaveChoice(gain=(0.0, float("nan"))), "`gain` must be"),
    ],
)
def test_choices_that_cannot_be_are_refused(wave, choice, message):
    with pytest.raises(ValueError, match=message):
        augment_wave(wave, choice, seed=0)


def test_a_batch_of_waves_is_refused(wave):
    with pytest.raises(ValueError, match=r"one dimension \(samples\), but has the shape \(1, 16000\)"):
        augment_wave(wave[None], STILL, seed=0)


@pytest.mark.parametrize(
    ("size", "p", "length"), [(200, 0.08, 15), (200, 0.65, 10), (768, 0.05, 64), (31, 0.9, 15), (60, 0.3, 15)]
)
def test_masks_are_distributed_as_those_of_transformers(size, p, length):
    """Share hidden, its spread, and how often the edges and the middle are hidden, over 1000 masks each."""
    np.random.seed(0)
    theirs = np.concatenate([_compute_mask_indices((1, size), p, length) for _ in range(1000)])
    on_frames = np.stack([masks(size, seed=n, time_p=p, time_length=length)[0] for n in range(1000)])
    on_columns = np.stack([masks(8, size, seed=n, feature_p=p, feature_length=length)[1].numpy() for n in range(1000)])
    for ours in (on_frames, on_columns):
        shares, expected = ours.mean(1), theirs.mean(1)
        error = 5 * np.hypot(shares.std(), expected.std()) / 1000**0.5
        assert abs(shares.mean() - expected.mean()) <= error + 1e-9
        assert shares.std() == pytest.approx(expected.std(), rel=0.15)
        for edge in (0, -1):
            assert abs(ours[:, edge].mean() - theirs[:, edge].mean()) < 0.05
        assert abs(ours[:, size // 2].mean() - theirs[:, size // 2].mean()) < 0.09


def test_spans_have_their_length():
    for seed in range(100):
        hidden = masks(400, seed=seed, time_p=0.1, time_length=20)[0].int()
        edges = torch.diff(hidden, prepend=hidden.new_zeros(1), append=hidden.new_zeros(1))
        runs = torch.where(edges == -1)[0] - torch.where(edges == 1)[0]
        assert (runs >= 20).all()
        assert hidden.sum() in (40, *range(20, 40))


@pytest.mark.parametrize("frames", range(1, 34))
def test_never_is_everything_hidden_however_short_the_clip(frames):
    for seed in range(60):
        time, feature = masks(frames, frames, seed=seed, time_p=1.0, feature_p=1.0)
        assert (time.shape, feature.shape, time.dtype) == ((frames,), (frames,), torch.bool)
        assert not time.all()
        assert not feature.all()


@pytest.mark.parametrize("frames", [2, 5, 14, 15, 29])
def test_short_clips_are_masked_in_the_same_share(frames):
    shares = [float(masks(frames, seed=seed, time_p=0.3)[0].float().mean()) for seed in range(3000)]
    assert np.mean(shares) == pytest.approx(0.3, abs=0.05)
    assert max(shares) <= 0.5


def test_a_share_of_zero_hides_nothing():
    for seed in range(50):
        time, feature = masks(300, 768, seed=seed, time_p=0.0, feature_p=0.0)
        assert not time.any()
        assert not feature.any()


def test_columns_do_not_depend_on_the_length_of_the_clip():
    for seed in range(20):
        assert torch.equal(masks(30, 768, seed=seed)[1], masks(500, 768, seed=seed, time_p=0.9)[1])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"time_p": 1.1}, r"`time_p` must be in \[0, 1\], but is 1.1"),
        ({"feature_p": float("nan")}, "`feature_p` must be"),
        ({"time_length": 0}, "`time_length` must be at least 1, but is 0"),
        ({"frames": 0}, "`frames` must be at least 1, but is 0"),
    ],
)
def test_arguments_out_of_range_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        spec_masks(**{"frames": 50, "width": 8, "seed": 0, **wrong})

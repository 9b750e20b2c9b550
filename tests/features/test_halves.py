"""Half precision with a scale a row: whatever a float32 may be goes through, a 2,048th of itself away at most."""

import numpy as np
import pytest

from xlser.features.halves import from_half, to_half
from xlser.features.running_moments import Moments

RNG = np.random.default_rng(0)


def slowly(number, largest):
    """Round one number to 11 binary digits, or to the grid below a 2^-28th of the largest, by integers."""
    from fractions import Fraction
    from math import floor, log2

    if not number:
        return 0.0
    power = max(floor(log2(abs(number))), floor(log2(largest)) - 28)
    return float(round(Fraction(float(number)) / Fraction(2) ** (power - 10)) * Fraction(2) ** (power - 10))


@pytest.mark.parametrize("size", [1e-30, 1e-6, 1.0, 70_000.0, 1e30])
@pytest.mark.parametrize("spread", [1, 30])
def test_it_is_rounding_to_eleven_digits_whatever_the_size(size, spread):
    rows = (size * RNG.normal(size=(3, 50)) * 2.0 ** RNG.integers(-spread, 1, (3, 50))).astype(np.float32)
    expected = [[slowly(number, np.abs(row).max()) for number in row] for row in rows]
    np.testing.assert_allclose(from_half(to_half(rows)), np.array(expected, np.float32), rtol=1e-7, atol=1e-45)


def test_it_takes_two_bytes_a_number_and_what_is_rounded_stays():
    rows = RNG.normal(size=(20, 384)).astype(np.float32)
    halves = to_half(rows)
    assert (halves.dtype, halves.shape) == (np.float16, (20, 385))
    assert from_half(to_half(from_half(halves))).tobytes() == from_half(halves).tobytes()


def test_zeros_the_largest_numbers_and_what_is_not_finite():
    top = np.finfo(np.float32).max
    rows = np.array([[0, -0.0, 0], [top * 0.999, -1, 1], [np.nan, 1, 2], [np.inf, 1, 2]], np.float32)
    found = from_half(to_half(rows))
    assert not found[0].any()
    assert np.isfinite(found[1]).all()
    assert not np.isfinite(found[2:]).all(axis=1).any()


def test_moments_of_parts_are_those_of_all_frames_however_they_are_cut():
    frames = RNG.normal(1e4, 1e-2, (60, 3))
    for cuts in ([1], [59], [7, 8, 40], range(1, 60)):
        merged = None
        for part in np.split(frames, list(cuts)):
            own = Moments(len(part), part.mean(0), ((part - part.mean(0)) ** 2).sum(0), part.min(0), part.max(0))
            merged = own.merged(merged)
        expected = [frames.mean(0), frames.std(0), frames.min(0), frames.max(0)]
        np.testing.assert_allclose(merged.statistics(), expected, rtol=1e-9)
        assert merged.frames == 60

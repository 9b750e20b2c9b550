"""Pooling against loops over the valid frames of every clip."""

import pytest
import torch

from xlser.models.pooling import LayerPool, masked_mean

LENGTHS = torch.tensor([7, 1, 4])


@pytest.fixture
def hidden():
    """Hidden states 0..3, (3, 7, 5) each, NaN beyond the lengths."""
    states = 10 + torch.randn(4, 3, 7, 5, generator=torch.Generator().manual_seed(0))
    for row, length in enumerate(LENGTHS):
        states[:, row, length:] = torch.nan
    return list(states)


def pool(**options):
    torch.manual_seed(0)
    return LayerPool(**{"layers": 3, "width": 5, **options})


def statistics(frames, scores):
    """Weighted mean and deviation of one clip (T, D), frame by frame."""
    weights = [torch.exp(scores(frame)).item() for frame in frames]
    weights = [weight / sum(weights) for weight in weights]
    mean = sum(weight * frame for weight, frame in zip(weights, frames, strict=True))
    variance = sum(weight * (frame - mean) ** 2 for weight, frame in zip(weights, frames, strict=True))
    return torch.cat([mean, variance.clamp(min=1e-8).sqrt()])


def test_the_mean_is_that_of_the_valid_frames(hidden):
    expected = torch.stack([hidden[2][row, :length].mean(0) for row, length in enumerate(LENGTHS)])
    torch.testing.assert_close(masked_mean(hidden[2], LENGTHS), expected)


def test_half_precision_is_summed_in_single():
    frames = torch.full((1, 3000, 2), 100.0, dtype=torch.float16)  # the sum would be infinite
    assert masked_mean(frames, torch.tensor([3000])).tolist() == [[100.0, 100.0]]


@pytest.mark.parametrize(("layer", "number"), [(-1, 3), (3, 3), (0, 0), (-4, 0), (1, 1), (-2, 2)])
def test_one_layer_is_read_counted_from_either_end(hidden, layer, number):
    one = pool(layer=layer)
    assert (one.lowest, one.width) == (number, 5)
    expected = masked_mean(hidden[number], LENGTHS)
    for first in range(number + 1):
        assert torch.equal(one(hidden[first:], LENGTHS, first=first), expected)
    assert list(one.parameters()) == []


def test_the_mixture_starts_equal_and_follows_its_weights(hidden):
    mixed = pool(layer="weighted")
    assert mixed.lowest == 0
    means = torch.stack([masked_mean(state, LENGTHS) for state in hidden])
    torch.testing.assert_close(mixed(hidden, LENGTHS), means.mean(0))
    with torch.no_grad():
        mixed.weights.copy_(torch.tensor([0.5, -1.0, 2.0, 0.0]))
    shares = mixed.weights.detach().exp() / mixed.weights.detach().exp().sum()
    torch.testing.assert_close(mixed(hidden, LENGTHS), sum(s * m for s, m in zip(shares, means, strict=True)))


@pytest.mark.parametrize("layer", [-1, 0, 2, "weighted"])
def test_stored_means_give_the_same_as_the_frames(hidden, layer):
    one = pool(layer=layer)
    if layer == "weighted":
        torch.nn.init.normal_(one.weights)
    means = torch.stack([masked_mean(state, LENGTHS) for state in hidden], dim=1)
    torch.testing.assert_close(one.from_means(means), one(hidden, LENGTHS))
    torch.testing.assert_close(one.from_means(means.half()), one(hidden, LENGTHS), atol=2e-2, rtol=0)


@pytest.mark.parametrize("layer", [-1, "weighted"])
def test_attentive_statistics_are_those_of_a_loop(hidden, layer):
    one = pool(layer=layer, pooling="attentive", bottleneck=6).eval()
    assert one.width == 10
    read = hidden[-1] if layer == -1 else torch.stack(hidden).mean(0)
    with torch.no_grad():
        for parameter in one.scores.parameters():
            parameter.mul_(3)
        expected = torch.stack([statistics(read[row, :length], one.scores) for row, length in enumerate(LENGTHS)])
        found = one(hidden, LENGTHS)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    assert (found[:, 5:].std(0) > 0).all()


@pytest.mark.parametrize("frames", [torch.ones(2, 6, 5), torch.randn(2, 1, 5)], ids=["constant", "one frame"])
def test_frames_without_spread_have_a_finite_gradient(frames):
    one = pool(layers=1, pooling="attentive")
    frames.requires_grad_()
    found = one([frames, frames], torch.tensor([frames.shape[1], 1]))
    assert torch.allclose(found[:, 5:], torch.tensor(1e-4))
    found.sum().backward()
    assert frames.grad.isfinite().all()
    assert all(parameter.grad.isfinite().all() for parameter in one.parameters())


def test_every_option_learns_and_the_padding_gets_no_gradient(hidden):
    one = pool(layer="weighted", pooling="attentive")
    states = [state.nan_to_num(5.0).requires_grad_() for state in hidden]
    one(states, LENGTHS).square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in one.parameters())
    for row, length in enumerate(LENGTHS):
        assert not states[1].grad[row, length:].any()
        assert states[1].grad[row, :length].abs().sum() > 0


@pytest.mark.parametrize("pooling", ["mean", "attentive"])
def test_neighbours_change_nothing(hidden, pooling):
    one = pool(pooling=pooling).eval()
    batch = one(hidden, LENGTHS)
    for row, length in enumerate(LENGTHS):
        alone = one([state[row : row + 1, :length] for state in hidden], LENGTHS[row : row + 1])
        torch.testing.assert_close(batch[row], alone[0], atol=1e-5, rtol=0)
    assert torch.equal(one(hidden, LENGTHS), batch)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"layer": 4}, "`layer` must be 'weighted' or a whole number from -4 to 3 .*, but is 4"),
        ({"layer": -5}, "but is -5"),
        ({"layer": "last"}, "but is 'last'"),
        ({"layer": True}, "but is True"),
        ({"pooling": "max"}, "`pooling` must be 'mean' or 'attentive', but is 'max'"),
        ({"layers": 0}, "`layers` must be a whole number of at least 1"),
        ({"width": 0}, "`width` must be a whole number of at least 1"),
    ],
)
def test_impossible_options_are_refused(options, told):
    with pytest.raises(ValueError, match=told):
        pool(**options)


def test_hidden_states_that_do_not_reach_from_first_to_last_are_refused(hidden):
    with pytest.raises(ValueError, match=r"`hidden` must hold hidden states 1 to 3 \(3\), but holds 4"):
        pool()(hidden, LENGTHS, first=1)
    with pytest.raises(ValueError, match="`first` must be at most 1, the lowest state read, but is 2"):
        pool(layer=1)(hidden[2:], LENGTHS, first=2)
    with pytest.raises(ValueError, match="`first` must be at most 0"):
        pool(layer="weighted")(hidden[1:], LENGTHS, first=1)


def test_means_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"`means` must have shape \(N, 4, D\), but has \(2, 3, 5\)"):
        pool().from_means(torch.zeros(2, 3, 5))
    with pytest.raises(ValueError, match="`pooling` must be 'mean' to pool from stored means"):
        pool(pooling="attentive").from_means(torch.zeros(2, 4, 5))

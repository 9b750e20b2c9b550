"""A network of encoder, pools, heads and projections: a clip alone is what it is in a batch, however it is fed."""

from __future__ import annotations

import pytest
import torch

from xlser.models.checkpoints import load_encoder
from xlser.models.classifier import EmotionNetwork, Inputs
from xlser.models.pooling import LayerPool, masked_mean


def network_of(layer=-1, pooling="mean", *, feed=None, weights="random:tiny", **options):
    encoder = load_encoder(weights)
    torch.manual_seed(0)
    fed = LayerPool(encoder.layers, encoder.width, *feed) if feed else None
    pool = LayerPool(encoder.layers, encoder.width, layer, pooling)
    return EmotionNetwork(encoder, pool, classes=4, fed=fed, **options).eval()


@pytest.fixture
def clips():
    """Noise of 0.03 to 1 s."""
    rng = torch.Generator().manual_seed(1)
    return [0.1 * torch.randn(samples, generator=rng) for samples in (16_000, 500, 8_000, 4_321)]


def frames_of(network, clips, first=0):
    """The hidden state ``first`` of each clip alone, or the output of the convolutions."""
    frames = [network.encoder.front(clip) for clip in clips]
    if not first:
        return frames
    return [network.encoder(f[None], torch.tensor([len(f)]))[first][0] for f in frames]


def means_of(network, clips):
    out = []
    for frames in frames_of(network, clips):
        lengths = torch.tensor([len(frames)])
        out.append(torch.stack([masked_mean(h, lengths)[0] for h in network.encoder(frames[None], lengths)]))
    return out


@pytest.mark.parametrize("layer", [0, 1, -1, "weighted"])
@pytest.mark.parametrize("pooling", ["mean", "attentive"])
@pytest.mark.parametrize("feed", [None, (1, "attentive"), ("weighted", "mean")])
@torch.no_grad()
def test_a_clip_alone_is_what_it_is_in_a_batch(clips, layer, pooling, feed):
    network = network_of(layer, pooling, feed=feed)
    together = network.embed(Inputs("waves", clips))
    alone = [network.embed(Inputs("waves", [clip])) for clip in clips]
    assert together.keys() == ({"embedding", "fed"} if feed else {"embedding"})
    for name, vectors in together.items():
        expected = torch.cat([one[name] for one in alone])
        torch.testing.assert_close(vectors, expected, rtol=1e-5, atol=1e-5)
        assert vectors.shape == (4, network.pools[name].width)


@pytest.mark.parametrize(("layer", "pooling", "first"), [(-1, "mean", 2), (1, "attentive", 1), ("weighted", "mean", 0)])
@torch.no_grad()
def test_frames_give_what_waves_give(clips, layer, pooling, first):
    network = network_of(layer, pooling)
    expected = network.embed(Inputs("waves", clips))["embedding"]
    for begin in {0, first}:
        found = network.embed(Inputs("frames", frames_of(network, clips, begin), begin))["embedding"]
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("layer", [0, 1, -1, "weighted"])
@torch.no_grad()
def test_means_give_what_waves_give(clips, layer):
    network = network_of(layer, feed=(1, "mean"))
    if layer == "weighted":
        network.pools["embedding"].weights.copy_(torch.tensor([1.0, -1.0, 0.5]))
    expected = network.embed(Inputs("waves", clips))
    found = network.embed(Inputs("means", means_of(network, clips)))
    for name, vectors in expected.items():
        torch.testing.assert_close(found[name], vectors, rtol=1e-5, atol=1e-5)


def test_the_lowest_state_is_that_of_all_pools():
    assert network_of(-1).lowest == 2
    assert network_of(-1, feed=(1, "mean")).lowest == 1
    assert network_of("weighted").lowest == 0


@torch.no_grad()
def test_masks_are_asked_for_the_frames_of_each_clip_and_reach_the_encoder(clips):
    network, asked = network_of(), []

    def mask(frames):
        asked.append(frames)
        return torch.ones(frames, dtype=torch.bool), torch.zeros(32, dtype=torch.bool)

    hidden = network.embed(Inputs("waves", clips, masks=[mask] * 4))["embedding"]
    assert asked == [len(frames) for frames in frames_of(network, clips)]
    # Where every frame is the mask vector, no clip is heard; only its length is left to tell.
    other = network.embed(Inputs("waves", [clip.flip(0) for clip in clips], masks=[mask] * 4))["embedding"]
    torch.testing.assert_close(hidden, other)
    assert not torch.allclose(hidden, network.embed(Inputs("waves", clips))["embedding"])


@torch.no_grad()
def test_a_masked_clip_does_not_depend_on_the_batch(clips):
    network = network_of()

    def mask(frames):
        hidden = torch.zeros(frames, dtype=torch.bool)
        hidden[: frames // 2] = True
        return hidden, torch.arange(32) < 4

    together = network.embed(Inputs("waves", clips, masks=[mask] * 4))["embedding"]
    alone = torch.cat([network.embed(Inputs("waves", [clip], masks=[mask]))["embedding"] for clip in clips])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)


def test_a_projection_has_the_width_of_what_it_looks_at():
    widths = {"supcon": 8, "contrastive": 6}
    network = network_of(pooling="attentive", feed=(0, "mean"), projections=widths, feeding=["contrastive"])
    embedded = {"embedding": torch.randn(3, 64), "fed": torch.randn(3, 32)}
    assert network.project("supcon", embedded).shape == (3, 8)
    assert network.project("contrastive", embedded).shape == (3, 6)
    assert network.project("metric", embedded) is embedded["embedding"]
    plain = network_of(projections={"supcon": 8})
    assert plain.project("contrastive", {"embedding": embedded["fed"]}) is embedded["fed"]
    assert network_of(feed=(0, "mean"), feeding=["any"]).project("any", embedded) is embedded["fed"]


def test_heads_have_a_number_a_class_and_a_dimension(clips):
    network = network_of(pooling="attentive")
    vectors = network.embed(Inputs("waves", clips))["embedding"]
    assert network.classes(vectors).shape == (4, 4)
    assert network.dimensions(vectors).shape == (4, 3)


@pytest.mark.parametrize(("freeze", "trained"), [(-1, True), (0, False)])
def test_the_gradient_ends_where_the_encoder_is_frozen(clips, freeze, trained):
    network = network_of().train()
    network.encoder.freeze(freeze)
    network.embed(Inputs("waves", clips))["embedding"].sum().backward()
    convolution = next(network.encoder.model.feature_extractor.parameters())
    assert (convolution.grad is not None) is trained
    assert network.encoder.model.encoder.layers[0].attention.k_proj.weight.grad is not None

"""Adapters by PEFT: in every family they begin without effect, then learn, alone, and merge into what they gave."""

import copy

import pytest
import torch

from xlser.errors import RecipeError
from xlser.models.checkpoints import load_encoder
from xlser.models.encoder import pad_frames
from xlser.models.families import FAMILIES, Family
from xlser.models.lora import add_adapters, merge_adapters


def states(encoder, waves):
    return encoder(*pad_frames([encoder.front(wave) for wave in waves]))


@pytest.fixture
def adapt():
    """Return a function: an encoder, its convolutions frozen, with adapters whose B is no longer zero."""

    def make(encoder, rank=2, moved=True, freeze=0, **options):
        encoder.freeze(freeze)
        torch.manual_seed(0)
        names = add_adapters(encoder, rank=rank, **options)
        for name, tensor in encoder.named_parameters():
            if moved and ".lora_B." in name:
                tensor.data.normal_()
        return names

    return make


def test_adapters_of_every_family_keep_the_contract(every, waves, adapt):
    encoder = every.encoder
    with torch.no_grad():
        before = states(encoder, waves)
    names = adapt(encoder, moved=False)
    assert len(names) == 2 * encoder.layers
    with torch.no_grad():
        for was, now in zip(before, states(encoder, waves), strict=True):
            torch.testing.assert_close(now, was, rtol=1e-4, atol=1e-5)
    for name, tensor in encoder.named_parameters():
        assert tensor.requires_grad == (".lora_" in name), name
        if ".lora_B." in name:
            tensor.data.normal_()
    frames = pad_frames([encoder.front(wave) for wave in waves])
    last = encoder(*frames)[-1]
    last[frames[1].argmax()].square().sum().backward()
    for name, tensor in encoder.named_parameters():
        moves = tensor.grad is not None and bool(tensor.grad.abs().sum() > 0)
        assert moves == (".lora_" in name), name
    assert (last - before[-1])[0, 0].abs().max() > 1e-3
    with torch.no_grad():
        alone = states(encoder, waves[:1])[-1][0]
        torch.testing.assert_close(last[0, : len(alone)], alone, rtol=1e-4, atol=1e-5)
        merged = merge_adapters(copy.deepcopy(encoder))
        assert not any(".lora_" in name for name in merged.state_dict())
        torch.testing.assert_close(states(merged, waves[:1])[-1][0], alone, rtol=1e-4, atol=1e-5)


def test_nothing_of_the_checkpoint_is_random_in_training(make_checkpoint, waves, adapt):
    encoder = load_encoder(str(make_checkpoint("wavlm, layer norm")), dropout=0.3).train()
    adapt(encoder)
    assert torch.equal(*(states(encoder.train(), waves)[-1] for _ in range(2)))


def test_the_random_state_chooses_the_weights(adapt):
    def drawn(seed):
        encoder = load_encoder("random:tiny")
        torch.manual_seed(seed)
        add_adapters(encoder, rank=2)
        return encoder.get_parameter("model.encoder.layers.0.attention.q_proj.lora_A.default.weight")

    assert torch.equal(drawn(3), drawn(3))
    assert not torch.equal(drawn(3), drawn(4))


def test_an_adapter_is_scaled_by_alpha_over_rank_and_drops_out_in_training(adapt):
    wave = torch.linspace(-1, 1, 4000)
    weak, strong = (load_encoder("random:tiny").eval() for _ in range(2))
    adapt(weak, alpha=1e-4, dropout=0.5)
    adapt(strong, dropout=0.5)
    plain = load_encoder("random:tiny").eval()
    with torch.no_grad():
        torch.testing.assert_close(states(weak, [wave])[-1], states(plain, [wave])[-1], rtol=0, atol=1e-3)
        layers = [part for part in strong.modules() if hasattr(part, "lora_A")]
        assert {layer.scaling["default"] for layer in layers} == {2.0}, "twice the rank over the rank"
        still = [states(strong, [wave])[-1] for _ in range(2)]
        drawn = [states(strong.train(), [wave])[-1] for _ in range(2)]
    assert torch.equal(*still)
    assert not torch.equal(*drawn)


@pytest.mark.parametrize(("freeze", "last", "layers"), [(1, None, {1}), (0, 1, {0}), (0, None, {0, 1})])
def test_adapters_stand_between_what_is_frozen_and_what_is_read(adapt, freeze, last, layers):
    encoder = load_encoder("random:tiny")
    names = adapt(encoder, freeze=freeze, last=last, targets=("k_proj", "output_dense"))
    assert {int(name.split(".")[2]) for name in names} == layers
    assert {name.split(".")[-1] for name in names} == {"k_proj", "output_dense"}
    found = {name for name, _ in encoder.named_parameters() if ".lora_" in name}
    assert {int(name.split(".")[3]) for name in found} == layers


def test_no_gradient_goes_below_the_first_adapter(adapt):
    encoder = load_encoder("random:tiny")
    adapt(encoder, freeze=1)
    hidden = states(encoder, [torch.randn(4000)])
    assert [state.requires_grad for state in hidden] == [False, False, True]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rank": 33}, "encoder.lora.rank must be at most 32, the columns of q_proj, v_proj, but is 33 instead"),
        ({"targets": ["q_prj"]}, "no layer of a wav2vec2 model has a linear layer 'q_prj'; did you mean 'q_proj'"),
        ({"freeze": 2}, "no layer is left for an adapter"),
        ({"freeze": 1, "last": 1}, "hidden state 1 is the highest that is read"),
    ],
)
def test_what_cannot_be_adapted_is_refused(adapt, options, message):
    with pytest.raises(RecipeError, match=message):
        adapt(load_encoder("random:tiny"), **options)


@pytest.mark.parametrize("projections", [(), ("linear_q", "linear_v")])
def test_a_family_without_projections_is_refused(adapt, monkeypatch, projections):
    monkeypatch.setitem(FAMILIES, "wav2vec2", Family("none", projections=projections))
    with pytest.raises(RecipeError, match="wav2vec2 models have no attention projections"):
        adapt(load_encoder("random:tiny"))
    assert adapt(load_encoder("random:tiny"), targets=["intermediate_dense"]), "named ones are taken all the same"

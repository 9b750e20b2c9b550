"""Speech encoders: alone as in a batch, as transformers gives it, from any layer on, frozen to any depth."""

import copy
import json

import pytest
import torch
from reference import by_transformers

from xlser.models.checkpoints import load_encoder
from xlser.models.encoder import pad_frames


def fronts(encoder, waves):
    return pad_frames([encoder.front(wave) for wave in waves])


def norm(gradient):
    return 0.0 if gradient is None else gradient.norm().item()


@torch.no_grad()
def test_layers_above_the_last_one_wanted_are_left_out(family, waves):
    frames, lengths = fronts(family.encoder, waves)
    every, ran = family.encoder(frames, lengths), []
    hooks = [module.register_forward_hook(lambda *_: ran.append(1)) for module in layers_of(family.encoder)]
    for last in range(family.encoder.layers + 1):
        ran.clear()
        states = family.encoder(frames, lengths, last=last)
        assert len(states) == last + 1
        assert len(ran) == max(last, 1), "what stands before the layers runs with the first one"
        for state, expected in zip(states, every, strict=False):
            torch.testing.assert_close(state, expected)
    for hook in hooks:
        hook.remove()
    with pytest.raises(ValueError, match="`last` must be a whole number from 0 to 3"):
        family.encoder(frames, lengths, last=4)


def layers_of(encoder):
    return encoder.model.encoder.layers


@torch.no_grad()
def test_what_is_given_is_not_written_to(family, waves):
    encoder = family.encoder
    frames, lengths = fronts(encoder, waves)
    frames += 1
    before = frames.clone()
    encoder(frames, lengths)
    assert torch.equal(frames, before)
    if encoder.resumes:
        stored = torch.ones(len(waves), frames.shape[1], encoder.width)
        encoder(stored, lengths, first=1)
        assert (stored == 1).all()


@torch.no_grad()
def test_stored_hidden_states_can_be_taken_up_at_any_layer(family, waves):
    encoder = family.encoder
    frames, lengths = fronts(encoder, waves)
    whole = encoder(frames, lengths)
    valid = torch.arange(frames.shape[1]) < lengths[:, None]
    if not encoder.resumes:
        assert family.name.startswith("wavlm")
        with pytest.raises(ValueError, match="`first` must be 0, because a wavlm model cannot begin"):
            encoder(whole[1], lengths, first=1)
        return
    for first in range(1, encoder.layers + 1):
        tail = encoder(whole[first], lengths, first=first)
        assert len(tail) == encoder.layers + 1 - first
        for state, expected in zip(tail, whole[first:], strict=True):
            torch.testing.assert_close(state[valid], expected[valid], atol=1e-6, rtol=1e-6)


def test_every_part_learns_when_nothing_is_frozen(family, waves):
    encoder = family.encoder.train()
    encoder.layerdrop = 0.0
    frames, lengths = fronts(encoder, waves[:2])
    sum(state[0, :3].square().sum() for state in encoder(frames, lengths)).backward()
    without = [name for name, p in encoder.named_parameters() if norm(p.grad) == 0]
    assert [name for name in without if not name.endswith(("masked_spec_embed", "k_proj.bias", "linear_k.bias"))] == []
    if "w2v-bert" not in family.name:
        assert norm(next(encoder.model.feature_extractor.parameters()).grad) > 0


@pytest.mark.parametrize("depth", [0, 2, 3])
def test_what_is_frozen_has_no_gradient_and_no_dropout(shape, waves, depth):
    encoder = load_encoder(str(shape.folder), dropout=0.5)
    encoder.layerdrop = 0.0
    encoder.freeze(depth)
    encoder.train()
    assert encoder.frozen == depth
    frames, lengths = fronts(encoder, waves[:2])
    assert not frames.requires_grad
    one, two = encoder(frames, lengths), encoder(frames, lengths)
    same = [torch.equal(a, b) for a, b in zip(one, two, strict=True)]
    # Below and at the depth nothing is drawn, above it all is; at depth 0 the projection draws already.
    assert same == [number <= depth and depth > 0 for number in range(encoder.layers + 1)]
    assert one[-1].requires_grad == (depth < encoder.layers)
    if depth:
        assert not one[depth].requires_grad
    for number, layer in enumerate(encoder.model.encoder.layers):
        assert [layer.training] * 2 == [number >= depth, next(layer.parameters()).requires_grad]


@pytest.mark.parametrize(("family_name", "free"), [("wav2vec2, layer norm", True), ("wav2vec2, group norm", False)])
def test_a_norm_is_frozen_with_the_layers_it_stands_before(make_checkpoint, family_name, free):
    encoder = load_encoder(str(make_checkpoint(family_name)))
    norm = encoder.model.encoder.layer_norm
    encoder.freeze(2)
    assert [norm.training, norm.weight.requires_grad] == [free, free]
    encoder.freeze(0)
    assert norm.weight.requires_grad
    encoder.freeze(3)
    assert not norm.weight.requires_grad


def test_thawing_takes_everything_back(shape):
    encoder = shape.encoder
    encoder.freeze(2)
    encoder.freeze(-1)
    assert encoder.frozen == -1
    assert all(parameter.requires_grad for parameter in encoder.parameters())


def test_eval_stays_eval_when_freezing(shape):
    shape.encoder.freeze(1)
    assert not any(module.training for module in shape.encoder.modules())


def test_a_layer_that_is_left_out_hands_on_its_input(shape, waves):
    encoder = load_encoder(str(shape.folder), dropout=0.0).train()
    encoder.layerdrop = 1.0
    states = encoder(*fronts(encoder, waves[:2]))
    assert len(states) == encoder.layers + 1
    assert all(torch.equal(state, states[0]) for state in states[1:-1])
    assert torch.equal(states[-1], states[0]) == ("layer norm" not in shape.name)


def test_layers_are_left_out_as_often_as_the_config_says_but_never_frozen_ones(make_checkpoint, waves):
    encoder = load_encoder(str(make_checkpoint(layerdrop=0.4, num_hidden_layers=2)))
    encoder.freeze(1)
    frames, lengths = fronts(encoder, waves[1:2])
    torch.manual_seed(0)
    dropped = []
    for _ in range(100):
        zero, one, _ = encoder(frames, lengths)
        assert not torch.equal(zero, one)
        dropped.append(torch.equal(encoder.model.encoder.layer_norm(one), encoder(frames, lengths)[2]))
    assert 0.3 < sum(dropped) / len(dropped) < 0.5
    encoder.eval()
    assert not torch.equal(*encoder(frames, lengths)[:2])


def test_without_dropout_training_is_repeatable(shape, waves):
    encoder = load_encoder(str(shape.folder), dropout=0.0).train()
    frames, lengths = fronts(encoder, waves)
    for one, two in zip(encoder(frames, lengths), encoder(frames, lengths), strict=True):
        assert torch.equal(one, two)


def test_a_batch_norm_does_not_look_at_the_batch_while_training(make_checkpoint, waves):
    encoder = load_encoder(str(make_checkpoint("hubert, batch norm")), dropout=0.0).train()
    before = copy.deepcopy(encoder.state_dict())
    frames, lengths = fronts(encoder, waves)
    alone = encoder(frames[1:2, : lengths[1]], lengths[1:2])[-1]
    torch.testing.assert_close(encoder(frames, lengths)[-1][1, : lengths[1]], alone[0], atol=1e-5, rtol=0)
    assert all(torch.equal(before[name], tensor) for name, tensor in encoder.state_dict().items())


@torch.no_grad()
def test_masks_put_the_learned_vector_and_zeros(shape, waves):
    encoder = shape.encoder
    frames, lengths = fronts(encoder, waves)
    time = torch.rand(frames.shape[:2], generator=torch.Generator().manual_seed(0)) < 0.3
    feature = torch.rand(len(waves), encoder.width, generator=torch.Generator().manual_seed(1)) < 0.3
    seen = []
    hook = encoder.model.encoder.layers[0].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    masked = encoder(frames, lengths, time_mask=time, feature_mask=feature)
    hook.remove()
    assert torch.equal(seen[0], masked[0])
    projected = encoder._projected(frames).clone()
    for row, frame in time.nonzero().tolist():
        projected[row, frame] = encoder.model.masked_spec_embed
    for row, column in feature.nonzero().tolist():
        projected[row, :, column] = 0
    encoder._projected = lambda _: projected
    for state, expected in zip(masked, encoder(frames, lengths), strict=True):
        assert torch.equal(state, expected)


@torch.no_grad()
def test_a_model_without_a_mask_vector_masks_with_zeros(make_checkpoint, waves):
    encoder = load_encoder(str(make_checkpoint(mask_time_prob=0.0, mask_feature_prob=0.0))).eval()
    assert not hasattr(encoder.model, "masked_spec_embed")
    frames, lengths = fronts(encoder, waves)
    masked = encoder(frames, lengths, time_mask=torch.ones(frames.shape[:2], dtype=torch.bool))
    zeros = encoder(frames, lengths, feature_mask=torch.ones(len(waves), encoder.width, dtype=torch.bool))
    assert torch.equal(masked[-1], zeros[-1])


def test_the_mask_vector_learns_until_it_is_frozen(make_checkpoint, waves):
    encoder = load_encoder(str(make_checkpoint()), dropout=0.0)
    frames, lengths = fronts(encoder, waves[:1])
    mask = torch.ones(frames.shape[:2], dtype=torch.bool)
    encoder(frames, lengths, time_mask=mask)[-1].square().sum().backward()
    assert norm(encoder.model.masked_spec_embed.grad) > 0
    encoder.freeze(1)
    assert not encoder.model.masked_spec_embed.requires_grad


@torch.no_grad()
def test_a_clip_too_short_for_one_frame_is_refused_and_one_of_the_least_length_is_not(family):
    encoder = family.encoder
    assert encoder.shortest == (560 if "w2v-bert" in family.name else 400)
    assert encoder.front(torch.randn(encoder.shortest)).shape == (1, encoder.front_width)
    with pytest.raises(ValueError, match=rf"at least {encoder.shortest} samples .*but holds {encoder.shortest - 1}"):
        encoder.front(torch.randn(encoder.shortest - 1))
    assert encoder.front(torch.zeros(4_000)).isfinite().all()


@pytest.mark.parametrize("wave", [torch.zeros(1, 8000), torch.zeros(8000, dtype=torch.int16)])
def test_what_is_no_single_clip_of_samples_is_refused(wave):
    with pytest.raises(ValueError, match=r"`wave` must be floating point of shape \(S,\), but is torch"):
        load_encoder("random:tiny").front(wave)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"frames": torch.zeros(2, 5, 31)}, "`frames` must have 32 columns, but has 31"),
        ({"frames": torch.zeros(5, 32)}, r"`frames` must have shape \(N, T, D\)"),
        ({"lengths": torch.tensor([5, 6])}, "`lengths` must be 1 to 5, .* but holds 6"),
        ({"lengths": torch.tensor([0, 5])}, "`lengths` must be 1 to 5, .* but holds 0"),
        ({"lengths": torch.tensor([1.0, 0.5])}, "`lengths` must be one integer a row"),
        ({"first": 3}, "`first` must be a whole number from 0 to 2, but is 3"),
        ({"first": -1}, "`first` must be a whole number from 0 to 2, but is -1"),
        ({"first": 1, "feature_mask": torch.ones(2, 32, dtype=torch.bool)}, "ask for `first` to be 0, but it is 1"),
        ({"time_mask": torch.ones(2, 4, dtype=torch.bool)}, r"`time_mask` must be bool of shape \(2, 5\)"),
        ({"time_mask": torch.ones(2, 5)}, "`time_mask` must be bool .* but is torch.float32"),
        ({"feature_mask": torch.ones(2, 5, dtype=torch.bool)}, r"`feature_mask` must be bool of shape \(2, 32\)"),
    ],
)
def test_wrong_batches_are_refused_with_the_reason(change, told):
    given = {"frames": torch.zeros(2, 5, 32), "lengths": torch.tensor([5, 3])} | change
    with pytest.raises(ValueError, match=told):
        load_encoder("random:tiny")(given.pop("frames"), given.pop("lengths"), **given)


@pytest.mark.parametrize("depth", [-2, 3, 1.5, "all"])
def test_impossible_depths_are_refused(depth):
    with pytest.raises(ValueError, match="`depth` must be a whole number from -1 to 2, but is "):
        load_encoder("random:tiny").freeze(depth)


def test_the_identity_follows_what_it_stands_for_and_nothing_else(make_checkpoint):
    encoder = load_encoder(str(make_checkpoint()))
    before = [encoder.identity(depth) for depth in range(4)]
    assert json.loads(json.dumps(before)) == before
    assert len({json.dumps(one) for one in before}) == 4
    with torch.no_grad():
        encoder.model.encoder.layers[1].feed_forward.output_dense.bias += 1
    encoder.freeze(1)
    encoder.eval()
    after = [encoder.identity(depth) for depth in range(4)]
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, True, False, False]
    with pytest.raises(ValueError, match="`depth` must be a whole number from 0 to 3, but is -1"):
        encoder.identity(-1)


def test_the_identity_of_the_front_tells_normalised_from_raw(make_checkpoint):
    folder = make_checkpoint()
    before = load_encoder(str(folder)).identity()
    path = folder / "preprocessor_config.json"
    path.write_text(path.read_text().replace('"do_normalize": true', '"do_normalize": false'))
    assert load_encoder(str(folder)).identity() != before


@torch.no_grad()
def test_a_saved_encoder_is_read_back_by_us_and_by_transformers(family, waves, tmp_path):
    encoder = family.encoder
    folder = tmp_path / "a" / "saved"
    encoder.save(folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json",
        "model.safetensors",
        "preprocessor_config.json",
    ]
    again = load_encoder(str(folder)).eval()
    assert again.identity(encoder.layers) == encoder.identity(encoder.layers)
    assert again.layerdrop == encoder.layerdrop == 0.1
    mine = encoder(*fronts(encoder, waves[:1]))[-1][0]
    assert torch.equal(again(*fronts(again, waves[:1]))[-1][0], mine)
    torch.testing.assert_close(by_transformers(folder, waves[0])[-1], mine, atol=1e-5, rtol=1e-5)


def test_a_copy_stands_on_its_own(make_checkpoint, waves):
    encoder = load_encoder(str(make_checkpoint())).eval()
    twin = copy.deepcopy(encoder)
    with torch.no_grad():
        for parameter in encoder.model.feature_extractor.parameters():
            parameter.zero_()
    assert not torch.equal(twin.front(waves[0]), encoder.front(waves[0]))


def test_an_empty_batch_is_refused():
    with pytest.raises(ValueError, match="`frames` must hold at least one clip"):
        pad_frames([])

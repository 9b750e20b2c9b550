"""The weighted sum of losses against sums by hand, and the networks that are built for them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch

from xlser.errors import RecipeError
from xlser.losses import Contrastive, contrastive, cross_entropy, dimension_ccc, supcon
from xlser.losses.continuous import continuous_metric
from xlser.training.encoder_recipe import EncoderChoice, Terms
from xlser.training.encoder_step import Given, Targets, assemble, balance_of, build_classifier, weighted_sum

CHOICE = EncoderChoice(weights="random:tiny")
ALL = {
    "cross_entropy": {"weight": 1.5, "smoothing": 0.1},
    "supcon": {"weight": 0.5, "temperature": 0.2, "projection": 6, "cross_weight": 2.0},
    "contrastive": {"weight": 0.3, "margin": 0.7, "pairs": "all", "feed": {"layer": 1}},
    "metric": {"on": "valence", "weight": 0.2, "projection": 5},
    "dimensions": {"weight": 0.4, "of": ["activation", "dominance"]},
}
N = 12


@pytest.fixture
def targets():
    """Twelve rows: one without a class, some not rated."""
    rng = torch.Generator().manual_seed(3)
    emotion = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1, 2, -1, 0, 1])
    ratings = torch.rand(N, 3, generator=rng)
    ratings[2], ratings[5, 1], ratings[7, 0] = torch.nan, torch.nan, torch.nan
    return Targets(emotion, ratings, torch.arange(N) % 4, torch.arange(N) // 2 % 2)


@pytest.fixture
def embedded():
    rng = torch.Generator().manual_seed(4)
    return {"embedding": torch.randn(N, 32, generator=rng), "fed": torch.randn(N, 32, generator=rng)}


def network_of(terms, classes=3, seed=0):
    return build_classifier(CHOICE, terms, classes, seed)


def two_layers(network, z, name):
    first, _, second = network.projections[name]
    return torch.relu(z @ first.weight.T + first.bias) @ second.weight.T + second.bias


def by_hand(network, embedded, targets, terms):
    """Each term over the rows it may look at, one by one."""
    z, known = embedded["embedding"], [i for i in range(N) if targets.emotion[i] >= 0]
    y = targets.emotion[known]
    parts = {}
    if terms.cross_entropy:
        logits = z[known] @ network.classes.weight.T + network.classes.bias
        parts["cross_entropy"] = 1.5 * cross_entropy(logits, y, smoothing=0.1)
    if terms.supcon:
        groups = targets.language[known]
        projected = two_layers(network, z, "supcon")[known]
        parts["supcon"] = 0.5 * supcon(projected, y, temperature=0.2, groups=groups, cross_weight=2.0)
    if terms.contrastive:
        parts["contrastive"] = 0.3 * contrastive(embedded["fed"][known], y, margin=0.7, policy="all")
    if terms.metric:
        rated = [i for i in range(N) if not np.isnan(targets.ratings[i, 1])]
        projected = two_layers(network, z, "metric")[rated]
        parts["metric"] = 0.2 * continuous_metric(projected, targets.ratings[rated, 1])
    if terms.dimensions:
        predicted, losses = z @ network.dimensions.weight.T + network.dimensions.bias, []
        for column in (0, 2):
            rated = [i for i in range(N) if not np.isnan(targets.ratings[i, column])]
            losses.append(dimension_ccc(predicted[rated, column], targets.ratings[rated, column]))
        parts["dimensions"] = 0.4 * sum(losses) / 2
    return parts


@pytest.mark.parametrize("names", [c for n in range(1, 6) for c in combinations(ALL, n)], ids="+".join)
def test_every_combination_is_the_sum_of_its_weighted_terms(embedded, targets, names):
    terms = Terms(**{name: ALL[name] for name in names})
    network = network_of(terms)
    found = weighted_sum(network, embedded, targets, terms)
    expected = by_hand(network, embedded, targets, terms)
    assert found.keys() == {*names, "loss"}
    for name, value in expected.items():
        assert found[name].item() * getattr(terms, name).weight == pytest.approx(value.item(), rel=1e-5)
    assert found["loss"].item() == pytest.approx(sum(value.item() for value in expected.values()), rel=1e-5)


@pytest.mark.parametrize("policy", ["all", "hard", "semi-hard", "random-balanced", "cross-speaker", "cross-language"])
@pytest.mark.parametrize("projection", [None, 4])
def test_every_pair_policy_sees_speakers_and_languages(embedded, targets, policy, projection):
    terms = Terms(contrastive={"pairs": policy, "projection": projection, "feed": {"layer": 0}})
    network, known = network_of(terms), targets.emotion >= 0
    draw = torch.Generator().manual_seed(5)
    found = weighted_sum(network, embedded, targets, terms, Given(generator=draw))["loss"]
    z = two_layers(network, embedded["fed"], "contrastive") if projection else embedded["fed"]
    expected = contrastive(
        z[known],
        targets.emotion[known],
        policy=policy,
        speakers=targets.speaker[known],
        languages=targets.language[known],
        generator=torch.Generator().manual_seed(5),
    )
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)


def test_without_a_feed_the_embedding_is_compared(embedded, targets):
    terms = Terms(contrastive={"pairs": "all"})
    assert "fed" not in network_of(terms).pools
    found = weighted_sum(network_of(terms), {"embedding": embedded["embedding"]}, targets, terms)["loss"]
    known = targets.emotion >= 0
    expected = contrastive(embedded["embedding"][known], targets.emotion[known], policy="all")
    assert found.item() == pytest.approx(expected.item())


@pytest.mark.parametrize("name", ALL)
def test_rows_without_a_label_take_no_part(embedded, targets, name):
    """What stands in a row that a term may not look at changes neither its value nor gets a gradient."""
    terms = Terms(**{name: ALL[name]})
    network = network_of(terms)
    out = [9] if name in ("cross_entropy", "supcon", "contrastive") else [2]
    values = []
    for shift in (0.0, 7.0):
        moved = {key: z.clone() for key, z in embedded.items()}
        for z in moved.values():
            z[out] += shift
            z.requires_grad_()
        loss = weighted_sum(network, moved, targets, terms)["loss"]
        loss.backward()
        key = "fed" if name == "contrastive" else "embedding"
        assert (moved[key].grad[out] == 0).all()
        assert (moved[key].grad != 0).any()
        values.append(loss.item())
    assert values[0] == values[1]


@pytest.mark.parametrize(("name", "twin"), [("cross_entropy", False), ("supcon", True), ("contrastive", True)])
def test_one_known_row_is_enough_for_a_classifier_only(embedded, targets, name, twin):
    lonely = targets._replace(emotion=torch.tensor([2] + [-1] * (N - 1)))
    terms = Terms(**{name: ALL[name]})
    if twin:
        with pytest.raises(ValueError, match="at least 2 rows"):
            weighted_sum(network_of(terms), embedded, lonely, terms)
    else:
        assert torch.isfinite(weighted_sum(network_of(terms), embedded, lonely, terms)["loss"])


def test_classes_are_balanced_by_the_training_labels(embedded, targets):
    labels = torch.tensor([0, 0, 0, 1, -1, -1])
    assert balance_of(labels, Terms(cross_entropy=1), 3) is None
    assert balance_of(labels, Terms(supcon=1), 3) is None
    terms = Terms(cross_entropy={"balance": True})
    balance = balance_of(labels, terms, 3)
    assert balance.tolist() == [0.5, 1.5, 0.0]
    network, known = network_of(terms), targets.emotion >= 0
    found = weighted_sum(network, embedded, targets, terms, Given(balance))["loss"]
    logits, y = network.classes(embedded["embedding"][known]), targets.emotion[known]
    each = torch.nn.functional.cross_entropy(logits, y, reduction="none")
    weights = balance[y]
    assert found.item() == pytest.approx(((each * weights).sum() / weights.sum()).item(), rel=1e-6)


def test_a_dimension_that_is_not_rated_takes_no_part_and_none_at_all_is_told(embedded, targets):
    terms = Terms(dimensions={"of": ["activation", "valence"]})
    network = network_of(terms)
    ratings = targets.ratings.clone()
    ratings[:, 1] = torch.nan
    alone = weighted_sum(network, embedded, targets, Terms(dimensions={"of": ["activation"]}))["loss"]
    assert weighted_sum(network, embedded, targets._replace(ratings=ratings), terms)["loss"].item() == alone.item()
    ratings[:, 0] = 0.5
    with pytest.raises(ValueError, match="two different ratings of one of activation, valence"):
        weighted_sum(network, embedded, targets._replace(ratings=ratings), terms)


def test_half_precision_is_widened_before_a_loss(embedded, targets):
    terms = Terms(**ALL)
    network = network_of(terms)
    half = {name: z.bfloat16() for name, z in embedded.items()}
    found = weighted_sum(network, half, targets, terms)
    wide = weighted_sum(network, {name: z.float() for name, z in half.items()}, targets, terms)
    assert {name: value.item() for name, value in found.items()} == {name: value.item() for name, value in wide.items()}


def test_the_seed_makes_the_heads_and_no_other_random_number_changes():
    terms = Terms(**ALL)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one, same, other = (network_of(terms, seed=seed).state_dict() for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(one[name], same[name]) for name in one)
    differ = {name for name in one if not torch.equal(one[name], other[name])}
    assert differ
    assert not any(name.startswith("encoder.") for name in differ)
    assert {"classes.weight", "dimensions.weight", "projections.supcon.0.weight"} <= differ


@pytest.mark.parametrize(("freeze", "depth"), [("nothing", -1), ("front", 0), (1, 1), (2, 2), ("all", 2)])
def test_the_encoder_is_frozen_as_chosen(freeze, depth):
    assert build_classifier(CHOICE.model_copy(update={"freeze": freeze}), Terms(), 2, 0).encoder.frozen == depth


def test_a_layer_that_is_not_there_is_refused():
    from xlser.models.checkpoints import load_encoder

    for choice, term, told in (
        ({"layer": 3}, {}, "encoder.layer must be from -3 to 2, since random:tiny has 2 layers, but is 3"),
        ({"layer": -4}, {}, "encoder.layer must be from -3 to 2, .* but is -4"),
        ({"freeze": 3}, {}, "encoder.freeze must be from 1 to 2, .* but is 3"),
        ({}, {"contrastive": {"feed": {"layer": 7}}}, "contrastive.feed.layer must be from -3 to 2, .* but is 7"),
    ):
        with pytest.raises(RecipeError, match=told):
            assemble(load_encoder("random:tiny"), CHOICE.model_copy(update=choice), Terms(**term), 2, 0)


def test_two_losses_that_are_fed_from_two_places_are_refused():
    terms = Terms(contrastive=1)
    several = {str(layer): Contrastive(feed={"layer": layer}) for layer in (0, 1)}
    terms.__dict__["given"] = several
    with pytest.raises(RecipeError, match="0 and 1 must have one and the same `feed`, but have 2 of them"):
        build_classifier(CHOICE, terms, 2, 0)

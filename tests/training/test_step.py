"""Each objective against the same sum written out by hand, pair by pair."""

import math
from itertools import combinations, permutations

import pytest
import torch

from xlser.losses import TERMS
from xlser.training.loss_terms import ON_EMBEDDINGS
from xlser.training.objective import Objective
from xlser.training.recipe import ModelChoice
from xlser.training.step import GROUPS, Batch, add_noise, build_network, losses

FEATURES, ROWS = 6, 9


@pytest.fixture
def batch():
    rng = torch.Generator().manual_seed(1)
    x = torch.randn(ROWS, FEATURES, generator=rng, dtype=torch.float64)
    ratings = torch.rand(ROWS, 2, generator=rng, dtype=torch.float64) * 2 - 1
    groups = torch.tensor(
        [[0, 0, 0], [0, 0, 0], [1, 0, 0], [1, 0, 0], [2, 1, 0], [2, 1, 0], [3, 2, 1], [3, 2, 1], [0, 0, 0]]
    )
    return Batch(x, ratings, torch.tensor([0, 1, 2, 0, 1, 2, 0, 1, 1]), groups)


@pytest.fixture
def unrated(batch):
    """Rows 0 and 4 lack activation, row 8 lacks valence, rows 2 and 3 are of no class."""
    ratings, emotion = batch.ratings.clone(), batch.emotion.clone()
    ratings[[0, 4], 0], ratings[8, 1] = math.nan, math.nan
    emotion[[2, 3]] = -1
    return Batch(batch.x, ratings, emotion, batch.groups)


def network(kind="dae", latent=4, seed=0, classes=3):
    choice = ModelChoice(kind=kind, hidden=(5, 4), latent=latent)
    return build_network(choice, FEATURES, classes, seed).double().eval()


def signed(z, y):
    return [((a - b).sum().item() + 1e-6) / len(a) for a, b in combinations(z, 2)], [
        (a - b).item() + 1e-6 for a, b in combinations(y, 2)
    ]


def euclidean(z, y):
    n = [math.sqrt(((a - b) ** 2).sum().item() + 1e-6) / len(a) for a, b in combinations(z, 2)]
    return n, [math.sqrt((a - b).item() ** 2 + 1e-6) for a, b in combinations(y, 2)]


def slope(pairs):
    n, x = pairs
    b = sum(p * q for p, q in zip(n, x, strict=True)) / sum(q * q for q in x)
    return abs(b - 1) + sum((b * q - p) ** 2 for p, q in zip(n, x, strict=True)) / len(n)


def elr(z, y):
    n, x = euclidean(z, y)
    return sum(math.log(max(abs(p / q - 1), 1e-6)) for p, q in zip(n, x, strict=True)) / len(n)


def ccc(z, y):
    pairs = list(permutations(range(len(y)), 2))
    n = torch.tensor([((z[i] - z[j]).sum() + 1e-6) / z.shape[1] for i, j in pairs])
    x = torch.tensor([y[i] - y[j] + 1e-6 for i, j in pairs])
    cov = ((n - n.mean()) * (x - x.mean())).mean()
    return 1 - abs(2 * cov / (n.var(correction=0) + x.var(correction=0) + (n.mean() - x.mean()) ** 2)).item()


def class_cluster(z, labels):
    centres = {c: z[labels == c].mean(0) for c in labels.unique().tolist()}

    def distance(a, b):
        return math.sqrt(((a - b) ** 2).sum().item() + 1e-6)

    within = [distance(row, centres[int(label)]) for row, label in zip(z, labels, strict=True)]
    between = [distance(a, b) for a, b in combinations(centres.values(), 2)]
    return (sum(within) / len(within)) / (sum(between) / len(between))


def unit(z):
    return z / z.norm(dim=1, keepdim=True)


def supcon(z, labels):
    u, terms = unit(z), []
    for i in range(len(u)):
        logits = {a: (u[i] @ u[a]).item() / 0.1 for a in range(len(u)) if a != i}
        total = math.log(sum(map(math.exp, logits.values())))
        positives = [a for a in logits if labels[a] == labels[i]]
        if positives:
            terms.append(-sum(logits[p] - total for p in positives) / len(positives))
    return sum(terms) / len(terms)


def weighed_supcon(z, labels, groups, cross_weight):
    """An anchor's positives weigh 1 in its own group and ``cross_weight`` in another."""
    u, terms = unit(z), []
    for i in range(len(u)):
        logits = {a: (u[i] @ u[a]).item() / 0.1 for a in range(len(u)) if a != i}
        total = math.log(sum(map(math.exp, logits.values())))
        weights = {a: 1 if groups[a] == groups[i] else cross_weight for a in logits if labels[a] == labels[i]}
        if sum(weights.values()):
            terms.append(-sum(w * (logits[a] - total) for a, w in weights.items()) / sum(weights.values()))
    return sum(terms) / len(terms)


def contrastive(z, labels):
    u = unit(z)
    terms = [
        (u[i] - u[j]).square().sum().item()
        if labels[i] == labels[j]
        else max(0.0, 1 - (u[i] - u[j]).norm().item()) ** 2
        for i, j in combinations(range(len(u)), 2)
    ]
    return sum(terms) / len(terms)


def rank_n_contrast(z, y):
    total, rows = 0.0, range(len(y))
    near = [[-(z[i] - z[j]).norm().item() / 2 for j in rows] for i in rows]
    for i, j in permutations(rows, 2):
        gap = abs(y[i] - y[j])
        others = [math.exp(near[i][k]) for k in rows if k != i and abs(y[i] - y[k]) >= gap]
        total -= near[i][j] - math.log(sum(others))
    return total / (len(y) * (len(y) - 1))


def kernel(z, y):
    u, total, rows = unit(z), 0.0, range(len(y))
    for i in rows:
        others = [j for j in rows if j != i]
        weights = [math.exp(-((y[i] - y[j]).item() ** 2) / (2 * 0.25**2)) for j in others]
        logits = [(u[i] @ u[j]).item() / 0.1 for j in others]
        norm = math.log(sum(map(math.exp, logits)))
        total -= sum(w * (logit - norm) for w, logit in zip(weights, logits, strict=True)) / sum(weights)
    return total / len(y)


BY_HAND = {
    "signed": lambda z, y: slope(signed(z, y)),
    "euclidean": lambda z, y: slope(euclidean(z, y)),
    "elr": elr,
    "ccc": ccc,
    "class-cluster": class_cluster,
    "supcon": supcon,
    "contrastive": contrastive,
    "rank-n-contrast": rank_n_contrast,
    "kernel": kernel,
}


def by_hand(net, batch, objective):
    """Loss of a plain autoencoder in eval mode: squared error, metric on what is rated, and how they are combined."""
    with torch.no_grad():
        z = net["autoencoder"].encode(batch.x)
        rebuilt = net["autoencoder"].decode(z)
    mse = sum((a - b) ** 2 for a, b in zip(rebuilt.ravel().tolist(), batch.x.ravel().tolist(), strict=True))
    mse /= batch.x.numel()
    if objective.metric == "none":
        return mse
    if TERMS[objective.metric].on_classes:
        known = batch.emotion >= 0
        metric = BY_HAND[objective.metric](z[known], batch.emotion[known])
    else:
        columns = {"activation": [(0, z)], "valence": [(1, z)], "both": [(0, z[:, :2]), (1, z[:, 2:])]}[objective.on]
        metric = 0.0
        for column, part in columns:
            rated = [i for i in range(ROWS) if not math.isnan(batch.ratings[i, column])]
            metric += BY_HAND[objective.metric](part[rated], batch.ratings[rated, column])
    total = mse + objective.weight * metric
    return math.log(total) if objective.combine == "log" else total


def metric_term(latent, batch, objective):
    return objective.terms["metric"](latent, batch.labels())


def test_every_loss_on_embeddings_is_written_by_hand():
    assert set(BY_HAND) == set(ON_EMBEDDINGS)


@pytest.mark.parametrize("which", ["batch", "unrated"])
@pytest.mark.parametrize("combine", ["log", "sum"])
@pytest.mark.parametrize("on", ["activation", "valence", "both"])
@pytest.mark.parametrize("metric", ["none", *BY_HAND])
def test_the_loss_is_the_sum_written_by_hand(request, which, metric, on, combine):
    rows, net = request.getfixturevalue(which), network()
    objective = Objective(metric=metric, on=on, combine="sum" if metric == "elr" else combine, weight=1.7)
    assert losses(net, rows, rows.x, objective)["loss"].item() == pytest.approx(by_hand(net, rows, objective), rel=1e-9)


@pytest.mark.parametrize("which", ["batch", "unrated"])
@pytest.mark.parametrize("cross_weight", [0.0, 0.5, 1.0, 4.0])
@pytest.mark.parametrize("across", GROUPS)
def test_supcon_across_groups_weighs_their_positives(request, which, across, cross_weight):
    rows = request.getfixturevalue(which)
    z = torch.randn(ROWS, 4, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    known = [i for i in range(ROWS) if rows.emotion[i] >= 0]
    column = {"speaker": 0, "corpus": 1, "language": 2}[across]
    groups = [int(rows.groups[i, column]) for i in known]
    expected = weighed_supcon(z[known], rows.emotion[known], groups, cross_weight)
    objective = Objective(metric="supcon", across=across, cross_weight=cross_weight)
    assert metric_term(z, rows, objective).item() == pytest.approx(expected, rel=1e-9)
    plain = metric_term(z, rows, Objective(metric="supcon")).item()
    assert (expected == pytest.approx(plain, rel=1e-6)) is (cross_weight == 1)


def test_without_the_reconstruction_the_decoder_is_left_alone(batch):
    net = network()
    objective = Objective(metric="supcon", combine="sum", emotion_head=True, reconstruct=False)
    found = losses(net, batch, batch.x, objective)
    found["loss"].backward()
    z = net["autoencoder"].encode(batch.x).detach()
    assert found["metric"].item() == pytest.approx(supcon(z, batch.emotion), rel=1e-9)
    assert found["loss"].item() == pytest.approx((found["metric"] + found["cross_entropy"]).item())
    assert "mse" not in found
    assert all(p.grad is None for p in net["autoencoder"].decoder.parameters())
    assert all(p.grad.abs().sum() > 0 for p in net["autoencoder"].encoder.parameters())


def test_rows_without_a_rating_take_part_in_the_reconstruction_only(unrated):
    net, objective = network(), Objective(metric="signed", combine="sum")
    before = losses(net, unrated, unrated.x, objective)
    x = unrated.x.clone()
    x[[0, 4]] += 5
    after = losses(net, unrated._replace(x=x), x, objective)
    assert after["metric"].item() == before["metric"].item()
    assert after["mse"].item() != before["mse"].item()


def test_every_rated_row_takes_part_in_the_metric(unrated):
    net, objective = network(), Objective(metric="signed")
    latent = net["autoencoder"].encode(unrated.x).detach()
    whole = metric_term(latent, unrated, objective).item()
    for row in range(ROWS):
        moved = latent.clone()
        moved[row] += 1
        assert (metric_term(moved, unrated, objective).item() == whole) is (row in {0, 4})


@pytest.mark.parametrize("latent", [2, 3, 4])
def test_both_gives_activation_the_first_part_of_the_latent_and_valence_the_rest(batch, latent):
    z = torch.randn(ROWS, latent, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    half = (latent + 1) // 2
    alone = [BY_HAND["signed"](z[:, :half], batch.ratings[:, 0]), BY_HAND["signed"](z[:, half:], batch.ratings[:, 1])]
    assert metric_term(z, batch, Objective(metric="signed", on="both")).item() == pytest.approx(sum(alone), rel=1e-9)


def test_noise_reaches_the_encoder_and_the_target_stays_clean(batch):
    net = network()
    noisy = add_noise(batch.x, 1.0, torch.Generator().manual_seed(0))
    rebuilt, _ = net["autoencoder"](noisy)
    found = losses(net, batch, noisy, Objective())["loss"]
    assert found.item() == pytest.approx(((rebuilt - batch.x) ** 2).mean().item())


def test_noise_is_drawn_from_the_generator_with_the_deviation_asked_for():
    x = torch.ones(400, 50)
    first, second = (add_noise(x, 0.5, torch.Generator().manual_seed(seed)) for seed in (3, 3))
    assert torch.equal(first, second)
    assert not torch.equal(first, add_noise(x, 0.5, torch.Generator().manual_seed(4)))
    assert (first - x).std().item() == pytest.approx(0.5, rel=0.02)
    assert (first - x).mean().item() == pytest.approx(0, abs=0.02)
    assert add_noise(x, 0, torch.Generator()) is x


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_the_kl_term_is_twice_its_sum_over_the_number_of_features(batch, weight):
    net = network("vae")
    found = losses(net, batch, batch.x, Objective(), kl_weight=weight)
    _, _, mean, logvar = net["autoencoder"](batch.x)
    rows = [
        0.5 * sum(math.exp(v) + m * m - 1 - v for m, v in zip(means, logs, strict=True))
        for means, logs in zip(mean.tolist(), logvar.tolist(), strict=True)
    ]
    kl = sum(rows) / ROWS
    assert found["kl"].item() == pytest.approx(kl)
    assert found["loss"].item() == pytest.approx(found["mse"].item() + weight * 2 * kl / FEATURES)


def test_the_kl_term_stands_outside_the_logarithm(batch):
    net, objective = network("vae"), Objective(metric="signed", combine="log")
    free, priced = (losses(net, batch, batch.x, objective, kl_weight=weight) for weight in (0.0, 1.0))
    assert (priced["loss"] - free["loss"]).item() == pytest.approx(2 * free["kl"].item() / FEATURES)


def test_draws_of_the_latent_come_from_the_generator(batch):
    net = network("vae").train()
    first, second, other = (
        losses(net, batch, batch.x, Objective(), generator=torch.Generator().manual_seed(seed))["loss"].item()
        for seed in (1, 1, 2)
    )
    assert first == second != other


def test_the_emotion_head_adds_the_cross_entropy_of_the_rows_with_a_class(unrated):
    net = network("vae")
    found = losses(net, unrated, unrated.x, Objective(emotion_head=True))
    logits = net["head"](net["autoencoder"].encode(unrated.x)).tolist()
    known = [i for i in range(ROWS) if unrated.emotion[i] >= 0]
    surprise = [
        -logits[i][int(unrated.emotion[i])] + math.log(sum(math.exp(value) for value in logits[i])) for i in known
    ]
    assert len(known) == 7
    assert found["cross_entropy"].item() == pytest.approx(sum(surprise) / 7)
    assert found["loss"].item() == pytest.approx(found["mse"].item() + sum(surprise) / 7)


@pytest.mark.parametrize("kind", ["dae", "vae"])
def test_the_same_seed_gives_the_same_weights_and_leaves_the_random_state_alone(kind):
    state = torch.random.get_rng_state()
    first, second, other = (network(kind, seed=seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first)

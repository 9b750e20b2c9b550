"""What every term of the table promises to both networks, whichever it is: a new row is tested here as it stands."""

import math
import subprocess
import sys

import pytest
import torch
from pydantic import ValidationError

from xlser import losses
from xlser.errors import RecipeError
from xlser.losses import TERMS, ContinuousMetric, CrossEntropy, Labels, SupCon
from xlser.losses.term import Columns
from xlser.schema import validate
from xlser.training import step
from xlser.training.encoder_recipe import EncoderChoice
from xlser.training.encoder_step import Targets, build_classifier, weighted_sum
from xlser.training.loss_terms import ON_EMBEDDINGS, ON_RATINGS, OnDimension, Terms
from xlser.training.objective import Objective
from xlser.training.recipe import ModelChoice, Recipe

ROWS, CLASSES, FEATURES = 14, 3, 6
DIMENSIONS = ("activation", "valence", "dominance")
DEFAULTS = {name: kind() for name, kind in TERMS.items()}
ON_CLASSES = [name for name, term in DEFAULTS.items() if term.on_classes]
RATED = [name for name, term in DEFAULTS.items() if term.rated]
NUMBERS = [(name, key) for name, term in DEFAULTS.items() for key, value in term if type(value) is float]


def ragged(seed=0, dtype=torch.float64):
    """Return emotions of unequal number, two rows without; ratings with gaps; speakers of one to six rows."""
    rng = torch.Generator().manual_seed(seed)
    emotion = torch.tensor([0] * 6 + [1] * 4 + [2] * 2 + [-1] * 2)[torch.randperm(ROWS, generator=rng)]
    ratings = torch.rand(ROWS, 3, generator=rng, dtype=dtype) * 2 - 1
    ratings[torch.rand(ROWS, 3, generator=rng) < 0.2] = math.nan
    speaker = torch.tensor([0] * 6 + [1] * 4 + [2] * 3 + [3])[torch.randperm(ROWS, generator=rng)]
    groups = torch.stack([speaker, speaker // 2, speaker % 2], dim=1)
    return step.Batch(torch.randn(ROWS, FEATURES, generator=rng, dtype=dtype), ratings, emotion, groups)


def seen(name, seed=0):
    """Return what a term looks at: logits, predictions or embeddings."""
    width = {"classes": CLASSES, "dimensions": 3, None: 4}[DEFAULTS[name].head]
    rng = torch.Generator().manual_seed(seed + 100)
    return torch.randn(ROWS, width, generator=rng, dtype=torch.float64, requires_grad=True)


def labelled(name, batch):
    """Tell which rows have what the term learns from."""
    if DEFAULTS[name].on_classes:
        return batch.emotion >= 0
    return batch.ratings[:, [DIMENSIONS.index(one) for one in DEFAULTS[name].rated]].isfinite().any(1)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", TERMS)
def test_on_a_ragged_batch_value_and_gradient_are_finite_and_reach_every_labelled_row_alone(name, seed):
    batch, z = ragged(seed), seen(name, seed)
    value = DEFAULTS[name](z, batch.labels(generator=torch.Generator().manual_seed(0)))
    value.backward()
    assert value.shape == ()
    assert value.isfinite()
    assert value >= 0 or DEFAULTS[name].negative
    assert z.grad.isfinite().all()
    reached, may = z.grad.abs().sum(1) > 0, labelled(name, batch)
    assert not reached[~may].any()
    # A policy may draw some pairs only.
    assert reached.any() if name == "contrastive" else torch.equal(reached, may)


@pytest.mark.parametrize("name", TERMS)
def test_what_stands_in_a_row_without_a_label_changes_nothing(name):
    batch, z = ragged(), seen(name)
    moved = torch.where(labelled(name, batch)[:, None], z, z + 9)
    first, second = (DEFAULTS[name](x, batch.labels(generator=torch.Generator().manual_seed(0))) for x in (z, moved))
    assert first.item() == second.item()


@pytest.mark.parametrize("name", TERMS)
def test_a_batch_that_says_nothing_is_refused(name):
    batch, z = ragged(), seen(name)
    nothing = batch._replace(emotion=torch.full((ROWS,), -1), ratings=torch.full((ROWS, 3), math.nan))
    with pytest.raises(ValueError, match=r"must (have at least \d rows?|hold two different ratings)"):
        DEFAULTS[name](z, nothing.labels())
    with pytest.raises(ValueError, match="`labels` must hold"):
        DEFAULTS[name](z, Labels())


@pytest.mark.parametrize("name", ON_CLASSES)
def test_a_term_that_compares_classes_says_so(name):
    batch = ragged()._replace(emotion=torch.zeros(ROWS, dtype=torch.int64))
    if DEFAULTS[name].compares:
        with pytest.raises(ValueError, match="at least two classes"):
            DEFAULTS[name](seen(name), batch.labels())
    else:
        assert DEFAULTS[name](seen(name), batch.labels()).isfinite()


@pytest.mark.parametrize("name", RATED)
def test_a_term_that_learns_from_ratings_says_which(name):
    batch, term = ragged(), DEFAULTS[name]
    for group in term.learns:
        ratings = batch.ratings.clone()
        ratings[:, [DIMENSIONS.index(one) for one in group]] = 0.5
        with pytest.raises(ValueError, match="two different"):
            term(seen(name), batch._replace(ratings=ratings).labels())
    others = [one for one in DIMENSIONS if one not in term.rated]
    ratings = batch.ratings.clone()
    ratings[:, [DIMENSIONS.index(one) for one in others]] = math.nan
    same = term(seen(name), batch._replace(ratings=ratings).labels())
    assert same.item() == term(seen(name), batch.labels()).item()


@pytest.mark.parametrize("name", ON_RATINGS)
def test_several_dimensions_share_the_embedding(name):
    batch, z, kind = ragged(), seen(name), TERMS[name]
    both = kind(on=["valence", "activation"])(z, batch.labels())
    alone = kind(on="valence")(z[:, :2], batch.labels()) + kind(on="activation")(z[:, 2:], batch.labels())
    assert both.item() == pytest.approx(alone.item(), rel=1e-12)
    for wrong in ([], ["valence", "valence"]):
        with pytest.raises(ValidationError, match=r"(?s)on.*must name one dimension, or several once each"):
            kind(on=wrong)


@pytest.mark.parametrize(("name", "key"), NUMBERS)
def test_an_option_out_of_its_range_is_refused_by_its_name_with_the_rule(name, key):
    with pytest.raises(ValidationError, match=rf"(?s){key}\n.*greater than.*input_value=-1"):
        TERMS[name](**{key: -1.0})
    values = {"name": "r", "source": "emodb", "targets": "urdu", "methods": {"m": {"losses": {name: {key: -1}}}}}
    with pytest.raises(RecipeError, match=rf"methods\.m\.losses\.{name}\.{key}: Input should be greater than .* -1"):
        validate(Recipe, values, "mine", RecipeError)


@pytest.mark.parametrize("name", TERMS)
def test_an_option_that_is_none_gets_the_nearest_one(name):
    values = {"name": "r", "source": "emodb", "targets": "urdu", "methods": {"m": {"losses": {name: {"weigth": 1}}}}}
    with pytest.raises(RecipeError, match=rf"methods\.m\.losses\.{name}\.weigth: unknown key; did you mean 'weight'"):
        validate(Recipe, values, "mine", RecipeError)


@pytest.mark.parametrize("name", TERMS)
def test_a_term_is_exported_and_its_docstring_names_every_option_and_has_an_example(name):
    kind = TERMS[name]
    assert getattr(losses, kind.__name__) is kind
    assert kind.__name__ in losses.__all__
    assert ">>> " in kind.__doc__
    if "options as of" not in kind.__doc__.lower():
        assert [key for key in kind.model_fields if key not in kind.__doc__] == []


@pytest.mark.parametrize("name", TERMS)
@pytest.mark.parametrize("kind", ["dae", "vae"])
@pytest.mark.parametrize("projection", [None, 5])
def test_an_autoencoder_learns_from_it(name, kind, projection):
    options = {"weight": 1.7} | ({"projection": projection} if "projection" in TERMS[name].model_fields else {})
    objective = Objective(losses=[TERMS[name](**options)], combine="sum")
    assert objective.problems(latent=4, variational=kind == "vae") == []
    network = step.build_network(
        ModelChoice(kind=kind, hidden=(5,), latent=4), FEATURES, CLASSES, 0, objective.terms
    ).double()
    assert ("projections" in network) == (projection is not None and "projection" in options)
    batch = ragged()
    generator = torch.Generator().manual_seed(0)
    parts = step.losses(network.eval(), batch, batch.x, objective, generator=generator)
    assert parts["loss"].item() == pytest.approx((parts["mse"] + 1.7 * parts[name]).item(), rel=1e-12)
    parts[name].backward()
    encoder = [p for n, p in network["autoencoder"].named_parameters() if not n.startswith(("decoder", "logvar"))]
    assert all(p.grad is not None for p in encoder)
    assert any(p.grad.abs().sum() > 0 for p in encoder)


@pytest.mark.parametrize("name", TERMS)
def test_an_encoder_learns_from_it(name):
    terms = Terms(**{name: {"weight": 0.3}})
    network = build_classifier(EncoderChoice(weights="random:tiny"), terms, CLASSES, 0)
    batch = ragged(dtype=torch.float32)
    targets = Targets(batch.emotion, batch.ratings, batch.groups[:, 0], batch.groups[:, 2])
    z = torch.randn(ROWS, 32, generator=torch.Generator().manual_seed(1), requires_grad=True)
    parts = weighted_sum(network, {"embedding": z}, targets, terms)
    assert parts.keys() == {name, "loss"}
    assert parts["loss"].item() == pytest.approx(0.3 * parts[name].item(), rel=1e-6)
    parts["loss"].backward()
    assert (z.grad.abs().sum(1) > 0).any()
    term = terms.given[name]
    trained = {n.split(".")[0] for n, p in network.named_parameters() if p.grad is not None}
    assert trained == ({term.head} if term.head else {"projections"} if term.projected else set())


@pytest.mark.parametrize("name", ON_EMBEDDINGS)
def test_the_metric_of_an_autoencoder_is_the_same_loss(name):
    by_name = Objective(metric=name, combine="sum", weight=2.0).terms["metric"]
    options = {**TERMS[name].on_latent, "projection": None, "weight": 2.0}
    options |= {"across": None} if "across" in TERMS[name].model_fields else {}
    assert by_name == TERMS[name](**options)


@pytest.mark.parametrize("name", [n for n in ON_EMBEDDINGS if set(dict(DEFAULTS[n])) - {"weight", "on"}])
def test_the_metric_of_a_method_takes_the_options_of_its_loss(name):
    found = Objective(metric=name, projection=8)
    assert found.terms["metric"].projected == 8
    assert Objective.model_validate_json(found.model_dump_json()) == found
    assert found.model_dump_json() != Objective(metric=name).model_dump_json()
    if name in ON_RATINGS:
        assert OnDimension(metric=name, projection=8).term == found.terms["metric"]


def test_an_option_of_another_loss_is_refused_by_its_name():
    with pytest.raises(ValidationError, match=r"unknown key 'sigma'; known: .*temperature"):
        Objective(metric="supcon", sigma=1)
    with pytest.raises(ValidationError, match="unknown key 'temprature'; did you mean 'temperature'"):
        OnDimension(metric="kernel", temprature=1)


def test_what_was_hashed_before_a_loss_was_added_keeps_its_hash():
    assert list(Terms(cross_entropy=1).model_dump()) == [
        *("cross_entropy", "supcon", "contrastive", "metric", "dimensions"),
    ]
    assert list(Objective(metric="signed").model_dump()) == [
        *("metric", "on", "combine", "weight", "across", "cross_weight", "emotion_head", "reconstruct"),
    ]
    assert list(SupCon().model_dump()) == ["weight", "temperature", "projection", "cross_weight"]
    assert SupCon(across="speaker").model_dump()["across"] == "speaker"


@pytest.mark.parametrize("name", TERMS)
def test_what_is_written_reads_back(name):
    term = TERMS[name](weight=0.25)
    terms = Terms.of([term])
    assert terms.given == {name: term}
    assert Terms.model_validate_json(terms.model_dump_json()) == terms
    objective = Objective(losses=[term], combine="sum")
    assert Objective.model_validate_json(objective.model_dump_json()) == objective
    assert hash(objective) != hash(Objective(combine="sum"))


def test_terms_made_in_python_are_those_of_a_recipe():
    made = Objective(losses=[ContinuousMetric(on="valence"), CrossEntropy(smoothing=0.1)])
    assert made == Objective(losses={"signed": {"on": "valence"}, "cross_entropy": {"smoothing": 0.1}})
    assert list(made.of_latent) == ["signed"]
    assert list(made.of_heads) == ["cross_entropy"]
    with pytest.raises(ValueError, match=r"`losses` must hold terms of xlser\.losses, such as SupCon"):
        Terms.of([SupCon])
    with pytest.raises(ValueError, match="must hold each loss once, but holds SupCon twice"):
        Terms.of([SupCon(), SupCon(weight=2)])


@pytest.mark.parametrize(
    ("objective", "told"),
    [
        ({"losses": {"signed": {"on": ["activation", "valence"]}}}, "losses.signed: `on: .*` needs model.latent of at"),
        ({"losses": {"elr": 1}}, "losses.elr: `elr` can be negative"),
        ({"losses": {"contrastive": {"feed": {}}}}, "losses.contrastive: `feed` belongs to an encoder"),
        ({"losses": {"cross_entropy": 1}, "emotion_head": True}, "`emotion_head` and losses.cross_entropy are one"),
        ({"losses": {"metric": 1}, "metric": "kernel"}, "`metric` stands in losses too"),
    ],
)
def test_what_does_not_fit_an_autoencoder_is_told(objective, told):
    values = {"name": "r", "source": "emodb", "targets": "urdu", "model": {"latent": 1}, "methods": {"m": objective}}
    with pytest.raises(RecipeError, match=rf"methods\.m: {told}"):
        validate(Recipe, values, "mine", RecipeError)


def test_columns_are_taken_by_name():
    columns = Columns(torch.eye(3), DIMENSIONS)
    assert columns["valence"].tolist() == [0, 1, 0]
    assert "joy" not in columns
    with pytest.raises(ValueError, match="`labels` must hold `ratings` of joy, but holds activation, valence, domin"):
        Labels(ratings=columns).rating("joy")
    assert Labels(ratings=columns, groups={"speaker": torch.arange(3)}).at(torch.tensor([2])).groups["speaker"] == 2


def test_losses_are_named_without_loading_torch():
    code = "import sys, xlser.losses as l; l.SupCon(weight=0.5); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

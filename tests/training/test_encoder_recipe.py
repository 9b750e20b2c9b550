"""The recipe of a fine-tuned encoder: short forms, and every fault at once in words."""

from __future__ import annotations

import pytest
import yaml

from xlser.errors import RecipeError
from xlser.training.encoder_recipe import EncoderRecipe, Terms
from xlser.training.load import load_recipe
from xlser.training.recipe import Recipe

LEAST = {
    "name": "toy",
    "source": "emodb",
    "targets": ["urdu"],
    "encoder": {"weights": "random:tiny"},
    "methods": {"ce": {"cross_entropy": 1}},
}


@pytest.fixture
def load(tmp_path):
    """Return a function: the recipe of these values, read from a file."""

    def read(*overrides, **changes):
        path = tmp_path / "recipe.yaml"
        values = {key: value for key, value in (LEAST | changes).items() if value is not None}
        path.write_text(yaml.safe_dump(values, sort_keys=False))
        return load_recipe(path, overrides)

    return read


def test_an_encoder_makes_it_this_kind_of_recipe(load):
    assert isinstance(load(), EncoderRecipe)
    assert isinstance(load(encoder=None, methods=None), Recipe)


def test_the_defaults_are_those_of_the_documents(load):
    recipe = load()
    assert (recipe.encoder.freeze, recipe.encoder.layer, recipe.encoder.pooling) == ("front", -1, "mean")
    assert (recipe.training.seconds, recipe.training.seeds, recipe.augment.of_waves) == (64.0, 5, False)
    assert recipe.augment.of_frames
    assert recipe.normalise == "source", "nothing of a target is looked at"


@pytest.mark.parametrize("name", Terms.model_fields)
def test_a_number_is_short_for_a_weight(load, name):
    short, long = (load(methods={"m": {name: value}}) for value in (0.5, {"weight": 0.5}))
    assert short == long
    assert short.hash == long.hash
    assert getattr(short.methods["m"], name).weight == 0.5
    assert list(short.methods["m"].given) == [name]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0, "greater than 0"),
        (-1, "greater than 0"),
        (True, "true"),
        ("much", "much"),
        ({"weigth": 1}, "did you mean 'weight'"),
    ],
)
def test_a_weight_that_is_none_is_refused(load, value, message):
    with pytest.raises(RecipeError, match=rf"(?is)methods\.ce\.cross_entropy.*{message}"):
        load(methods={"ce": {"cross_entropy": value}})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"encoder": {"weight": "x"}}, r"encoder\.weight.*did you mean 'weights'"),
        ({"trainig": {}}, r"trainig.*did you mean 'training'"),
        ({"training": {"epoch": 3}}, r"training\.epoch.*did you mean 'epochs'"),
        ({"augment": {"timelength": 3}}, r"augment\.timelength.*did you mean 'time_length'"),
        ({"methods": {"m": {"supkon": 1}}}, r"methods\.m\.supkon.*did you mean 'supcon'"),
        ({"methods": {"m": {"supcon": {"temprature": 1}}}}, r"temprature.*did you mean 'temperature'"),
    ],
)
def test_an_unknown_key_is_told_with_the_nearest_one(load, changes, message):
    with pytest.raises(RecipeError, match=message):
        load(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"methods": {}}, "methods"),
        ({"methods": {"m": {}}}, r"'m' must have at least one term \(cross_entropy, supcon, contrastive, metric"),
        ({"methods": {"m": None}}, "'m' must have at least one term"),
        ({"methods": {"features": {"supcon": 1}}}, "'features' is always part of a run and cannot be defined"),
        ({"encoder": {"freeze": 0}}, r"encoder\.freeze"),
        ({"encoder": {"freeze": "half"}}, r"(?s)encoder\.freeze.*front"),
        ({"encoder": {"layer": "last"}}, r"(?s)encoder\.layer.*weighted"),
        ({"encoder": {"dropout": 1.0}}, r"encoder\.dropout.*less than 1"),
        ({"encoder": {"longest": 0.5}}, r"encoder\.longest.*at least 1|encoder\.longest.*equal to 1"),
        ({"augment": {"snr": [20, 5]}}, r"augment\.snr.*must be \[low, high\] in dB, but is \[20\.0, 5\.0\] instead"),
        ({"augment": {"speed": [0]}}, r"augment\.speed"),
        ({"augment": {"time": 1.5}}, r"augment\.time"),
        ({"training": {"seconds": 1}}, r"training\.seconds must hold 2 classes of 2 clips, 2 s at least, but is 1"),
        ({"training": {"clips": 1}}, r"training\.clips"),
        ({"training": {"warmup": 1}}, r"training\.warmup"),
        ({"training": {"decay": "step"}}, r"(?s)training\.decay.*cosine"),
        ({"training": {"precision": "int8"}}, r"(?s)training\.precision.*bfloat16"),
        ({"training": {"accumulate": 0}}, r"training\.accumulate"),
        ({"methods": {"m": {"contrastive": {"pairs": "easy"}}}}, r"(?s)contrastive\.pairs.*semi-hard"),
        ({"methods": {"m": {"dimensions": {"of": []}}}}, r"dimensions\.of"),
        ({"methods": {"m": {"metric": {"on": "joy"}}}}, r"(?s)metric\.on.*valence"),
        (
            {"methods": {"m": {"supcon": {"across": "corpus"}}}},
            r"methods\.m\.supcon: an encoder knows speakers and",
        ),
        ({"methods": {"m": {"kernel": {"sigma": 0}}}}, r"methods\.m\.kernel\.sigma: Input should be greater than 0"),
        (
            {"methods": {"m": {"metric": {"metric": "kernel", "sigma": 0}}}},
            r"metric\.sigma: Input should be greater",
        ),
        ({"source": "urdu"}, "`source` 'urdu' stands in `targets` too"),
    ],
)
def test_a_value_out_of_range_is_told_by_its_place(load, changes, message):
    with pytest.raises(RecipeError, match=message) as caught:
        load(**changes)
    assert "pydantic" not in str(caught.value)
    assert "errors.pydantic.dev" not in str(caught.value)


def test_all_faults_are_told_at_once(load):
    with pytest.raises(RecipeError) as caught:
        load(
            encoder={"freeze": "half", "pooling": "max"},
            training={"epochs": 0, "patience": -1, "epoch": 1},
            methods={"m": {"supcon": {"temperature": 0}, "metric": {"metric": "nearest"}}},
            augment={"gain": [1, 0]},
        )
    for place in (
        "encoder.freeze",
        "encoder.pooling",
        "training.epochs",
        "training.patience",
        "training.epoch",
        "temperature",
        "metric.metric",
        "augment.gain",
    ):
        assert place in str(caught.value)


def test_values_can_be_set_from_outside(load):
    recipe = load("training.epochs=3", "encoder.freeze=2", "methods.ce.supcon=0.5", "augment.speed=[0.9, 1.1]")
    assert (recipe.training.epochs, recipe.encoder.freeze, recipe.augment.speed) == (3, 2, (0.9, 1.1))
    assert recipe.methods["ce"].supcon.weight == 0.5
    with pytest.raises(RecipeError, match="did you mean 'epochs'"):
        load("training.epoch=3")


def test_the_rated_dimensions_are_those_that_terms_need():
    assert Terms(cross_entropy=1).rated == ()
    terms = Terms(metric={"on": "dominance"}, dimensions={"of": ["valence", "dominance"]})
    assert sorted(terms.rated) == ["dominance", "valence"]
    assert terms.regressed == ("valence", "dominance")


def test_the_hash_names_what_can_change_a_number(load):
    assert load().hash == load(description="other words").hash
    changed = [
        load(encoder={"weights": "random:tiny", "freeze": "all"}),
        load(training={"lr": 1e-5}),
        load(augment={"time": 0.0}),
        load(methods={"ce": {"cross_entropy": 2}}),
    ]
    assert len({recipe.hash for recipe in (load(), *changed)}) == 5


def test_what_was_read_reads_back(load):
    recipe = load(methods={"m": {"contrastive": {"feed": {"layer": "weighted"}}}}, augment={"snr": [5, 20]})
    assert EncoderRecipe.model_validate_json(recipe.model_dump_json()) == recipe


def test_a_rank_is_short_for_adapters_and_without_any_a_recipe_is_what_it_was(load):
    tiny = {"weights": "random:tiny"}
    short, long = (load(encoder={**tiny, "lora": lora}) for lora in (8, {"rank": 8, "dropout": 0.05}))
    assert short == long
    assert short.encoder.lora.alpha is None
    assert load("encoder.lora=4", "encoder.freeze=1").encoder.lora.rank == 4
    assert load("encoder.lora.targets=q_proj").encoder.lora.targets == ("q_proj",)
    assert "lora" not in load().model_dump()["encoder"]
    assert load(encoder={**tiny, "lora": None}).hash == load().hash != short.hash


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        ({"lora": 0}, "encoder.lora.rank: .* greater than 0"),
        ({"lora": True}, "encoder.lora: must be a mapping"),
        ({"lora": {"rang": 8}}, "encoder.lora.rang: unknown key; did you mean 'rank'"),
        ({"lora": {"targets": []}}, "encoder.lora.targets: needs at least 1"),
        ({"lora": 8, "freeze": "all"}, "`freeze` is all"),
        ({"lora": 8, "freeze": "nothing"}, "`freeze` is nothing"),
    ],
)
def test_adapters_that_make_no_sense_are_refused(load, encoder, message):
    with pytest.raises(RecipeError, match=message):
        load(encoder={"weights": "random:tiny", **encoder})

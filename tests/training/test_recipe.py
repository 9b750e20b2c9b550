"""A recipe is checked whole before anything is done."""

import pytest

from xlser.errors import RecipeError
from xlser.shipped import shipped_folder
from xlser.training.load import load_recipe, recipe_paths
from xlser.training.recipe import Objective, Recipe

TEXT = """\
name: mine
source: emodb
targets: [urdu]
methods:
  activation: {metric: signed, on: activation}
"""


@pytest.fixture
def load(tmp_path):
    def read(extra="", *overrides):
        path = tmp_path / "mine.yaml"
        path.write_text(TEXT + extra)
        return load_recipe(path, overrides)

    return read


@pytest.mark.parametrize("name", recipe_paths())
def test_every_shipped_recipe_loads(name):
    recipe = load_recipe(name)
    folder = name.split("/")[0].replace("synthetic", "synthetic-de").replace("bench", "emodb")
    assert recipe.source.split("+")[0] == (name.split("/")[-1] if folder == "published" else folder)
    assert recipe.hash == load_recipe(f"recipes/{name}.yaml").hash


def test_there_are_shipped_recipes_for_every_source():
    assert {name.split("/")[0] for name in recipe_paths()} == {
        *("bench", "emodb", "iemocap", "published", "ravdess", "synthetic", "urdu"),
    }
    assert len({load_recipe(name).name for name in recipe_paths()}) == len(recipe_paths())


def test_shipped_recipes_name_shipped_cards():
    cards = {path.stem for path in shipped_folder("corpora").glob("*.yaml")}
    for name in recipe_paths():
        recipe = load_recipe(name)
        assert {*recipe.source.split("+"), *recipe.targets} <= cards, name


def test_what_is_not_said_has_a_default(load):
    recipe = load()
    assert (recipe.features.extractor, recipe.model.kind, recipe.training.epochs) == ("egemaps", "dae", 100)
    assert list(recipe.objectives()) == ["plain", "activation"]
    assert recipe.objectives()["plain"].metric == "none"


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        ("sorce: x", "sorce: unknown key; did you mean 'source'?"),
        ("training: {epoch: 5}", "training.epoch: unknown key; did you mean 'epochs'?"),
        ("features: {joined: each, normalise: speaker}", "features.joined: `each` belongs to features.normalise: corp"),
        ("features: {joined: mixed}", "features.joined: must be one of 'pooled' or 'each'"),
        ("features: {normalize: speaker}", "features.normalize: unknown key; did you mean 'normalise'?"),
        ("  other: {metrik: signed}", "methods.other.metrik: unknown key; did you mean 'metric'?"),
        ("model: {annealing: {warm: 1}}", "model.annealing.warm: unknown key; did you mean 'warmup'?"),
        ("training: {epochs: many}", "training.epochs: Input should be a valid integer"),
        ("training: {epochs: 0}", "training.epochs: Input should be greater than 0 (got 0)"),
        ("training: {lr: -1e-3}", "training.lr: Input should be greater than 0 (got -0.001)"),
        ("training: {batch: 3}", "training.batch: Input should be greater than or equal to 4"),
        ("training: 5", "training: must be a mapping"),
        ("split: {folds: 2}", "split.folds: Input should be greater than or equal to 3"),
        ("split: {kind: random}", "split.kind: must be one of 'speaker-folds'"),
        ("split: {kind: given}", "split.given must list the folds"),
        (
            "split: {kind: column, train: Train, validation_clips: 0.2}",
            "split.validation_clips belongs to folds that are",
        ),
        ("split: {validation_clips: 1}", "split.validation_clips: Input should be less than 1"),
        ("evaluation: {clips: 0}", "evaluation.clips: Input should be greater than 0"),
        ("model: {hidden: []}", "model.hidden: needs at least 1 of them"),
        ("model: {latent: 1}\n", None),
        ("emotions: [anger]", "emotions: needs at least 2 of them"),
        ("emotions: [angry, happiness]", "'angry' is written 'anger' here"),
        ("  plain: {metric: signed}", "'plain' is always part of a run"),
        ("  features: {metric: signed}", "'features' is always part of a run"),
        ("  bare: {reconstruct: false, combine: sum}", "methods.bare: nothing is left to learn; give a metric"),
        ("  bare: {reconstruct: false, metric: supcon}", "methods.bare: `combine: log` belongs to the reconstruction"),
        ("  elr: {metric: elr}", "methods.elr: `metric: elr` can be negative"),
        ("training: {balance: [corpus, speaker]}", "training.balance.1: must be one of 'corpus' or 'emotion'"),
        ("training: {balance: [emotion, emotion]}", "training.balance: must name each of corpus and emotion once"),
        ("  far: {metric: contrastive, across: speaker}", "methods.far: `across` belongs to metric: supcon, but the m"),
        ("  far: {across: speaker}", "methods.far: `across` belongs to metric: supcon, but the metric is none; use"),
        (
            "  far: {metric: supcon, across: sex}",
            "methods.far.across: must be one of 'speaker', 'corpus' or 'language'",
        ),
        (
            "  far: {metric: supcon, cross_weight: 4}",
            "methods.far: `cross_weight` 4 weighs nothing without `across`; g",
        ),
        ("  far: {metric: supcon, across: speaker, cross_weight: -1}", "methods.far.cross_weight: Input should be gre"),
        ("  two: {metric: signed, on: both}\nmodel: {latent: 1}", "methods.two: `on: both` needs model.latent of at l"),
    ],
)
def test_every_fault_is_told_in_words(load, extra, told):
    if told is None:
        assert load(extra).model.latent == 1
        return
    with pytest.raises(RecipeError) as error:
        load(extra)
    assert told in str(error.value)
    assert "mine.yaml" in str(error.value)


def test_a_source_among_its_targets_is_refused(load):
    with pytest.raises(RecipeError, match="`source` 'emodb' stands in `targets` too"):
        load("", "targets=[urdu, emodb]")


def test_faults_are_told_all_at_once(load):
    with pytest.raises(RecipeError) as error:
        load("sorce: x\ntraining: {epochs: many, lr: 0}\nsplit: {folds: 1}")
    assert str(error.value).count("\n  ") == 4
    with pytest.raises(RecipeError) as error:
        load("  elr: {metric: elr}\nsplit: {kind: given}", "targets=emodb")
    assert all(word in str(error.value) for word in ("`source` 'emodb'", "methods.elr", "split.given"))


def test_both_on_a_latent_of_one_is_allowed_where_nothing_is_rated(load):
    assert load("  cluster: {metric: class-cluster, on: both}\nmodel: {latent: 1}").model.latent == 1


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("training.epochs=5", "training.epochs", 5),
        ("training.lr=1e-4", "training.lr", 1e-4),
        ("features.clip=null", "features.clip", None),
        ("targets=[urdu, ravdess]", "targets", ("urdu", "ravdess")),
        ("targets=ravdess", "targets", ("ravdess",)),
        ("model.hidden=[8, 4]", "model.hidden", (8, 4)),
        ("ratings = derived", "ratings", "derived"),
        ("description=a = b", "description", "a = b"),
        ("merge.calm=neutral", "merge", {"calm": "neutral"}),
    ],
)
def test_an_override_is_read_as_yaml(load, text, key, value):
    found = load("", text)
    for part in key.split("."):
        found = getattr(found, part)
    assert found == value


def test_an_override_may_define_a_method_and_the_last_one_wins(load):
    recipe = load("", "methods.new.metric=ccc", "methods.new.on=valence", "methods.new.on=both")
    assert recipe.methods["new"] == Objective(metric="ccc", on="both")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("training.epochs", "--set needs KEY=VALUE such as training.epochs=5, but is 'training.epochs'"),
        ("=5", "--set needs KEY=VALUE"),
        ("name.first=x", "--set name.first=x: 'name' is a value, not a group of keys"),
        ("targets.0=x", "'targets' is a value, not a group"),
        ("training.epochs=[5", "--set training.epochs=[5 is not valid YAML"),
        ("training.epoch=5", "training.epoch: unknown key; did you mean 'epochs'?"),
        ("training.epochs=", "training.epochs: Input should be a valid integer (got None)"),
        (
            "training.epochs=1.5",
            "training.epochs: Input should be a valid integer, got a number with a fractional part",
        ),
    ],
)
def test_an_override_that_cannot_be_is_refused(load, text, told):
    with pytest.raises(RecipeError) as error:
        load("", text)
    assert told in str(error.value)


def test_the_hash_changes_with_what_can_change_a_number_and_not_with_the_description(load):
    plain = load().hash
    assert load("description: words").hash == plain
    changes = ["training.epochs=5", "training.seeds=1", "split.seed=1", "features.clip=null", "model.noise=0.5"]
    changes += ["training.balance=corpus", "features.joined=each", "methods.activation={metric: supcon}"]
    changes += ["methods.activation={metric: supcon, across: corpus}"]
    changes += ["methods.activation={metric: supcon, across: speaker, cross_weight: 2}"]
    changes += ["ratings=derived", "targets=ravdess", "methods.activation.weight=2", "merge.calm=neutral"]
    hashes = {load("", change).hash for change in changes}
    assert len(hashes | {plain}) == len(changes) + 1


@pytest.mark.parametrize(
    ("path", "said"), [("emodb/dae-bothh", "mean 'emodb/dae-both'"), ("nothing", "known: bench/dae-both")]
)
def test_a_recipe_that_is_nowhere_gets_the_nearest_or_the_list(path, said):
    with pytest.raises(RecipeError, match=f"no recipe at {path}; .*{said}"):
        load_recipe(path)


def test_a_shipped_recipe_is_found_outside_a_checkout(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_recipe("recipes/emodb/dae-activation.yaml").name == "emodb-dae-activation"
    (tmp_path / "emodb").mkdir()
    (tmp_path / "emodb" / "dae-activation").write_text(TEXT)
    assert load_recipe("emodb/dae-activation").name == "mine", "a file that is there wins"


def test_the_dimensions_of_an_objective_are_in_the_order_of_the_latent():
    assert Objective(metric="signed", on="both").rated == ("activation", "valence")
    assert Objective(metric="signed", on="valence").rated == ("valence",)
    assert Objective(metric="none", on="both").rated == Objective(metric="class-cluster").rated == ()


@pytest.mark.parametrize("text", ["[corpus, emotion]", "[emotion, corpus]"])
def test_the_order_of_what_is_balanced_changes_nothing(load, text):
    recipe = load("", f"training.balance={text}")
    assert recipe.training.balance == ("corpus", "emotion")
    assert recipe.hash == load("training: {balance: [corpus, emotion]}").hash != load().hash
    assert load("", "training.balance=corpus").training.balance == ("corpus",)
    assert load().training.balance == ()


def test_a_recipe_cannot_be_changed_after_it_was_checked():
    recipe = Recipe(name="x", source="a", targets="b")
    with pytest.raises(ValueError, match="frozen"):
        recipe.source = "c"


@pytest.mark.parametrize("change", [{"emotions": ["anger", "anger"]}, {"targets": ["urdu", "urdu"]}])
def test_nothing_is_named_twice(change):
    with pytest.raises(ValueError, match="once"):
        Recipe.model_validate({"name": "r", "source": "emodb", "targets": ["urdu"]} | change)


@pytest.mark.parametrize(
    ("merge", "said"),
    [
        ({"calm": "netural"}, "did you mean 'neutral'"),
        ({"clam": "neutral"}, "did you mean 'calm'"),
        ({"calm": "fear"}, "is not among the scored `emotions`"),
    ],
)
def test_what_is_merged_must_be_known_and_scored(merge, said):
    with pytest.raises(ValueError, match=said):
        Recipe.model_validate({"name": "r", "source": "emodb", "targets": ["urdu"], "merge": merge})


def test_an_extractor_is_kept_in_the_shortest_way_to_write_it(load):
    plain = load()
    for text in ("egemaps", "[egemaps]", "{egemaps: {}}", "[{egemaps: }]"):
        assert load(f"features: {{extractor: {text}}}\n").hash == plain.hash
    written = "[egemaps, {encoder: {weights: random:tiny, layer: [1, 2], pooling: mean, longest: 6}}]"
    recipe = load(f"features: {{extractor: {written}}}\n")
    assert recipe.hash != plain.hash
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe
    assert load(f"features: {{extractor: {written}}}\n", "features.extractor=egemaps").hash == plain.hash


SHORT = "features: {encoder: org/speech, layer: [1, 2], normalise: source}\n"


def test_a_frozen_encoder_may_be_written_beside_the_other_options(load):
    long = "features: {extractor: {encoder: {weights: org/speech, layer: [1, 2]}}, normalise: source}\n"
    assert load(SHORT).hash == load(long).hash
    assert load(SHORT).features.normalise == "source"
    other = load(SHORT, "features.encoder=org/other", "features.pooling=mean+std")
    assert other.hash == load(long.replace("layer", "pooling: mean+std, layer").replace("speech", "other")).hash
    beside = "features: {extractor: [egemaps, {encoder: {weights: org/speech, layer: 1}}]}\n"
    assert load("features: [egemaps, {encoder: org/speech, layer: 1}]\n").hash == load(beside).hash


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{encoder: org/speech, extractor: egemaps}", "`encoder` and `extractor` are two ways to say the same"),
        ("{encoder: {weights: org/speech}}", "`encoder` must be a hub name or a folder"),
        ("{encoder: org/speech, layr: 1}", "layr"),
        ("{encoder: org/speech, pooling: median}", "`pooling` must be some of mean"),
        ("[egemaps, {encoder: org/speech, layr: 1}]", "unknown option 'layr'; did you mean 'layer'"),
    ],
)
def test_a_frozen_encoder_that_is_written_wrongly_says_how(load, text, message):
    with pytest.raises(RecipeError, match=message):
        load(f"features: {text}\n")


def test_an_extractor_that_cannot_be_made_is_told_where_it_stands(load):
    with pytest.raises(RecipeError, match=r"features\.extractor: encoder: unknown option 'layr'; did you mean 'layer'"):
        load("features: {extractor: {encoder: {weights: x, layr: 1}}}\n")


def test_without_a_network_nothing_is_trained(load, tmp_path):
    path = tmp_path / "alone.yaml"
    path.write_text("name: alone\nsource: emodb\ntargets: [urdu]\nmodel: none\n")
    alone = load_recipe(path)
    assert alone.objectives() == {}
    assert Recipe.model_validate_json(alone.model_dump_json()) == alone
    assert alone.hash != load_recipe(path, ("model={}",)).hash
    with pytest.raises(RecipeError, match="`model: none` trains no network, but activation would be trained"):
        load("model: none\n")

"""What an autoencoder of several corpora is given: z-scores, groups, and a name that changes with them."""

import json

import numpy as np
import pytest
from safetensors import safe_open

from xlser.experiment.autoencoders import Trained, _fingerprint, _Job, scale, train_autoencoders
from xlser.experiment.cases import TARGET, VALIDATION, Case
from xlser.experiment.corpora import find_corpus, read_corpora
from xlser.experiment.seeds import make_seeds
from xlser.features.normalise import normalise
from xlser.store.datastore import Datastore
from xlser.training.recipe import Recipe

JOINED = "synthetic-de+synthetic-tr"


@pytest.fixture
def read(recipe, place):
    return lambda name: read_corpora(find_corpus(name, place), recipe, place)


@pytest.fixture
def changed(recipe):
    """Return a function: the recipe with some groups of keys changed."""

    def change(**groups):
        values = recipe.model_dump()
        return Recipe.model_validate(values | {name: values[name] | keys for name, keys in groups.items()})

    return change


def loop(values, known, clip=5.0):
    """Z-scores of every row by the known ones, a column at a time."""
    out = np.empty(values.shape)
    for column in range(values.shape[1]):
        mean, deviation = values[known, column].astype(float).mean(), values[known, column].astype(float).std()
        out[:, column] = np.clip((values[:, column] - mean) / (deviation or 1), -clip, clip)
    return out


@pytest.mark.parametrize("joined", ["pooled", "each"])
def test_a_joined_source_is_z_scored_together_or_each_corpus_by_its_own_training_rows(read, changed, joined):
    recipe, source = changed(features={"joined": joined}), read(JOINED)
    values, first = source.data.values, len(next(iter(source.parts.values())))
    parts = [range(len(values))] if joined == "pooled" else [range(first), range(first, len(values))]
    for one in scale(recipe, source, make_seeds(recipe, source)):
        for rows in parts:
            known = [row for row in one.seed.split.train if row in rows]
            assert 0 < len(known) < len(rows)
            assert one.source[rows] == pytest.approx(loop(values, known)[rows], abs=1e-3)
        assert one.scaler.mean == pytest.approx(values[one.seed.split.train].astype(float).mean(axis=0))


def test_for_a_single_corpus_and_its_target_nothing_changes_by_a_bit(read, changed, recipe):
    source, target = read("synthetic-de"), read("synthetic-tr")
    seeds = make_seeds(recipe, source)
    both = [scale(changed(features={"joined": how}), source, seeds) for how in ("pooled", "each")]
    for pooled, each in zip(*both, strict=True):
        assert pooled.source.tobytes() == each.source.tobytes() == pooled.scaler.apply(source.data.values).tobytes()
        for kind in ("source", "corpus", "speaker"):
            case = Case(target, TARGET, kind)
            expected = normalise(target.data.values, target.frame["speaker"], kind, pooled.scaler)
            assert pooled.values(case).tobytes() == each.values(case).tobytes() == expected.tobytes()


@pytest.mark.parametrize("joined", ["pooled", "each"])
def test_a_joined_target_is_read_as_a_joined_source_was_learnt(read, changed, joined):
    recipe, source, target = changed(features={"joined": joined}), read("synthetic-de"), read(JOINED)
    one = scale(recipe, source, make_seeds(recipe, source))[0]
    values, first = target.data.values, len(next(iter(target.parts.values())))
    own = one.values(Case(target, TARGET, "corpus"))
    parts = [range(len(values))] if joined == "pooled" else [range(first), range(first, len(values))]
    for rows in parts:
        assert own[rows] == pytest.approx(loop(values, rows)[rows], abs=1e-3)
    assert np.array_equal(one.values(Case(target, TARGET, "source")), one.scaler.apply(values))


def test_the_columns_of_a_batch_group_rows_by_speaker_corpus_and_language(read, recipe):
    source = read(JOINED)
    one = scale(recipe, source, make_seeds(recipe, source))[0]
    rows = one.seed.split.train
    groups = _Job(recipe, source, one, "plain", None)._batch(rows).groups.numpy()
    names = source.frame["speaker"], source.frame["corpus"], source.languages
    for column, named in zip(groups.T, names, strict=True):
        pairs = set(zip(column.tolist(), np.array(named)[rows], strict=True))
        assert len(pairs) == len(set(column)) == len(set(np.array(named)[rows]))
    assert [len(set(column)) for column in groups.T][1:] == [2, 2]


def test_a_model_gets_another_name_when_its_groups_or_batches_change(read, changed):
    source, methods = read(JOINED), {"supcon": {"metric": "supcon", "combine": "sum"}}
    across = {"supcon": {"metric": "supcon", "combine": "sum", "across": "corpus"}}
    heavier = {"supcon": across["supcon"] | {"cross_weight": 4}}
    recipes = [changed(methods=chosen) for chosen in (methods, across, heavier)]
    recipes += [changed(methods=methods, training={"balance": names}) for names in ("corpus", "emotion")]
    recipes += [changed(methods=methods, features={"joined": "each"})]
    seed = make_seeds(recipes[0], source)[0]
    names = {_fingerprint(recipe, source, seed, "supcon") for recipe in recipes}
    other = source.data.manifest.frame.assign(speaker=np.roll(source.frame["speaker"], 1))
    source.data.manifest.frame = other
    names.add(_fingerprint(recipes[0], source, seed, "supcon"))
    assert len(names) == 7


def test_a_model_of_several_corpora_is_trained_read_back_and_kept_with_the_statistics_of_all(
    read, changed, place, tmp_path
):
    choices = {"metric": "supcon", "combine": "sum", "reconstruct": False, "across": "speaker", "cross_weight": 4}
    training = {"seeds": 1, "balance": ("corpus", "emotion")}
    recipe = changed(methods={"supcon": choices}, training=training, features={"joined": "each"})
    source = read(JOINED)
    seeds = make_seeds(recipe, source)
    trained, again = (train_autoencoders(recipe, source, seeds, tmp_path, place=place)[-1] for _ in range(2))
    assert isinstance(trained, Trained)
    assert trained.method == "supcon"
    case = Case(source, VALIDATION, "source", main=False)
    assert np.array_equal(trained.embed(case), again.embed(case))
    with safe_open(str(tmp_path / "supcon" / "seed-0" / "model.safetensors"), framework="np") as file:
        assert np.array_equal(file.get_tensor("scaler.mean"), trained.scaled.scaler.mean)
        assert json.loads(file.metadata()["about"])["method"] == "supcon"
    store = Datastore.load(tmp_path / "supcon" / "seed-0" / "datastore.safetensors")
    assert np.array_equal(store.embeddings, trained.embed(case)[seeds[0].split.train])

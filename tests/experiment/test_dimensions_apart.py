"""What is learnt of one rated dimension is learnt from that one: the other may say anything."""

from dataclasses import replace

import numpy as np
import pytest

from xlser.experiment.corpora import find_corpus, read_corpora
from xlser.experiment.trained import train
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.ranks import Ranks
from xlser.training.recipe import Recipe

COMMON = {"source": "synthetic-de", "targets": ("synthetic-tr",), "split": {"folds": 4}}
BOTH = ("activation", "valence")
AUTOENCODER = Recipe(
    name="a",
    training={"epochs": 1, "seeds": 1, "batch": 16},
    methods={name: {"metric": "signed", "on": name} for name in BOTH},
    **COMMON,
)
ENCODER = EncoderRecipe(
    name="e",
    encoder={"weights": "random:tiny", "dropout": 0.0},
    methods={
        **{f"{name}-head": {"cross_entropy": 1, "dimensions": {"of": [name]}} for name in BOTH},
        **{f"{name}-metric": {"metric": {"on": name}} for name in BOTH},
    },
    training={"epochs": 1, "seeds": 1, "lr": 1e-2, "encoder_lr": 1e-2, "seconds": 16},
    **COMMON,
)


@pytest.fixture(scope="module")
def small_place(small_data, small_cache):
    from xlser.experiment.workplace import Workplace

    return Workplace(small_data, cache=small_cache, progress=False, say=lambda text: None)


def learnt(recipe, source, folder, place):
    """Return by method what the trained network makes of the source."""
    from xlser.experiment.cases import VALIDATION, Case

    systems = train(recipe, [source], folder, place=place, ranks=Ranks.alone())
    case = Case(source, VALIDATION, "source")
    return {system.method: system.embed(case) for system in systems if system.method not in ("features", "plain")}


def scrambled(source, dimension):
    """Return the corpus with the ratings of one dimension dealt to other clips."""
    values = source.ratings[dimension].copy()
    rated = np.isfinite(values)
    values[rated] = np.random.default_rng(0).permutation(values[rated])
    manifest = replace(source.dataset.manifest, frame=source.frame.assign(**{dimension: values}))
    return replace(source, dataset=source.dataset.with_manifest(manifest))


@pytest.mark.parametrize("recipe", [AUTOENCODER, ENCODER], ids=["autoencoder", "encoder"])
def test_a_method_learns_from_its_own_dimension_alone(recipe, small_place, tmp_path):
    source = read_corpora(find_corpus("synthetic-de", small_place), recipe, small_place)
    before = learnt(recipe, source, tmp_path / "before", small_place)
    assert before
    for scrambling in BOTH:
        after = learnt(recipe, scrambled(source, scrambling), tmp_path / scrambling, small_place)
        for method, found in after.items():
            same = np.array_equal(found, before[method])
            assert same == (not method.startswith(scrambling)), (method, scrambling)


def test_ratings_are_read_from_their_own_columns(small_place, small_data):
    import pandas as pd

    source = read_corpora(find_corpus("synthetic-de", small_place), AUTOENCODER, small_place)
    table = pd.read_csv(small_data / "synthetic-de" / "ratings.csv").set_index("filename")
    names = [path.rsplit("/", 1)[-1] for path in source.frame["path"]]
    for name in BOTH:
        expected = (table[name].reindex(names).to_numpy() - 3) / 2
        np.testing.assert_allclose(source.ratings[name], expected, atol=1e-9)
    assert not np.isfinite(source.ratings["dominance"]).any()


def test_derived_positions_are_those_of_their_own_dimension(small_place, small_data, tmp_path):
    import shutil

    data = shutil.copytree(small_data, tmp_path / "data")
    (data / "synthetic-de" / "ratings.csv").unlink()
    place = replace(small_place, data_root=data)
    recipe = AUTOENCODER.model_copy(update={"ratings": "derived"})
    source = read_corpora(find_corpus("synthetic-de", place), recipe, place)
    anger, joy = (np.flatnonzero(source.labels == name)[0] for name in ("anger", "happiness"))
    # Anger is active and unpleasant, happiness is both active and pleasant (Russell & Mehrabian 1977).
    assert source.ratings["activation"][anger] == 0.59
    assert source.ratings["valence"][anger] == -0.51
    assert source.ratings["valence"][joy] == 0.81

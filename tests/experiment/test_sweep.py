"""A sweep over hidden states: the numbers of a run, a choice that no target's label moves, and what is refused."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import xlser as xl
from xlser.errors import CorpusError, RecipeError
from xlser.evaluation.layers import DECODED, LEFT_OUT, MEAN, State
from xlser.experiment.run import run_recipe
from xlser.training.recipe import Recipe
from xlser.vocabulary import TARGET, VALIDATION

FEW = {"layers": [0, 2], "poolings": ["mean", "mean+std"], "seeds": 2, "reference": "logmel", "draws": 100}


@pytest.fixture(scope="module")
def german(small_data, small_cache):
    return xl.load_corpus("synthetic-de", small_data / "synthetic-de", cache=small_cache)


@pytest.fixture(scope="module")
def turkish(small_data, small_cache):
    return xl.load_corpus("synthetic-tr", small_data / "synthetic-tr", cache=small_cache)


@pytest.fixture(scope="module")
def sweep(small_cache):
    def go(sources, targets, encoder="random:tiny", **changes):
        return xl.probe_layers(encoder, sources, targets, cache=small_cache, progress=False, **FEW | changes)

    return go


@pytest.fixture(scope="module")
def swept(sweep, german, turkish):
    return sweep([german], [turkish])


def changed(dataset, **columns):
    """Return a dataset with other columns."""
    return dataset.with_manifest(replace(dataset.manifest, frame=dataset.frame.assign(**columns)))


def renamed(dataset, name, rows=slice(None)):
    """Return rows of a dataset as if they were a corpus of their own, without ratings."""
    frame = dataset.frame.iloc[rows]
    paths = [str(path) for path in np.array(dataset.manifest.files(), dtype=object)[rows]]
    table = pd.DataFrame(
        {"path": paths, "emotion": frame["emotion"].to_numpy(), "speaker": frame["speaker"].to_numpy()}
    )
    return xl.Dataset.from_frame(table, name=name, language="it")


def test_every_state_has_the_numbers_that_a_run_on_it_gives(swept, tmp_path, place):
    state = State(2, "mean+std")
    encoder = {"encoder": {"weights": "random:tiny", "layer": 2, "pooling": "mean+std"}}
    common = {"source": "synthetic-de", "targets": ("synthetic-tr",), "training": {"seeds": 2}}
    recipe = Recipe(name="one", features={"extractor": encoder}, model="none", evaluation={"draws": 100}, **common)
    run = run_recipe(recipe, tmp_path / "run", place)
    scores = pd.read_csv(run / "transfer.csv").query("classifier == 'probe' and metric == 'UA'")
    scores = scores[scores["role"].isin([VALIDATION, TARGET])]
    assert len(scores) == 3
    for row in scores.to_dict("records"):
        mine = swept.get(state, "UA", row["corpus"], row["role"], row["protocol"])
        for name in ("value", "low", "high", "chance", "utterances", "speakers"):
            assert getattr(mine, name) == pytest.approx(row[name], nan_ok=True), (row["role"], name)
    ratings = pd.read_csv(run / "correlation.csv").query("axis == 'direction' and statistic == 'Pearson'")
    ratings = ratings[ratings["role"].isin([VALIDATION, TARGET]) & (ratings["dimension"] != "dominance")]
    assert len(ratings) == 6
    for row in ratings.to_dict("records"):
        mine = swept.get(state, f"r {row['dimension']}", row["corpus"], row["role"], row["protocol"])
        assert (mine.value, mine.low, mine.high) == pytest.approx(
            (row["value"], row["low"], row["high"]), abs=1e-3, nan_ok=True
        )


def test_the_best_on_validation_is_chosen_and_the_best_on_targets_is_the_oracle(swept):
    validation = {state: swept.get(state, "UA", "synthetic-de", VALIDATION).value for state in swept.states}
    assert validation[swept.chosen] == max(validation.values())
    means = {state: swept.get(state).value for state in swept.states}
    assert means[swept.oracle] == max(means.values())
    assert swept.regret.value == pytest.approx(means[swept.oracle] - means[swept.chosen])
    assert len(swept.states) == 4


def test_the_labels_of_targets_do_not_move_the_choice(sweep, swept, german, turkish):
    oracles = {swept.oracle}
    for seed in range(3):
        labels = np.random.default_rng(seed).permutation(turkish.frame["emotion"])
        other = sweep([german], [changed(turkish, emotion=labels)])
        assert other.chosen == swept.chosen
        assert other.get(swept.chosen).value != swept.get(swept.chosen).value
        oracles.add(other.oracle)
    assert len(oracles) > 1  # what would move the choice was there


def test_several_sources_are_each_left_out(sweep, german, turkish):
    first, second = renamed(turkish, "third", slice(0, 24)), renamed(turkish, "target", slice(24, None))
    found = sweep([german, first], [second], layers=[1, 2], poolings=["mean"])
    left = {
        state: np.mean([found.get(state, "UA", name, LEFT_OUT).value for name in ("synthetic-de", "third")])
        for state in found.states
    }
    assert left[found.chosen] == max(left.values())
    alone = sweep([german], [first], layers=[1, 2], poolings=["mean"])
    for state in found.states:
        assert found.get(state, "UA", "third", LEFT_OUT).value == alone.get(state, "UA", "third").value
    assert {score.corpus for score in found.scores if score.metric == "speaker"} == {"synthetic-de", "third"}


def test_a_target_without_labels_or_ratings_has_decodability_alone(sweep, german, turkish):
    mute = changed(renamed(turkish, "mute"), emotion="other")
    found = sweep([german], [mute], layers=[1], poolings=["mean"])
    assert {score.metric for score in found.scores if score.corpus == "mute"} == set()
    assert (found.oracle, found.regret, dict(found.oracles)) == (None, None, {})
    questions = {score.metric for score in found.scores if score.role == DECODED}
    assert questions == {"corpus", "language", "speaker"}
    assert any("mute" in note for note in found.about["notes"])


def test_a_language_is_asked_for_where_there_are_two(sweep, german, turkish):
    found = sweep([german], [changed(turkish, language="de")], layers=[1], poolings=["mean"])
    assert {score.metric for score in found.scores if score.role == DECODED} == {"corpus", "speaker"}


def test_probes_hear_what_there_is_to_hear(swept):
    told = swept.get(State(None, "logmel"), "UA", "synthetic-tr")
    assert told.value > 0.7 > told.chance == 0.25
    corpus = swept.get(State(None, "logmel"), "corpus", "synthetic-de + synthetic-tr", DECODED)
    assert (corpus.chance, corpus.utterances) == (0.5, 96)


def test_it_is_written_whole(sweep, german, turkish, tmp_path):
    found = sweep([german], [turkish], layers=[-1], poolings=["mean"], out=tmp_path)
    written = json.loads((tmp_path / "layers.json").read_text())
    assert written["chosen"] == {"layer": 2, "pooling": "mean"}
    table = pd.read_csv(tmp_path / "layers.csv")
    assert len(table) == len(written["scores"]) == len(found.scores)
    assert set(table.loc[table["chosen"], "layer"]) == {2}
    assert table.loc[table["corpus"] == MEAN, "value"].notna().all()
    assert "Hidden state 2, mean of random:tiny" in (tmp_path / "layers.html").read_text()


def test_what_cannot_be_is_refused(sweep, german, turkish):
    with pytest.raises(RecipeError, match=r"from 0 to 2 .*holds 3"):
        sweep([german], [turkish], layers=[0, 3])
    with pytest.raises(RecipeError, match="poolings: `pooling` must be some of mean"):
        sweep([german], [turkish], poolings=["median"])
    with pytest.raises(RecipeError, match=r"pretrained speech encoder.*Egemaps\(\)"):
        sweep([german], [turkish], encoder=xl.features.Egemaps())
    with pytest.raises(RecipeError, match="reference: unknown extractor 'mfcc'"):
        sweep([german], [turkish], reference="mfcc")
    with pytest.raises(RecipeError, match="`targets` must be a list of Datasets"):
        sweep([german], turkish)
    with pytest.raises(CorpusError, match="synthetic-de is named twice"):
        sweep([german], [turkish, german])
    with pytest.raises(CorpusError, match="synthetic-de has 1 of the emotions"):
        sweep([german], [turkish], emotions=["anger", "surprise"])
    with pytest.raises(CorpusError, match="at least 2 speakers"):
        sweep([german.take(german.frame["speaker"] == "01")], [turkish])

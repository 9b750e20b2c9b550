"""What a Python user holds: systems, readouts, recognisers, evaluations and benches, on ragged synthetic corpora."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import soundfile
from ragged import make_ragged

import xlser as xl
from xlser.errors import CorpusError, RecipeError, RunError
from xlser.evaluation.metrics import confusion, unweighted_accuracy
from xlser.experiment.use.timeline import window_count

FOUR = ("anger", "happiness", "neutral", "sadness")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("api")


@pytest.fixture(scope="module")
def german(folder):
    make_ragged(folder / "data")
    return xl.load_corpus("synthetic-de", folder / "data" / "synthetic-de", cache=folder / "cache").keep(*FOUR)


@pytest.fixture(scope="module")
def turkish(folder, german):
    return xl.load_corpus("synthetic-tr", folder / "data" / "synthetic-tr", cache=folder / "cache")


def recogniser(folder, system=None, readout=None, **options):
    return xl.Recogniser(system or xl.NoNetwork("logmel"), readout, cache=folder / "cache", progress=False, **options)


SYSTEMS = {
    "no network": (lambda: xl.NoNetwork("logmel"), None),
    "autoencoder": (lambda: xl.Autoencoder("logmel", epochs=2, hidden=(8,), latent=3), xl.Probe(c=0.1)),
    "fine-tuned": (
        lambda: xl.FineTuned("random:tiny", [xl.losses.CrossEntropy()], training={"epochs": 1, "seconds": 16}),
        xl.Interpolated(),
    ),
}


@pytest.fixture(scope="module", params=SYSTEMS)
def fitted(request, folder, german):
    make, readout = SYSTEMS[request.param]
    return recogniser(folder, make(), readout).fit(german)


def test_every_kind_of_system_has_the_same_verbs(fitted, turkish, folder):
    table = fitted.predict(turkish)
    assert list(table.index) == list(turkish.frame["id"])
    assert list(table.columns) == ["emotion", *fitted.classes]
    np.testing.assert_allclose(table[list(fitted.classes)].sum(axis=1), 1, atol=1e-6)
    pd.testing.assert_frame_equal(fitted.predict_proba(turkish), table[list(fitted.classes)])
    vectors = fitted.embed(turkish)
    assert list(vectors.index) == list(turkish.frame["id"])
    for row in (0, 7):
        path = turkish.manifest.files()[row]
        one = fitted.predict(path)
        assert one.emotion == table["emotion"].iloc[row]
        np.testing.assert_allclose(fitted.embed(path), vectors.iloc[row], rtol=1e-3, atol=1e-4)


def test_a_timeline_is_a_row_for_each_window_as_predict_answers_it(fitted, turkish):
    path = turkish.manifest.files()[3]
    samples, rate = soundfile.read(path, dtype="float32")
    samples = np.concatenate([samples, np.zeros(2 * rate, np.float32), samples[::-1]])
    table = fitted.timeline(samples, rate, every=0.55, window=1.0, labels=["sadness", "anger"])
    total = len(samples) / rate
    assert len(table) == window_count(total, 0.55, 1.0)
    assert table["end"].iloc[-1] == pytest.approx(total)
    silent = table[table["fault"] != ""]
    assert 0 < len(silent) < len(table)
    assert set(silent["emotion"]) == {""}
    assert silent["anger"].isna().all()
    for row in (0, len(table) - 1):
        first, last = (round(table[side].iloc[row] * rate) for side in ("start", "end"))
        said = fitted.predict(samples[first:last], rate, labels=["anger", "sadness"])
        assert table["emotion"].iloc[row] == said.emotion
        assert {name: table[name].iloc[row] for name in said.probabilities} == pytest.approx(said.probabilities)
    with pytest.raises(xl.XlserError, match="joyful"):
        fitted.timeline(samples, rate, labels=["anger", "joyful"])


def test_what_is_scored_is_what_is_predicted(fitted, turkish):
    found = xl.evaluate(fitted, turkish, draws=100)
    mine = turkish.keep(*FOUR)
    said = np.array([fitted.predict(path, labels=found.classes, k=0).emotion for path in mine.manifest.files()])
    matrix = confusion(mine.frame["emotion"].to_numpy(str), said, list(found.classes))
    assert found["UA"].value == pytest.approx(float(unweighted_accuracy(matrix)))
    np.testing.assert_array_equal(found.confusion.to_numpy(), matrix)
    assert found.protocol == "zero-shot"
    others = turkish.frame["emotion"][~turkish.frame["emotion"].isin(FOUR)].value_counts()
    assert found.dropped == others.to_dict()
    frame = found.to_frame().set_index("metric")
    assert frame.loc["UA", "value"] == found["UA"].value
    assert frame.loc["UA", ["source", "target", "protocol"]].tolist() == ["synthetic-de", "synthetic-tr", "zero-shot"]


def test_a_saved_model_says_and_scores_the_same_and_is_moved(fitted, turkish, tmp_path):
    saved = fitted.save(tmp_path / "saved").rename(tmp_path / "moved")
    again = xl.load(saved)
    again.progress = False
    pd.testing.assert_frame_equal(again.predict(turkish), fitted.predict(turkish))
    assert again.model.chosen.reader == fitted.model.chosen.reader
    assert again.model.chosen.options == fitted.model.chosen.options
    with pytest.raises(RunError, match="not empty"):
        fitted.save(saved)
    about = json.loads((saved / "model.json").read_text())
    for damage, named in ((about | {"schema": 99}, "schema"), ({"schema": 1}, "model")):
        (saved / "model.json").write_text(json.dumps(damage))
        with pytest.raises(RunError, match=named):
            xl.load(saved)
    (saved / "model.json").write_text("{")
    with pytest.raises(RunError, match=r"model\.json"):
        xl.load(saved)


def test_an_adapted_reading_is_called_transductive(fitted, turkish):
    plain = xl.evaluate(fitted, turkish, draws=100)
    for adapt in (xl.Coral(), xl.SpeakerMoments(), xl.Quantile(), xl.Prior()):
        found = xl.evaluate(fitted, turkish, adapt=adapt, draws=100)
        assert (found.protocol, found.adapt) == ("transductive", adapt.name)
        assert found.classes == plain.classes
    with pytest.raises(CorpusError, match="coral needs 2"):
        xl.evaluate(fitted, turkish.take([0]), adapt=xl.Coral())


def test_speakers_that_the_model_knows_are_refused_unless_asked_for(fitted, german, turkish):
    both = german.take(np.flatnonzero(german.frame["speaker"] == "03"))
    with pytest.raises(CorpusError, match=r"synthetic-de/03.*shared_speakers"):
        xl.evaluate(fitted, both)
    assert "UA" in xl.evaluate(fitted, german, shared_speakers=True, draws=100)
    assert {"03"} <= set(turkish.speakers), "the same name elsewhere is another person"


def test_a_readout_is_used_with_its_options_and_chosen_without(folder, german):
    three = recogniser(folder, readout=xl.Knn(k=3)).fit(german)
    assert three.model.reader.k == 3
    chosen = recogniser(folder).fit(german)
    rows = chosen.validation().query("metric == 'UA' and method == 'features'").set_index("classifier")["value"]
    assert rows[chosen.model.chosen.reader] == rows.max()
    with pytest.raises(RecipeError, match="CrossEntropy"):
        recogniser(folder, readout=xl.Head()).fit(german)


def test_a_split_of_ones_own_is_what_is_trained_and_validated_on(folder, german):
    from xlser.data.splits import make_splits

    split = make_splits(german.frame, folds=4)[1]
    model = recogniser(folder).fit(german, split)
    stored = set(model.model.own.ids)
    assert stored == set(german.frame["id"].iloc[split.train])
    held = german.take(split.test)
    assert "WA" in xl.evaluate(model, held, draws=100)


def test_validation_speakers_are_a_fifth_and_nobody_is_left_untrained(folder, german):
    model = recogniser(folder).fit(german)
    (row,) = json.loads((model.model.chosen.run / "results.json").read_text())["splits"]
    assert row["speakers"]["test"] == []
    assert set(row["speakers"]["train"]) | set(row["speakers"]["validation"]) == set(german.speakers)
    assert not set(row["speakers"]["train"]) & set(row["speakers"]["validation"])


def test_a_loaded_run_is_evaluated_as_the_run_scored_itself(folder, german, turkish, tmp_path):
    from xlser.experiment.run import run_recipe
    from xlser.experiment.workplace import Workplace

    source, target = german.write(tmp_path / "de.parquet"), turkish.write(tmp_path / "tr.parquet")
    recipe = xl.Autoencoder("logmel", epochs=2, hidden=(8,)).recipe(str(source), [str(target)], emotions=FOUR)
    place = Workplace(cache=folder / "cache", progress=False, say=lambda text: None)
    results = json.loads((run_recipe(recipe, tmp_path / "run", place) / "results.json").read_text())
    for method in ("features", "plain"):
        model = xl.load(tmp_path / "run", method=method, cache=folder / "cache")
        model.progress = False
        found = xl.evaluate(model, turkish)
        about = {"corpus": "synthetic-tr", "normalise": "source", "method": method, "metric": "UA"}
        about["classifier"] = model.model.chosen.reader
        (row,) = [row for row in results["transfer"] if about.items() <= row.items()]
        assert (found["UA"].value, *found["UA"].interval) == (row["value"], row["low"], row["high"])


def test_other_labels_of_the_same_recordings_are_another_training(folder, german, tmp_path):
    from dataclasses import replace

    def fit(dataset):
        model = xl.Recogniser(xl.NoNetwork("logmel"), folder=tmp_path, cache=folder / "cache", progress=False)
        return model.fit(dataset)

    first = fit(german)
    swapped = german.frame["emotion"].map({"anger": "sadness", "sadness": "anger"}).fillna(german.frame["emotion"])
    other = german.with_manifest(replace(german.manifest, frame=german.frame.assign(emotion=swapped)))
    again = fit(other)
    same = fit(german)
    labels = [dict(zip(one.model.own.ids, one.model.own.about["emotion"], strict=True)) for one in (first, again, same)]
    assert labels[0] == labels[2] != labels[1]
    assert first.model.chosen.run == same.model.chosen.run != again.model.chosen.run


@pytest.mark.parametrize("balance", [False, True])
def test_a_prior_is_corrected_as_a_bench_corrects_it(folder, german, turkish, balance):
    from xlser.experiment.use.folder import find_model
    from xlser.experiment.use.model import open_model
    from xlser.experiment.use.saved import read_by

    losses, name = [xl.losses.CrossEntropy(balance=balance)], f"tuned-{int(balance)}"
    system = xl.FineTuned("random:tiny", losses, training={"epochs": 1, "seconds": 16}, name=name)
    bench = xl.transfer([system], [german], [turkish], adapt=[xl.Prior()], cache=folder / "cache", progress=False)
    for method, reader in ((name, "classifier + knn"), (name, "probe"), ("features", "probe")):
        chosen = read_by(find_model(bench.folder, method), reader, {})
        model = xl.Recogniser.of(open_model(chosen), cache=folder / "cache", progress=False)
        about = {"method": method, "classifier": reader, "normalise": "prior", "target": "synthetic-tr", "metric": "UA"}
        rows = bench.scores[np.logical_and.reduce([bench.scores[key] == value for key, value in about.items()])]
        found = xl.evaluate(model, turkish, adapt=xl.Prior())
        assert (found["UA"].value, *found["UA"].interval) == tuple(rows[["value", "low", "high"]].iloc[0]), reader


@pytest.mark.parametrize("kind", [xl.Autoencoder, xl.FineTuned, xl.NoNetwork])
def test_what_a_constructor_leaves_open_is_what_a_recipe_leaves_open(kind):
    from xlser.training.encoder_recipe import EncoderRecipe
    from xlser.training.recipe import Recipe

    if kind is xl.FineTuned:
        made = kind(losses=[xl.losses.CrossEntropy()]).recipe("s")
        bare = EncoderRecipe(name="b", source="s", encoder={}, methods={"m": {"cross_entropy": 1}})
        parts = ("encoder", "augment", "training")
    else:
        made, parts = kind().recipe("s"), ("features", "training", *(("model",) if kind is xl.Autoencoder else ()))
        bare = Recipe(name="b", source="s")
    for part in parts:
        ours, theirs = (getattr(recipe, part).model_dump(exclude={"seeds"}) for recipe in (made, bare))
        assert ours == theirs, part


def test_systems_are_carried_from_every_source_to_every_target(folder, german, turkish):
    systems = [xl.NoNetwork("logmel"), xl.Autoencoder("logmel", epochs=2, hidden=(8,))]
    bench = xl.transfer(
        systems, [german], [turkish], few_shot=[1], adapt=[xl.Coral()], cache=folder / "cache", progress=False
    )
    frame = bench.to_frame()
    assert set(frame["system"]) == {"no-network", "autoencoder"}
    assert set(frame["protocol"]) == {"zero-shot", "transductive"}
    assert {1} <= set(bench.few_shot["k"])
    assert bench.failed == {}
    assert bench.report(folder / "pages").is_file()
    chosen = bench.chosen.set_index("recipe")
    assert {"features"} <= set(bench.scores["method"]), "the features stand beside every network"
    assert set(chosen.index) == {"no-network", "autoencoder"}


def one_speaker(dataset):
    return dataset.take(dataset.frame["speaker"] == "03")


@pytest.mark.parametrize(
    ("wrong", "error", "named"),
    [
        (lambda de, tr: xl.Autoencoder("nosuch"), RecipeError, "extractor"),
        (lambda de, tr: xl.Autoencoder(latent=0), RecipeError, "latent"),
        (lambda de, tr: xl.FineTuned("random:tiny", []), RecipeError, "at least one"),
        (lambda de, tr: xl.Knn(k=0), RecipeError, "k must be"),
        (lambda de, tr: xl.Recogniser("egemaps"), RecipeError, "Autoencoder"),
        (lambda de, tr: xl.Recogniser(xl.NoNetwork()).predict("a.wav"), RunError, "fit"),
        (lambda de, tr: xl.Recogniser(xl.NoNetwork()).fit("emodb"), CorpusError, "Dataset"),
        (lambda de, tr: xl.Recogniser(xl.NoNetwork()).fit(de.keep("anger")), CorpusError, "two emotions"),
        (
            lambda de, tr: xl.Recogniser(xl.NoNetwork()).fit(de.take(de.frame["speaker"] == "03")),
            CorpusError,
            "speakers",
        ),
        (lambda de, tr: xl.transfer([], [de], [tr]), RecipeError, "systems"),
        (lambda de, tr: xl.transfer([xl.NoNetwork()], [de], [de]), RecipeError, "nothing to do"),
        (
            lambda de, tr: xl.transfer([xl.NoNetwork()], [de], [de.keep("anger", "sadness")]),
            CorpusError,
            "two datasets",
        ),
        (lambda de, tr: xl.transfer([xl.NoNetwork(), xl.NoNetwork()], [de], [tr]), RecipeError, "different names"),
    ],
)
def test_what_cannot_be_is_refused_by_name(german, turkish, wrong, error, named):
    with pytest.raises(error, match=named):
        wrong(german, turkish)


def test_a_loss_on_ratings_needs_ratings(folder, german):
    table = german.frame.assign(path=[str(path) for path in german.manifest.files()])
    unrated = xl.Dataset.from_frame(table[["path", "emotion", "speaker", "language"]])
    system = xl.Autoencoder("logmel", losses=[xl.losses.ContinuousMetric(on="activation")], epochs=1, hidden=(8,))
    with pytest.raises(RecipeError, match=r"activation.*with_derived_ratings"):
        recogniser(folder, system).fit(unrated)
    assert recogniser(folder, system).fit(unrated.with_derived_ratings()).classes == FOUR


def test_a_readout_over_an_embedding_of_another_width_is_refused(folder, german, turkish, tmp_path):
    model = recogniser(folder).fit(german)
    other = recogniser(folder, xl.Autoencoder("logmel", epochs=1, hidden=(8,))).fit(german)
    with pytest.raises(xl.XlserError):
        xl.load(model.model.chosen.run, datastore=other.model.chosen.folder / "datastore.safetensors")


def test_options_are_told_and_given_back():
    system = xl.Autoencoder("egemaps", latent=4)
    assert xl.Autoencoder(**system.get_params()) == system
    assert "latent=4" in repr(system)
    model = xl.Recogniser(system, xl.Knn(k=5))
    assert xl.Recogniser(**model.get_params()).get_params() == model.get_params()
    assert "not fitted" in repr(model)


def test_the_face_is_a_map_and_imports_nothing_heavy():
    code = "import sys, xlser; print([m for m in ('numpy', 'pandas', 'torch', 'pydantic') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
    for name in xl.__all__:
        assert getattr(xl, name) is not None, name
        assert name in dir(xl)
        if not name.startswith("_"):
            assert f"`{name}`" in xl.__doc__ or name == "XlserError", name
    with pytest.raises(AttributeError, match="nothing_such"):
        xl.nothing_such

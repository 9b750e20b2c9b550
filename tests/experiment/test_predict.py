"""A run put to use: the same answers as in its report, for recordings of any length, from a folder that has moved."""

import json
import math
import shutil
import tracemalloc

import numpy as np
import pandas as pd
import pytest
import soundfile

import xlser
from xlser.data.audio import AudioFault, read_mono
from xlser.data.spans import windows
from xlser.errors import CorpusError, RunError, XlserError
from xlser.evaluation.results import read_results
from xlser.experiment.run import run_recipe
from xlser.experiment.use.embedders import embed_windows
from xlser.experiment.use.familiarity import Familiarity
from xlser.experiment.use.folder import find_model
from xlser.experiment.use.listing import find_requests
from xlser.experiment.use.readers import Votes
from xlser.experiment.use.recordings import windows_of_audio
from xlser.experiment.workplace import Workplace
from xlser.models.checkpoints import load_encoder
from xlser.store.datastore import Datastore
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.recipe import Recipe
from xlser.vocabulary import READOUTS

COMMON = {"source": "synthetic-de", "targets": ("synthetic-tr",), "split": {"folds": 4}, "evaluation": {"draws": 100}}
TAUGHT = {"cross_entropy": 1, "dimensions": {"of": ["activation", "valence"]}}


@pytest.fixture(scope="module")
def here(small_data, small_cache):
    return Workplace(small_data, cache=small_cache, progress=False, say=lambda text: None)


@pytest.fixture(scope="module")
def clips(tmp_path_factory, here):
    """A run of an encoder whose folder has moved, and whose checkpoint is no longer where its recipe says."""
    folder = tmp_path_factory.mktemp("clips")
    load_encoder("random:tiny-group", seed=5).save(folder / "checkpoint")
    recipe = EncoderRecipe(
        name="clips",
        encoder={"weights": str(folder / "checkpoint"), "longest": 1.0, "layer": "weighted"},
        methods={"ce": TAUGHT, "supcon": {"supcon": {"weight": 1, "projection": 8}}},
        training={"epochs": 1, "seeds": 1, "lr": 1e-2, "encoder_lr": 1e-3},
        **COMMON,
    )
    run_recipe(recipe, folder / "run", here)
    shutil.rmtree(folder / "checkpoint")
    return (folder / "run").rename(folder / "elsewhere")


@pytest.fixture(scope="module")
def latents(tmp_path_factory, here):
    """A run of autoencoders."""
    recipe = Recipe(
        name="latents",
        features={"extractor": "logmel"},
        training={"epochs": 2, "seeds": 1, "batch": 16},
        methods={"activation": {"metric": "signed", "on": "activation"}},
        **COMMON,
    )
    return run_recipe(recipe, tmp_path_factory.mktemp("latents") / "run", here)


def target(run):
    """The target's table and its files."""
    frame = pd.read_parquet(run / "manifests" / "synthetic-tr.parquet")
    return frame[frame["emotion"].isin(["anger", "happiness", "neutral", "sadness"])]


def accuracy(frame, predictions):
    right = np.array([one.emotion for one in predictions]) == frame["emotion"].to_numpy()
    return np.mean([right[frame["emotion"] == name].mean() for name in frame["emotion"].unique()])


def score(run, **wanted):
    table = pd.read_csv(run / "transfer.csv")
    wanted |= {"metric": "UA", "corpus": "synthetic-tr", "protocol": "zero-shot"}
    (row,) = table.loc[np.logical_and.reduce([table[key] == value for key, value in wanted.items()]), "value"]
    return row


READ = [("clips", "ce", name) for name in READOUTS]
READ += [("clips", name, reader) for name in ("supcon", "features") for reader in ("knn", "probe")]
READ += [("latents", name, reader) for name in ("activation", "features") for reader in ("knn", "probe")]


@pytest.mark.parametrize(("run", "method", "reader"), READ)
def test_whatever_can_be_chosen_answers_as_in_its_report(request, small_data, tmp_path, run, method, reader):
    run = shutil.copytree(request.getfixturevalue(run), tmp_path / "run")
    results = json.loads((run / "results.json").read_text())
    expected = score(run, method=method, classifier=reader)
    only_reader(results, method, reader)
    (run / "results.json").write_text(json.dumps(results))
    frame, model = target(run), xlser.load(run).model
    assert (model.chosen.method, model.chosen.reader) == (method, reader)
    found = list(model.predict_files([small_data / "synthetic-tr" / path for path in frame["path"]], k=1))
    assert accuracy(frame, found) == pytest.approx(expected, abs=1e-9)
    assert all(sum(one.probabilities.values()) == pytest.approx(1) for one in found)
    first = small_data / "synthetic-tr" / frame["path"].iloc[0]
    assert set(model.predict(first, labels=["anger", "sadness"]).probabilities) == {"anger", "sadness"}


def test_a_fine_tuned_run_names_the_checkpoint_that_it_began_with(clips):
    (one,) = read_results(clips).provenance.checkpoints
    assert (one.name, one.family, one.licence) == ("checkpoint", "wav2vec2", "not stated")
    assert len(one.sha256) == 64


def test_a_clip_embeds_as_it_did_in_the_run_also_in_windows(clips, small_data):
    kept = Datastore.load(clips / "models" / "ce" / "seed-0" / "embedded" / "synthetic-tr.safetensors")
    model = xlser.load(clips, method="ce").model
    long = [row for row, path in enumerate(kept.about["path"]) if _seconds(small_data, path) > 1]
    assert long  # longer than encoder.longest
    for row in {0, 1, *long[:3]}:
        found = model.embed(small_data / "synthetic-tr" / kept.about["path"][row])
        np.testing.assert_allclose(found, kept.embeddings[row], atol=1e-5)


def _seconds(data, path):
    return soundfile.info(data / "synthetic-tr" / path).duration


def test_an_autoencoder_rates_as_in_its_zero_shot_report(latents, small_data):
    model = xlser.load(latents, method="activation").model
    assert model.dimensions.given_by == {"activation": "direction", "valence": "direction"}
    table = pd.read_csv(latents / "correlation.csv")
    wanted = {"method": "activation", "axis": "direction", "dimension": "activation", "statistic": "Pearson"}
    wanted |= {"corpus": "synthetic-tr", "protocol": "zero-shot"}
    (value,) = table.loc[np.logical_and.reduce([table[key] == v for key, v in wanted.items()]), "value"]
    whole = pd.read_parquet(latents / "manifests" / "synthetic-tr.parquet")
    whole = whole[whole["activation"].notna()]
    answers = [model.predict(small_data / "synthetic-tr" / path).ratings["activation"] for path in whole["path"]]
    assert np.corrcoef(whole["activation"], answers)[0, 1] == pytest.approx(value, abs=1e-6)


def test_trained_dimensions_come_from_the_head(clips, small_data):
    model = xlser.load(clips, method="ce", seed=0).model
    assert model.dimensions.given_by["activation"] == "head"
    path = small_data / "synthetic-tr" / target(clips)["path"].iloc[0]
    found = model.predict(path).ratings
    assert found["valence"] == pytest.approx(model.embedder.heads.ratings(model.embed(path)[None])["valence"][0])


def test_a_stored_clip_finds_itself_with_all_that_is_told_of_it(clips, small_data):
    model = xlser.load(clips).model
    path = model.store.about["path"][3]
    nearest = model.predict(small_data / "synthetic-de" / path, k=2).neighbours[0]
    assert (nearest.corpus, nearest.language, nearest.path) == ("synthetic-de", "de", path)
    assert (nearest.speaker, nearest.emotion) == (model.store.groups[3], model.store.labels[3])
    assert nearest.distance == pytest.approx(0, abs=1e-5)


def test_samples_are_heard_as_a_file_of_them(clips, voice, tmp_path):
    model, samples = xlser.load(clips).model, voice(2.3, rate=44_100)
    soundfile.write(tmp_path / "a.wav", samples, 44_100, subtype="FLOAT")
    by_file, by_samples = model.predict(tmp_path / "a.wav"), model.predict(samples, rate=44_100)
    assert by_file.probabilities == pytest.approx(by_samples.probabilities, abs=1e-4)
    assert (by_file.file, by_samples.file) == (str(tmp_path / "a.wav"), "samples")
    with pytest.raises(TypeError, match=r"`audio` must be a path, bytes"):
        model.predict(np.zeros(16_000, dtype=bool), 16_000)


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 24_414, 44_100, 48_000])
def test_windows_of_a_file_are_the_whole_file(tmp_path, voice, rate):
    wave = np.stack([voice(3.3, rate), voice(3.3, rate, pitch=200)], axis=1)
    soundfile.write(tmp_path / "a.wav", wave, rate, subtype="FLOAT")
    whole = read_mono(tmp_path / "a.wav", 16_000)
    pieces = list(windows_of_audio(tmp_path / "a.wav", None, 16_000, 16_000, 400))
    assert [len(piece) for piece in pieces] == [stop - start for _, start, stop in windows(0, len(whole), 16_000)]
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-6)


def test_memory_does_not_grow_with_the_length_of_a_file(tmp_path, voice):
    minute = np.tile(voice(1.0, 48_000), 60)
    soundfile.write(tmp_path / "a.flac", minute, 48_000)
    for _ in windows_of_audio(tmp_path / "a.flac", None, 16_000, 16_000, 400):
        pass  # what is loaded only once
    tracemalloc.start()
    heard = sum(map(len, windows_of_audio(tmp_path / "a.flac", None, 16_000, 16_000, 400)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert heard == 60 * 16_000
    assert peak < minute.nbytes / 8


def test_the_merge_weighs_windows_by_their_length():
    def embedder(samples):
        return np.array([samples.mean(), len(samples)])

    embedder.rate = 10
    merged, seconds = embed_windows(embedder, iter([np.full(30, 1.0), np.full(10, 5.0)]))
    assert merged.tolist() == [2.0, 25.0]
    assert seconds == 4.0


FAULTS = {
    "empty.wav": "zero length",
    "text.wav": "text named as audio",
    "gone.wav": "the file is gone",
    "silent.wav": "silent",
    "nan.wav": "NaN or infinite",
    "short.wav": "too short: 10 ms of 25 needed",
    "cut.wav": "truncated",
}


@pytest.fixture
def broken(tmp_path, voice):
    """A folder of files that cannot be used, each in its own way, and two good ones."""
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("not a recording, but a note about one")
    soundfile.write(tmp_path / "silent.wav", np.zeros(16_000), 16_000)
    soundfile.write(tmp_path / "nan.wav", np.append(voice(0.5), np.float32("nan")), 16_000, subtype="FLOAT")
    soundfile.write(tmp_path / "short.wav", voice(0.5)[:160], 16_000)
    for name in ("cut.wav", "good.wav", "tenth.wav"):
        soundfile.write(tmp_path / name, voice(0.1 if name == "tenth.wav" else 1.5), 16_000)
    whole = (tmp_path / "cut.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[: len(whole) // 2])
    return tmp_path


@pytest.mark.parametrize("run", ["clips", "latents"])
def test_broken_files_among_good_ones_are_named_and_passed_over(run, broken, request):
    model, faults = xlser.load(request.getfixturevalue(run)).model, {}
    files = [broken / name for name in (*FAULTS, "good.wav", "tenth.wav")]
    found = list(model.predict_files(files, on_fault=lambda path, reason: faults.update({path.name: reason})))
    assert [one.file for one in found] == [str(broken / "good.wav"), str(broken / "tenth.wav")]
    assert faults.keys() == FAULTS.keys()
    assert all(said.split(" of ")[0] in faults[name] for name, said in FAULTS.items())
    with pytest.raises(CorpusError, match=r"text\.wav: text named as audio"):
        list(model.predict_files(files[1:]))


def test_a_flac_that_ends_early_is_refused(tmp_path):
    soundfile.write(tmp_path / "a.flac", np.random.default_rng(0).normal(size=160_000) * 0.1, 16_000)
    whole = (tmp_path / "a.flac").read_bytes()
    (tmp_path / "a.flac").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(AudioFault, match=r"cut short|cannot be decoded to its end"):
        list(windows_of_audio(tmp_path / "a.flac", None, 16_000, 16_000, 400))


def test_only_source_validation_chooses_the_model(clips, tmp_path):
    run = shutil.copytree(clips, tmp_path / "run")
    results = json.loads((run / "results.json").read_text())
    before = find_model(run).method
    other = {"ce": "supcon", "supcon": "ce"}[before]

    def swap(role):
        for row in results["transfer"]:
            if row["role"] == role and row["metric"] == "UA" and row["method"] in (before, other):
                row["value"] = 0.01 if row["method"] == before else 0.99
        (run / "results.json").write_text(json.dumps(results))
        return find_model(run)

    assert swap("target").method == before
    chosen = swap("source, validation speakers")
    assert chosen.method == other
    assert "UA 0.990 on the source's validation speakers" in chosen.text()


def test_the_seed_with_the_best_epoch_is_chosen(clips, tmp_path):
    run = shutil.copytree(clips, tmp_path / "run")
    results = json.loads((run / "results.json").read_text())
    results["curves"] += [curve | {"seed": 1} for curve in results["curves"]]
    for best in (0, 1):
        for curve in results["curves"]:
            score = 0.9 if curve["seed"] == best else 0.8
            curve["curve"] = [{"epoch": 1, "valid/score": score}, {"epoch": 2, "valid/score": 1 - score}]
            curve["best_epoch"] = 1
        (run / "results.json").write_text(json.dumps(results))
        assert find_model(run, "ce").seed == best
    with pytest.raises(RunError, match="did you mean 'supcon'"):
        find_model(run, "supkon")
    with pytest.raises(RunError, match="must have the seed 7, but has 0, 1"):
        find_model(run, "ce", 7)


def test_of_autoencoders_the_seed_with_the_lowest_loss_is_chosen(latents, tmp_path):
    run = shutil.copytree(latents, tmp_path / "run")
    results = json.loads((run / "results.json").read_text())
    results["curves"] += [curve | {"seed": 1} for curve in results["curves"]]
    for best in (0, 1):
        for curve in results["curves"]:
            loss = 0.1 if curve["seed"] == best else 0.2
            # The other seed's loss is lower in an epoch that was not kept.
            curve["curve"] = [{"epoch": 1, "valid/loss": loss}, {"epoch": 2, "valid/loss": 0.3 - loss}]
            curve["best_epoch"] = 1
        (run / "results.json").write_text(json.dumps(results))
        assert find_model(run, "activation").seed == best


@pytest.mark.parametrize(("distance", "emotion"), [("l2", "sadness"), ("cosine", "anger")])
def test_neighbours_are_near_by_the_distance_that_validation_chose(clips, tmp_path, voice, distance, emotion):
    run = shutil.copytree(clips, tmp_path / "run")
    results = json.loads((run / "results.json").read_text())
    for row in results["choices"]:
        if "distance" in row:
            row |= {"distance": distance, "k": 1, "weight": 1.0}
    only_reader(results, "ce", "classifier + knn")
    (run / "results.json").write_text(json.dumps(results))
    query = xlser.load(run, method="ce").model.embed(voice(1.0), 16_000)
    aside = np.roll(query, 1) - (np.roll(query, 1) @ query) / (query @ query) * query
    # One clip lies in the same direction and far away, the other near and in another direction.
    vectors = [9 * query, query + 0.5 * aside]
    names = {"labels": ["anger", "sadness"], "encoder": xlser.load(run, method="ce").model.store.encoder}
    Datastore(vectors, ["far", "near"], about={"path": ["far", "near"]}, **names).save(tmp_path / "two.safetensors")
    found = xlser.load(run, method="ce", datastore=tmp_path / "two.safetensors").model.predict(voice(1.0), 16_000, k=1)
    assert found.emotion == emotion
    assert found.neighbours[0].path == {"sadness": "near", "anger": "far"}[emotion]
    expected = np.sum((0.5 * aside) ** 2) if distance == "l2" else 0.0
    assert found.neighbours[0].distance == pytest.approx(expected, rel=1e-3, abs=1e-5)


def only_reader(results, method, reader):
    """Let validation prefer one reader of a method."""
    for row in results["transfer"]:
        if (row["role"], row["metric"]) == ("source, validation speakers", "UA"):
            row["value"] = 1.0 if (row["method"], row["classifier"]) == (method, reader) else 0.1


@pytest.mark.parametrize("run", ["clips", "latents"])
def test_labels_restrict_the_answer(run, request, voice):
    model, samples = xlser.load(request.getfixturevalue(run)).model, voice(1.5)
    found = model.predict(samples, 16_000, labels=["sadness", "anger"])
    assert list(found.probabilities) == ["anger", "sadness"]
    assert sum(found.probabilities.values()) == pytest.approx(1)
    assert found.emotion == max(found.probabilities, key=found.probabilities.get)
    with pytest.raises(XlserError, match="unknown label 'angry': did you mean 'anger'"):
        model.predict(samples, 16_000, labels=["angry", "sadness"])
    with pytest.raises(XlserError, match="two emotions at least"):
        model.predict(samples, 16_000, labels=["anger"])


def test_votes_are_those_of_a_slow_count():
    rng = np.random.default_rng(3)
    vectors, labels = rng.normal(size=(40, 3)), rng.choice(["a", "b", "c"], 40).tolist()
    store = Datastore(vectors, [str(row) for row in range(40)], labels=labels)
    for query in rng.normal(size=(5, 3)):
        for classes in (("a", "b", "c"), ("a", "c")):
            order = sorted(
                (float(((vector - query) ** 2).sum()), label)
                for vector, label in zip(vectors, labels, strict=True)
                if label in classes
            )[:7]
            _, shares = Votes(store, ("a", "b", "c"), 7).read(query[None].astype(np.float32), classes)
            assert shares[0].tolist() == pytest.approx([sum(n == c for _, n in order) / 7 for c in classes])


def test_familiarity_is_that_of_a_slow_count():
    rng = np.random.default_rng(5)
    vectors, speakers = rng.normal(size=(30, 2)).astype(np.float32), [f"s{row % 4}" for row in range(30)]
    familiar = Familiarity.of(Datastore(vectors, map(str, range(30)), groups=speakers), k=3)
    spread = [
        sorted(((vectors[i] - vectors[j]) ** 2).sum() for j in range(30) if speakers[j] != speakers[i])[2]
        for i in range(30)
    ]
    np.testing.assert_allclose(familiar.spread, sorted(spread), rtol=1e-4)
    query = np.array([1.5, 0.0], dtype=np.float32)
    assert familiar.distance(query) == pytest.approx(sorted(((vectors - query) ** 2).sum(1))[2], rel=1e-4)
    expected = 100 * np.mean(np.array(spread) < familiar.distance(query))
    assert familiar.percentile(familiar.distance(query)) == pytest.approx(expected)


def test_familiarity_keeps_to_the_emotion_that_is_answered():
    rng = np.random.default_rng(7)
    vectors, speakers = rng.normal(size=(40, 3)).astype(np.float32), [f"s{row % 5}" for row in range(40)]
    emotions = ["anger", "sadness", "", "anger"] * 10
    store = Datastore(vectors, map(str, range(40)), groups=speakers, labels=emotions)
    familiar, query = Familiarity.of(store, k=2), np.full(3, 0.5, dtype=np.float32)

    def distances(row, emotion, speaker=None):
        rows = [n for n in range(40) if emotions[n] == emotion and speakers[n] != speaker]
        return sorted(((vectors[n] - row) ** 2).sum() for n in rows)

    assert familiar.distance(query, "sadness") == pytest.approx(distances(query, "sadness")[1], rel=1e-4)
    assert familiar.distance(query) == pytest.approx(
        min(distances(query, name)[1] for name in ("anger", "sadness")), rel=1e-4
    )
    spread = [distances(vectors[n], emotions[n], speakers[n])[1] for n in range(40) if emotions[n]]
    np.testing.assert_allclose(familiar.spread, sorted(spread), rtol=1e-4)


@pytest.mark.parametrize(("groups", "spread"), [(None, 1), (["anna", "anna"], 1), (["anna", "ben"], 1)])
def test_familiarity_in_the_smallest_stores(groups, spread):
    found = Familiarity.of(Datastore([[0.0], [1.0]], ["a", "b"], groups=groups))
    assert found.spread.tolist() == [spread, spread]
    alone = Familiarity.of(Datastore([[0.0]], ["a"]))
    assert math.isnan(alone.percentile(alone.distance(np.zeros(1))))


def test_noise_is_unfamiliar_and_training_clips_are_not(latents, small_data):
    model = xlser.load(latents).model
    paths = [small_data / "synthetic-de" / path for path in model.store.about["path"]]
    assert not any(one.warning for one in model.predict_files(paths))
    noise = np.random.default_rng(0).uniform(-1, 1, 32_000).astype(np.float32)
    assert model.predict(noise, 16_000).percentile > 99
    assert model.predict(noise, 16_000).warning.startswith("unfamiliar sound")


def test_a_datastore_of_another_encoder_is_refused(clips, latents):
    other = latents / "models" / "plain" / "seed-0" / "datastore.safetensors"
    with pytest.raises(XlserError, match="datastore of another encoder"):
        xlser.load(clips, datastore=other).model


def test_more_neighbours_than_the_store_has_are_refused(clips, voice, tmp_path):
    model = xlser.load(clips).model
    with pytest.raises(RunError, match=r"must be 0 to \d+, the stored clips, but are 1000"):
        model.predict(voice(1.0), 16_000, k=1000)
    few = Datastore(model.store.embeddings[:1], ["x"], labels=["anger"], encoder=model.store.encoder)
    few.save(tmp_path / "few.safetensors")
    chosen = xlser.load(clips, datastore=tmp_path / "few.safetensors").model
    chosen.chosen.options["k"] = 8
    with pytest.raises(RunError, match="at least the k = 8 clips"):
        chosen.predict(voice(1.0), 16_000, k=1)
    Datastore(model.store.embeddings[:1], ["x"], encoder=model.store.encoder).save(tmp_path / "bare.safetensors")
    with pytest.raises(RunError, match="must hold clips of anger"):
        xlser.load(clips, datastore=tmp_path / "bare.safetensors").model.predict(voice(1.0), 16_000, k=1)


def test_another_datastore_is_read_with_the_same_model(clips, voice):
    seed = {"method": "supcon", "seed": 0}
    first = xlser.load(clips, **seed).model
    assert first.predict(voice(1.0), 16_000, k=1).probabilities["anger"] < 1.0
    kept = [row for row, label in enumerate(first.store.labels) if label == "anger"]
    only = Datastore(
        first.store.embeddings[kept],
        [first.store.ids[row] for row in kept],
        labels=["anger"] * len(kept),
        encoder=first.store.encoder,
    )
    path = first.chosen.run.parent / "anger.safetensors"
    only.save(path)
    model = xlser.load(clips, **seed, datastore=path).model
    model.chosen.options["k"] = 1
    assert model.predict(voice(1.0), 16_000, k=1).probabilities["anger"] == 1.0


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ("results.json", "the run did not finish"),
        ("encoder", "it holds the checkpoint"),
        ("models/ce/seed-0/model.safetensors", "Copy the whole folder, or delete"),
        ("models/ce/seed-0/datastore.safetensors", "the models are read back"),
    ],
)
def test_what_is_missing_from_a_run_folder_is_named(clips, tmp_path, gone, said):
    run = shutil.copytree(clips, tmp_path / "run")
    shutil.rmtree(run / gone) if (run / gone).is_dir() else (run / gone).unlink()
    with pytest.raises(RunError, match=said):
        xlser.load(run, method="ce", seed=0).model


def test_a_damaged_model_is_named(clips, tmp_path):
    run = shutil.copytree(clips, tmp_path / "run")
    path = run / "models" / "ce" / "seed-0" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(RunError, match=r"cannot read .*model\.safetensors"):
        xlser.load(run, method="ce", seed=0).model
    with pytest.raises(RunError, match="no run folder"):
        xlser.load(tmp_path / "nothing").model


def test_latents_of_a_run_that_kept_none_are_stored_when_it_is_read_back(latents, here, tmp_path):
    run = shutil.copytree(latents, tmp_path / "run")
    path = run / "models" / "plain" / "seed-0" / "datastore.safetensors"
    before = Datastore.load(path).hash
    path.unlink()
    (run / "results.json").unlink()
    model = run / "models" / "plain" / "seed-0" / "model.safetensors"
    written = model.stat().st_mtime_ns
    recipe = Recipe(**json.loads((run / "recipe.json").read_text())["recipe"])
    run_recipe(recipe, run, here)
    assert Datastore.load(path).hash == before
    assert model.stat().st_mtime_ns == written


def found(source):
    return [request.audio for request in find_requests(source).requests]


def test_a_folder_a_list_and_a_table_name_the_same_recordings(corpus, tmp_path):
    root = corpus("b/2.WAV", "b/1.wav", "a.wav")
    (root / "notes.txt").write_text("not audio")
    files = [root / "a.wav", root / "b" / "1.wav", root / "b" / "2.WAV"]
    assert found(root) == files
    assert find_requests(root).notes == [f"{root}: passed over 1 .txt"]
    (root / "list.txt").write_text("a.wav\n\nb/1.wav\n" + str(root / "b" / "2.WAV") + "\n")
    (root / "list.csv").write_text("id,path\n1,a.wav\n2,b/1.wav\n3,b/2.WAV\n")
    (root / "list.tsv").write_text("file\tid\na.wav\t1\nb\\1.wav\t2\nb/2.WAV\t3\n")
    for name in ("list.txt", "list.csv", "list.tsv"):
        assert found(root / name) == files
    assert found(root / "a.wav") == files[:1]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "mood,id\nx,1\n", "has no column of path; its columns: mood, id"),
        ("a.csv", "path\n", "has no rows"),
        ("a.csv", "path,id\n,1\n", "must hold at least a path"),
        ("a.txt", " \n", "has no rows"),
        ("a.txt", b"\xff\xfe\x00", "cannot read|is not utf-16"),
        ("folder", None, "must hold at least an audio file"),
        ("nothing.wav", "", "does not exist"),
    ],
)
def test_a_source_without_recordings_is_refused(tmp_path, name, text, said):
    path = tmp_path / name
    if text is None:
        path.mkdir()
    elif isinstance(text, bytes):
        path.write_bytes(text)
    elif text:
        path.write_text(text)
    with pytest.raises(CorpusError, match=said):
        find_requests(path)


def test_samples_below_the_receptive_field_are_too_short():
    with pytest.raises(AudioFault, match="too short: 25 ms of 25 needed"):
        next(windows_of_audio(np.ones(399, np.float32), 16_000, 16_000, 16_000, 400))
    assert len(next(windows_of_audio(np.ones(400, np.float32), 16_000, 16_000, 16_000, 400))) == 400

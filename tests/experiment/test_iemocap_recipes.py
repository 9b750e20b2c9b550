"""The recipes of IEMOCAP, shortened, on a small synthetic release in its layout and with its traps."""

import json

import numpy as np
import pandas as pd
import pytest
import soundfile

from xlser.experiment.run import run_recipe
from xlser.experiment.workplace import Workplace
from xlser.training.load import load_recipe

SHORT = ("targets=[emodb]", "evaluation.draws=100", "training.epochs=1")
TINY = (*SHORT, "encoder.weights=random:tiny", "training.seconds=40", "training.chunk_seconds=20")
# Eight methods take long: two seeds show what five would.
RECIPES = {"dae-activation": SHORT, "dae-valence": SHORT, "supcon-knn": TINY, "siamese": (*TINY, "training.seeds=2")}
# What each speaker says in a session, with [valence, activation, dominance] as the files print them.
TURNS = (
    ("ang", (1.5, 4.5, 4.0)),
    ("ang", (2.0, 5.0, 4.5)),
    ("hap", (4.0, 3.5, 3.0)),
    ("exc", (4.5, 4.0, 3.5)),
    ("sad", (1.0, 1.5, 2.5)),
    ("sad", (2.0, 1.0, 1.5)),
    ("neu", (3.0, 2.5, 2.0)),
    ("neu", (3.5, 2.0, 2.5)),
    ("xxx", (2.5, 3.0, 3.5)),
    ("oth", (3.0, 3.0, 0.5)),  # off the scale, as one of the real release
)
# The last letter of a dialogue's name before its kind says who wore the markers: both talk in both.
DIALOGUES = ("Ses0{}F_impro01", "Ses0{}M_script01_1b")
BLOCK = """\
C-E2:\tNeutral;\t()
C-E3:\tFrustration; Anger;\t(tense)
C-F1:\tHappiness;\t()
A-E3:\tval 5; act 1; dom  1;\t()
A-E4:\tval ; act 5; dom  5;\t(loud)
A-F1:\tval 1; act 5; dom  5;\t()

"""
MAC = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X"


def turns():
    """Yield session, dialogue, turn, label and ratings; the first half of the labels comes in the first dialogue."""
    for session in range(1, 6):
        for talker in "FM":
            for number, (label, ratings) in enumerate(TURNS):
                dialogue = DIALOGUES[number % 2].format(session)
                yield session, dialogue, f"{dialogue}_{talker}{number:03}", label, ratings


@pytest.fixture(scope="module")
def data(tmp_path_factory, voice):
    root = tmp_path_factory.mktemp("data")
    lines = {}
    for seed, (session, dialogue, turn, label, ratings) in enumerate(turns()):
        folder = root / f"iemocap/Session{session}/sentences/wav/{dialogue}"
        folder.mkdir(parents=True, exist_ok=True)
        wave = voice(0.8 + 0.05 * (seed % 9), pitch=100 + 90 * (turn[-4] == "F") + 8 * ratings[1], seed=seed)
        soundfile.write(folder / f"{turn}.wav", wave, 16_000)
        (folder / f"._{turn}.wav").write_bytes(MAC)
        head = f"[{seed}.0000 - {seed}.9000]\t{turn}\t{label}\t"
        block = head + "[{:.4f}, {:.4f}, {:.4f}]\n".format(*ratings) + BLOCK
        lines.setdefault(root / f"iemocap/Session{session}/dialog/EmoEvaluation/{dialogue}.txt", []).append(block)
    for path, blocks in lines.items():
        _write_labels(path, blocks)
    _write_emodb(root / "emodb/wav", voice)
    return root


def _write_labels(path, blocks):
    for below in ("Attribute", "Categorical", "Self-evaluation"):
        (path.parent / below).mkdir(parents=True, exist_ok=True)
        wrong = blocks[0].splitlines()[0].rpartition("[")[0].replace("ang", "sad") + "[5.0000, 5.0000, 5.0000]\n"
        (path.parent / below / f"{path.stem}_e2.txt").write_text(wrong)
    path.write_text("% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n" + "".join(blocks))
    (path.parent / f"._{path.name}").write_bytes(MAC)
    whole = path.parents[1] / "wav" / f"{path.stem}.wav"
    whole.parent.mkdir(exist_ok=True)
    soundfile.write(whole, np.zeros(1600), 16_000)


def _write_emodb(folder, voice):
    folder.mkdir(parents=True)
    for seed, (speaker, code) in enumerate((s, c) for s in ("03", "08", "09") for c in "WFTNWFTN"):
        wave = voice(0.7, pitch=110 + 30 * "WFTN".index(code), seed=500 + seed)
        soundfile.write(folder / f"{speaker}a0{1 + seed % 8}{code}a.wav", wave, 16_000)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module", params=RECIPES)
def run(request, data, cache, tmp_path_factory):
    """Return a recipe and the folder of its run."""
    recipe = load_recipe(f"recipes/iemocap/{request.param}.yaml", RECIPES[request.param])
    place = Workplace(data, cache=cache, progress=False, say=lambda text: None)
    return recipe, run_recipe(recipe, tmp_path_factory.mktemp("runs") / request.param, place)


@pytest.fixture(scope="module")
def results(run):
    return json.loads((run[1] / "results.json").read_text())


@pytest.fixture(scope="module")
def manifest(run):
    frame = pd.read_parquet(run[1] / "manifests/iemocap.parquet")
    return frame.set_index(frame["path"].str.rpartition("/")[2].str.removesuffix(".wav"))


def test_the_recipes_as_they_are_hold_out_each_session_once():
    for name in RECIPES:
        recipe = load_recipe(f"recipes/iemocap/{name}.yaml")
        assert (recipe.split.kind, recipe.training.seeds) == ("leave-one-session-out", 5)


@pytest.mark.slow
def test_each_seed_holds_out_one_session_and_chooses_by_the_next(run, results):
    assert [split["seed"] for split in results["splits"]] == list(range(run[0].training.seeds))
    sessions = {number: {f"0{number}F", f"0{number}M"} for number in range(1, 6)}
    for split in results["splits"]:
        test, validation = 1 + split["seed"], 1 + (split["seed"] + 1) % 5
        speakers = {part: set(names) for part, names in split["speakers"].items()}
        assert speakers["test"] == sessions[test]
        assert speakers["validation"] == sessions[validation]
        rest = [names for number, names in sessions.items() if number not in (test, validation)]
        assert speakers["train"] == set().union(*rest)
        assert split["shared"] == []
        assert split["utterances"] == {"train": 60, "validation": 20, "test": 20}


def test_the_talker_is_the_end_of_a_turns_name(manifest):
    assert len(manifest) == 100
    for _, _, turn, _, _ in turns():
        talker = turn[-4]
        assert manifest.loc[turn, "speaker"] == turn[3:5] + talker
        assert manifest.loc[turn, "sex"] == {"F": "female", "M": "male"}[talker]
        assert manifest.loc[turn, "session"] == turn[3:5]


def test_ratings_are_the_consensus_in_its_own_order_brought_to_minus_one_to_one(manifest):
    for _, _, turn, _, (valence, activation, dominance) in turns():
        row = manifest.loc[turn]
        assert (row["valence"], row["activation"]) == ((valence - 3) / 2, (activation - 3) / 2)
        assert row["dominance"] == (dominance - 3) / 2 if dominance >= 1 else np.isnan(row["dominance"])


def test_excitement_is_merged_and_what_is_not_scored_is_counted(results):
    source = results["corpora"][0]
    assert source["labels"] == {
        "kept": {"anger": 20, "happiness": 20, "neutral": 20, "sadness": 20},
        "merged": {"excitement -> happiness": 10},
        "dropped": {"no-agreement": 10, "other": 10},
    }
    assert source["ratings"] == "rated"
    assert source["rated"] == {"activation": 100, "valence": 100, "dominance": 90}


def test_nothing_but_the_turns_is_read(results):
    source = results["corpora"][0]
    assert (source["utterances"], source["speakers"]) == (100, 10)
    assert source["left_out"] == {"audio that no `audio` pattern of the card names": 10}
    assert source["notes"] == []


def test_every_method_is_scored_by_every_reader_on_source_and_target(run, results):
    recipe, _ = run
    encoder = hasattr(recipe, "encoder")
    trained = list(recipe.methods) if encoder else list(recipe.objectives())
    found = {(row["corpus"], row["role"], row["method"], row["classifier"]) for row in results["transfer"]}
    roles = ("iemocap", "source, held-out speakers"), ("iemocap", "source, validation speakers"), ("emodb", "target")
    readers = {"knn", "probe"} | ({"classifier", "classifier + knn"} if encoder else set())
    expected = {(*role, "features", reader) for role in roles for reader in ("knn", "probe")}
    expected |= {(*role, method, reader) for role in roles for method in trained for reader in readers}
    assert found == expected
    assert all(0 <= row["value"] <= 1 for row in results["transfer"])
    seeds = range(recipe.training.seeds)
    assert {(row["method"], row["seed"]) for row in results["curves"]} == {(m, s) for m in trained for s in seeds}


def test_the_scored_turns_are_the_four_classes_alone(results):
    held = [row for row in results["confusion"] if row["role"] == "source, held-out speakers"]
    assert {row["truth"] for row in held} == {"anger", "happiness", "neutral", "sadness"}


def test_correlations_are_with_the_evaluators_ratings_where_there_are_any(run, results):
    sessions = run[0].training.seeds
    held = [row for row in results["correlation"] if row["role"] == "source, held-out speakers"]
    assert {row["ratings"] for row in held} == {"rated"}
    counts = {(row["dimension"], row["utterances"]) for row in held}
    assert counts == {("activation", 20 * sessions), ("valence", 20 * sessions), ("dominance", 18 * sessions)}
    assert {row["corpus"] for row in results["correlation"]} == {"iemocap"}

"""A corpus with a split of its own, and one that raters voted on: from the table to the scores."""

import csv
import json

import numpy as np
import pytest
import soundfile

import xlser as xl
from xlser.corpora.votes import read_votes
from xlser.data.verify import verify
from xlser.errors import CorpusError
from xlser.experiment.run import run_recipe
from xlser.experiment.workplace import Workplace
from xlser.schema import validate
from xlser.training.recipe import Recipe

EMOTIONS = ("anger", "happiness", "neutral", "sadness")
PARTS = ("Train", "Train", "Train", "Development", "Test1", "Test2", "Test3")
SPLIT = {"kind": "column", "train": "Train", "validation": "Development", "test": ["Test1", "Test2"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, voice):
    """Return a folder of ragged recordings by seven speakers, with three votes on each and the part of each speaker."""
    root, deal, rows = tmp_path_factory.mktemp("parts") / "toy", np.random.default_rng(0), []
    root.mkdir()
    for number in range(7 * 6):
        speaker, emotion = number // 6, number % 4
        wave = voice(deal.uniform(0.4, 0.9), pitch=100 + 30 * emotion + 3 * speaker, seed=number)
        soundfile.write(root / f"{number}.wav", wave * (0.3 + 0.2 * emotion), 16_000)
        votes = dict.fromkeys(EMOTIONS, 0)
        for vote in (emotion, emotion if number % 6 else (emotion + 1) % 4, (emotion + number % 2) % 4):
            votes[EMOTIONS[vote]] += 1
        rows.append({"file": f"{number}.wav", "spk": f"p{speaker}", "part": PARTS[speaker]} | votes)
    with (root / "t.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return root


@pytest.fixture(scope="module")
def card(make_card):
    """Return the card: counts of raters by emotion, and the official parts."""
    columns, counts = {"spk": "spk", "part": "part"}, {name: name for name in EMOTIONS}
    table = {"file": "t.csv", "key": "file", "columns": columns, "votes": {"columns": counts}}
    return make_card(grammar=".+", emotion=None, speaker="{spk}", partition="{part}", table=table)


@pytest.fixture
def run(folder, card, tmp_path):
    """Return a function: the results of a run without a network, by a split."""

    def results(split):
        source = xl.Dataset.from_card(card, folder).write(tmp_path / "toy.parquet")
        about = {"name": "r", "source": str(source), "model": "none", "training": {"seeds": 1}}
        recipe = validate(Recipe, about | {"split": split, "evaluation": {"draws": 100}}, "r", ValueError)
        place = Workplace(None, {}, cache=tmp_path, progress=False, say=lambda text: None)
        return json.loads((run_recipe(recipe, tmp_path / "run", place) / "results.json").read_text())

    return results


def test_votes_become_labels_shares_and_distributions(folder, card):
    data = xl.Dataset.from_card(card, folder)
    for votes, emotion, agreement in data.frame[["votes", "emotion", "agreement"]].itertuples(index=False):
        counts = read_votes(votes)
        best = [name for name in counts if counts[name] == max(counts.values())]
        assert emotion == (best[0] if len(best) == 1 else "no-agreement")
        assert agreement == max(counts.values()) / 3
    shares = data.votes(*EMOTIONS)
    assert shares.shape == (42, 4)
    assert np.allclose(shares.sum(axis=1), 1)
    assert data.merge(happiness="neutral").votes("neutral", "anger")[:, 0].max() == 1
    assert any(line.startswith("votes: 42 recordings") for line in verify(card, folder).lines)


def test_the_official_parts_train_validate_and_test(run):
    results = run(SPLIT)
    (split,) = results["splits"]
    assert split["speakers"] == {"train": ["p0", "p1", "p2"], "validation": ["p3"], "test": ["p4", "p5"]}
    assert any("6 recordings of parts that `split` does not name are left out: Test3 6" in n for n in notes(results))
    assert not any("ever held out" in note for note in notes(results))
    held_out = [row for row in results["transfer"] if row["role"] == "source, held-out speakers"]
    assert {row["speakers"] for row in held_out} == {2}
    points = (split["utterances"]["train"], split["utterances"]["validation"], split["utterances"]["test"])
    assert points == (18, 6, 12)


def test_without_a_validation_part_the_run_says_who_validates(run):
    results = run({"kind": "column", "train": "Train", "test": "Test1"})
    assert any("speakers of Train are held out" in note for note in notes(results))


def test_a_part_that_is_not_there_stops_the_run_by_name(run):
    with pytest.raises(CorpusError, match=r"corpus toy: no recording is of the part 'Dev'.*Development 6"):
        run(SPLIT | {"validation": "Dev"})


def test_a_part_of_a_corpus_can_be_a_target(folder, card, tmp_path):
    data = xl.Dataset.from_card(card, folder)
    part = data.take(data.frame["partition"] == "Test1").write(tmp_path / "toy-test1.parquet")
    assert set(xl.Dataset.from_manifest(part).frame["speaker"]) == {"p4"}


def notes(results):
    return results["about"]["notes"]

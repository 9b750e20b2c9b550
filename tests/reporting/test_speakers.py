"""The section of speakers: shares against a slow second count, the worst first, and when it has nothing to say."""

import json

import numpy as np
import pandas as pd
import pytest

from xlser.evaluation.verdicts import packed
from xlser.reporting.facts import Facts
from xlser.reporting.pages import PAGES, assemble
from xlser.reporting.report import write_report
from xlser.reporting.speakers import MOST, by_speaker, section
from xlser.vocabulary import VALIDATION

CLASSES = ["anger", "sadness"]
SIZES = {"anna": 9, "ben": 1, "cleo": 4, "dirk": 7}


def predictions(seed=0, seeds=3, sizes=SIZES):
    """What two readers said: a ninth of the clips has no scored emotion, and a seed does not judge all of them."""
    rng = np.random.default_rng(seed)
    speakers = [name for name, size in sizes.items() for _ in range(size)]
    truth = [str(rng.choice(CLASSES)) if rng.random() > 1 / 9 else "fear" for _ in speakers]

    def labels():
        return [str(rng.choice(CLASSES)) if rng.random() > 0.3 else None for _ in speakers]

    said = [
        {"method": "metric", "classifier": reader, "seed": number, "labels": labels()}
        for reader in ("knn", "probe")
        for number in range(seeds)
    ]
    ids = [f"c{place}" for place in range(len(speakers))]
    return {"id": ids, "speaker": speakers, "truth": truth, "said": said}


def entry(corpus="tgt", role="target", protocol="transductive", **more):
    return {"corpus": corpus, "role": role, "protocol": protocol, "classes": CLASSES} | (more or predictions())


@pytest.fixture
def facts(results):
    """A run whose source validation prefers the probe of "metric"."""
    rows = [row for row in results["transfer"] if row["corpus"] == "src" and row["metric"] == "UA"]
    results["transfer"] += [
        row | {"role": VALIDATION, "value": 0.9 if (row["method"], row["classifier"]) == ("metric", "probe") else 0.5}
        for row in rows
    ]
    found = Facts(results)
    found.predictions = [entry()]
    return found


@pytest.mark.parametrize("seed", range(5))
def test_shares_are_those_of_a_slow_count(facts, seed):
    kept = predictions(seed)
    table = pd.DataFrame(
        [
            (speaker, truth, row["seed"], place, float(truth == label))
            for row in kept["said"]
            if row["classifier"] == "probe"
            for place, (speaker, truth, label) in enumerate(
                zip(kept["speaker"], kept["truth"], row["labels"], strict=True)
            )
            if label is not None and truth in CLASSES
        ],
        columns=["speaker", "truth", "seed", "clip", "right"],
    )
    by_clip = table.groupby(["speaker", "truth", "clip"])["right"].mean().reset_index()
    found = {one.name: one for one in by_speaker(entry(**kept), facts.choice)}
    assert set(found) == set(by_clip["speaker"])
    for name, clips in by_clip.groupby("speaker"):
        assert found[name].clips == len(clips)
        assert found[name].share == pytest.approx(clips["right"].mean())
        missed = (1 - clips["right"]).groupby(clips["truth"]).sum()
        assert found[name].missed == pytest.approx({emotion: value for emotion, value in missed.items() if value > 0})


def test_the_worst_comes_first_in_table_and_picture(facts):
    shares = [one.share for one in by_speaker(entry(), facts.choice)]
    assert shares == sorted(shares)
    (table,) = section(facts).tables
    assert [row.cells[1] for row in table.groups[0].rows] == [f"{share:.2f}" for share in shares]


def test_speakers_who_are_read_by_guessing_and_the_few_who_hold_half_of_the_mistakes_are_counted(facts):
    """Four clips each: anna all wrong, ben half of them, cleo all right; of six mistakes anna holds four."""
    truth, wrong = ["anger"] * 12, {0, 1, 2, 3, 4, 5}
    said = {"method": "metric", "classifier": "probe", "seed": 0}
    said["labels"] = ["sadness" if place in wrong else "anger" for place in range(12)]
    speakers = [name for name in ("anna", "ben", "cleo") for _ in range(4)]
    facts.predictions = [entry(id=list("abcdefghijkl"), speaker=speakers, truth=truth, said=[said])]
    (words,) = [part for part in section(facts).parts if part.tag == "words"]
    ((corpus, text),) = words.lines
    assert corpus == "tgt:"
    assert text.startswith("2 of 3 speakers")
    assert "from 0.00 (anna) to 1.00 (cleo)" in text
    assert text.endswith("half of all mistakes fall on 1 of them.")


def test_only_the_recipes_protocol_and_no_validation_speakers_are_shown(facts):
    facts.predictions = [
        entry(protocol="zero-shot"),
        entry(),
        entry("src", "source, held-out speakers", "zero-shot"),
        entry("src", VALIDATION, "zero-shot"),
    ]
    (table,) = section(facts).tables
    assert [group.title.text for group in table.groups] == ["tgt · transductive", "src · held-out speakers"]


def test_more_speakers_than_fit_are_counted_beside_the_table(facts):
    facts.predictions = [entry(**predictions(sizes={f"s{place}": 6 for place in range(MOST + 3)}))]
    found = section(facts)
    assert len(found.tables[0].groups[0].rows) == MOST
    assert "tgt 3" in found.left_out


def test_one_speaker_whose_clips_are_all_right_is_a_row_of_its_own(facts):
    said = [{"method": "metric", "classifier": "probe", "seed": 0, "labels": ["anger"]}]
    facts.predictions = [entry(id=["a"], speaker=["anna"], truth=["anger"], said=said)]
    (row,) = section(facts).tables[0].groups[0].rows
    assert row.cells == ["anna", "1.00", "1", "none"]


def test_without_predictions_without_a_choice_or_without_judged_clips_there_is_no_section(facts, results):
    nothing = [{"method": "metric", "classifier": "knn", "seed": 0, "labels": ["anger"]}]
    facts.predictions = [entry(id=["a"], speaker=["anna"], truth=["anger"], said=nothing)]
    assert section(facts) is None
    facts.predictions = []
    assert section(facts) is None
    results["transfer"] = [row for row in results["transfer"] if row["role"] != VALIDATION]
    older = Facts(results)
    older.predictions = [entry()]
    assert section(older) is None


def test_a_page_of_a_run_folder_has_the_section(run_dir, results, facts):
    folder = run_dir(results)
    kept = {"corpus": "tgt", "role": "target", "protocol": "transductive", "classes": CLASSES} | packed(predictions())
    (folder / "predictions.json").write_text(json.dumps({"corpora": [kept]}), encoding="utf-8")
    assert "speakers" in [made.anchor for made in assemble(PAGES["run"], Facts.of_folder(folder))]
    assert 'id="speakers"' in write_report(folder).read_text(encoding="utf-8")

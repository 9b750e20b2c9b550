"""Paired tests of a bench's readings, against second computations from the clips."""

from itertools import product

import numpy as np
import pytest

from xlser.evaluation.paired import holm, paired_test
from xlser.evaluation.regret import NOBODY
from xlser.evaluation.tested import ALL_SOURCES, NO_ADAPTATION, OTHER_SOURCE, PLAIN_FEATURES, reading_tests

CLASSES = ["anger", "joy"]
READINGS = [("net", "knn"), ("features", "probe")]
CHOSEN = {("r", name): {"method": "net", "classifier": "knn"} for name in "abc"}
WAYS = {"source": "zero-shot", "corpus": "transductive"}


def cell(source, target, *, clips=60, seed=0):
    """Two seeds, of which each judges its own half and a third of the other's."""
    rng = np.random.default_rng([seed, *map(ord, source + target)])
    said = []
    for (method, classifier), (normalise, protocol), fold in product(READINGS, WAYS.items(), (0, 1)):
        labels = "".join(NOBODY if i % 3 == fold else str(rng.integers(2)) for i in range(clips))
        row = {"method": method, "classifier": classifier, "seed": fold, "labels": labels}
        said.append(row | {"normalise": normalise, "protocol": protocol})
    truth = "".join(NOBODY if i % 11 == 0 else str(i % 2) for i in range(clips))
    answers = {"classes": CLASSES, "speaker": [f"s{i % 7}" for i in range(clips)], "truth": truth, "said": said}
    about = {"synthetic": target == "robot"}
    return {"recipe": "r", "source": source, "target": target, "normalise": "corpus", "about": about} | {
        "answers": answers
    }


def right(one, method, normalise):
    truth = one["answers"]["truth"]
    rows = [row for row in one["answers"]["said"] if (row["method"], row["normalise"]) == (method, normalise)]
    judge = lambda said, true: np.nan if NOBODY in (said, true) else float(said == true)  # noqa: E731
    return np.array([[judge(*pair) for pair in zip(row["labels"], truth, strict=True)] for row in rows])


def second(one, other, mine, theirs):
    """The same by `paired_test`."""
    keep = [place for place, code in enumerate(one["answers"]["truth"]) if code != NOBODY]
    sides = [right(cell, *reading)[:, keep] for cell, reading in ((one, mine), (other, theirs))]
    speakers, truth = (np.array(list(one["answers"][name]))[keep] for name in ("speaker", "truth"))
    return paired_test(*sides, speakers, truth)


@pytest.fixture
def cells():
    return [cell(*place) for place in (("a", "t"), ("b", "t"), ("c", "t"), ("a", "robot"), ("b", "robot"))]


def of(rows, family, **where):
    return [row for row in rows if row["family"] == family and all(row[name] == where[name] for name in where)]


def test_every_cell_is_set_against_other_sources_plain_features_and_no_adaptation(cells):
    rows, by = reading_tests(cells, CHOSEN), {(one["source"], one["target"]): one for one in cells}
    assert len(of(rows, OTHER_SOURCE)) == 3 + 1
    for row in rows:
        if row["source"] == ALL_SOURCES:
            continue
        one = by[row["source"], row["target"]]
        other = by[row["rival"], row["target"]] if row["family"] == OTHER_SOURCE else one
        theirs = {OTHER_SOURCE: ("net", "corpus"), PLAIN_FEATURES: ("features", "corpus")}
        found = second(one, other, ("net", "corpus"), theirs.get(row["family"], ("net", "source")))
        assert (row["difference"], row["p"]) == pytest.approx((found["difference"], found["p"]))
    several = of(rows, OTHER_SOURCE)
    assert [row["p_holm"] for row in several] == pytest.approx(holm([row["p"] for row in several]))


def test_means_have_the_speakers_of_a_target_once_and_never_mix_synthetic_speech_in(cells):
    rows = reading_tests(cells, CHOSEN)
    for family in (PLAIN_FEATURES, NO_ADAPTATION):
        for target, data in (("t", "real"), ("robot", "synthetic")):
            alone = [row["difference"] for row in of(rows, family, target=target) if row["source"] != ALL_SOURCES]
            (mean,) = of(rows, family, target=target, source=ALL_SOURCES)
            assert mean["difference"] == pytest.approx(np.mean(alone))
            assert (mean["speakers"], mean["cells"]) == (7, len(alone))
            (overall,) = of(rows, family, target="all targets", data=data)
            assert overall["difference"] == pytest.approx(mean["difference"])


def test_the_mean_over_targets_weighs_them_alike_and_keeps_their_speakers_apart(cells):
    rows = reading_tests([*cells, cell("a", "u")], CHOSEN)
    (overall,) = of(rows, NO_ADAPTATION, target="all targets", data="real")
    means = [row["difference"] for row in of(rows, NO_ADAPTATION, source=ALL_SOURCES, data="real")]
    assert overall["difference"] == pytest.approx(np.mean(means[:2]))
    assert overall["speakers"] == 14


def test_what_is_not_of_the_same_clips_and_emotions_has_no_test(cells):
    cells[1]["answers"]["truth"] = cells[1]["answers"]["truth"][::-1]
    cells[2]["answers"]["classes"] = ["anger", "fear"]
    assert of(reading_tests(cells, CHOSEN), OTHER_SOURCE, target="t") == []
    assert reading_tests([one | {"answers": {}} for one in cells], CHOSEN) == []
    assert reading_tests(cells, {}) == []


def test_plain_features_that_were_chosen_count_in_the_mean_and_have_no_test_of_their_own(cells):
    chosen = CHOSEN | {("r", "a"): {"method": "features", "classifier": "probe"}}
    rows = of(reading_tests(cells, chosen), PLAIN_FEATURES, target="t")
    assert [row["source"] for row in rows] == ["b", "c", ALL_SOURCES]
    assert rows[2]["difference"] == pytest.approx(sum(row["difference"] for row in rows[:2]) / 3)
    assert rows[2]["cells"] == 2

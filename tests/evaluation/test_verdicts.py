"""What two methods said of the same clips, against a second, slow count."""

import numpy as np
import pytest

from xlser.evaluation.paired import holm, paired_test
from xlser.evaluation.verdicts import Verdicts, correct_families, packed, paired, unlike, unpacked

CLASSES = ["anger", "joy"]


def predictions(seed=0, clips=40, seeds=2):
    """Two methods by two classifiers; a seed leaves a quarter of the clips out, and some clips are of no class."""
    rng = np.random.default_rng(seed)
    truth = [[None, "fear", *CLASSES][place % 4] if place % 5 == 0 else CLASSES[place % 2] for place in range(clips)]
    said = [
        {"method": method, "classifier": classifier, "seed": number}
        | {"labels": [None if place % 4 == number else str(rng.choice(CLASSES)) for place in range(clips)]}
        for method in ("plain", "metric")
        for classifier in ("knn", "probe")
        for number in range(seeds)
    ]
    speakers = [f"s{place % 5}" for place in range(clips)]
    return {"id": [f"c{place}" for place in range(clips)], "speaker": speakers, "truth": truth, "said": said}


def of(kept, method="metric", classifier="knn", classes=CLASSES):
    return Verdicts.of(kept, classes, method, classifier)


def slow(kept, other):
    """Right or wrong clip by clip, for the clips of a class that a seed of both judged."""
    tables = [
        [row["labels"] for row in one["said"] if (row["method"], row["classifier"]) == ("metric", "knn")]
        for one in (kept, other)
    ]
    places = [
        place
        for place, truth in enumerate(kept["truth"])
        if truth in CLASSES and all(any(row[place] is not None for row in table) for table in tables)
    ]
    right = [
        [[np.nan if row[i] is None else float(row[i] == kept["truth"][i]) for i in places] for row in table]
        for table in tables
    ]
    return paired_test(*right, [kept["speaker"][i] for i in places], [kept["truth"][i] for i in places])


@pytest.mark.parametrize("seeds", [(1, 1), (2, 2), (2, 3)])
def test_what_both_judged_is_tested_in_pairs(seeds):
    one, other = predictions(0, seeds=seeds[0]), predictions(1, seeds=seeds[1])
    found, expected = paired(of(one), of(other)), slow(one, other)
    assert found == {name: expected[name] for name in ("difference", "p", "speakers", "clips", "exact")}
    turned = paired(of(other), of(one))
    assert (turned["difference"], turned["p"]) == (pytest.approx(-found["difference"]), found["p"])


@pytest.mark.parametrize(
    ("change", "classes", "why"),
    [
        ({"id": [f"d{place}" for place in range(40)]}, CLASSES, "not the same clips"),
        ({"truth": [CLASSES[0]] * 40}, CLASSES, "not the same labels"),
        ({"speaker": ["s0"] * 40}, CLASSES, "not the same speakers"),
        ({}, [*CLASSES, "fear"], "not the same emotions"),
        ({"said": []}, CLASSES, "no clip that both judged"),
    ],
)
def test_others_are_not_paired(change, classes, why):
    a, b = of(predictions()), of(predictions() | change, classes=classes)
    assert unlike(a, b) == unlike(b, a) == why
    assert paired(a, b) is None


def test_seeds_without_a_clip_in_common_judged_none_together():
    one, other = predictions(), predictions()
    for kept, left in ((one, range(20)), (other, range(20, 40))):
        for row in kept["said"]:
            row["labels"] = [None if place in left else label for place, label in enumerate(row["labels"])]
    assert unlike(of(one), of(other)) == "no clip that both judged"


def test_the_order_of_the_emotions_does_not_matter():
    assert not unlike(of(predictions()), of(predictions(), classes=CLASSES[::-1]))


def test_each_family_has_a_correction_of_its_own_and_a_test_that_was_not_made_counts_for_none():
    ps = {"transfer": [0.01, np.nan, 0.03, 0.04], "held-out": [0.04, 0.02]}
    rows = [{"family": family, "p": p} for place in range(4) for family in ps for p in ps[family][place : place + 1]]
    correct_families(rows)
    for family, values in ps.items():
        found = [row["p_holm"] for row in rows if row["family"] == family]
        np.testing.assert_allclose(found, holm(values))


def test_what_is_packed_comes_back_whole():
    kept = predictions()
    small = packed(kept)
    assert unpacked(small) == kept
    assert {type(code) for row in small["said"] for code in row["labels"]} == {int}
    assert unpacked(packed({"id": [], "speaker": [], "truth": [], "said": []}))["said"] == []

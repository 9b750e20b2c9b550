"""What is said of a whole bench, against second computations from its cells."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from xlser.evaluation.paired import paired_test
from xlser.experiment.bench.gather import gather
from xlser.experiment.bench.look import Outcome
from xlser.experiment.cases import HELD_OUT, TARGET, VALIDATION
from xlser.fileformats import VERSIONS

CLASSES = ["anger", "joy"]
LANGUAGES = {"home": "de", "far": "en-US", "near": "en-GB", "other": "tr", "robot": "tr", "parrot": "en"}
SYNTHETIC = ("robot", "parrot")
PLACES = len(LANGUAGES)
TABLES = ("cells", "chosen", "matrix", "comparisons", "languages", "validated", "regrets", "tests", "pretended")


def rows(rng, target: str, source: str) -> list[dict]:
    """UA and WA of two methods and two shortcuts by two readers, in every role and protocol of the cell."""
    roles = [(VALIDATION, "source"), (HELD_OUT, "source")] if target == source else []
    roles = roles or [(TARGET, "source"), (TARGET, "corpus"), (TARGET, "coral")]
    table = []
    for (role, kind), method, classifier, metric in product(
        roles, ("features", "plain", "metric", "duration alone"), ("knn", "probe"), ("UA", "WA")
    ):
        value = rng.uniform(0.2, 0.9)
        table.append(
            {
                "role": role,
                "method": method,
                "classifier": classifier,
                "metric": metric,
                "language": LANGUAGES[target],
                "data": "synthetic" if target in SYNTHETIC else "real",
                "protocol": "zero-shot" if kind == "source" else "transductive",
                "normalise": kind,
                "value": value,
                "low": value - rng.uniform(0.01, 0.1),
                "high": value + rng.uniform(0.01, 0.1),
            }
        )
    return table


def predictions(rng, clips: int, own: bool) -> dict:
    truth = [None if place % 7 == 0 else CLASSES[place % 2] for place in range(clips)]
    said = []
    for method, classifier, seed in product(("features", "plain", "metric"), ("knn", "probe"), (0, 1)):
        labels = [None if own and place % 2 == seed else str(rng.choice(CLASSES)) for place in range(clips)]
        said.append({"method": method, "classifier": classifier, "seed": seed, "labels": labels})
    speakers = [f"s{place % 5}" for place in range(clips)]
    return {"id": [str(place) for place in range(clips)], "speaker": speakers, "truth": truth, "said": said}


@pytest.fixture
def outcomes(tmp_path) -> list[Outcome]:
    rng, found = np.random.default_rng(0), []
    for recipe in ("b", "a", "c"):
        outcome = Outcome(f"{recipe} on home")
        for target in LANGUAGES:
            path = tmp_path / recipe / f"{target}.json"
            path.parent.mkdir(exist_ok=True)
            cell = {
                "schema": VERSIONS["cell"],
                "recipe": recipe,
                "source": "home",
                "target": target,
                "classes": CLASSES,
                "transfer": rows(rng, target, "home"),
                "dimensions": [{"p": float(p)} for p in rng.uniform(0, 0.2, 4)] + [{"p": None}],
                "predictions": predictions(rng, 40, target == "home"),
            }
            path.write_text(json.dumps(cell))
            outcome.cells[target] = path
        found.append(outcome)
    return found


def read(outcomes: list[Outcome]) -> dict[tuple[str, str], dict]:
    cells = [json.loads(path.read_text()) for outcome in outcomes for path in outcome.cells.values()]
    return {(cell["recipe"], cell["target"]): cell for cell in cells}


def change(path: Path, edit) -> None:
    cell = json.loads(path.read_text())
    edit(cell)
    path.write_text(json.dumps(cell))


def test_the_choice_is_made_on_source_validation_only(outcomes):
    cells, found = read(outcomes), gather(outcomes)
    for row in found["chosen"]:
        best, choice = -1.0, None
        for one in cells[row["recipe"], "home"]["transfer"]:
            model = one["method"] in ("features", "plain", "metric")
            if model and one["role"] == VALIDATION and one["metric"] == "UA" and one["value"] > best:
                best, choice = one["value"], (one["method"], one["classifier"])
        assert (row["method"], row["classifier"], row["validation"]) == (*choice, best)

    def spoil(cell):
        for one in cell["transfer"]:
            if one["role"] != VALIDATION or one["metric"] != "UA" or one["method"] == "duration alone":
                one["value"] = 1.0 if one["method"] == "plain" else 0.0

    for outcome in outcomes:
        for path in outcome.cells.values():
            change(path, spoil)
    assert gather(outcomes)["chosen"] == found["chosen"]


def test_the_matrix_holds_the_chosen_rows_of_every_cell(outcomes):
    cells, found = read(outcomes), gather(outcomes)
    choice = {row["recipe"]: (row["method"], row["classifier"]) for row in found["chosen"]}
    expected = [
        {"recipe": recipe, "source": "home", "target": target, **row}
        for (recipe, target), cell in sorted(cells.items())
        for row in cell["transfer"]
        if (row["method"], row["classifier"]) == choice[recipe] and row["role"] != VALIDATION
    ]
    assert found["matrix"] == expected
    assert len(expected) == 3 * (2 * 1 + 3 * 2 * (PLACES - 1))


def test_comparisons_are_paired_tests_of_what_was_chosen(outcomes):
    cells, found = read(outcomes), gather(outcomes)
    choice = {row["recipe"]: (row["method"], row["classifier"]) for row in found["chosen"]}
    assert [(row["target"], row["a"], row["b"]) for row in found["comparisons"]] == [
        (target, *pair) for target in sorted(LANGUAGES) for pair in (("a", "b"), ("a", "c"), ("b", "c"))
    ]
    for row in found["comparisons"]:
        right = []
        for recipe in (row["a"], row["b"]):
            said = cells[recipe, row["target"]]["predictions"]
            right.append([])
            for one in said["said"]:
                if (one["method"], one["classifier"]) == choice[recipe]:
                    pairs = zip(one["labels"], said["truth"], strict=True)
                    right[-1].append([np.nan if label is None else float(label == truth) for label, truth in pairs])
        kept = [place for place, truth in enumerate(said["truth"]) if truth in CLASSES]
        truth, speakers = (np.array(said[name], dtype=object)[kept].astype(str) for name in ("truth", "speaker"))
        slow = paired_test(np.array(right[0])[:, kept], np.array(right[1])[:, kept], speakers, truth)
        assert (row["difference"], row["p"], row["clips"]) == (slow["difference"], slow["p"], len(kept))
        assert row["family"] == ("held-out" if row["target"] == "home" else "transfer")


def test_p_values_are_corrected_over_the_whole_bench_transfer_and_held_out_speakers_apart(outcomes):
    found = gather(outcomes)
    for at_home, size in ((True, 3), (False, 3 * (PLACES - 1))):
        several = [row for row in found["comparisons"] if (row["target"] == "home") is at_home]
        table = sorted(several, key=lambda row: row["p"])
        assert len(table) == size
        worst = 0.0
        for place, row in enumerate(table):
            worst = max(worst, min(1.0, row["p"] * (len(table) - place)))
            assert row["p_holm"] == pytest.approx(worst)
    every = [row for cell in found["cells"] for row in cell["dimensions"]]
    known = sorted((row for row in every if row["p"] is not None), key=lambda row: row["p"])
    assert len(known) == 3 * 4 * PLACES
    for place, row in enumerate(known):
        later = [other["p"] * len(known) / (rank + 1) for rank, other in enumerate(known) if rank >= place]
        assert row["p_fdr"] == pytest.approx(min(later))
    assert all(np.isnan(row["p_fdr"]) for row in every if row["p"] is None)


def test_languages_are_means_of_corpora_and_all_of_them_a_mean_of_languages(outcomes):
    found = gather(outcomes)
    for row in found["languages"]:
        groups = {"real": {"en": ["far", "near"], "tr": ["other"]}, "synthetic": {"tr": ["robot"], "en": ["parrot"]}}
        several = [
            one
            for one in found["matrix"]
            if one["recipe"] == row["recipe"] and one["metric"] == "UA" and one["normalise"] == row["normalise"]
        ]
        by_target = {one["target"]: one for one in several if one["role"] == TARGET}
        means, variances = {}, {}
        for language, targets in groups[row["data"]].items():
            means[language] = np.mean([by_target[name]["value"] for name in targets])
            halves = [(by_target[name]["high"] - by_target[name]["low"]) / 2 for name in targets]
            variances[language] = np.sum(np.square(halves)) / len(halves) ** 2
        means["all languages"] = (means["en"] + means["tr"]) / 2
        variances["all languages"] = (variances["en"] + variances["tr"]) / 4
        name = row["language"]
        assert row["value"] == pytest.approx(means[name])
        assert (row["high"] - row["low"]) / 2 == pytest.approx(np.sqrt(variances[name]))
        counts = {"real": {"en": 2, "tr": 1, "all languages": 3}, "synthetic": {"en": 1, "tr": 1, "all languages": 2}}
        assert row["corpora"] == counts[row["data"]][name]
    assert len(found["languages"]) == 3 * 3 * (3 + 3)


def test_without_synthetic_speech_every_mean_is_of_human_speech(outcomes):
    for outcome in outcomes:
        for name in SYNTHETIC:
            del outcome.cells[name]
    found = gather(outcomes)["languages"]
    assert {row["data"] for row in found} == {"real"}
    assert len(found) == 3 * 3 * 3


def test_a_bench_without_cells_says_nothing():
    empty = gather([Outcome("a on b", failed="why")])
    assert empty == {name: [] for name in TABLES}


def test_without_the_source_nothing_is_chosen_and_nothing_compared(outcomes):
    for outcome in outcomes[:2]:
        del outcome.cells["home"]
    found = gather(outcomes)
    assert [row["recipe"] for row in found["chosen"]] == ["c"]
    assert {row["recipe"] for row in found["matrix"]} == {"c"}
    assert found["comparisons"] == []
    assert len(found["cells"]) == 3 * PLACES - 2


def test_other_clips_or_classes_are_not_compared(outcomes):
    change(outcomes[0].cells["far"], lambda cell: cell["predictions"].update(id=["x"] * 40))
    change(outcomes[1].cells["near"], lambda cell: cell.update(classes=["anger"]))
    pairs = {(row["target"], row["a"], row["b"]) for row in gather(outcomes)["comparisons"]}
    assert len(pairs) == 3 * PLACES - 4
    assert not pairs & {("far", "a", "b"), ("far", "b", "c"), ("near", "a", "b"), ("near", "a", "c")}


def test_clips_that_only_one_recipe_judges_are_left_out(outcomes):
    def fewer(cell):
        for one in cell["predictions"]["said"]:
            one["labels"][:10] = [None] * 10

    change(outcomes[0].cells["far"], fewer)
    found = {(row["target"], row["a"], row["b"]): row for row in gather(outcomes)["comparisons"]}
    scored = [place for place in range(40) if place % 7]
    assert found["far", "a", "b"]["clips"] == len([place for place in scored if place >= 10])
    assert found["far", "a", "c"]["clips"] == len(scored)


def test_a_score_that_is_not_known_makes_its_mean_unknown(outcomes):
    def unknown(cell):
        for row in cell["transfer"]:
            row |= {"low": None, "high": None}

    change(outcomes[1].cells["other"], unknown)
    table = [row for row in gather(outcomes)["languages"] if row["recipe"] == "a"]
    assert all(np.isfinite(row["value"]) for row in table)
    unknown = {(row["language"], row["data"]) for row in table if np.isnan(row["low"])}
    assert unknown == {("tr", "real"), ("all languages", "real")}

"""The corpus's own split: every name of a part is known, and nobody is on both sides unasked."""

import numpy as np
import pandas as pd
import pytest

from xlser.data.official_split import official_notes
from xlser.data.splits import adapted_splits, make_splits
from xlser.errors import CorpusError, RecipeError
from xlser.schema import validate
from xlser.training.recipe import Recipe

PARTS = {"train": ["Train"], "validation": ["Development"], "test": ["Test1", "Test2"]}


@pytest.fixture
def frame():
    """Nine speakers of four recordings: three train, one to develop, four in three tests, and one of no part."""
    own = ["Train"] * 3 + ["Development", "Test1", "Test1", "Test2", "Test 3", None]
    rows = [
        {"id": f"{number}{clip}", "speaker": f"p{number}", "emotion": "xy"[clip % 2], "partition": part}
        for number, part in enumerate(own)
        for clip in range(4)
    ]
    return pd.DataFrame(rows).sample(frac=1, random_state=0).reset_index(drop=True)


def speakers(frame, split):
    return [sorted(set(frame["speaker"].iloc[rows])) for rows in (split.train, split.validation, split.test)]


def test_parts_are_taken_by_name_and_others_left_out(frame):
    (split,) = make_splits(frame, "column", parts=PARTS)
    assert speakers(frame, split) == [["p0", "p1", "p2"], ["p3"], ["p4", "p5", "p6"]]
    assert split.train.tolist() == sorted(split.train)
    assert official_notes(frame, PARTS) == [
        "8 recordings of parts that `split` does not name are left out: Test 3 4, no part at all 4"
    ]


def test_several_parts_may_train(frame):
    parts = {"train": ["Train", "Test 3"], "validation": ["Development"]}
    split = make_splits(frame, "column", parts=parts)[0]
    assert speakers(frame, split) == [["p0", "p1", "p2", "p7"], ["p3"], []]


def test_without_a_validation_part_speakers_of_train_are_held_out(frame):
    parts = {"train": ["Train"], "test": ["Test1"]}
    (split,) = adapted_splits(frame, "column", parts=parts)[0]
    train, validation, test = speakers(frame, split)
    assert sorted(train + validation) == ["p0", "p1", "p2"]
    assert len(validation) == 1
    assert test == ["p4", "p5"]
    assert any("speakers of Train are held out" in note for note in official_notes(frame, parts))


def test_one_speaker_cannot_be_held_out_of_himself(frame):
    with pytest.raises(CorpusError, match=r"training part has one speaker.*split\.validation"):
        make_splits(frame, "column", parts={"train": ["Development"]})


def test_a_name_that_is_not_there_is_told_with_those_that_are(frame):
    parts = PARTS | {"test": ["Test3"]}
    with pytest.raises(CorpusError, match=r"part 'Test3'; did you mean .*Train 12, Test1 8, .*Test 3 4"):
        make_splits(frame, "column", parts=parts)


def test_a_part_stands_on_one_side(frame):
    with pytest.raises(CorpusError, match="'Test1' must be named once"):
        make_splits(frame, "column", parts=PARTS | {"validation": ["Test1"]})


def test_speakers_on_both_sides_are_refused_unless_asked_for(frame):
    frame["speaker"] = frame["speaker"].replace({"p5": "p0"})
    with pytest.raises(CorpusError, match=r"puts 1 speakers on both sides: p0\. .*kind: column-shared-speakers"):
        make_splits(frame, "column", parts=PARTS)
    (split,) = make_splits(frame, "column-shared-speakers", parts=PARTS)
    assert split.shared == ("p0",)


@pytest.mark.parametrize("column", [None, "empty"])
def test_a_corpus_without_parts_says_how_it_gets_them(frame, column):
    frame = frame.drop(columns="partition") if column is None else frame.assign(partition=None)
    with pytest.raises(CorpusError, match=r"no recording has one\. Give the card .* partition: '\{split\}'"):
        make_splits(frame, "column", parts=PARTS)


def test_the_split_is_named_by_the_rows_that_it_holds(frame):
    first = make_splits(frame, "column", parts=PARTS)[0]
    moved = frame.assign(partition=np.where(frame["speaker"] == "p2", "Test1", frame["partition"]))
    assert make_splits(moved, "column", parts=PARTS)[0].hash != first.hash


@pytest.mark.parametrize(
    ("split", "fault"),
    [
        ({"kind": "column"}, r"split\.train must name the corpus's training part"),
        ({"test": "Test1"}, r"split\.test belongs to split\.kind: column, but that is speaker-folds"),
    ],
)
def test_a_recipe_names_the_parts_of_an_official_split_and_of_no_other(split, fault):
    with pytest.raises(RecipeError, match=fault):
        validate(Recipe, {"name": "r", "source": "a", "split": split}, "recipe", RecipeError)


def test_one_name_or_several_are_written_alike():
    split = {"kind": "column", "train": "Train", "test": ["Test1", "Test2"]}
    recipe = validate(Recipe, {"name": "r", "source": "a", "split": split}, "recipe", RecipeError)
    assert recipe.split.parts == {"train": ("Train",), "test": ("Test1", "Test2")}
    plain = validate(Recipe, {"name": "r", "source": "a"}, "recipe", RecipeError)
    assert set(plain.model_dump()["split"]) == {"kind", "folds", "seed", "given"}


@pytest.mark.parametrize("name", ["unlabelled", "no-agreement", "no_agreement"])
def test_what_is_no_emotion_cannot_be_scored(name):
    with pytest.raises(RecipeError, match="is no emotion"):
        validate(Recipe, {"name": "r", "source": "a", "emotions": ["anger", name]}, "recipe", RecipeError)

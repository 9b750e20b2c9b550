"""What the report says of a model that predicts."""

from xlser.evaluation.headline import Headline, main_methods
from xlser.evaluation.results import CellScore
from xlser.vocabulary import TARGET, VALIDATION

ROW = {"corpus": "urdu", "role": TARGET, "method": "plain", "classifier": "knn", "metric": "UA", "value": 0.5}
ROW |= {"low": 0.4, "high": 0.6, "chance": 0.25, "protocol": "zero-shot", "normalise": "source"}


def scores(*rows):
    return [CellScore.of(("dae", "emodb"), ROW | row) for row in rows]


def test_the_scores_of_one_method_and_readout_under_each_protocol():
    adapted = {"protocol": "transductive", "normalise": "coral", "value": 0.6}
    rows = [{}, adapted, {"corpus": "emovo", "value": 0.3}, {"method": "features", "value": 0.9}]
    rows += [{"classifier": "probe", "value": 0.8}, {"role": VALIDATION, "corpus": "emodb"}]
    rows += [adapted | {"normalise": "corpus", "value": 0.7}]
    made = Headline.of({"features": {"normalise": "corpus"}}, scores(*rows), "plain", "knn")
    assert made.protocol == "transductive"
    assert made.zero_shot == {"urdu": 0.5, "emovo": 0.3}
    assert made.adaptations == ("corpus", "coral")
    assert (made.read_by("transductive", "coral"), made.read_by("transductive", "corpus")) == (
        {"urdu": 0.6},
        {"urdu": 0.7},
    )
    assert made.methods == ("plain",)


def test_the_methods_that_a_report_speaks_of():
    assert main_methods(["plain", "features", "valence"], False) == ["valence"]
    assert main_methods(["plain", "features", "duration alone"], False) == ["plain"]
    assert main_methods(["ce", "plain", "features"], True) == ["ce", "plain"]

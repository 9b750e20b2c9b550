"""Names in rows: nothing is lost, numbers stay whole, and what differs can be told apart."""

import re

import pytest

from xlser.reporting.facts import Facts
from xlser.reporting.figures import transfer_panels
from xlser.reporting.fitted import rows_of

NAMES = [
    "metric-long-name-lr0.0015",
    "activation+valence+supcon",
    "a" * 70,
    "x1e-05y" * 8,
    "lr123456789012345678901234567890123",
    "Ελληνικά_μέθοδος_1.5",
    "<b>&amp; $5$",
    "--- -- 5,5",
    "one   two",
    "",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("letters", [5, 15, 52])
def test_nothing_is_lost_and_numbers_stay_whole(name, letters):
    rows = rows_of(name, letters)
    assert re.sub(r"\s", "", "".join(rows)) == re.sub(r"\s", "", name)
    for figure in re.findall(r"\d+(?:\.\d+)*(?:e[+-]?\d+)?", name):
        assert any(figure in row for row in rows)
    assert all(len(row) <= 1.5 * letters or any(sign.isdigit() for sign in row) for row in rows)


def test_a_word_is_not_broken_where_it_fits():
    assert rows_of("activation+valence", 15) == ["activation+", "valence"]
    assert rows_of("learningwithoutlabels", 15) == ["learningwithoutlabels"]
    assert rows_of("speed -1 to +1", 6) == ["speed", "-1 to", "+1"]


def test_methods_that_differ_at_their_end_are_told_apart_in_a_dot_plot(results):
    names = {"plain": "metric-of-a-long-name-lr0.0015", "metric": "metric-of-a-long-name-lr0.0019"}
    for table in ("transfer", "correlation", "confusion"):
        for row in results[table]:
            row["method"] = names.get(row["method"], row["method"])
    for panel in transfer_panels(Facts(results)):
        assert "…" not in panel.svg
        for number in ("0.0015", "0.0019"):
            assert re.search(rf">[^<]*lr{number}<", panel.svg), panel.title

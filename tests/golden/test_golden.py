"""The numbers of five recipes and two benches are those that were frozen; see freeze.py, which also writes them anew.

On the processor and with the libraries that they were frozen with they agree to the last digit, and so does every word
beside them. Elsewhere a rounding can turn a clip's label: there nineteen of twenty numbers of a table agree to 0.02 or
5 %.
"""

import importlib.util
import json
from pathlib import Path

import pytest
from ragged import make_ragged

spec = importlib.util.spec_from_file_location("freeze", Path(__file__).with_name("freeze.py"))
freeze = importlib.util.module_from_spec(spec)
spec.loader.exec_module(freeze)

FACTS, *ROWS = json.loads(freeze.FROZEN.read_text(encoding="utf-8"))
KEPT = {name: {key: table for of, key, table in ROWS if of == name} for name, _, _ in ROWS}
SHARE, ABSOLUTE, RELATIVE = 0.95, 0.02, 0.05


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    root = tmp_path_factory.mktemp("golden")
    return make_ragged(root / "data"), root / "cache"


def unlike(found, kept, exact):
    """Return which of the numbers that are kept differ, as (place, found, kept)."""
    leaves = freeze.shown([(path, value) for path, value in freeze.flat(found) if freeze.is_number(value)])
    pairs = [(path, value, old) for (path, value), old in zip(leaves, kept["numbers"], strict=True)]
    if exact:
        return [pair for pair in pairs if repr(pair[1]) != repr(pair[2])]
    return [pair for pair in pairs if not near(pair[1], pair[2])]


def near(found, kept):
    if found is None or kept is None:
        return found is kept
    return abs(found - kept) <= max(ABSOLUTE, RELATIVE * abs(kept))


@pytest.mark.parametrize("name", [*freeze.RECIPES, *freeze.BENCHES])
def test_every_number_is_the_frozen_one(name, here, tmp_path):
    tables, exact = freeze.compute(name, tmp_path / "out", *here), freeze.platform_facts() == FACTS
    assert tables.keys() == KEPT[name].keys()
    for key, found in tables.items():
        kept = KEPT[name][key]
        now = freeze.frozen(found)
        assert now["count"] == kept["count"], f"{name}, {key}: other rows"
        differing = unlike(found, kept, exact)
        if exact:
            assert not differing, f"{name}, {key}: {len(differing)} of {len(kept['numbers'])}, first {differing[:3]}"
            assert now["digits"] == kept["digits"], f"{name}, {key}: a number that is not kept here differs"
            assert now["words"] == kept["words"], f"{name}, {key}: other words"
        else:
            assert len(differing) <= (1 - SHARE) * len(kept["numbers"]), f"{name}, {key}: {differing[:3]}"


def test_a_digit_in_the_last_place_is_seen():
    table = [{"method": "ce", "value": 0.1}]
    kept = freeze.frozen(table)
    assert unlike(table, kept, exact=True) == []
    assert unlike([{"method": "ce", "value": 0.1 + 2e-17}], kept, exact=True)
    assert unlike([{"method": "ce", "value": 0.11}], kept, exact=False) == []
    assert unlike([{"method": "ce", "value": 0.2}], kept, exact=False)
    assert freeze.frozen([{"method": "supcon", "value": 0.1}])["words"] != kept["words"]

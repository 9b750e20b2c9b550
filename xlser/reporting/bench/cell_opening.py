"""The answer of one cell: its UA beside plain features, other adaptations, and the best in hindsight."""

from __future__ import annotations

from xlser.evaluation.tested import ALL_SOURCES, NO_ADAPTATION, PLAIN_FEATURES
from xlser.reporting.bench.against import p_said, tests
from xlser.reporting.bench.cell import CellFacts
from xlser.reporting.bench.facts import Bench, Key, Row, named_reading
from xlser.reporting.bench.hindsight import adapted_by, shown
from xlser.reporting.bench.means import is_plain
from xlser.reporting.section import Headline, Part, Words
from xlser.reporting.wording import ahead, bounds, difference, known, number, reader_name, score, side, signed
from xlser.vocabulary import TRANSDUCTIVE, ZERO_SHOT

Said = tuple[str, str]
_CHANCE = {"above": "surely above it", "below": "surely below it", "across": "not told from it"}


def answer(cell: CellFacts) -> list[Part]:
    """Return the headline of a cell and what it stands beside."""
    bench, key = cell.bench, cell.key
    lines = [_chosen(bench, key), *([] if key[1] == key[2] else _transfer(bench, key))]
    said = [line for line in lines if line]
    return [_headline(bench, key), *([Words(said)] if said else [])]


def _headline(bench: Bench, key: Key) -> Headline:
    own = key[1] == key[2]
    row = bench.held_out(*key[:2]) if own else bench.score(key)
    if row is None or not known(row["value"]):
        return Headline(f"Nothing could be scored: {(bench.absent(key) or 'no score').rstrip('.')}.", bench.marks(key))
    where = f"on held-out speakers of {key[1]}, no transfer" if own else bench.protocol(key[0])
    told = _CHANCE.get(side(row["low"], row["high"], row["chance"]), "without an interval")
    return Headline(f"UA {score(row)}, {where}; chance {number(row['chance'])}, {told}.", bench.marks(key))


def _chosen(bench: Bench, key: Key) -> Said | None:
    row, own = bench.chosen(*key[:2]), bench.held_out(*key[:2])
    if row is None:
        return None
    told = f"{row['method']}, {reader_name(row['classifier'])}: UA {number(row.get('validation'))} there"
    home = f", {score(own)} on its held-out speakers" if own and key[1] != key[2] else ""
    return "Chosen on the source's validation speakers:", f"{told}{home}."


def _transfer(bench: Bench, key: Key) -> list[Said | None]:
    return [_features(bench, key), _adapted(bench, key), _hindsight(bench, key)]


def _features(bench: Bench, key: Key) -> Said | None:
    """Set the cell beside logistic regression on plain features, adapted alike."""
    mine = bench.score(key)
    plain = next((row for row in bench.cells[key]["transfer"] if is_plain(bench, key[0], row)), None)
    if mine is None or plain is None or not known(plain["value"]):
        return None
    tested = _test(bench, key, PLAIN_FEATURES, mine.get("normalise", ""))
    apart = f"the choice is {ahead(mine['value'], plain['value'])}{tested}"
    same = (mine["method"], mine["classifier"]) == ("features", "probe")
    return "Plain features with logistic regression:", "what was chosen." if same else f"{score(plain)}; {apart}."


def _adapted(bench: Bench, key: Key) -> Said | None:
    """Set every way to adapt beside zero-shot."""
    base = bench.score(key, ZERO_SHOT)
    told = []
    for name in bench.protocols:
        row = bench.score(key, name)
        if base and row and row is not base:
            tested = _test(bench, key, NO_ADAPTATION, row.get("normalise", ""))
            gained = difference(row["value"], base["value"])
            told.append(f"{named_reading(name)} {number(row['value'])} ({gained}{tested})")
    return (f"Zero-shot {number(base['value'])}, adapted:", f"{'; '.join(told)}.") if base and told else None


def _test(bench: Bench, key: Key, family: str, normalise: str) -> str:
    for row in tests(bench):
        same = (row["family"], row["recipe"], row["source"], row["target"]) == (family, *key)
        if same and row["normalise"] == normalise and row["source"] != ALL_SOURCES:
            return f", {p_said(row)}"
    return ""


def _hindsight(bench: Bench, key: Key) -> Said | None:
    """Say what would be chosen here without labels, and what the best in hindsight reaches."""
    rows = [row for row in shown(bench) if (row["line"], row["source"], row["target"]) == key]
    by: dict[str, Row] = {row["protocol"]: row for row in rows}
    row = by.get(TRANSDUCTIVE) or by.get(ZERO_SHOT)
    if row is None:
        return None
    given, oracle = row["chosen"], row["oracle"]
    how = f"{given['method']}, {reader_name(given['classifier'])}, {named_reading(adapted_by(given))}"
    lost = f", a regret of {signed(row['regret']).lstrip('+')}" if known(row.get("regret")) else ""
    lost += f" {bounds(row['regret_low'], row['regret_high'])}" if lost else ""
    told = f"{score(given)} ({how}); the best in hindsight {number(oracle['value'])}{lost}."
    return "Chosen without the target's labels:", told

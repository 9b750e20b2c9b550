"""The answer of a bench: one headline and a few sentences, every one computed from its numbers."""

from __future__ import annotations

from collections.abc import Sequence

from xlser.evaluation.pretended import ALL_RECIPES, ALL_TARGETS
from xlser.evaluation.tested import OTHER_SOURCE
from xlser.evaluation.verdicts import TRANSFER
from xlser.reporting.bench.against import LEVEL, adaptation_rows, feature_tests, p_said, tests
from xlser.reporting.bench.facts import Bench, Row, named_reading
from xlser.reporting.bench.means import chosen_rows, over_targets, own, plain_features, trusted, validated_mean
from xlser.reporting.section import Headline, Part, Words
from xlser.reporting.wording import difference, known, listing, number, plural, score, side, signed

Said = tuple[str, str]
_MOST = 3  # recipes that a sentence names


def answer(bench: Bench) -> list[Part]:
    """Return the headline and at most four sentences, as far as there is something to say."""
    said = [beside_features(bench), adapted(bench), regret(bench), rivals(bench)]
    lines = [line for line in said if line]
    return [headline(bench), *([Words(lines)] if lines else [])]


def headline(bench: Bench) -> Headline:
    """Return what somebody without labels of a target reaches: the mean over targets, its interval and chance."""
    marks = ["synthetic"] * all(map(bench.synthetic, bench.targets))
    rows = chosen_rows(bench)
    if rows:
        found, cells = validated_mean(rows), [row["chosen"] for row in rows]
        targets, joined = {row["target"] for row in rows}, any("+" in row["source"] for row in rows)
        how = f"chosen without {'its' if len(targets) == 1 else 'their'} labels" + ", from joined corpora" * joined
        how += f", by {rows[0]['line']}" * (len(bench.recipes) > 1 and rows[0]["line"] != ALL_RECIPES)
    else:
        recipe = trusted(bench)
        by_target = own(bench, recipe)
        cells = [row for several in by_target.values() for row in several]
        found, targets = over_targets(by_target), set(by_target)
        how = f"{bench.protocol(recipe)}" + f", by {recipe}" * (len(bench.recipes) > 1)
    if not known(found["value"]):
        return Headline(f"Nothing could be scored: {_why(bench)}.", marks)
    above = sum(side(row["low"], row["high"], row.get("chance")) == "above" for row in cells)
    told = f"above it in {above} of {plural(len(cells), 'cell')}" if len(cells) > 1 else _of_one(cells[0])
    return Headline(f"UA {score(found)} {_where(targets)}, {how}; chance {number(found['chance'])}, {told}.", marks)


def _where(targets: set[str]) -> str:
    return f"on {next(iter(targets))}" if len(targets) == 1 else f"in the mean of {len(targets)} targets"


def _of_one(row: Row) -> str:
    told = {"above": "surely above it", "below": "surely below it", "across": "not told from it"}
    return told.get(side(row["low"], row["high"], row.get("chance")), "without an interval")


def _why(bench: Bench) -> str:
    found = dict.fromkeys(why for key in bench.places if (why := bench.absent(key)))
    return next(iter(found), "there is no target that is not the source itself").rstrip(".")


def beside_features(bench: Bench) -> Said | None:
    """Set every recipe beside logistic regression on its features before any network."""
    rows, sure = feature_tests(bench), []
    told = []
    for recipe in bench.recipes:
        mine, plain = over_targets(own(bench, recipe)), over_targets(plain_features(bench, recipe))
        if not known(mine["value"], plain["value"]):
            continue
        row = rows.get(recipe)
        sure += [row["difference"]] if row and row["p_holm"] < LEVEL else []
        apart = f"{difference(mine['value'], plain['value'])}, {p_said(row)}" if row else _untested(bench, mine, plain)
        told.append(f"{recipe} {number(mine['value'])} against {number(plain['value'])} ({apart})")
    if not told:
        return None
    more = f"; and {len(told) - _MOST} more" if len(told) > _MOST else ""
    verdict = _verdict(len(told), sure) if rows else ""
    return "Beside plain features with logistic regression:", f"{'; '.join(told[:_MOST])}{more}.{verdict}"


def _untested(bench: Bench, mine: Row, plain: Row) -> str:
    if mine["value"] == plain["value"]:
        return "the same"
    return f"{difference(mine['value'], plain['value'])}, " + ("not paired" if tests(bench) else "not tested")


def _verdict(count: int, sure: Sequence[float]) -> str:
    gained, lost = sum(value > 0 for value in sure), sum(value < 0 for value in sure)
    if not sure:
        return " Nothing certain is added." if count == 1 else " None adds anything certain."
    if count == 1:
        return f" It surely {'gains' if gained else 'loses'}."
    parts = [f"{number} surely {what}" for number, what in ((gained, "gain"), (lost, "lose")) if number]
    return f" Of {count} recipes {listing(parts)}."


def adapted(bench: Bench) -> Said | None:
    """Say what adapting to unlabelled recordings gains and loses, and in which targets most."""
    rows = adaptation_rows(bench)
    by_target = [row for row in rows if row["target"] != ALL_TARGETS]
    if not by_target:
        return None
    if len({row["target"] for row in by_target}) == 1:
        told = "; ".join(_in_target(row).partition(", ")[2] for row in by_target[:_MOST])
        return f"Adapting to unlabelled recordings of {by_target[0]['target']}:", f"{told}."
    overall = sorted(row["difference"] for row in rows if row["target"] == ALL_TARGETS)
    ends = list(dict.fromkeys(map(signed, (overall[0], overall[-1])))) if overall else []
    mean = f"{' to '.join(ends)} UA in the mean of targets; " if ends else ""
    most, least = (pick(by_target, key=lambda row: row["difference"]) for pick in (max, min))
    what = "most lost" if round(least["difference"], 2) < 0 else "least gained"
    told = f"{mean}{'most gained' if most['difference'] > 0 else 'least lost'} in {_in_target(most)}"
    told += "" if most is least else f"; {what} in {_in_target(least)}"
    return "Adapting to unlabelled recordings:", f"{told}."


def _in_target(row: Row) -> str:
    tested = f", {p_said(row)}" if known(row.get("p_holm")) else ""
    return f"{row['target']}, {signed(row['difference'])} ({row['recipe']}, {named_reading(row['normalise'])}{tested})"


def regret(bench: Bench) -> Said | None:
    """Say what the best in hindsight reaches, and what the choice without labels loses to it."""
    rows = chosen_rows(bench)
    oracle = validated_mean(rows, "oracle")
    if not known(oracle["value"]):
        return None
    lost = _regret_row(bench, rows)
    ends = f" [{number(lost['regret_low'])}, {number(lost['regret_high'])}]" if lost else ""
    loss = difference(oracle["value"], validated_mean(rows)["value"]).lstrip("+")
    return "Best of the same readings in hindsight:", f"{number(oracle['value'])}, a regret of {loss}{ends}."


def _regret_row(bench: Bench, rows: list[Row]) -> Row | None:
    """Return the mean regret over just these rows' targets, where results hold it."""
    kind = "several" if "+" in rows[0]["source"] else "one"
    wanted = (rows[0]["line"], rows[0]["protocol"], kind, ALL_TARGETS, len(rows))
    names = ("line", "protocol", "corpora", "target", "cells")
    found = [row for row in bench.results.get("regrets", []) if tuple(row[name] for name in names) == wanted]
    return found[0] if found and known(found[0]["regret_low"], found[0]["regret_high"]) else None


def rivals(bench: Bench) -> Said | None:
    """Say how many pairs of sources, and of recipes, are told apart by paired tests."""
    pairs = [("sources", [row for row in tests(bench) if row["family"] == OTHER_SOURCE])]
    pairs += [("recipes", [row for row in bench.results["comparisons"] if row["family"] == TRANSFER])]
    told = [_counted(what, rows) for what, rows in pairs if rows]
    return ("Paired tests over speakers:", f"{'; '.join(told)}.") if told else None


def _counted(what: str, rows: list[Row]) -> str:
    sure = [row for row in rows if known(row["p_holm"]) and row["p_holm"] < LEVEL]
    text = f"{len(sure)} of {plural(len(rows), 'pair')} of {what} told apart"
    if not sure:
        return text
    row = min(sure, key=lambda row: row["p_holm"])
    names = (row["a"], row["b"]) if what == "recipes" else (row["source"], row["rival"])
    ahead, behind = names if row["difference"] > 0 else names[::-1]
    where = f"{row['source']} → {row['target']}" if what == "recipes" else f"on {row['target']}"
    return f"{text}, first {ahead} ahead of {behind} {where} by {signed(abs(row['difference']))} ({p_said(row)})"

"""Two runs or benches side by side where they judged the same corpora, clip by clip wherever that can be."""

from __future__ import annotations

from pathlib import Path

from xlser.evaluation.going_together import going_together
from xlser.evaluation.results_file import is_bench
from xlser.evaluation.verdicts import correct_families, paired
from xlser.reporting.bench.sides import Sides
from xlser.reporting.bench.sides_of_benches import of_benches
from xlser.reporting.bench.sides_of_runs import of_runs
from xlser.reporting.pages import PAGES, assemble
from xlser.reporting.text import text

WHOLE = 1000  # names of corpora and folders are shown whole, however long they are


def compare(first: str | Path, second: str | Path) -> str:
    """Return a table of the UA of two runs or benches, each read by what its own source validation chose.

    A run beside a bench is a bench of one recipe on one source, read under the recipe's own protocol.

    The difference is B less A. Where both say what they said of the same clips it is tested by swapping the two
    speaker by speaker (see `xlser.evaluation.paired.paired_test`), with Holm's correction over all transfers that are
    compared, and apart from these over all held-out speakers. Elsewhere its interval takes the two as independent; on
    the same speakers they are not, and it is then rather too wide.

    Raises:
        RunError: a folder is no finished run or bench, or they have nothing in common.
    """
    first, second = Path(first), Path(second)
    with going_together(first, second):
        benches = any(is_bench(folder) for folder in (first, second))
        several = of_benches(first, second) if benches else of_runs(first, second)
        _test(several)
        return text(assemble(PAGES["comparison"], several), WHOLE)


def _test(several: list[Sides]) -> None:
    """Give every place that can be paired its test."""
    places = [place for sides in several for place in sides.places if not place.why_not]
    for place in places:
        a, b = place.said
        place.test = {"family": place.family} | paired(b, a)
    correct_families([place.test for place in places])

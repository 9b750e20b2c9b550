"""Results whose parts are of the right types, and do not go together: a table names what another does not have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xlser.errors import RunError, brief
from xlser.machine import pass_on_machine


@contextmanager
def going_together(*folders: str | Path) -> Iterator[None]:
    """Say of which folder results are that what is made of them cannot be made of.

    Every part of results is read by its type (`xlser.evaluation.results_file`); that a row of one table has its
    counterpart in another is what the reports rest on, and is seen here.

    Raises:
        RunError: a part lacks its counterpart; what was looked for is named. Other errors pass as they are.

    >>> with going_together("run"):  # doctest: +ELLIPSIS
    ...     {"plain": 1}["none"]
    Traceback (most recent call last):
    xlser.errors.RunError: the results in run do not go together (KeyError: 'none'): they were changed or damaged...
    """
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        names = " and ".join(map(str, folders))
        pass_on_machine(error, f"reading {names}")
        raise RunError(
            f"the results in {names} do not go together ({type(error).__name__}: {brief(error)}): they were "
            "changed or damaged. Copy the folder anew, or delete its results and run the same command again, which "
            "reads back what was trained. If they are as they were written, this is a fault of xlser: --debug shows "
            "where."
        ) from error

"""Versions of the files that xlser writes: what a file's schema is decides whether it is read, never xlser's version.

A number is raised when what stands in such a file changes its meaning or its arrangement, and then only. Files of
xlser 0.1.0 bear no number, and count as 1. CSV tables and figures lie beside a ``results.json``, whose number is
theirs; entries of the feature cache are named by everything that they depend on.
"""

from __future__ import annotations

from typing import Literal

from xlser.errors import RunError, XlserError

Kind = Literal[
    "audit",
    "bench",
    "best",
    "cell",
    "claim",
    "combined",
    "datastore",
    "doctor",
    "index",
    "inputs",
    "layers",
    "manifest",
    "model",
    "predictions",
    "run",
    "scan",
    "trials",
    "weights",
]
VERSIONS: dict[Kind, int] = {
    "audit": 1,
    "bench": 1,  # results.json of `xlser transfer`
    "best": 1,  # best.json of `xlser best`
    "cell": 6,  # one cell of a bench; 6: what every reading says of each clip, so that the regret of a choice is known
    "claim": 1,  # recipe.json, which says whose folder it is
    "combined": 1,  # model.json of a model of `xlser best`
    "datastore": 1,
    "doctor": 1,
    "index": 1,  # index.json, beside the index of a folder of results
    "inputs": 1,  # inputs.parquet, which says what a run's numbers came from
    "layers": 1,  # layers.json of `xlser probe-layers`
    "manifest": 2,  # 2: channel, partition, votes, agreement, secondary; files of 1 are read too
    "model": 1,  # model.json of a saved recogniser
    "predictions": 1,
    "run": 1,  # results.json of `xlser run`
    "scan": 2,  # headers of a folder's recordings; 2: stamps hold the time of the disk's entry too
    "trials": 1,  # tried.jsonl of `xlser best`: what a candidate scored
    "weights": 1,  # model.safetensors and checkpoints of training
}


def check_version(
    kind: Kind, found: object, path: object, again: str, *, by: str = "", error: type[XlserError] = RunError
) -> None:
    """See that a file has the schema that is read here.

    Args:
        kind: of file.
        found: its schema; None for files of 0.1.0, which bear none.
        path: named in the message.
        again: the way out, such as ``run the same command again``.
        by: version of xlser that wrote it, where it says so.
        error: what is raised.

    Raises:
        XlserError: another schema; both numbers, the writer and the way out are named.

    >>> check_version("run", 1, "results.json", "run again")
    >>> check_version("run", 99, "results.json", "run again", by="7.0")
    Traceback (most recent call last):
    xlser.errors.RunError: results.json has schema 99 (written by xlser 7.0), and this xlser reads schema 1 of such \
files. Update xlser, or run again.
    """
    wanted = VERSIONS[kind]
    if (1 if found is None else found) == wanted:
        return
    writer = f" (written by xlser {by})" if by else ""
    newer = isinstance(found, int) and found > wanted
    number = 1 if found is None else found
    raise error(
        f"{path} has schema {number}{writer}, and this xlser reads schema {wanted} of such files. "
        f"{'Update xlser, or ' if newer else ''}{again if newer else again[:1].upper() + again[1:]}."
    )

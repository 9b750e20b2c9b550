"""A task of `xlser.experiment.bench.shards` that dies of SIGKILL half-way through its rows, the first time."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any


def one_dies(tasks: list[partial], marker: Path, share_out: Callable[[list], Iterator]) -> Iterator:
    """Share tasks out, the second of which takes its process with it unless ``marker`` is there already."""
    yield from share_out([tasks[0], partial(_dies_once, tasks[1], marker), *tasks[2:]])


def _dies_once(task: partial, marker: Path) -> Any:
    if not marker.exists():
        marker.touch()
        manifest, *others = task.args
        task.func(replace(manifest, frame=manifest.frame.head(len(manifest.frame) // 2)), *others)
        os.kill(os.getpid(), signal.SIGKILL)
    return task()

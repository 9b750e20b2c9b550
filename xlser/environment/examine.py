"""All checks of `xlser doctor`, and the few that other verbs make before they begin."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from xlser.environment.check import Check
from xlser.environment.libraries import check_libraries
from xlser.environment.system import check_accelerator, check_system
from xlser.environment.versions import check_versions
from xlser.errors import MachineError
from xlser.machine import DOCTOR, loading

# What the verbs need, by how it is imported, and what it is called when it is installed.
READING = {"soundfile": "soundfile", "soxr": "soxr"}
TRAINING = {**READING, "torch": "torch", "torchaudio": "torchaudio", "speechbrain": "speechbrain"}


def examine() -> Iterator[Check]:
    """Look at the machine, at every version, and at whether each heavy library works; yield checks as they are done.

    Nothing that is broken ends it: libraries are tried in processes of their own. It takes some seconds.
    """
    yield from check_system()
    yield from check_versions()
    works = []
    for check in check_libraries():
        works.append(check)
        yield check
    if all(check.status == "ok" for check in works if check.name == "torch works"):
        yield check_accelerator()


def check_environment(libraries: dict[str, str] = READING, *, load: bool = True) -> None:
    """See, before any recording is read, that what a verb needs is there and loads.

    Versions are compared first, which takes milliseconds; then the libraries are imported, which the verb does anyway.

    Args:
        libraries: import names, each with the name of its distribution.
        load: whether to import them; not where the work is done already, since training's take seconds.

    Raises:
        MachineError: something is missing, of a wrong version, or does not load; with the text that `xlser doctor`
            has for it.
    """
    broken = [check for check in check_versions(libraries.values()) if check.status == "fail"]
    if broken:
        raise MachineError(" ".join(f"{check.text()}." for check in broken) + f" {DOCTOR}")
    for name in libraries if load else ():
        with loading(name):
            importlib.import_module("xlser.training.brain" if name == "speechbrain" else name)

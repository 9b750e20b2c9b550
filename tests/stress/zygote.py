"""A process that has imported everything, and plays commands in children of its own, so that each starts at once.

What a child that came to its end had imported, it imports too, for the next one. A request is a line of JSON: ``argv``
of the command line, ``log`` for what it prints, ``environment``. The answers are the child's number, as soon as it
leads a session of its own, and its exit status when it has ended.
"""

import atexit
import importlib
import json
import os
import sys
from contextlib import suppress
from pathlib import Path

MODULES = (
    "experiment.run experiment.bench.run experiment.bench.shards reporting.report reporting.bench.report "
    "reporting.runs_index experiment.use.model experiment.use.session experiment.use.output experiment.use.listing "
    "experiment.use.protocol features.extract features.logmel corpora.fetch cli.run cli.transfer cli.predict "
    "cli.corpora cli.fetch training.autoencoder_brain training.encoder_brain api"
)


def main() -> None:
    for name in MODULES.split():
        importlib.import_module(f"xlser.{name}")
    import pooch  # noqa: F401
    import requests  # noqa: F401

    import xlser.environment.examine as examine

    examine.check_environment = lambda *_, **__: None  # seconds each time; see tests/environment for its helper's end
    print("ready", flush=True)
    for line in sys.stdin:
        request, (read, written) = json.loads(line), os.pipe()
        if not (pid := os.fork()):
            os.close(read)
            return play(request, written)
        os.close(written)
        os.read(read, 1)
        os.close(read)
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
        learn(Path(f"{request['log']}.modules"))


def learn(told: Path) -> None:
    if told.exists():
        for name in told.read_text().split():
            with suppress(Exception):
                importlib.import_module(name)
        told.unlink()


def play(request: dict, ready: int) -> None:
    os.setsid()
    log = os.open(request["log"], os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    for number, file in enumerate((os.open(os.devnull, os.O_RDONLY), log, log)):
        os.dup2(file, number)
    os.environ.update(request["environment"])
    sys.argv = ["xlser", *request["argv"]]
    import xlser.cli.main as cli

    if request["argv"][0] == "extract":
        cli.xlser = extract
    os.write(ready, b".")
    os.close(ready)
    atexit.register(lambda: Path(f"{request['log']}.modules").write_text("\n".join(sys.modules)))
    cli.main()


def extract(**_: object) -> None:
    """Extract features by threads, as no verb does alone: extract ROOT CACHE."""
    from xlser.corpora.card import load_card
    from xlser.data.manifest import build_manifest
    from xlser.features.extract import extract
    from xlser.features.logmel import LogMel

    root, cache = map(Path, sys.argv[2:])
    extract(build_manifest(load_card(root.name), root, cache=cache), LogMel(), cache, jobs=3, progress=False)


if __name__ == "__main__":
    main()

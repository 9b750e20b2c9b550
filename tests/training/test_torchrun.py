"""Two real processes as torchrun starts them, against one: the same loss curve, and one of them writes.

The file is also the program of those processes: `python test_torchrun.py FOLDER`.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from xlser.training.ranks import Ranks, barrier, from_environment, joined

RUNS = {
    "cross-entropy": ({"cross_entropy": {"balance": True}}, {}),
    "everything": (
        {"cross_entropy": {"mixup": 1}, "supcon": 0.5, "contrastive": 0.5, "metric": 0.2, "dimensions": 0.3},
        {"chunk_seconds": 0.8, "accumulate": 4, "augment": {"time": 0.2, "time_length": 3, "gain": [-6, 6]}},
    ),
    "adapters": ({"cross_entropy": 1, "supcon": 0.5}, {"encoder": {"lora": {"rank": 4, "dropout": 0}}}),
}
STOPPED_AFTER = 11


class Stopped(Exception):
    pass


def play(root, ranks, data, written):
    """Every run once, and one that is stopped in mid-epoch and taken up again."""
    from conftest import fitted

    from xlser.training import brain
    from xlser.training import ranks as together

    save, runs = brain.save_state, {}
    brain.save_state = lambda path, *rest: (written.append(str(path)), save(path, *rest))
    common = {"ranks": ranks, "epochs": 3, "checkpoint_every": 2}
    for name, (method, options) in RUNS.items():
        runs[name] = fitted(data, root / name, root / f"cache-{name}", method, **common, **options)
    method, options = RUNS["everything"]
    steps = iter(range(1, 1000))

    def stop(_):
        if next(steps) == STOPPED_AFTER:
            raise Stopped

    with suppress(Stopped):
        fitted(data, root / "again", root / "cache", method, **common, **options, on_step=stop)
    left = []
    runs["again"] = fitted(data, root / "again", root / "cache", method, **common, **options, on_step=left.append)
    same = {name: together.same_everywhere(found.network) for name, found in runs.items()}
    return {name: found.curve for name, found in runs.items()} | {"left": len(left), "same": same}


def main(root):
    from conftest import synthetic

    torch.set_num_threads(1)
    ranks, written = from_environment(), []
    ranks = Ranks(ranks.rank, ranks.world, "cpu")
    with joined(ranks):
        told = play(root, ranks, synthetic(root / f"clips-{ranks.rank}"), written)
        barrier()
    (root / f"{ranks.rank}.json").write_text(json.dumps(told | {"written": written}))


@pytest.fixture(scope="module")
def both(tmp_path_factory, toys):
    """Run the two processes once; return what each told."""
    root = tmp_path_factory.mktemp("torchrun")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "GLOO_SOCKET_IFNAME": "lo"}
    command = [sys.executable, __file__, str(root)]
    running = [
        subprocess.Popen(command, env=toys.environment(**shared, RANK=rank, LOCAL_RANK=rank), stderr=subprocess.PIPE)
        for rank in "01"
    ]
    try:
        for process in running:
            _, told = process.communicate(timeout=200)
            assert process.returncode == 0, told.decode()[-3000:]
    finally:
        for process in running:
            process.kill()
    return root, [json.loads((root / f"{rank}.json").read_text()) for rank in range(2)]


def losses(curve):
    return [[epoch[name] for name in ("train/loss", "valid/loss", "valid/score")] for epoch in curve]


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_the_loss_curve_is_that_of_one_process(both, fine_tune, name):
    method, options = RUNS[name]
    alone = losses(fine_tune(method, epochs=3, **options).curve)
    for told in both[1]:
        assert told["same"][name]
        for found, expected in zip(losses(told[name]), alone, strict=True):
            assert found == pytest.approx(expected, rel=1e-4)


def test_a_run_of_two_that_was_stopped_goes_on_as_if_it_had_not(both):
    for told in both[1]:
        assert told["again"] == told["everything"]
        assert told["left"] == 8, "of 18 steps, stopped after 11, taken up after 10"


def test_only_the_first_process_writes_checkpoints(both):
    root, told = both
    assert told[0]["written"]
    assert told[1]["written"] == []
    for name in RUNS:
        (state,) = (root / name / "checkpoints").glob("*/state.ckpt")
        with safe_open(str(state), framework="pt") as file:
            assert json.loads(file.metadata()["about"])["epoch"] == 3


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Runs that are killed by SIGKILL and started again, in processes of their own.

The file is also the program: `python test_kill.py FOLDER` plays every story in processes forked from one.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import traceback
from pathlib import Path
from types import SimpleNamespace

import pytest

EPOCHS, BATCHES = 3, 6
OPTIONS = {
    "epochs": EPOCHS,
    "checkpoint_every": 2,
    "encoder": {"dropout": 0.1},
    "augment": {"time": 0.2, "time_length": 3, "gain": [-6, 6]},
}
METHODS = {
    "plain": ({"cross_entropy": 1, "supcon": 0.5}, {}),
    "groups": ({"cross_entropy": {"mixup": 0.4}}, {"accumulate": 2, "chunk_seconds": 1.0}),
    "lora": ({"cross_entropy": 1, "supcon": 0.5}, {"encoder": {"dropout": 0.1, "lora": {"rank": 4, "dropout": 0.2}}}),
    # Without a classifier; the pairs are drawn, in training and validation.
    "pairs": ({"contrastive": {"pairs": "random-balanced"}}, {"checkpoint_every": 1}),
}
# Where each story is killed, one time after the other: after so many steps of the process, or "half" into the writing
# of its so-many-th checkpoint, or when its so-many-th epoch is told of.
STORIES = {
    "mid-epoch": ("plain", [("step", 9)]),
    "in-groups": ("groups", [("step", 3), ("step", 5), ("step", 9)]),
    "drawn-pairs": ("pairs", [("step", 2), ("step", 11)]),
    "adapters": ("lora", [("step", 9)]),
    "half-written": ("plain", [("half", 2), ("half", 4)]),
    "half-described": ("plain", [("meta", 3)]),
    "half-deleted": ("plain", [("delete", 3)]),
    "after-the-last-epoch": ("plain", [("epoch", EPOCHS)]),
}


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def after(count, then=lambda *given: kill()):
    """Return a function that does nothing until it is called the ``count``-th time."""
    calls = iter(range(1, 10**6))
    return lambda *given: then(*given) if next(calls) == count else None


def armed(kind, count):
    """Return the options of a run that kills itself, and arm what is not an option."""
    from xlser.training import brain, checkpoint

    if kind == "step":
        return {"on_step": after(count)}
    if kind == "epoch":
        return {"on_epoch": after(count)}
    if kind == "half":
        # What a write that is cut off leaves: a part of the temporary file.
        cut, save = after(count, _half_written), checkpoint.save_file

        def half(tensors, path, metadata):
            cut(path)
            save(tensors, path, metadata=metadata)

        checkpoint.save_file = half
    if kind == "meta":
        checkpointer, meta = brain.Checkpointer, brain.Checkpointer._save_checkpoint_metafile
        cut = after(count, lambda path: (path.write_text(""), kill()))
        checkpointer._save_checkpoint_metafile = lambda self, path, *rest: (cut(path), meta(self, path, *rest))[1]
    if kind == "delete":
        cut, delete = after(count, _half_deleted), brain.Checkpointer._delete_checkpoint
        brain.Checkpointer._delete_checkpoint = staticmethod(
            lambda found, **rest: (cut(found.path), delete(found, **rest))
        )
    return {}


def _half_written(path):
    path.write_bytes(b"\x10" * 100)
    with (path.parents[1] / "halves").open("a") as told:
        told.write(f"{path}\n")
    kill()


def _half_deleted(folder):
    (folder / "CKPT.yaml").unlink()
    kill()


def train(folder, method, data, **more):
    from conftest import fitted

    from xlser.training.checkpoint import save_state

    terms, options = METHODS[method]
    told = []
    step = more.pop("on_step", lambda share: None)
    more = {**OPTIONS, **options, **more, "on_step": lambda share: (told.append(share), step(share))}
    found = fitted(data, folder, folder.parent / "cache", terms, **more)
    save_state(folder / "end", found.network.state_dict(), {"curve": found.curve, "best": found.best_epoch})
    (folder / "steps").write_text(str(len(told)))


def forked(work):
    """Do ``work`` in a process of its own and return how it ended: 0, or minus the signal."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        work()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def main(root):
    import torch
    from conftest import synthetic

    import xlser.training.encoder_brain  # noqa: F401 (once, for all forked processes)
    from xlser.models.checkpoints import load_encoder
    from xlser.models.lora import add_adapters

    torch.set_num_threads(1)
    add_adapters(load_encoder("random:tiny"), rank=1)  # PEFT is read once, too
    data, ends = synthetic(root / "cache"), {}
    for method in METHODS:
        ends[method] = [forked(lambda method=method: train(root / method, method, data))]
    for story, (method, kills) in STORIES.items():
        folder = root / story
        ends[story] = [
            forked(lambda f=folder, m=method, k=how: train(f, m, data, **armed(*k))) for how in [*kills, ("never", 0)]
        ]
    (root / "ends.json").write_text(json.dumps(ends))


@pytest.fixture(scope="module")
def stories(tmp_path_factory, toys):
    """Play every story once; return the folder, and how each process ended."""
    root = tmp_path_factory.mktemp("kill")
    command = [sys.executable, __file__, str(root)]
    done = subprocess.run(command, env=toys.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return SimpleNamespace(root=root, ends=json.loads((root / "ends.json").read_text()), told=done.stderr)


def end(folder):
    from safetensors import safe_open

    with safe_open(str(folder / "end"), framework="np") as file:
        return {name: file.get_tensor(name).tobytes() for name in file.keys()}, file.metadata()  # noqa: SIM118


@pytest.mark.slow
@pytest.mark.parametrize("story", STORIES)
def test_a_killed_run_ends_with_the_weights_of_one_that_was_not(stories, story):
    method, kills = STORIES[story]
    assert stories.ends[story] == [-signal.SIGKILL] * len(kills) + [0], stories.told[-3000:]
    assert end(stories.root / story) == end(stories.root / method)


@pytest.mark.parametrize(
    ("story", "left"),
    [
        ("plain", EPOCHS * BATCHES),
        ("mid-epoch", EPOCHS * BATCHES - 8),  # killed after step 9 of all: the checkpoint is that of step 8
        ("in-groups", EPOCHS * BATCHES - 14),  # 3 steps, back to 2, 5 steps, back to 6, 9 steps, back to 14
        ("half-written", EPOCHS * BATCHES - 8),  # back to 2, then back to 8: the checkpoint before the half one
        ("after-the-last-epoch", 0),
    ],
)
def test_it_goes_on_from_the_newest_whole_checkpoint(stories, story, left):
    assert int((stories.root / story / "steps").read_text()) == left


def test_half_a_checkpoint_was_really_there_and_was_swept(stories):
    halves = (stories.root / "half-written" / "checkpoints" / "halves").read_text().splitlines()
    assert len(set(halves)) == 2
    assert not any(Path(path).exists() for path in halves)
    # A folder is called by the second: a whole checkpoint may bear the name of one that was swept.
    assert all((Path(path).parent / "CKPT.yaml").exists() for path in halves if Path(path).parent.exists())


def test_one_whole_checkpoint_is_left(stories):
    for story in (*METHODS, *STORIES):
        left = [path for path in (stories.root / story / "checkpoints").rglob("*") if path.name != "halves"]
        assert sorted(path.name for path in left if path.is_file()) == ["CKPT.yaml", "brain.ckpt", "state.ckpt"], story
        assert len([path for path in left if path.is_dir()]) == 1, story


if __name__ == "__main__":
    main(Path(sys.argv[1]))

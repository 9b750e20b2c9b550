"""State on disk: the same bits back, for the run it belongs to, and no pickle."""

import os

import pytest
import torch

from xlser.errors import RunError, XlserError
from xlser.training.checkpoint import load_state, optimizer_tensors, restore_optimizer, save_state, under


@pytest.fixture
def state(tmp_path):
    tensors = {
        "w": torch.tensor([[1.0, float("nan")], [-0.0, 1e-45]]),
        "n": torch.tensor(7),
        "view": torch.eye(3).T[1:],
    }
    save_state(tmp_path / "state.ckpt", tensors, {"fingerprint": "abc", "epoch": 3, "curve": [{"loss": 0.1 + 0.2}]})
    return tmp_path / "state.ckpt", tensors


def test_what_is_saved_comes_back_with_the_same_bits(state):
    path, tensors = state
    back, about = load_state(path, "abc")
    assert about == {"fingerprint": "abc", "epoch": 3, "curve": [{"loss": 0.1 + 0.2}]}
    assert set(back) == set(tensors)
    assert all(back[name].numpy().tobytes() == tensors[name].contiguous().numpy().tobytes() for name in tensors)


def test_the_file_is_no_pickle_and_no_archive(state):
    path, _ = state
    data = path.read_bytes()
    assert not data.startswith((b"\x80", b"PK"))
    assert data[8:9] == b"{", "safetensors: eight bytes of length, then JSON"


def test_the_state_of_another_recipe_is_refused_with_the_way_out(state):
    path, _ = state
    with pytest.raises(
        RunError, match=r"state\.ckpt belongs to another recipe .*is abc, this run's is xyz.*another --out"
    ):
        load_state(path, "xyz")


def test_a_damaged_file_is_named_wherever_it_was_cut(state):
    path, _ = state
    whole = path.read_bytes()
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        with pytest.raises(RunError, match=r"cannot read .*state\.ckpt: .*Delete it"):
            load_state(path, "abc")


@pytest.mark.parametrize(
    ("old", "new"), [(b"F32", b"F33"), (b'\\"epoch', b"  epoch"), (b"abc", b"abd"), (b"{", b"\xff")]
)
def test_a_damaged_header_is_named(state, old, new):
    path, _ = state
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))
    with pytest.raises(RunError, match=r"state\.ckpt"):
        load_state(path, "abc")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(RunError, match=r"cannot read .*gone\.ckpt"):
        load_state(tmp_path / "gone.ckpt", "abc")


def test_a_full_disk_leaves_the_old_state(state, monkeypatch):
    path, _ = state
    before = path.read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(XlserError, match=r"cannot write .*state\.ckpt: No space left"):
        save_state(path, {"w": torch.ones(2)}, {})
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["state.ckpt"]


def test_an_optimizer_goes_on_as_if_it_had_not_stopped():
    def steps(weight, optimizer, count):
        for _ in range(count):
            optimizer.zero_grad()
            (weight**3).sum().backward()
            optimizer.step()

    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    optimizer = torch.optim.Adam([weight], lr=0.1)
    steps(weight, optimizer, 3)
    other = torch.nn.Parameter(weight.detach().clone())
    resumed = torch.optim.Adam([other], lr=0.1)
    restore_optimizer(resumed, {name: tensor.clone() for name, tensor in optimizer_tensors(optimizer).items()})
    steps(weight, optimizer, 3)
    steps(other, resumed, 3)
    assert torch.equal(weight, other)


def test_an_optimizer_that_has_not_stepped_has_nothing_to_keep():
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.ones(1))])
    assert optimizer_tensors(optimizer) == {}
    restore_optimizer(optimizer, {})
    assert optimizer.state_dict()["state"] == {}


def test_a_prefix_ends_at_its_dot():
    assert set(under("best", {"best.w": torch.ones(1), "bestest.w": torch.ones(1), "w": torch.ones(1)})) == {"w"}

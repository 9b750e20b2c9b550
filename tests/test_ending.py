"""Signals end a command as Ctrl-C does, and its helpers with it."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from xlser.ending import STOPPED, told_by_signals
from xlser.locks import LockedError, holder, locked

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
KINDS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}

# A command, in place of the verbs, that says when it is at work.
MAIN = """
import sys, time, threading, ctypes
from pathlib import Path
import xlser.cli.main as cli
from xlser.atomic import replacing

def ready():
    print("ready", flush=True)

def wait(**_):
    with replacing(sys.argv[1]):
        ready()
        time.sleep(60)

def callback(**_):  # an exception in a callback of C code goes no further
    compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(lambda a, b: time.sleep(0.01) or 0)
    numbers = (ctypes.c_int * 4096)()
    ready()
    ctypes.CDLL(None).qsort(numbers, 4096, 4, compare)

def stubborn(**_):  # threads that do not come to an end
    import xlser.ending
    xlser.ending.PATIENCE = 0.3
    thread = threading.Thread(target=time.sleep, args=(60,))
    thread.start()
    ready()
    try:
        time.sleep(60)
    finally:
        thread.join()

def breaks(**_):  # what the signal broke is not what is told
    ready()
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        raise OSError(5, "the terminal is gone")

cli.xlser = globals()[sys.argv[2]]
cli.main()
"""


def start(kind, tmp_path, **options):
    command = [sys.executable, "-c", MAIN, tmp_path / "a.txt", kind]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    assert child.stdout.readline() == "ready\n"
    return child


def ended(child, seconds=20):
    try:
        _, said = child.communicate(timeout=seconds)
    finally:
        child.kill()
    return child.returncode, said


@pytest.mark.parametrize("kind", ["wait", "callback", "stubborn", "breaks"])
@pytest.mark.parametrize("number", KINDS)
def test_a_signal_ends_a_command_with_its_number_and_without_a_traceback(tmp_path, kind, number):
    child = start(kind, tmp_path)
    child.send_signal(number)
    status, said = ended(child)
    assert (status, said.strip()) == (KINDS[number], STOPPED)
    assert list(tmp_path.iterdir()) == []


def test_a_terminal_that_closes_sends_several(tmp_path):
    child = start("wait", tmp_path)
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGHUP):
        child.send_signal(number)
    status, said = ended(child)
    assert status in (129, 143)
    assert said.strip() == STOPPED


def test_a_second_ctrl_c_does_not_wait(tmp_path):
    child = start("stubborn", tmp_path)
    child.send_signal(signal.SIGTERM)
    time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    assert ended(child, 5)[0] == 143


@pytest.mark.parametrize("ignored", [signal.SIGHUP, signal.SIGINT])
def test_what_nohup_and_the_background_ignore_stays_ignored(tmp_path, ignored):
    child = start("wait", tmp_path, preexec_fn=lambda: signal.signal(ignored, signal.SIG_IGN))
    child.send_signal(ignored)
    time.sleep(0.3)
    assert child.poll() is None
    child.send_signal(signal.SIGTERM)
    assert ended(child)[0] == 143


def test_handlers_are_put_back_and_others_are_left(monkeypatch):
    before = {number: signal.getsignal(number) for number in KINDS}
    signal.signal(signal.SIGTERM, own := lambda *_: None)
    try:
        with told_by_signals():
            assert signal.getsignal(signal.SIGTERM) is own
            assert signal.getsignal(signal.SIGHUP) is not before[signal.SIGHUP]
    finally:
        signal.signal(signal.SIGTERM, before[signal.SIGTERM])
    assert {number: signal.getsignal(number) for number in KINDS} == before


def test_outside_the_main_thread_nothing_is_done():
    def inside():
        with told_by_signals() as ending:
            seen.append(ending.signal)

    seen = []
    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert seen == [0]


PARENT = """
import os, subprocess, sys
follower = "import os, sys, time; from xlser.ending import follow; follow(int(sys.argv[1]), sys.argv[2] == 'True')"
follower += "; print(os.getpid(), flush=True); time.sleep(60)"
child = subprocess.Popen([sys.executable, "-c", follower, str(os.getpid()), sys.argv[1]])
child.wait()
"""


@pytest.mark.parametrize("at_once", [True, False])
def test_a_follower_ends_with_a_parent_that_was_killed(at_once):
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(at_once)], stdout=subprocess.PIPE, text=True)
    follower = int(parent.stdout.readline())
    for number in (signal.SIGINT, signal.SIGHUP):  # as a terminal sends to all: the parent decides
        os.kill(follower, number)
    time.sleep(0.1)
    os.kill(follower, 0)
    parent.kill()
    began = time.monotonic()
    parent.stdout.read()  # until the follower, which holds the other end, is gone
    assert time.monotonic() - began < 3


HOLD = """
import sys
from pathlib import Path
from xlser.locks import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    """Another process that holds a lock."""
    words = [sys.executable, "-c", HOLD, tmp_path / ".lock", "a\x1b[31m\n" + "b" * 500]
    child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdout.readline()
    yield child
    child.kill()
    child.wait()


def test_a_lock_says_who_holds_it_since_when_and_by_which_command(tmp_path, other):
    with pytest.raises(LockedError) as error, locked(tmp_path / ".lock"):
        pass
    text = str(error.value)
    assert f"process {other.pid} " in text
    assert f"since {time.strftime('%Y-')}" in text
    assert text.isprintable()
    assert len(text) < 300


def test_who_waits_says_so_at_once_and_goes_on_when_the_holder_is_killed(tmp_path, other, monkeypatch):
    said = []
    threading.Timer(0.5, other.kill).start()
    began = time.monotonic()
    with locked(tmp_path / ".lock", wait=True, say=said.append):
        assert time.monotonic() - began < 5
        assert f"process {os.getpid()} " in holder(tmp_path / ".lock")
    assert len(said) == 1
    assert f"process {other.pid} " in said[0]
    with locked(tmp_path / ".lock"):  # what the dead one said of itself is gone by now
        assert [path.name for path in tmp_path.iterdir() if f"-{other.pid}-" in path.name] == []
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_who_waits_long_says_so_again(tmp_path, other, monkeypatch):
    monkeypatch.setattr("xlser.locks._AGAIN", 0.1)
    said = []
    threading.Timer(0.6, other.kill).start()
    with locked(tmp_path / ".lock", wait=True, say=said.append):
        assert len(said) >= 3

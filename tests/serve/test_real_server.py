"""``xlser serve`` as a user starts it: many at once, a port that is taken, a clean end."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from xlser.errors import MachineError
from xlser.serve.opening import check_installed, welcome


@pytest.fixture
def start(served_run):
    """Return a function: start the command; returns the process and its address, once it listens."""
    started = []

    def run(*words):
        command = [sys.executable, "-m", "xlser.cli.main", "serve", str(served_run), "--no-browser", *words]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        started.append(process)
        for line in process.stderr:
            if found := re.search(r"open (http://\S+) in a browser", line):
                return process, found[1]
        return process, None

    yield run
    for process in started:
        process.kill()
        process.wait()


def post(address, data):
    request = urllib.request.Request(address, data)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.mark.slow
def test_fifty_at_once_are_all_answered_and_it_ends_cleanly(start, recording):
    process, url = start("--port", "0", "--max-megabytes", "1")
    data = recording(1.0).read_bytes()
    with ThreadPoolExecutor(50) as many:
        answers = list(many.map(lambda number: post(f"{url}api/timeline?name={number}.wav", data), range(50)))
    assert [status for status, _ in answers] == [200] * 50
    for number, (_, text) in enumerate(answers):
        told = [json.loads(line) for line in text.splitlines()]
        start_event = next(event for event in told if event["event"] == "start")
        assert start_event["name"] == f"{number}.wav"
        assert told[-1] == {"event": "end"}
    status, text = post(f"{url}api/predict", bytes(3 * 2**20))
    assert status == 413
    assert "1 MiB" in json.loads(text)["detail"]
    process.send_signal(signal.SIGTERM if os.name == "posix" else signal.CTRL_C_EVENT)
    assert process.wait(15) == 0
    assert "Traceback" not in process.stderr.read()


def test_a_port_that_is_taken_is_named(served_run):
    from xlser.errors import XlserError
    from xlser.serve.server import bind

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(XlserError, match=f"port {port} .* in use.*--port"):
            bind("127.0.0.1", port)
    with pytest.raises(XlserError, match="--host"):
        bind("no.such.host.invalid", 0)


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("xlser.serve.opening.find_spec", lambda name: None)
    with pytest.raises(MachineError, match=r'pip install "xlser\[serve\]"'):
        check_installed()


def test_beyond_loopback_it_says_what_that_means():
    assert not any("warning" in line for line in welcome("http://127.0.0.1:1/", "127.0.0.1", True))
    (warning,) = (line for line in welcome("http://127.0.0.1:1/", "0.0.0.0", True) if "warning" in line)
    assert "without a password" in warning

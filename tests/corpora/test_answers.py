"""Servers that mean to be waited for: endless, slower than any line, or with headers that say nonsense."""

import contextlib
import shutil
import socket
import threading
import time

import pytest

from xlser.corpora import addresses
from xlser.corpora import server_answers as answers
from xlser.corpora.addresses import remotes
from xlser.corpora.download import Remote, download
from xlser.errors import CorpusError

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def serve(monkeypatch):
    """Return a function: the address of a server that sends these pieces, whatever it is asked."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    listening, stopped = [], threading.Event()

    def send(place, pieces):
        with contextlib.suppress(OSError):
            while True:
                asked, _ = place.accept()
                with asked, contextlib.suppress(OSError):
                    asked.recv(65_536)
                    for piece in pieces(stopped):
                        asked.sendall(piece)

    def start(pieces):
        place = socket.create_server(("127.0.0.1", 0))
        listening.append(place)
        threading.Thread(target=send, args=(place, pieces), daemon=True).start()
        return f"http://127.0.0.1:{place.getsockname()[1]}"

    yield start
    stopped.set()
    for place in listening:
        place.close()


def endless(stopped, piece=bytes(2**16), head=OK + b"\r\n", pause=0.0):
    yield head
    while not stopped.is_set():
        yield piece
        time.sleep(pause)


def parts(folder):
    return {path.suffix: path.stat().st_size for path in folder.iterdir()}


@pytest.mark.parametrize("said", ["abc", "-5", "1e3", "9" * 5000, "0x10", ""])
def test_a_length_that_is_none_is_said_to_be_that(serve, tmp_path, said):
    address = serve(lambda _: [OK + f"Content-Length: {said}\r\n\r\nabc".encode()])
    with pytest.raises(CorpusError, match=r"says no length but .*Content-Length") as raised:
        download(Remote(f"{address}/a", "a"), tmp_path)
    assert len(str(raised.value)) < 300


def test_an_answer_without_an_end_is_left_at_the_bound(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(answers, "_MOST_UNSAID", 2**20)
    with pytest.raises(CorpusError, match=r"more than 1,048,576 bytes came, and no length was said"):
        download(Remote(f"{serve(endless)}/a", "a"), tmp_path)
    assert parts(tmp_path)[".part"] == 0


def test_an_answer_without_a_length_that_ends_is_a_file(serve, tmp_path):
    address = serve(lambda _: [OK + b"\r\nwhole"])
    assert download(Remote(f"{address}/a", "a"), tmp_path).read_bytes() == b"whole"


def test_a_disk_that_fills_on_the_way_is_left_before_it_is_full(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(2**40, 2**40 - 99, 99))
    with pytest.raises(CorpusError, match="is nearly full"):
        download(Remote(f"{serve(endless)}/a", "a"), tmp_path)
    assert parts(tmp_path)[".part"] < 2**27


def test_a_trickle_is_given_up_and_kept(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(answers, "_PATIENCE", 0.3)
    head = OK + b"Content-Length: 1000000\r\n\r\n"
    address = serve(lambda stopped: endless(stopped, piece=b"x", head=head, pause=0.01))
    with pytest.raises(CorpusError, match=r"bytes came in 0.3 s. What came is kept"):
        download(Remote(f"{address}/a", "a"), tmp_path)
    assert parts(tmp_path)[".part"] > 0


def test_headers_without_an_end_are_not_waited_for(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(answers, "_HEADERS_WITHIN", 0.3)
    address = serve(lambda stopped: endless(stopped, piece=b"X-A: 1\r", head=OK, pause=0.05))
    with pytest.raises(CorpusError, match=r"no answer within 0\.3 s"):
        download(Remote(f"{address}/a", "a"), tmp_path)


@pytest.mark.parametrize("content", [None, b"[" * 100_000])
def test_a_list_of_files_without_an_end_or_a_floor_is_refused(serve, monkeypatch, content):
    monkeypatch.setattr(addresses, "_LONGEST_LIST", 2**20)
    address = serve(endless if content is None else lambda _: [OK + b"\r\n" + content])
    with pytest.raises(CorpusError, match=r"longer than 1,048,576 bytes|does not list its files"):
        remotes(f"{address}/records/12")

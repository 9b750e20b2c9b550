"""Uploads that mean harm, or are broken: a clear answer to each, and nothing of them is left."""

import asyncio
import io
import json
import struct
import threading
import zipfile

import numpy as np
import pytest
import soundfile

from xlser.serve.limits import MIB
from xlser.serve.uploads import NAMELESS

ADDRESSES = ["/api/predict", "/api/timeline", "/api/timeline?format=csv", "/api/timeline?format=textgrid"]


def refused(answer, *status):
    """Check that an answer is a refusal that says why, and shows nothing of the machine; return what it says."""
    assert answer.status_code in status, answer.text
    detail = answer.json()["detail"]
    assert len(detail) > 20
    assert not any(part in answer.text for part in ("Traceback", "/tmp", "/proc", "xlser/", "0x7f")), answer.text
    return detail


def in_use(client):
    return client.app.state.desk.inside


def flac_of(seconds):
    file = io.BytesIO()
    soundfile.write(file, np.zeros(round(seconds * 8000), np.int16), 8000, format="FLAC")
    return file.getvalue()


def wav(frames_promised, data=b"\0" * 3200, channels=1, rate=16_000, bits=16):
    size, width = frames_promised * channels * bits // 8, channels * bits // 8
    shape = struct.pack("<HHIIHH", 1, channels, rate, min(rate * width, 2**32 - 1), width, bits)
    parts = [b"RIFF", struct.pack("<I", min(36 + size, 2**32 - 1)), b"WAVEfmt ", struct.pack("<I", 16), shape]
    head = b"".join([*parts, b"data", struct.pack("<I", min(size, 2**32 - 1))])
    return head + data


def zip_bomb():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("a.wav", bytes(20 * MIB))
    return file.getvalue()


CANNOT = {
    "text": b"I am no audio, though my name says so.",
    "one byte": b"\0",
    "noise": np.random.default_rng(0).bytes(5000),
    "zip bomb": zip_bomb(),
    "gzip": b"\x1f\x8b\x08\x00" + b"\0" * 100,
    "header of 2^29 samples": wav(2**29),
    "header alone": wav(16_000, b""),
    "rate of 1 Hz": wav(1600, rate=1),
    "rate of 4 GHz": wav(1600, rate=2**32 - 1),
    "no channel": wav(1600, channels=0),
    "cut FLAC": flac_of(10)[:60],
    "a playlist": b"#EXTM3U\nAVI \x01\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    "a page": b"<html><script>alert(1)</script></html>",
}


@pytest.mark.parametrize("address", ADDRESSES[:3])
@pytest.mark.parametrize("name", CANNOT)
def test_what_is_no_recording_is_refused_with_the_reason(client, name, address):
    refused(client.post(address, content=CANNOT[name]), 413, 422)
    assert in_use(client) == 0


def test_a_header_of_hours_is_not_believed(client, voice):
    data = (voice(1.0) * 2**14).astype("<i2").tobytes()
    answer = client.post("/api/predict", content=wav(2**31, data))  # what a pipe leaves for "unknown"
    assert answer.json()["seconds"] == pytest.approx(1.0)


@pytest.mark.parametrize("address", ADDRESSES)
def test_nothing_is_refused(client, address):
    refused(client.post(address, content=b""), 400)


def test_a_list_of_files_opens_none_of_the_machine(client, tmp_path, monkeypatch, voice):
    pytest.importorskip("av")
    soundfile.write(tmp_path / "secret.wav", voice(2.0), 16_000)
    monkeypatch.chdir(tmp_path)
    refused(client.post("/api/predict", content=b"ffconcat version 1.0\n#\x01\nfile secret.wav\n"), 422)


@pytest.mark.parametrize("seconds", [31, 3600])
def test_hours_in_a_small_file_are_refused_by_their_length(client, seconds):
    data = flac_of(seconds)
    assert len(data) < 100_000
    assert "30 s" in refused(client.post("/api/timeline", content=data), 413)


def test_hours_that_only_decoding_tells_are_refused(client):
    av = pytest.importorskip("av")
    file = io.BytesIO()
    with av.open(file, "w", format="webm") as container:
        stream = container.add_stream("libopus", rate=48_000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 960 * 50), np.int16), format="s16", layout="mono")
        silence.rate = 48_000
        for _ in range(60):
            for packet in stream.encode(silence):
                container.mux(packet)
    assert len(file.getvalue()) < SIZE
    assert "30 s" in refused(client.post("/api/timeline", content=file.getvalue()), 413)


def test_too_many_channels_and_windows_are_refused(client, make_client, recording):
    many = recording(samples=np.full((16_000, 5), 0.1)).read_bytes()
    assert "5 channels" in refused(client.post("/api/predict", content=many), 413)
    long = recording(samples=np.full(2000 * 55, 0.1), rate=2000).read_bytes()
    assert "windows" in refused(make_client(seconds=60.0).post("/api/timeline?every=0.1", content=long), 413)


SIZE = 400_000
BOUNDARY = "multipart/form-data; boundary=x"
FORM = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'


def pieces(first, count):
    yield first
    for _ in range(count):
        yield bytes(50_000)


@pytest.mark.parametrize("address", ADDRESSES[:2])
@pytest.mark.parametrize("kind", ["with a length", "in chunks", "as a form"])
def test_what_is_too_large_is_refused_and_the_rest_is_not_kept(client, address, kind):
    content = bytes(SIZE * 3) if kind == "with a length" else pieces(FORM if kind == "as a form" else b"RIFF", 40)
    headers = {"content-type": BOUNDARY} if kind == "as a form" else {}
    assert "larger than" in refused(client.post(address, content=content, headers=headers), 413)
    assert in_use(client) == 0
    assert client.app.state.room.taken == 0


def test_all_uploads_together_have_a_limit(make_client, recording):
    client = make_client()
    client.app.state.room.taken = 850_000
    answer = client.post("/api/predict", content=recording(3.0).read_bytes())
    refused(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    assert client.app.state.room.taken == 850_000


@pytest.mark.parametrize(
    "body",
    [
        b"no form",
        b"--x\r\n\r\nnameless\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nno file\r\n--x--\r\n',
        FORM + b"a\r\n" + FORM + b"b\r\n--x--\r\n",
        b"--x\r\n" + b"A" * 2_000_000,
    ],
    ids=["none", "nameless", "no file", "two files", "endless header"],
)
def test_a_form_that_is_none_is_refused(client, body):
    refused(client.post("/api/predict", content=body, headers={"content-type": BOUNDARY}), 400, 413)
    refused(client.post("/api/predict", content=body, headers={"content-type": "multipart/form-data"}), 400, 413)


def test_a_compressed_body_is_refused(client, recording):
    data = recording().read_bytes()
    refused(client.post("/api/predict", content=data, headers={"content-encoding": "gzip"}), 415)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\win.ini", "win.ini"),
        ("/dev/zero", "zero"),
        ("a\0b.wav", "ab.wav"),
        ("gpj\u202evaw.exe", "gpjvaw.exe"),
        ("\x1b[31mred\n.wav", "[31mred.wav"),
        ("..", NAMELESS),
        ("", NAMELESS),
        ("CON", "CON"),
        ("<b>a</b>.wav", "b>.wav"),
    ],
)
def test_a_name_is_a_label_and_never_a_path(client, recording, tmp_path, name, shown):
    data = recording().read_bytes()
    assert client.post("/api/predict", params={"name": name}, content=data).json()["name"] == shown
    assert sorted(path.name for path in tmp_path.iterdir()) == ["recording.wav"]


def test_a_name_of_ten_thousand_letters_is_cut(client, recording):
    name = "a" * 10_000 + ".wav"
    for answer in (
        client.post("/api/predict", params={"name": name}, content=recording().read_bytes()),
        client.post("/api/predict", files={"file": (name, recording().read_bytes())}),
    ):
        assert answer.json()["name"].endswith("a.wav")
        assert len(answer.json()["name"]) == 120


@pytest.mark.parametrize(
    "query",
    [
        "every=0",
        "every=nan",
        "every=-1",
        "every=inf",
        "every=x",
        "window=0",
        "window=1e9",
        "labels=joy,love",
        "format=exe",
    ],
)
def test_a_question_that_is_none_is_refused(client, recording, query):
    refused(client.post(f"/api/timeline?{query}", content=recording().read_bytes()), 400)


def test_a_full_queue_says_when_to_come_again(make_client, recording):
    client = make_client(queue=1)
    with client.app.state.desk.place():
        answer = client.post("/api/predict", content=recording().read_bytes())
    refused(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    assert client.post("/api/predict", content=recording().read_bytes()).status_code == 200


def test_a_job_whose_time_is_up_is_refused(make_client, recording):
    client = make_client(job_seconds=0.0)
    refused(client.post("/api/predict", content=recording().read_bytes()), 504)
    assert in_use(client) == 0


def test_what_goes_wrong_inside_is_logged_and_not_shown(make_client, recording, monkeypatch, log):
    client = make_client()
    monkeypatch.setattr("xlser.serve.answers.heard_seconds", lambda *_: (_ for _ in ()).throw(MemoryError("/secret")))
    answer = client.post("/api/predict", content=recording().read_bytes())
    assert "secret" not in refused(answer, 500)
    assert any("MemoryError: /secret" in line for line in log)


def call(app, messages):
    """Ask an application at the level of ASGI; return what it sent."""
    sent, told = [], list(messages)

    async def receive():
        while not told:
            await asyncio.sleep(0.01)
        message = told.pop(0)
        if callable(message):
            message = await message()
        return message

    async def send(message):
        sent.append(message)

    where = {"path": "/api/predict", "raw_path": b"/api/predict", "query_string": b"", "root_path": ""}
    who = {"client": ("127.0.0.1", 1), "server": ("localhost", 80), "headers": [(b"host", b"localhost")]}
    how = {"type": "http", "method": "POST", "scheme": "http", "http_version": "1.1", "asgi": {"spec_version": "2.3"}}
    scope = how | where | who
    asyncio.run(app(scope, receive, send))
    return sent


def test_an_upload_that_stands_still_is_given_up(make_client):
    client = make_client(idle_seconds=0.05)

    async def never():
        await asyncio.sleep(0.3)
        return {"type": "http.disconnect"}

    sent = call(client.app, [{"type": "http.request", "body": b"RIFF", "more_body": True}, never])
    assert sent[0]["status"] == 408
    assert "stood still" in json.loads(sent[1]["body"])["detail"]
    assert in_use(client) == 0
    assert client.app.state.room.taken == 0


def test_who_leaves_takes_the_job_along(make_client, recording, served_model, monkeypatch):
    client, began, stopped = make_client(), threading.Event(), threading.Event()

    def endless(asked, model, job):
        began.set()
        try:
            while True:
                job.check()
                job.stopped.wait(0.01)
        finally:
            stopped.set()
        yield {}

    monkeypatch.setattr("xlser.serve.app.answer_events", endless)

    async def leaves():
        while not began.is_set():
            await asyncio.sleep(0.01)
        return {"type": "http.disconnect"}

    body = {"type": "http.request", "body": recording().read_bytes(), "more_body": False}
    call(client.app, [body, leaves])
    assert stopped.wait(2)
    assert in_use(client) == 0
    assert client.app.state.room.taken == 0

"""Who may ask a served model, what a browser may do with its answers, and what of the machine can be reached."""

import pytest

from xlser.experiment.use.answer import Neighbour

HERE = "http://127.0.0.1:8000"


OTHERS = ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost@evil", "", "[::1", "10.0.0.5"]
ORIGINS = ["http://evil.example", "null", "http://127.0.0.1:9999", "http://localhost:8000", "file://", "http://[::1"]
UNREACHED = [
    *("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd", "/static/a%00b"),
    *("/static/%2fetc%2fpasswd", "/static/", "/clips/../../etc/passwd", "/clips/..%2f..%2fetc%2fpasswd"),
    *("/clips/" + "0" * 32, "/etc/passwd"),
]


@pytest.mark.parametrize("host", OTHERS)
def test_another_name_is_refused_everywhere(client, host):
    for address in ("/", "/api/model", "/openapi.json", "/clips/a"):
        answer = client.get(address, headers={"host": host})
        assert answer.status_code == 403
        assert "another" in answer.json()["detail"] or "answers under" in answer.json()["detail"]


@pytest.mark.parametrize("host", ["localhost", "localhost:9000", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST"])
def test_this_machine_is_answered(client, host):
    assert client.get("/api/model", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_page_of_another_site_may_not_post(client, recording, origin):
    data = recording().read_bytes()
    assert client.post("/api/predict", content=data, headers={"origin": origin}).status_code == 403
    assert client.post("/api/predict", content=data, headers={"origin": HERE}).status_code == 200
    assert client.post("/api/predict", content=data, headers={"sec-fetch-site": "cross-site"}).status_code == 403


def test_a_page_of_another_site_may_not_read_but_link(client):
    assert (
        client.get("/api/model", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"}).status_code == 403
    )
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert client.get("/", headers=link).status_code == 200


def test_every_answer_is_closed_to_other_sites(client, recording):
    data = recording().read_bytes()
    answers = [client.get(address, headers={"origin": HERE}) for address in ("/", "/api/model", "/nothing")]
    answers += [client.post("/api/predict", content=data), client.post("/api/predict", content=b"")]
    answers += [client.options("/api/predict", headers={"access-control-request-method": "POST"})]
    for answer in answers:
        assert not [name for name in answer.headers if name.startswith("access-control")]
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert answers[-1].status_code == 405


def test_the_page_asks_for_nothing_from_elsewhere(client):
    import re

    page = client.get("/").text
    for address in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert not address.startswith(("http", "//")), address
        if address.startswith("/"):
            assert client.get(address).status_code == 200, address
    assert not re.findall(r"<script(?![^>]*src)|<style|\son\w+=|\sstyle=", page)
    assert client.get("/docs").status_code == 404


@pytest.mark.parametrize("address", UNREACHED)
def test_no_file_of_the_machine_is_reached(client, address):
    answer = client.get(address)
    assert answer.status_code == 404
    assert "root:" not in answer.text


@pytest.mark.parametrize("corpus", ["synthetic-de", "..", "/etc", "synthetic-de+synthetic-tr", "no-such-corpus", ""])
@pytest.mark.parametrize("path", ["../../../../etc/passwd", "/etc/passwd", "secret.wav", "../secret.wav", ""])
def test_a_model_cannot_make_a_clip_of_any_file(client, served_data, voice, corpus, path):
    import soundfile

    soundfile.write(served_data / "secret.wav", voice(1.0), 16_000)
    ticket = client.app.state.clips.address(Neighbour(corpus, "es", "f1", path, "anger", 0.0))
    if not path:  # as in models that were passed on
        assert ticket is None
        return
    answer = client.get(ticket)
    assert answer.status_code == 404
    assert str(served_data) not in answer.text


def test_a_link_out_of_a_corpus_is_not_followed(client, make_client, served_data, served_model, voice, tmp_path):
    import soundfile

    one = served_model.store.about
    name = one["path"][-1]
    near = Neighbour("synthetic-de", "es", one["speaker"][-1], name, one["emotion"][-1], 0.0)
    assert client.get(client.app.state.clips.address(near)).status_code == 200
    path, kept = served_data / "synthetic-de" / name, served_data / "kept.wav"
    path.rename(kept)
    soundfile.write(tmp_path / "outside.wav", voice(1.0), 16_000)
    try:
        path.symlink_to(tmp_path / "outside.wav")
        fresh = make_client()  # keeps no clip ready
        assert fresh.get(fresh.app.state.clips.address(near)).status_code == 404
    finally:
        path.unlink()
        kept.rename(path)


def test_a_log_line_holds_no_escape_and_no_name(client, recording, log):
    client.get("/%1b[31m%1b[2Jred%0aline")
    client.post("/api/predict?name=secret-name.wav", content=recording().read_bytes())
    assert len(log) == 2
    assert all(line.isprintable() for line in log)
    assert "\\x1b" in log[0]
    assert "secret-name" not in log[1]
    assert log[1].startswith("testclient POST /api/predict 200 ")

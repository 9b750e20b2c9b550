"""What a served model answers is what it answers anywhere else."""

import csv
import io
import json

import numpy as np
import pytest
import soundfile

from xlser.serve.schemas import Answer


def events(answer):
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def test_a_prediction_is_that_of_the_model(client, served_model, recording):
    path = recording()
    answer = client.post("/api/predict", params={"name": "a.wav"}, content=path.read_bytes())
    assert answer.status_code == 200
    said = Answer.model_validate(answer.json())
    wanted = served_model.predict(path)
    assert (said.name, said.emotion) == ("a.wav", wanted.emotion)
    assert said.probabilities == pytest.approx(wanted.probabilities)
    assert [(n.corpus, n.speaker, n.emotion) for n in said.neighbours] == [
        (n.corpus, n.speaker, n.emotion) for n in wanted.neighbours
    ]


def test_a_form_is_read_like_a_body(client, recording):
    data = recording().read_bytes()
    form = client.post("/api/predict", files={"file": ("b.wav", data)}, data={"more": "field"})
    body = client.post("/api/predict?name=b.wav", content=data)
    assert form.json() == body.json()
    assert form.json()["name"] == "b.wav"


def test_a_timeline_begins_counts_its_windows_and_ends(client, served_model, recording):
    path = recording(5.25)
    told = events(client.post("/api/timeline?every=1&window=2&labels=anger,sadness", content=path.read_bytes()))
    assert [event["event"] for event in told] == ["start", *["window"] * 5, "summary", "end"]
    assert told[0]["windows"] == 5
    assert told[0]["seconds"] == pytest.approx(5.25)
    assert [(event["start"], event["end"]) for event in told[1:6]] == [(0, 2), (1, 3), (2, 4), (3, 5), (3.25, 5.25)]
    assert set(told[1]["probabilities"]) == {"anger", "sadness"}
    wanted = served_model.predict(path, labels=["anger", "sadness"])
    assert told[6]["probabilities"] == pytest.approx(wanted.probabilities)


def test_a_silent_window_is_named_and_does_not_end_the_timeline(client, recording, voice):
    samples = np.concatenate([voice(2.0), np.zeros(48_000), voice(2.0)])
    told = events(client.post("/api/timeline?every=1&window=1", content=recording(samples=samples).read_bytes()))
    faults = [bool(event.get("fault")) for event in told if event["event"] == "window"]
    assert faults == [False, False, True, True, True, False, False]
    silence = recording(samples=np.zeros(48_000)).read_bytes()
    told = events(client.post("/api/timeline", content=silence))
    assert told[-2]["fault"]
    assert told[-1] == {"event": "end"}


@pytest.mark.parametrize("form", ["csv", "jsonl", "textgrid"])
def test_a_timeline_can_be_kept(client, recording, form):
    data = recording(3.5).read_bytes()
    query = {"every": 1, "window": 1, "format": form, "name": "étude.wav"}
    answer = client.post("/api/timeline", params=query, content=data)
    assert answer.status_code == 200
    assert "filename*=UTF-8''%C3%A9tude." in answer.headers["content-disposition"]
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert [row["start"] for row in rows] == ["0.000", "1.000", "2.000", "2.500"]
    elif form == "jsonl":
        assert len([json.loads(line) for line in answer.text.splitlines()]) == 4
    else:
        assert 'Object class = "TextGrid"' in answer.text
        assert "xmax = 3.5" in answer.text


def test_the_model_says_what_it_is_and_no_path(client, served_data):
    answer = client.get("/api/model")
    about = answer.json()
    assert about["protocol"] == "zero-shot"
    assert about["corpora"][0]["corpus"] == "synthetic-de"
    assert about["corpora"][0]["licence"]
    assert about["limits"]["bytes"] == 400_000
    assert str(served_data) not in answer.text


def test_a_clip_of_the_corpus_is_heard_by_its_ticket(client, served_data, served_model, recording):
    path = recording()
    near = client.post("/api/predict", content=path.read_bytes()).json()["neighbours"][0]
    clip = client.get(near["clip"])
    assert clip.headers["content-type"] == "audio/wav"
    heard, rate = soundfile.read(io.BytesIO(clip.content))
    own, own_rate = soundfile.read(served_data / "synthetic-de" / served_model.predict(path).neighbours[0].path)
    assert len(heard) / rate == pytest.approx(len(own) / own_rate, abs=0.01)


def test_without_folders_no_clip_is_offered(make_client, recording):
    client = make_client(corpora=False)
    near = client.post("/api/predict", content=recording().read_bytes()).json()["neighbours"]
    assert near
    assert {one["clip"] for one in near} == {None}
    assert client.get("/api/model").json()["clips"] is False


def test_openapi_names_every_address_and_answer(client):
    text = client.get("/openapi.json").json()
    assert set(text["paths"]) == {"/api/model", "/api/predict", "/api/timeline", "/clips/{ticket}"}
    assert {"400", "403", "413", "422", "503"} <= set(text["paths"]["/api/timeline"]["post"]["responses"])

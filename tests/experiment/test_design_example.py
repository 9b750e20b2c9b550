"""The house's example, as its users would type it: on synthetic corpora, and on real ones where they are there."""

from pathlib import Path

import pandas as pd
import pytest
from ragged import make_ragged

import xlser as xl

REAL = Path(__file__).resolve().parents[3] / "shared" / "corpora"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_ragged(tmp_path_factory.mktemp("example"))


def recordings(dataset, label=lambda name: name):
    """Return a dataset as somebody would hold it: paths, labels and speakers in columns of other names."""
    frame = dataset.frame
    paths = [str(path) for path in dataset.manifest.files()]
    return pd.DataFrame({"path": paths, "emo": [label(name) for name in frame["emotion"]], "spk": frame["speaker"]})


@pytest.mark.slow
def test_the_example_of_the_design_runs(data, tmp_path, monkeypatch):
    monkeypatch.setenv("XLSER_CACHE", str(tmp_path / "cache"))
    df = recordings(xl.load_corpus("synthetic-tr", data / "synthetic-tr"))

    german = xl.load_corpus("synthetic-de", root=data / "synthetic-de")
    mine = xl.Dataset.from_frame(df, audio="path", emotion="emo", speaker="spk", language="tr")
    src = german.keep("anger", "happiness", "neutral", "sadness")
    # Random weights stand in for a pretrained encoder's.
    x = xl.features.Encoder("random:tiny", layer=1, pooling="mean+std") + xl.features.LogMel()
    dae = xl.Autoencoder(x, latent=16, losses=[xl.losses.ContinuousMetric(on="activation")], epochs=2)
    losses = [xl.losses.CrossEntropy(), xl.losses.SupCon(weight=0.5)]
    w2v = xl.FineTuned("random:tiny", lora=8, losses=losses, training={"epochs": 1, "seconds": 16})
    model = xl.Recogniser(dae, readout=xl.Knn()).fit(src)
    assert set(model.predict(df["path"][0]).probabilities) == set(src.emotions)
    assert model.embed(mine).shape == (len(mine), 16)
    s = xl.evaluate(model, mine, adapt=xl.SpeakerStatistics(shrink=10))
    assert s.protocol == "transductive"
    assert s["UA"].interval[0] <= s["UA"].value <= s["UA"].interval[1]
    assert {"UA", "WA", "macro-F1"} <= set(s.to_frame()["metric"])
    bench = xl.transfer([dae, w2v], sources=[src], targets=[mine], few_shot=[1, 2])
    assert bench.report(tmp_path / "out").is_file()
    assert set(bench.to_frame()["system"]) == {"autoencoder", "fine-tuned"}
    saved = model.save(tmp_path / "m")
    assert xl.load(saved).predict(df["path"][0]) == model.predict(df["path"][0])


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real corpora in {REAL}")
def test_a_notebook_from_emodb_to_recordings_of_ones_own(tmp_path, monkeypatch):
    monkeypatch.setenv("XLSER_CACHE", str(tmp_path / "cache"))
    df = recordings(xl.load_corpus("urdu", REAL / "urdu").take(range(0, 400, 4)), label=str.upper)

    mine = xl.Dataset.from_frame(df, audio="path", emotion="emo", speaker="spk", language="ur")
    emodb = xl.load_corpus("emodb", root=REAL / "emodb").keep(*mine.emotions)
    emodb = emodb.take(range(0, len(emodb), 2))
    systems = [xl.NoNetwork("egemaps"), xl.Autoencoder("egemaps", epochs=5)]
    bench = xl.transfer(systems, sources=[emodb], targets=[mine], few_shot=[1, 5], adapt=[xl.SpeakerStatistics()])
    scores, few = bench.to_frame(), bench.few_shot

    carried = scores[(scores["metric"] == "UA") & (scores["role"] == "target")]
    assert (carried["value"] > carried["chance"]).all(), carried
    assert {0, 1, 5} <= set(few["k"])
    assert bench.failed == {}

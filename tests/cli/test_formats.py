"""The verbs init, import, export and fetch, as a user types them."""

import json

import audformat
import pandas as pd
import pytest
import yaml

from xlser.corpora.card import load_card
from xlser.corpora.scan import scan

VERBS = ["init", "fetch", "import", "export"]
FORMATS = [["import", kind] for kind in ("audformat", "folder", "parquet", "csv", "table", "emobox")]
FORMATS += [["export", kind] for kind in ("audformat", "speechbrain")]


@pytest.mark.parametrize("words", [*[[verb] for verb in VERBS], *FORMATS], ids=" ".join)
def test_every_verb_has_help(xlser, words):
    status, out, _ = xlser("corpora", *words, "--help")
    assert status == 0
    assert f"corpora {' '.join(words)}" in out


@pytest.fixture
def ten(corpus):
    """Return a folder of ten recordings."""
    return corpus(*[f"{word}/{s}_{n}.wav" for word in ("angry", "sad") for s in ("anna", "nikos") for n in (1, 2)])


def test_a_corpus_of_ones_own_from_init_to_export(xlser, ten, tmp_path):
    card = tmp_path / "mine.yaml"
    status, out, _ = xlser("corpora", "init", ten, "--out", card, "--name", "Mine")
    assert status == 0
    assert "CHECK languages: und stands for" in out
    card.write_text(card.read_text().replace("[und]", "[el]"))
    assert len(scan(load_card(card), ten).rows) == 8
    manifest = tmp_path / "m.parquet"
    assert xlser("corpora", "prepare", card, "--root", ten, "--out", manifest)[0] == 0
    status, out, err = xlser("corpora", "export", "audformat", manifest, "--out", tmp_path / "db")
    assert status == 0, err
    assert audformat.Database.load(str(tmp_path / "db")).languages == ["ell"]
    assert xlser("corpora", "export", "speechbrain", manifest, "--out", tmp_path / "sb")[0] == 0
    assert len(json.loads((tmp_path / "sb" / "mine.json").read_text())) == 8
    status, out, err = xlser("corpora", "import", "audformat", tmp_path / "db", "--out", tmp_path / "back.csv")
    assert status == 0, err
    assert "back.csv: 8 utterances, 2 speakers" in out


def test_init_does_not_write_over_a_card_unasked(xlser, ten, tmp_path):
    (tmp_path / "mine.yaml").write_text("mine")
    status, _, err = xlser("corpora", "init", ten, "--out", tmp_path / "mine.yaml")
    assert status == 1
    assert "--force" in err
    assert (tmp_path / "mine.yaml").read_text() == "mine"
    assert xlser("corpora", "init", ten, "--out", tmp_path / "mine.yaml", "--force")[0] == 0


def test_an_audio_folder_and_a_table(xlser, ten, tmp_path):
    told = ("--name", "x", "--language", "el", "--out", tmp_path / "m.parquet")
    status, out, _ = xlser("corpora", "import", "folder", ten, *told, "--speaker", "one")
    assert (status, out.splitlines()[0]) == (0, f"{tmp_path / 'm.parquet'}: 8 utterances, 1 speakers")
    (ten / "t.csv").write_text(
        "file,emotion,spk,valence,split\nangry/anna_1.wav,Q,1,3,train\nsad/anna_2.wav,Q,1,3,dev\n"
    )
    status, _, err = xlser("corpora", "import", "csv", ten / "t.csv", *told)
    assert status == 1
    assert "--emotion LABEL=canonical" in err
    words = ("--emotion", "Q=anger", "--scale", "1", "5")
    status, out, err = xlser("corpora", "import", "csv", ten / "t.csv", *told, *words)
    assert status == 0, err
    assert yaml.safe_load((tmp_path / "m.split.yaml").read_text()) == {
        "split": {"kind": "given", "given": [{"train": ["x/angry/anna_1"], "validation": ["x/sad/anna_2"]}]}
    }
    assert xlser("corpora", "import", "csv", ten / "t.csv", *told, "--emotion", "Q")[0] == 2


def test_init_and_import_read_tables_by_the_same_options(xlser, ten, tmp_path):
    heads = "Datei;Gefühl;wer;Beginn;x\n"
    rows = "".join(
        f"C:\\t\\{word}\\{who}_1.wav;{word};{who};0,1;y\n" for word in ("angry", "sad") for who in ("anna", "nikos")
    )
    (tmp_path / "t.txt").write_bytes((heads + rows).encode("cp1252"))
    told = ("--root", ten, "--column", "path=Datei", "--column", "emotion=Gefühl", "--column", "speaker=wer")
    out = ("--out", tmp_path / "m.csv", "--name", "x", "--language", "de")
    status, _, err = xlser("corpora", "import", "table", tmp_path / "t.txt", *told, *out)
    assert status == 1
    assert "--encoding cp1252" in err
    told += ("--encoding", "cp1252")
    status, printed, err = xlser("corpora", "import", "table", tmp_path / "t.txt", *told, *out)
    assert status == 0, err
    frame = pd.read_csv(tmp_path / "m.csv")
    assert frame["path"].tolist() == ["angry/anna_1.wav", "angry/nikos_1.wav", "sad/anna_1.wav", "sad/nikos_1.wav"]
    assert frame["start"].tolist() == [0.1] * 4
    for named in ("'x'", "4 recording(s) that no row names: angry/anna_2.wav", "matched by"):
        assert named in printed
    status, printed, err = xlser("corpora", "init", tmp_path / "t.txt", "--out", tmp_path / "c.yaml", *told)
    assert "not read: Beginn, x" in printed, err
    assert xlser("corpora", "import", "table", tmp_path / "t.txt", *out, "--column", "path")[0] == 2


def test_emobox_folds_name_the_speakers_on_both_sides(xlser, ten, tmp_path):
    card = tmp_path / "mine.yaml"
    xlser("corpora", "init", ten, "--out", card)
    fold = tmp_path / "mine" / "fold_1"
    fold.mkdir(parents=True)
    for part, number in (("train", 1), ("test", 2)):
        rows = [{"wav": f"x/{w}/{s}_{number}.wav", "emo": w} for w in ("angry", "sad") for s in ("anna", "nikos")]
        (fold / f"mine_{part}_fold_1.jsonl").write_text("\n".join(map(json.dumps, rows)))
    words = ("--corpus", card, "--root", ten, "--out", tmp_path / "split.yaml")
    status, out, err = xlser("corpora", "import", "emobox", tmp_path / "mine", *words)
    assert status == 0, err
    assert "2 SPEAKERS ON BOTH SIDES: anna, nikos" in out
    (given,) = yaml.safe_load((tmp_path / "split.yaml").read_text())["split"]["given"]
    assert {part: len(ids) for part, ids in given.items()} == {"train": 2, "validation": 2, "test": 4}


def test_fetch_says_where_to_ask_and_wants_the_licence_accepted(xlser, tmp_path, monkeypatch):
    card = tmp_path / "c.yaml"
    text = "name: c\ntitle: C\nlanguages: [de]\nlicence: research only\nelicitation: acted\naudio: '*.wav'\n"
    text += "grammar: '(?P<emotion>.)(?P<speaker>.)'\nemotion: {a: anger}\n"
    card.write_text(text + "source: {ask: 'https://example.org/form'}\n")
    status, _, err = xlser("corpora", "fetch", card, "--root", tmp_path / "r")
    assert status == 1
    assert "Ask for it: https://example.org/form" in err
    card.write_text(text + "source: {download: ['http://127.0.0.1:9/a.zip']}\n")
    monkeypatch.setattr("sys.stdin", open("/dev/null"))  # noqa: SIM115
    status, out, err = xlser("corpora", "fetch", card, "--root", tmp_path / "r")
    assert status == 1
    assert "licence: research only" in out
    assert "--accept-licence" in err
    status, _, err = xlser("corpora", "fetch", card, "--root", tmp_path / "r", "--accept-licence")
    assert status == 1
    assert "cannot be reached" in err

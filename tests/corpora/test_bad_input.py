"""What disks, archives and people do to a corpus: each is told with the file, and nothing is guessed."""

import unicodedata

import pytest

from xlser.corpora.card import CardError, load_card
from xlser.corpora.scan import scan
from xlser.errors import CorpusError
from xlser.reporting.cards import card_list

TEXT = """\
name: {name}
title: Mine
languages: [de]
licence: CC0
elicitation: acted
audio: "*.wav"
grammar: '(?P<speaker>\\d\\d)(?P<emotion>[AH])'
emotion: {{A: anger, H: happiness}}
"""


@pytest.fixture
def cards(tmp_path, monkeypatch):
    """Return a function: a folder of cards, given as file name and the name inside."""

    def write(**names):
        for file, name in names.items():
            (tmp_path / f"{file}.yaml").write_text(TEXT.format(name=name))
        monkeypatch.setenv("XLSER_CARDS", str(tmp_path))

    return write


def test_two_cards_of_one_name_are_refused_and_both_are_named(cards):
    cards(greek="greek", copy="greek")
    assert load_card("greek").name == "greek"
    with pytest.raises(CardError, match=r"copy\.yaml has `name: greek`, which .*greek\.yaml has too.*greek\.yaml, or"):
        load_card("copy")


def test_a_card_that_is_called_otherwise_than_its_file_says_how_to_mend_it(cards):
    cards(greek="hellenic")
    with pytest.raises(CardError, match=r"rename it to hellenic\.yaml, or write `name: greek`"):
        load_card("greek")
    assert "rename it to hellenic.yaml" in card_list()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"table": {"file": "**/t.csv", "key": "f", "columns": {}}}, "table.file: must name its folders"),
        ({"table": {"file": "t.csv", "key": ["{a}", "b"], "columns": {}}}, "spellings of one header or a single"),
        ({"table": {"file": "t.csv", "key": "f", "columns": {}, "join": "{nay}"}}, "`table.join` names {nay}"),
        ({"hook": "iemocab"}, "'iemocap', 'msp-improv', 'thai-ser' or 'esd'"),
        ({"hook": "iemocap", "table": {"file": "t", "key": "f", "columns": {}}}, "must not both be there"),
        ({"speaker_language": {"fr": ".*"}}, "`speaker_language` names 'fr', which `languages` does not hold"),
        ({"source": {"ask": "somebody"}}, "source.ask: must be a web address"),
        ({"source": {"download": ["ftp://x/y"]}}, "source.download.0: must be a web address"),
        ({"expect": {"hours": 0}}, "expect.hours: "),
        ({"expect": {"utterances": -1}}, "expect.utterances: "),
    ],
)
def test_every_fault_of_the_newer_keys_is_told_in_words(make_card, change, told):
    with pytest.raises(CardError) as error:
        make_card(**change)
    assert told in str(error.value)


def test_names_that_differ_in_case_alone_are_refused(make_card, tree):
    with pytest.raises(
        CorpusError, match=r"stand for two files, such as S1_ang_1\.wav and s1_ang_1\.wav \(letter case"
    ):
        scan(make_card(grammar=r"(?P<speaker>[sS]\d)_(?P<emotion>[a-z]+)_\d"), tree("S1_ang_1.wav", "s1_ang_1.wav"))


def test_a_name_that_is_there_in_both_forms_of_its_accents_is_refused(make_card, tree):
    card = make_card(grammar=r"(?P<speaker>\w+)_(?P<emotion>[a-z]+)")
    names = [unicodedata.normalize(form, "Zoë_ang.wav") for form in ("NFC", "NFD")]
    root = tree(*names)
    if len(list(root.iterdir())) == 1:
        pytest.skip("this disk has one form for both")
    with pytest.raises(CorpusError, match="1 ids stand for two files"):
        scan(card, root)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_accents_in_codes_and_tables_have_one_form(make_card, tree, form):
    def as_form(text):
        return unicodedata.normalize(form, text)

    table = {"file": "t.csv", "key": "file", "columns": {"emotion": "label"}}
    card = make_card(grammar=r"(?P<speaker>\w+)", table=table, emotion={"colère": "anger"})
    root = tree(unicodedata.normalize("NFD" if form == "NFC" else "NFC", "Zoë.wav"))
    (root / "t.csv").write_text(as_form("file,label\nZoë.wav,colère\n"), encoding="utf-8")
    (row,) = scan(card, root).rows
    assert (row["speaker"], row["emotion_raw"], row["emotion"]) == ("Zoë", "colère", "anger")


def test_a_code_in_another_case_is_the_cards_code(make_card, tree):
    (row,) = scan(make_card(grammar=r"(?P<speaker>s\d)_(?P<emotion>[A-Za-z]+)"), tree("s1_ANG.wav")).rows
    assert (row["emotion_raw"], row["emotion"]) == ("ang", "anger")


def test_codes_that_differ_in_case_alone_stay_apart(make_card, tree):
    card = make_card(grammar=r"(?P<speaker>s\d)_(?P<emotion>[A-Za-z]+)", emotion={"s": "sadness", "S": "surprise"})
    assert [row["emotion"] for row in scan(card, tree("s1_S.wav", "s2_s.wav")).rows] == ["surprise", "sadness"]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "cp1253"])
def test_a_table_may_be_in_any_encoding_that_the_card_names(make_card, tree, encoding):
    name = "Zoë" if encoding == "latin-1" else "Ζωή"
    table = {"file": "t.csv", "key": "file", "columns": {"emotion": "label", "who": "who"}, "encoding": encoding}
    root = tree("1.wav")
    (root / "t.csv").write_bytes(f"file,label,who\n1.wav,ang,{name}\n".encode(encoding))
    (row,) = scan(make_card(grammar=r"\d+", speaker="{who}", table=table), root).rows
    assert row["speaker"] == name


def test_a_table_of_labels_counts_rows_without_audio_and_without_a_label(make_card, tree):
    table = {"file": "t.csv", "key": "file", "columns": {"emotion": "label", "text": "said"}}
    root = tree("s1.wav", "s2.wav")
    (root / "t.csv").write_text("file,label,said\ns1.wav,ang,\ns2.wav,,Hm\ns3.wav,sad,No\n")
    found = scan(make_card(grammar=r"(?P<speaker>s\d)", table=table, text="{text}"), root)
    assert [(row["path"], row["text"]) for row in found.rows] == [("s1.wav", None)]
    assert found.left_out == {"neither label nor rating in t.csv": ["s2.wav"]}
    assert found.notes == ["t.csv: 1 incomplete row(s) passed over", "t.csv: 1 row(s) without audio, such as s3"]


def test_one_person_under_two_names_is_one_speaker(make_card, tree):
    card = make_card(same_speaker={"s2": "s1"}, speaker_sex={"male": "s1"})
    rows = scan(card, tree("s1_ang_1.wav", "s2_ang_2.wav", "s3_ang_3.wav")).rows
    assert [(row["speaker"], row["sex"]) for row in rows] == [("s1", "male"), ("s1", "male"), ("s3", None)]


def test_the_list_of_cards_fits_a_terminal():
    lines = card_list().splitlines()
    assert max(map(len, lines)) <= 120
    rows = {line.split()[0]: line for line in lines}
    assert "VAD" in rows["iemocap"]
    assert rows["thai-ser"].split()[4:8] == ["41.6", "acted", "-", "no"]

"""A card says everything at once that is wrong with it, and is found by name or by path."""

import pytest

from xlser.corpora.card import CardError, card_paths, load_card

TEXT = """\
name: mine
title: Mine
languages: [de]
licence: CC0
elicitation: acted
audio: "*.wav"
grammar: '(?P<speaker>\\d\\d)(?P<emotion>[AH])'
emotion: {A: anger, H: happiness}
"""


@pytest.fixture
def file(tmp_path):
    def write(text, name="mine.yaml", encoding="utf-8"):
        path = tmp_path / name
        path.write_text(text, encoding=encoding)
        return path

    return write


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"grammer": "x"}, "grammer: unknown key; did you mean 'grammar'"),
        ({"dimensions": {"scale": [1, 5], "colums": {}}}, "dimensions.colums: unknown key; did you mean 'columns'"),
        ({"grammar": "(?P<emotion>x"}, "grammar: is not a regular expression: missing )"),
        ({"speaker_sex": {"male": "(["}}, "speaker_sex.male: is not a regular expression"),
        ({"audio": "{Angry,Sad/*.wav"}, "'{Angry,Sad/*.wav' is not closed"),
        ({"ignore": [{"files": ["[z-a]"], "reason": "r"}]}, "'[z-a]' is not closed or empty"),
        ({"speaker": "{actor}"}, "`speaker` names {actor}, which no grammar group or table column gives"),
        ({"text": "{tak}"}, "did you mean 'take'"),
        ({"speaker": "{speaker"}, "expected '}'"),
        ({"speaker": "{speaker:d}"}, "`speaker` is no template"),
        ({"speaker": "{}"}, "`speaker` names {}"),
        ({"grammar": r"(?P<speaker>\d+)"}, "must give a group named `emotion`"),
        ({"emotion": {"ang": "angry"}}, "'angry' is written 'anger' here"),
        ({"emotion": {"ang": "Anger"}}, "must be one lower-case word, but is 'Anger'"),
        ({"emotion": {}}, "`emotion` must say what the labels mean"),
        ({"languages": ["German"]}, "BCP 47 tags such as ur or fr-CA, but holds 'German'"),
        ({"languages": ["de_AT"]}, "but holds 'de_AT'"),
        ({"languages": []}, "languages: needs at least 1 of them"),
        ({"languages": ["de", "tr"]}, "`language` must be a template when `languages` holds more than one"),
        ({"dimensions": {"scale": [5, 1]}}, "[low, high] with low < high, but is [5.0, 1.0]"),
        ({"dimensions": {"scale": [3, 3]}}, "low < high"),
        ({"dimensions": {"scale": [1, float("inf")]}}, "two finite numbers"),
        ({"dimensions": {"scale": [float("nan"), 5]}}, "two finite numbers"),
        ({"dimensions": {"scale": [-1e308, 1e308]}}, "two finite numbers"),
        ({"sex": {"m": "masculine"}}, "sex.m: must be one of 'male' or 'female'"),
        ({"elicitation": "made up"}, "elicitation: must be one of 'acted', 'elicited', 'natural' or 'synthetic'"),
        ({"expect": {"emotion": {"hpa": 3}}}, "`expect.emotion` counts 'hpa', which `emotion` does not hold; did you"),
        ({"licence": None}, "licence: is missing"),
        ({"name": "My Corpus"}, "name: does not fit"),
    ],
)
def test_every_fault_of_a_card_is_told_in_words(make_card, change, told):
    with pytest.raises(CardError) as error:
        make_card(**change)
    assert told in str(error.value)


def test_faults_are_told_all_at_once(make_card):
    with pytest.raises(CardError) as error:
        make_card(languages=["German"], grammar="(", emotion={"a": "happy"}, titel="x")
    assert str(error.value).startswith("card toy: 4 problems\n")


@pytest.mark.parametrize("tag", ["de", "fr-CA", "quz", "zh-Hans-CN", "es-419"])
def test_language_tags_may_name_a_region_or_a_script(make_card, tag):
    assert make_card(languages=[tag]).languages == (tag,)


def test_a_pattern_may_stand_alone_or_in_a_list(make_card):
    assert make_card(audio="*.wav").audio == make_card(audio=["*.wav"]).audio == ("*.wav",)


def test_the_hash_changes_with_what_can_change_a_row_and_not_with_prose(make_card):
    plain = make_card()
    assert make_card(notes="n", title="t").hash == plain.hash
    assert make_card(emotion={"ang": "fear"}).hash != plain.hash
    assert make_card(languages=["tr"]).hash != plain.hash


def test_a_card_is_read_from_its_path(file, monkeypatch):
    path = file(TEXT, "other name.yml")
    assert load_card(path).name == "mine"
    monkeypatch.chdir(path.parent)
    assert load_card("./other name.yml").name == "mine"


def test_a_key_given_twice_is_refused_with_the_file(file):
    with pytest.raises(CardError, match=r"mine\.yaml is not valid YAML: key 'licence' given twice"):
        load_card(file(TEXT + "licence: MIT\n"))


def test_a_card_that_is_not_utf8_is_refused_with_the_file(file):
    with pytest.raises(CardError, match=r"cannot read .*mine\.yaml: byte 175 is not UTF-8"):
        load_card(file(TEXT + "notes: Größe\n", encoding="latin-1"))


def test_a_missing_card_file_is_named():
    with pytest.raises(CardError, match=r"cannot read nowhere/mine\.yaml"):
        load_card("nowhere/mine.yaml")


def test_a_folder_of_ones_own_wins_over_the_shipped_cards(file, monkeypatch):
    own = file(TEXT.replace("name: mine", "name: urdu"), "urdu.yaml")
    file(TEXT, "extra.yaml")
    monkeypatch.setenv("XLSER_CARDS", f"/nowhere:{own.parent}")
    assert card_paths()["urdu"] == own
    assert load_card("urdu").title == "Mine"
    assert {"extra", "emodb"} <= set(card_paths())


def test_of_two_folders_the_first_wins(tmp_path, monkeypatch):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.yaml").write_text(TEXT.replace("title: Mine", f"title: {folder}"))
    monkeypatch.setenv("XLSER_CARDS", f"{tmp_path / 'b'}:{tmp_path / 'a'}")
    assert load_card("mine").title == "b"


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(CardError, match=r"no corpus card is named 'emobd'; did you mean 'emodb'\?.*path of its card"):
        load_card("emobd")


def test_an_unknown_name_that_is_near_nothing_lists_the_known():
    with pytest.raises(CardError, match="known: aesdd, ased"):
        load_card("qqqqqq")


def test_columns_that_nothing_reads_are_errors(make_card):
    table = {"file": "t.csv", "key": "file", "columns": {"emotion": "e", "speker": "s"}}
    with pytest.raises(CardError, match=r"'speker', which nothing reads; did you mean 'speaker'"):
        make_card(table=table, grammar="(?P<speaker>.+)")
    with pytest.raises(CardError, match=r"'emotoin', which nothing reads; did you mean 'emotion'"):
        make_card(table={**table, "columns": {"emotoin": "e"}}, grammar="(?P<speaker>.+)")
    table["columns"] = {"emotion": "e", "who": "s"}
    assert make_card(table=table, grammar=".+", speaker="{who}").speaker == "{who}"


def test_an_emotion_of_its_own_is_declared(make_card):
    codes = {"F": "happiness", "Z": "zorbish"}
    with pytest.raises(CardError, match=r"own_emotions: \[zorbish\]"):
        make_card(emotion=codes)
    assert make_card(emotion=codes, own_emotions=["zorbish"]).emotion == codes

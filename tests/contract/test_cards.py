"""What every shipped card promises: real file names come back as the rows that the corpus's authors meant."""

import re
from collections import Counter
from itertools import product

import pytest

from xlser import shipped
from xlser.corpora.card import load_card
from xlser.corpora.scan import scan

# path, speaker, sex, emotion, text: written down by hand from the corpora's own descriptions.
REAL = {
    "emodb": """
        wav/03a01Fa.wav      03  male    happiness  a01
        wav/03a02Ta.wav      03  male    sadness    a02
        wav/08a01Fd.wav      08  female  happiness  a01
        wav/13a05Lc.wav      13  female  boredom    a05
        wav/13b09Ec.wav      13  female  disgust    b09
        wav/14a05Ac.wav      14  female  fear       a05
        wav/16b03Wb.wav      16  female  anger      b03
        wav_corpus/15a01Na.wav  15  male  neutral   a01
    """,
    "urdu": """
        Angry/SM4_F28_A080.wav    M4   male    anger      -
        Angry/SM2_F2_A024.wav     M2   male    anger      -
        Happy/SM7_F9_H081.wav     M7   male    happiness  -
        Happy/SF7_F5_H043.wav     F7   female  happiness  -
        Neutral/SM5_F4_N032.wav   M5   male    neutral    -
        Sad/SM25_F2_S052.wav      M25  male    sadness    -
        Sad/SM6_F4_S0100.wav      M6   male    sadness    -
    """,
    "ravdess": """
        Actor_03/03-01-01-01-02-02-03.wav  03  male    neutral    02
        Actor_08/03-01-02-02-01-01-08.wav  08  female  calm       01
        Actor_03/03-01-03-02-02-02-03.wav  03  male    happiness  02
        Actor_03/03-01-04-02-01-02-03.wav  03  male    sadness    01
        Actor_24/03-01-05-01-01-01-24.wav  24  female  anger      01
        Actor_03/03-01-06-01-01-02-03.wav  03  male    fear       01
        Actor_03/03-01-07-02-02-01-03.wav  03  male    disgust    02
        Actor_10/03-01-08-01-02-01-10.wav  10  female  surprise   02
    """,
}
LANGUAGES = {"emodb": "de", "urdu": "ur", "ravdess": "en-US"}
SYNTHETIC = {f"synthetic-{tongue}" for tongue in ("de", "el", "en", "es", "fr", "it", "tr", "ur")}
CARDS = sorted(path.stem for path in shipped.folder("corpora").glob("*.yaml"))


@pytest.fixture(params=CARDS)
def card(request):
    return load_card(request.param)


def synthetic_names(card):
    """Return every file of a synthetic corpus: its card must count and read them as `synthesise` names them."""
    texts = range(1, len(card.synthesis.sentences) + 1)
    return {
        f"wav/{speaker:02d}a{text:02d}{code}a.wav": (
            f"{speaker:02d}",
            "male" if speaker <= 4 else "female",
            card.emotion[code],
            f"a{text:02d}",
        )
        for speaker, text, code in product(range(1, 9), texts, card.emotion)
    }


def expected(card):
    if card.synthetic:
        return synthetic_names(card)
    rows = [line.split() for line in REAL[card.name].strip().splitlines()]
    return {path: (speaker, sex, emotion, None if text == "-" else text) for path, speaker, sex, emotion, text in rows}


def test_the_tables_hold_every_card():
    assert set(CARDS) == set(REAL) | SYNTHETIC, "a new card needs at least six of its real file names above"


def test_file_names_come_back_as_rows(card, tree):
    want = expected(card)
    found = scan(card, tree(*want))
    assert {r["path"]: (r["speaker"], r["sex"], r["emotion"], r["text"]) for r in found.rows} == want
    assert {r["language"] for r in found.rows} == {LANGUAGES.get(card.name, card.name.removeprefix("synthetic-"))}
    assert found.left_out == {}


def test_the_files_above_show_every_emotion_of_the_card(card):
    assert len(expected(card)) >= 6
    assert {emotion for _, _, emotion, _ in expected(card).values()} == set(card.emotion.values())


def test_expected_counts_add_up(card):
    assert sum(card.expect.emotion.values()) == card.expect.utterances
    assert set(card.expect.emotion) == set(card.emotion)


@pytest.mark.parametrize("name", sorted(SYNTHETIC))
def test_expected_counts_of_a_synthetic_corpus_are_those_of_its_names(name):
    card = load_card(name)
    rows = synthetic_names(card).values()
    assert card.expect.utterances == len(rows)
    assert card.expect.speakers == len({speaker for speaker, *_ in rows})
    codes = {emotion: code for code, emotion in card.emotion.items()}
    assert card.expect.emotion == Counter(codes[emotion] for _, _, emotion, _ in rows)


def test_grammar_and_emotion_table_hold_the_same_codes(card):
    group = re.search(r"\(\?P<emotion>([^)]*)\)", card.grammar)[1]
    assert all(re.fullmatch(group, code) for code in card.emotion)
    if listed := re.fullmatch(r"\[(\w+)\]", group):
        assert set(listed[1]) == set(card.emotion)


def test_a_card_says_where_its_corpus_comes_from(card):
    assert card.name in CARDS
    assert card.licence
    assert card.source.url.startswith("https://")
    assert card.source.citation


def test_song_files_of_ravdess_are_not_speech(tree):
    found = scan(load_card("ravdess"), tree("Actor_01/03-01-03-01-01-01-01.wav", "Actor_01/03-02-03-01-01-01-01.wav"))
    assert [row["path"] for row in found.rows] == ["Actor_01/03-01-03-01-01-01-01.wav"]
    assert found.left_out == {"name does not fit the card's grammar": ["Actor_01/03-02-03-01-01-01-01.wav"]}

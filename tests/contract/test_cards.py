"""What every shipped card promises: real file names come back as the rows that the corpus's authors meant."""

from collections import Counter
from itertools import product

import pytest

from xlser.corpora.card import load_card
from xlser.corpora.emotions import check_canonical
from xlser.corpora.scan import scan
from xlser.shipped import shipped_folder

# path, speaker, sex, emotion, text: written down by hand from the corpora's own descriptions.
REAL = {
    "emodb": """
        wav/03a01Fa.wav | 03 | male   | happiness | a01
        wav/03a02Ta.wav | 03 | male   | sadness   | a02
        wav/08a01Fd.wav | 08 | female | happiness | a01
        wav/13a05Lc.wav | 13 | female | boredom   | a05
        wav/13b09Ec.wav | 13 | female | disgust   | b09
        wav/14a05Ac.wav | 14 | female | fear      | a05
        wav/16b03Wb.wav | 16 | female | anger     | b03
        wav_corpus/15a01Na.wav | 15 | male | neutral | a01
    """,
    "urdu": """
        Angry/SM4_F28_A080.wav  | M4  | male   | anger     | -
        Angry/SM2_F2_A024.wav   | M2  | male   | anger     | -
        Happy/SM7_F9_H081.wav   | M7  | male   | happiness | -
        Happy/SF7_F5_H043.wav   | F7  | female | happiness | -
        Neutral/SM5_F4_N032.wav | M5  | male   | neutral   | -
        Sad/SM25_F2_S052.wav    | M25 | male   | sadness   | -
        Sad/SM6_F4_S0100.wav    | M6  | male   | sadness   | -
    """,
    "ravdess": """
        Actor_03/03-01-01-01-02-02-03.wav | 03 | male   | neutral   | 02
        Actor_08/03-01-02-02-01-01-08.wav | 08 | female | calm      | 01
        Actor_03/03-01-03-02-02-02-03.wav | 03 | male   | happiness | 02
        Actor_03/03-01-04-02-01-02-03.wav | 03 | male   | sadness   | 01
        Actor_24/03-01-05-01-01-01-24.wav | 24 | female | anger     | 01
        Actor_03/03-01-06-01-01-02-03.wav | 03 | male   | fear      | 01
        Actor_03/03-01-07-02-02-01-03.wav | 03 | male   | disgust   | 02
        Actor_10/03-01-08-01-02-01-10.wav | 10 | female | surprise  | 02
    """,
    "emovo": """
        f2/gio-f2-b2.wav       | f2 | female | happiness | b2
        f2/pau-f2-n5.wav       | f2 | female | fear      | n5
        f2/rab-f2-l4.wav       | f2 | female | anger     | l4
        EMOVO/m3/sor-m3-l1.wav | m3 | male   | surprise  | l1
        m1/tri-m1-b3.wav       | m1 | male   | sadness   | b3
        f1/dis-f1-n2.wav       | f1 | female | disgust   | n2
        f3/neu-f3-l1.wav       | f3 | female | neutral   | l1
    """,
    "tess": """
        OAF_food_fear.wav           | OAF | female | fear      | food
        YAF_germ_angry.wav          | YAF | female | anger     | germ
        YAF_neat_fear.wav           | YAF | female | fear      | neat
        OAF Sad/OAF_back_sad.wav    | OAF | female | sadness   | back
        OAF_back_ps.wav             | OAF | female | surprise  | back
        OAF_back_happy.wav          | OAF | female | happiness | back
        OAF_back_disgust.wav        | OAF | female | disgust   | back
        OAF_back_neutral.wav        | OAF | female | neutral   | back
    """,
    "crema-d": """
        AudioWAV/1004_IEO_ANG_HI.wav | 1004 | - | anger     | IEO
        AudioWAV/1053_IEO_FEA_MD.wav | 1053 | - | fear      | IEO
        AudioWAV/1076_ITH_SAD_XX.wav | 1076 | - | sadness   | ITH
        AudioWAV/1030_DFA_HAP_XX.wav | 1030 | - | happiness | DFA
        AudioWAV/1028_IOM_NEU_XX.wav | 1028 | - | neutral   | IOM
        AudioWAV/1017_IEO_DIS_LO.wav | 1017 | - | disgust   | IEO
    """,
    "savee": """
        JE/n23.wav  | JE | male | neutral   | n23
        JE_n30.wav  | JE | male | neutral   | n30
        DC/sa01.wav | DC | male | sadness   | sa01
        KL/su15.wav | KL | male | surprise  | su15
        JK/a01.wav  | JK | male | anger     | a01
        JK_d01.wav  | JK | male | disgust   | d01
        DC_f02.wav  | DC | male | fear      | f02
        DC_h15.wav  | DC | male | happiness | h15
    """,
    "aesdd": """
        anger/a06 (5)b.wav     | 5 | male   | anger     | 06
        anger/a01 (2).wav      | 2 | female | anger     | 01
        disgust/d03 (01).wav   | 1 | male   | disgust   | 03
        fear/f18 (5)b.wav      | 5 | male   | fear      | 18
        sadness/s20 (6).wav    | 6 | female | sadness   | 20
        happiness/h01 (4).wav  | 4 | female | happiness | 01
    """,
    "cafe": """
        Colère/Faible/01-C-1-1.wav   | 01 | male   | anger     | 1
        Dégoût/Fort/02-D-2-6.wav     | 02 | female | disgust   | 6
        Joie/Fort/12-J-2-3.wav       | 12 | female | happiness | 3
        Neutre/11-N-0-1.wav          | 11 | male   | neutral   | 1
        Peur/Faible/07-P-1-2.wav     | 07 | male   | fear      | 2
        Surprise/Fort/08-S-2-4.wav   | 08 | female | surprise  | 4
        Tristesse/Fort/03-T-2-5.wav  | 03 | male   | sadness   | 5
    """,
    "subesco": """
        F_01_OISHI_S_10_ANGRY_1.wav  | F_01 | female | anger     | 10
        F_01_OISHI_S_1_DISGUST_5.wav | F_01 | female | disgust   | 1
        F_01_OISHI_S_10_FEAR_2.wav   | F_01 | female | fear      | 10
        F_01_OISHI_S_10_HAPPY_3.wav  | F_01 | female | happiness | 10
        F_01_OISHI_S_10_NEUTRAL_4.wav | F_01 | female | neutral  | 10
        F_01_OISHI_S_2_SURPRISE_1.wav | F_01 | female | surprise | 2
        M_01_NAME_S_2_SAD_1.wav      | M_01 | male   | sadness   | 2
    """,
    "ased": """
        04Sad/S4-04-02-01-29.wav     | 29 | female | sadness   | s04
        04Sad/s4-04-01-02-30.wav     | 30 | male   | sadness   | s04
        01Neutral/n1-01-01-02-09.wav | 09 | male   | neutral   | n01
        02Fearful/f2-02-01-01-09.wav | 09 | female | fear      | f02
        03Happy/h3-07-02-01-15.wav   | 15 | female | happiness | h07
        05Angry/a5-01-02-02-65.wav   | 65 | male   | anger     | a01
    """,
    "turev-db": """
        Sound Source/Calm/1984_sk_eger.wav   | 1984 | - | calm      | eger
        Sound Source/Angry/1157_kz_eger.wav  | 1157 | - | anger     | eger
        Sound Source/Angry/7895_kz_eger.wav  | 7895 | - | anger     | eger
        Sound Source/Happy/6783_mt_eger.wav  | 6783 | - | happiness | eger
        Sound Source/Sad/1358_hl_eger.wav    | 1358 | - | sadness   | eger
        Sound Source/Sad/1234_hl_iki söz.wav | 1234 | - | sadness   | iki söz
    """,
    "polish": """
        m3.s_oddaj_5.wav   | m3 | male | fear    | oddaj
        m3.a_nie_1.wav     | m3 | male | anger   | nie
        m1.n_podaj_2.wav   | m1 | male | neutral | podaj
        m5.s_stop_3.wav    | m5 | male | fear    | stop
        a/m2.a_tak_4.wav   | m2 | male | anger   | tak
        m4.n_trzymaj_5.wav | m4 | male | neutral | trzymaj
    """,
    "mesd": """
        Anger_C_A_abajo.wav      | C | -      | anger     | abajo
        Anger_C_A_adios.wav      | C | -      | anger     | adios
        Disgust_F_B_antes.wav    | F | female | disgust   | antes
        Fear_M_B_antes.wav       | M | male   | fear      | antes
        Happiness_F_A_abajo.wav  | F | female | happiness | abajo
        Neutral_M_A_dos_ojos.wav | M | male   | neutral   | dos_ojos
        Sadness_M_A_abajo.wav    | M | male   | sadness   | abajo
    """,
    "baved": """
        2/47-m-20-2-0-724.wav | 47 | male   | intensity_low     | 2
        2/4-m-20-2-2-705.wav  | 4  | male   | intensity_high    | 2
        0/54-f-19-0-1-46.wav  | 54 | female | intensity_neutral | 0
        6/46-m-20-6-1-1728.wav | 46 | male  | intensity_neutral | 6
        6/53-m-20-6-1-1.wav   | 46 | male   | intensity_neutral | 6
        3/51-M-20-3-1-1016.wav | 51 | male  | intensity_neutral | 3
    """,
    "emov-db": """
        bea_Amused/amused_1-15_0001.wav         | bea   | female | amusement  | 0001
        bea/Angry/anger_1-28_0028.wav           | bea   | female | anger      | 0028
        jenie_Neutral/neutral_281-308_0281.wav  | jenie | female | neutral    | 0281
        sam_Sleepy/sleepiness_29-56_0056.wav    | sam   | male   | sleepiness | 0056
        josh_Sleepy/sleepiness_29-56_0055.wav   | josh  | male   | sleepiness | 0055
        sam/Disgusted/disgust_1-28_0001.wav     | sam   | male   | disgust    | 0001
    """,
    "oreau": """
        OréauFR_02/f/sessc/01a01Ca.wav | 01 | female | anger     | a01
        m/sesst/20a10Tb.wav            | 20 | male   | sadness   | a10
        m/sessj/20a10Ja.wav            | 20 | male   | happiness | a10
        f/sessp/31a02Pa.wav            | 31 | female | fear      | a02
        f/sessd/31a02Da.wav            | 31 | female | disgust   | a02
        f/sesss/31a02Sa.wav            | 31 | female | surprise  | a02
        f/sessn/32a02Na.wav            | 32 | female | neutral   | a02
    """,
    "shemo": """
        female/F01A02.wav | F01 | female | anger     | -
        female/F01H03.wav | F01 | female | happiness | -
        male/M55N01.wav   | M55 | male   | neutral   | -
        male/M01S10.wav   | M01 | male   | sadness   | -
        male/M01W11.wav   | M01 | male   | surprise  | -
        female/F31F01.wav | F31 | female | fear      | -
    """,
}
JL = "Raw JL corpus (unchecked and unannotated)/JL(wav+txt)/"
REAL["jl-corpus"] = f"""
    {JL}female1_angry_1a_1.wav        | female1 | female | anger         | 1a
    {JL}male1_sad_15b_2.wav           | male1   | male   | sadness       | 15b
    {JL}male2_neutral_1a_1.wav        | male2   | male   | neutral       | 1a
    {JL}female2_happy_1a_1.wav        | female2 | female | happiness     | 1a
    {JL}female2_excited_1a_1.wav      | female2 | female | excitement    | 1a
    {JL}female2_anxious_1a_1.wav      | female2 | female | anxiety       | 1a
    {JL}female2_apologetic_1a_1.wav   | female2 | female | apology       | 1a
    {JL}female2_assertive_1a_1.wav    | female2 | female | assertiveness | 1a
    {JL}female2_concerned_1a_1.wav    | female2 | female | concern       | 1a
    {JL}female2_encouraging_1a_1.wav  | female2 | female | encouragement | 1a
"""
SYNTHETIC = {f"synthetic-{tongue}" for tongue in ("de", "el", "en", "es", "fr", "it", "tr", "ur")}
CARDS = sorted(path.stem for path in shipped_folder("corpora").glob("*.yaml"))


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
    rows = [[cell.strip() for cell in line.split("|")] for line in REAL[card.name].strip().splitlines()]
    return {path: tuple(None if cell == "-" else cell for cell in cells) for path, *cells in rows}


@pytest.mark.parametrize("name", sorted(set(REAL) | SYNTHETIC))
def test_file_names_come_back_as_rows(name, tree):
    card = load_card(name)
    want = expected(card)
    found = scan(card, tree(*want))
    assert {r["path"]: (r["speaker"], r["sex"], r["emotion"], r["text"]) for r in found.rows} == want
    assert found.left_out == {}


@pytest.mark.parametrize("name", sorted(set(REAL) | SYNTHETIC))
def test_the_files_above_show_every_emotion_of_the_card(name):
    rows = expected(load_card(name)).values()
    assert len(rows) >= 6
    assert {emotion for _, _, emotion, _ in rows} == set(load_card(name).emotion.values())


def test_expected_counts_add_up(card):
    counted, total = sum(card.expect.emotion.values()), card.expect.utterances or 0
    assert counted == total if set(card.expect.emotion) == set(card.emotion) else counted <= total
    assert (card.expect.speakers or 1) <= (total or 10**6)


def test_canonical_names_are_canonical_and_keep_apart_what_only_a_recipe_may_merge(card):
    assert all(check_canonical(name) for name in card.emotion.values())
    names = {code.lower(): name for code, name in card.emotion.items()}
    assert names.get("excited", "excitement") == names.get("exc", "excitement") == "excitement"
    assert names.get("calm", "calm") == "calm"


@pytest.mark.parametrize("name", sorted(SYNTHETIC))
def test_expected_counts_of_a_synthetic_corpus_are_those_of_its_names(name):
    card = load_card(name)
    rows = synthetic_names(card).values()
    assert card.expect.utterances == len(rows)
    assert card.expect.speakers == len({speaker for speaker, *_ in rows})
    codes = {emotion: code for code, emotion in card.emotion.items()}
    assert card.expect.emotion == Counter(codes[emotion] for _, _, emotion, _ in rows)


def test_a_card_says_where_its_corpus_comes_from(card):
    assert card.name in CARDS
    assert card.licence
    assert card.source.url.startswith(("https://", "http://"))
    assert card.source.citation
    assert card.synthetic or card.source.download or card.source.ask


def test_a_card_built_on_hearsay_says_what_to_check(card):
    assert card.verified or "to check" in card.notes.lower()


def test_song_files_of_ravdess_are_not_speech(tree):
    found = scan(load_card("ravdess"), tree("Actor_01/03-01-03-01-01-01-01.wav", "Actor_01/03-02-03-01-01-01-01.wav"))
    assert [row["path"] for row in found.rows] == ["Actor_01/03-01-03-01-01-01-01.wav"]
    assert found.left_out == {"name does not fit the card's grammar": ["Actor_01/03-02-03-01-01-01-01.wav"]}


def test_filtered_copies_in_turev_are_not_the_corpus(tree):
    found = scan(
        load_card("turev-db"),
        tree("Sound Source/Sad/1984_hl_eger.wav", "Model Output for Test Data/Sad/1984_hl_eger.wav"),
    )
    assert [row["path"] for row in found.rows] == ["Sound Source/Sad/1984_hl_eger.wav"]
    assert list(found.left_out) == ["ignored by the card: filtered copies made by a model"]


def test_the_silent_and_the_corrupt_are_left_out_by_name(tree, tmp_path):
    names = ("AudioWAV/1076_MTI_SAD_XX.wav", "AudioWAV/1076_ITH_SAD_XX.wav")
    assert len(scan(load_card("crema-d"), tree(*names, root=tmp_path / "c")).rows) == 1
    found = scan(load_card("aesdd"), tree("sadness/s05 (3).wav", "sadness/s06 (3).wav", root=tmp_path / "a"))
    assert found.left_out == {"ignored by the card: corrupt": ["sadness/s05 (3).wav"]}


def test_actors_of_crema_d_get_their_sex_from_the_demographics(tree):
    root = tree("AudioWAV/1001_IEO_ANG_HI.wav", "AudioWAV/1002_IEO_ANG_HI.wav", "AudioWAV/1003_IEO_ANG_HI.wav")
    (root / "VideoDemographics.csv").write_text("ActorID,Age,Sex\n1001,51,Male\n1002,21,Female\n")
    assert [row["sex"] for row in scan(load_card("crema-d"), root).rows] == ["male", "female", None]

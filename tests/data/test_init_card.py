"""A first card, for the file names that corpora really have."""

import itertools

import pytest

from xlser.corpora.card import load_card
from xlser.corpora.scan import scan
from xlser.data.init_card import first_card
from xlser.errors import CardError, CorpusError

EMODB = {"W": "anger", "L": "boredom", "E": "disgust", "A": "fear", "F": "happiness", "T": "sadness", "N": "neutral"}
SAVEE = {"a": "anger", "d": "disgust", "f": "fear", "h": "happiness", "n": "neutral", "sa": "sadness", "su": "surprise"}
WORDS = ("angry", "disgust", "fear", "happy", "neutral", "ps", "sad")
NOUNS = dict(zip(WORDS, ("anger", "disgust", "fear", "happiness", "neutral", "surprise", "sadness"), strict=True))


@pytest.fixture
def read(tree, tmp_path):
    """Return a function: the rows that the first card for these names finds, the card and the draft."""

    def look(*names, root=None):
        root = root or tree(*names)
        draft = first_card(root)
        (tmp_path / "card.yaml").write_text(draft.text)
        card = load_card(tmp_path / "card.yaml")
        folder = root if root.is_dir() else root.parent
        return scan(card, folder).rows, card, draft

    return look


def speakers(rows):
    return {row["speaker"] for row in rows}


def emotions(rows):
    return {row["emotion_raw"]: row["emotion"] for row in rows}


def test_emodb(read):
    names = [
        f"wav/{s}{t}{e}{v}.wav" for s, t, e, v in itertools.product(("03", "08", "16"), ("a01", "b10"), "WLEAFTN", "ab")
    ]
    rows, card, draft = read(*names)
    assert len(rows) == len(names)
    assert speakers(rows) == {"03", "08", "16"}
    assert emotions(rows) == EMODB
    assert draft.text.count("# please check") == 8, "seven letters and the speaker"
    assert "emotion: does 'F' mean happiness?" in draft.check
    assert card.languages == ("und",)
    assert "EDIT: BCP 47" in draft.text


def test_urdu(read):
    folders = {"Angry": "A", "Happy": "H", "Neutral": "N", "Sad": "S"}
    names = [
        f"{e}/{s}_F{n}_{c}{n:03}.wav" for e, c in folders.items() for s in ("SM1", "SM20", "SF1") for n in range(3)
    ]
    rows, card, _ = read(*names)
    assert len(rows) == len(names)
    assert speakers(rows) == {"M1", "M20", "F1"}, "SM1 and SF1 are two people"
    assert {row["speaker"]: row["sex"] for row in rows} == {"M1": "male", "M20": "male", "F1": "female"}
    assert card.emotion == {"Angry": "anger", "Happy": "happiness", "Neutral": "neutral", "Sad": "sadness"}


def test_ravdess(read):
    names = [
        f"Actor_{a:02}/03-01-{e:02}-{i:02}-{t:02}-{r:02}-{a:02}.wav"
        for e, i, t, r, a in itertools.product(range(1, 9), (1, 2), (1, 2), (1, 2), range(1, 9))
        if (e, i) != (1, 2)
    ]
    rows, _, _ = read(*names)
    assert len(rows) == len(names)
    assert len(speakers(rows)) == 8
    assert emotions(rows) == load_card("ravdess").emotion


@pytest.mark.parametrize("shape", ["{s}/{e}{n:02}.wav", "{s}_{e}{n:02}.wav", "AudioData/{s}/{e}{n:02}.wav"])
def test_savee(read, shape):
    names = [shape.format(s=s, e=e, n=n) for s in ("DC", "JE", "JK", "KL") for e in SAVEE for n in range(1, 6)]
    rows, _, _ = read(*names)
    assert len(rows) == len(names)
    assert speakers(rows) == {"DC", "JE", "JK", "KL"}
    assert emotions(rows) == SAVEE


@pytest.mark.parametrize("shape", ["{s}_{w}_{e}.wav", "{s}_{e}/{s}_{w}_{e}.wav"])
def test_tess(read, shape):
    words = ("back", "bar", "base", "bath", "bean", "beg")
    names = [shape.format(s=s, w=w, e=e) for s in ("OAF", "YAF") for w in words for e in WORDS]
    rows, card, _ = read(*names)
    assert len(rows) == len(names)
    assert speakers(rows) == {"OAF", "YAF"}
    assert emotions(rows) == NOUNS
    assert "# please check" not in read(*names)[2].text.partition("emotion:")[2]
    assert card.audio == ("*/" * shape.count("/") + "*.wav",)


def test_crema_d(read):
    codes = ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD")
    levels = itertools.product(range(1001, 1006), ("IEO", "DFA", "TSI"), codes, ("LO", "MD", "HI"))
    names = [f"AudioWAV/{s}_{t}_{e}_{i}.wav" for s, t, e, i in levels]
    rows, _, _ = read(*names)
    assert len(rows) == len(names)
    assert speakers(rows) == {str(s) for s in range(1001, 1006)}
    assert set(emotions(rows).values()) == {"anger", "disgust", "fear", "happiness", "neutral", "sadness"}


@pytest.mark.parametrize(
    "words",
    [
        ("angry", "happy", "sad"),
        ("Wut", "Freude", "Trauer"),
        ("Colère", "Joie", "Tristesse"),
        ("enojo", "alegría", "tristeza"),
        ("rabbia", "gioia", "tristezza"),
        ("raiva", "felicidade", "tristeza"),
        ("öfke", "mutluluk", "üzüntü"),
        ("οργή", "χαρά", "λύπη"),
        ("gussa", "khushi", "udaas"),
        ("zła", "wesoła", "smutna"),
        ("злые", "радостная", "грустное"),
        ("θυμωμένη", "χαρούμενο", "λυπημένη"),
        ("arrabbiata", "contenta", "triste"),
        ("fâchée", "joyeuse", "triste"),
    ],
)
def test_folders_of_classes_in_many_languages(read, words):
    names = [f"{word}/{s}_{n:02}.wav" for word in words for s in ("anna", "nikos", "ÿvo") for n in range(4)]
    rows, _, draft = read(*names)
    assert emotions(rows) == dict(zip(words, ("anger", "happiness", "sadness"), strict=True))
    assert speakers(rows) == {"anna", "nikos", "ÿvo"}
    assert "# please check" not in draft.text.partition("emotion:")[2]


def test_names_without_a_speaker_say_so(read):
    rows, _, draft = read(*[f"{word}/{n:03}.wav" for n, word in enumerate(("angry", "sad", "fear") * 4)])
    assert speakers(rows) == {"unknown"}
    assert any("ONE person" in line for line in draft.check)


def test_names_without_any_system(read):
    names = [
        f"{word}/{s} {extra}.wav"
        for word in ("angry", "sad")
        for s in ("ann", "bob")
        for extra in ("(1)", "x 2", "a-b", "_")
    ]
    rows, _, _ = read(*names)
    assert len(rows) == len(names)
    assert speakers(rows) == {"ann", "bob"}


def test_a_name_built_otherwise_is_told(read):
    names = [f"s{s}_{e}_{n}.wav" for s in (1, 2) for e in ("ang", "sad") for n in range(5)]
    rows, _, draft = read(*names, "readme copy.wav")
    assert len(rows) == 20
    assert any("readme copy.wav" in line for line in draft.check)


def test_numbers_that_nobody_knows_are_named_to_be_read(read):
    names = [f"{e}/{s}_{e}_{n}.wav" for s in ("ann", "bob") for e in ("angry", "zorbish", "sad") for n in range(3)]
    rows, _, draft = read(*names)
    assert emotions(rows) == {"angry": "anger", "zorbish": "zorbish", "sad": "sadness"}
    assert any("'zorbish' is not known" in line for line in draft.check)


def test_a_flat_table(read, tree):
    root = tree("001.wav", "002.wav", "003.wav", "004.wav")
    (root / "Labels.csv").write_text(
        "File Name;Emotion;Speaker;Gender;Valence\n001.wav;Happy;7;F;1\n002.wav;W;7;F;4.5\n003.wav;Happy;8;M;2\n"
    )
    rows, card, draft = read(root=root / "Labels.csv")
    assert [(row["emotion"], row["speaker"], row["sex"], row["valence_raw"]) for row in rows] == [
        ("happiness", "7", "female", 1.0),
        ("anger", "7", "female", 4.5),
        ("happiness", "8", "male", 2.0),
    ]
    assert card.dimensions.scale == (1.0, 5.0)
    assert "dimensions: the ratings lie in [1, 4.5]; write the ends of their scale" in draft.check
    assert any("004.wav" in line for line in draft.check), "a recording without a row is told"


def test_names_that_yaml_would_read_otherwise(read, tmp_path):
    names = [f"it's {s}-{e}-{n}.wav" for s in ("no", "on") for e in ("ang", "sad") for n in range(3)]
    rows, _, _ = read(*names)
    assert speakers(rows) == {"no", "on"}
    assert len(rows) == 12


@pytest.mark.parametrize(
    ("names", "lines"),
    [((), ["audio", "grammar", "emotion"]), (("a.wav", "b.wav", "c.wav"), ["grammar", "emotion"])],
)
def test_where_there_is_nothing_to_guess_from_a_draft_says_what_to_write(tree, tmp_path, names, lines):
    draft = first_card(tree(*names))
    assert not draft.finished
    (tmp_path / "draft.yaml").write_text(draft.text)
    with pytest.raises(CardError, match="not finished") as error:
        load_card(tmp_path / "draft.yaml")
    assert [line.split(": ")[1] for line in str(error.value).splitlines()[1:]] == lines
    written = draft.text.replace("audio: EDIT", "audio: '*.wav'").replace(
        "grammar: EDIT", "grammar: '(?P<speaker>(?P<emotion>.))'"
    )
    (tmp_path / "draft.yaml").write_text(written.replace("{EDIT: EDIT}", "{a: anger, b: fear, c: fear}"))
    card = load_card(tmp_path / "draft.yaml")
    assert card.is_own
    assert not card.verified


def test_a_source_that_is_not_there(tmp_path):
    with pytest.raises(CorpusError, match="does not exist"):
        first_card(tmp_path / "nowhere")


def test_folders_of_labels_that_nobody_knows_say_how_they_are_written(tree, tmp_path):
    root = tree(*[f"all/{label}/{n}.wav" for label in ("zork", "blip") for n in range(3)])
    draft = first_card(root)
    (hint,) = [line for line in draft.text.splitlines() if "blip, zork" in line]
    pattern = hint.split("'")[1]
    written = draft.text.replace("grammar: EDIT", f"grammar: '{pattern}'\nspeaker: unknown")
    (tmp_path / "card.yaml").write_text(written.replace("{EDIT: EDIT}", "{zork: anger, blip: fear}"))
    assert {row["emotion"] for row in scan(load_card(tmp_path / "card.yaml"), root).rows} == {"anger", "fear"}


@pytest.mark.parametrize(("name", "count"), [("emodb", 10), ("urdu", 29), ("ravdess", 8)])
def test_the_recorded_corpora(real_corpora, read, name, count):
    root = real_corpora / name
    if not root.is_dir():
        pytest.skip(f"no {name} in {real_corpora}")
    rows, _, _ = read(root=root)
    own = scan(load_card(name), root).rows
    assert len(speakers(rows)) == count
    assert {row["path"]: row["emotion"] for row in rows} == {row["path"]: row["emotion"] for row in own}


def test_an_imported_table_with_its_languages(read, tree):
    root = tree("a1.wav", "b1.wav")
    (root / "m.csv").write_text("path,emotion,speaker,language\na1.wav,sad,1,pl\nb1.wav,joy,2,de\n")
    rows, card, _ = read(root=root / "m.csv")
    assert card.languages == ("de", "pl")
    assert [row["language"] for row in rows] == ["pl", "de"]

"""Where a card's tables may lie: the corpus folder, the card's own, or one that the user named; links are resolved."""

import os

import pytest
import yaml

from xlser.corpora.card import card_paths, load_card
from xlser.corpora.scan import scan
from xlser.corpora.table_places import find_tables, table_files, watched_tables
from xlser.data.manifest import build_manifest
from xlser.data.scan_index import ScanIndex
from xlser.errors import CardError, CorpusError, RecipeError
from xlser.experiment.corpora import corpus_name

SECRET = "root:x:0:0:TOPSECRET,filename,emotion,speaker\n"
LABELS = "filename,emotion,speaker\na.wav,ang,s1\nb.wav,sad,s2\n"
COLUMNS = {"key": "filename", "columns": {"emotion": "emotion", "speaker": "speaker"}}
ABOUT = {
    "title": "Toy",
    "languages": ["de"],
    "licence": "CC0",
    "elicitation": "acted",
    "emotion": {"ang": "anger", "sad": "sadness"},
}


@pytest.fixture
def house(tmp_path, voice):
    """Return a folder with a corpus, a folder of cards, and secrets all around them."""
    import soundfile

    for name in ("data/toy/sub", "cards", "elsewhere", "named"):
        (tmp_path / name).mkdir(parents=True)
    for number, name in enumerate(("a.wav", "b.wav")):
        soundfile.write(tmp_path / "data" / "toy" / name, voice(seed=number), 16_000)
    for name in ("secret.csv", "data/secret.csv", "elsewhere/secret.csv", "data/toy/.hidden.csv", "cards/.hidden.csv"):
        (tmp_path / name).write_text(SECRET)
    return tmp_path


@pytest.fixture
def carded(house):
    """Return a function: the card of a file in which a table has this name, read from the folder of cards."""

    def make(file, key="table", audio="*.wav", **rest):
        table = {"table": {"file": file, **COLUMNS}}
        if key == "dimensions":
            table = {"dimensions": {"file": file, "scale": [1, 5], "key": "filename", "columns": {"valence": "v"}}}
        if key == "speakers":
            table = {"speakers": {"file": file, "key": "speaker", "columns": {"sex": "sex"}}}
        by_name = {} if key == "table" else {"grammar": "(?P<emotion>a|b)(?P<speaker>)", "speaker": "x"}
        emotion = {} if key == "table" else {"emotion": {"a": "anger", "b": "sadness"}}
        about = {"name": "toy", **ABOUT, "audio": audio, **by_name, **emotion, **table, **rest}
        (house / "cards" / "toy.yaml").write_text(yaml.safe_dump(about))
        return load_card(house / "cards" / "toy.yaml")

    return make


OUT = [
    "../secret.csv",
    "../../secret.csv",
    "../../../../../../../../etc/passwd",
    "/etc/passwd",
    "/proc/self/environ",
    "/proc/self/env*",
    "/etc/*",
    "/*/passwd",
    "sub/../../secret.csv",
    "*/../../secret.csv",
    "..",
    ".",
    "/",
    "~/secret.csv",
    ".hidden.csv",
    ".hidden*",
    "sub/../../../elsewhere/*.csv",
    "a\0b.csv",
]


@pytest.mark.parametrize("key", ["table", "dimensions", "speakers"])
@pytest.mark.parametrize("file", OUT)
def test_a_name_that_leads_out_is_refused_and_nothing_of_it_is_said(house, carded, file, key):
    card = carded(file, key)
    with pytest.raises(CorpusError, match=rf"{key}\.file") as refused:
        scan(card, house / "data" / "toy")
    assert not {"TOPSECRET", "root:", "daemon", "PATH="} & set(str(refused.value).replace("'", " ").split(" "))
    assert "TOPSECRET" not in str(refused.value)
    assert str(house / "data" / "toy") in str(refused.value)
    assert "XLSER_TABLES" in str(refused.value)
    with pytest.raises(CorpusError, match=rf"{key}\.file"):
        build_manifest(card, house / "data" / "toy", cache=house / "cache")


@pytest.mark.parametrize("file", ["secret.csv", "elsewhere/secret.csv", "secret*.csv", "a" * 5000 + ".csv"])
def test_what_lies_above_a_corpus_is_not_looked_at_for_somebodys_card(house, carded, file):
    with pytest.raises(CorpusError, match="is missing") as refused:
        scan(carded(file), house / "data" / "toy")
    assert "TOPSECRET" not in str(refused.value)


def test_an_absolute_secret_beside_the_corpus_is_refused(house, carded):
    for path in (house / "secret.csv", house / "data" / "secret.csv", house / "data" / "toy" / ".hidden.csv"):
        with pytest.raises(CorpusError, match=r"table\.file") as refused:
            scan(carded(str(path)), house / "data" / "toy")
        assert "TOPSECRET" not in str(refused.value)


@pytest.mark.parametrize("where", ["a link", "a linked folder", "a link that a pattern fits", "a link beside the card"])
def test_links_are_resolved_first(house, carded, where):
    root = house / "data" / "toy"
    if where == "a linked folder":
        (root / "tables").symlink_to(house / "elsewhere")
        file = "tables/secret.csv"
    else:
        folder = house / "cards" if where == "a link beside the card" else root
        (folder / "labels.csv").symlink_to(house / "elsewhere" / "secret.csv")
        file = "lab*.csv" if "pattern" in where else "labels.csv"
    with pytest.raises(CorpusError, match=r"table\.file.*link") as refused:
        scan(carded(file), root)
    assert "TOPSECRET" not in str(refused.value)


@pytest.mark.parametrize("place", ["data/toy", "data/toy/labels", "cards", "cards/labels", "named", "named/labels"])
@pytest.mark.parametrize("spelt", ["plain", "pattern", "absolute"])
def test_a_table_is_read_where_it_may_lie(house, carded, monkeypatch, place, spelt):
    monkeypatch.setenv("XLSER_TABLES", os.pathsep.join([str(house / "nowhere"), str(house / "named")]))
    (house / place).mkdir(exist_ok=True)
    (house / place / "labels.csv").write_text(LABELS)
    file = {"plain": "labels.csv", "pattern": "lab*.csv", "absolute": str(house / place / "labels.csv")}[spelt]
    rows = scan(carded(file), house / "data" / "toy").rows
    assert [row["emotion"] for row in rows] == ["anger", "sadness"]


def test_a_link_to_a_folder_that_the_user_named_is_followed(house, carded, monkeypatch):
    (house / "named" / "l.csv").write_text(LABELS)
    (house / "data" / "toy" / "labels.csv").symlink_to(house / "named" / "l.csv")
    with pytest.raises(CorpusError, match="XLSER_TABLES"):
        scan(carded("labels.csv"), house / "data" / "toy")
    monkeypatch.setenv("XLSER_TABLES", str(house / "named"))
    assert len(scan(carded("labels.csv"), house / "data" / "toy").rows) == 2


def test_links_within_a_corpus_and_a_linked_corpus_are_followed(house, carded):
    root = house / "data" / "toy"
    (root / "sub" / "l.csv").write_text(LABELS)
    (root / "labels.csv").symlink_to("sub/l.csv")
    (house / "link").symlink_to(root)
    for folder in (root, house / "link"):
        assert len(scan(carded("labels.csv"), folder).rows) == 2


def test_a_farm_of_links_to_recordings_is_read(house, carded):
    farm = house / "farm"
    (farm / "labels").mkdir(parents=True)
    for name in ("a.wav", "b.wav"):
        (farm / name).symlink_to(house / "data" / "toy" / name)
    (farm / "labels.csv").write_text(LABELS)
    manifest = build_manifest(carded("labels.csv"), farm)
    assert [path.name for path in manifest.files()] == ["a.wav", "b.wav"]


@pytest.mark.parametrize("place", ["c/e", "c/e/labels", "c", "c/labels", ".", "labels"])
def test_a_table_of_our_cards_is_found_up_to_two_folders_above(tmp_path, place):
    root = tmp_path / "c" / "e"
    (tmp_path / place / "das2022").mkdir(parents=True)
    root.mkdir(exist_ok=True, parents=True)
    (tmp_path / place / "das2022" / "EMO_DB.csv").touch()
    found, _ = find_tables(load_card("emodb"), "dimensions.file", root)
    assert found == [(tmp_path / place / "das2022" / "EMO_DB.csv").resolve()]


def test_a_table_that_is_nowhere_comes_with_the_places_tried(tmp_path):
    found, tried = find_tables(load_card("synthetic-de"), "dimensions.file", tmp_path / "a" / "b")
    assert found == []
    assert len(tried) == 6
    assert tmp_path / "labels" / "ratings.csv" in tried
    assert set(tried) <= set(watched_tables(load_card("synthetic-de"), tmp_path / "a" / "b"))


def test_no_card_of_ours_names_a_table_elsewhere(tmp_path):
    for name in card_paths():
        card = load_card(name)
        for key in table_files(card):
            there, tried = find_tables(card, key, tmp_path)
            assert tried
            assert all(path.is_file() for path in there)


def test_what_is_cached_is_made_anew_where_a_table_beside_the_card_changes(house, carded):
    (house / "cards" / "labels.csv").write_text(LABELS)
    card, root = carded("labels.csv"), house / "data" / "toy"
    before = ScanIndex(card, root, house / "cache").manifest_path
    (house / "cards" / "labels.csv").write_text(LABELS.replace("sad", "ang"))
    assert ScanIndex(card, root, house / "cache").manifest_path != before


@pytest.mark.parametrize("pattern", ["/etc/**", "../**", "a/../../*.wav", "~/*.wav", "..\\*.wav", "/*.wav"])
def test_patterns_of_recordings_stay_below_the_corpus(make_card, pattern):
    with pytest.raises(CardError, match=r"audio.*below the corpus folder"):
        make_card(audio=pattern)
    with pytest.raises(CardError, match=r"ignore.*below the corpus folder"):
        make_card(ignore=[{"files": ["*.txt", pattern], "reason": "no"}])


@pytest.mark.parametrize("text", ["/etc/passwd", "/proc/self/environ", "./notes", "../.ssh/id_rsa"])
def test_what_a_recipe_calls_a_corpus_is_a_card_and_no_other_file(text):
    with pytest.raises((CardError, RecipeError)) as refused:
        corpus_name(text)
    assert "root:" not in str(refused.value)

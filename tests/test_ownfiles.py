"""What somebody put into a folder, or changed there, is never written over or deleted, whatever writes there."""

import json
import os

import pytest
from click.testing import CliRunner

from xlser.atomic import write_text
from xlser.cli.formats import import_
from xlser.corpora.card import load_card
from xlser.corpora.synthetic import synthesise
from xlser.data.formats.about import About
from xlser.data.formats.audformat_write import write_audformat
from xlser.data.formats.parquet import read_parquet
from xlser.data.manifest import build_manifest
from xlser.docs.site import _note, _refuse_foreign
from xlser.errors import CorpusError, RunError, XlserError
from xlser.evaluation.results_file import CLAIM
from xlser.experiment.results_folder import aside_of, own
from xlser.ownfiles import RECORD, OwnFiles, files_below, refuse_input

SMALL = {"sentences": 1, "speakers": 1, "progress": False}
BENCH, RUN, SEARCH = {"bench": True}, {"hash": "a", "recipe": {}}, {"hash": "a", "best": {}}


def texts(folder):
    """Return every file below a folder with its bytes; a link with where it leads."""
    return {
        name: os.readlink(path).encode() if (path := folder / name).is_symlink() else path.read_bytes()
        for name in files_below(folder)
        if not (folder / name).is_dir() or (folder / name).is_symlink()
    }


def kept(folder, name):
    """Return the texts of what was kept of a name."""
    stem, _, suffix = name.rpartition(".")
    return [path.read_text() for path in sorted(folder.glob(f"{stem}.kept-*.{suffix}"))]


def test_what_we_wrote_is_replaced_and_what_somebody_wrote_is_kept(tmp_path, capsys):
    OwnFiles(tmp_path).write("report.html", "first")
    OwnFiles(tmp_path).write("report.html", "second")
    assert files_below(tmp_path) == [RECORD, "report.html"]
    (tmp_path / "report.html").write_text("second, with a remark")
    OwnFiles(tmp_path).write("report.html", "third")
    assert (tmp_path / "report.html").read_text() == "third"
    assert kept(tmp_path, "report.html") == ["second, with a remark"]
    assert "report.html" in (said := capsys.readouterr().err)
    assert "report.kept-" in said
    OwnFiles(tmp_path).write("report.html", "fourth")
    assert len(kept(tmp_path, "report.html")) == 1


def test_two_things_of_one_name_in_one_second_are_both_kept(tmp_path):
    for remark in ("one", "two", "three"):
        (tmp_path / "report.html").write_text(remark)
        OwnFiles(tmp_path).write("report.html", "ours")
    assert sorted(kept(tmp_path, "report.html")) == ["one", "three", "two"]


def test_no_link_is_written_through(tmp_path):
    thesis, folder, out = tmp_path / "thesis.html", tmp_path / "elsewhere", tmp_path / "out"
    thesis.write_text("mine")
    folder.mkdir()
    out.mkdir()
    (out / "report.html").symlink_to(thesis)
    (out / "tables").symlink_to(folder)
    OwnFiles(out).write("report.html", "ours")
    assert (thesis.read_text(), (out / "report.html").read_text()) == ("mine", "ours")
    assert [path.readlink() for path in out.glob("report.kept-*")] == [thesis]
    with pytest.raises(XlserError, match=r"tables is a link"):
        OwnFiles(out).write("tables/t.md", "ours")
    assert list(folder.iterdir()) == []


def test_a_kill_between_a_file_and_its_record_leaves_nothing_behind(tmp_path):
    with OwnFiles(tmp_path, batch=True) as own_files:
        own_files.write("a.html", "a")
        own_files._known.clear()  # what was noted is lost
    OwnFiles(tmp_path).write("a.html", "a")
    OwnFiles(tmp_path).write("a.html", "b")
    assert files_below(tmp_path) == [RECORD, "a.html"]


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"a.html": 7}', '{"a.html": [7]}', '{"a": {}}', "[" * 9999])
def test_a_damaged_record_loses_nothing(tmp_path, text):
    OwnFiles(tmp_path).write("a.html", "a")
    (tmp_path / RECORD).write_text(text)
    OwnFiles(tmp_path).write("a.html", "b")
    assert kept(tmp_path, "a.html") == ["a"]


def test_a_record_that_names_files_elsewhere_deletes_none(tmp_path):
    secret, out = tmp_path / "secret", tmp_path / "out"
    secret.write_text("mine")
    OwnFiles(out).write("a", "mine")
    (out / "link").symlink_to(secret)
    ours = json.loads((out / RECORD).read_text())["a"]
    (out / RECORD).write_text(json.dumps({"../secret": ours, str(secret): ours, "link": ours}))
    own_files = OwnFiles(out)
    for name in ("../secret", str(secret), "link"):
        assert not own_files.holds(name)
        own_files.remove(name)
    assert secret.read_text() == "mine"
    assert (out / "link").is_symlink()


STRANGERS = [
    "",
    "{",
    "[]",
    "{}",
    '{"name": "pancakes", "recipe": "flour, milk"}',
    '{"hash": "x"}',
    '{"bench": "press"}',
    '{"recipe": {}}',
    '{"best": {}, "hash": 3}',
    "\u0000",
]


@pytest.mark.parametrize("claim", [BENCH, RUN, SEARCH], ids=["bench", "run", "search"])
@pytest.mark.parametrize("text", STRANGERS)
def test_a_recipe_that_is_no_claim_makes_no_folder_ours(tmp_path, text, claim):
    for name in (CLAIM, "report.html", "tables/mine.md"):
        write_text(tmp_path / name, text if name == CLAIM else "mine")
    before = texts(tmp_path)
    with pytest.raises(RunError, match=r"recipe\.json.*left alone"), own(tmp_path, claim) as held:
        held.begin()
    assert texts(tmp_path) == before


def test_a_link_is_no_claim(tmp_path):
    (tmp_path / "mine.json").write_text(json.dumps({"schema": 1, **BENCH}))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / CLAIM).symlink_to(tmp_path / "mine.json")
    with pytest.raises(RunError, match="left alone"), own(tmp_path / "out", BENCH):
        pass


@pytest.mark.parametrize("held", [BENCH, RUN, SEARCH])
@pytest.mark.parametrize("asked", [BENCH, RUN, SEARCH])
def test_a_folder_of_one_kind_is_none_of_another(tmp_path, held, asked):
    with own(tmp_path, held) as folder:
        folder.begin()
    if held == asked:
        with own(tmp_path, asked):
            pass
        return
    with pytest.raises(RunError, match="holds a"), own(tmp_path, asked):
        pass


def test_a_start_that_fails_takes_away_its_own_alone(tmp_path):
    out = tmp_path / "run"

    def fail():
        with own(out, RUN) as held:
            held.begin()
            write_text(out / "manifests" / "emodb.parquet", "ours")
            write_text(out / "models" / "mine.txt", "a note")
            (out / "notes.txt").write_text("put there meanwhile")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert [name for name in files_below(out) if name != ".lock"] == ["models/mine.txt", "notes.txt"]


def test_what_moves_aside_takes_everything_along(tmp_path):
    out = tmp_path / "run"
    with own(out, RUN) as held:
        held.begin()
    OwnFiles(out).write("report.html", "ours")
    (out / "notes.txt").write_text("mine")
    with own(out, RUN) as held:
        held.begin(aside=(aside := aside_of(out)))
    assert (aside / "notes.txt").read_text() == "mine"
    assert OwnFiles(aside).holds("report.html")
    assert not (out / "report.html").exists()


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    return synthesise(load_card("synthetic-de"), tmp_path_factory.mktemp("spoken") / "de", **SMALL)


@pytest.fixture
def corpus(spoken, tmp_path):
    import shutil

    return shutil.copytree(spoken, tmp_path / "de")


@pytest.mark.parametrize("name", ["wav/mine.wav", "wav/03a01Wa.flac", "notes.txt", ".git/HEAD", "wav/.DS_Store"])
def test_a_synthetic_corpus_with_something_of_somebodys_is_left(corpus, name):
    write_text(corpus / name, "mine")
    before = texts(corpus)
    with pytest.raises(CorpusError, match=name.replace(".", r"\.")):
        synthesise(load_card("synthetic-de"), corpus, seed=1, **SMALL)
    assert texts(corpus) == before


@pytest.mark.parametrize("name", [".git/HEAD", "notes.txt", "wav/x.wav"])
def test_a_folder_without_a_synthetic_corpus_is_left(tmp_path, name):
    write_text(tmp_path / "de" / name, "mine")
    with pytest.raises(CorpusError, match=name.replace(".", r"\.")):
        synthesise(load_card("synthetic-de"), tmp_path / "de", **SMALL)
    assert texts(tmp_path / "de") == {name: b"mine"}


def test_a_changed_file_of_a_synthetic_corpus_is_made_anew_and_kept(corpus, capsys):
    whole = texts(corpus)
    clip = next(corpus.glob("wav/*.wav"))
    clip.write_bytes(clip.read_bytes()[:100])
    synthesise(load_card("synthetic-de"), corpus, **SMALL)
    assert texts(corpus) == whole
    aside = next(corpus.parent.glob("de.before-*"))
    assert [len(data) for data in texts(aside).values()] == [100]
    assert aside.name in capsys.readouterr().err


def test_another_seed_replaces_what_is_ours_and_a_linked_folder_is_left(corpus, tmp_path):
    before = texts(corpus)
    synthesise(load_card("synthetic-de"), corpus, seed=1, **SMALL)
    assert texts(corpus).keys() == before.keys()
    assert texts(corpus) != before
    (tmp_path / "mine").mkdir()
    for clip in corpus.glob("wav/*"):
        clip.rename(tmp_path / "mine" / clip.name)
    (corpus / "wav").rmdir()
    (corpus / "wav").symlink_to(tmp_path / "mine")
    with pytest.raises(CorpusError, match="wav"):
        synthesise(load_card("synthetic-de"), corpus, **SMALL)
    assert len(list((tmp_path / "mine").iterdir())) == len(before) - 3


def test_a_synthetic_corpus_behind_a_link_stays_behind_it(corpus, tmp_path):
    (tmp_path / "link").symlink_to(corpus)
    synthesise(load_card("synthetic-de"), tmp_path / "link", seed=1, **SMALL)
    assert (tmp_path / "link").is_symlink()
    assert "seed 1" in (corpus / "SYNTHETIC.txt").read_text()


@pytest.fixture
def table(spoken, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    def make(*names):
        clips = [clip.read_bytes() for clip in sorted(spoken.glob("wav/*.wav"))[: len(names)]]
        rows = {
            "audio": [{"bytes": data, "path": name} for data, name in zip(clips, names, strict=True)],
            "emotion": ["anger", "sadness"][: len(names)],
            "speaker": ["s1", "s2"][: len(names)],
            "language": ["de", "de"][: len(names)],
        }
        pq.write_table(pa.table(rows), tmp_path / "table.parquet")
        return tmp_path / "table.parquet"

    return make


def test_recordings_of_a_table_replace_none_of_somebodys(table, tmp_path):
    audio = tmp_path / "audio"
    audio.mkdir()
    (audio / "b.wav").write_text("mine")
    (audio / "notes.txt").write_text("mine")
    with pytest.raises(CorpusError, match=r"b\.wav"):
        read_parquet(table("a.wav", "b.wav"), audio, About("mine"))
    assert {name: data for name, data in texts(audio).items() if name in ("b.wav", "notes.txt")} == {
        "b.wav": b"mine",
        "notes.txt": b"mine",
    }


def test_recordings_of_a_table_are_written_again_and_through_no_link(table, tmp_path):
    audio = tmp_path / "audio"
    for _ in range(2):
        assert len(read_parquet(table("a.wav", "b.wav"), audio, About("mine")).manifest.frame) == 2
    (audio / "a.wav").unlink()
    (tmp_path / "secret").write_text("mine")
    (audio / "a.wav").symlink_to(tmp_path / "secret")
    read_parquet(table("a.wav"), audio, About("mine"))
    assert (tmp_path / "secret").read_text() == "mine"
    assert len(list(audio.glob("a.kept-*.wav"))) == 1


def test_a_database_takes_no_others_place(spoken, tmp_path):
    manifest = build_manifest(load_card("synthetic-de"), spoken)
    for _ in range(2):
        write_audformat(manifest, tmp_path / "ours", audio="none")
    write_text(tmp_path / "mine" / "db.yaml", "name: mine")
    with pytest.raises(CorpusError, match=r"db\.yaml"):
        write_audformat(manifest, tmp_path / "mine", audio="none")
    assert texts(tmp_path / "mine") == {"db.yaml": b"name: mine"}


@pytest.mark.parametrize("name", ["thesis.tex", ".git/HEAD", "index.html", "guide/index.html"])
def test_the_documentation_takes_no_others_place(tmp_path, name):
    site = tmp_path / "site"
    _refuse_foreign(site)
    for page in ("index.html", "guide/index.html"):
        write_text(site / page, "ours")
    _note(site)
    _refuse_foreign(site)
    write_text(site / name, "mine")
    with pytest.raises(XlserError, match=name.replace(".", r"\.")):
        _refuse_foreign(site)
    write_text(tmp_path / "file.txt", "mine")
    with pytest.raises(XlserError, match=r"file\.txt"):
        _refuse_foreign(tmp_path / "file.txt")


def test_what_is_read_is_not_written_over(tmp_path):
    table, link = tmp_path / "labels.csv", tmp_path / "link.csv"
    table.write_text("mine")
    link.symlink_to(table)
    os.link(table, tmp_path / "hard.csv")
    for out in (table, link, tmp_path / "hard.csv", tmp_path / "x" / ".." / "labels.csv"):
        if out.exists():
            with pytest.raises(XlserError, match="written over"):
                refuse_input(out, table)
    refuse_input(None, table)
    refuse_input(tmp_path / "other.csv", table)


def test_a_table_that_is_imported_stays(tmp_path, spoken):
    rows = "".join(f"{clip},anger,s1,de\n" for clip in sorted(spoken.glob("wav/*.wav"))[:2])
    (tmp_path / "mine.csv").write_text("path,emotion,speaker,language\n" + rows)
    before = texts(tmp_path)
    options = [str(tmp_path / "mine.csv"), "--name", "mine", "--out"]
    assert CliRunner().invoke(import_, ["table", *options, str(tmp_path / "mine.csv")]).exception is not None
    assert texts(tmp_path) == before
    done = CliRunner().invoke(import_, ["table", *options, str(tmp_path / "out.csv")])
    assert done.exception is None, done.output

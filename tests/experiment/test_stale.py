"""Every cached thing in the house names what it came from: each input is changed in turn, and each of them notices."""

import errno
import json
import os
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from ragged import make_ragged

import xlser as xl
from xlser.corpora.card import load_card
from xlser.data.audio import PassingFault, content_hash, probe
from xlser.data.dataset import Dataset
from xlser.data.manifest import build_manifest
from xlser.errors import CorpusError, MachineError, XlserError
from xlser.experiment.bench.cells import cell_key, training_key
from xlser.experiment.bench.plan import make_jobs
from xlser.experiment.bench.run import run_bench
from xlser.experiment.changes import changed
from xlser.experiment.corpora import find_corpus, read_corpora
from xlser.experiment.encoders import _read as read_embedded
from xlser.experiment.run import run_recipe
from xlser.experiment.run_inputs import INPUTS, read_inputs, read_inputs_of, write_inputs
from xlser.experiment.stored import STORE, keep, stored
from xlser.experiment.workplace import Workplace
from xlser.machine import machine_error
from xlser.models.checkpoints import load_encoder
from xlser.shipped import shipped_folder
from xlser.store.datastore import Datastore
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.recipe import Recipe


@dataclass
class House:
    """Two corpora with cards of their own, a checkpoint, and a finished run of a recipe that reads all three."""

    folder: Path

    @property
    def card(self) -> Path:
        return self.folder / "german.yaml"

    @property
    def ratings(self) -> Path:
        return self.folder / "german" / "ratings.csv"

    @property
    def labels(self) -> Path:
        return self.folder / "turkish" / "labels.csv"

    @property
    def weights(self) -> Path:
        return self.folder / "checkpoint" / "model.safetensors"

    @property
    def run(self) -> Path:
        return self.folder / "run"

    def recording(self, corpus: str, place: int = 0) -> Path:
        return sorted((self.folder / corpus / "wav").glob("*.wav"))[place]

    @property
    def place(self) -> Workplace:
        roots = {name: self.folder / name for name in ("german", "turkish")}
        return Workplace(None, roots, cache=self.folder / "cache", progress=False, say=lambda text: None)

    @property
    def recipe(self) -> Recipe:
        """What the run is of: read anew, as the next process would, from paths relative to where one stands."""
        return Recipe(
            name="small",
            source="german.yaml",
            targets=("turkish.yaml",),
            features={"encoder": "checkpoint"},
            model="none",
            split={"folds": 4},
            training={"seeds": 1},
            evaluation={"draws": 100},
        )

    def corpora(self):
        return [read_corpora(find_corpus(f"{name}.yaml", self.place), self.recipe, self.place) for name in ROOTS]


ROOTS = ("german", "turkish")


def _card(name: str, folder: Path, **lines: str) -> None:
    text = (shipped_folder("corpora") / f"synthetic-{name}.yaml").read_text(encoding="utf-8")
    kept = text[: text.index("synthesis:")] + text[text.index("audio:") : text.index("expect:")]
    kept = kept.replace("elicitation: synthetic", "elicitation: acted")
    (folder / f"{ROOTS[name == 'tr']}.yaml").write_text(
        kept.replace(f"name: synthetic-{name}", f"name: {ROOTS[name == 'tr']}") + lines.get("more", ""),
        encoding="utf-8",
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built")
    made = make_ragged(tmp_path_factory.mktemp("ragged"))
    for name, own in (("de", "german"), ("tr", "turkish")):
        shutil.copytree(made / f"synthetic-{name}", folder / own)
        _card(name, folder)
    names = sorted(path.name for path in (folder / "turkish" / "wav").glob("*.wav"))
    codes = {letter: letter for letter in "ANTFLW"}
    (folder / "turkish" / "labels.csv").write_text(
        "file,emo\n" + "".join(f"{name},{codes[name[5]]}\n" for name in names), encoding="utf-8"
    )
    card = (folder / "turkish.yaml").read_text(encoding="utf-8")
    card = card.replace("(?P<emotion>", "(?P<letter>")
    (folder / "turkish.yaml").write_text(
        card + "table: {file: labels.csv, key: [file], columns: {emotion: [emo]}}\n", encoding="utf-8"
    )
    load_encoder("random:tiny").save(folder / "checkpoint")
    _old(folder)
    here = os.getcwd()
    os.chdir(folder)
    try:
        house = House(folder)
        run_recipe(house.recipe, house.run, house.place)
    finally:
        os.chdir(here)
    return folder


@pytest.fixture
def house(built, tmp_path, monkeypatch):
    shutil.copytree(built, tmp_path / "house", copy_function=shutil.copy2)
    monkeypatch.chdir(tmp_path / "house")
    return House(tmp_path / "house")


def _old(folder: Path) -> None:
    """Let every file be a minute old: those of the last two seconds are always read again."""
    for path in folder.rglob("*"):
        time = path.stat().st_mtime_ns - 60_000_000_000
        os.utime(path, ns=(time, time))


def _in_place(path: Path, data: bytes) -> None:
    """Replace what a file holds, with its size and its time of change as they were."""
    before = path.stat()
    assert len(data) == before.st_size
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _text(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def label_in_card(house):
    _text(house.card, "F: happiness", "F: surprise")


def licence_in_card(house):
    _text(house.card, "licence: CC0-1.0 (machine-made)", "licence: ask the owner")


def row_in_table(house):
    text = house.labels.read_text()
    old = text.splitlines()[1]
    _in_place(house.labels, text.replace(old, old[:-1] + ("W" if old[-1] != "W" else "N"), 1).encode())


def rating(house):
    text = house.ratings.read_text()
    old = text.splitlines()[1]
    cells = old.split(",")
    cells[1] = "4.44"
    _in_place(house.ratings, text.replace(old, ",".join(cells), 1).encode())


def recording_of_the_source(house):
    path = house.recording("german")
    data = bytearray(path.read_bytes())
    data[1000:3000] = bytes(reversed(data[1000:3000]))
    _in_place(path, bytes(data))


def recording_of_the_target(house):
    path = house.recording("turkish")
    samples, rate = soundfile.read(path)
    soundfile.write(path, np.concatenate([samples, samples]), rate, subtype="PCM_16")


def recording_removed(house):
    house.recording("turkish", 3).unlink()


def checkpoint(house):
    data = bytearray(house.weights.read_bytes())
    data[-4:] = b"\x00\x00\x00\x3f"
    _in_place(house.weights, bytes(data))


CHANGES = {
    label_in_card: "german: labels of 10 utterances.*happiness -> surprise: 10",
    licence_in_card: "german: licence was",
    row_in_table: "turkish: labels of 1 utterance",
    rating: r"german: ratings of 1 utterance \(german/wav/01a01",
    recording_of_the_source: "german: recordings of 1 utterance",
    recording_of_the_target: "turkish: recordings of 1 utterance",
    recording_removed: "turkish: 1 utterance .* fewer",
    checkpoint: "checkpoint checkpoint",
}
SOURCE = {label_in_card, rating, recording_of_the_source, checkpoint}  # what the weights rest on


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_run_says_what_of_its_inputs_has_changed(house, change):
    assert changed(house.run, read_inputs_of(house.recipe, house.place)[1]) == []
    change(house)
    found = changed(house.run, read_inputs_of(house.recipe, house.place)[1])
    assert len(found) == 1 + (change is licence_in_card)  # every row names its licence too
    assert re.search(CHANGES[change], found[0])


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_keys_of_a_bench_name_every_input(house, change):
    recipe = house.recipe
    before = house.corpora()
    keys = cell_key(recipe, *before, ()), training_key(recipe, before[0])
    change(house)
    after = house.corpora()
    assert cell_key(recipe, *after, ()) != keys[0]
    assert (training_key(recipe, after[0]) != keys[1]) == (change in SOURCE)


def test_the_key_of_a_fine_tuned_encoder_names_its_checkpoint(house):
    recipe = EncoderRecipe(
        name="tuned",
        source="german.yaml",
        targets=("turkish.yaml",),
        encoder={"weights": "checkpoint"},
        methods={"ce": {"cross_entropy": 1}},
    )
    corpora = house.corpora()
    keys = cell_key(recipe, *corpora, ()), training_key(recipe, corpora[0])
    checkpoint(house)
    assert cell_key(recipe, *corpora, ()) != keys[0]
    assert training_key(recipe, corpora[0]) != keys[1]


OF_THE_TABLE = [change for change in CHANGES if change not in (licence_in_card, checkpoint, recording_of_the_source)]


@pytest.mark.parametrize("change", OF_THE_TABLE, ids=lambda change: change.__name__)
def test_a_manifest_that_was_read_before_notices_every_input(house, change):
    def rows():
        tables = [build_manifest(load_card(f"{name}.yaml"), name, cache=house.place.cache).frame for name in ROOTS]
        return pd.concat(tables, ignore_index=True)

    before = rows()
    pd.testing.assert_frame_equal(rows(), before)
    change(house)
    after = rows()
    assert not after.equals(before)
    shutil.rmtree(house.place.cache / "scans")
    pd.testing.assert_frame_equal(rows(), after)


def test_a_header_of_another_recording_of_that_size_and_time_is_read_again(house):
    (card,), root = [load_card("german.yaml")], house.folder / "german"
    before = build_manifest(card, root, cache=house.place.cache).frame
    path = house.recording("german")
    data = bytearray(path.read_bytes())
    data[24:28] = (8000).to_bytes(4, "little")
    _in_place(path, bytes(data))
    after = build_manifest(card, root, cache=house.place.cache).frame
    assert before["sample_rate"].iloc[0] == 16_000
    assert after["sample_rate"].iloc[0] == 8000


def test_folders_that_were_moved_copied_or_touched_are_the_same_inputs(house):
    for name in ROOTS:
        shutil.copytree(house.folder / name, house.folder / "elsewhere" / name, copy_function=shutil.copyfile)
    place = replace(house.place, roots={name: house.folder / "elsewhere" / name for name in ROOTS})
    stamps = pd.read_parquet(house.run / INPUTS)
    assert changed(house.run, read_inputs_of(house.recipe, place)[1]) == []
    assert not pd.read_parquet(house.run / INPUTS).equals(stamps)  # and it learns where they lie now


def test_another_place_in_the_card_for_the_same_facts_changes_nothing(house):
    house.card.write_text("# corrected\n" + house.card.read_text() + "expect: {utterances: 9}\n")
    assert changed(house.run, read_inputs_of(house.recipe, house.place)[1]) == []


def test_recordings_that_cannot_be_opened_for_now_are_no_change(house, monkeypatch):
    paths = [str(house.recording(name)) for name in ROOTS]
    really = content_hash

    def denied(path, *part):
        if str(path) in paths:
            raise PermissionError(errno.EACCES, "Permission denied")
        return really(path, *part)

    for path in paths:
        os.utime(path)
    monkeypatch.setattr("xlser.experiment.run_inputs.content_hash", denied)
    assert changed(house.run, read_inputs_of(house.recipe, house.place)[1]) == []
    headers = probe

    def unopened(path):
        if str(path) in paths:
            raise PassingFault("cannot be read: Permission denied")
        return headers(path)

    monkeypatch.setattr("xlser.data.headers.probe", unopened)
    assert len(house.corpora()[0].frame) == 47  # left out where they would be read for the first time
    assert changed(house.run, read_inputs_of(house.recipe, house.place)[1]) == []
    monkeypatch.undo()
    monkeypatch.chdir(house.folder)
    assert len(house.corpora()[0].frame) == 48  # and nowhere remembered as broken


def test_a_fault_of_the_machine_while_headers_are_read_is_remembered_nowhere(house, monkeypatch):
    shutil.rmtree(house.place.cache / "scans")

    def full(path):
        raise machine_error(OSError(errno.EMFILE, "Too many open files"), f"reading {path}")

    with monkeypatch.context() as patch:
        patch.setattr("xlser.data.headers.probe", full)
        with pytest.raises(MachineError, match="files open"):
            house.corpora()
    assert not list(house.place.cache.glob("scans/*"))
    assert len(house.corpora()[0].frame) == 48


def test_a_recording_that_could_not_be_opened_and_can_be_is_a_change(house, monkeypatch):
    table = pd.read_parquet(house.run / INPUTS)
    inputs = read_inputs(house.run)
    inputs.table.loc[3, "content"] = None
    write_inputs(inputs, house.run)
    assert len(table) == 96
    assert "recordings of 1 utterance" in changed(house.run, read_inputs_of(house.recipe, house.place)[1])[0]


def test_a_changed_run_is_computed_anew_and_the_old_one_kept_beside_it(house):
    old = (house.run / "results.json").read_bytes()
    run_recipe(house.recipe, house.run, house.place)
    assert (house.run / "results.json").read_bytes() == old
    label_in_card(house)
    said: list[str] = []
    run_recipe(house.recipe, house.run, replace(house.place, say=said.append))
    (kept,) = house.folder.glob("run-before-*")
    assert (kept / "results.json").read_bytes() == old
    assert json.loads((kept / "recipe.json").read_text())["hash"] == house.recipe.hash
    new = json.loads((house.run / "results.json").read_text())
    assert new["corpora"][0]["labels"]["dropped"]["surprise"] == 10
    assert any("happiness -> surprise" in line for line in said)
    assert any(str(kept.name) in line for line in said)
    assert changed(house.run, read_inputs_of(house.recipe, house.place)[1]) == []


def test_a_run_that_was_stopped_does_not_go_on_with_other_inputs(house):
    (house.run / "results.json").unlink()
    model = next(house.run.rglob("model.safetensors")).relative_to(house.run)
    before = (house.run / model).read_bytes()
    recording_of_the_source(house)
    run_recipe(house.recipe, house.run, house.place)
    (kept,) = house.folder.glob("run-before-*")
    assert (kept / model).read_bytes() == before
    assert (house.run / model).read_bytes() != before
    assert (house.run / "results.json").exists()


def test_results_of_a_version_that_named_no_inputs_are_compared_by_their_tables(house):
    (house.run / INPUTS).unlink()
    assert changed(house.run, read_inputs_of(house.recipe, house.place)[1]) == []
    label_in_card(house)
    assert "happiness -> surprise" in changed(house.run, read_inputs_of(house.recipe, house.place)[1])[0]


def test_a_finished_run_whose_corpora_are_gone_says_how_to_see_its_results(house):
    with pytest.raises(CorpusError, match="xlser report"):
        run_recipe(house.recipe, house.run, replace(house.place, roots={}))


def test_a_recogniser_notices_recordings_that_changed_under_their_path(house):
    def fitted():
        source = Dataset.from_card(load_card("german.yaml"), "german", cache=house.place.cache)
        made = xl.Recogniser(xl.NoNetwork("logmel"), folder="fit", cache=house.place.cache, progress=False)
        return np.asarray(made.fit(source).model.own.embeddings)

    first = fitted()
    np.testing.assert_array_equal(fitted(), first)
    assert not list(house.folder.glob("fit/*-before-*"))
    recording_of_the_source(house)
    assert not np.array_equal(fitted(), first)
    assert len(list(house.folder.glob("fit/*-before-*"))) == 1


def test_a_recogniser_that_cannot_be_fitted_leaves_nothing(house):
    source = Dataset.from_card(load_card("german.yaml"), "german", cache=house.place.cache)
    options = {"folder": "deep/fit", "cache": house.place.cache, "progress": False}
    with pytest.raises(XlserError, match="none"):
        xl.Recogniser(xl.NoNetwork(xl.features.Encoder("./none")), **options).fit(source)
    assert not (house.folder / "deep").exists()


def test_a_bench_that_cannot_start_leaves_nothing_and_reads_nothing(house, monkeypatch):
    def read(*_, **options):
        raise AssertionError("a corpus was read")

    monkeypatch.setattr("xlser.data.dataset.build_manifest", read)
    values = house.recipe.model_dump() | {"features": {"encoder": "./none"}}
    jobs = make_jobs([Recipe.model_validate(values)], ["german.yaml"], ["turkish.yaml"], Path("deep/bench"))
    with pytest.raises(XlserError, match="none"):
        run_bench(jobs, "deep/bench", house.place)
    assert not (house.folder / "deep").exists()


def test_embeddings_in_a_models_folder_are_those_of_its_rows_and_recordings(house, tmp_path):
    corpus, _ = house.corpora()
    vectors, rows = corpus.data.values, np.arange(10)
    keep(vectors, corpus, rows, "x", tmp_path)
    written = (tmp_path / STORE).stat().st_mtime_ns
    keep(vectors, corpus, rows, "x", tmp_path)
    assert (tmp_path / STORE).stat().st_mtime_ns == written
    keep(vectors + 1, corpus, rows, "x", tmp_path)
    np.testing.assert_array_equal(Datastore.load(tmp_path / STORE).embeddings, (vectors + 1)[rows])
    (tmp_path / STORE).write_bytes(b"damaged")
    keep(vectors, corpus, rows, "x", tmp_path)
    assert len(Datastore.load(tmp_path / STORE)) == 10
    stored(vectors, corpus, np.arange(len(vectors)), "mark").save(tmp_path / "all")
    assert read_embedded(tmp_path / "all", corpus, "mark") is not None
    assert read_embedded(tmp_path / "all", corpus, "another mark") is None

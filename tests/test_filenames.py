"""Every text that becomes a part of a path goes by one rule, wherever it was written."""

import json
import typing
from pathlib import Path, PureWindowsPath

import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import AfterValidator
from ragged import make_ragged

from xlser.corpora.card import Card, load_card
from xlser.data.corpus_facts import Facts
from xlser.data.dataset import Dataset
from xlser.data.formats.about import About
from xlser.data.formats.anyformat import _slug, dataset_name
from xlser.data.formats.saved_datasets import read_saved
from xlser.data.manifest import read_manifest
from xlser.errors import CardError, CorpusError, RecipeError, RunError, XlserError
from xlser.experiment.run import default_out
from xlser.experiment.use.jobs import TrainedJob
from xlser.features.cache import Entries
from xlser.filenames import LONGEST, LONGEST_JOINED, as_file_name, below, check_file_name, file_name_fault, path_part
from xlser.models.checkpoint_folder import weight_files
from xlser.schema import models_in
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.load import load_recipe, recipe_paths
from xlser.training.recipe import Recipe

HOSTILE = {
    "above": "../../../../x/pwn",
    "absolute": "/tmp/pwn",
    "Windows": "..\\..\\pwn",
    "a drive": "C:pwn",
    "two parts": "a/b",
    "this folder": ".",
    "the folder above": "..",
    "nothing": "",
    "hidden": ".ssh",
    "dots within": "a..b",
    "a dot at the end": "a.",
    "an option": "-rf",
    "NUL": "a\0b",
    "a new line": "a\nb",
    "an escape": "a\x1b[2Jb",
    "a bidirectional control": "a\u202eb",
    "a blank": "a b",
    "a home": "~root",
    "a device": "con",
    "a device with a suffix": "Aux.txt",
    "a device with a small number": "COM²",
    "no Unicode": "a\udce9",
    "5,000 signs": "a" * 5000,
    "bytes": "é" * (LONGEST_JOINED // 2 + 1),
}
GOOD = ["plain", "ce+supcon", "features+knn", "lr0.0015", "emodb-dae_activation", "Zufriedenheit", "χαρά", "दुःख", "7"]
hostile = pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())

# Fields of text that are in no path, or in one that is checked where it is opened.
PROSE = {"title", "licence", "notes", "description", "citation", "reason"}
LABELS = {"emotion", "own_emotions", "emotions", "merge", "sex", "unknown_names", "languages", "same_speaker", "given"}
OF_ROWS = {"speaker", "text", "session", "language", "partition", "speaker_sex", "speaker_language", "grammar"}
OF_TABLES = {"columns", "key", "join", "separator", "encoding", "ignore", "rater"}
PATTERNS = {"audio", "files"}  # of names below the corpus's folder
READ = {"file"}  # a table of a card: see tests/corpora/test_places.py
NAMES_OF_CARDS = {"source", "targets"}  # a path that is read; what it is called is the name on its card
ADDRESSES = {"url", "download", "sha256", "ask", "mirror", "weights", "revision"}
OPTIONS = {"adapt", "metric", "options", "extractor", "train", "validation", "test", "sentences"}
NO_PATH = PROSE | LABELS | OF_ROWS | OF_TABLES | PATTERNS | READ | NAMES_OF_CARDS | ADDRESSES | OPTIONS
NO_PATH_IN = {("LoraChoice", "targets")}


def texts(annotation, metadata=()):
    """Yield, for every text that a field holds, whether it is checked as the name of a file."""
    kind, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation is str:
        yield any(isinstance(check, AfterValidator) and check.func is check_file_name for check in metadata)
    elif kind is typing.Annotated:
        yield from texts(inner[0], (*metadata, *inner[1:]))
    elif kind is not typing.Literal:
        for part in inner:
            yield from texts(part, () if kind is dict else metadata)


@pytest.mark.parametrize("schema", [Card, Recipe, EncoderRecipe])
def test_every_text_of_a_schema_is_a_checked_name_or_known_to_be_in_no_path(schema):
    checked = set()
    for model in models_in(schema):
        for name, field in model.model_fields.items():
            several = list(texts(field.annotation, tuple(field.metadata)))
            if any(several):
                checked.add(f"{model.__name__}.{name}")
            elif several and (model.__name__, name) not in NO_PATH_IN:
                assert name in NO_PATH, f"{model.__name__}.{name}: may it be in a path? Then it is a FileName"
    assert {f"{schema.__name__}.name"} | ({f"{schema.__name__}.methods"} - {"Card.methods"}) <= checked


@hostile
def test_what_leads_elsewhere_or_is_no_name_somewhere_is_refused(name):
    assert file_name_fault(name)
    with pytest.raises(ValueError, match="name of a file") as refused:
        check_file_name(name)
    assert len(str(refused.value)) < 500
    with pytest.raises(XlserError, match="method of x"):
        path_part(name, "method of x", XlserError)


@pytest.mark.parametrize("name", GOOD)
def test_names_of_any_script_are_taken(name, tmp_path):
    assert check_file_name(name) == name
    (tmp_path / name).touch()
    assert [path.name for path in tmp_path.iterdir()] == [name]


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=30) | st.text("./\\ab-+_~:\0", max_size=8))
def test_what_is_taken_stays_in_its_folder(text):
    for name in (text, as_file_name(text, "mine"), _slug(text)):
        if not file_name_fault(name):
            assert Path("folder", name).parts == ("folder", name)
            assert PureWindowsPath("folder", name).parts == ("folder", name)
            assert len(name.encode()) <= LONGEST
    assert not file_name_fault(as_file_name(text, "mine"))
    assert not file_name_fault(_slug(text))


def test_joined_names_may_be_longer_but_not_for_ever():
    joined = "+".join(["emodb"] * 30)
    assert len(joined) > LONGEST
    assert path_part(joined, "source", RecipeError) == joined
    with pytest.raises(RecipeError, match="source"):
        path_part("+".join(["emodb"] * (LONGEST_JOINED // 5)), "source", RecipeError)


def written(tmp_path, **changes):
    about = {"name": "r", "source": "synthetic-de", "targets": "synthetic-tr", **changes}
    path = tmp_path / "r.yaml"
    path.write_text(yaml.safe_dump(about), encoding="utf-8")
    return path


@hostile
@pytest.mark.parametrize("kind", ["network", "encoder"])
def test_a_recipe_whose_names_are_no_files_is_refused_by_its_key(name, kind, tmp_path):
    tuned = {"encoder": {"weights": "random:tiny"}, "methods": {"m": {"cross_entropy": 1}}} if kind == "encoder" else {}
    loss = {"cross_entropy": 1} if tuned else {"metric": "signed"}
    if name.isprintable():  # YAML has no NUL, no escape and no lone surrogate
        for changes, key in (({"name": name}, "name"), ({"methods": {name: loss}}, "methods")):
            with pytest.raises(RecipeError, match=rf"\n  {key}: ") as refused:
                load_recipe(written(tmp_path, **tuned | changes))
            assert len(str(refused.value)) < 1000
    schema = EncoderRecipe if tuned else Recipe
    for changes in ({"name": name}, {"methods": {name: loss}}):
        with pytest.raises(ValueError, match="name of a file"):
            schema.model_validate({"name": "r", "source": "a", "targets": "b"} | tuned | changes)


def test_a_method_of_thousands_of_signs_does_not_fill_the_message(tmp_path):
    with pytest.raises(RecipeError) as refused:
        load_recipe(written(tmp_path, methods={"m" * 5000: {"metrik": "signed"}}))
    assert len(str(refused.value)) < 1500


def test_the_recipes_and_cards_that_come_with_it_have_such_names():
    names = [recipe.name for recipe in map(load_recipe, recipe_paths())]
    assert len(names) > 40
    assert default_out(load_recipe("emodb/dae-activation")).parent == Path("runs")


@hostile
def test_a_card_is_called_like_a_file(name, make_card):
    with pytest.raises(CardError, match=r"\n  name: "):
        make_card(name=name)


@pytest.mark.parametrize("name", ["con", "com1", "a" * 300])
def test_a_card_that_fits_the_pattern_may_still_be_no_file(name, make_card):
    with pytest.raises(CardError, match=r"\n  name: "):
        make_card(name=name)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = make_ragged(tmp_path_factory.mktemp("ragged"))
    return Dataset.from_card(load_card("synthetic-de"), folder / "synthetic-de").write(folder / "saved.parquet")


@hostile
def test_a_table_that_calls_itself_otherwise_is_refused(name, tmp_path, saved):
    path = tmp_path / "mine.parquet"
    table = pq.read_table(saved)
    about = json.loads(table.schema.metadata[b"xlser"])
    for changes in ({"card": name}, {"facts": about["facts"] | {"facts": about["facts"]["facts"] | {"name": name}}}):
        pq.write_table(table.replace_schema_metadata({"xlser": json.dumps(about | changes)}), path)
        with pytest.raises(CorpusError, match="name of"):
            Dataset.of(read_manifest(path))
    for made in (lambda: About(name), lambda: Facts(name, "title", ("de",))):
        with pytest.raises(CorpusError, match="name of"):
            made()
    if name and "\0" not in name and name.isprintable():
        pq.write_table(table.replace_schema_metadata({"xlser": json.dumps({"card": name})}), path)
        with pytest.raises(CorpusError, match=r"mine\.parquet"):
            dataset_name(path)


@pytest.mark.parametrize("method", ["../../x", "/tmp/x", "", None, 7])
def test_a_method_that_results_name_leads_to_no_other_folder(method, tmp_path):
    job = TrainedJob(None, "emodb", (tmp_path,), {}, {}, "run again")
    with pytest.raises(RunError, match=r"method of results\.json"):
        job.model(method, 0)
    assert job.model("ce+supcon", 3) == tmp_path / "models/ce+supcon/seed-3"


@pytest.mark.parametrize("text", ["../x", "/x", "a/../../x", "..\\x", "", ".", None, ["a"], "C:x", "a\0"])
def test_paths_that_files_name_stay_below(text, tmp_path):
    with pytest.raises(RunError, match="folder of f"):
        below(tmp_path, text, "folder of f", RunError)


def test_shards_of_checkpoints_and_parts_of_datasets_stay_in_their_folder(tmp_path):
    (tmp_path / "secret.safetensors").write_bytes(b"x")
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    index = {"weight_map": {"a": "../secret.safetensors", "b": 7}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(RunError, match="weight_map"):
        weight_files(folder)
    (folder / "dataset_dict.json").write_text(json.dumps({"splits": ["../.."]}))
    with pytest.raises(CorpusError, match="splits"):
        read_saved(folder, tmp_path / "audio", About("mine"))


@hostile
def test_a_folder_of_the_cache_is_called_by_a_name(name, tmp_path):
    kind = type("Toy", (Entries,), {"room": "toys"})
    with pytest.raises(RecipeError, match="extractor"):
        kind(tmp_path, {"extractor": name})

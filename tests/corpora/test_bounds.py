"""Cards that would never come to an end, or fill the memory: each is refused at once, and what it was is named."""

import os
import subprocess
import sys
import time

import pytest

from xlser.corpora.card import Card, load_card
from xlser.corpora.globbing import matches_any
from xlser.corpora.patterns import fits
from xlser.corpora.scan import scan
from xlser.errors import LONGEST, CardError, CorpusError, RecipeError, XlserError, shortened
from xlser.jsonfile import parse_lenient
from xlser.training.load import load_recipe
from xlser.yamlfile import parse_yaml, read_yaml

CARD = {
    "name": "mine",
    "title": "Mine",
    "languages": ["el"],
    "licence": "private",
    "elicitation": "acted",
    "audio": "*.wav",
    "grammar": "(?P<emotion>[a-z]+)_(?P<speaker>[a-z]+)",
    "emotion": {"angry": "anger", "sad": "sadness"},
}
BACKTRACKS = "(a|aa)+b"  # Fibonacci(60) ways to read sixty times a


def test_a_pattern_without_end_is_stopped_and_named():
    began = time.monotonic()
    with pytest.raises(CorpusError) as caught:
        fits(BACKTRACKS, "a" * 60)
    assert time.monotonic() - began < 60
    assert BACKTRACKS in str(caught.value)
    assert "a" * 60 in str(caught.value)
    assert fits(BACKTRACKS, "aab")


def test_a_grammar_without_end_stops_the_scan(tmp_path):
    (tmp_path / f"{'a' * 60}.wav").touch()
    (tmp_path / "angry_anna.wav").touch()
    with pytest.raises(CorpusError, match="does not come to an end"):
        scan(Card(**CARD | {"grammar": f"(?P<emotion>{BACKTRACKS})_(?P<speaker>.+)"}), tmp_path)


def test_many_stars_in_a_glob_come_to_an_end():
    assert not matches_any("a" * 200 + ".wav", ("*a" * 60 + "*b.wav",))


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("((a{1000}){1000}){1000}", "repeats"),
        ("(?P<emotion>a{999999999})", "repeats"),
        ("a" * 5000, "letters at most"),
        ("(?:" * 1000 + ")" * 1000, "regular expression|letters"),
        ("(?P<emotion>angry){e}", "brace"),
    ],
)
def test_patterns_that_fill_the_memory_are_refused(pattern, why):
    with pytest.raises(ValueError, match=why) as caught:
        Card(**CARD | {"grammar": pattern})
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize(
    "template", ["{speaker:>20000000000}", "{speaker:*^100}", "{speaker.__class__}", "{speaker[0]}", "{speaker!r:>9}"]
)
@pytest.mark.parametrize("key", ["speaker", "text", "session", "partition"])
def test_templates_give_the_text_of_a_field_and_nothing_else(key, template):
    with pytest.raises(ValueError, match=f"`{key}` is no template"):
        Card(**CARD | {key: template})


def test_a_width_of_two_digits_stands(tmp_path):
    (tmp_path / "angry_an.wav").touch()
    (row,) = scan(Card(**CARD | {"speaker": "{speaker:0>4}"}), tmp_path).rows
    assert row["speaker"].endswith("00an")


def test_aliases_that_expand_are_refused_before_they_are_built(tmp_path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    (tmp_path / "bomb.yaml").write_text("\n".join([*lines, "emotion: *a11"]))
    with pytest.raises(CardError, match="values") as caught:
        load_card(tmp_path / "bomb.yaml")
    assert len(str(caught.value)) < 1000
    few = parse_yaml("base: &base [a, b]\nmore: [*base, *base]", "x")
    assert few["more"] == [["a", "b"], ["a", "b"]]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_what_is_nested_too_deeply_is_refused(tmp_path, opening):
    (tmp_path / "deep.yaml").write_text("name: " * (opening != "- ") + opening * 5000)
    with pytest.raises(XlserError, match=r"nested|YAML"):
        load_card(tmp_path / "deep.yaml")
    with pytest.raises(RecipeError, match=r"nested|YAML"):
        load_recipe(str(tmp_path / "deep.yaml"))
    with pytest.raises(ValueError, match="nested"):
        parse_lenient("[" * 100_000 + "]" * 100_000)


def test_a_file_that_is_no_card_by_its_size_is_not_read(tmp_path):
    with (tmp_path / "large.yaml").open("wb") as file:
        file.truncate(10**11)
    for read in (read_yaml, load_card):
        with pytest.raises(XlserError, match="bytes at most"):
            read(tmp_path / "large.yaml")


@pytest.mark.parametrize("name", ["card.yaml", "results.json", "best.json", "model.json", "recipe.json"])
def test_a_pipe_in_place_of_a_file_is_no_file(tmp_path, name):
    """In a process of its own: what opens it waits for ever."""
    os.mkfifo(tmp_path / name)
    words = {"card.yaml": ["corpora", "verify", tmp_path / name, "--root", tmp_path]}.get(name, ["report", tmp_path])
    words = ["predict", tmp_path, __file__] if name == "model.json" else words
    command = [sys.executable, "-m", "xlser.cli.main", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr


def test_messages_stay_short(tmp_path):
    (tmp_path / "long.yaml").write_text(f"name: {'n' * 10**6}\ntitle: [{'t, ' * 20_000}]\n{'k' * 900}: 1\n")
    with pytest.raises(CardError) as caught:
        load_card(tmp_path / "long.yaml")
    assert len(str(caught.value)) < 2 * LONGEST
    assert "name" in str(caught.value)
    assert len(shortened({"a": [{"b": "c" * 10**6}] * 10**5})) < 2000

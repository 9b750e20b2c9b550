"""File names that are no Unicode: a recording with one is left out and named, and costs nothing else."""

import os
import shutil
import subprocess
import sys

import pytest
import soundfile
import yaml
from click.testing import CliRunner

from xlser.cli.main import xlser
from xlser.printable import print_everything, printable

CARD = {
    "name": "toy",
    "title": "Toy",
    "languages": ["de"],
    "licence": "CC0",
    "elicitation": "acted",
    "audio": "**/*.wav",
    "grammar": r"(?P<speaker>s\d+)_(?P<emotion>[a-z]+)_(?P<take>.+)",
    "emotion": {"ang": "anger", "sad": "sadness"},
}
SHOWN = "s0_ang_\\xe9.wav"


@pytest.fixture
def folder(tmp_path, voice, monkeypatch):
    """Return a folder, itself of such a name, with twelve recordings and one of such a name."""
    root = os.fsencode(tmp_path) + b"/caf\xe9"
    try:
        os.makedirs(root + b"/toy")
    except OSError:
        pytest.skip("this disk takes only UTF-8 names")
    for number in range(12):
        name = f"s{number % 3}_{('ang', 'sad')[number % 2]}_{number}.wav"
        soundfile.write(tmp_path / name, voice(pitch=100 + 9 * number, seed=number), 16_000)
        shutil.move(os.fsencode(tmp_path / name), root + b"/toy/" + name.encode())
    shutil.copy(root + b"/toy/s0_ang_0.wav", root + b"/toy/s0_ang_\xe9.wav")
    (tmp_path / "toy.yaml").write_text(yaml.safe_dump(CARD), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XLSER_CACHE", str(tmp_path / "cache"))
    return os.fsdecode(root) + "/toy"


@pytest.mark.parametrize(
    "command",
    [
        ["verify", "toy.yaml", "--root", "FOLDER"],
        ["prepare", "toy.yaml", "--root", "FOLDER"],
        ["prepare", "toy.yaml", "--root", "FOLDER", "--out", "toy.csv"],
        ["init", "FOLDER", "--out", "init.yaml", "--force"],
        ["audit", "toy.yaml", "--root", "toy=FOLDER", "--no-features"],
    ],
    ids=lambda command: command[0],
)
def test_commands_name_it_and_go_on(folder, tmp_path, command):
    words = [word.replace("FOLDER", folder) for word in command]
    for _ in range(2):  # the second time from what was remembered
        done = CliRunner().invoke(xlser, ["corpora", *words])
        assert done.exception is None or isinstance(done.exception, SystemExit)
        assert "UTF-8" in done.output
    if command[0] != "prepare":
        assert SHOWN in done.output
    else:
        assert "12 utterances" in done.output


def test_a_process_prints_such_names(tmp_path):
    script = "from xlser.printable import print_everything; print_everything(); print('caf\\udce9 \\ud800')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.strip() == b"caf\\xe9 \\ud800"
    assert callable(print_everything)


def test_a_page_of_such_names_can_be_written(tmp_path):
    from xlser.atomic import write_text

    write_text(tmp_path / "page.html", "é caf\udce9")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == "é caf\\xe9"
    assert printable(tmp_path) == str(tmp_path)


def test_a_folder_of_such_a_name_is_run_on(folder, tmp_path):
    from xlser.experiment.run import run_recipe
    from xlser.experiment.workplace import Workplace
    from xlser.training.recipe import Recipe

    (tmp_path / "other.yaml").write_text(yaml.safe_dump(CARD | {"name": "other"}), encoding="utf-8")
    about = {"source": "toy.yaml", "targets": ("other.yaml",), "features": "logmel", "model": "none"}
    recipe = Recipe(
        name="odd", emotions=("anger", "sadness"), training={"seeds": 1}, evaluation={"draws": 100}, **about
    )
    place = Workplace(roots={"toy": folder, "other": folder}, cache=tmp_path / "cache", progress=False)
    said: list[str] = []
    place.say = said.append
    for _ in range(2):
        run_recipe(recipe, tmp_path / "run", place)
    assert "is finished" in said[-1]

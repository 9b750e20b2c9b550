"""The command line: what a user types, what it prints, and that a mistake is one sentence and not a traceback."""

import subprocess
import sys

import pytest

from xlser.cli import main as cli
from xlser.corpora.card import load_card
from xlser.corpora.synthetic import synthesise


@pytest.mark.parametrize("words", [[], *[[verb] for verb in cli.VERBS], ["corpora", "verify"], ["corpora", "prepare"]])
def test_every_verb_has_help(xlser, words):
    status, out, _ = xlser(*words, "--help")
    assert status == 0
    assert "Usage: xlser" in out


def test_version(xlser):
    assert xlser("--version")[1].startswith("xlser, version ")


def test_list_and_show(xlser):
    out = xlser("corpora", "list")[1]
    assert {line.split()[0] for line in out.splitlines()} >= {"emodb", "urdu", "ravdess", "synthetic-de"}
    assert "29 speakers" in xlser("corpora", "show", "urdu")[1]


def test_a_card_that_cannot_be_read_does_not_hide_the_others(xlser, tmp_path, monkeypatch):
    (tmp_path / "broken.yaml").write_text("name: broken\ntitel: x\n")
    monkeypatch.setenv("XLSER_CARDS", str(tmp_path))
    out = xlser("corpora", "list")[1]
    assert "emodb" in out
    assert "unknown key; did you mean 'title'?" in out


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return synthesise(
        load_card("synthetic-it"),
        tmp_path_factory.mktemp("it") / "synthetic-it",
        sentences=1,
        speakers=2,
        progress=False,
    )


def test_verify_prepare_and_their_exit_status(xlser, small, tmp_path):
    status, out, _ = xlser("corpora", "verify", "synthetic-it", "--root", small)
    assert status == 0
    assert "utterances: 12 of 288" in out
    status, out, _ = xlser("corpora", "prepare", "synthetic-it", "--root", small, "--out", tmp_path / "m.parquet")
    assert status == 0
    assert (tmp_path / "m.parquet").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["corpora", "show", "urdo"], "did you mean 'urdu'?"),
        (["corpora", "verify", "urdu", "--root", "/nowhere"], "/nowhere does not exist"),
        (["run", "nothing.yaml"], "no recipe at nothing.yaml"),
        (["run", "emodb/dae-activation", "--set", "training.epoch=5"], "did you mean 'epochs'?"),
        (["run", "emodb/dae-activation", "--set", "training.epochs=many"], "training.epochs"),
        (["run", "emodb/dae-activation", "--set", "epochs"], "--set needs KEY=VALUE"),
        (["run", "emodb/dae-activation", "--root", "emodb"], "--root needs CORPUS=DIR"),
        (["report", "/nowhere"], "/nowhere"),
    ],
)
def test_a_mistake_is_one_clear_message(xlser, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    status, _, err = xlser(*words)
    assert status == 1
    assert err.startswith("error: ")
    assert said in err
    assert "Traceback" not in err
    assert not list(tmp_path.iterdir())


def test_an_unknown_verb_is_refused(xlser):
    status, _, err = xlser("corpra")
    assert status == 2
    assert "corpra" in err


def test_all_mistakes_in_a_recipe_are_told_at_once(xlser, tmp_path):
    recipe = tmp_path / "r.yaml"
    recipe.write_text("name: r\nsource: emodb\ntargets: [urdu]\ntrainig: {}\nmodel: {latent: two, depth: 3}\n")
    err = xlser("run", recipe)[2]
    assert "3 problems" in err
    assert all(part in err for part in ("did you mean 'training'?", "model.latent", "model.depth: unknown key"))


def test_run_writes_a_report_that_report_makes_anew(xlser, tmp_path, monkeypatch):
    monkeypatch.setenv("XLSER_CACHE", str(tmp_path / "cache"))
    for name in ("synthetic-es", "synthetic-ur"):
        synthesise(load_card(name), tmp_path / "data" / name, sentences=1, progress=False)
    recipe = tmp_path / "r.yaml"
    recipe.write_text(
        "name: r\nsource: synthetic-es\ntargets: [synthetic-ur]\nsplit: {folds: 4}\n"
        "training: {epochs: 2, seeds: 1}\nevaluation: {draws: 100}\n"
    )
    status, out, err = xlser("run", recipe, "--data-root", tmp_path / "data", "--out", tmp_path / "run")
    assert status == 0, err
    report = tmp_path / "run" / "report.html"
    assert out.rstrip().endswith(str(report))
    before = report.read_text()
    report.unlink()
    assert xlser("report", tmp_path / "run")[1].strip() == str(report)
    assert report.read_text() == before


def test_a_finished_command_works_in_a_fresh_process(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "xlser.cli.main", "corpora", "list"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0
    assert "emodb" in done.stdout

"""``xlser corpora init``: each option reaches the table, a terminal is asked, and the next command is named."""

import sys

import pytest
import soundfile

from xlser.corpora.card import load_card


@pytest.fixture
def table(tmp_path, voice):
    """A table none of whose headings is known, in an encoding of its own."""
    rows = ["zz|aa|bb|cc|dd"]  # zz: names that the recordings had once
    for number, (who, mood) in enumerate([("Żaneta", "zły"), ("Żaneta", "smutny"), ("Jan", "zły"), ("Jan", "smutny")]):
        soundfile.write(tmp_path / f"r{number}.wav", voice(1.0, seed=number), 16_000)
        rows.append(f"old{number}.wav|r{number}.wav|{who}|{'K' if who == 'Żaneta' else 'M'}|{mood}")
    (tmp_path / "t.csv").write_text("\n".join(rows), encoding="cp1250")
    return tmp_path / "t.csv"


NAMED = {"--audio-column": "aa", "--speaker-column": "bb", "--sex-column": "cc", "--emotion-column": "dd"}


@pytest.mark.parametrize("missing", ["", *NAMED])
def test_each_option_names_its_column(xlser, table, tmp_path, missing):
    words = [word for pair in NAMED.items() if pair[0] != missing for word in pair]
    card = tmp_path / "c.yaml"
    options = ("--encoding", "cp1250", "--separator", "|")
    status, out, _ = xlser("corpora", "init", table, "--out", card, *words, *options)
    assert status == 0
    assert f"xlser corpora verify {card} --root {tmp_path}" in out
    if missing in ("--audio-column", "--emotion-column"):
        assert "EDIT" in out
        status, _, err = xlser("corpora", "verify", card, "--root", tmp_path)
        assert status != 0
        assert "not finished" in err
        return
    made = load_card(card)
    assert ("speaker" in made.table.columns) == (missing != "--speaker-column")
    assert bool(made.sex) == (missing != "--sex-column")
    assert xlser("corpora", "verify", card, "--root", tmp_path)[0] == 0


def test_a_terminal_is_asked_and_a_script_is_not(xlser, table, tmp_path, monkeypatch):
    card = tmp_path / "c.yaml"
    assert xlser("corpora", "init", table, "--out", card)[0] == 0
    assert "emotion: EDIT" in card.read_text(encoding="utf-8")
    answers, guesses = iter([5, 3]), []  # paths are known by their suffix: the emotion, and who speaks, is asked

    def answer(*_, default, **__):
        guesses.append(default)
        return next(answers)

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.prompt", answer)
    assert xlser("corpora", "init", table, "--out", card, "--force", "--audio-column", "aa")[0] == 0
    assert load_card(card).table.columns == {"emotion": ("dd",), "speaker": ("bb",)}
    assert guesses == [5, None], "the guess is the column whose cells are emotions"


def test_cards_of_ones_own_are_verified_never(xlser, table, tmp_path, monkeypatch):
    words = [word for pair in NAMED.items() for word in pair]
    assert xlser("corpora", "init", table, "--out", tmp_path / "mine.yaml", "--name", "mine", *words)[0] == 0
    monkeypatch.setenv("XLSER_CARDS", str(tmp_path))
    _, out, _ = xlser("corpora", "list")
    (line,) = [line for line in out.splitlines() if line.startswith("mine ")]
    assert " never " in line


@pytest.mark.parametrize(("option", "value"), [("--encoding", "ascii"), ("--separator", ";")])
def test_options_reach_the_table_of_a_folder_and_its_fault_is_the_reason(xlser, table, tmp_path, option, value):
    status, out, _ = xlser("corpora", "init", tmp_path, "--out", tmp_path / "c.yaml", option, value)
    assert status == 0
    (reason,) = [line for line in out.splitlines() if "NOT FINISHED" in line]
    assert f"table {table}" in reason


def test_a_folder_without_the_table_that_an_option_speaks_of(xlser, tmp_path, voice):
    for name in ("angry_1", "sad_1", "angry_2", "sad_2"):
        soundfile.write(tmp_path / f"{name}.wav", voice(0.5), 16_000)
    assert "NOT FINISHED" not in xlser("corpora", "init", tmp_path, "--out", tmp_path / "a.yaml")[1]
    _, out, _ = xlser("corpora", "init", tmp_path, "--out", tmp_path / "b.yaml", "--emotion-column", "mood")
    assert "holds no table" in out

"""``xlser corpora init``: each option reaches the table, a terminal is asked, and the next command is named."""

import sys

import pytest
import soundfile

from xlser.corpora.card import load_card


@pytest.fixture
def table(tmp_path, voice):
    """A table none of whose headings is known, in an encoding of its own."""
    rows = ["aa|bb|cc|dd"]
    for number, (who, mood) in enumerate([("Żaneta", "zły"), ("Żaneta", "smutny"), ("Jan", "zły"), ("Jan", "smutny")]):
        soundfile.write(tmp_path / f"r{number}.wav", voice(1.0, seed=number), 16_000)
        rows.append(f"r{number}.wav|{who}|{'K' if who == 'Żaneta' else 'M'}|{mood}")
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
    answers = iter([4, 2])  # paths are known by their suffix: what says the emotion, and who speaks, is asked
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.prompt", lambda *_, **__: next(answers))
    assert xlser("corpora", "init", table, "--out", card, "--force", "--audio-column", "aa")[0] == 0
    assert load_card(card).table.columns == {"emotion": ("dd",), "speaker": ("bb",)}


def test_cards_of_ones_own_are_verified_never(xlser, table, tmp_path, monkeypatch):
    words = [word for pair in NAMED.items() for word in pair]
    assert xlser("corpora", "init", table, "--out", tmp_path / "mine.yaml", "--name", "mine", *words)[0] == 0
    monkeypatch.setenv("XLSER_CARDS", str(tmp_path))
    _, out, _ = xlser("corpora", "list")
    (line,) = [line for line in out.splitlines() if line.startswith("mine ")]
    assert " never " in line

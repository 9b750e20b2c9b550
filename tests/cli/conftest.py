"""The command line called as a shell would call it."""

import sys

import pytest

from xlser.cli import main as cli


@pytest.fixture
def xlser(monkeypatch, capsys, tmp_path):
    """Call the command line with a cache of its own; returns exit status, standard output and standard error."""
    monkeypatch.setenv("XLSER_CACHE", str(tmp_path.parent / f"{tmp_path.name}-cache"))

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["xlser", *map(str, words)])
        status = 0
        try:
            cli.main()
        except SystemExit as done:
            status = done.code or 0
        return status, *capsys.readouterr()

    return call

"""What `xlser doctor` says of a sound machine and of broken ones, and what the verbs say before they begin."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from xlser.environment import system
from xlser.environment.check import Check
from xlser.environment.examine import READING, check_environment
from xlser.environment.libraries import check_libraries
from xlser.environment.versions import check_versions, requirements
from xlser.errors import MachineError

REPOSITORY = Path(__file__).resolve().parents[2]


def xlser(*words, path=(), **environment):
    path = os.pathsep.join([*map(str, path), str(REPOSITORY)])
    return subprocess.run(
        [sys.executable, "-m", "xlser.cli.main", *words],
        env=os.environ | {"PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def other_torchaudio(tmp_path):
    """A torchaudio of another release than the torch beside it: its metadata says so, and it does not import."""
    (tmp_path / "torchaudio").mkdir()
    (tmp_path / "torchaudio" / "__init__.py").write_text("raise OSError('libtorchaudio.so: undefined symbol: x')")
    about = tmp_path / "torchaudio-2.8.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: torchaudio\nVersion: 2.8.0\n")
    return tmp_path


@pytest.mark.slow
def test_a_sound_machine_passes(tmp_path):
    done = xlser("doctor", "--json", HF_HUB_OFFLINE="1", XLSER_CACHE=str(tmp_path / "cache"))
    found = json.loads(done.stdout)
    status = {check["name"]: check["status"] for check in found["checks"]}
    assert (done.returncode, found["ok"], found["schema"]) == (0, True, 1)
    assert "fail" not in status.values()
    assert {"torch works", "opensmile works", "espeak works", "torch, torchaudio", "model hub", "cache"} <= set(status)


@pytest.mark.slow
def test_doctor_names_a_pair_that_does_not_fit_and_the_command_that_mends_it(other_torchaudio):
    done = xlser("doctor", path=[other_torchaudio], HF_HUB_OFFLINE="1")
    assert done.returncode == 1
    line = next(line for line in done.stdout.splitlines() if "torchaudio 2.8.0" in line)
    assert "FAIL" in line
    assert "torch " in line
    assert "pip install 'torch" in line
    assert any("FAIL" in line and "speechbrain works" in line for line in done.stdout.splitlines())
    assert any("ok" in line and "soxr works" in line for line in done.stdout.splitlines())


def test_a_run_says_the_same_before_it_reads_a_recording(other_torchaudio, tmp_path):
    cache = tmp_path / "cache"
    done = xlser(
        "run", "synthetic/dae-both", "--cache", str(cache), "--out", str(tmp_path / "run"), path=[other_torchaudio]
    )
    assert done.returncode == 1
    assert "torchaudio 2.8.0" in done.stderr
    assert "pip install 'torch" in done.stderr
    assert not cache.exists()
    assert not (tmp_path / "run").exists()


def test_what_computes_the_features_is_looked_at_before_a_recording_is_read(tmp_path):
    (tmp_path / "opensmile.py").write_text("raise OSError('libsmile.so: undefined symbol: x')")
    cache, out = tmp_path / "cache", tmp_path / "run"
    done = xlser("run", "synthetic/dae-both", "--cache", str(cache), "--out", str(out), path=[tmp_path])
    assert done.returncode == 1
    assert "libsmile.so" in done.stderr
    assert not cache.exists()
    assert not out.exists()


def test_make_is_named_in_its_own_environment_alone(tmp_path, monkeypatch):
    import xlser.environment.versions as versions

    monkeypatch.setattr(versions, "__file__", str(tmp_path / "xlser" / "environment" / "versions.py"))
    monkeypatch.setattr(versions, "version", lambda name: "0.0.1")
    (tmp_path / "requirements.lock").touch()
    assert "make" not in check_versions(["soxr"])[0].remedy
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    assert f"rm -f {tmp_path}/.venv/.installed && make -C {tmp_path} setup" in check_versions(["soxr"])[0].remedy


def test_the_working_folder_is_not_looked_in(tmp_path, monkeypatch):
    (tmp_path / "soxr.py").write_text("raise ImportError('of the working folder')")
    monkeypatch.chdir(tmp_path)
    (check,) = check_libraries(("soxr",))
    assert check.status == "ok"


def test_no_folder_for_temporary_files_is_a_failed_check(tmp_path, monkeypatch):
    def none():
        raise FileNotFoundError("No usable temporary directory")

    (tmp_path / "file").touch()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.gettempdir", none)
    found = {check.name: check for check in system.check_system()}
    assert found["temporary folder"].status == "fail"


def test_versions_are_held_against_xlsers_own_metadata(monkeypatch):
    needs = requirements()
    assert {"torch", "torchaudio", "soxr", "opensmile"} <= set(needs)
    assert "distributed" not in needs  # of an extra
    assert {check.status for check in check_versions()} == {"ok"}
    monkeypatch.setattr("xlser.environment.versions.version", lambda name: "0.0.1")
    broken = check_versions(["soxr", "torch", "torchaudio"])
    assert [(check.name, check.status) for check in broken] == [("torch, torchaudio", "fail"), ("soxr", "fail")]
    assert all(str(needs[name]) in check.detail for check in broken for name in check.name.split(", "))


def test_a_library_that_ends_python_is_reported_and_ends_nothing(tmp_path, monkeypatch):
    (tmp_path / "soxr.py").write_text("import os; os.abort()")
    monkeypatch.syspath_prepend(str(tmp_path))
    broken, sound = check_libraries(("soxr", "faiss"))
    assert (broken.status, sound.status) == ("fail", "ok")
    assert "SIGABRT" in broken.detail


def test_a_library_that_computes_nonsense_is_reported(tmp_path, monkeypatch):
    (tmp_path / "soxr.py").write_text("def resample(*_): return []")
    monkeypatch.syspath_prepend(str(tmp_path))
    (check,) = check_libraries(("soxr",))
    assert check.status == "fail"
    assert "length" in check.detail


def test_the_check_before_work_takes_no_time_and_passes_here():
    check_environment()  # what is imported once
    began = time.perf_counter()
    check_environment(READING)
    assert time.perf_counter() - began < 0.05


def test_a_missing_library_stops_with_its_range(monkeypatch):
    monkeypatch.setattr("xlser.environment.versions._installed", lambda name: None)
    with pytest.raises(MachineError, match=r"soxr not installed.*soxr"):
        check_environment()


def test_a_cache_that_cannot_be_written_fails(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XLSER_CACHE", str(tmp_path / "file" / "cache"))
    found = {check.name: check for check in system.check_system()}
    assert found["cache folder"].status == "fail"
    assert "XLSER_CACHE" in found["cache folder"].remedy


def test_a_hub_that_does_not_answer_is_a_warning():
    import requests

    def unreachable(*_, **__):
        raise requests.ConnectionError

    assert system._reached("https://hub.invalid", unreachable).status == "warn"
    assert system._reached("https://hub.invalid", lambda *_, **__: None).status == "ok"


def test_a_line_tells_the_status_by_shape_and_by_word():
    lines = [Check("x", status, "y").line() for status in ("ok", "warn", "fail")]
    assert len({line[0] for line in lines}) == 3
    assert [word in line for word, line in zip(("ok", "warn", "FAIL"), lines, strict=True)] == [True] * 3

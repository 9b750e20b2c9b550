"""The set-up script on machines that lack something: it stops at once and says what is missing."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
NO_NETWORK = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"), "http://127.0.0.1:9")


@pytest.fixture
def checkout(tmp_path):
    """A copy of what the set-up reads, without an environment."""
    folder = tmp_path / "checkout"
    (folder / ".ci").mkdir(parents=True)
    shutil.copy(REPOSITORY / ".ci" / "setup", folder / ".ci" / "setup")
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(REPOSITORY / name, folder)
    return folder


@pytest.fixture
def python(tmp_path):
    """Return a function: an interpreter that does ``lines`` of shell first, and then what it is asked for."""

    def make(lines):
        path = tmp_path / "python3"
        path.write_text(f'#!/bin/sh\n{lines}\nexec "{sys.executable}" "$@"\n')
        path.chmod(0o755)
        return path

    return make


def set_up(checkout, python, **environment):
    plain = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    path = "/usr/bin:/bin"  # no uv here, as on a new machine
    return subprocess.run(
        [".ci/setup", str(python)],
        cwd=checkout,
        env={**plain, "PATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def of_version(version):
    code = f"import sys; sys.version_info = {version}; exec(sys.stdin.read())"
    return f"""[ "$1" = - ] && exec "{sys.executable}" -c '{code}'"""


@pytest.mark.parametrize("version", [(3, 9, 18), (3, 14, 0)])
def test_another_python_is_refused_by_its_number(checkout, python, version):
    result = set_up(checkout, python(of_version(version)))
    assert result.returncode == 1
    assert f" is 3.{version[1]}." in result.stderr
    assert "make PYTHON=" in result.stderr
    assert not (checkout / ".venv").exists()


def test_a_python_that_is_not_there(checkout):
    result = set_up(checkout, "python3.99")
    assert result.returncode == 1
    assert "python3.99" in result.stderr


def test_without_the_venv_module_debians_package_is_named_and_nothing_is_left(checkout, python):
    result = set_up(checkout, python('[ "$2" = venv ] && { echo "ensurepip is not available" >&2; exit 1; }'))
    assert result.returncode == 1
    assert "apt-get install python3-venv" in result.stderr
    assert not (checkout / ".venv").exists()


def test_without_a_network_the_step_is_named_within_seconds(checkout):
    began = time.monotonic()
    result = set_up(checkout, sys.executable, PIP_NO_INDEX="", PIP_FIND_LINKS="", PIP_NO_CACHE_DIR="1", **NO_NETWORK)
    assert result.returncode == 1
    assert "package index" in result.stderr
    assert time.monotonic() - began < 60
    assert not (checkout / ".venv" / ".installed").exists()


def test_a_half_made_environment_is_made_anew(checkout, python):
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").write_text("cut sh")
    result = set_up(checkout, python('[ "$2" = venv ] && { echo made anew; exit 1; }'))
    assert "made anew" in result.stderr + result.stdout


def test_a_full_disk_is_said_before_anything_is_fetched(checkout, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "df").write_text("#!/bin/sh\necho Filesystem\necho /dev/x 9 9 1000000 1% /\n")
    (tmp_path / "bin" / "df").chmod(0o755)
    result = set_up(checkout, sys.executable, PATH=f"{tmp_path / 'bin'}:/usr/bin:/bin")
    assert result.returncode == 1
    assert "1 GB" in result.stderr
    assert not (checkout / ".venv").exists()


def test_a_second_call_does_nothing(checkout):
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").symlink_to(sys.executable)
    stamp = checkout / ".venv" / ".installed"
    stamp.touch()
    os.utime(stamp, (time.time() + 10,) * 2)  # sh compares whole seconds
    result = set_up(checkout, sys.executable, **NO_NETWORK)
    assert (result.returncode, result.stdout) == (0, "")

"""What is installed from a wheel works outside a checkout."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    pytest.importorskip("hatchling", reason="building a wheel needs hatchling: pip install -e '.[dev]'")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        return set(wheel.namelist())


@pytest.mark.parametrize("kind", ["corpora", "recipes"])
def test_every_card_and_recipe_is_in_the_wheel(names, kind):
    for path in (ROOT / kind).rglob("*.yaml"):
        assert f"xlser/shipped/{path.relative_to(ROOT).as_posix()}" in names


def test_types_template_and_style_are_in_the_wheel_and_tests_are_not(names):
    assert {
        "xlser/py.typed",
        "xlser/reporting/templates/page.html.j2",
        "xlser/reporting/templates/report.css",
    } <= names
    assert not any(name.startswith(("tests/", "corpora/", "recipes/")) for name in names)

"""The served page in a headless browser: its fake microphone, and a file, become a timeline."""

import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from ragged import make_ragged

from xlser.experiment.run import run_recipe
from xlser.experiment.workplace import Workplace
from xlser.training.recipe import Recipe

CHROMIUM = next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)
FLAGS = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]


@pytest.fixture(scope="module")
def served_page(tmp_path_factory):
    pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")
    root = make_ragged(tmp_path_factory.mktemp("page"))
    recipe = Recipe(
        name="page",
        source="synthetic-de",
        targets=("synthetic-tr",),
        features={"extractor": "logmel"},
        split={"folds": 4},
        training={"epochs": 1, "seeds": 1},
        evaluation={"draws": 100},
    )
    run = run_recipe(recipe, root / "run", Workplace(root, cache=root / "cache", progress=False, say=lambda text: None))
    words = ["serve", str(run), "--no-browser", "--port", "0", "--data-root", str(root)]
    with subprocess.Popen(
        [sys.executable, "-m", "xlser.cli.main", *words], stderr=subprocess.PIPE, text=True
    ) as process:
        yield next(found[1] for line in process.stderr if (found := re.search(r"open (http://\S+) in", line)))
        process.terminate()


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_a_microphone_and_a_file_become_timelines(served_page, tmp_path):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    tone = np.sin(np.arange(16_000 * 6) / 9) * (1 + np.sin(np.arange(16_000 * 6) / 2000)) / 4
    soundfile.write(tmp_path / "call.wav", tone, 16_000)
    errors, asked = [], []
    with playwright.sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(served_page)
        page.set_input_files("#file", tmp_path / "call.wav")
        page.wait_for_selector("#export-csv:visible:enabled", timeout=20_000)
        assert page.locator("#timeline *").count()
        page.click("#record")
        page.wait_for_timeout(2500)
        with page.expect_response(lambda answer: "/api/timeline" in answer.url) as answered:
            page.click("#stop")
        assert answered.value.status == 200
        assert '"event": "end"' in answered.value.text()
        browser.close()
    assert not errors
    assert all(url.startswith((served_page, "blob:", "data:")) for url in asked)

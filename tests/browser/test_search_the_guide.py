"""The built guide, opened as files: its search finds what a word stands in."""

import shutil

import pytest

from xlser.cli.main import xlser as command
from xlser.docs.site import build_site

CHROMIUM = next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)
# The search lives in a shadow tree: what it was asked stands in its field, the answers below.
FINDS = """([word, answer]) => [...document.querySelectorAll("*")].some(({ shadowRoot }) =>
  shadowRoot?.querySelector("input")?.value === word && /[1-9]\\d* results?/.test(shadowRoot.textContent) &&
  [...shadowRoot.querySelectorAll("a, li")].some((hit) => hit.textContent.includes(answer)))"""


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_pages_that_are_opened_as_files_are_searched(tmp_path):
    pytest.importorskip("zensical", reason="the site is built by Zensical: pip install 'xlser[docs]'")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    first = build_site(tmp_path / "docs", command)
    faults = []
    with playwright.sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("requestfailed", lambda request: faults.append(request.url))
        page.on("request", lambda request: request.url.startswith("http") and faults.append(request.url))
        page.goto(first.as_uri())
        page.wait_for_timeout(300)
        page.keyboard.press("Control+k")
        page.wait_for_timeout(300)
        for word, answer in (("textgrid", "Predict"), ("speaker_sex", "Corpus cards")):
            page.keyboard.press("Control+a")
            page.keyboard.type(word, delay=40)
            page.wait_for_function(FINDS, arg=[word, answer], timeout=10_000)
        browser.close()
    assert not faults

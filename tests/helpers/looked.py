"""A page as a person sees it: in a real browser, wide and on a phone, light and dark."""

import os
import shutil
from itertools import product
from pathlib import Path

SIZES = ((1400, 900), (390, 844))
# What is read in the page: texts smaller than 12 px (in the first screen's picture as they are scaled), links that lead
# nowhere, and how much of a part is seen.
SMALL = """() => [...document.querySelectorAll('body *')].filter(e => {
  if (!e.checkVisibility() || ![...e.childNodes].some(n => n.nodeType == 3 && n.textContent.trim())) return false;
  const svg = e.ownerSVGElement, box = svg && svg.viewBox.baseVal;
  const scale = box && box.width && e.closest('.picture') ? svg.getBoundingClientRect().width / box.width : 1;
  return parseFloat(getComputedStyle(e).fontSize) * scale < 11.9 && e.getBoundingClientRect().width > 1;
}).map(e => e.textContent.trim().slice(0, 40) + ' ' + getComputedStyle(e).fontSize)"""
DANGLING = """() => [...document.querySelectorAll('a[href^="#"]')].map(a => a.getAttribute('href').slice(1))
  .filter(id => id && !document.getElementById(id))"""
SHOWN = """selector => { const e = document.querySelector(selector); if (!e) return null;
  const r = e.getBoundingClientRect(), h = Math.min(r.bottom, innerHeight) - Math.max(r.top, 0);
  return r.height ? Math.max(0, h) / r.height : 0; }"""


def executable():
    """Return a Chromium that is there: XLSER_BROWSER, or one on the PATH; None where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("XLSER_BROWSER") or next(filter(None, map(shutil.which, names)), None)


def faults(browser, path, axe, *, answered):
    """Return all that is wrong with a page, a line each; ``answered`` pages open on their answer and a picture."""
    found: list[str] = []
    for number, ((width, height), mode) in enumerate(product(SIZES, ("light", "dark"))):
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=mode)
        _listen(page, found)
        page.goto(Path(path).resolve().as_uri())
        where = f"{width} px, {mode}"
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{where}: wider than the window")
        for part, least in ((".says", 1.0), (".picture", 0.5)) if answered else ():
            share = page.evaluate(SHOWN, part)
            if share is None or share < least:
                found.append(f"{where}: {part} is shown to {share} on the first screen")
        page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
        found += [f"{where}: small text: {text}" for text in page.evaluate(SMALL)]
        found += [f"{where}: no place #{name}" for name in page.evaluate(DANGLING)]
        page.evaluate("document.querySelectorAll('pre').forEach(part => part.remove())")  # files as they are
        if "`" in page.inner_text("body"):
            found.append(f"{where}: a backtick")
        if number in (0, 3):  # axe takes seconds: wide and light, and a phone in the dark
            violations = axe.run(page).response["violations"]
            found += [f"{where}: {one['id']}: {one['nodes'][0]['html'][:150]}" for one in violations]
        page.close()
    return list(dict.fromkeys(found))


def _listen(page, found):
    page.on("console", lambda message: message.type == "error" and found.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: found.append(f"script: {error}"))
    page.on("request", lambda asked: asked.url.startswith("http") and found.append(f"asks for {asked.url}"))

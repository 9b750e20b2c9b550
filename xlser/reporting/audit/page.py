"""The audit as one self-contained HTML page, as JSON with everything in it, and as text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from markupsafe import Markup

from xlser.ownfiles import OwnFiles
from xlser.reporting.audit.finding import SEVERITIES
from xlser.reporting.audit.findings import findings
from xlser.reporting.html import html
from xlser.reporting.pages import PAGES, assemble
from xlser.reporting.section import Page
from xlser.reporting.text import text
from xlser.reporting.wording import listing


def write_audit(result: dict[str, Any], folder: str | Path) -> tuple[Path, Path]:
    """Write ``audit.html`` and ``audit.json`` into a folder and return their paths.

    The JSON holds the result of `xlser.experiment.audit.audit_corpora` with ``findings`` added, worst first. The page
    loads nothing from elsewhere and runs no script.

    Raises:
        XlserError: the folder cannot be written.
    """
    whole = result | {"findings": findings(result)}
    own = OwnFiles(folder)
    own.write("audit.json", json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    own.write("audit.html", html(audit_page(whole)))
    return Path(folder) / "audit.html", Path(folder) / "audit.json"


def audit_text(result: dict[str, Any]) -> str:
    """Return the audit as text."""
    return text(assemble(PAGES["audit in a terminal"], {"findings": findings(result)} | result))


def audit_page(result: dict[str, Any]) -> Page:
    """Return the page of an audit whose ``findings`` are there."""
    about, heading = result["about"], listing(one["corpus"] for one in result["corpora"])
    totals = {name: sum(row["severity"] == name for row in result["findings"]) for name in SEVERITIES}
    bold = Markup("<strong>{} is synthetic speech: no evidence about human emotion.</strong>")
    banners: list[str] = [bold.format(one["corpus"]) for one in result["corpora"] if one["synthetic"]]
    if not about["decoded"]:
        banners += ["The audio was not decoded: duplicates, levels and the cues that need them are not audited."]
    which = "this corpus" if len(result["corpora"]) == 1 else "these corpora"
    return Page(
        title=f"Audit of {heading}",
        kind=f"xlser audit · {about['finished']}",
        heading=heading,
        sub=f"What is in {which} before anything is learnt: {totals['serious']} serious, {totals['caution']} to be "
        f"said beside results, {totals['note']} to be known.",
        banners=banners,
        sections=assemble(PAGES["audit"], result),
        footer=f"Made by xlser {about['xlser']} in {about['seconds']} s. This page loads nothing from elsewhere.",
    )

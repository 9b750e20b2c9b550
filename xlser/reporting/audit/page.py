"""The audit as files: one self-contained HTML page, and JSON with everything in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from xlser.atomic import write_text
from xlser.reporting.audit.figures import shortcut_picture
from xlser.reporting.audit.finding import SEVERITIES, many, percent
from xlser.reporting.audit.findings import findings
from xlser.reporting.page import environment

_TEMPLATES = Path(__file__).parent / "templates"
LEVEL_NAMES = {
    "peak": ("Peak", 2, ""),
    "rms_db": ("Level (RMS)", 1, "dB"),
    "dc": ("DC offset / RMS", 3, ""),
    "clipped": ("Clipped samples", 4, ""),
    "lead_s": ("Silence before", 2, "s"),
    "trail_s": ("Silence after", 2, "s"),
    "silent_share": ("Share of silence", 2, ""),
    "cutoff_hz": ("Band ends at", 0, "Hz"),
}


def write_audit(result: dict[str, Any], folder: str | Path) -> tuple[Path, Path]:
    """Write ``audit.html`` and ``audit.json`` into a folder and return their paths.

    The JSON holds the result of `xlser.experiment.audit.audit_corpora` with ``findings`` added, worst first. The page
    loads nothing from elsewhere and runs no script.

    Raises:
        XlserError: the folder cannot be written.
    """
    folder = Path(folder)
    whole = result | {"findings": findings(result)}
    page, data = folder / "audit.html", folder / "audit.json"
    write_text(data, json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    write_text(page, audit_html(whole))
    return page, data


def audit_html(result: dict[str, Any]) -> str:
    """Return the page of an audit whose ``findings`` are there."""
    page = environment(_TEMPLATES)
    page.filters["percent"] = percent
    page.globals |= {"many": many, "zip": zip}
    return page.get_template("audit.html.j2").render(
        **result,
        names=[one["corpus"] for one in result["corpora"]],
        totals={name: sum(row["severity"] == name for row in result["findings"]) for name in SEVERITIES},
        pictures=[shortcut_picture(one, place) for place, one in enumerate(result["corpora"])],
        matrices=[_matrix(one["matrix"]) for one in result["corpora"]],
        level_names=LEVEL_NAMES,
    )


def _matrix(table: dict[str, Any]) -> dict[str, Any]:
    """Return the table of speakers by emotions with each cell's share of its row."""
    rows = [
        (name, sum(cells), [(cell, cell / sum(cells)) for cell in cells])
        for name, cells in zip(table["rows"], table["counts"], strict=True)
    ]
    return {"columns": table["columns"], "rows": rows}

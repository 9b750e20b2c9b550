"""A timeline as a file to keep: CSV, JSON lines, or a TextGrid of Praat."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from xlser.experiment.use.model import Model
from xlser.experiment.use.timeline_output import rows_to, write_textgrid
from xlser.serve.answers import Asked, heard_windows
from xlser.serve.desk import Event, Job

# The format, its type and its suffix.
FORMATS = {
    "csv": ("text/csv; charset=utf-8", ".csv"),
    "jsonl": ("application/x-ndjson", ".jsonl"),
    "textgrid": ("text/plain; charset=utf-8", ".TextGrid"),
}


def file_events(form: str, asked: Asked, model: Model, job: Job) -> Iterator[Event]:
    """Yield the texts of a file of that form, ``csv`` and ``jsonl`` window by window.

    Raises:
        Refused: see `heard_windows`.
    """
    labels = asked.labels or model.classes
    windows = heard_windows(asked, model, job)
    if form == "textgrid":
        heard = list(windows)
        with tempfile.TemporaryDirectory(prefix="xlser-serve-") as folder:
            out = Path(folder) / "timeline.TextGrid"
            write_textgrid(heard, model, labels, out)
            text = out.read_text(encoding="utf-8")
        yield {"text": text}
        return
    file = io.StringIO()
    write = rows_to(form, file)
    for window in windows:
        write(asked.upload.label, window, model, labels)
        yield {"text": file.getvalue()}
        file.seek(0)
        file.truncate()


def as_attachment(label: str, form: str) -> dict[str, str]:
    """Return the header by which a browser keeps an answer under the recording's name.

    >>> as_attachment("café.wav", "csv")
    {'Content-Disposition': "attachment; filename*=UTF-8''caf%C3%A9.csv"}
    """
    name = quote(Path(label).stem + FORMATS[form][1], safe="")
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}

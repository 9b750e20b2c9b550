"""From a run's folder to a page that answers: what ``xlser serve`` does, and says."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from xlser.errors import CorpusError, MachineError

INSTALL = 'pip install "xlser[serve]"'
_NEEDED = ("fastapi", "uvicorn", "python_multipart")


def open_server(
    folder: Path,
    *,
    host: str,
    port: int,
    data_root: Path | None,
    roots: tuple[str, ...],
    limits: Mapping[str, Any],
    browser: bool,
    **which: Any,
) -> None:
    """Load a model and answer until a signal ends it.

    Args:
        folder: of a run, a bench or a search; ``which`` of its models, as `xlser.load` takes it.
        host: and ``port`` to listen on, 0 for any that is free.
        data_root: and ``roots``: where corpora lie whose clips can be heard.
        limits: fields of `Limits` that are others than usual.
        browser: open the page, where there is a screen.

    Raises:
        MachineError: the extra is not installed. XlserError: the port is in use, or what `xlser.load` raises.
        CorpusError: ``data_root`` is no folder.
    """
    check_installed()

    from xlser.experiment.use.model import load
    from xlser.experiment.use.protocol import protocol_lines
    from xlser.experiment.workplace import Workplace, parse_roots
    from xlser.serve.app import create_app
    from xlser.serve.hosts import Hosts
    from xlser.serve.limits import Limits
    from xlser.serve.server import address, bind, serve

    if data_root is not None and not data_root.is_dir():
        raise CorpusError(f"--data-root must be a folder that holds a folder for each corpus, but is {data_root}.")
    place = Workplace(data_root, parse_roots(roots), progress=False) if data_root or roots else None
    model = load(folder, **which)
    for line in (model.text(), *protocol_lines(model.chosen, None)):
        say(line)
    with bind(host, port) as listening:
        app = create_app(
            model, limits=Limits(**limits), hosts=Hosts.of(host), corpora=place, say=say, debug=debugging()
        )
        url = address(listening)
        for line in welcome(url, host, place is not None):
            say(line)
        if browser and has_screen():
            # Connections wait in the socket until the server takes them.
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
        serve(app, listening)
    say("ended; nothing of the recordings is left.")


def welcome(url: str, host: str, clips: bool) -> list[str]:
    """Return what is said once the server listens."""
    from xlser.serve.hosts import is_loopback

    lines = [f"open {url} in a browser; Ctrl-C ends it."]
    if not clips:
        lines.append("clips of the corpora cannot be heard: give --data-root DIR, which holds a folder for each.")
    if not is_loopback(host):
        heard = " and listen to the clips of the corpora that answers name" if clips else ""
        lines.append(
            f"warning: --host {host} lets everybody who reaches this machine's network ask{heard}, without a password, "
            "and what they send is not encrypted. Browsers give a page the microphone on localhost or by https only. "
            "To use it from elsewhere yourself: ssh -L 8000:127.0.0.1:8000 THIS-MACHINE"
        )
    return lines


def check_installed() -> None:
    """See that the extra is there.

    Raises:
        MachineError: it is not; the message says how to install it.
    """
    lacking = [name for name in _NEEDED if find_spec(name) is None]
    if lacking:
        raise MachineError(f"xlser serve needs {', '.join(lacking)}, not installed here: {INSTALL}")


def has_screen() -> bool:
    """Say whether a browser would open in a window, and not in this terminal."""
    return sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def debugging() -> bool:
    """Say whether errors are to be shown with where they came from."""
    return "--debug" in sys.argv or os.environ.get("XLSER_DEBUG", "").lower() in ("1", "true", "yes", "on")


def say(text: str) -> None:
    """Print a line beside the answers of commands."""
    print(text, file=sys.stderr, flush=True)

"""How a command ends when it is told to by a signal, and how the processes that help it end with it."""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, NoReturn

from xlser.temporaries import remove_own

# Ctrl-C, a scheduler's or `kill`'s request, a terminal that was closed; Windows knows not all of them.
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
PATIENCE = 10.0  # seconds for what is being done to end by itself
_LOOK = 0.5  # seconds between two looks at whether a parent lives
_PR_SET_PDEATHSIG = 1
STOPPED = "Stopped. What was done is kept; the same command goes on from there."


class Ending:
    """What a process does about signals that end it: the first one is a KeyboardInterrupt, whichever it is.

    Others of the kind, such as a closed terminal sends, change nothing then; a second Ctrl-C ends it at once, and so
    does time, where the first was swallowed or threads do not come to an end.

    Attributes:
        signal: the first one; 0 while there was none.
    """

    def __init__(self) -> None:
        self.signal = 0
        self._since = 0.0
        self._unraisable: Callable[[Any], object] = sys.unraisablehook

    def interrupt(self, number: int, frame: FrameType | None) -> None:
        """Be the handler of such a signal."""
        if self.signal:
            if number == signal.SIGINT or time.monotonic() - self._since > PATIENCE:
                self.leave()
            return
        self.signal, self._since = number, time.monotonic()
        # The bare thread: threading's own takes locks, which the interrupted code may hold.
        _thread.start_new_thread(self._leave_late, ())
        raise KeyboardInterrupt

    def swallowed(self, unraisable: Any) -> None:
        """Be `sys.unraisablehook`: an interrupt in a callback of C code goes no further, so end here."""
        if self.signal and issubclass(unraisable.exc_type, KeyboardInterrupt):
            self.leave()
        self._unraisable(unraisable)

    def leave(self) -> NoReturn:
        """Say that it was stopped, remove what is half written, and end the process with 128 + the signal.

        At once: threads may be deep in openSMILE, and an ordinary exit would tear them down under it.
        """
        number = self.signal or signal.SIGINT
        with suppress(OSError, ValueError, RuntimeError):  # the terminal may be gone, or someone be writing to it
            os.write(2, f"{STOPPED}\n".encode())
        remove_own()
        with suppress(OSError, ValueError, RuntimeError):
            sys.stdout.flush()
        os._exit(128 + number)

    def _leave_late(self) -> None:
        time.sleep(PATIENCE)
        self.leave()


@contextmanager
def told_by_signals() -> Iterator[Ending]:
    """Let signals end what is done within as `Ending` says; those that are ignored (nohup), or taken, stay so."""
    ending, before = Ending(), {}
    if threading.current_thread() is threading.main_thread():
        for name in SIGNALS:
            number = getattr(signal, name, None)
            if number and signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                before[number] = signal.signal(number, ending.interrupt)
    hook, sys.unraisablehook = sys.unraisablehook, ending.swallowed
    try:
        yield ending
    finally:
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)


def follow(parent: int, at_once: bool = True) -> None:
    """Make this process end when its parent is gone, however that ended; only the parent ends it by Ctrl-C.

    Linux kills it with the parent, in whatever code it is. Elsewhere a thread looks twice a second, as it does here in
    case the kernel was not asked in time.

    Args:
        parent: the number of the parent.
        at_once: whether Linux is asked. It looks at the thread that started this process: leave it out where that may
            end before the parent does.
    """
    if os.name != "posix":
        return
    if threading.current_thread() is threading.main_thread():
        # A terminal sends these to parent and child alike. The parent decides what becomes of the work.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if at_once and sys.platform == "linux":
        import ctypes

        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_watch, args=(parent,), name="xlser-parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK)
    remove_own()
    os._exit(1)

"""Trainers' processes, which are no children of the window's."""

import contextlib
import os
import signal
from pathlib import Path

from explorer.errors import UserFacingError
from explorer.protocol.runs import Noted, RunStopped
from explorer.runs.journal import JournalWriter
from explorer.runs.layout import RunFolder


def end_process(pid: int) -> None:
    """End it at once, whatever it does."""
    if pid > 0:
        with contextlib.suppress(OSError):  # it ended by itself just now
            os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def is_gone(pid: int) -> bool:
    """Whether there is no such process any more, or one that has ended and was only not yet cleared away."""
    if os.name == "nt":  # there os.kill would end it
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[:1] == ["Z"]


def write_down_end(run: RunFolder, seconds: float) -> None:
    """Say in its journal that the run was stopped, because its trainer, which was ended, no longer can."""
    with contextlib.suppress(UserFacingError):  # then it says of itself that it ended without a word
        journal = JournalWriter(run.journal_path)
        try:
            journal.append(
                Noted(text=f"It did not end by itself within {seconds:.0f} s and was ended; its last checkpoint holds.")
            )
            journal.append(RunStopped())
        finally:
            journal.close()

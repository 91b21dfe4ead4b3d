"""The thread that follows runs by what they write down; it only reads, and parses here rather than in the window."""

import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import Signal

from explorer.gui.worker import Worker
from explorer.protocol.runs import AnyRunEvent
from explorer.runs.alive import is_alive
from explorer.runs.folder import ListedRun, list_runs
from explorer.runs.journal import JournalReader
from explorer.runs.launching import log_tail
from explorer.runs.layout import RunFolder
from explorer.runs.state import RunState

POLL_S = 0.1
"""Journals of runs that live are looked at so often, and so often at most something is handed over."""

LIST_S = 1.0
"""Runs are listed so often; a run of the command line appears, and one that ended is looked at, too."""

@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What is new of one run.

    Attributes:
        path: its folder.
        alive: a process holds it.
        state: at the first time, everything its journal says; it belongs to whoever gets it. None: :attr:`events` come
            on top of what was handed over before.
        n_events: how many came, in either way.
        log_tail: what the process printed last; only where it lives no more.
    """

    path: Path
    alive: bool
    n_events: int
    state: RunState | None = None
    events: tuple[AnyRunEvent, ...] = ()
    log_tail: str = ""


class Watcher(Worker):
    """Lists the runs of a folder and follows their journals until it is told to stop.

    Signals:
        listed(tuple of ListedRun): there are other runs than before, newest first.
        came(list of News): at most ten times a second.
    """

    listed = Signal(tuple)
    came = Signal(list)

    def __init__(self, runs_folder: Path) -> None:
        super().__init__("run watcher")
        self._runs_folder = runs_folder
        self._followed: dict[Path, _Followed] = {}
        self._told: tuple[ListedRun, ...] | None = None
        self._expected: set[Path] = set()
        self._wake = threading.Event()
        self._hurried = False
        self._stopped = False

    def look_now(self, expected: Path | None = None) -> None:
        """List at once: a run was made or deleted, or one is ``expected`` to live soon. From any thread."""
        if expected is not None:
            self._expected.add(expected)
        self._hurried = True
        self._wake.set()

    def stop(self) -> None:
        """End soon. From any thread."""
        self._stopped = True
        self._wake.set()

    def work(self) -> None:
        """List and follow."""
        next_listing_s = 0.0
        while not self._stopped:
            now_s = time.monotonic()
            every_run = self._hurried or now_s >= next_listing_s
            if every_run:
                self._hurried = False
                next_listing_s = now_s + LIST_S
                self._list()
            looked = [
                followed.look(ask=every_run or path in self._expected)
                for path, followed in self._followed.items()
                if every_run or followed.alive or path in self._expected
            ]
            news = [new for new in looked if new is not None]
            self._expected -= {path for path, followed in self._followed.items() if followed.alive}
            if news and not self._stopped:
                self.came.emit(news)
            busy = bool(self._expected) or any(followed.alive for followed in self._followed.values())
            self._wake.wait(POLL_S if busy else LIST_S)
            self._wake.clear()

    def give_up(self, path: Path) -> None:
        """The run that was expected to live will not. From any thread."""
        self._expected.discard(path)

    def _list(self) -> None:
        runs = list_runs(self._runs_folder)
        paths = {run.path for run in runs}
        for path in [path for path in self._followed if path not in paths]:
            del self._followed[path]
        for run in runs:
            if run.path not in self._followed and not run.problem:
                self._followed[run.path] = _Followed(RunFolder(run.path))
        if runs != self._told:
            self._told = runs
            self.listed.emit(runs)


class _Followed:
    """One run and how far its journal was read."""

    def __init__(self, run: RunFolder) -> None:
        self.alive = False
        self._run = run
        self._reader = JournalReader(run.journal_path)
        self._known = False
        self._size = -1

    def look(self, *, ask: bool) -> News | None:
        """What is new; None: nothing is. ``ask``: also whether it lives, which takes longer."""
        was_alive = self.alive
        if ask:
            self.alive = is_alive(self._run)  # before reading, so that what it wrote at its end is then read
        size = _size_of(self._run.journal_path)
        if self._known and size == self._size and self.alive == was_alive:
            return None
        self._size = size
        events = tuple(self._reader.read())
        new = News(
            path=self._run.path, alive=self.alive, n_events=len(events), events=events,
            log_tail="" if self.alive else log_tail(self._run),
        )  # fmt: skip
        if self._known:
            return new
        self._known = True
        state = RunState()
        for event in events:
            state.take(event)
        return replace(new, state=state, events=())


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0

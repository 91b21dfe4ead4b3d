"""One run at a time: living runs of a runs folder wait for each other, the oldest made goes first.

Who trains holds a lock in the runs folder for the life of its process; the system frees it however the process ends.
A run must be held (``alive.hold``) before it waits, or those made after it would not see it.
"""

import time
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from explorer.cancellation import CancellationToken
from explorer.errors import UserFacingError
from explorer.runs.alive import is_alive
from explorer.runs.failures import written
from explorer.runs.folder import describe, run_folders
from explorer.runs.layout import RunFolder

_LOCK = ".turn"
_LOOK_AGAIN_S = 0.3
_STOP_WITHIN_S = 0.05

_turns: dict[Path, FileLock] = {}
"""This process's turns by runs folder; here so that a lock lives as long as the process does."""


def wait_for_turn(
    run: RunFolder, runs_folder: Path, token: CancellationToken, say: Callable[[str], None]
) -> None:
    """Return once it is this run's turn; it then is until this process ends or :func:`end_turn`.

    Parameters
    ----------
    run
        held by this process.
    runs_folder
        in which runs wait for each other.
    token
        looked at several times a second.
    say
        is given the name of the run that is waited for, whenever that is another one.

    Raises
    ------
    Cancelled
        a stop was asked for.
    ConfigError
        the runs folder cannot be written to.
    """
    said = ""
    while True:
        token.check()
        living = _other_living_runs(run, runs_folder)
        before = [name for age, name in living if age < _age(run)]
        if not before and take_turn(runs_folder):
            return
        # A younger run that trains already is let end; it is the oldest of the younger ones.
        behind = before[-1] if before else living[0][1] if living else ""
        if behind and behind != said:
            say(behind)
            said = behind
        _wait(token)


def take_turn(runs_folder: Path) -> bool:
    """Take the turn now if it is free, whoever waits; whether this process has it."""
    folder = runs_folder.absolute()
    if folder in _turns:
        return True
    lock = FileLock(folder / _LOCK, thread_local=False)
    with written(folder / _LOCK):
        try:
            lock.acquire(timeout=0)
        except Timeout:  # an OSError, too, but not one of the disk's
            return False
    _turns[folder] = lock
    return True


def end_turn(runs_folder: Path) -> None:
    """Let the next run go, in a process that goes on; the turn need not have been taken."""
    lock = _turns.pop(runs_folder.absolute(), None)
    if lock is not None:
        lock.release()


def _other_living_runs(run: RunFolder, runs_folder: Path) -> list[tuple[tuple[float, str], str]]:
    """Age and name of the other runs that wait or train, oldest first."""
    others = (other for other in run_folders(runs_folder) if other.name != run.name)
    return sorted((_age(other), other.name) for other in others if is_alive(other))


def _age(run: RunFolder) -> tuple[float, str]:
    try:
        return describe(run).made_at, run.name
    except UserFacingError:  # it lives, so it is let go first
        return 0.0, run.name


def _wait(token: CancellationToken) -> None:
    until = time.monotonic() + _LOOK_AGAIN_S
    while time.monotonic() < until:
        token.check()
        time.sleep(_STOP_WITHIN_S)

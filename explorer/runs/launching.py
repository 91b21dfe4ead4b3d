"""Start a trainer that outlives whoever starts it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from explorer.errors import ConfigError
from explorer.runs.failures import written
from explorer.runs.layout import RunFolder
from explorer.runs.orders import forget_orders

_SHELL = "/bin/sh"
_DETACH = 'log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!'


def trainer_command(data_dir: Path) -> list[str]:
    """The command of this installation that :func:`start_trainer` completes with a run."""
    return [sys.executable, "-m", "explorer", "--data-dir", str(data_dir), "train"]


def start_trainer(run: RunFolder, command: Sequence[str]) -> int:
    """Start ``command --resume RUN --queued`` as a process of its own, and return its id.

    It has a session of its own, reads nothing, and appends what it prints to the run's ``trainer.log``. It is no child
    of this process, which so never has to wait for it.

    Raises
    ------
    ConfigError
        it cannot be started.
    StorageFullError
        there is no room for its log.
    """
    whole = [*command, "--resume", str(run.path), "--queued"]
    if shutil.which(whole[0]) is None:
        raise _not_started(f"{whole[0]} is not there or may not be run")
    forget_orders(run)
    with written(run.log_path), run.log_path.open("ab"):
        pass
    try:
        return _start_on_windows(run, whole) if sys.platform == "win32" else _start(run, whole)
    except (OSError, ValueError) as error:
        raise _not_started(str(getattr(error, "strerror", None) or error)) from error


def _start(run: RunFolder, command: Sequence[str]) -> int:
    # The shell ends at once and leaves the trainer to the system, which reaps it.
    told = subprocess.run(
        [_SHELL, "-c", _DETACH, _SHELL, str(run.log_path), *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        start_new_session=True,
        check=False,
    )
    return int(told.stdout)


def _start_on_windows(run: RunFolder, command: Sequence[str]) -> int:
    flags = ("DETACHED_PROCESS", "CREATE_NEW_PROCESS_GROUP", "BELOW_NORMAL_PRIORITY_CLASS")
    with run.log_path.open("ab") as log:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            creationflags=sum(getattr(subprocess, flag, 0) for flag in flags),
        )
    child.returncode = 0  # it is left alone, which Popen would complain about
    return child.pid


def log_tail(run: RunFolder, n_bytes: int = 4096) -> str:
    """The last of what the trainer's process printed; empty if nothing was, or it cannot be read."""
    try:
        with run.log_path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - n_bytes))
            return file.read().decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _not_started(reason: str) -> ConfigError:
    return ConfigError(
        f"The training process cannot be started ({reason}).", "Check the installation: retrieval-explorer doctor."
    )

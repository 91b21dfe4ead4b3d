"""Real trainer processes for tests: forked from a server that has imported what they need, and killed at will."""

import functools
import hashlib
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

from explorer.runs.layout import RunFolder

MODELS = Path(__file__).resolve().parents[2] / "models"
_PRELOADED = ["explorer.training.trainer", "explorer.training.image_sentence", "explorer.training.running",
              "explorer.training.run_logs", "explorer.training.dsmhn", "explorer.cli",
              "tests.helpers.killable"]  # fmt: skip
_LONGEST_S = 120.0


@functools.cache
def _context() -> multiprocessing.context.ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    return context


def no_commit(folder: Path) -> str:
    """In the place of the checkout's commit on cards, which may change while a test runs."""
    return "unknown"


def _train(run: Path, runs_folder: Path, save_every_s: float | None) -> None:
    """The process."""
    from explorer.training import packaging, phases
    from explorer.training.running import RunCall, run_trainer

    packaging.commit_of = no_commit
    if save_every_s is not None:
        phases.run_phase.__kwdefaults__["save_every_s"] = save_every_s
    run_trainer(RunCall(run=RunFolder(run), runs_folder=runs_folder, search_folders=[MODELS]))


def start(run: Path, *, save_every_s: float | None = None) -> BaseProcess:
    """A trainer at work on this run; ``save_every_s``: 0.0 for a checkpoint at every step."""
    process = _context().Process(target=_train, args=(run, run.parent, save_every_s))
    process.start()
    return process


def _command(arguments: list[str], printed: Path) -> None:
    """The process of a command, as ``python -m explorer`` would be."""
    with printed.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.argv = ["retrieval-explorer", *arguments]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    from explorer.__main__ import main
    from explorer.training import packaging

    packaging.commit_of = no_commit
    main()


def start_command(arguments: list[str], printed: Path) -> BaseProcess:
    """The program with these arguments; ``printed``: takes what it prints."""
    process = _context().Process(target=_command, args=(arguments, printed))
    process.start()
    return process


def _train_stuck(run: Path, measure: str) -> None:
    """A run whose measurement never ends."""
    from explorer.training.dsmhn_phase import DSMHNPhase

    endless = {
        "in Python": lambda: time.sleep(10_000.0),
        "in native code": lambda: hashlib.pbkdf2_hmac("sha256", b"", b"", 2_000_000_000),
    }

    def stuck(phase: object) -> object:
        (run / "measuring").touch()
        return endless[measure]()

    DSMHNPhase.measure = stuck  # type: ignore[assignment, method-assign]
    _train(run, run.parent, None)


def start_stuck(run: Path, measure: str) -> BaseProcess:
    """A trainer that comes no further than its first measurement; the file ``measuring`` says that it came so far."""
    process = _context().Process(target=_train_stuck, args=(run, measure))
    process.start()
    return process


def wait_until(seen: Callable[[], object], process: BaseProcess) -> bool:
    """Until it is seen, or the process is over; whether it was seen."""
    until = time.monotonic() + _LONGEST_S
    while process.is_alive():
        if seen():
            return True
        assert time.monotonic() < until, "the trainer neither did what was waited for nor ended"
        time.sleep(0.0005)
    return bool(seen())


def end(process: BaseProcess) -> None:
    """Kill it with the signal that no process hears."""
    process.kill()
    process.join()

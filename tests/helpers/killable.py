"""Real trainer processes for tests: forked from a server that has imported what they need, and killed at will."""

import functools
import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

from explorer.runs.layout import RunFolder

MODELS = Path(__file__).resolve().parents[2] / "models"
_PRELOADED = ["explorer.training.trainer", "explorer.training.image_sentence", "explorer.training.running",
              "explorer.training.run_logs", "tests.helpers.killable"]  # fmt: skip
_LONGEST_S = 120.0


@functools.cache
def _context() -> multiprocessing.context.ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    return context


def _train(run: Path, runs_folder: Path, save_every_s: float | None) -> None:
    """The process."""
    from explorer.training import phases
    from explorer.training.running import RunCall, run_trainer

    if save_every_s is not None:
        phases.run_phase.__kwdefaults__["save_every_s"] = save_every_s
    run_trainer(RunCall(run=RunFolder(run), runs_folder=runs_folder, search_folders=[MODELS]))


def start(run: Path, *, save_every_s: float | None = None) -> BaseProcess:
    """A trainer at work on this run; ``save_every_s``: 0.0 for a checkpoint at every step."""
    process = _context().Process(target=_train, args=(run, run.parent, save_every_s))
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

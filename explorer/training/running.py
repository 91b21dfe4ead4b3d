"""A training run in a process: what it is told, what it writes down, and how it ends, whatever happens.

PyTorch is imported only once it is the run's turn: a run that waits takes next to no memory.
"""

import faulthandler
import os
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from explorer import __version__
from explorer.cancellation import Cancelled
from explorer.errors import UserFacingError
from explorer.protocol.runs import Estimated, Finished, PhaseStarted, RunBegan, RunEvent, RunFailed, RunStopped, Waited
from explorer.runs.alive import hold
from explorer.runs.folder import RunFolder, describe
from explorer.runs.journal import JournalReader, JournalWriter
from explorer.runs.turn import end_turn, take_turn, wait_for_turn
from explorer.training.control import RunToken
from explorer.training.failures import OTHER_PROCESS, failure_of
from explorer.training.listening import heard_signals, ignore_signals, listening

if TYPE_CHECKING:
    from explorer.training.compute import Compute
    from explorer.training.run_logs import RunLogs

_NICENESS = 10
_BELOW_NORMAL_PRIORITY = 0x4000
_LONGEST_LAST_WORD_S = 0.5
_PAST_KEEPING = {
    "pooled": "This recipe has no epochs: its model is made in one go, which goes on.",
    "distillation": "A vision package is made of its last epoch; the run goes on.",
}

Outcome = Finished | RunStopped | RunFailed | Estimated
"""How a run, or its estimate, ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCall:
    """What a trainer is started with.

    Attributes:
        run: its folder.
        runs_folder: in which runs wait for each other; features and models lie beside it.
        search_folders: where packages are looked for.
        recipe_folder: what relative paths in the recipe start at; None for what the run says.
        device: as ``--device`` has it; empty for what the run says.
        queued: whether it waits for its turn.
        estimate: whether only some steps are made, to say what the whole run would take.
        own_process: whether priority, threads and signals of this process are the run's.
        show: is given every event, too.
    """

    run: RunFolder
    runs_folder: Path
    search_folders: Sequence[Path]
    recipe_folder: Path | None = None
    device: str = ""
    queued: bool = False
    estimate: bool = False
    own_process: bool = True
    show: Callable[[RunEvent], None] = lambda event: None


def rank() -> int:
    """Which of the processes that ``torchrun`` started this one is; 0 where it did not start it."""
    return int(os.environ.get("RANK", "0"))


def run_trainer(call: RunCall) -> Outcome:
    """Train a run to its end, or until it is stopped; what happens is in its journal, and shown.

    With ``torchrun`` this is for the process of rank 0; :func:`assist` is for the others.

    Raises
    ------
    ConfigError, StorageFullError
        another process trains the run, or its folder cannot be written to. Everything later ends in the journal.
    """
    with hold(call.run), closing(JournalWriter(call.run.journal_path)) as journal:
        trainer = _Trainer(call, journal)
        give_up = trainer.give_up if call.own_process else None
        with listening(call.run, trainer.token, from_start=call.queued, give_up=give_up):
            if not call.own_process:
                return trainer.work()
            with heard_signals(trainer.token):
                return trainer.work()


def assist(*, device: str, runs_folder: Path, search_folders: Sequence[Path]) -> int:
    """Take part in a run that rank 0 leads; the exit status."""
    from explorer.training.compute import choose_compute, joined_ranks

    ignore_signals()
    recipe_path, phase, finished = Path(), "", False
    try:
        compute = choose_compute(device or "auto")
        with joined_ranks(compute):
            path, recipe_folder, n_threads = compute.told(lambda: ("", "", 0))
            call = RunCall(
                run=RunFolder(Path(path)),
                runs_folder=runs_folder,
                search_folders=search_folders,
                recipe_folder=Path(recipe_folder),
            )
            recipe_path = call.run.recipe_path
            _settle(compute, n_threads)
            for event in _training(call, RunToken(_unheard), compute):
                phase = event.phase if isinstance(event, PhaseStarted) else phase
            finished = compute.told(lambda: False)
    except BaseException as error:  # noqa: BLE001 - torchrun ends all processes where one ends badly
        failed = failure_of(error, phase=phase, recipe_path=recipe_path)
        if failed.kind != OTHER_PROCESS:
            sys.stderr.write(f"Process {rank()}: {failed.message} {failed.remedy}\n{failed.details}")
        return 1
    return 0 if finished else 1


class _Trainer:
    """One run in this process.

    Attributes:
        token: what the work asks.
    """

    def __init__(self, call: RunCall, journal: JournalWriter) -> None:
        self._call, self._journal = call, journal
        self._logs: RunLogs | None = None
        self._one_voice = threading.Lock()
        self._phase = ""
        self._done: Finished | Estimated | None = None
        self._described = describe(call.run)
        self.token = RunToken(self._say)
        self.token.nothing_to_keep = _PAST_KEEPING.get(self._described.task, self.token.nothing_to_keep)

    def work(self) -> Outcome:
        """Train, whatever happens: the last event says how it ended."""
        call, token = self._call, self.token
        try:
            outcome = self._train()
        except (Cancelled, KeyboardInterrupt):
            outcome = self._done or RunStopped()
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is written down
            outcome = failure_of(error, phase=self._phase, recipe_path=call.run.recipe_path)
        finally:
            if not call.own_process:
                end_turn(call.runs_folder)
        with token.held():
            if self._logs is not None:
                self._logs.close()
            if isinstance(outcome, RunFailed):
                sys.stderr.write(outcome.details)
            if not isinstance(outcome, Finished | Estimated):
                self._last_word(outcome)
        return outcome

    def give_up(self) -> None:
        """End the process without waiting for the work, which was asked to stop; what is on disk is whole."""
        if self._one_voice.acquire(timeout=_LONGEST_LAST_WORD_S) and self._done is None:
            self._last_word(RunStopped(), locked=True)
        os._exit(0 if self._done else 1)

    def _train(self) -> Outcome:
        call, token = self._call, self.token
        if call.queued:
            wait_for_turn(call.run, call.runs_folder, token, lambda behind: self._say(Waited(behind=behind)))
        elif not call.estimate:
            take_turn(call.runs_folder)
        from explorer.training.compute import choose_compute, joined_ranks

        token.check()
        compute = choose_compute(call.device or self._described.device)
        recipe_folder = call.recipe_folder or self._described.recipe_folder
        n_threads = _threads_of(call.run, compute.n_ranks)
        token.can_leave = compute.n_ranks == 1
        with joined_ranks(compute):
            compute.told(lambda: (str(call.run.path), str(recipe_folder), n_threads))
            if call.own_process:
                _settle(compute, n_threads)
            self._logs = _logs_of(call.run)
            self._say(_began(call.run, compute, n_threads))
            self._follow(_training(call, token, compute))
            if compute.told(lambda: self._done is not None) and self._done is not None:
                return self._done
        raise Cancelled

    def _follow(self, events: Generator[RunEvent, None, None]) -> None:
        """Say all events."""
        try:
            for event in events:
                self._say(event)
        except Cancelled:
            # The stop was raised between two events: the work has yet to hear of it, and keeps what it has.
            with self.token.held():
                try:
                    self._say(events.throw(Cancelled()))
                    for event in events:
                        self._say(event)
                except (Cancelled, StopIteration):
                    pass
            raise

    def _say(self, event: RunEvent) -> None:
        """Write an event down, and show it; from any thread."""
        event = msgspec.structs.replace(event, at_s=time.time())
        with self.token.held(), self._one_voice:
            self._journal.append(event)
            if isinstance(event, PhaseStarted):
                self._phase = event.phase
            elif isinstance(event, Finished | Estimated):
                self._done = event  # a stop that comes now comes too late
            if self._logs is not None:
                self._logs.take(event)
            self._call.show(event)

    def _last_word(self, event: RunEvent, *, locked: bool = False) -> None:
        try:
            if locked:
                self._journal.append(event)
            else:
                self._say(event)
        except (UserFacingError, OSError) as error:  # a full disk: then at least whoever reads this knows
            sys.stderr.write(f"{error}\n")


def _training(call: RunCall, token: RunToken, compute: "Compute") -> Generator[RunEvent, None, None]:
    """All that the run says, or that its estimate does."""
    from explorer.training.estimate import estimate
    from explorer.training.trainer import train

    folders: dict[str, Any] = {
        "runs_folder": call.runs_folder,
        "search_folders": call.search_folders,
        "recipe_folder": call.recipe_folder or describe(call.run).recipe_folder,
    }
    if call.estimate:
        return estimate(
            call.run.recipe_path, work_folder=call.run.path / "estimate", token=token, compute=compute, **folders
        )
    return train(call.run.recipe_path, resume=call.run.path, token=token, compute=compute, **folders)


def _logs_of(run: RunFolder) -> "RunLogs":
    from explorer.training.run_logs import RunLogs  # TensorBoard's writer is as heavy as PyTorch

    return RunLogs(run)


def _unheard(event: RunEvent) -> None:
    pass


def _began(run: RunFolder, compute: "Compute", n_threads: int) -> RunBegan:
    import torch

    device = compute.device
    title = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type.upper()
    return RunBegan(
        run=run.name,
        pid=os.getpid(),
        device=title,
        n_threads=n_threads,
        n_ranks=compute.n_ranks,
        program_version=__version__,
    )


def _threads_of(run: RunFolder, n_ranks: int) -> int:
    """Threads to compute with: as many as when the run began, since sums depend on it; else all cores but one."""
    for event in JournalReader(run.journal_path).read():
        if isinstance(event, RunBegan) and event.n_ranks == n_ranks and event.n_threads:
            return event.n_threads
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if wanted.isdigit() and int(wanted):
        return int(wanted)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, (cores - 1) // n_ranks)


def _settle(compute: "Compute", n_threads: int) -> None:
    """Make this process one that trains: others go before it, and on a CPU the same steps give the same bits."""
    import torch

    with suppress(OSError):  # standard error may be no file, as where a test reads it
        faulthandler.enable()
    torch.set_num_threads(n_threads)
    if compute.device.type == "cpu":
        torch.use_deterministic_algorithms(True)
        # New memory is written by whoever asks for it; filling it first only takes time.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    if sys.platform == "win32":
        import ctypes

        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), _BELOW_NORMAL_PRIORITY)
    else:
        os.nice(max(0, _NICENESS - os.nice(0)))

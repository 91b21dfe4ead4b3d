"""Training runs as the window sees and steers them: what a person wants is a method, what is then so is a signal."""

from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from explorer.errors import UserFacingError
from explorer.gui.controller import Controller
from explorer.gui.engine_link import CLOSE_TIMEOUT_S
from explorer.gui.training.estimating import Estimating
from explorer.gui.training.followed_run import ENDING, Doing, FollowedRun
from explorer.gui.training.processes import end_process, is_gone, write_down_end
from explorer.gui.training.watcher import News, Watcher
from explorer.gui.worker import Job
from explorer.paths import places
from explorer.protocol.runs import AnyRunOrder, KeepBest, PauseRun, ResumeRun, StopRun
from explorer.runs import orders
from explorer.runs.folder import ListedRun, RunDescription, create_run, delete_run, describe
from explorer.runs.launching import log_tail, start_trainer, trainer_command
from explorer.runs.layout import RunFolder
from explorer.runs.state import RunState

PATIENCE_MS = 8000
"""A trainer that was stopped and still lives after so long is ended; its last checkpoint holds."""

_START_MS = 60_000
_TICK_MS = 500


_UNKNOWN = FollowedRun()


class TrainingControl(Estimating):
    """Starts runs, follows them by their journals and gives them orders; the runs live without it.

    Widgets of this room are made as ``Widget(controller, training, parent)``: the controller is the way to the engine
    (``controller.session.training``, ``controller.received``), this the way to runs.

    Signals:
        runs_changed(): there are other runs than before, or in another order.
        run_changed(Path): something is new of this run.
        refused(str): what was asked for cannot be done, a sentence with its remedy.
        finished(Path): the run finished just now, its package is written.
    """

    runs_changed = Signal()
    run_changed = Signal(object)
    refused = Signal(str)
    finished = Signal(object)

    def __init__(self, controller: Controller, data_dir: Path, parent: QObject | None = None) -> None:
        super().__init__(data_dir, parent)
        self.controller = controller
        self.listed = self._closed = False
        self._runs: dict[Path, FollowedRun] = {}
        self._tick = QTimer(self, interval=_TICK_MS)
        self._tick.timeout.connect(self._look_after)
        self._watcher = Watcher(places(data_dir).runs)
        self._watcher.listed.connect(self._listed)
        self._watcher.came.connect(self._came)
        self._watcher.failed.connect(self._watching_failed)
        self._watcher.start()

    def close(self) -> None:
        """Follow no longer; the runs go on."""
        self._tick.stop()
        self.stop_estimating()
        self._closed = True
        self._watcher.stop()
        self._watcher.join(CLOSE_TIMEOUT_S)  # a thread that outlives the application has nobody to tell its end

    # --- what is known ------------------------------------------------------------------------------------------------

    @property
    def runs_folder(self) -> Path:
        """Where runs are written."""
        return places(self._data_dir).runs

    def paths(self) -> tuple[Path, ...]:
        """The folders of all runs, newest first."""
        return tuple(self._runs)

    def living(self) -> tuple[Path, ...]:
        """Those that a trainer is at work on, or about to be, newest first."""
        return tuple(path for path, run in self._runs.items() if run.lives)

    def lives(self, path: Path) -> bool:
        """Whether a trainer is at work on it, or about to be."""
        return self._runs.get(path, _UNKNOWN).lives

    def state(self, path: Path) -> RunState:
        """What its journal says; a fresh one where nothing is known of the run."""
        return self._runs.get(path, _UNKNOWN).state

    def description(self, path: Path) -> RunDescription | None:
        """What was said when it was made; None where that cannot be read."""
        return self._runs.get(path, _UNKNOWN).description

    def problem(self, path: Path) -> str:
        """Why nothing can be told of it, a sentence; empty where it can."""
        return self._runs.get(path, _UNKNOWN).problem

    def doing(self, path: Path) -> Doing | None:
        """What was asked of it and has not happened yet."""
        return self._runs.get(path, _UNKNOWN).doing

    def recipe(self, path: Path) -> bytes:
        """The recipe as it was when the run was made; empty where it cannot be read."""
        try:
            return RunFolder(path).recipe_path.read_bytes()
        except OSError:
            return b""

    # --- before a run -------------------------------------------------------------------------------------------------

    def start(
        self, recipe: bytes, *, name: str, task: str, title: str, recipe_folder: Path, device: str
    ) -> Path | None:
        """Make a run and start its trainer; its folder, or None after ``refused``."""
        self.stop_estimating()
        try:
            run = create_run(
                places(self._data_dir).runs, name, recipe, task=task, title=title, recipe_folder=recipe_folder,
                device=device,
            )  # fmt: skip
            made = FollowedRun(description=describe(run))
        except UserFacingError as error:
            self.refused.emit(str(error))
            return None
        self._runs = {run.path: made, **self._runs}
        self.runs_changed.emit()
        self._launch(run.path)
        return run.path

    # --- during a run -------------------------------------------------------------------------------------------------

    def pause(self, path: Path) -> None:
        """Wait at the next step."""
        self._order(path, PauseRun(), Doing.PAUSING)

    def resume(self, path: Path) -> None:
        """Go on after a pause."""
        self._order(path, ResumeRun(), Doing.RESUMING)

    def stop(self, path: Path) -> None:
        """Keep a checkpoint and end; a trainer that does not end by itself in some seconds is ended."""
        self._order(path, StopRun(), Doing.STOPPING)

    def keep_best(self, path: Path) -> None:
        """End now, with a package of the best epoch so far."""
        self._order(path, KeepBest(), Doing.KEEPING)

    def go_on(self, path: Path) -> None:
        """Start the trainer again for a run that was stopped, failed or died."""
        if path in self._runs and not self.lives(path):
            self._launch(path)

    def discard(self, path: Path) -> None:
        """Stop it, then delete it; the person was asked."""
        if self.lives(path):
            self._order(path, StopRun(), Doing.DISCARDING)
        else:
            self.delete(path)

    def delete(self, path: Path) -> None:
        """Delete what is on disk of a run that is over; the package it made stays."""
        job = Job(lambda: delete_run(RunFolder(path)))
        job.failed.connect(self._job_failed)
        job.finished.connect(self._watcher.look_now)
        job.start()

    def _order(self, path: Path, order: AnyRunOrder, doing: Doing) -> None:
        run = self._runs.get(path)
        if run is None or not run.lives or (run.doing in ENDING and doing is not Doing.DISCARDING):
            return
        self._do(path, doing)
        try:
            orders.give(RunFolder(path), order)
        except UserFacingError as error:
            self._do(path, None)
            self.refused.emit(str(error))

    def _launch(self, path: Path) -> None:
        """Start a trainer, in a thread: it takes longer than a frame."""
        run = self._runs[path]
        run.started_pid, run.alive = 0, False  # an earlier one that still ends does not count
        self._do(path, Doing.STARTING)
        job = Job(lambda: (path, start_trainer(RunFolder(path), trainer_command(self._data_dir))))
        job.done.connect(self._launched)
        job.failed.connect(self._not_launched)
        job.start()

    @Slot(object)
    def _launched(self, started: tuple[Path, int]) -> None:
        path, pid = started
        if path in self._runs:
            self._runs[path].started_pid = pid
            self._watcher.look_now(path)

    @Slot(BaseException)
    def _not_launched(self, error: BaseException) -> None:
        for path, run in self._runs.items():
            if run.doing is Doing.STARTING and not run.started_pid:
                self._do(path, None)
        self.refused.emit(str(error))

    def _do(self, path: Path, doing: Doing | None) -> None:
        self._runs[path].ask(doing)
        if doing is not None:
            self._tick.start()
        self.run_changed.emit(path)

    # --- what runs say ------------------------------------------------------------------------------------------------

    @Slot(tuple)
    def _listed(self, listed: tuple[ListedRun, ...]) -> None:
        known, there = self._runs, {run.path for run in listed}
        # A list may have been made a moment before the run was.
        self._runs = {path: run for path, run in known.items() if run.doing is Doing.STARTING and path not in there}
        for one in listed:
            run = self._runs[one.path] = known.get(one.path, FollowedRun())
            run.description, run.problem = one.description or run.description, one.problem
        self.listed = True
        self.runs_changed.emit()

    @Slot(list)
    def _came(self, news: list[News]) -> None:
        for new in news if not self._closed else ():
            if new.path in self._runs:
                self._learn(new.path, self._runs[new.path], new)

    def _learn(self, path: Path, run: FollowedRun, new: News) -> None:
        finished = run.take(new)
        if not run.alive and run.doing is not Doing.STARTING:
            self._over(path, run, new.log_tail)
        self.run_changed.emit(path)
        if finished:
            self.finished.emit(path)

    def _over(self, path: Path, run: FollowedRun, printed: str) -> None:
        """No process holds it."""
        doing, run.doing = run.doing, None
        if doing is Doing.DISCARDING:
            self.delete(path)
        elif run.ended and run.state.live:
            run.ended = False
            write_down_end(RunFolder(path), PATIENCE_MS / 1000)
            self._watcher.look_now()
        else:
            run.state.died(printed)

    @Slot()
    def _look_after(self) -> None:
        """Whether what was asked for has happened."""
        for path, run in list(self._runs.items()):
            if run.doing is Doing.STARTING and run.started_pid and not run.alive:
                if is_gone(run.started_pid) or run.waited_ms > _START_MS:
                    self._not_begun(path, run)
            elif run.doing in (Doing.STOPPING, Doing.DISCARDING) and run.waited_ms > PATIENCE_MS:
                run.ended = True
                end_process(run.state.pid or run.started_pid)
        if not any(run.doing for run in self._runs.values()):
            self._tick.stop()

    def _not_begun(self, path: Path, run: FollowedRun) -> None:
        """The trainer ended before it said anything."""
        self._watcher.give_up(path)
        printed = log_tail(RunFolder(path))
        if not run.state.live:  # it was over before; that it cannot be gone on with is nowhere else to be read
            last_words = printed.splitlines()[-1] if printed else "It said nothing."
            self.refused.emit(f"The training process ended at once. {last_words}")
        self._over(path, run, printed)
        self.run_changed.emit(path)

    @Slot(BaseException)
    def _watching_failed(self, error: BaseException) -> None:
        self.refused.emit(f"Runs can no longer be followed ({error}). Start the program again; the runs go on.")

    @Slot(BaseException)
    def _job_failed(self, error: BaseException) -> None:
        self.refused.emit(str(error))

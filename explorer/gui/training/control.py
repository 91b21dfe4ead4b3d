"""Training runs as the window sees and steers them: what a person wants is a method, what is then so is a signal."""

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from explorer.gui.controller import Controller
from explorer.runs.folder import RunDescription
from explorer.runs.state import RunState


class TrainingControl(QObject):
    """Starts runs, follows them by their journals and gives them orders; the runs live without it.

    Widgets of this room are made as ``Widget(controller, training, parent)``: the controller is the way to the engine
    (``controller.session.training``, ``controller.received``), this the way to runs.

    Signals:
        runs_changed(): there are other runs than before, or in another order.
        run_changed(Path): something is new of this run.
        estimated(Estimated | RunFailed | None): what a run would take; None: it is being measured, or was stopped.
        refused(str): what was asked for cannot be done, a sentence with its remedy.
        finished(Path): the run finished just now, its package is written.
    """

    runs_changed = Signal()
    run_changed = Signal(object)
    estimated = Signal(object)
    refused = Signal(str)
    finished = Signal(object)

    def __init__(self, controller: Controller, data_dir: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._controller, self._data_dir = controller, data_dir

    # --- what is known ------------------------------------------------------------------------------------------------

    def paths(self) -> tuple[Path, ...]:
        """The folders of all runs, newest first."""
        raise NotImplementedError

    def state(self, path: Path) -> RunState:
        """What its journal says; a fresh one where nothing is known of the run."""
        raise NotImplementedError

    def description(self, path: Path) -> RunDescription | None:
        """What was said when it was made; None where that cannot be read."""
        raise NotImplementedError

    def recipe(self, path: Path) -> bytes:
        """The recipe as it was when the run was made; empty where it cannot be read."""
        raise NotImplementedError

    # --- before a run -------------------------------------------------------------------------------------------------

    def start(
        self, recipe: bytes, *, name: str, task: str, title: str, recipe_folder: Path, device: str
    ) -> Path | None:
        """Make a run and start its trainer; its folder, or None after ``refused``."""
        raise NotImplementedError

    def estimate(self, recipe: bytes, *, recipe_folder: Path, device: str) -> None:
        """Measure some real steps in a process of its own; ``estimated`` says what came of it."""
        raise NotImplementedError

    def stop_estimating(self) -> None:
        """The estimate is not wanted any more."""
        raise NotImplementedError

    # --- during a run -------------------------------------------------------------------------------------------------

    def pause(self, path: Path) -> None:
        """Wait at the next step."""
        raise NotImplementedError

    def resume(self, path: Path) -> None:
        """Go on after a pause."""
        raise NotImplementedError

    def stop(self, path: Path) -> None:
        """Keep a checkpoint and end; a trainer that does not end by itself in some seconds is ended."""
        raise NotImplementedError

    def keep_best(self, path: Path) -> None:
        """End now, with a package of the best epoch so far."""
        raise NotImplementedError

    def go_on(self, path: Path) -> None:
        """Start the trainer again for a run that was stopped, failed or died."""
        raise NotImplementedError

    def discard(self, path: Path) -> None:
        """Stop it, then delete it; the person was asked."""
        raise NotImplementedError

    def delete(self, path: Path) -> None:
        """Delete what is on disk of a run that is over; the package it made stays."""
        raise NotImplementedError

"""What the main window has of training: a line while a run lives, a word when one is over, the way to its window."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from explorer.engine.requests import Kind
from explorer.gui.controller import Controller
from explorer.gui.notices import Notice, Topic
from explorer.gui.pages import Step
from explorer.gui.phrases import quoted
from explorer.gui.training.asking import ask
from explorer.gui.training.control import TrainingControl
from explorer.gui.training.run_activity import RunActivity
from explorer.gui.training.run_sentences import activity_text, model_name, part_done, runs_text
from explorer.gui.worker import Job
from explorer.protocol import Failed, ModelList
from explorer.runs.state import RunStatus
from explorer.session import Received
from explorer.settings import TrainingSettings

if TYPE_CHECKING:  # comes when it is opened
    from explorer.gui.training.window import TrainingWindow


class TrainingPart(QObject):
    """Joins main window, runs and the window of training.

    Attributes:
        control: the runs.
        window: None until it is first opened.
    """

    def __init__(
        self, main: QWidget, controller: Controller, activity: RunActivity, data_dir: Path, settings: TrainingSettings
    ) -> None:
        super().__init__(main)
        self.control = TrainingControl(controller, data_dir, self)
        self.window: TrainingWindow | None = None
        self._main, self._controller, self._activity, self._settings = main, controller, activity, settings
        self._opening: Job | None = None
        self._wanted: Path | None = None
        self._new_models: list[Path] = []
        self.control.runs_changed.connect(self._show_living)
        self.control.run_changed.connect(self._show_living)
        self.control.finished.connect(self._finished)
        controller.received.connect(self._receive)
        activity.show_asked.connect(self.open)

    # --- the window ---------------------------------------------------------------------------------------------------

    @Slot()
    @Slot(object)
    def open(self, path: Path | None = None) -> None:
        """Show the window, with this run; it is imported in a thread when it is first wanted."""
        self._wanted = path if isinstance(path, Path) else None
        if self.window is not None:
            self._show()
        elif self._opening is None:
            self._opening = Job(_import_window)
            self._opening.finished.connect(self._build)  # if the import failed, it fails there again, and aloud
            self._opening.start()

    @Slot()
    def _build(self) -> None:
        from explorer.gui.training.window import TrainingWindow

        self._opening = None
        self.window = TrainingWindow(self._controller, self.control, self._settings)
        self.window.index_asked.connect(self.index_with)
        self.window.show_latest()
        self._show()

    def _show(self) -> None:
        assert self.window is not None
        if self._wanted is not None:
            self.window.show_run(self._wanted)
        self._wanted = None
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()

    # --- what the main window shows -----------------------------------------------------------------------------------

    @Slot()
    def _show_living(self) -> None:
        living = self.control.living()
        if not living:
            self._activity.show_run(None)
            return
        at_work = [path for path in living if self.control.state(path).status is not RunStatus.WAITING]
        shown = (at_work or living)[-1]  # the oldest goes first
        state, doing, described = self.control.state(shown), self.control.doing(shown), self.control.description(shown)
        text = activity_text(state, doing.value if doing is not None else "")
        if len(living) > 1:
            text += f"\n{len(living) - 1} more {'waits' if len(living) == 2 else 'wait'}"
        self._activity.show_run(shown, shown.name if described is None else described.name, text, part_done(state))

    # --- a new model --------------------------------------------------------------------------------------------------

    @Slot(object)
    def _finished(self, path: Path) -> None:
        self._new_models.append(path)
        self._controller.session.look_for_models()
        self._controller.tell()

    @Slot(object)
    def _receive(self, received: Received) -> None:
        if received.kind is Kind.MODELS and isinstance(received.answer, ModelList | Failed):
            done, self._new_models = self._new_models, []
            for path in done:
                self._controller.notify(self.notice_of_model(path))

    def notice_of_model(self, path: Path) -> Notice:
        """A run has just finished."""
        name = model_name(self.control.state(path))
        model = next((model for model in self._controller.session.models if model.name == name), None)
        if model is None or model.problem:
            problem = "" if model is None else f" It cannot be searched with: {model.problem}"
            return Notice(
                topic=Topic.TRAINING, text=f"Training is over: {quoted(name)} was written.{problem}",
                step=Step.SHOW_RUN, details=str(path), serious=bool(problem),
            )  # fmt: skip
        return Notice(
            topic=Topic.TRAINING, text=f"{quoted(model.title or name)} is ready.", step=Step.INDEX_WITH,
            other=Step.SHOW_RUN, details=str(path),
        )  # fmt: skip

    @Slot(Notice)
    def take_step(self, notice: Notice) -> None:
        """A button of a notice, if it is one of training."""
        if notice.step is Step.SHOW_RUN:
            self.open(Path(notice.details))
        elif notice.step is Step.INDEX_WITH:
            self.index_with(Path(notice.details))

    @Slot(object)
    def index_with(self, path: Path) -> None:
        """Index the library with what this run made; the model in use stays so until that is done."""
        name = model_name(self.control.state(path))
        session = self._controller.session
        if not any(model.name == name and not model.problem for model in session.models):
            text = f"There is no model {quoted(name)} any more. Train it again."
            self._controller.notify(Notice(topic=Topic.TRAINING, text=text, serious=True))
            return
        session.index_with(name)
        self._controller.tell()

    # --- leaving ------------------------------------------------------------------------------------------------------

    def ask_before_leaving(self, leave: Callable[[], object]) -> bool:
        """Whether a question was opened because runs live; ``leave`` is called when it was answered so."""
        living = self.control.living()
        if not living:
            return False

        def stop_and_leave() -> None:
            for path in self.control.living():
                self.control.stop(path)
            leave()

        ask(
            self._main, f"{runs_text(len(living)).capitalize()} {'is' if len(living) == 1 else 'are'} under way.",
            "Training can go on while this window is closed; it is shown again when you come back. If it is stopped, "
            "a checkpoint is kept, from which it can go on.",
            (("Stop training", stop_and_leave),), harmless=("Keep running", leave),
        )  # fmt: skip
        return True

    def settings(self) -> TrainingSettings:
        """How the window of training is left."""
        return self._settings if self.window is None else self.window.settings()

    def hide(self) -> None:
        """The main window closes: this one, too."""
        if self.window is not None:
            self.window.close()

    def close(self) -> None:
        """Follow runs no longer; they go on."""
        self.control.close()
        if self.window is not None:
            self.window.leave()
            self.window.deleteLater()


def _import_window() -> None:
    import explorer.figures.curves
    import explorer.gui.training.window  # noqa: F401

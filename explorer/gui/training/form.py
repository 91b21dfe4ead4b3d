"""A new training run: what, from which data, with which settings; checked as one types, then started."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QWidget

from explorer.engine.requests import Kind
from explorer.gui.controller import Controller
from explorer.gui.notices import sentence_of
from explorer.gui.training.control import TrainingControl
from explorer.gui.training.drafting import Drafting
from explorer.gui.training.form_data import LIBRARY
from explorer.gui.training.form_frame import FormFrame
from explorer.gui.training.recipe_check import RecipeCheck
from explorer.gui.worker import Job
from explorer.protocol import Devices, Failed, LibraryState
from explorer.protocol.runs import Estimated, RunFailed
from explorer.protocol.training import RecipeChecked, RecipeForm, RecipeForms
from explorer.session import Received


class NewRunForm(FormFrame):
    """Made from the engine's forms; the draft's text is the truth, fields and text are redrawn from it.

    Signals:
        started(Path): a run was started; its folder.
    """

    started = Signal(object)

    def __init__(self, controller: Controller, training: TrainingControl, parent: QWidget | None = None) -> None:
        super().__init__(training.runs_folder, parent)
        self._controller, self._training = controller, training
        self._wanted: tuple[bytes, str, Path, str] | None = None
        self.drafting = Drafting(controller, training, self)
        self.check = RecipeCheck(controller, self)
        QShortcut(QKeySequence("Ctrl+Return"), self, self.start, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self._connect()

    def _connect(self) -> None:
        page, drafting = self.page, self.drafting
        self._controller.received.connect(self._receive)
        self._controller.library_changed.connect(self._library_changed)
        self._training.estimated.connect(self._estimated)
        self._training.refused.connect(self._refused)
        self.waiting.again_asked.connect(self._ask_for_forms)
        page.tasks.chosen.connect(drafting.choose_task)
        page.starts.chosen.connect(drafting.begin)
        page.starts.file_chosen.connect(self.open_recipe)
        page.data.edited.connect(drafting.put_keys)
        page.edited.connect(drafting.put)
        page.wrong.connect(drafting.mistyped)
        page.reset_asked.connect(self._reset)
        page.more.opened.connect(self.order_tabs)
        page.device.asked.connect(self._ask_for_devices)
        page.estimate.asked.connect(self._estimate)
        page.estimate.stop_asked.connect(self._training.stop_estimating)
        self.text.edited.connect(drafting.write)
        drafting.begun.connect(self._begun)
        drafting.changed.connect(self._changed)
        drafting.judged.connect(self._say)
        self.check.began.connect(self._say)
        self.check.ended.connect(self._checked)
        self.foot.train.clicked.connect(self.start)
        self.foot.show_button.clicked.connect(self.show_problem)
        self.unread.again_asked.connect(self.show_problem)

    # --- the engine ---------------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """The engine is asked when the form is seen first."""
        super().showEvent(event)
        known = self._controller.session.training
        if not self.drafting.forms and not self.waiting.busy:
            if known.forms:
                self._take_forms(known.forms)
            else:
                self._ask_for_forms()
        self._show_beginnings()  # runs may have come since
        self.page.device.show_devices(known.devices)
        self._ask_for_devices()  # each time, because free memory changes

    @Slot()
    def _ask_for_forms(self) -> None:
        self.waiting.show_busy("Asking what can be trained…")
        self._controller.session.training.get_forms()

    @Slot()
    def _ask_for_devices(self) -> None:
        self._controller.session.training.list_devices()

    @Slot(object)
    def _receive(self, received: Received) -> None:
        match received.answer:
            case RecipeForms(forms=forms):
                self._take_forms(forms)
            case Devices(devices=devices):
                self.page.device.show_devices(devices)
            case Failed() as failed if received.kind is Kind.RECIPE_FORMS:
                self.waiting.show_problem(sentence_of(failed))
            case Failed() as failed if received.kind is Kind.DEVICES:
                self.page.device.show_problem(sentence_of(failed))

    def _take_forms(self, forms: tuple[RecipeForm, ...]) -> None:
        if self.drafting.forms:
            return
        if not forms:
            self.waiting.show_problem("There is nothing that this engine can train.")
            return
        self.waiting.show_problem("")
        self.drafting.forms = forms
        self.page.tasks.set_forms(forms)
        self.stack.setCurrentIndex(1)
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self.show_recipe(wanted[0], task=wanted[1], recipe_folder=wanted[2], device=wanted[3])
        if self.drafting.draft is None:
            self.drafting.choose_task(forms[0].task)

    # --- what to begin with -------------------------------------------------------------------------------------------

    def show_recipe(self, recipe: bytes, *, task: str, recipe_folder: Path, device: str = "auto") -> None:
        """Begin with this recipe; waits until the forms are there."""
        if not self.drafting.forms:
            self._wanted = (recipe, task, recipe_folder, device)
            return
        problem = self.drafting.begin_with_content(recipe, recipe_folder, task)
        if problem:
            self.foot.say(problem)
            return
        self.page.device.choose(device)
        if self.drafting.problem[0]:
            self.tabs.setCurrentWidget(self.text)

    @Slot(str)
    def open_recipe(self, path: str) -> None:
        """Begin with the recipe in this file; it is read in a thread, because disks can be slow."""
        target = Path(path).absolute()
        job = Job(lambda: (target.read_bytes(), target.parent))
        job.done.connect(self._recipe_read)
        job.failed.connect(self._recipe_unread)
        job.start()

    @Slot(object)
    def _recipe_read(self, read: tuple[bytes, Path]) -> None:
        self.show_recipe(read[0], task="", recipe_folder=read[1])

    @Slot(BaseException)
    def _recipe_unread(self, error: BaseException) -> None:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        self.foot.say(f"The recipe cannot be read: {reason}. Choose another one.")

    # --- changes ------------------------------------------------------------------------------------------------------

    @Slot()
    def _begun(self) -> None:
        draft = self.drafting.draft
        assert draft is not None
        self.page.set_form(draft.form)
        self.page.estimate.forget()
        self._training.stop_estimating()
        self.page.tasks.show_task(draft.form.task)
        self._show_beginnings()
        self.order_tabs()

    def _show_beginnings(self) -> None:
        self.page.starts.set_beginnings(self.drafting.beginnings(), self.drafting.beginning)

    @Slot(bool)
    def _changed(self, anew: bool) -> None:
        """The draft is another: redraw all of it, and have it checked."""
        draft = self.drafting.draft
        assert draft is not None
        self.page.show_draft(draft, self._controller.session.library, anew=anew)
        self.show_unread(draft.problem)
        self.page.estimate.show_changed()
        self.text.show_text(draft.text, self.drafting.name)
        if draft.problem:
            self.check.leave()
            self._say()
        else:
            self.check.look_at(draft.content, draft.beginning.folder)

    @Slot(str)
    def _reset(self, key: str) -> None:
        row, draft = self.page.row(key), self.drafting.draft
        self.drafting.reset(key)
        if row is not None and draft is not None:
            row.show_draft(draft, anew=True)
            row.editor.control.setFocus(Qt.FocusReason.OtherFocusReason)  # the button goes, and must not take it away

    @Slot(object)
    def _library_changed(self, library: LibraryState | None) -> None:
        draft = self.drafting.draft
        if draft is not None:
            self.page.data.show_draft(draft, library)
            if draft.value(LIBRARY) is not None:
                self._changed(False)

    # --- what is said of it -------------------------------------------------------------------------------------------

    @property
    def problem(self) -> tuple[str, str]:
        """Why it cannot be trained, and the setting that this is about; both empty if it can."""
        sentence, key = self.drafting.problem
        checked = self.check.checked
        if not sentence and checked is not None and not self.check.busy:
            return f"{checked.problem} {checked.remedy}".strip(), checked.key
        return sentence, key

    @Slot(object)
    def _checked(self, checked: RecipeChecked) -> None:
        self.page.findings.show_checked(checked)
        self._say()

    @Slot()
    def _say(self) -> None:
        sentence, key = self.problem
        checking = self.check.busy and not sentence
        if checking:
            self.page.findings.show_busy()
        else:
            self.page.show_problem(key, sentence)
        self.page.model_note.say(self.drafting.name_note)
        ready = not sentence and not checking and self.drafting.draft is not None
        self.foot.say(sentence, can_be_shown=bool(sentence), busy=checking)
        self.foot.train.setEnabled(ready)
        self.page.estimate.allow(ready)

    @Slot()
    def show_problem(self) -> None:
        """Bring the setting into sight that the problem is about."""
        self.bring_into_sight(self.problem[1])
        self._say()

    # --- before and at the start --------------------------------------------------------------------------------------

    @Slot()
    def _estimate(self) -> None:
        draft = self.drafting.draft
        if draft is not None:
            self.page.estimate.show_busy()
            device = self.page.device.device
            self._training.estimate(draft.content, recipe_folder=draft.beginning.folder, device=device)

    @Slot(object)
    def _estimated(self, told: Estimated | RunFailed | None) -> None:
        if told is not None and self.page.estimate.busy:
            self.page.estimate.show_told(told)

    @Slot()
    def start(self) -> None:
        """Train."""
        draft = self.drafting.draft
        if draft is None or not self.foot.train.isEnabled():
            return
        if self.page.estimate.busy:
            self.page.estimate.show_idle()
        path = self._training.start(
            draft.content, name=self.drafting.name, task=draft.form.task, title=self.drafting.title,
            recipe_folder=draft.beginning.folder, device=self.page.device.device,
        )  # fmt: skip
        if path is not None:
            self.drafting.leave_name()
            self.started.emit(path)

    @Slot(str)
    def _refused(self, sentence: str) -> None:
        if self.isVisible():
            self.foot.say(sentence)

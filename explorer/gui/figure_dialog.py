"""Choosing a figure, seeing it, and writing it."""

from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent, QImage, QResizeEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from explorer.errors import UserFacingError
from explorer.gui.figure_files import already_there, recipe_path, write_figure
from explorer.gui.figure_form import FigureForm
from explorer.gui.figure_offer import FigureChoice, FigureOffer, preview_of, spec_of
from explorer.gui.figure_preview import FigurePreview
from explorer.gui.worker import Job
from explorer.protocol import Figure, FigureSpec, Progress

_PAUSE_MS = 250
_FORM_PX = 360


class FigureDialog(QDialog):
    """Asks for a small figure whenever the choice rests, and for the figure itself when it is to be written.

    Signals:
        preview_wanted(FigureSpec), figure_wanted(FigureSpec): to be drawn.
        written(Path): the figure; its recipe lies beside it. left(): the dialog was closed, nothing is wanted any more.
    """

    preview_wanted = Signal(FigureSpec)
    figure_wanted = Signal(FigureSpec)
    written = Signal(Path)
    left = Signal()

    def __init__(self, offer: FigureOffer, last: FigureChoice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export figure")
        self._offer = offer
        self._awaited: FigureChoice | None = None
        self.form = FigureForm(offer, last, self)
        self.preview = FigurePreview(self)
        self.message = QLabel(self)
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setWordWrap(True)
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.export = QPushButton("Export", self)
        self.export.setDefault(True)
        self.buttons.addButton(self.export, QDialogButtonBox.ButtonRole.ActionRole)
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._compose()
        self._pause.timeout.connect(self._ask_for_preview)
        self.form.changed.connect(self._changed)
        self.form.named.connect(self._clear_message)
        self.export.clicked.connect(self.ask_to_write)
        self.buttons.rejected.connect(self.reject)
        self.finished.connect(self._leave)
        self.resize(980, 620)
        self._changed()

    def _compose(self) -> None:
        scroll = QScrollArea()
        scroll.setWidget(self.form)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        side = QWidget()
        side.setFixedWidth(_FORM_PX)
        column = QVBoxLayout(side)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(8)
        column.addWidget(scroll, 1)
        column.addWidget(self.message)
        column.addWidget(self.buttons)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(side)
        row.addWidget(self.preview, 1)

    # --- the preview --------------------------------------------------------------------------------------------------

    @Slot()
    def _changed(self) -> None:
        self._clear_message()
        self._pause.start()

    @Slot()
    def _ask_for_preview(self) -> None:
        problem = self.form.problem
        if problem:
            self.preview.show_problem(problem)
            return
        self.preview.show_note("Drawing…")
        self.preview_wanted.emit(preview_of(spec_of(self._offer, self.form.choice), self.preview.width_px()))

    @Slot(Figure)
    def show_preview(self, figure: Figure) -> None:
        """The small figure has come."""
        page = QImage.fromData(figure.content)
        if page.isNull():
            self.preview.show_problem("The preview cannot be shown.")
        else:
            self.preview.show_page(page)

    @Slot(str)
    def show_preview_problem(self, sentence: str) -> None:
        """The small figure cannot be drawn."""
        self.preview.show_problem(sentence)

    @Slot(Progress)
    def show_progress(self, progress: Progress) -> None:
        """A figure of several results says how far it is."""
        if progress.n_total:
            told = f"Drawing {progress.n_done:,} of {progress.n_total:,}…"
            if self._awaited is not None:
                self.message.setText(told)
            else:
                self.preview.show_note(told)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A larger preview has more pixels."""
        super().resizeEvent(event)
        self._pause.start()

    # --- writing ------------------------------------------------------------------------------------------------------

    @Slot()
    def ask_to_write(self) -> None:
        """Write the figure; asks first if files would be replaced."""
        choice = self.form.choice
        problem = self.form.problem or ("" if self.form.name.text().strip() else "The figure has no name. Type one.")
        there: list[Path] = []
        try:
            there = already_there(choice.name) if not problem else []
        except UserFacingError as error:
            problem = str(error)
        if problem:
            self.message.setText(problem)
        elif there:
            self._ask_to_replace(there)
        else:
            self._write()

    def _ask_to_replace(self, there: list[Path]) -> None:
        box = QMessageBox(self)
        box.setIcon(QMessageBox.Icon.NoIcon)
        names = " and ".join(path.name for path in there)
        box.setText(f"Replace {names}?")
        box.setInformativeText(f"{'They are' if len(there) > 1 else 'It is'} in {there[0].parent}.")
        replace = box.addButton("Replace", QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        replace.clicked.connect(self._write)
        box.open()

    @Slot()
    def _write(self) -> None:
        self._awaited = self.form.choice
        self._pause.stop()
        self._set_busy(True)
        self.message.setText("Drawing…")
        self.figure_wanted.emit(spec_of(self._offer, self._awaited))

    @Slot(Figure)
    def take_figure(self, figure: Figure) -> None:
        """The figure has come: write it and its recipe, in a thread, because disks can be slow."""
        choice = self._awaited
        if choice is None:
            return

        def write() -> Path:
            write_figure(choice.name, figure.content, figure.recipe)
            return choice.name

        job = Job(write)
        job.done.connect(self._wrote)
        job.failed.connect(self._write_failed)
        job.start()

    @Slot(str)
    def show_problem(self, sentence: str) -> None:
        """The figure cannot be drawn or written; everything stays as it was."""
        self._awaited = None
        self._set_busy(False)
        self.message.setText(sentence)

    @Slot(object)
    def _wrote(self, path: Path) -> None:
        self.written.emit(path)
        self.accept()

    @Slot(BaseException)
    def _write_failed(self, error: BaseException) -> None:
        self.show_problem(str(error))

    def _set_busy(self, busy: bool) -> None:
        self.export.setEnabled(not busy)
        self.form.setEnabled(not busy)

    @Slot()
    def _clear_message(self) -> None:
        self.message.clear()

    # --- leaving ------------------------------------------------------------------------------------------------------

    @Slot()
    def _leave(self) -> None:
        self._pause.stop()
        self.left.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Closing is cancelling."""
        self._pause.stop()
        super().closeEvent(event)


def saved_sentence(path: Path) -> str:
    """Where a figure is, and its recipe."""
    return f"The figure was saved as {path}, with {recipe_path(path).name} to make it again."

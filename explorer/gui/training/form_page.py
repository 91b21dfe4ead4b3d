"""The form of a new run from top to bottom: what, from which data, with which settings, on what, for how long."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from explorer.gui.icons import hairline
from explorer.gui.training.draft import Draft
from explorer.gui.training.drafting import NAME, TITLE
from explorer.gui.training.estimate_view import EstimateView
from explorer.gui.training.findings_view import FindingsView
from explorer.gui.training.form_data import KEYS, LABEL_FILE, LABEL_SOURCE, LIBRARY, DataForm
from explorer.gui.training.form_device import DevicePicker
from explorer.gui.training.form_fields import FieldList, FieldRow, MoreSettings, rows_of, section_heading
from explorer.gui.training.form_task import StartPicker, TaskPicker
from explorer.gui.training.problem_line import SaidLine
from explorer.protocol import LibraryState
from explorer.protocol.training import RecipeField, RecipeForm

_DATA_SECTIONS = ("dataset.", "labels.")
_MOST_PX = 860


class FormPage(QWidget):
    """Puts the parts together and redraws them from a draft.

    Signals:
        edited(RecipeField, str | None), wrong(str, str), reset_asked(str): as of :class:`FieldRow`.
    """

    edited = Signal(object, object)
    wrong = Signal(str, str)
    reset_asked = Signal(str)

    def __init__(self, place: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tasks = TaskPicker(self)
        self.starts = StartPicker(self)
        self.data = DataForm(self)
        self.data_fields = FieldList(self)
        self.findings = FindingsView(self)
        self.settings = FieldList(self)
        self.more = MoreSettings(self)
        self.model = FieldList(self)
        self.model_note = SaidLine(self, glyph="notice")
        self.device = DevicePicker(self)
        self.estimate = EstimateView(place, self)
        self._draft: Draft | None = None
        self._compose()
        for fields in (self.data_fields, self.settings, self.more, self.model):
            fields.edited.connect(self.edited)
            fields.wrong.connect(self.wrong)
            fields.reset_asked.connect(self.reset_asked)
        self.more.opened.connect(self._more_opened)

    def minimumSizeHint(self) -> QSize:
        """No height: the least of wrapped labels is that at their least width, and would be left empty below."""
        return QSize(super().minimumSizeHint().width(), 0)

    def _compose(self) -> None:
        inside = QWidget(self)
        inside.setMaximumWidth(_MOST_PX)
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        for place, (title, parts) in enumerate((
            ("What to train", (self.tasks, self.starts)),
            ("Data", (self.data, self.data_fields, self.findings)),
            ("Settings", (self.settings, self.more)),
            ("Model", (self.model, self.model_note)),
            ("Run", (self.device, self.estimate)),
        )):
            if place:
                column.addSpacing(4)
                column.addWidget(Rule(inside))
            column.addWidget(section_heading(title, inside))
            for part in parts:
                column.addWidget(part)
        column.addStretch()
        outside = QVBoxLayout(self)
        outside.setContentsMargins(16, 16, 16, 16)
        outside.addWidget(inside)

    def set_form(self, form: RecipeForm) -> None:
        """Other settings."""
        own = [field for field in form.fields if field.key not in KEYS]
        model = [field for field in own if field.key in (NAME, TITLE)]
        shown = [field for field in own if field.matters and field not in model]
        of_data = [field for field in shown if field.key.startswith(_DATA_SECTIONS)]
        self.data_fields.set_fields(of_data, titled=False)
        self.settings.set_fields([field for field in shown if field not in of_data], titled=False)
        self.more.set_fields([field for field in own if field not in (*shown, *model)])
        self.model.set_fields(model, titled=False, marked=False)

    def show_draft(self, draft: Draft, library: LibraryState | None, *, anew: bool = False) -> None:
        """Redraw."""
        self._draft = draft
        self.data.show_draft(draft, library, anew=anew)
        self.data_fields.setVisible(bool(self.data_fields.rows) and draft.value(LIBRARY) is None)
        for row in self.rows():
            row.show_draft(draft, anew=anew)
        self.more.show_changed(sum(draft.value(key) is not None for key in self.more.settings()))

    def rows(self) -> Iterator[FieldRow]:
        """All rows that were made so far."""
        return rows_of(self.data_fields, self.settings, self.more.list, self.model)

    def row(self, key: str) -> FieldRow | None:
        """The row of this setting if it was made."""
        return next((row for row in self.rows() if row.field.key == key), None)

    def show_problem(self, key: str, sentence: str) -> None:
        """Say it at the setting it is about, or at the data; nowhere else is anything wrong."""
        for row in self.rows():
            row.show_problem(sentence if row.field.key == key else "")
        of_data = key in (*KEYS, "dataset", "labels") or (key.startswith(_DATA_SECTIONS) and self.row(key) is None)
        self.data.show_problem(key, sentence if of_data else "")

    def open_at(self, key: str) -> QWidget | None:
        """Unfold what hides this setting; what to bring into sight and to give the focus."""
        row = self.row(key) or self.more.open_at(key)
        if row is not None:
            return row.editor.control
        if key in (LABEL_FILE, LABEL_SOURCE, "labels"):
            return self.data.labels.source
        if key in KEYS or key == "dataset":
            return self.data.from_library if self.data.from_library.isEnabled() else self.data.path
        return None

    def fields(self) -> Sequence[RecipeField]:
        """Of the draft's form."""
        return self._draft.form.fields if self._draft is not None else ()

    def _more_opened(self) -> None:
        if self._draft is not None:
            for row in self.more.list.rows.values():
                row.show_draft(self._draft, anew=True)


class Rule(QFrame):
    """A hairline between parts."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(1)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        painter = QPainter(self)
        painter.fillRect(self.rect(), hairline(self.palette()))
        painter.end()


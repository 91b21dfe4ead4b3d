"""Where the parts of the form stand: fields and text as two tabs, the foot below, one sentence while there are none."""

from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import QFrame, QScrollArea, QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from explorer.gui.training.form_foot import FormFoot, Waiting
from explorer.gui.training.form_page import FormPage
from explorer.gui.training.form_text import RecipeText
from explorer.gui.training.tab_order import chain


class FormFrame(QWidget):
    """The parts, and how they come into sight; it knows nothing of recipes.

    Attributes:
        waiting: in the place of all, before there is a form. ``unread``: in that of the fields, while the text is none.
        page, text, foot: the fields, the recipe as text, and what stands below both.
    """

    def __init__(self, place: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.waiting = Waiting(self)
        self.page = FormPage(place, self)
        self.text = RecipeText(self)
        self.foot = FormFoot(self)
        self.unread = Waiting(self, button="Show the text")
        self._sought: QWidget | None = None
        self._look = QTimer(self, singleShot=True, interval=0)  # what was unfolded has its place by then
        self._look.timeout.connect(self._scroll_there)
        self._compose()

    def _compose(self) -> None:
        self.scrolled = QScrollArea(self)
        self.scrolled.setWidget(self.page)
        self.scrolled.setWidgetResizable(True)
        self.scrolled.setFrameShape(QFrame.Shape.NoFrame)
        self.scrolled.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scrolled.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.sheet = QStackedWidget(self)
        self.sheet.addWidget(self.scrolled)
        self.sheet.addWidget(self.unread)
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.sheet, "Form")
        self.tabs.addTab(self.text, "As text")
        whole = QWidget(self)
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.tabs, 1)
        column.addWidget(self.foot)
        self.stack = QStackedWidget(self)
        self.stack.addWidget(self.waiting)
        self.stack.addWidget(whole)
        outside = QVBoxLayout(self)
        outside.setContentsMargins(0, 0, 0, 0)
        outside.addWidget(self.stack)
        self.setFocusProxy(self.tabs)

    @Slot()
    def order_tabs(self) -> None:
        """Let Tab walk from top to bottom, also through rows that were made later."""
        chain(self)

    def show_unread(self, problem: str) -> None:
        """The text is no recipe, and why; or, with no sentence, it is one, and the fields are shown."""
        self.unread.show_problem(problem)
        self.sheet.setCurrentWidget(self.unread if problem else self.scrolled)

    def bring_into_sight(self, key: str) -> None:
        """Show a setting and give it the focus; the text where it has no field."""
        control = self.page.open_at(key) if key else None
        if control is None:
            self.tabs.setCurrentWidget(self.text)
            self.text.text.setFocus()
            return
        self.tabs.setCurrentWidget(self.sheet)
        control.setFocus(Qt.FocusReason.OtherFocusReason)
        self._sought = control
        self._look.start()

    @Slot()
    def _scroll_there(self) -> None:
        if self._sought is not None:
            self.scrolled.ensureWidgetVisible(self._sought, 0, 80)
        self._sought = None

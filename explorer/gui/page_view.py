"""The middle of the window when there is no picture to show: a glyph, a sentence, a next step."""

from PySide6.QtCore import QRectF, Qt, Signal, Slot
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from explorer.gui.icons import blend, paint_glyph
from explorer.gui.pages import Page, Step
from explorer.gui.quiet_label import QuietLabel

_TEXT_WIDTH = 420
_GLYPH_EDGE = 56


class PageGlyph(QWidget):
    """A large quiet glyph; decoration, so screen readers skip it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = "photos"
        self.setFixedSize(_GLYPH_EDGE, _GLYPH_EDGE)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        painter = QPainter(self)
        palette = self.palette()
        text, ground = palette.color(QPalette.ColorRole.WindowText), palette.color(QPalette.ColorRole.Window)
        paint_glyph(painter, self.name, QRectF(self.rect()).adjusted(2, 2, -2, -2), blend(text, ground, 0.38))
        painter.end()


class PageView(QWidget):
    """Draws a :class:`Page`.

    Signals:
        step_taken(Step): a button was pressed.
    """

    step_taken = Signal(Step)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._page: Page | None = None
        self._glyph = PageGlyph(self)
        self._title = QLabel(self)
        font = self._title.font()
        font.setPointSizeF(font.pointSizeF() * 1.35)
        self._title.setFont(font)
        self._text = QuietLabel(self)
        for label in (self._title, self._text):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._buttons = [QPushButton(self), QPushButton(self)]
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch()
        for button in self._buttons:
            button.setMinimumHeight(32)
            button.clicked.connect(self._take_step)
            buttons.addWidget(button)
        buttons.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(0)
        column.addStretch(2)
        column.addWidget(self._glyph, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(16)
        column.addWidget(self._title, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(8)
        column.addWidget(self._text, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(24)
        column.addLayout(buttons)
        column.addStretch(3)

    @Slot(object)
    def show_page(self, page: Page | None) -> None:
        """Redraw; ``None`` leaves what is there, because results are about to cover it."""
        if page is None:
            return
        self._page = page
        self._glyph.name = page.glyph
        self._title.setText(page.title)
        self._text.setText(page.text)
        self._text.setVisible(bool(page.text))
        self._fit_text()
        for number, button in enumerate(self._buttons):
            button.setVisible(number < len(page.steps))
            if number < len(page.steps):
                button.setText(page.steps[number].value)
                button.setAccessibleName(page.steps[number].value)
                button.setDefault(number == 0)
        self._glyph.update()

    @property
    def page(self) -> Page | None:
        """What is drawn."""
        return self._page

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lines are broken anew."""
        super().resizeEvent(event)
        self._fit_text()

    def _fit_text(self) -> None:
        """Layouts guess the height of broken lines; here the width is known, so the height is too."""
        width = max(160, min(_TEXT_WIDTH, self.width() - 48))
        for label in (self._title, self._text):
            label.setMinimumHeight(0)  # else it would be what it was in a narrower window, at least
            label.setFixedSize(width, max(0, label.heightForWidth(width)))

    @Slot()
    def _take_step(self) -> None:
        number = self._buttons.index(self.sender())  # type: ignore[arg-type]
        if self._page is not None and number < len(self._page.steps):
            self.step_taken.emit(self._page.steps[number])

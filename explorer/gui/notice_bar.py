"""One sentence above the results, with a next step; never a dialog."""

from dataclasses import replace

from PySide6.QtCore import QRectF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from explorer.gui.icons import GlyphButton, blend, paint_glyph
from explorer.gui.notices import Notice, Topic

_PASSING_MS = 5000
WARNING = QColor(200, 120, 0)


class NoticeBar(QWidget):
    """Shows the newest notice; the ones below it come back when it is over, one to a topic.

    Signals:
        step_taken(Notice): its button was pressed; ``step`` is what that one said.
    """

    step_taken = Signal(Notice)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._notices: dict[Topic, Notice] = {}
        self._sentence = QLabel(self)
        self._sentence.setTextFormat(Qt.TextFormat.PlainText)
        self._sentence.setWordWrap(True)
        self._sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._sentence.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.MinimumExpanding)
        self._step, self._other = QPushButton(self), QPushButton(self)
        self._dismiss = GlyphButton("close", "Dismiss this message", parent=self)
        self._dismiss.setFixedSize(24, 24)
        row = QHBoxLayout(self)
        row.setContentsMargins(48, 8, 16, 8)
        row.setSpacing(8)
        row.addWidget(self._sentence, 1)
        row.addWidget(self._step)
        row.addWidget(self._other)
        row.addWidget(self._dismiss)
        self._over = QTimer(self, singleShot=True, interval=_PASSING_MS)
        self._over.timeout.connect(self._dismiss_shown)
        self._step.clicked.connect(self._take_step)
        self._other.clicked.connect(self._take_other)
        self._dismiss.clicked.connect(self._dismiss_shown)
        self.hide()

    @property
    def shown(self) -> Notice | None:
        """The notice that is seen."""
        return next(reversed(self._notices.values()), None)

    @Slot(Notice)
    def add(self, notice: Notice) -> None:
        """Show a notice in place of the last one on its topic."""
        self._notices.pop(notice.topic, None)
        self._notices[notice.topic] = notice
        self._redraw()

    @Slot(Topic)
    def withdraw(self, topic: Topic) -> None:
        """What was said about this is no longer so."""
        if self._notices.pop(topic, None) is not None:
            self._redraw()

    def _redraw(self) -> None:
        notice = self.shown
        self._over.stop()
        self.setVisible(notice is not None)
        if notice is None:
            return
        self._sentence.setText(notice.text)
        self._sentence.setAccessibleName(notice.text)
        for button, step in ((self._step, notice.step), (self._other, notice.other)):
            button.setVisible(step is not None)
            if step is not None:
                button.setText(step.value)
                button.setAccessibleName(step.value)
        if notice.passing:
            self._over.start()
        self.update()

    @Slot()
    def _dismiss_shown(self) -> None:
        if self.shown is not None:
            self.withdraw(self.shown.topic)

    @Slot()
    def _take_step(self) -> None:
        notice = self.shown
        if notice is not None:
            self.step_taken.emit(notice)

    @Slot()
    def _take_other(self) -> None:
        notice = self.shown
        if notice is not None:
            self.withdraw(notice.topic)
            self.step_taken.emit(replace(notice, step=notice.other))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        notice = self.shown
        if notice is None:
            return
        painter = QPainter(self)
        palette = self.palette()
        accent = WARNING if notice.serious else palette.color(QPalette.ColorRole.Highlight)
        window = palette.color(QPalette.ColorRole.Window)
        painter.fillRect(self.rect(), blend(accent, window, 0.12))
        painter.fillRect(QRectF(0, self.height() - 1, self.width(), 1), blend(accent, window, 0.3))
        glyph = QRectF(16, (self.height() - 16) / 2, 16, 16)
        colour = blend(accent, palette.color(QPalette.ColorRole.WindowText), 0.75)
        paint_glyph(painter, "warning" if notice.serious else "notice", glyph, colour)
        painter.end()

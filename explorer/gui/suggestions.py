"""Sentences to begin with, to be clicked."""

from PySide6.QtCore import QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QWidget

from explorer.gui.flow_layout import FlowLayout
from explorer.gui.icons import GlyphButton, blend
from explorer.gui.quiet_label import QuietLabel

_HEIGHT = 26
_PAD_PX = 10


class SuggestionButton(QAbstractButton):
    """One sentence on a quiet ground."""

    def __init__(self, sentence: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setText(sentence)
        self.setAccessibleName(f"Search for: {sentence}")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:  # noqa: D102
        return QSize(self.fontMetrics().horizontalAdvance(self.text()) + 2 * _PAD_PX, _HEIGHT)

    def minimumSizeHint(self) -> QSize:  # noqa: D102
        return QSize(60, _HEIGHT)

    def shown_text(self) -> str:
        """The sentence, or what fits of it."""
        room = self.width() - _PAD_PX  # some of the padding: advances are rounded, and a sentence that fits stays whole
        return self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        text, ground = palette.color(QPalette.ColorRole.WindowText), palette.color(QPalette.ColorRole.Window)
        strength = 0.20 if self.isDown() else 0.13 if self.underMouse() else 0.08
        painter.setPen(QPen(palette.color(QPalette.ColorRole.Highlight), 1.5) if self.hasFocus() else Qt.PenStyle.NoPen)
        painter.setBrush(blend(text, ground, strength))
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
        painter.setPen(text)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.shown_text())
        painter.end()


class Suggestions(QWidget):
    """A row of sentences; hidden until some are offered, and again once it is dismissed.

    Signals:
        chosen(str): this sentence was clicked.
    """

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sentences: tuple[str, ...] = ()
        self._wanted = True
        self._words = QWidget(self)
        self._flow = FlowLayout(self._words, 8)
        self._dismiss = GlyphButton("close", "Dismiss these suggestions", parent=self)
        self._dismiss.setFixedSize(24, 24)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 2, 16, 6)
        row.setSpacing(8)
        title = QuietLabel(self, "Try")
        title.setFixedHeight(_HEIGHT)
        row.addWidget(title, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._words, 1)
        row.addWidget(self._dismiss, 0, Qt.AlignmentFlag.AlignTop)
        self._dismiss.clicked.connect(self.dismiss)
        self.setAccessibleName("Suggestions")
        self.hide()

    def offer(self, sentences: tuple[str, ...]) -> None:
        """Offer these sentences from now on."""
        for button in self._words.findChildren(SuggestionButton):
            self._flow.removeWidget(button)
            button.deleteLater()
        self.sentences = sentences
        for sentence in sentences:
            button = SuggestionButton(sentence, self._words)
            button.clicked.connect(lambda _, said=sentence: self.chosen.emit(said))
            self._flow.addWidget(button)
        self.show_if(wanted=self._wanted)

    @Slot()
    def dismiss(self) -> None:
        """Offer nothing any more."""
        self.offer(())

    def show_if(self, *, wanted: bool) -> None:
        """Show them while there is room for suggestions: nothing was searched for yet."""
        self._wanted = wanted
        self.setVisible(wanted and bool(self.sentences))

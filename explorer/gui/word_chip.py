"""One word of a sentence, tinted by what it adds."""

import html

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QEnterEvent,
    QFocusEvent,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
)
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from explorer.gui.icons import blend
from explorer.gui.overlay_controls import value_text
from explorer.gui.readable import contrast, readable_on, small_font

_PAD_PX = 8
_FAINTEST, _STRONGEST = 0.10, 0.55
_FINER = 0.25
_BY_KEY = (
    Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason,
    Qt.FocusReason.OtherFocusReason,
)  # fmt: skip
_MOVES = (
    Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End
)


class WordChip(QAbstractButton):
    """One word and a number: the stronger, the more of the accent colour is in its ground.

    A word that pulls the score down has a dashed outline and a minus instead; the strongest is bold and underlined.

    Signals:
        entered(int), left(int): the pointer, or the focus by the keyboard, comes and goes.
        moved(int, int): an arrow was pressed. menu_asked(int, QPoint): at this place of the screen.
    """

    entered = Signal(int)
    left = Signal(int)
    moved = Signal(int, int)
    menu_asked = Signal(int, QPoint)

    def __init__(self, place: int, parent: QWidget) -> None:
        super().__init__(parent)
        self.place = place
        self._number = ""
        self._strength = 0.0
        self._negative = self._strongest = False
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def show_word(self, word: str, *, strongest: bool) -> None:
        """Be this word."""
        self._strongest = strongest
        self.setText(word)
        font = QFont(self.font())
        font.setBold(strongest)
        self.setFont(font)

    def show_number(self, value: float, scale: float, told: str) -> None:
        """Be tinted by this value, ``scale`` being as much as can be; ``told`` says it in a sentence."""
        self._strength = min(1.0, abs(value) / scale) if scale > 0 else 0.0
        self._number = number_text(value, scale)
        self._negative = self._number.startswith("−")
        self.setToolTip(f"<p style='white-space:pre-wrap'>{html.escape(told)}</p>")
        mark = ", the strongest" if self._strongest else ""
        self.setAccessibleName(f"{self.text()}, {self._number}{mark}")
        self.setAccessibleDescription(told)
        self.updateGeometry()
        self.update()

    @property
    def strength(self) -> float:
        """How strongly it is tinted, in [0, 1]."""
        return self._strength

    @property
    def number(self) -> str:
        """The number as it is written."""
        return self._number

    def sizeHint(self) -> QSize:
        """The word and its number; whoever has less room gets the word shortened."""
        word = self.fontMetrics().horizontalAdvance(self.text()) + 2
        number = QFontMetrics(small_font(self.font())).horizontalAdvance(self._number)
        return QSize(2 * _PAD_PX + word + 6 + number, self.fontMetrics().height() + 10)

    def minimumSizeHint(self) -> QSize:
        """As narrow as its number allows."""
        return QSize(40, self.sizeHint().height())

    def _ground(self) -> QColor:
        palette = self.palette()
        window, text = palette.color(QPalette.ColorRole.Window), palette.color(QPalette.ColorRole.WindowText)
        if self._negative:
            return blend(text, window, 0.05)
        amount = _FAINTEST + (_STRONGEST - _FAINTEST) * self._strength
        return blend(palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.Highlight), window, amount)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground, outline, word, number."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        ground = self._ground()
        accent = palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.Highlight)
        text = palette.color(QPalette.ColorRole.WindowText)
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        pen = QPen(Qt.PenStyle.NoPen)
        if self._negative:
            pen = QPen(blend(text, ground, 0.35 + 0.5 * self._strength), 1, Qt.PenStyle.DashLine)
        if self.underMouse():
            pen = QPen(blend(text, ground, 0.55), 1)
        if self.isChecked():
            pen = QPen(text, 2)
        if self.hasFocus():
            pen = QPen(accent if not self.isChecked() else text, 2)
        painter.setPen(pen)
        painter.setBrush(ground)
        painter.drawRoundedRect(box, 5, 5)
        self._paint_words(painter, text if contrast(text, ground) >= 4.5 else readable_on(ground))

    def _paint_words(self, painter: QPainter, ink: QColor) -> None:
        small = small_font(self.font())
        room = self.rect().adjusted(_PAD_PX, 0, -_PAD_PX, 0)
        number_px = QFontMetrics(small).horizontalAdvance(self._number)
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        before, after = (number_px + 6, 0) if mirrored else (0, -number_px - 6)
        line = room.adjusted(before, 0, after, 0)
        word = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideMiddle, line.width())
        painter.setPen(ink)
        painter.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # left means left, whatever is written there
        start, end = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        if mirrored:
            start, end = end, start
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | start, word)
        if self._strongest:
            bottom = line.center().y() + self.fontMetrics().height() / 2 + 1
            painter.fillRect(QRectF(QPointF(line.left(), bottom), QPointF(line.right(), bottom + 2)), ink)
        painter.setFont(small)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | end, self._number)

    # --- pointer and keys ------------------------------------------------------------------------------------------

    def enterEvent(self, event: QEnterEvent) -> None:
        """The pointer asks about this word."""
        super().enterEvent(event)
        self.entered.emit(self.place)

    def leaveEvent(self, event: QEvent) -> None:
        """It asks no more."""
        super().leaveEvent(event)
        self.left.emit(self.place)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The keyboard asks about this word; a click has its own meaning."""
        super().focusInEvent(event)
        if event.reason() in _BY_KEY:
            self.entered.emit(self.place)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """It asks no more; a menu that opens does not count."""
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.left.emit(self.place)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows lead to other words; Enter holds, as Space does."""
        if event.key() in _MOVES and not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            self.moved.emit(self.place, event.key())
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        elif event.key() == Qt.Key.Key_Space:
            super().keyPressEvent(event)
        else:
            event.ignore()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for a menu."""
        self.menu_asked.emit(self.place, event.globalPos())


def number_text(value: float, scale: float) -> str:
    """A word's number, with digits enough for words that add a quarter as much: most add little, and differ in that."""
    return value_text(value, scale * _FINER)

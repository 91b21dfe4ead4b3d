"""The words of a sentence as chips: each with what it adds, one of them lit, one of them perhaps held."""

import html
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal, Slot
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
from PySide6.QtWidgets import QAbstractButton, QMenu, QSizePolicy, QWidget

from explorer.gui.flow_layout import FlowLayout
from explorer.gui.icons import blend
from explorer.gui.overlay_controls import value_text
from explorer.gui.word_links import WordTable, runs_right_to_left

_GAP_PX = 6
_PAD_PX = 8
_FAINTEST, _STRONGEST = 0.10, 0.55
_BY_KEY = (
    Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason,
    Qt.FocusReason.OtherFocusReason,
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
        self._number = value_text(value, scale)
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

    def _small(self) -> QFont:
        font = QFont(self.font())
        font.setBold(False)
        font.setPointSizeF(max(6.5, font.pointSizeF() * 0.82))
        return font

    def sizeHint(self) -> QSize:
        """The word and its number; whoever has less room gets the word shortened."""
        word = self.fontMetrics().horizontalAdvance(self.text()) + 2
        number = QFontMetrics(self._small()).horizontalAdvance(self._number)
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
        self._paint_words(painter, text if _contrast(text, ground) >= 4.5 else _readable(ground))

    def _paint_words(self, painter: QPainter, ink: QColor) -> None:
        small = self._small()
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


_MOVES = (
    Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End
)


class WordChips(QWidget):
    """All words, wrapped in the order of the sentence; one place in the tab order, arrows lead on from there.

    Signals:
        lit(int): the word under the pointer, else the one with the keyboard's focus, else the one held; -1: none.
        left_out(int): search without this word.
    """

    lit = Signal(int)
    left_out = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.chips: list[WordChip] = []
        self._table: WordTable | None = None
        self._entered = self._held = self._lit = -1
        self._flow = FlowLayout(self, _GAP_PX)
        self.setAccessibleName("Words of the query")

    @property
    def held(self) -> int:
        """The word that stays lit; -1: none."""
        return self._held

    @property
    def lit_word(self) -> int:
        """The word that is lit; -1: none."""
        return self._lit

    def show_words(self, table: WordTable) -> None:
        """Show these words; a held one stays held if the sentence is the same."""
        same = self._table is not None and self._table.words == table.words
        self._table = table
        if not same:
            self._entered = self._held = -1
            self._make(len(table.words))
            mirrored = runs_right_to_left(" ".join(table.words))
            self.setLayoutDirection(Qt.LayoutDirection.RightToLeft if mirrored else Qt.LayoutDirection.LeftToRight)
        for place, (chip, word) in enumerate(zip(self.chips, table.words, strict=True)):
            chip.show_word(" ".join(word.split()), strongest=place == table.strongest)
            chip.setChecked(place == self._held)
        self.show_weights()
        self._tell()

    def show_weights(self) -> None:
        """Tint the words by what they add to the score."""
        if self._table is not None:
            weights = self._table.weights
            self._tint(weights, float(np.abs(weights).max(initial=0.0)), _told_of_score)

    def show_shares(self, shares: np.ndarray, scale: float) -> None:
        """Tint the words by what they add at one place."""
        self._tint(shares, scale, _told_of_place)

    def free(self) -> bool:
        """Hold no word any more; whether one was held."""
        was_held, self._held = self._held >= 0, -1
        for chip in self.chips:
            chip.setChecked(False)
        self._entered = -1
        self._tell()
        return was_held

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape frees the held word."""
        if event.key() != Qt.Key.Key_Escape or self._held < 0:
            event.ignore()
        else:
            self.free()

    def _make(self, n_words: int) -> None:
        while len(self.chips) > n_words:
            chip = self.chips.pop()
            self._flow.removeWidget(chip)
            chip.hide()
            chip.deleteLater()
        while len(self.chips) < n_words:
            chip = WordChip(len(self.chips), self)
            chip.entered.connect(self._enter)
            chip.left.connect(self._leave)
            chip.moved.connect(self._move)
            chip.menu_asked.connect(self._open_menu)
            chip.clicked.connect(self._click)
            self._flow.addWidget(chip)
            self.chips.append(chip)
        self._let_tab_reach(0)

    def _tint(self, values: np.ndarray, scale: float, told: Callable[[str, float, float], str]) -> None:
        for chip, value in zip(self.chips, values.tolist(), strict=True):
            chip.show_number(value, scale, told(chip.text(), value, scale))

    def _let_tab_reach(self, place: int) -> None:
        for chip in self.chips:
            reached = chip.place == place
            chip.setFocusPolicy(Qt.FocusPolicy.StrongFocus if reached else Qt.FocusPolicy.ClickFocus)

    def _tell(self) -> None:
        now = self._entered if self._entered >= 0 else self._held
        if now != self._lit:
            self._lit = now
            self.lit.emit(now)

    @Slot(int)
    def _enter(self, place: int) -> None:
        self._entered = place
        self._tell()

    @Slot(int)
    def _leave(self, place: int) -> None:
        if self._entered == place:
            self._entered = -1
            self._tell()

    @Slot()
    def _click(self) -> None:
        chip = self.sender()
        assert isinstance(chip, WordChip)
        self._held = -1 if self._held == chip.place else chip.place
        for other in self.chips:
            other.setChecked(other.place == self._held)
        self._let_tab_reach(chip.place)
        if self._held < 0:
            self._entered = -1  # freed is dark, though the pointer is still there
        self._tell()

    @Slot(int, int)
    def _move(self, place: int, key: int) -> None:
        target = self.chips[self._target(place, Qt.Key(key))]
        self._let_tab_reach(target.place)
        target.setFocus(Qt.FocusReason.OtherFocusReason)

    def _target(self, place: int, key: Qt.Key) -> int:
        """The word an arrow leads to."""
        last = len(self.chips) - 1
        if key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            return 0 if key == Qt.Key.Key_Home else last
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
            step = 1 if (key == Qt.Key.Key_Right) is not mirrored else -1
            return min(last, max(0, place + step))
        here = self.chips[place].geometry().center()
        down = key == Qt.Key.Key_Down
        rows = [chip for chip in self.chips if (chip.y() > self.chips[place].y()) is down
                and chip.y() != self.chips[place].y()]
        if not rows:
            return place
        nearest = min(abs(chip.geometry().center().y() - here.y()) for chip in rows)
        row = [chip for chip in rows if abs(chip.geometry().center().y() - here.y()) == nearest]
        return min(row, key=lambda chip: abs(chip.geometry().center().x() - here.x())).place

    @Slot(int, QPoint)
    def _open_menu(self, place: int, at: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        several = " " in self.chips[place].text()
        action = menu.addAction("Search without these words" if several else "Search without this word")
        action.setEnabled(len(self.chips) > 1)
        action.triggered.connect(lambda: self.left_out.emit(place))
        menu.popup(at)


def _told_of_score(word: str, value: float, scale: float) -> str:
    amount = value_text(abs(value), scale)
    return f"Without “{word}” the score {'falls' if value >= 0 else 'rises'} by {amount}."


def _told_of_place(word: str, value: float, scale: float) -> str:
    verb = "adds" if value >= 0 else "takes"
    return f"At this place “{word}” {verb} {value_text(abs(value), scale)}."


def _luminance(colour: QColor) -> float:
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (colour.redF(), colour.greenF(), colour.blueF())
    )
    return float(0.2126 * red + 0.7152 * green + 0.0722 * blue)


def _contrast(first: QColor, second: QColor) -> float:
    """Contrast ratio, WCAG 2.1: 1 to 21."""
    high, low = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _readable(ground: QColor) -> QColor:
    return max((QColor("black"), QColor("white")), key=lambda ink: _contrast(ink, ground))



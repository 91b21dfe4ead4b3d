"""Two codes as rows of cells, one above the other: the query's and the picture's, bit by bit."""

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QColor,
    QFocusEvent,
    QFontMetrics,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from explorer.evidence import BitAgreement
from explorer.gui.bit_cells import BETWEEN_PX, paint_bit
from explorer.gui.bit_words import bit_text
from explorer.gui.icons import quiet_text
from explorer.gui.readable import small_font
from explorer.overlays import cells_in_line

NO_BIT = -1

_LEAST_CELL_PX, _MOST_CELL_PX = 13, 20
_LINE_GAP_PX = 9
_STALE = 0.35
_STEPS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
_HOLDS = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)


class BitGrid(QWidget):
    """Bits in lines as long as the width allows, each as :func:`~explorer.gui.bit_cells.paint_bit` paints it.

    Signals:
        pointed(int): the bit under the pointer, else the one with the keyboard's focus; -1: none.
        held(int): this bit is held from now on; -1: none is.
    """

    pointed = Signal(int)
    held = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bits: BitAgreement | None = None
        self._under = self._held = NO_BIT
        self._current = 0
        self._stale = False
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName("Bits of both codes")

    @property
    def n_bits(self) -> int:
        """How many there are."""
        return 0 if self._bits is None else len(self._bits.query)

    @property
    def held_bit(self) -> int:
        """The bit that is held; -1: none."""
        return self._held

    def show_bits(self, bits: BitAgreement) -> None:
        """Show these codes; a held bit stays if there are as many as before."""
        if len(bits.query) != self.n_bits:
            self._held, self._under, self._current = NO_BIT, NO_BIT, 0
        self._bits, self._stale = bits, False
        self.updateGeometry()
        self._tell()

    def set_stale(self) -> None:
        """Other codes are on their way: these are painted faintly until then."""
        self._stale = True
        self.update()

    def let_go(self) -> bool:
        """Hold no bit any more; whether one was held."""
        was_held = self._held != NO_BIT
        self._held = NO_BIT
        self._tell()
        return was_held

    # --- room ------------------------------------------------------------------------------------------------------

    def _gutter(self) -> int:
        """Room for the number of a line's first bit; none where there is one line."""
        return QFontMetrics(small_font(self.font())).horizontalAdvance("000") + 3

    def _measures(self, width: int) -> tuple[int, int, int]:
        """Bits in a line, pixels of a cell, pixels before the first."""
        room = width - self._gutter()
        in_line = cells_in_line(self.n_bits, room, _LEAST_CELL_PX)
        return in_line, max(6, min(_MOST_CELL_PX, room // max(1, in_line))), self._gutter()

    def hasHeightForWidth(self) -> bool:  # noqa: D102
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: D102
        if not self.n_bits:
            return 0
        in_line, cell, _ = self._measures(width)
        n_lines = -(-self.n_bits // in_line)
        return n_lines * (2 * cell + BETWEEN_PX + _LINE_GAP_PX) - _LINE_GAP_PX + 4

    def sizeHint(self) -> QSize:  # noqa: D102
        return QSize(240, self.heightForWidth(240))

    def minimumSizeHint(self) -> QSize:  # noqa: D102
        return QSize(120, 24)

    def bit_rect(self, bit: int) -> QRect:
        """Where both cells of a bit are."""
        in_line, cell, left = self._measures(self.width())
        line, column = divmod(bit, in_line)
        height = 2 * cell + BETWEEN_PX
        return QRect(left + column * cell, 2 + line * (height + _LINE_GAP_PX), cell, height)

    def bit_at(self, place: QPoint) -> int:
        """The bit at a place of the widget; -1: none."""
        in_line, cell, _ = self._measures(self.width())
        first = self.bit_rect(0)
        line = (place.y() - first.top()) // (first.height() + _LINE_GAP_PX)
        column = (place.x() - first.left()) // cell
        bit = line * in_line + column
        inside = line >= 0 and 0 <= column < in_line and bit < self.n_bits
        return bit if inside and self.bit_rect(bit).adjusted(0, -2, 0, 2).contains(place) else NO_BIT

    # --- painting --------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """All cells; on top what is pointed at and what is held."""
        if self._bits is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        painter.setOpacity(_STALE if self._stale else 1.0)
        for bit, values in enumerate(zip(self._bits.query.tolist(), self._bits.item.tolist(), strict=True)):
            paint_bit(painter, QRectF(self.bit_rect(bit)), *values, palette)
        self._paint_numbers(painter)
        text = palette.color(QPalette.ColorRole.WindowText)
        accent = palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.Highlight)
        if self._under != NO_BIT:
            self._paint_ring(painter, self._under, text, 1.0)
        if self._held != NO_BIT:
            self._paint_ring(painter, self._held, text, 2.0)
        if self.hasFocus():
            self._paint_ring(painter, self._current, text if self._current == self._held else accent, 2.0)

    def _paint_numbers(self, painter: QPainter) -> None:
        in_line, _, _ = self._measures(self.width())
        painter.setFont(small_font(self.font()))
        painter.setPen(quiet_text(self.palette()))
        for first in range(0, self.n_bits, in_line):
            line = self.bit_rect(first)
            gutter = QRect(line.left() - self._gutter(), line.top(), self._gutter() - 4, line.height())
            painter.drawText(gutter, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, str(first + 1))

    def _paint_ring(self, painter: QPainter, bit: int, colour: QColor, width: float) -> None:
        painter.setPen(QPen(colour, width))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(self.bit_rect(bit)).adjusted(0, -1, 0, 1), 3, 3)

    # --- what is pointed at ----------------------------------------------------------------------------------------

    def _tell(self) -> None:
        told = self._under
        if told == NO_BIT and self.hasFocus() and self.n_bits:
            told = self._current
        words = ""
        if self._bits is not None and told != NO_BIT:
            words = bit_text(self._bits, told).replace("\n", ". ")
        if words and told == self._held:
            words += ". Held"
        if words != self.accessibleDescription():
            self.setAccessibleDescription(words)
            if words and QAccessible.isActive():
                QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, words))
        self.pointed.emit(told)
        self.update()

    def _point(self, bit: int) -> None:
        if bit != self._under:
            self._under = bit
            self._tell()

    def _hold(self, bit: int) -> None:
        """Hold this bit, or let go of it if it is the one that is held."""
        self._held = NO_BIT if bit == self._held else bit
        self._current = bit
        self._tell()
        self.held.emit(self._held)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """The pointer asks about a bit."""
        bit = self.bit_at(event.position().toPoint())
        self.setCursor(Qt.CursorShape.ArrowCursor if bit == NO_BIT else Qt.CursorShape.PointingHandCursor)
        self._point(bit)

    def leaveEvent(self, event: QEvent) -> None:
        """It asks no more."""
        super().leaveEvent(event)
        self._point(NO_BIT)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click holds a bit; a second one lets it go."""
        bit = self.bit_at(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and bit != NO_BIT:
            self._hold(bit)

    def event(self, event: QEvent) -> bool:
        """A tool tip for the bit under the pointer."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            bit = self.bit_at(event.pos())
            if self._bits is None or bit == NO_BIT:
                QToolTip.hideText()
            else:
                QToolTip.showText(event.globalPos(), bit_text(self._bits, bit), self, self.bit_rect(bit))
            return True
        return super().event(event)

    # --- keys ------------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows lead from bit to bit, Home and End to the ends; Enter or Space holds one."""
        key = Qt.Key(event.key())
        target = self._target(key)
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier or not self.n_bits:
            event.ignore()
        elif target is not None:
            self._current = max(0, min(self.n_bits - 1, target))
            self._tell()
        elif key in _HOLDS:
            self._hold(self._current)
        else:
            event.ignore()

    def _target(self, key: Qt.Key) -> int | None:
        """The bit that a key leads to, perhaps beyond the ends; ``None`` for other keys."""
        if key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            return 0 if key == Qt.Key.Key_Home else self.n_bits - 1
        if key not in _STEPS:
            return None
        across, down = _STEPS[key]
        target = self._current + across + down * self._measures(self.width())[0]
        return target if not down or 0 <= target < self.n_bits else self._current

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The keyboard asks about a bit."""
        super().focusInEvent(event)
        self._tell()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """It asks no more."""
        super().focusOutEvent(event)
        self._tell()


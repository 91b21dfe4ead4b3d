"""How the bits of the codes are used: for each one the share of training items that have it set."""

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QLabel, QToolTip, QVBoxLayout, QWidget

from explorer.gui.icons import blend, hairline, quiet_text
from explorer.gui.phrases import count
from explorer.gui.quiet_label import QuietLabel

_SAYS_LITTLE = 0.1
"""A bit that is set in fewer items than this, or in all but so few, hardly divides them."""

_AXIS_PX = 44
_LEAST_HEIGHT_PX = 160


class BitsView(QWidget):
    """A sentence, and a bar for each bit."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Bits")
        self.sentence = QLabel(self)
        self.sentence.setTextFormat(Qt.TextFormat.PlainText)
        self.sentence.setWordWrap(True)
        self.note = QuietLabel(self, "A bit that half of them have tells most; one that all have tells nothing.")
        self.note.setWordWrap(True)
        self.bars = BitBars(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(8)
        column.addWidget(self.sentence)
        column.addWidget(self.note)
        column.addWidget(self.bars, 1)

    def show_shares(self, shares: tuple[float, ...]) -> None:
        """Redraw; none: nothing was measured yet."""
        sentence = bits_sentence(shares)
        self.bars.show_shares(shares)
        self.sentence.setText(sentence)
        self.bars.setAccessibleName(sentence)
        self.note.setVisible(bool(shares))


def bits_sentence(shares: tuple[float, ...]) -> str:
    """How many of the bits divide the items, in a sentence."""
    if not shares:
        return "After the first epoch this shows how the bits of the codes are used."
    n = len(shares)
    quiet = sum(not _SAYS_LITTLE <= share <= 1 - _SAYS_LITTLE for share in shares)
    if not quiet:
        return f"All {n} bits divide the training items."
    verb = "is" if quiet == 1 else "are"
    return f"{n - quiet} of {count(n, 'bit')} divide the training items; {quiet} {verb} the same for nearly all."


class BitBars(QWidget):
    """Bars from below, a line at one half; the pointer tells a bit's share."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shares: tuple[float, ...] = ()
        self.setMouseTracking(True)
        self._under = -1

    def minimumSizeHint(self) -> QSize:  # noqa: D102
        return QSize(160, _LEAST_HEIGHT_PX)

    def show_shares(self, shares: tuple[float, ...]) -> None:
        """Redraw."""
        self.shares = shares
        self._under = min(self._under, len(shares) - 1)
        self.update()

    def _plot(self) -> QRectF:
        return QRectF(self.rect()).adjusted(_AXIS_PX, 8, -1, -self.fontMetrics().height() - 8)

    def bit_at(self, x: float) -> int:
        """The bit whose bar stands there, from 0; -1: none."""
        plot = self._plot()
        if not self.shares or not plot.left() <= x < plot.right():
            return -1
        return int((x - plot.left()) / plot.width() * len(self.shares))

    def bit_text(self, bit: int) -> str:
        """What is said of a bit."""
        return f"Bit {bit + 1}: set in {100 * self.shares[bit]:.0f} % of the items"

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: D102
        under = self.bit_at(event.position().x())
        if under != self._under:
            self._under = under
            self.update()
            if under >= 0:
                QToolTip.showText(event.globalPosition().toPoint(), self.bit_text(under), self)

    def leaveEvent(self, event: QEvent) -> None:  # noqa: D102
        self._under = -1
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        if not self.shares:
            return
        painter = QPainter(self)
        palette, plot = self.palette(), self._plot()
        ground = palette.color(QPalette.ColorRole.Window)
        accent, quiet = palette.color(QPalette.ColorRole.Highlight), blend(quiet_text(palette), ground, 0.55)
        width = plot.width() / len(self.shares)
        gap = min(2.0, 0.25 * width)
        for bit, share in enumerate(self.shares):
            height = max(1.0, share * plot.height())
            box = QRectF(plot.left() + bit * width, plot.bottom() - height, max(1.0, width - gap), height)
            says_little = not _SAYS_LITTLE <= share <= 1 - _SAYS_LITTLE
            colour = quiet if says_little else accent
            painter.fillRect(box, colour if bit == self._under else blend(colour, ground, 0.75))
        self._paint_axes(painter, plot)
        painter.end()

    def _paint_axes(self, painter: QPainter, plot: QRectF) -> None:
        palette = self.palette()
        painter.setPen(QPen(hairline(palette), 1))
        painter.drawLine(plot.bottomLeft(), plot.bottomRight())
        painter.setPen(QPen(quiet_text(palette), 1, Qt.PenStyle.DashLine))
        middle = plot.center().y()
        painter.drawLine(QPointF(plot.left(), middle), QPointF(plot.right(), middle))
        painter.setPen(quiet_text(palette))
        line = self.fontMetrics().height()
        for share, y in ((1.0, plot.top()), (0.5, middle), (0.0, plot.bottom())):
            box = QRectF(0, y - line / 2, _AXIS_PX - 8, line)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{share:.0%}")
        under = QRectF(plot.left(), plot.bottom() + 8, plot.width(), line)
        painter.drawText(under, Qt.AlignmentFlag.AlignLeft, "bit 1")
        painter.drawText(under, Qt.AlignmentFlag.AlignRight, f"bit {len(self.shares)}")

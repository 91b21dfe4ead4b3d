"""Controls that say what colours mean: a colour bar with a threshold on it, and the rows of a legend."""

import html

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractButton, QCheckBox, QLabel, QSizePolicy, QSlider, QStyle, QWidget

from explorer.gui.painters import bar_image
from explorer.gui.readable import readable_on, small_font
from explorer.gui.results_grid_tiles import mixed
from explorer.overlays import LegendRow, PlacedOverlay, bar_range, has_sign

_LIGHT = QColor(235, 235, 235)


def value_text(value: float, span: float) -> str:
    """A raw weight with as many digits as tell the values of its map apart."""
    digits = 2 if span >= 0.05 else 3 if span >= 0.005 else 4
    text = f"{abs(value):.{digits}f}"
    sign = "−" if value < 0 and float(text) != 0 else ""
    return sign + (text[1:] if text.startswith("0.") else text)


class CalmSlider(QSlider):
    """A slider that leaves the wheel to whoever scrolls: a panel that is scrolled must not change what is set."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Not for the slider."""
        event.ignore()


class ColourBarSlider(CalmSlider):
    """A threshold on the colour bar itself: what lies left of the handle is not painted.

    Where colours have a sign, zero is in the middle and what is nearer to it than the handle is not painted.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setRange(0, 100)
        self.setPageStep(10)
        self._bar = QImage()
        self._low = self._high = 0.0
        self._has_sign = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.SizeHorCursor)

    def set_scale(self, overlay: PlacedOverlay) -> None:
        """Colours and values of this layer."""
        self._bar = bar_image(overlay)
        self._low, self._high = bar_range(overlay)
        self._has_sign = has_sign(overlay)
        self.update()

    def sizeHint(self) -> QSize:
        """The bar, and its values below."""
        return QSize(160, 16 + self.fontMetrics().height())

    def minimumSizeHint(self) -> QSize:
        """It may get narrow, never flat."""
        return QSize(80, self.sizeHint().height())

    def raw_value(self) -> float:
        """The weight at the handle."""
        return self._low + (self._high - self._low) * self._part()

    def _part(self) -> float:
        """Where on the bar the handle is, in [0, 1]."""
        return 0.5 + self.value() / 200 if self._has_sign else self.value() / 100

    def _bar_rect(self) -> QRectF:
        return QRectF(4, 3, self.width() - 8, 10)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Colours, the part that is left out, the handle, and the values at the ends and at the handle."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        bar, palette = self._bar_rect(), self.palette()
        text = palette.color(QPalette.ColorRole.WindowText)
        ground = palette.color(QPalette.ColorRole.Window)
        painter.setOpacity(1.0 if self.isEnabled() else 0.35)
        painter.fillRect(bar, _LIGHT)  # as a picture under a cover
        painter.drawImage(bar, self._bar)
        at = bar.left() + bar.width() * self._part()
        begin = bar.left() + bar.right() - at if self._has_sign else bar.left()
        cut = ground
        cut.setAlphaF(0.8)
        painter.fillRect(QRectF(begin, bar.top(), at - begin, bar.height()), cut)
        painter.setPen(QPen(mixed(ground, text, 0.35), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(bar)
        self._paint_handle(painter, at, bar)
        self._paint_values(painter, at, bar)

    def _paint_handle(self, painter: QPainter, at: float, bar: QRectF) -> None:
        palette = self.palette()
        accent = palette.color(QPalette.ColorRole.Highlight if self.hasFocus() else QPalette.ColorRole.WindowText)
        painter.setPen(QPen(palette.color(QPalette.ColorRole.Window), 1))
        painter.setBrush(accent)
        painter.drawRoundedRect(QRectF(at - 3, bar.top() - 3, 6, bar.height() + 6), 2, 2)

    def _paint_values(self, painter: QPainter, at: float, bar: QRectF) -> None:
        palette, metrics = self.palette(), self.fontMetrics()
        text, ground = palette.color(QPalette.ColorRole.WindowText), palette.color(QPalette.ColorRole.Window)
        span = self._high - self._low
        line = QRectF(bar.left(), bar.bottom() + 3, bar.width(), metrics.height())
        low, high = value_text(self._low, span), value_text(self._high, span)
        painter.setPen(mixed(ground, text, 0.65))
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, low)
        painter.drawText(line, Qt.AlignmentFlag.AlignRight, high)
        here = value_text(self.raw_value(), span)
        width = metrics.horizontalAdvance(here)
        left = line.left() + metrics.horizontalAdvance(low) + 8
        right = line.right() - metrics.horizontalAdvance(high) - 8
        if self.value() > 0 and right - left >= width:
            painter.setPen(text)
            place = min(max(at - width / 2, left), right - width)
            painter.drawText(QRectF(place, line.top(), width + 2, line.height()), Qt.AlignmentFlag.AlignLeft, here)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """The handle comes to the pointer."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._move_to(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """The handle follows the pointer."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._move_to(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Nothing is left to do."""

    def _move_to(self, place: QPointF) -> None:
        bar = self._bar_rect()
        part = (place.x() - bar.left()) / max(1.0, bar.width())
        self.setValue(round(100 * (abs(2 * part - 1) if self._has_sign else part)))


class LegendButton(QAbstractButton):
    """One class: its colour, name and share of the picture; a click hides it or shows it again.

    ``pointed`` carries the class under the pointer, -1 when the pointer leaves.
    """

    pointed = Signal(int)

    def __init__(self, row: LegendRow, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.class_id = row.class_id
        self.row = row
        self.setCheckable(True)
        self.setChecked(row.visible)
        self.setText(row.name)
        self.setAccessibleName(f"{row.name}, {row.share:.0%} of the picture")
        self.setToolTip(f"Click to hide or show {row.name}")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Tell which class the pointer asks about."""
        super().enterEvent(event)
        self.pointed.emit(self.class_id)

    def leaveEvent(self, event: QEvent) -> None:
        """It asks no more."""
        super().leaveEvent(event)
        self.pointed.emit(-1)

    def sizeHint(self) -> QSize:
        """One line of text."""
        return QSize(120, max(22, self.fontMetrics().height() + 6))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Swatch, name, share; a hidden class is an empty swatch and faint words."""
        share = "< 1 %" if self.row.share < 0.01 else f"{self.row.share * 100:.0f} %"
        paint_row(self, QColor(*self.row.colour), share, filled=self.isChecked())


def paint_row(
    row: QAbstractButton, colour: QColor, figure: str, *, filled: bool, number: str = "", dashed: bool = False
) -> None:
    """A row of a legend: swatch, the button's text shortened to the room there is, and a figure at the right.

    With a number the swatch is wide enough to hold it, as the badge in the picture does.
    """
    painter = QPainter(row)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    palette, metrics = row.palette(), row.fontMetrics()
    text, ground = palette.color(QPalette.ColorRole.WindowText), palette.color(QPalette.ColorRole.Window)
    area = QRectF(row.rect())
    if row.underMouse() or row.hasFocus():
        ring = palette.color(QPalette.ColorRole.Highlight)
        painter.setPen(ring if row.hasFocus() else Qt.PenStyle.NoPen)
        painter.setBrush(mixed(ground, text, 0.07))
        painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
    painter.setPen(QPen(mixed(colour, text, 0.25), 1.5, Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine))
    painter.setBrush(colour if filled else Qt.BrushStyle.NoBrush)
    swatch = QRectF(8, area.center().y() - 6, 12, 12)
    if number:
        swatch.adjust(-4, -1.5, 8, 1.5)
    painter.drawRoundedRect(swatch, 3, 3)
    if number:
        painter.save()
        painter.setFont(small_font(row.font()))
        painter.setPen(readable_on(colour))
        painter.drawText(swatch, Qt.AlignmentFlag.AlignCenter, number)
        painter.restore()
    painter.setPen(text if filled else mixed(ground, text, 0.5))
    line = area.adjusted(swatch.right() + 8, 0, -8, 0)
    painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, figure)
    room = int(line.width()) - metrics.horizontalAdvance(figure) - 8
    name = metrics.elidedText(row.text(), Qt.TextElideMode.ElideRight, room)
    painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, name)


class ElidedCheckBox(QCheckBox):
    """A check box that shortens a long text instead of asking for room; the whole text is read out and a tool tip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def set_label(self, text: str) -> None:
        """Show this text, or what fits of it."""
        self._whole = text
        self._shorten()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """More or less of it fits."""
        super().resizeEvent(event)
        self._shorten()

    def _shorten(self) -> None:
        box = self.style().pixelMetric(QStyle.PixelMetric.PM_IndicatorWidth) + 12
        text = self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, max(24, self.width() - box))
        self.setText(text)
        self.setToolTip("" if text == self._whole else html.escape(self._whole))


class KeyCap(QLabel):
    """A small key with its letter: what to press instead of clicking."""

    def __init__(self, letter: str, parent: QWidget | None = None) -> None:
        super().__init__(letter, parent)
        font = self.font()
        font.setPointSizeF(max(6.5, font.pointSizeF() * 0.85))
        self.setFont(font)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        side = self.fontMetrics().height() + 2
        self.setFixedSize(side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A frame with round corners, and the letter."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        ground, text = palette.color(QPalette.ColorRole.Window), palette.color(QPalette.ColorRole.WindowText)
        painter.setPen(mixed(ground, text, 0.3))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
        painter.setPen(mixed(ground, text, 0.65))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())

"""A figure as it will be, small."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer.gui.icons import blend, hairline, quiet_text

_MARGIN = 16


class FigurePreview(QWidget):
    """The page on a quiet ground; a word in the corner while it is drawn anew, a sentence where it cannot be."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._page = QImage()
        self._note = ""
        self._problem = ""
        self.setMinimumSize(280, 240)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Preview of the figure")

    @property
    def page(self) -> QImage:
        """What is shown; null before the first."""
        return self._page

    @property
    def problem(self) -> str:
        """Why there is no preview, if there is none."""
        return self._problem

    def width_px(self) -> int:
        """Pixels of the screen that a page as wide as this has."""
        return round((self.width() - 2 * _MARGIN) * self.devicePixelRatioF())

    def show_page(self, page: QImage) -> None:
        """Show this one."""
        self._page, self._note, self._problem = page, "", ""
        self.setAccessibleDescription("")
        self.update()

    def show_note(self, note: str) -> None:
        """It is being drawn anew; the last one stays meanwhile."""
        self._note = note
        self.update()

    def show_problem(self, sentence: str) -> None:
        """It cannot be drawn."""
        self._page, self._note, self._problem = QImage(), "", sentence
        self.setAccessibleDescription(sentence)
        self.update()

    def sizeHint(self) -> QSize:
        """Room for a page."""
        return QSize(560, 480)

    def page_rect(self) -> QRectF:
        """Where the page lies: as large as fits, and never larger than it is."""
        room = QRectF(self.rect()).adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        size = self._page.size().toSizeF() / self.devicePixelRatioF()
        if size.width() > room.width() or size.height() > room.height():
            size.scale(room.size(), Qt.AspectRatioMode.KeepAspectRatio)
        rect = QRectF(room.topLeft(), size)
        rect.moveCenter(room.center())
        return rect

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground, page, and what is to be said."""
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        palette = self.palette()
        window, text = palette.color(QPalette.ColorRole.Window), palette.color(QPalette.ColorRole.WindowText)
        painter.fillRect(self.rect(), blend(text, window, 0.08))
        if not self._page.isNull():
            rect = self.page_rect()
            painter.fillRect(rect.adjusted(-1, -1, 1, 1), hairline(palette))
            painter.fillRect(rect, QColor("white"))
            painter.drawImage(rect, self._page)
        inside = self.rect().adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        if self._problem:
            painter.setPen(text)
            painter.drawText(inside, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._problem)
        elif self._note:
            self._paint_note(painter)

    def _paint_note(self, painter: QPainter) -> None:
        palette, metrics = self.palette(), self.fontMetrics()
        box = QRectF(0, 0, metrics.horizontalAdvance(self._note) + 16, metrics.height() + 6)
        box.moveTopRight(QRectF(self.rect()).topRight() + QRectF(0, 0, -4, 4).bottomRight())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.color(QPalette.ColorRole.Window))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(quiet_text(palette))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._note)

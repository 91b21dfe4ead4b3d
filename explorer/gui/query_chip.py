"""What is searched with besides words, small, inside the query bar."""

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPalette, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from explorer.gui.icons import GlyphButton, blend, paint_glyph, quiet_text

_HEIGHT = 28
_NAME_PX = 132


class QueryChip(QWidget):
    """A photo, a video or a shot that is searched with: its picture, its name and a way to take it out.

    Signals:
        removed(): the cross was pressed.
    """

    removed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(_HEIGHT)
        self._picture = QPixmap()
        self._moves = False
        self._name = QLabel(self)
        self._name.setTextFormat(Qt.TextFormat.PlainText)
        self._cross = GlyphButton("close", "Remove the picture from the search", parent=self)
        self._cross.setFixedSize(24, 24)
        self._cross.clicked.connect(self.removed)
        row = QHBoxLayout(self)
        row.setContentsMargins(_HEIGHT + 8, 0, 2, 0)
        row.setSpacing(4)
        row.addWidget(self._name)
        row.addWidget(self._cross)

    def show_medium(self, name: str, image: QImage | None = None, *, moves: bool = False) -> None:
        """Show this name, and the picture once there is one; ``moves``: it is a video or a shot."""
        metrics = self._name.fontMetrics()
        flat = " ".join(name.split())
        self._name.setText(metrics.elidedText(flat, Qt.TextElideMode.ElideMiddle, _NAME_PX))
        self.setToolTip(flat)
        self._moves = moves
        what = "video" if moves else "picture"
        self.setAccessibleName(f"Searching with the {what} {flat}")
        self._cross.setAccessibleName(f"Remove the {what} from the search")
        self._cross.setToolTip(self._cross.accessibleName())
        self._picture = QPixmap() if image is None or image.isNull() else QPixmap.fromImage(image)
        self.update()

    def show_picture(self, image: QImage) -> None:
        """The picture has come."""
        self.show_medium(self.toolTip(), image, moves=self._moves)

    @property
    def has_picture(self) -> bool:
        """Whether a thumbnail is shown, not only a glyph."""
        return not self._picture.isNull()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        palette = self.palette()
        ground = blend(palette.color(QPalette.ColorRole.Text), palette.color(QPalette.ColorRole.Base), 0.09)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(QRectF(self.rect()), 4, 4)
        box = QRectF(2, 2, _HEIGHT + 2, _HEIGHT - 4)
        if self._picture.isNull():
            glyph = QRectF(0, 0, 16, 16)
            glyph.moveCenter(box.center())
            paint_glyph(painter, "film" if self._moves else "photos", glyph, quiet_text(palette))
        else:
            size = QSize(self._picture.size())
            size.scale(box.size().toSize(), Qt.AspectRatioMode.KeepAspectRatioByExpanding)
            scale = self._picture.width() / max(1, size.width())
            source = QRectF(0, 0, box.width() * scale, box.height() * scale)
            source.moveCenter(QRectF(self._picture.rect()).center())
            painter.drawPixmap(box, self._picture, source)
        painter.end()

"""Dropping onto the window, wherever it falls: a frame says what will be done with what is dragged."""

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QWidget

from explorer.gui.icons import blend
from explorer.gui.image_query import (
    Bitmap,
    Folders,
    ImageFile,
    Intake,
    Refusal,
    Result,
    Sentence,
    VideoFile,
    read_mime,
)
from explorer.gui.phrases import quoted

_ROUND = 8


class DropFrame(QWidget):
    """Lies over the window while something is dragged over it; never takes the pointer."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._text = ""
        self._small = False
        self.hide()

    def show_text(self, text: str, area: QRect | None = None) -> None:
        """Cover the parent, or this area of it, and say this."""
        self._text = text
        self._small = area is not None
        self.setGeometry(self._over.rect() if area is None else area)
        self.raise_()
        self.show()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        ground = palette.color(QPalette.ColorRole.Window)
        accent = palette.color(QPalette.ColorRole.Highlight)
        veil = blend(accent, ground, 0.12)
        veil.setAlphaF(1.0 if self._small else 0.85)
        painter.setPen(QPen(accent, 2))
        if self._small:
            painter.setBrush(veil)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), _ROUND, _ROUND)
        else:
            painter.fillRect(self.rect(), veil)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(8, 8, -8, -8), _ROUND, _ROUND)
            font = painter.font()
            font.setPointSizeF(font.pointSizeF() * 1.35)
            painter.setFont(font)
        painter.setPen(palette.color(QPalette.ColorRole.WindowText))
        room = self.rect().adjusted(12, 0, -12, 0)
        text = painter.fontMetrics().elidedText(self._text, Qt.TextElideMode.ElideMiddle, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignCenter, text)
        painter.end()


class DropTarget(QObject):
    """Hears the drops of a window: of files and words anywhere, of its own results on the query bar.

    Signals:
        dropped(Intake): what it was; a refusal too, so that the person hears why.
    """

    dropped = Signal(object)

    def __init__(self, window: QWidget, query: QWidget) -> None:
        super().__init__(window)
        self._window, self._query = window, query
        self._result = self._taken = False
        self.frame = DropFrame(window)
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Enter, leave, drop."""
        match event.type():
            case QEvent.Type.DragEnter:
                assert isinstance(event, QDragEnterEvent)
                intake = read_mime(event.mimeData())
                self._result = isinstance(intake, Result)
                self._taken = intake is not None and (self._result or event.source() is None)
                if intake is not None and self._taken:
                    self.frame.show_text(_promise(intake), self._query_area() if self._result else None)
                    event.acceptProposedAction()
                return True
            case QEvent.Type.DragMove:
                assert isinstance(event, QDragMoveEvent)
                event.setAccepted(self._taken and self._may_fall(event.position().toPoint()))
                return True
            case QEvent.Type.DragLeave:
                self.frame.hide()
                return True
            case QEvent.Type.Drop:
                assert isinstance(event, QDropEvent)
                self.frame.hide()
                intake = read_mime(event.mimeData())
                if intake is not None and self._may_fall(event.position().toPoint()):
                    event.acceptProposedAction()
                    self.dropped.emit(intake)
                return True
        return False


    def _may_fall(self, place: QPoint) -> bool:
        """A result only onto the query: over the grid, where it comes from, a hand may just be unsteady."""
        return not self._result or self._query_area().contains(place)

    def _query_area(self) -> QRect:
        """Where the query bar is in the window."""
        return QRect(self._query.mapTo(self._window, QPoint(0, 0)), self._query.size())


def _promise(intake: Intake) -> str:
    match intake:
        case ImageFile() | Bitmap():
            return "Search with this picture"
        case VideoFile():
            return "Search with this video"
        case Result(name=name):
            return f"Drop it here to search with {quoted(name)}"
        case Folders(paths=paths):
            return "Add this folder to the library" if len(paths) == 1 else "Add these folders to the library"
        case Sentence():
            return "Search for these words"
        case Refusal(text=text):
            return text

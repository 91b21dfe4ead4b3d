"""Dropping onto the window, wherever it falls: a frame says what will be done with what is dragged."""

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QWidget

from explorer.gui.icons import blend
from explorer.gui.image_query import Bitmap, Folders, ImageFile, Intake, Refusal, Sentence, read_mime

_ROUND = 8


class DropFrame(QWidget):
    """Lies over the window while something is dragged over it; never takes the pointer."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._text = ""
        self.hide()

    def show_text(self, text: str) -> None:
        """Cover the parent and say this."""
        self._text = text
        self.setGeometry(self._over.rect())
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
        veil.setAlphaF(0.85)
        painter.fillRect(self.rect(), veil)
        painter.setPen(QPen(accent, 2))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(8, 8, -8, -8), _ROUND, _ROUND)
        font = painter.font()
        font.setPointSizeF(font.pointSizeF() * 1.35)
        painter.setFont(font)
        painter.setPen(palette.color(QPalette.ColorRole.WindowText))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._text)
        painter.end()


class DropTarget(QObject):
    """Hears the drops of a window.

    Signals:
        dropped(Intake): what it was; a refusal too, so that the person hears why.
    """

    dropped = Signal(object)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.frame = DropFrame(window)
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Enter, leave, drop."""
        match event.type():
            case QEvent.Type.DragEnter:
                assert isinstance(event, QDragEnterEvent)
                if event.source() is None:  # not what we drag out ourselves
                    intake = read_mime(event.mimeData())
                    if intake is not None:
                        self.frame.show_text(_promise(intake))
                        event.acceptProposedAction()
                return True
            case QEvent.Type.DragMove:
                return True
            case QEvent.Type.DragLeave:
                self.frame.hide()
                return True
            case QEvent.Type.Drop:
                assert isinstance(event, QDropEvent)
                self.frame.hide()
                intake = read_mime(event.mimeData())
                if intake is not None:
                    event.acceptProposedAction()
                    self.dropped.emit(intake)
                return True
        return False


def _promise(intake: Intake) -> str:
    match intake:
        case ImageFile() | Bitmap():
            return "Search with this picture"
        case Folders(paths=paths):
            return "Add this folder to the library" if len(paths) == 1 else "Add these folders to the library"
        case Sentence():
            return "Search for these words"
        case Refusal(text=text):
            return text

"""Dragging a result: onto the query bar, to search with it, or its file to another program."""

from PySide6.QtCore import QMimeData, QObject, QPoint, Qt
from PySide6.QtGui import QDrag, QPixmap

from explorer.gui import desktop
from explorer.gui.image_query import RESULT_FORM, Result, result_mime
from explorer.gui.item_text import is_video, shot_name
from explorer.protocol import ItemDescription

_EDGE_PX = 96


def drag_mime(item: ItemDescription) -> QMimeData:
    """The result, and its file if that is on this computer."""
    mime = QMimeData()
    result = Result(item_id=item.item_id, name=shot_name(item), moves=is_video(item))
    mime.setData(RESULT_FORM, result_mime(result))
    if desktop.is_here(item.path):
        mime.setUrls([desktop.url_of(item.path)])
    return mime


def drag_result(source: QObject, item: ItemDescription, pixmap: QPixmap | None) -> None:
    """Let the person drag it; returns when it was let go."""
    drag = QDrag(source)
    drag.setMimeData(drag_mime(item))
    if pixmap is not None:
        small = pixmap.scaled(
            _EDGE_PX, _EDGE_PX, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        drag.setPixmap(small)
        drag.setHotSpot(QPoint(small.width() // 2, small.height() + 6))  # the pointer is seen above it
    drag.exec(Qt.DropAction.CopyAction)

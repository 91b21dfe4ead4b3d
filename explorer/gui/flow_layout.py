"""A layout that sets its widgets like words on a page: one after another, line under line."""

from collections.abc import Sequence

from PySide6.QtCore import QMargins, QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QStyle, QWidget


class FlowLayout(QLayout):
    """Lines from left to right, or from right to left where the parent's direction says so."""

    def __init__(self, parent: QWidget, gap_px: int) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._gap_px = gap_px
        self.setContentsMargins(QMargins())

    def addItem(self, item: QLayoutItem) -> None:  # noqa: D102
        self._items.append(item)

    def count(self) -> int:  # noqa: D102
        return len(self._items)

    def itemAt(self, place: int) -> QLayoutItem | None:  # noqa: D102
        return self._items[place] if 0 <= place < len(self._items) else None

    def takeAt(self, place: int) -> QLayoutItem | None:  # noqa: D102
        return self._items.pop(place) if 0 <= place < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:  # noqa: D102
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:  # noqa: D102
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: D102
        return self._place(QRect(0, 0, width, 0), move=False)

    def sizeHint(self) -> QSize:  # noqa: D102
        return self.minimumSize()

    def minimumSize(self) -> QSize:  # noqa: D102
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        return size

    def setGeometry(self, area: QRect) -> None:  # noqa: D102
        super().setGeometry(area)
        self._place(area, move=True)

    def _place(self, area: QRect, *, move: bool) -> int:
        """Set the items into an area; returns the height they take."""
        parent = self.parentWidget()
        direction = parent.layoutDirection() if parent is not None else Qt.LayoutDirection.LeftToRight
        x, y, line = area.left(), area.top(), 0
        for item in self._items:
            if item.isEmpty():  # hidden
                continue
            size = item.sizeHint().boundedTo(QSize(area.width(), 1 << 20))
            if x > area.left() and x + size.width() > area.left() + area.width():
                x, y, line = area.left(), y + line + self._gap_px, 0
            if move:
                item.setGeometry(QStyle.visualRect(direction, area, QRect(QPoint(x, y), size)))
            x += size.width() + self._gap_px
            line = max(line, size.height())
        return y + line - area.top()


def place_beside(widgets: Sequence[QWidget], place: int, key: Qt.Key, direction: Qt.LayoutDirection) -> int:
    """The number of the widget that an arrow, Home or End leads to from the one at ``place``."""
    last = len(widgets) - 1
    if key in (Qt.Key.Key_Home, Qt.Key.Key_End):
        return 0 if key == Qt.Key.Key_Home else last
    if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
        mirrored = direction == Qt.LayoutDirection.RightToLeft
        step = 1 if (key == Qt.Key.Key_Right) is not mirrored else -1
        return min(last, max(0, place + step))
    here = widgets[place].geometry()
    down = key == Qt.Key.Key_Down
    lines = [i for i, other in enumerate(widgets) if other.y() != here.y() and (other.y() > here.y()) is down]
    if not lines:
        return place
    centres = {i: widgets[i].geometry().center() for i in lines}
    nearest = min(abs(centre.y() - here.center().y()) for centre in centres.values())
    line = [i for i in lines if abs(centres[i].y() - here.center().y()) == nearest]
    return min(line, key=lambda i: abs(centres[i].x() - here.center().x()))

"""The folders of a library, each with its number of photos and videos."""

import os

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QMenu,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from explorer.gui.icons import blend
from explorer.gui.phrases import count
from explorer.protocol import Source

_SOURCE = Qt.ItemDataRole.UserRole
_ROW_HEIGHT = 48


class SourceDelegate(QStyledItemDelegate):
    """Two lines: the folder's name and its count; where it is, or that it is missing."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: D102
        return QSize(120, _ROW_HEIGHT)

    def paint(  # noqa: D102
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        from PySide6.QtWidgets import QStyle  # here for the start-up time: its many enums take 8 ms

        source: Source = index.data(_SOURCE)
        painter.save()
        palette = option.palette
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
        text = palette.color(QPalette.ColorRole.WindowText)
        ground = palette.color(QPalette.ColorRole.Window)
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            strength = 0.22 if selected and focused else 0.12 if selected else 0.06
            over = palette.color(QPalette.ColorRole.Highlight) if selected else text
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(blend(over, ground, strength))
            painter.drawRoundedRect(option.rect.adjusted(8, 1, -8, -1), 4, 4)
        box = option.rect.adjusted(16, 6, -16, -6)
        metrics = option.fontMetrics
        number = "" if source.missing else f"{source.n_items:,}"
        number_width = metrics.horizontalAdvance(number)
        top = QRect(box.left(), box.top(), box.width() - number_width - 8, metrics.height())
        name, place = _name_and_place(source)
        painter.setPen(text)
        painter.drawText(top, Qt.AlignmentFlag.AlignLeft, _elided(metrics, name, top.width()))
        quiet = blend(text, ground, 0.68)
        painter.setPen(quiet)
        whole = QRect(box.left(), box.top(), box.width(), metrics.height())
        painter.drawText(whole, Qt.AlignmentFlag.AlignRight, number)
        below = QRect(box.left(), box.bottom() - metrics.height() + 1, box.width(), metrics.height())
        second = "Not found; is its disk connected?" if source.missing else place
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft, _elided(metrics, second, below.width()))
        painter.restore()


class SourceList(QListWidget):
    """Draws the sources.

    Signals:
        remove_asked(Source), shown_in_folder(Source): chosen in the menu, or by Delete.
    """

    remove_asked = Signal(Source)
    show_asked = Signal(Source)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Folders of this library")
        self.setFrameShape(QListWidget.Shape.NoFrame)
        self.setItemDelegate(SourceDelegate(self))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Base, Qt.GlobalColor.transparent)
        self.setPalette(palette)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._open_menu)

    def show_sources(self, sources: tuple[Source, ...], noun: str = "file") -> None:
        """Redraw, keeping the selection; ``noun``: what one of their files is called."""
        current = self.current_source()
        if [self.item(i).data(_SOURCE) for i in range(self.count())] == list(sources):
            return
        self.clear()
        for source in sources:
            name, _ = _name_and_place(source)
            row = QListWidgetItem(name, self)
            row.setData(_SOURCE, source)
            row.setToolTip(" ".join(source.display.split()))
            row.setData(
                Qt.ItemDataRole.AccessibleTextRole,
                f"{name}, {'not found' if source.missing else count(source.n_items, noun)}",
            )
            if current is not None and source.source_id == current.source_id:
                self.setCurrentItem(row)

    def current_source(self) -> Source | None:
        """The selected folder."""
        source = self.currentIndex().data(_SOURCE)
        return source if isinstance(source, Source) else None

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: D102
        source = self.current_source()
        if event.key() == Qt.Key.Key_Delete and source is not None:
            self.remove_asked.emit(source)
            return
        super().keyPressEvent(event)

    @Slot(QPoint)
    def _open_menu(self, at: QPoint) -> None:
        under = self.indexAt(at).data(_SOURCE)
        source = under if isinstance(under, Source) else self.current_source()
        if source is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        show = menu.addAction("Open this folder")
        remove = menu.addAction("Remove from the library…")
        show.triggered.connect(lambda: self.show_asked.emit(source))
        remove.triggered.connect(lambda: self.remove_asked.emit(source))
        menu.popup(self.viewport().mapToGlobal(at))


def _name_and_place(source: Source) -> tuple[str, str]:
    flat = " ".join(source.display.split())
    head, tail = os.path.split(flat.rstrip("/\\"))
    return tail or flat, head


def _elided(metrics: object, text: str, width: int) -> str:
    return metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, max(0, width))  # type: ignore[attr-defined,no-any-return]

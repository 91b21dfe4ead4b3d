"""Ranked sentences, one a row: its rank, the photo it belongs to, the sentence, its score."""

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QItemSelection,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPalette,
    QPixmap,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import QListView, QMenu, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from explorer.gui.icons import blend, quiet_text
from explorer.gui.item_text import one_line, score_text
from explorer.gui.word_links import runs_right_to_left
from explorer.protocol import RankedSentence, Thumbnail

ROW_PX = 44
_PICTURE_PX = 36
_PAD_PX = 16
_SENTENCE = Qt.ItemDataRole.UserRole
_PICTURE = Qt.ItemDataRole.UserRole + 1
_Index = QModelIndex | QPersistentModelIndex


class SentenceRows(QAbstractListModel):
    """The rows; thumbnails come later."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.sentences: tuple[RankedSentence, ...] = ()
        self._pictures: dict[int, QPixmap] = {}

    def show_sentences(self, sentences: tuple[RankedSentence, ...]) -> list[int]:
        """Show these; returns the items whose thumbnails are not here."""
        self.beginResetModel()
        self.sentences = sentences
        wanted = dict.fromkeys(sentence.item_id for sentence in sentences)
        self._pictures = {item_id: p for item_id, p in self._pictures.items() if item_id in wanted}
        self.endResetModel()
        return [item_id for item_id in wanted if item_id not in self._pictures]

    def add_thumbnails(self, thumbnails: tuple[Thumbnail, ...]) -> None:
        """Take the thumbnails of these rows out of whatever came."""
        wanted = {sentence.item_id for sentence in self.sentences}
        for thumbnail in thumbnails:
            pixmap = QPixmap()
            if thumbnail.item_id in wanted and pixmap.loadFromData(thumbnail.jpeg):
                self._pictures[thumbnail.item_id] = pixmap
        if self.sentences:
            self.dataChanged.emit(self.index(0), self.index(len(self.sentences) - 1), [_PICTURE])

    def forget_thumbnails(self) -> None:
        """The files behind them may be others now."""
        self._pictures.clear()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008, D102
        return 0 if parent.isValid() else len(self.sentences)

    def data(self, index: _Index, role: int = 0) -> object:  # noqa: D102
        sentence = self.sentences[index.row()]
        if role == _SENTENCE:
            return sentence
        if role == _PICTURE:
            return self._pictures.get(sentence.item_id)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return one_line(sentence.text)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"Rank {index.row() + 1}, score {score_text(sentence.score)}: {one_line(sentence.text)}"
        return None


class SentenceDelegate(QStyledItemDelegate):
    """Paints a row; a long sentence takes two lines and is then shortened."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:  # noqa: D102
        return QSize(160, ROW_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:  # noqa: D102
        sentence: RankedSentence = index.data(_SENTENCE)
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        self._paint_ground(painter, option)
        palette, metrics = option.palette, option.fontMetrics
        text = palette.color(QPalette.ColorRole.WindowText)
        box = option.rect.adjusted(_PAD_PX, 0, -_PAD_PX, 0)
        rank_px, score_px = metrics.horizontalAdvance("00"), metrics.horizontalAdvance("−.00")
        rank = QRect(box.left(), box.top(), rank_px, box.height())
        picture = QRect(rank.right() + 9, box.center().y() - _PICTURE_PX // 2 + 1, _PICTURE_PX, _PICTURE_PX)
        score = QRect(box.right() - score_px, box.top(), score_px + 1, box.height())
        middle, end = Qt.AlignmentFlag.AlignVCenter, Qt.AlignmentFlag.AlignRight
        painter.setPen(quiet_text(palette))
        painter.drawText(rank, middle | end, str(index.row() + 1))
        painter.setPen(text)
        painter.drawText(score, middle | end, score_text(sentence.score))
        ground = blend(text, palette.color(QPalette.ColorRole.Window), 0.1)
        paint_square(painter, picture, index.data(_PICTURE), ground)
        line = QRect(picture.right() + 11, box.top(), score.left() - picture.right() - 22, box.height())
        _paint_sentence(painter, line, one_line(sentence.text), metrics)
        painter.restore()

    def _paint_ground(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
        palette = option.palette
        accent = palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.Highlight)
        window, text = palette.color(QPalette.ColorRole.Window), palette.color(QPalette.ColorRole.WindowText)
        around = QRectF(option.rect).adjusted(8.5, 1.5, -8.5, -1.5)
        painter.setPen(accent if focused else Qt.PenStyle.NoPen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if selected:
            painter.setBrush(blend(accent, window, 0.22))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(blend(text, window, 0.06))
        painter.drawRoundedRect(around, 4, 4)


class SentenceList(QListView):
    """The rows; a second click on the selected one, or Escape, selects none.

    Signals:
        chosen(str): this sentence is selected now; empty: none is.
        search_asked(str): search with this sentence. copied(): a sentence is in the clipboard.
    """

    chosen = Signal(str)
    search_asked = Signal(str)
    copied = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = SentenceRows(self)
        self.setModel(self.rows)
        self.setItemDelegate(SentenceDelegate(self))
        self.setAccessibleName("Best sentences for what is searched with")
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Base, Qt.GlobalColor.transparent)
        self.setPalette(palette)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._open_menu)
        self.doubleClicked.connect(self._search)
        self.selectionModel().selectionChanged.connect(self._tell)

    def selected(self) -> RankedSentence | None:
        """The selected sentence."""
        found = self.selectionModel().selectedIndexes()
        return self.rows.sentences[found[0].row()] if found else None

    @Slot(QItemSelection, QItemSelection)
    def _tell(self, now: QItemSelection, before: QItemSelection) -> None:
        sentence = self.selected()
        self.chosen.emit(sentence.text if sentence is not None else "")

    @Slot(QModelIndex)
    def _search(self, index: QModelIndex) -> None:
        self.search_asked.emit(self.rows.sentences[index.row()].text)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A press on the selected row takes the selection away."""
        index = self.indexAt(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and self.selectionModel().isSelected(index):
            self.clearSelection()
            return
        super().mousePressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Ctrl+C is about the sentence while the list has the focus, not about the picture."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride and _copies(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter searches, Ctrl+C copies, Escape selects none."""
        index = self.currentIndex()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and index.isValid():
            self._search(index)
        elif _copies(event) and index.isValid():
            self._copy(self.rows.sentences[index.row()].text)
        elif event.key() == Qt.Key.Key_Escape and self.selected() is not None:
            self.clearSelection()
        elif event.key() == Qt.Key.Key_Escape or (event.text() and event.text() in "/[]123456789"):
            event.ignore()  # they belong to the window; the list would search for them
        else:
            super().keyPressEvent(event)

    def _copy(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self.copied.emit()

    @Slot(QPoint)
    def _open_menu(self, at: QPoint) -> None:
        index = self.indexAt(at)
        if not index.isValid():
            index = self.currentIndex()
        if not index.isValid():
            return
        text = self.rows.sentences[index.row()].text
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Search with this sentence").triggered.connect(lambda: self.search_asked.emit(text))
        menu.addAction("Copy sentence").triggered.connect(lambda: self._copy(text))
        menu.popup(self.viewport().mapToGlobal(at))


def _copies(event: QKeyEvent) -> bool:
    return bool(event.matches(QKeySequence.StandardKey.Copy))


def paint_square(painter: QPainter, box: QRect, pixmap: QPixmap | None, ground: QColor) -> None:
    """The middle of a thumbnail, filling a small square; its ground until it comes."""
    shape = QPainterPath()
    shape.addRoundedRect(QRectF(box), 3, 3)
    painter.fillPath(shape, ground)
    if pixmap is None or pixmap.isNull():
        return
    edge = min(pixmap.width(), pixmap.height())
    source = QRectF(0, 0, edge, edge)
    source.moveCenter(QRectF(pixmap.rect()).center())
    painter.save()
    painter.setClipPath(shape)
    painter.drawPixmap(QRectF(box), pixmap, source)
    painter.restore()


def _paint_sentence(painter: QPainter, box: QRect, text: str, metrics: QFontMetrics) -> None:
    mirrored = runs_right_to_left(text)
    lines = broken(text, metrics, box.width())
    height = metrics.height()
    top = box.center().y() - len(lines) * height // 2 + 1
    painter.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
    side = Qt.AlignmentFlag.AlignRight if mirrored else Qt.AlignmentFlag.AlignLeft
    for number, line in enumerate(lines):
        painter.drawText(QRect(box.left(), top + number * height, box.width(), height), side, line)


def broken(text: str, metrics: QFontMetrics, width: int) -> list[str]:
    """The text in one line, or in two of which the second is shortened if it must be."""
    if metrics.horizontalAdvance(text) <= width:
        return [text]
    layout = QTextLayout(text)
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(option)
    layout.beginLayout()
    line = layout.createLine()
    line.setLineWidth(max(1, width))
    layout.endLayout()
    first = line.textLength()
    if first >= len(text):
        return [text]
    rest = metrics.elidedText(text[first:].strip(), Qt.TextElideMode.ElideRight, width)
    return [text[:first].strip(), rest]

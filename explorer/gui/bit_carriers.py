"""Photos and shots that carry a bit, as small squares in lines: which, how strongly, and one of them to open."""

from collections.abc import Sequence

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPalette, QPen, QPixmap
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from explorer.gui.flow_layout import FlowLayout, place_beside
from explorer.gui.icons import blend
from explorer.gui.item_ids import ITEM_ID
from explorer.gui.item_text import one_line, score_text, shot_name
from explorer.gui.sentence_list import paint_square
from explorer.protocol import ItemDescription, Thumbnail

EDGE_PX = 52
_BAR_PX = 3
_AROUND_PX = 3
_GAP_PX = 2
_MOVES = (
    Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End
)  # fmt: skip


class CarrierButton(QAbstractButton):
    """One photo, and below it a bar as long as its bit is far from flipping.

    Attributes:
        place: its number in the strip, from 0.
        item_id: the photo.
        name: of its file, once that is known.
    """

    moved = Signal(int, int)

    def __init__(self, place: int, item_id: int, strength: float, parent: QWidget) -> None:
        super().__init__(parent)
        self.place, self.item_id, self._strength = place, item_id, strength
        self.name = ""
        self._pixmap: QPixmap | None = None
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_picture(self, pixmap: QPixmap) -> None:
        """Show this thumbnail."""
        edge = round(2 * EDGE_PX)
        self._pixmap = pixmap.scaled(
            edge, edge, Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
        )
        self.update()

    def say(self, n_all: int) -> None:
        """Say what it is, for those who hover over it or cannot see it."""
        name = one_line(self.name) or f"Result {self.place + 1}"
        self.setAccessibleName(f"{name}, {self.place + 1} of {n_all}, {score_text(self._strength)} from flipping")
        self.setToolTip(f"{name}\n{score_text(self._strength)} from flipping")

    def sizeHint(self) -> QSize:  # noqa: D102
        edge = EDGE_PX + 2 * _AROUND_PX
        return QSize(edge, edge + _BAR_PX + 2)

    def minimumSizeHint(self) -> QSize:  # noqa: D102
        return self.sizeHint()

    def nextCheckState(self) -> None:
        """Whether it is marked is for the viewer to say: it is, while its photo is shown."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Thumbnail, bar, and a ring for the pointer, the focus or the photo that is shown."""
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        palette = self.palette()
        window, text = palette.color(QPalette.ColorRole.Window), palette.color(QPalette.ColorRole.WindowText)
        square = QRect(_AROUND_PX, _AROUND_PX, EDGE_PX, EDGE_PX)
        paint_square(painter, square, self._pixmap, blend(text, window, 0.12))
        bar = QRectF(square.left(), square.bottom() + 3, EDGE_PX, _BAR_PX)
        painter.fillRect(bar, blend(text, window, 0.14))
        painter.fillRect(QRectF(bar.left(), bar.top(), bar.width() * min(1.0, self._strength), _BAR_PX),
                         blend(text, window, 0.7))
        pen = QPen(blend(text, window, 0.55), 1) if self.underMouse() else QPen(Qt.PenStyle.NoPen)
        if self.isChecked():
            pen = QPen(text, 2)
        if self.hasFocus():
            pen = QPen(palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.Highlight), 2)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(square).adjusted(-1.5, -1.5, 1.5, 1.5), 4, 4)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows lead to other photos; Enter opens, as Space does."""
        if event.key() in _MOVES and not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            self.moved.emit(self.place, event.key())
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        elif event.key() == Qt.Key.Key_Space:
            super().keyPressEvent(event)
        else:
            event.ignore()


class CarrierStrip(QWidget):
    """All of them, the strongest first; one place in the tab order, arrows lead on from there.

    Signals:
        chosen(id): open this item.
    """

    chosen = Signal(ITEM_ID)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons: list[CarrierButton] = []
        self._shown_item = -1
        self._flow = FlowLayout(self, _GAP_PX)
        self.setAccessibleName("What carries the bit")

    def show_items(self, item_ids: Sequence[int], strengths: Sequence[float]) -> None:
        """Show these photos; their thumbnails and names come later."""
        for button in self.buttons:
            self._flow.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.buttons = []
        for place, (item_id, strength) in enumerate(zip(item_ids, strengths, strict=True)):
            button = CarrierButton(place, item_id, strength, self)
            button.moved.connect(self._move)
            button.clicked.connect(self._choose)
            button.say(len(item_ids))
            self._flow.addWidget(button)
            button.show()
            self.buttons.append(button)
        self._let_tab_reach(0)
        self.mark(self._shown_item)

    def mark(self, item_id: int) -> None:
        """Mark the item that the viewer shows."""
        self._shown_item = item_id
        for button in self.buttons:
            button.setChecked(button.item_id == item_id)

    def add_thumbnails(self, thumbnails: tuple[Thumbnail, ...]) -> None:
        """Take those of these photos out of whatever came."""
        by_item = {button.item_id: button for button in self.buttons}
        for thumbnail in thumbnails:
            button, pixmap = by_item.get(thumbnail.item_id), QPixmap()
            if button is not None and pixmap.loadFromData(thumbnail.jpeg):
                button.show_picture(pixmap)

    def add_descriptions(self, items: tuple[ItemDescription, ...]) -> None:
        """Take the names of these photos out of whatever came."""
        by_item = {button.item_id: button for button in self.buttons}
        for item in items:
            if item.item_id in by_item:
                by_item[item.item_id].name = shot_name(item)
                by_item[item.item_id].say(len(self.buttons))

    def _let_tab_reach(self, place: int) -> None:
        for button in self.buttons:
            reached = button.place == place
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus if reached else Qt.FocusPolicy.ClickFocus)

    @Slot(int, int)
    def _move(self, place: int, key: int) -> None:
        target = self.buttons[place_beside(self.buttons, place, Qt.Key(key), self.layoutDirection())]
        self._let_tab_reach(target.place)
        target.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _choose(self) -> None:
        button = self.sender()
        assert isinstance(button, CarrierButton)
        self._let_tab_reach(button.place)
        self.chosen.emit(button.item_id)

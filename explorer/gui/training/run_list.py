"""The runs, newest first: what each is, how it is with it, and what it reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from explorer.gui.icons import blend, hairline, quiet_text
from explorer.gui.training.control import TrainingControl
from explorer.gui.training.run_sentences import best_text, family_text, part_done, status_text, when_text

_ROW = Qt.ItemDataRole.UserRole
_ROW_HEIGHT = 72


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """What is drawn of one run; ``part``: of 1, None where nothing is under way or the whole is not known."""

    path: Path
    name: str
    family: str = ""
    status: str = ""
    best: str = ""
    when: str = ""
    part: float | None = None
    lives: bool = False

    @property
    def spoken(self) -> str:
        """All of it, for screen readers."""
        return ", ".join(word for word in (self.name, self.family, self.status, self.best, self.when) if word)


def row_of(training: TrainingControl, path: Path) -> RunRow:
    """What there is to say of a run."""
    state, description, doing = training.state(path), training.description(path), training.doing(path)
    problem = training.problem(path)
    lives = training.lives(path)
    return RunRow(
        path=path, name=" ".join((description.name if description is not None else path.name).split()),
        family=family_text(description), status=status_text(state, doing.value if doing else "", problem),
        best=best_text(state), when=when_text(description.made_at if description is not None else 0.0),
        part=part_done(state) if lives else None, lives=lives,
    )  # fmt: skip


class RunDelegate(QStyledItemDelegate):
    """Three lines: name and when; family and best value; state. A thin bar below while it lives."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: D102
        return QSize(120, max(_ROW_HEIGHT, 3 * option.fontMetrics.height() + 20))

    def paint(  # noqa: D102
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        row: RunRow = index.data(_ROW)
        painter.save()
        _paint_ground(painter, option)
        metrics, box = option.fontMetrics, option.rect.adjusted(16, 8, -16, -8)
        height = metrics.height()
        lines = [QRect(box.left(), box.top() + i * (height + 1), box.width(), height) for i in range(3)]
        quiet = quiet_text(option.palette)
        painter.setPen(option.palette.color(QPalette.ColorRole.WindowText))
        _draw_pair(painter, metrics, lines[0], row.name, "", Qt.TextElideMode.ElideMiddle)
        painter.setPen(quiet)
        _draw_pair(painter, metrics, lines[0], "", row.when)
        _draw_pair(painter, metrics, lines[1], row.family, row.best)
        _draw_pair(painter, metrics, lines[2], row.status, "")
        if row.lives:
            bar = QRectF(box.left(), option.rect.bottom() - 4, box.width(), 2)
            _paint_bar(painter, option.palette, bar, row.part or 0)
        painter.restore()


def _paint_ground(painter: QPainter, option: QStyleOptionViewItem) -> None:
    palette = option.palette
    selected = bool(option.state & QStyle.StateFlag.State_Selected)
    focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
    if not selected and not option.state & QStyle.StateFlag.State_MouseOver:
        return
    strength = 0.22 if selected and focused else 0.12 if selected else 0.06
    over = palette.color(QPalette.ColorRole.Highlight if selected else QPalette.ColorRole.WindowText)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(blend(over, palette.color(QPalette.ColorRole.Window), strength))
    painter.drawRoundedRect(option.rect.adjusted(8, 1, -8, -1), 4, 4)


def _draw_pair(
    painter: QPainter, metrics: QFontMetrics, line: QRect, left: str, right: str,
    elide: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
) -> None:  # fmt: skip
    """Words at both ends of a line; those at the left give way."""
    taken = metrics.horizontalAdvance(right) + 8 if right else 0
    if not right and elide is Qt.TextElideMode.ElideMiddle:
        taken = metrics.horizontalAdvance("2026-11-22") + 8  # room for the date, drawn in another colour
    if left:
        text = metrics.elidedText(left, elide, max(0, line.width() - taken))
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextSingleLine, text)
    painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.TextFlag.TextSingleLine, right)


def _paint_bar(painter: QPainter, palette: QPalette, box: QRectF, part: float) -> None:
    painter.fillRect(box, hairline(palette))
    if part:
        box.setWidth(max(2.0, box.width() * part))
        painter.fillRect(box, palette.color(QPalette.ColorRole.Highlight))


class RunList(QListWidget):
    """Draws the runs; several can be selected.

    Signals:
        chosen(tuple of Path): other runs are selected, in the order of the list.
        go_on_asked(Path), stop_asked(Path), again_asked(Path), delete_asked(Path), compare_asked(): from menu or key.
    """

    chosen = Signal(tuple)
    go_on_asked = Signal(object)
    stop_asked = Signal(object)
    again_asked = Signal(object)
    delete_asked = Signal(object)
    compare_asked = Signal()

    def __init__(self, training: TrainingControl, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._training = training
        self._filling = False
        self.setAccessibleName("Training runs, newest first")
        self.setFrameShape(QListWidget.Shape.NoFrame)
        self.setItemDelegate(RunDelegate(self))
        self.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Base, Qt.GlobalColor.transparent)
        self.setPalette(palette)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._open_menu)
        self.itemSelectionChanged.connect(self._tell)

    # --- what is drawn ------------------------------------------------------------------------------------------------

    @Slot()
    def show_runs(self) -> None:
        """Redraw all, keeping the selection."""
        selected = self.selected()
        self._filling = True
        self.clear()
        for path in self._training.paths():
            row = QListWidgetItem(self)
            _fill(row, row_of(self._training, path))
            row.setSelected(path in selected)
        self._filling = False
        if self.selected() != selected:
            self._tell()

    @Slot(object)
    def show_run(self, path: Path) -> None:
        """Redraw one."""
        item = self._item_of(path)
        if item is not None:
            row = row_of(self._training, path)
            if item.data(_ROW) != row:
                _fill(item, row)

    def _item_of(self, path: Path) -> QListWidgetItem | None:
        return next((item for item in self._items() if item.data(_ROW).path == path), None)

    def _items(self) -> list[QListWidgetItem]:
        return [self.item(i) for i in range(self.count())]

    # --- what is selected ---------------------------------------------------------------------------------------------

    def selected(self) -> tuple[Path, ...]:
        """The folders of the selected runs, in the order of the list."""
        return tuple(item.data(_ROW).path for item in self._items() if item.isSelected())

    def select(self, path: Path | None) -> None:
        """Select this run alone; none: no run."""
        item = None if path is None else self._item_of(path)
        if item is None:
            self.clearSelection()
            self.setCurrentItem(None)  # type: ignore[call-overload]
        else:
            self.setCurrentItem(item)

    @Slot()
    def _tell(self) -> None:
        if not self._filling:
            self.chosen.emit(self.selected())

    # --- what can be done ---------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: D102
        selected = self.selected()
        if event.key() == Qt.Key.Key_Delete and len(selected) == 1:
            self.delete_asked.emit(selected[0])
            return
        super().keyPressEvent(event)

    def menu_for(self, selected: Sequence[Path]) -> QMenu:
        """What can be done with these runs."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if len(selected) > 1:
            menu.addAction("Compare them").triggered.connect(self.compare_asked)
            return menu
        path = selected[0]
        lives = self._training.lives(path)
        go_on, stop = menu.addAction("Go on"), menu.addAction("Stop")
        again = menu.addAction("Train again with other settings…")
        menu.addSeparator()
        delete = menu.addAction("Discard…" if lives else "Delete…")
        go_on.setEnabled(not lives and self._training.state(path).can_go_on)
        stop.setEnabled(lives)
        again.setEnabled(not self._training.problem(path))
        go_on.triggered.connect(lambda: self.go_on_asked.emit(path))
        stop.triggered.connect(lambda: self.stop_asked.emit(path))
        again.triggered.connect(lambda: self.again_asked.emit(path))
        delete.triggered.connect(lambda: self.delete_asked.emit(path))
        return menu

    @Slot(QPoint)
    def _open_menu(self, at: QPoint) -> None:
        selected = self.selected()
        if selected:
            self.menu_for(selected).popup(self.viewport().mapToGlobal(at))


def _fill(item: QListWidgetItem, row: RunRow) -> None:
    item.setData(_ROW, row)
    item.setData(Qt.ItemDataRole.AccessibleTextRole, row.spoken)
    item.setToolTip(f"{row.name}\n{row.status}")

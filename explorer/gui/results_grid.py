"""The ranking as a grid of pictures. Cells are computed, not stored: ten million rows scroll like ten.

Item views with an icon mode lay out every row (seconds at a million); here the widget knows two arrays and asks for
thumbnails and descriptions of what is seen.
"""

import time

import numpy as np
from PySide6.QtCore import QEvent, QSize, QTimer, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QFocusEvent, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolTip, QWidget

from explorer.gui.item_text import differing_text, moment_badges, one_line, score_text, tooltip_text, video_text
from explorer.gui.result_drag import drag_result
from explorer.gui.results_grid_cache import DescriptionCache, PendingRequests, ThumbnailCache
from explorer.gui.results_grid_selection import SelectionArea
from explorer.gui.results_grid_tiles import Tile, TilePainter
from explorer.protocol import ItemDescription, Thumbnail
from explorer.segment_ids import item_of

_MARGIN_ROWS = 2
_ASK_AFTER_MS = 30
_SEARCHED_FOR_SELECTION = 10_000


class ResultsGrid(SelectionArea):
    """Ranked items as thumbnails with their scores; one of them may be selected.

    It asks for what it lacks through signals and holds no more of it than a few screens.
    """

    decode_budget_s = 0.006
    """Time for thumbnails in one frame; what is left comes in the next."""

    thumbnails_wanted = Signal(list)
    descriptions_wanted = Signal(list)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scores: np.ndarray | None = None
        self._n_bits = 0
        self._thumbnails = ThumbnailCache()
        self._descriptions = DescriptionCache()
        self._pending_thumbnails = PendingRequests()
        self._pending_descriptions = PendingRequests()
        self._tiles: TilePainter | None = None
        self._ask = QTimer(self, singleShot=True, interval=_ASK_AFTER_MS)
        self._ask.timeout.connect(self._ask_for_missing)
        self.setAccessibleName("Results")

    # --- what is shown ---------------------------------------------------------------------------------------------

    def set_ranking(self, item_ids: np.ndarray, scores: np.ndarray | None, *, n_bits: int = 0) -> None:
        """Show these items, best first; the arrays are kept, not copied.

        The view stays where it is if what is in sight is unchanged, and else begins at the top. A selected item that is
        still there (in its place, or among the first ten thousand) stays selected; where a selected shot is not there
        any more, the best one of its video is.

        Args:
            item_ids: int64 (n,).
            scores: float32 (n,), larger is nearer; ``None`` when browsing.
            n_bits: of the codes that the scores compare; 0 where they compare embeddings.
        """
        if item_ids.dtype != np.int64 or item_ids.ndim != 1:
            raise ValueError(f"item ids must be int64 of shape (n,), got {item_ids.dtype} of shape {item_ids.shape}")
        if scores is not None and scores.shape != item_ids.shape:
            raise ValueError(f"there must be one score an item, got {scores.shape} for {item_ids.shape}")
        selected = self.current_item()
        in_sight = self.visible_rows()
        same = np.array_equal(self._item_ids[in_sight.start : in_sight.stop], item_ids[in_sight.start : in_sight.stop])
        self._item_ids, self._scores, self._n_bits, self._hovered = item_ids, scores, n_bits, -1
        self._pending_thumbnails.clear()
        self._pending_descriptions.clear()
        self._current = self._row_of(selected)
        self._set_n_items(len(item_ids))
        if not same:
            self.verticalScrollBar().setValue(0)
        self.viewport().update()
        self._view_changed()
        current = self.current_item()
        if current is not None and current != selected:
            self.current_changed.emit(*current)

    def _row_of(self, selected: tuple[int, int] | None) -> int:
        """Where a formerly selected item is now; -1 if that is not found cheaply."""
        if selected is None:
            return -1
        item_id, row = selected
        if row < len(self._item_ids) and self._item_ids[row] == item_id:
            return row
        first = self._item_ids[:_SEARCHED_FOR_SELECTION]
        found = np.flatnonzero(first == item_id)
        if not found.size:  # another shot of the same video stands for it now
            found = np.flatnonzero(item_of(first) == item_of(item_id))
        return int(found[0]) if found.size else -1

    def add_thumbnails(self, thumbnails: tuple[Thumbnail, ...]) -> None:
        """Take thumbnails that were asked for (or any others)."""
        for thumbnail in thumbnails:
            self._pending_thumbnails.came(thumbnail.item_id)
            self._thumbnails.add(thumbnail.item_id, thumbnail.jpeg)
        self.viewport().update()

    def add_descriptions(self, items: tuple[ItemDescription, ...]) -> None:
        """Take descriptions that were asked for (or any others)."""
        current = self.current_item()
        for item in items:
            self._pending_descriptions.came(item.item_id)
            self._descriptions.add(item)
            if current is not None and item.item_id == current[0]:
                self._tell_current()
        self.viewport().update()

    def forget_items(self) -> None:
        """Drop every thumbnail and description, because the files behind them may have changed."""
        self._thumbnails.clear()
        self._descriptions.clear()
        self._pending_thumbnails.clear()
        self._pending_descriptions.clear()
        self._view_changed()
        self.viewport().update()

    def thumbnail(self, item_id: int) -> bytes | None:
        """The JPEG of an item in sight, if it is here: something to show until the picture is there."""
        return self._thumbnails.jpeg(item_id)

    def score(self, row: int) -> float | None:
        """The score of a row; ``None`` when browsing."""
        return None if self._scores is None else float(self._scores[row])

    def _tell_current(self) -> None:
        """Say to assistive technology what is selected now."""
        item_id = int(self._item_ids[self._current])
        item = self._descriptions.get(item_id)
        score = self.score(self._current)
        words = [one_line(item.name)] if item else []
        words += [told] if item and (told := video_text(item, whole=score is None)) else []
        words.append(f"rank {self._current + 1} of {len(self._item_ids)}")
        words += [f"score {score:.2f}"] if score is not None else []
        words += [differing_text(score, self._n_bits)] if score is not None and self._n_bits else []
        words += [item.error] if item and item.error else []
        self.setAccessibleDescription(", ".join(words))
        if QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, ", ".join(words)))

    def _drag(self, row: int) -> None:
        item_id = int(self._item_ids[row])
        item, drawn = self._descriptions.get(item_id), self._thumbnails.drawn(item_id)
        if item is not None:
            drag_result(self, item, drawn.pixmap if drawn else None)

    # --- asking ----------------------------------------------------------------------------------------------------

    def _view_changed(self) -> None:
        if not self._ask.isActive():
            self._ask.start()

    @Slot()
    def _ask_for_missing(self) -> None:
        in_sight, around = self.visible_rows(), self.visible_rows(margin_rows=_MARGIN_ROWS)
        rows = [*in_sight, *range(in_sight.stop, around.stop), *range(around.start, in_sight.start)]
        item_ids = self._item_ids[rows].tolist() if rows else []
        now = time.monotonic()
        for known, pending, wanted in (
            (self._thumbnails, self._pending_thumbnails, self.thumbnails_wanted),
            (self._descriptions, self._pending_descriptions, self.descriptions_wanted),
        ):
            asked = pending.take((item_id for item_id in item_ids if item_id not in known), now)
            if asked:
                wanted.emit(asked)

    # --- painting --------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the cells in sight; what is not decoded within a few milliseconds follows in the next frame."""
        if self._tiles is None:
            self._tiles = TilePainter(self.palette(), self.font(), focused=self.hasFocus())
            self._thumbnails.set_ground(self._tiles.ground)
        rows = self.visible_rows()
        ratio = self.devicePixelRatioF()
        more = self._decode(rows, ratio)
        painter = QPainter(self.viewport())
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        for row in rows:
            cell = self.cell_rect(row)
            if cell.adjusted(-4, -4, 4, 4).intersects(event.rect()):
                self._tiles.paint(painter, cell, self._tile(row))
        painter.end()
        if more:
            QTimer.singleShot(0, self.viewport(), self.viewport().update)

    def _decode(self, rows: range, ratio: float) -> bool:
        """Decode what is in sight until the time is up; whether something is left."""
        box = QSize(round(self._layout.cell_width_px * ratio), round(self._layout.cell_height_px * ratio))
        self._thumbnails.drawn_budget = max(8_000_000, 2 * len(rows) * box.width() * box.height() * 4)
        started = time.perf_counter()
        for item_id in self._item_ids[rows.start : rows.stop].tolist():
            if self._thumbnails.needs_decoding(item_id, box):
                self._thumbnails.decode(item_id, box, ratio)
                if time.perf_counter() - started > self.decode_budget_s:
                    return True
        return False

    def _tile(self, row: int) -> Tile:
        item_id = int(self._item_ids[row])
        drawn = self._thumbnails.drawn(item_id)
        item = self._descriptions.get(item_id)
        size = drawn.natural if drawn else QSize(item.width_px, item.height_px) if item else QSize()
        return Tile(
            pixmap=drawn.pixmap if drawn else None, size=size, problem=bool(item and item.error),
            badge="" if self._scores is None else score_text(float(self._scores[row])),
            current=row == self._current, hovered=row == self._hovered,
            moment=moment_badges(item, whole=self._scores is None),
        )

    # --- what else the widget is told ------------------------------------------------------------------------------

    def changeEvent(self, event: QEvent) -> None:
        """Another palette or font: paint with it."""
        super().changeEvent(event)
        self._tiles = None
        self.viewport().update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The selection is drawn in the accent colour while keys go here."""
        super().focusInEvent(event)
        self._tiles = None
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The selection is drawn more quietly while keys go elsewhere."""
        super().focusOutEvent(event)
        self._tiles = None
        self.viewport().update()

    def viewportEvent(self, event: QEvent) -> bool:
        """Name and date of the item under the pointer, as a tool tip."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            row = self.row_at(event.pos())
            item = self._descriptions.get(int(self._item_ids[row])) if row is not None else None
            if row is None or item is None:
                QToolTip.hideText()
            else:
                text = tooltip_text(item, row, len(self._item_ids), self.score(row), self._n_bits)
                QToolTip.showText(event.globalPos(), text, self.viewport(), self.cell_rect(row))
            return True
        return super().viewportEvent(event)

"""The middle pane: how many results, how large, from which score; the grid, or the page that says why there is none."""

import numpy as np
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QSlider, QStackedWidget, QVBoxLayout, QWidget

from explorer.gui.item_text import score_text
from explorer.gui.notice_bar import NoticeBar
from explorer.gui.page_view import PageView
from explorer.gui.pages import Page
from explorer.gui.phrases import count
from explorer.gui.results_grid import ResultsGrid
from explorer.gui.results_grid_area import MAX_CELL_PX, MIN_CELL_PX
from explorer.protocol import SearchResponse

_STEPS = 200


class ResultsPane(QWidget):
    """Shows one ranking.

    Signals:
        arrived(): a ranking was drawn.
    """

    arrived = Signal()

    def __init__(self, cell_px: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumWidth(280)
        self._item_ids = np.empty(0, np.int64)
        self._scores: np.ndarray | None = None
        self._asked: object = None
        self._n_kept = 0
        self.notices = NoticeBar(self)
        self.page = PageView(self)
        self.grid = ResultsGrid(self)
        self.grid.setAccessibleName("Results")
        self.grid.set_cell_px(cell_px)
        self.count_label = QLabel(self)
        self.count_label.setTextFormat(Qt.TextFormat.PlainText)
        self.count_label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.score_label = QLabel("Score", self)
        self.score_slider = _slider("Lowest score shown", 0, _STEPS, 0, self)
        self.size_label = QLabel("Size", self)
        self.size_slider = _slider("Size of thumbnails", MIN_CELL_PX, MAX_CELL_PX, cell_px, self)
        self.size_slider.setPageStep(24)
        self.tools = QWidget(self)
        tools = QHBoxLayout(self.tools)
        tools.setContentsMargins(16, 4, 16, 4)
        tools.setSpacing(8)
        tools.addWidget(self.count_label, 1)
        for part in (self.score_label, self.score_slider, self.size_label, self.size_slider):
            tools.addWidget(part)
        self.stack = QStackedWidget(self)
        self.stack.addWidget(self.page)
        self.stack.addWidget(self.grid)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for row in (self.notices, self.tools, self.stack):
            column.addWidget(row, 1 if row is self.stack else 0)
        self.score_slider.valueChanged.connect(self._filter)
        self.size_slider.valueChanged.connect(self.grid.set_cell_px)
        self.grid.cell_px_changed.connect(self.size_slider.setValue)  # the wheel over the grid changes it too

    @Slot(object)
    def show_page(self, page: Page | None) -> None:
        """Show why there are no results, or the results."""
        self.page.show_page(page)
        self.tools.setVisible(page is None)
        self.stack.setCurrentWidget(self.grid if page is None else self.page)

    @Slot(SearchResponse)
    def show_ranking(self, ranking: SearchResponse) -> None:
        """Draw this ranking in place of the last."""
        self._item_ids = np.frombuffer(ranking.item_ids, dtype="<i8").astype(np.int64, copy=False)
        scores = np.frombuffer(ranking.scores, dtype="<f4").astype(np.float32, copy=False)
        self._scores = scores if len(scores) else None
        for widget in (self.score_label, self.score_slider):
            widget.setVisible(self._scores is not None)
        asked = (ranking.query, ranking.model)
        if asked != self._asked:  # a bound chosen for another query means nothing for this one
            self._asked = asked
            self.score_slider.blockSignals(True)
            self.score_slider.setValue(0)
            self.score_slider.blockSignals(False)
        self._filter()
        self.arrived.emit()

    def score_of(self, row: int) -> float | None:
        """The score in this row of the grid; ``None`` when everything is shown without one."""
        if self._scores is None or not 0 <= row < len(self._scores):
            return None
        return float(self._scores[row])

    @property
    def at_rest(self) -> bool:
        """Whether nobody is reading: nothing is selected and the grid is at its top."""
        return self.grid.current_item() is None and self.grid.verticalScrollBar().value() == 0

    @property
    def shows_results(self) -> bool:
        """Whether the grid is seen, not a page."""
        return self.stack.currentWidget() is self.grid

    @property
    def n_shown(self) -> int:
        """How many rows the grid has."""
        return self._n_kept

    @Slot()
    def _filter(self) -> None:
        n_all = len(self._item_ids)
        bound = self._lowest_score()
        if self._scores is None or bound is None:
            self._n_kept = n_all
        else:
            self._n_kept = int(np.searchsorted(-self._scores, -np.float32(bound), side="right"))
        kept = slice(0, self._n_kept)
        self.grid.set_ranking(self._item_ids[kept], None if self._scores is None else self._scores[kept])
        self.score_label.setText("Score" if bound is None else f"Score ≥ {score_text(bound)}")
        if self._scores is None:
            self.count_label.setText(count(n_all, "photo"))
        elif self._n_kept < n_all:
            self.count_label.setText(f"{self._n_kept:,} of {count(n_all, 'result')}")
        else:
            self.count_label.setText(count(n_all, "result"))

    def _lowest_score(self) -> float | None:
        """The bound of the slider, between the lowest and the highest score; ``None``: all."""
        if self._scores is None or not len(self._scores) or self.score_slider.value() == 0:
            return None
        low, high = float(self._scores[-1]), float(self._scores[0])
        return low + (high - low) * self.score_slider.value() / _STEPS


def _slider(name: str, low: int, high: int, value: int, parent: QWidget) -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal, parent)
    slider.setRange(low, high)
    slider.setValue(value)
    slider.setFixedWidth(96)
    slider.setAccessibleName(name)
    slider.setToolTip(name)
    slider.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return slider

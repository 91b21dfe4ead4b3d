"""The middle pane: how many results, how large, from which score; the grid, or the page that says why there is none."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSizePolicy, QSlider, QStackedWidget, QVBoxLayout, QWidget

from explorer.gui.icons import GlyphButton
from explorer.gui.notice_bar import NoticeBar
from explorer.gui.page_view import PageView
from explorer.gui.pages import STARTING, Page
from explorer.protocol import LibraryState, SearchResponse

if TYPE_CHECKING:  # the grid comes after the first paint, and numpy with it
    from explorer.gui.results_grid import ResultsGrid
    from explorer.gui.sentences_panel import SentencesPanel
    from explorer.gui.shown_ranking import ShownRanking

_STEPS = 200
_LEAST_PX = 400  # two columns of thumbnails
_NARROW_PX, _NARROW_WITH_MOMENTS_PX, _CROWDED_PX = 480, 620, 520
_MOMENTS = (
    "On: every shot of a video is a result of its own, one after the other if they fit alike.\n"
    "Off: each video is one result, its best moment."
)
_SLIDER_PX, _SHORT_SLIDER_PX = 96, 64


class ResultsPane(QWidget):
    """Shows one ranking; before :meth:`add_grid` only pages and notices, which need nothing heavy.

    Signals:
        arrived(): a ranking was drawn. export_asked(): the first results are wanted as a figure.
        every_moment_asked(bool): all moments of videos are wanted, or the best of each.
    """

    arrived = Signal()
    every_moment_asked = Signal(bool)
    export_asked = Signal()

    def __init__(self, cell_px: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumWidth(_LEAST_PX)
        self._page: Page | None = STARTING
        self._shown: ShownRanking | None = None
        self._early: SearchResponse | None = None
        self._n_items = self._n_videos = 0
        self.notices = NoticeBar(self)
        self.page = PageView(self)
        self.count_label = QLabel(self)
        self.count_label.setTextFormat(Qt.TextFormat.PlainText)
        self.count_label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.score_label = QLabel("Score", self)
        self.score_slider = _slider("Lowest score shown", 0, _STEPS, 0, self)
        widest = self.score_label.fontMetrics().horizontalAdvance("Score ≥ −.00")
        self.score_label.setMinimumWidth(widest)  # the row must not shake while the slider is drawn
        self.score_label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.size_label = QLabel("Size", self)
        self.size_slider = _slider("Size of thumbnails", cell_px, cell_px, cell_px, self)
        self.size_slider.setPageStep(24)
        self.moments = QCheckBox("Every moment", self)
        self.moments.setToolTip(f"{_MOMENTS}\n(Ctrl+M)")
        self.moments.setAccessibleName("Every moment of the videos")
        self.moments.hide()
        self.moments.clicked.connect(self.every_moment_asked)
        self.export_button = GlyphButton("export", "Export results as a figure…", parent=self)
        self.export_button.setFixedSize(28, 28)
        self.export_button.clicked.connect(self.export_asked)
        self.tools = QWidget(self)
        tools = QHBoxLayout(self.tools)
        tools.setContentsMargins(16, 4, 16, 4)
        tools.setSpacing(8)
        tools.addWidget(self.count_label, 1)
        sliders = (self.score_label, self.score_slider, self.size_label, self.size_slider)
        for part in (self.moments, *sliders, self.export_button):
            tools.addWidget(part)
        self.stack = QStackedWidget(self)
        self.stack.addWidget(self.page)
        self.tools.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for row in (self.notices, self.tools, self.stack):
            column.addWidget(row, 1 if row is self.stack else 0)
        self.score_slider.valueChanged.connect(self._filter)

    def add_grid(self, grid: "ResultsGrid", shown: "ShownRanking", smallest_px: int, largest_px: int) -> None:
        """Take the grid in; a ranking that came before it is drawn now."""
        self.grid, self._shown = grid, shown
        cell_px = self.size_slider.value()
        grid.setAccessibleName("Results")
        grid.set_cell_px(cell_px)
        self.size_slider.setRange(smallest_px, largest_px)
        self.size_slider.setValue(cell_px)
        self.size_slider.valueChanged.connect(grid.set_cell_px)
        grid.cell_px_changed.connect(self.size_slider.setValue)  # the wheel over the grid changes it too
        self.stack.addWidget(grid)
        QWidget.setTabOrder(self.export_button, grid)
        self._add_suggestions()
        if self._early is not None:
            self.show_ranking(self._early)
        self.show_page(self._page)

    def _add_suggestions(self) -> None:
        from explorer.gui.suggestions import Suggestions  # here for the start-up time

        self.suggestions = Suggestions(self)
        column = self.layout()
        assert isinstance(column, QVBoxLayout)
        column.insertWidget(column.indexOf(self.stack), self.suggestions)

    def add_sentences(self, panel: "SentencesPanel") -> None:
        """Take the sentences in, below the results."""
        layout = self.layout()
        assert layout is not None
        layout.addWidget(panel)
        QWidget.setTabOrder(self.grid, panel.fold)

    @Slot(object)
    def show_page(self, page: Page | None) -> None:
        """Show why there are no results, or the results."""
        self._page = page
        self.page.show_page(page)
        results = page is None and self._shown is not None
        self.tools.setVisible(results)
        self._suggest()
        self.stack.setCurrentWidget(self.grid if results else self.page)

    def turn_moments(self) -> None:
        """The other choice of moments, if there is one to make."""
        if not self.moments.isHidden():
            self.moments.click()

    @Slot(SearchResponse)
    def show_ranking(self, ranking: SearchResponse) -> None:
        """Draw this ranking in place of the last."""
        if self._shown is None:
            self._early = ranking
            return
        self._early = None
        if self._shown.take(ranking):  # a bound chosen for another query means nothing for this one
            self.score_slider.blockSignals(True)
            self.score_slider.setValue(0)
            self.score_slider.blockSignals(False)
        for widget in (self.score_label, self.score_slider):
            widget.setVisible(self._shown.has_scores)
        self._fit()
        self._suggest()
        self._filter()
        self.arrived.emit()

    def _suggest(self) -> None:
        """Sentences to begin with stand above everything, not above what was found."""
        if self._shown is not None:
            self.suggestions.show_if(wanted=self._page is None and not self._shown.has_scores)

    @Slot(object)
    def show_library(self, library: LibraryState | None) -> None:
        """The library holds so many photos and videos now."""
        counts = (0, 0) if library is None else (library.n_items, library.n_videos)
        if counts != (self._n_items, self._n_videos):
            self._n_items, self._n_videos = counts
            self._fit()
            self._show_count()

    def score_of(self, row: int) -> float | None:
        """The score in this row of the grid; ``None`` when everything is shown without one."""
        return None if self._shown is None else self._shown.score_of(row)

    @property
    def at_rest(self) -> bool:
        """Whether nobody is reading: nothing is selected and the grid is at its top."""
        return self._shown is None or (
            self.grid.current_item() is None and self.grid.verticalScrollBar().value() == 0
        )

    @property
    def shows_results(self) -> bool:
        """Whether the grid is seen, not a page."""
        return self.stack.currentWidget() is not self.page

    @property
    def n_shown(self) -> int:
        """How many rows the grid has."""
        return 0 if self._shown is None else self._shown.n_kept

    def first_items(self, n_items: int) -> tuple[int, ...]:
        """Ids of the first results, as they are shown."""
        return () if self._shown is None else self._shown.first(n_items)

    def focus_results(self) -> None:
        """Give the grid the focus, if it is seen."""
        if self.shows_results:
            self.grid.setFocus()

    @property
    def has_focus(self) -> bool:
        """Whether the grid has the focus."""
        return self.shows_results and self.grid.hasFocus()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow pane the count is worth more than long sliders."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Show what there is something to do for, and what there is room for."""
        moments = self._n_videos > 0 and self._shown is not None and self._shown.has_scores
        self.moments.setVisible(moments)
        narrow = self.width() < (_NARROW_WITH_MOMENTS_PX if moments else _NARROW_PX)
        self.size_label.setVisible(not narrow)
        crowded = moments and self.width() < _CROWDED_PX
        self.size_slider.setVisible(not crowded)  # keys and the wheel do it too
        self.moments.setText("Moments" if crowded else "Every moment")
        for slider in (self.score_slider, self.size_slider):
            slider.setFixedWidth(_SHORT_SLIDER_PX if narrow else _SLIDER_PX)

    @Slot()
    def _filter(self) -> None:
        shown = self._shown
        if shown is None:
            return
        item_ids, scores = shown.keep_above(self.score_slider.value() / _STEPS)
        self.grid.set_ranking(item_ids, scores, n_bits=shown.n_bits)
        self.score_label.setText(shown.bound_text())
        self._show_count()

    def _show_count(self) -> None:
        if self._shown is not None:
            self.count_label.setText(self._shown.count_text(self._n_items, self._n_videos))


def _slider(name: str, low: int, high: int, value: int, parent: QWidget) -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal, parent)
    slider.setRange(low, high)
    slider.setValue(value)
    slider.setFixedWidth(_SLIDER_PX)
    slider.setAccessibleName(name)
    slider.setToolTip(name)
    slider.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return slider

"""The row above the results: what is seen of it in panes of any width."""

from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from explorer.gui.results_grid import ResultsGrid
from explorer.gui.results_grid_area import MAX_CELL_PX, MIN_CELL_PX
from explorer.gui.results_pane import ResultsPane
from explorer.gui.shown_ranking import ShownRanking
from explorer.protocol import LibraryState, Query, SearchResponse


@pytest.fixture
def pane(qtbot):
    """1,204 results of a library with 25 videos."""
    made = ResultsPane(176)
    qtbot.addWidget(made)
    made.add_grid(ResultsGrid(made), ShownRanking(), MIN_CELL_PX, MAX_CELL_PX)
    made.show_library(LibraryState(
        id=1, path=b"", display="", sources=(), n_items=1204, n_errors=0, n_indexed={}, n_videos=25
    ))
    made.show_ranking(SearchResponse(
        id=1, item_ids=np.arange(1204, dtype="<i8").tobytes(), query=Query(text="x"),
        scores=np.linspace(0.9, 0.1, 1204, dtype="<f4").tobytes(),
    ))
    made.show_page(None)
    made.show()
    qtbot.waitExposed(made)
    return made


@pytest.mark.parametrize("width", [400, 440, 480, 500, 560, 590, 640, 900])
def test_everything_in_it_has_room(pane, width):
    pane.resize(width, 400)
    QApplication.processEvents()  # the layouts follow
    assert pane.width() == width
    row = pane.tools.layout()
    seen = [part for part in (row.itemAt(i).widget() for i in range(row.count())) if part.isVisible()]
    assert pane.moments in seen
    assert pane.score_slider in seen
    assert pane.count_label.width() >= pane.count_label.fontMetrics().horizontalAdvance("1,204 results")
    for left, right in pairwise(seen):
        assert left.geometry().right() < right.geometry().left()
        assert right.width() >= right.minimumSizeHint().width()
    assert seen[-1].geometry().right() <= width


def test_a_choice_of_moments_is_told_and_says_what_it_is(pane, qtbot):
    with qtbot.waitSignal(pane.every_moment_asked) as asked:
        pane.moments.click()
    assert asked.args == [True]
    assert "every shot of a video" in pane.moments.toolTip()

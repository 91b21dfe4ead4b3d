"""Layers, places and comparisons in the whole window, with an engine that answers."""

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from explorer.gui.viewer_comparison import VARIANTS
from explorer.overlays import PointedOverlay, RegionOverlay


@pytest.fixture
def viewer(open_window, until):
    """The viewer of a window that was searched in, with the first result explained."""
    window, controller = open_window("--items", 12)
    window.query.edit.setText("a dog in the snow")
    QTest.keyClick(window.query.edit, Qt.Key.Key_Return)
    until(lambda: controller.session.ranking is not None and controller.session.ranking.scores)
    window.pane.grid.setFocus()
    window.pane.grid.select_row(0)
    QTest.keyClick(window.pane.grid, Qt.Key.Key_Return)
    until(lambda: window.viewer.layers.boxes and window.viewer.canvas.has_picture)
    return window.viewer


def _point(canvas, u, v):
    rect = canvas.placement.rect()
    at = QPointF(rect.left() + u * rect.width(), rect.top() + v * rect.height())
    QApplication.sendEvent(canvas, QMouseEvent(
        QEvent.Type.MouseMove, at, canvas.mapToGlobal(at), Qt.MouseButton.NoButton, Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
    ))


def _caption(viewer, place):
    return viewer.pictures._captions[place].text()


def test_every_kind_of_layer_arrives(viewer):
    cells, regions, attention, classes = viewer.layers.overlays()
    assert [layer.name for layer in (cells, regions, attention, classes)] == ["vsem", "regions", "vspm", "segmentation"]
    assert isinstance(regions, RegionOverlay)
    assert isinstance(attention, PointedOverlay)
    assert attention.maps.shape == (49, 14, 14)


def test_the_cell_under_the_pointer_shows_where_it_attends_and_which_words_it_moves(viewer):
    viewer.toggle_layer(1)
    viewer.toggle_layer(3)
    told = []
    viewer.canvas.place_pointed.connect(lambda *what: told.append(what))
    _point(viewer.canvas, 0.07, 0.5)  # row 3, column 0: this engine's cells attend to the mirrored place
    assert told == [("vsem", 21)]
    shown = next(layer for layer in viewer.canvas.pointing.shown if layer.name == "vspm")
    row, column = divmod(int(shown.values.argmax()), 14)
    assert (row, column) == (6, 12)
    assert viewer.status.text().startswith("Spatial attention")


def test_without_a_part_comes_beside_with_its_score_and_again_for_the_next_result(viewer, until):
    viewer.canvas.setFocus()
    viewer.pictures.choose(VARIANTS[1])
    until(lambda: "(" in _caption(viewer, 1))
    assert _caption(viewer, 0) == "With VSeM · .71"
    assert _caption(viewer, 1) == "Without VSeM · .66 (−.05)"
    assert viewer.pictures._missing() == "No “Semantic gates” without VSeM"
    first = viewer._item.item_id
    QTest.keyClick(viewer.canvas, Qt.Key.Key_Right)
    until(lambda: viewer._item.item_id != first and "(" in _caption(viewer, 1))
    assert viewer.pictures.beside.has_picture
    QTest.keyClick(viewer.canvas, "c")
    assert not viewer.pictures.beside.isVisible()


def test_a_comparison_never_takes_the_place_of_the_explanation(viewer, until):
    before = viewer.layers.overlays()
    viewer.pictures.choose(VARIANTS[3])
    until(lambda: "(" in _caption(viewer, 1))
    assert _caption(viewer, 1) == "Without VSeM and VSpM · .64 (−.07)"
    assert viewer.layers.overlays() == before


def test_another_model_offers_what_it_has(open_window, until):
    window, controller = open_window("--items", 4)

    def offered():
        return [action.text() for action in window.viewer.bar._variants.actions()]

    assert offered() == ["One picture", "Overlays off", "Without VSeM", "Without VSpM", "Without VSeM and VSpM"]
    controller.load_model("pooled-lite0")
    until(lambda: len(offered()) == 2)
    assert offered() == ["One picture", "Overlays off"]

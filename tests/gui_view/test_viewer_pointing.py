from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from explorer.gui.viewer_canvas import PictureCanvas
from explorer.overlays import overlays_from_explanation

GROUND = QColor(0x80, 0x40, 0x20)


@pytest.fixture
def canvas(qtbot, jpeg):
    shown = PictureCanvas()
    qtbot.addWidget(shown)
    shown.resize(416, 316)
    shown.show()
    qtbot.waitExposed(shown)
    shown.expect(shown.size())
    shown.set_picture(jpeg(400, 300), shown.size().__class__(400, 300))
    shown.told = []
    shown.place_pointed.connect(lambda name, place: shown.told.append((name, place)))
    return shown


@pytest.fixture
def cells(canvas, explanation):
    canvas.set_overlays(overlays_from_explanation(explanation(1)))
    return canvas


@pytest.fixture
def regions(canvas, region_explanation):
    canvas.set_overlays(overlays_from_explanation(region_explanation(1)))
    return canvas


def _place(canvas, u, v):
    rect = canvas.placement.rect()
    return QPoint(round(rect.left() + u * rect.width()), round(rect.top() + v * rect.height()))


def _point(canvas, u, v):
    """A moved pointer; not the real one, which would not move where it already is."""
    at = QPointF(_place(canvas, u, v))
    QApplication.sendEvent(canvas, QMouseEvent(
        QEvent.Type.MouseMove, at, canvas.mapToGlobal(at), Qt.MouseButton.NoButton, Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
    ))


def _at(canvas, u, v):
    return QColor(canvas.grab().toImage().pixel(_place(canvas, u, v)))


def test_cells_under_the_pointer_are_told_once_each_and_the_end_too(cells):
    for u in (0.02, 0.1, 0.2, 0.25):
        _point(cells, u, 0.2)
    QApplication.sendEvent(cells, QEvent(QEvent.Type.Leave))
    assert cells.told == [("vsem", 7), ("vsem", 8), ("vsem", -1)]


def test_a_layer_with_the_same_places_goes_by_the_name_that_words_know(cells):
    cells.set_place_names(("vspm",))
    _point(cells, 0.99, 0.99)
    assert cells.told == [("vspm", 48)]


def test_nothing_is_told_of_layers_that_are_not_seen(cells, explanation):
    hidden = [replace(overlay, visible=False) for overlay in overlays_from_explanation(explanation(1))]
    cells.set_overlays(tuple(hidden))
    _point(cells, 0.5, 0.5)
    assert cells.told == []


def test_of_several_boxes_the_smallest_is_pointed_at(regions):
    _point(regions, 0.3, 0.3)
    _point(regions, 0.15, 0.15)
    _point(regions, 0.05, 0.05)
    assert regions.told == [("regions", 1), ("regions", 0), ("regions", -1)]


def test_another_picture_points_at_nothing(regions):
    _point(regions, 0.3, 0.3)
    regions.expect(regions.size())
    assert regions.told[-1] == ("regions", -1)


def test_other_values_are_shown_with_their_sign_until_none(cells):
    before = _at(cells, 0.3, 0.2)
    values = np.zeros(49, np.float32)
    values[7:14], values[35:42] = 0.5, -0.5
    cells.show_values("vsem", values)
    above, zero, below = _at(cells, 0.3, 1.5 / 7), _at(cells, 0.3, 0.5), _at(cells, 0.3, 5.5 / 7)
    assert above.red() > GROUND.red() + 30  # light orange
    assert below.blue() > GROUND.blue() + 30  # light blue
    assert below.blue() > below.red()
    assert above.red() > above.blue()
    assert abs(zero.red() - GROUND.red()) <= 2
    cells.show_values("vsem", None)
    after = _at(cells, 0.3, 0.2)
    assert max(abs(after.red() - before.red()), abs(after.blue() - before.blue())) <= 2


def test_other_values_of_regions_too(regions):
    regions.show_values("vsem", np.array([0.0, 0.4, -0.4], np.float32))
    top_of_second, top_of_third = _at(regions, 0.35, 0.2), _at(regions, 0.7, 0.3)
    assert top_of_second.red() > top_of_second.blue()
    assert top_of_third.blue() > top_of_third.red()


def test_values_of_a_layer_that_is_not_there_show_nothing(cells):
    before = cells.grab().toImage()
    cells.show_values("words", np.zeros(3))
    assert cells.grab().toImage() == before


def test_a_wrong_number_of_values_is_refused(cells):
    with pytest.raises(ValueError, match="'vsem' has 49 places, got 3 values"):
        cells.show_values("vsem", np.zeros(3))


def test_the_pointed_place_is_drawn_and_goes_with_the_pointer(regions):
    bare = regions.grab().toImage()
    _point(regions, 0.3, 0.3)
    assert regions.grab().toImage() != bare
    QApplication.sendEvent(regions, QEvent(QEvent.Type.Leave))
    assert regions.grab().toImage() == bare


def test_held_back_overlays_take_their_marks_with_them(regions):
    _point(regions, 0.3, 0.3)
    regions.set_bare(True)
    picture = regions.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    rect = regions.placement.rect().toRect().adjusted(2, 2, -2, -2)
    xs, ys = range(rect.left(), rect.right(), 3), range(rect.top(), rect.bottom(), 3)
    colours = {picture.pixel(x, y) for x in xs for y in ys}
    assert colours == {GROUND.rgb()}


def test_the_place_is_pointed_at_by_name(regions):
    regions.point_at("vsem", 2)
    regions.point_at("vsem", 7)
    regions.point_at("nothing", 1)
    regions.point_at("vsem", -1)
    assert regions.told == [("vsem", 2), ("vsem", -1)]


# --- holding a place -------------------------------------------------------------------------------------------------


def _click(canvas, u, v):
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=_place(canvas, u, v))


def test_a_click_holds_a_place_until_it_is_clicked_again(regions):
    _click(regions, 0.3, 0.3)
    assert regions.pointing.pinned
    QApplication.sendEvent(regions, QEvent(QEvent.Type.Leave))
    _point(regions, 0.7, 0.5)
    assert regions.told[-1] == ("regions", 1)
    _click(regions, 0.7, 0.5)
    assert (regions.told[-1], regions.pointing.pinned) == (("regions", 2), True)
    _click(regions, 0.7, 0.5)
    assert not regions.pointing.pinned


def test_a_drag_is_no_click(regions):
    QTest.mousePress(regions, Qt.MouseButton.LeftButton, pos=_place(regions, 0.3, 0.3))
    QTest.mouseRelease(regions, Qt.MouseButton.LeftButton, pos=_place(regions, 0.6, 0.3))
    assert not regions.pointing.pinned


def test_a_double_click_fits_and_holds_nothing(regions):
    regions.zoom_by(3)
    _click(regions, 0.3, 0.3)
    QTest.mouseDClick(regions, Qt.MouseButton.LeftButton, pos=_place(regions, 0.3, 0.3))
    assert regions.placement.zoom == 1.0
    assert not regions.pointing.pinned


def test_keys_hold_a_cell_move_it_and_let_it_go(cells, qtbot):
    qtbot.keyClick(cells, Qt.Key.Key_Return)
    assert cells.told == [("vsem", 24)]
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_Up):
        qtbot.keyClick(cells, key)
    assert [place for _, place in cells.told] == [24, 25, 32, 31, 24, 17]
    assert cells.accessibleDescription().startswith("row 3, column 4")
    qtbot.keyClick(cells, Qt.Key.Key_Escape)
    assert cells.told[-1] == ("vsem", -1)
    assert cells.accessibleDescription() == ""


def test_keys_go_to_stronger_and_weaker_regions(regions, qtbot):
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Right):
        qtbot.keyClick(regions, key)
    assert [place for _, place in regions.told] == [2, 1, 0, 1]
    qtbot.keyClick(regions, Qt.Key.Key_Return)
    assert regions.told[-1] == ("regions", -1)


def test_arrows_are_for_others_while_nothing_is_held(regions):
    event = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Left, Qt.KeyboardModifier.NoModifier)
    PictureCanvas.keyPressEvent(regions, event)
    assert not event.isAccepted()


# --- the map of a place ----------------------------------------------------------------------------------------------


def _with_map(canvas, explanation):
    layers = overlays_from_explanation(explanation)
    canvas.set_overlays(tuple(replace(layer, visible=layer.name == "vspm") for layer in layers))
    return canvas


def test_the_map_of_the_region_under_the_pointer_is_shown_and_then_the_average_again(canvas, region_explanation):
    _with_map(canvas, region_explanation(1))
    average = canvas.pointing.shown
    _point(canvas, 0.3, 0.3)  # region 1 attends to the last cell
    shown = next(layer for layer in canvas.pointing.shown if layer.name == "vspm")
    assert np.argmax(shown.values) == 15
    assert _at(canvas, 0.95, 0.95) != GROUND
    assert _at(canvas, 0.95, 0.05) == GROUND
    assert canvas.pointing.key is shown
    QApplication.sendEvent(canvas, QEvent(QEvent.Type.Leave))
    assert [layer.name for layer in canvas.pointing.shown] == [layer.name for layer in average]
    assert canvas.pointing.key is None
    assert _at(canvas, 0.95, 0.05) != GROUND


def test_other_heat_maps_make_room_for_the_map_of_a_place(canvas, explanation, region_explanation):
    regions, gates, average = overlays_from_explanation(region_explanation(1))
    heat = overlays_from_explanation(explanation(1))[0]
    canvas.set_overlays((heat, regions, gates, replace(average, visible=True)))
    canvas.set_current_layer("regions")
    _point(canvas, 0.3, 0.3)
    shown = {layer.name: layer for layer in canvas.pointing.shown if layer.name != "vsem"}
    assert canvas.told[-1] == ("regions", 1)
    assert shown["vspm"].visible
    assert shown["regions"].opacity < regions.opacity


def test_a_hidden_map_changes_nothing(regions):
    before = regions.pointing.shown
    _point(regions, 0.3, 0.3)
    assert [layer.values is was.values for layer, was in zip(regions.pointing.shown, before, strict=True)] == [True] * 3


def test_a_look_that_changes_keeps_what_is_held(canvas, region_explanation):
    _with_map(canvas, region_explanation(1))
    _click(canvas, 0.3, 0.3)
    layers = overlays_from_explanation(region_explanation(1))
    canvas.set_overlays(tuple(replace(layer, opacity=0.3) for layer in layers))
    assert canvas.pointing.pinned
    canvas.set_overlays(layers[2:])
    assert not canvas.pointing.pinned
    assert canvas.told[-1] == ("regions", -1)


def test_the_key_speaks_of_what_is_shown_for_the_moment(canvas, region_explanation):
    layers = overlays_from_explanation(region_explanation(1))
    canvas.set_overlays(tuple(replace(layer, visible=True) for layer in layers))
    assert canvas.pointing.key is None
    canvas.pointing.always_keyed = True
    assert (canvas.pointing.key.name, canvas.pointing.key_title) == ("regions", "")
    _point(canvas, 0.3, 0.3)
    assert (canvas.pointing.key.name, canvas.pointing.key_title) == ("vspm", "Attention")
    canvas.show_values("regions", np.array([0.1, -0.2, 0.3]), "What “dog” adds")
    assert (canvas.pointing.key.name, canvas.pointing.key_title) == ("regions", "What “dog” adds")
    assert not canvas.grab().isNull()

import pytest
from PySide6.QtCore import QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QBoxLayout

from explorer.gui.viewer import Viewer
from explorer.gui.viewer_comparison import OVERLAYS_OFF, VARIANTS, difference_text, variants_of

GROUND = QColor(0x80, 0x40, 0x20)
WITHOUT_VSPM = VARIANTS[2]


@pytest.fixture
def viewer(qtbot, description, picture, region_explanation):
    shown = Viewer()
    qtbot.addWidget(shown)
    shown.resize(900, 700)
    shown.show()
    qtbot.waitExposed(shown)
    shown.pictures.set_offered(("vsem", "vspm", "segmentation"))
    shown.asked = []
    shown.comparison_wanted.connect(lambda item_id, without: shown.asked.append((item_id, without)))
    shown.show_item(description(1), 0.84, 3)
    shown.show_picture(picture(1))
    shown.show_explanation(region_explanation(1))
    QApplication.processEvents()
    return shown


def _captions(viewer):
    return [caption.text() for caption in viewer.pictures._captions if caption.isVisible()]


def _at(canvas, u, v):
    rect = canvas.placement.rect()
    return QColor(canvas.grab().toImage().pixel(
        round(rect.left() + u * rect.width()), round(rect.top() + v * rect.height())))


@pytest.mark.parametrize(("parts", "n"), [((), 1), (("segmentation",), 1), (("vsem",), 2), (("vsem", "vspm"), 4)])
def test_what_can_be_left_out_depends_on_the_model(parts, n):
    assert len(variants_of(parts)) == n
    assert all(set(variant.without) <= set(parts) for variant in variants_of(parts))


@pytest.mark.parametrize(("score", "other", "text"), [
    (0.84, 0.79, ".79 (−.05)"), (0.3, 0.36, ".36 (+.06)"), (0.5, 0.5, ".50 (±.0000)"), (0.5, 0.5004, ".50 (+.0004)"),
    (None, 0.5, ".50"), (0.5, None, ""),
])
def test_the_difference_is_told_with_its_sign(score, other, text):
    assert difference_text(score, other) == text


def test_one_picture_until_a_comparison_is_chosen(viewer):
    assert not viewer.pictures.beside.isVisible()
    assert _captions(viewer) == []
    assert [action.text() for action in viewer.bar._compare.menu().actions()] == [
        "One picture", "Overlays off", "Without VSeM", "Without VSpM", "Without VSeM and VSpM",
    ]


def test_overlays_off_shows_the_bare_picture_beside_and_asks_for_nothing(viewer):
    viewer.bar._compare.menu().actions()[1].trigger()
    QApplication.processEvents()
    assert viewer.pictures.beside.isVisible()
    assert _at(viewer.pictures.beside, 0.35, 0.2) == GROUND != _at(viewer.canvas, 0.35, 0.2)
    assert _captions(viewer) == ["Overlays on · .80", "Overlays off · .80"]
    assert viewer.asked == []
    assert viewer.bar._compare.isChecked()


def test_a_variant_is_asked_for_and_shown_with_its_score(viewer, region_explanation):
    viewer.pictures.choose(WITHOUT_VSPM)
    assert viewer.asked == [(1, ("vspm",))]
    assert _captions(viewer) == ["With VSpM · .80", "Without VSpM · …"]
    viewer.pictures.show_comparison(region_explanation(1, without=("vspm",), score=0.75, values=(0.9, 0.5, 0.2)))
    assert _captions(viewer) == ["With VSpM · .80", "Without VSpM · .75 (−.05)"]
    assert _at(viewer.pictures.beside, 0.1, 0.5) != GROUND  # the first box, weak before, is the strongest now
    ours, theirs = viewer.canvas.pointing.shown[-1], viewer.pictures.beside.pointing.shown[-1]
    assert ours.name == theirs.name
    assert list(ours.values) == list(theirs.values)[::-1]


def test_the_same_colour_means_the_same_value_in_both(viewer, region_explanation):
    viewer.pictures.choose(WITHOUT_VSPM)
    viewer.pictures.show_comparison(region_explanation(1, without=("vspm",), values=(0.1, 0.3, 1.7)))
    ours, theirs = (
        next(layer for layer in canvas.pointing.shown if layer.name == "regions")
        for canvas in (viewer.canvas, viewer.pictures.beside)
    )
    assert ours.span == theirs.span == (pytest.approx(0.1), pytest.approx(1.7))
    assert viewer.canvas.pointing.key is ours
    # The strongest of the first is no longer the end of the scale.
    assert _at(viewer.canvas, 0.7, 0.3) != _at(viewer.pictures.beside, 0.7, 0.3)
    viewer.pictures.choose(None)
    assert viewer.canvas.pointing.shown[-1].span is None
    assert viewer.canvas.pointing.key is None


def test_what_was_asked_before_is_dropped(viewer, region_explanation):
    viewer.pictures.choose(WITHOUT_VSPM)
    viewer.pictures.choose(VARIANTS[1])
    viewer.pictures.show_comparison(region_explanation(1, without=("vspm",), score=0.75))
    assert _captions(viewer)[1] == "Without VSeM · …"
    viewer.pictures.choose(None)
    viewer.pictures.show_comparison(region_explanation(1, without=("vsem",), score=0.75))
    assert _captions(viewer) == []


def test_both_pictures_zoom_and_pan_together(viewer):
    viewer.pictures.choose(OVERLAYS_OFF)
    QApplication.processEvents()
    ours, theirs = viewer.canvas, viewer.pictures.beside
    ours.zoom_by(4, QPointF(40, 40))
    assert theirs.placement.zoom == ours.placement.zoom == 4
    QTest.keyClick(theirs, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert ours.placement.centre == theirs.placement.centre
    QApplication.sendEvent(theirs, QWheelEvent(
        QPointF(50, 50), QPointF(theirs.mapToGlobal(QPoint(50, 50))), QPoint(), QPoint(0, 240), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    ))
    assert ours.placement.zoom == theirs.placement.zoom > 4
    assert viewer.bar._zoom.text() == f"{ours.placement.zoom:.1f}×"
    theirs.fit()
    assert ours.placement.zoom == 1


def test_what_is_compared_stays_for_the_next_result(viewer, qtbot, description, picture, region_explanation):
    viewer.pictures.choose(WITHOUT_VSPM)
    viewer.pictures.show_comparison(region_explanation(1, without=("vspm",), score=0.75))
    with qtbot.waitSignal(viewer.comparison_wanted) as asked:
        viewer.show_item(description(2, width_px=300, height_px=400), 0.5, 4)
        assert not viewer.pictures.beside.has_picture
        assert viewer.pictures.beside.pointing.shown == ()
    assert asked.args == [2, ("vspm",)]
    viewer.show_picture(picture(2, 300, 400))
    assert viewer.pictures.beside.has_picture
    viewer.show_explanation(region_explanation(2, score=0.6))
    viewer.pictures.show_comparison(region_explanation(2, without=("vspm",), score=0.7))
    assert _captions(viewer) == ["With VSpM · .60", "Without VSpM · .70 (+.10)"]


def test_another_query_asks_for_both(viewer, qtbot):
    viewer.pictures.choose(WITHOUT_VSPM)
    viewer.asked.clear()
    with qtbot.waitSignals([viewer.explanation_wanted, viewer.comparison_wanted]):
        viewer.explain_again()
    assert viewer.asked == [(1, ("vspm",))]


def test_a_model_that_cannot_leave_it_out_shows_one_picture_until_one_can(viewer):
    viewer.pictures.choose(WITHOUT_VSPM)
    viewer.pictures.set_offered(())
    assert not viewer.pictures.beside.isVisibleTo(viewer)
    assert not viewer.bar._compare.isChecked()
    viewer.asked.clear()
    viewer.pictures.set_offered(("vsem", "vspm"))
    assert viewer.pictures.beside.isVisibleTo(viewer)
    assert viewer.asked == [(1, ("vspm",))]


def test_a_look_that_is_set_goes_for_both(viewer, region_explanation):
    viewer.pictures.choose(WITHOUT_VSPM)
    viewer.pictures.show_comparison(region_explanation(1, without=("vspm",), score=0.75))
    viewer.layers.boxes[0].cover.click()
    viewer.layers.boxes[0].threshold.setValue(30)
    ours, theirs = (
        next(layer for layer in canvas.pointing.shown if layer.name == "regions")
        for canvas in (viewer.canvas, viewer.pictures.beside)
    )
    assert (ours.style, ours.threshold) == (theirs.style, theirs.threshold)
    viewer.toggle_layer(1)
    assert not next(layer for layer in viewer.pictures.beside.pointing.shown if layer.name == "regions").visible


def test_a_place_that_is_pointed_at_is_shown_in_both(viewer, region_explanation):
    viewer.pictures.choose(WITHOUT_VSPM)
    viewer.pictures.show_comparison(region_explanation(1, without=("vspm",), score=0.75))
    viewer.canvas.point_at("regions", 1)
    assert viewer.pictures.beside.pointing.place == 1
    viewer.pictures.choose(None)
    viewer.pictures.choose(WITHOUT_VSPM)
    viewer.pictures.show_comparison(region_explanation(1, without=("vspm",), score=0.75))
    assert viewer.pictures.beside.pointing.place == 1
    viewer.canvas.point_at("regions", -1)
    assert viewer.pictures.beside.pointing.place == -1


def test_the_pointer_over_the_second_picture_points_in_both(viewer, region_explanation):
    viewer.pictures.choose(WITHOUT_VSPM)
    viewer.pictures.show_comparison(region_explanation(1, without=("vspm",), score=0.75))
    QApplication.processEvents()
    beside = viewer.pictures.beside
    rect = beside.placement.rect()
    place = QPoint(round(rect.left() + 0.3 * rect.width()), round(rect.top() + 0.3 * rect.height()))
    QTest.mouseClick(beside, Qt.MouseButton.LeftButton, pos=place)
    assert viewer.canvas.pointing.pinned
    assert viewer.canvas.pointing.place == beside.pointing.place == 1
    QTest.mouseClick(beside, Qt.MouseButton.LeftButton, pos=place)
    assert not viewer.canvas.pointing.pinned


def test_the_second_picture_comes_after_the_first_in_the_tab_order(viewer):
    viewer.pictures.choose(OVERLAYS_OFF)
    following = viewer.canvas.nextInFocusChain()
    while not following.focusPolicy() & Qt.FocusPolicy.TabFocus:
        following = following.nextInFocusChain()
    assert following is viewer.pictures.beside


def test_a_layer_that_is_missing_beside_is_told(viewer, region_explanation):
    viewer.pictures.choose(WITHOUT_VSPM)
    viewer.toggle_layer(1)
    viewer.toggle_layer(3)
    full = region_explanation(1, without=("vspm",), score=0.75)
    less = type(full)(**{**{f: getattr(full, f) for f in full.__struct_fields__}, "attention": (), "pointed": ()})
    viewer.pictures.show_comparison(less)
    assert viewer.pictures._missing() == "No “Attention” without VSpM"


def test_a_failure_is_told_over_the_picture_it_concerns(viewer):
    viewer.pictures.choose(WITHOUT_VSPM)
    viewer.pictures.show_problem("The model is gone.")
    assert _captions(viewer)[1] == "The model is gone."


def test_c_goes_between_one_and_two_pictures(viewer, qtbot):
    viewer.pictures.choose(WITHOUT_VSPM)
    for shown in (False, True):
        qtbot.keyClick(viewer.canvas, "c")
        assert viewer.pictures.beside.isVisibleTo(viewer) is shown
    assert viewer.pictures.variant == WITHOUT_VSPM


@pytest.mark.parametrize(("size", "direction"), [
    ((400, 100), QBoxLayout.Direction.TopToBottom), ((100, 400), QBoxLayout.Direction.LeftToRight),
])
def test_the_second_picture_goes_where_both_are_larger(viewer, description, picture, size, direction):
    viewer.resize(500, 800)
    viewer.show_item(description(2, width_px=size[0], height_px=size[1]), 0.5, 4)
    viewer.show_picture(picture(2, *size))
    viewer.pictures.choose(OVERLAYS_OFF)
    QApplication.processEvents()
    assert viewer.pictures._row.direction() == direction
    ours, theirs = viewer.canvas.size(), viewer.pictures.beside.size()
    assert QSize(abs(ours.width() - theirs.width()), abs(ours.height() - theirs.height())).width() <= 1


def test_it_still_fits_into_280_pixels(viewer):
    viewer.pictures.choose(OVERLAYS_OFF)
    viewer.resize(280, 800)
    QApplication.processEvents()
    assert viewer.minimumSizeHint().width() <= 280
    assert viewer.width() == 280

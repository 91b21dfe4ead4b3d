import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QColor, QEnterEvent, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QSlider, QWidget

from explorer.gui.overlay_controls import ColourBarSlider
from explorer.gui.viewer import Viewer


@pytest.fixture
def viewer(qtbot):
    shown = Viewer()
    qtbot.addWidget(shown)
    shown.resize(360, 900)
    shown.show()
    qtbot.waitExposed(shown)
    return shown


@pytest.fixture
def explained(viewer, description, picture, explanation):
    viewer.show_item(description(1), 0.84, 3)
    viewer.show_picture(picture(1))
    viewer.show_explanation(explanation(1))
    QApplication.processEvents()
    return viewer


def _pixels(viewer):
    image = viewer.canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    flat = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    return flat[:, : image.width(), 2::-1].astype(int).copy()


def _at(viewer, u, v):
    rect = viewer.canvas.placement.rect()
    image = viewer.canvas.grab().toImage()
    return QColor(image.pixel(int(rect.left() + u * rect.width()), int(rect.top() + v * rect.height())))


# --- asking ----------------------------------------------------------------------------------------------------------


def test_picture_and_explanation_are_asked_for_once_the_selection_rests(viewer, qtbot, description):
    pictures, explanations = [], []
    viewer.picture_wanted.connect(pictures.append)
    viewer.explanation_wanted.connect(explanations.append)
    for item_id in range(1, 30):
        viewer.show_item(description(item_id), 0.5, item_id)
    qtbot.waitUntil(lambda: bool(explanations))
    assert pictures == [29]
    assert explanations == [29]


def test_a_folded_viewer_asks_for_nothing_until_it_is_seen(viewer, qtbot, description):
    viewer.hide()
    with qtbot.assertNotEmitted(viewer.picture_wanted, wait=250):
        viewer.show_item(description(1), None, None)
    with qtbot.waitSignals([viewer.picture_wanted, viewer.explanation_wanted]):
        viewer.show()


def test_the_same_item_at_another_rank_is_not_asked_for_again(explained, qtbot, description):
    with qtbot.assertNotEmitted(explained.picture_wanted, wait=250):
        explained.show_item(description(1), 0.7, 12)
    assert explained.canvas.has_picture
    assert "Rank 12" in explained.bar._place.text()


def test_a_changed_file_is_asked_for_again(explained, qtbot, description):
    with qtbot.waitSignals([explained.picture_wanted, explained.explanation_wanted]):
        explained.show_item(description(1, modified_at=1.6e9), 0.7, 12)


def test_another_query_wants_another_explanation_of_the_same_picture(explained, qtbot):
    with qtbot.waitSignal(explained.explanation_wanted) as asked, qtbot.assertNotEmitted(explained.picture_wanted):
        explained.explain_again()
    assert asked.args == [1]
    assert len(explained.layers.overlays()) == 3


def test_what_comes_for_another_item_is_dropped(viewer, description, picture, explanation):
    viewer.show_item(description(2), None, None)
    viewer.show_picture(picture(1))
    viewer.show_explanation(explanation(1))
    assert not viewer.canvas.has_picture
    assert viewer.layers.overlays() == ()


def test_controls_work_while_another_explanation_of_the_same_picture_is_on_its_way(explained):
    explained.explain_again()
    explained.toggle_layer(1)
    explained.toggle_layer(3)
    assert _at(explained, 0.97, 0.97) == QColor(0x80, 0x40, 0x20)


def test_an_explanation_that_fails_leaves_none_behind(explained):
    explained.explain_again()
    explained.show_problem("The model is gone.")
    assert explained.layers.boxes == []
    assert _at(explained, 0.97, 0.97) == QColor(0x80, 0x40, 0x20)


# --- states ----------------------------------------------------------------------------------------------------------


def test_nothing_selected_says_what_to_do(explained):
    explained.clear()
    assert explained._stack.currentWidget().findChild(QLabel).text() == "Select a result to see it here."
    assert not explained.canvas.has_picture


def test_waiting_is_told_only_when_it_lasts(viewer, qtbot, description):
    with qtbot.waitSignal(viewer.explanation_wanted):
        viewer.show_item(description(1), None, None)
    assert "Loading" not in viewer.status.text()
    qtbot.waitUntil(lambda: viewer.status.text() == "Loading the picture…", timeout=2000)


def test_waiting_for_the_explanation_alone_says_so(viewer, qtbot, description, picture):
    with qtbot.waitSignal(viewer.explanation_wanted):
        viewer.show_item(description(1), None, None)
    viewer.show_picture(picture(1))
    qtbot.waitUntil(lambda: viewer.status.text() == "Finding out where the model looked…", timeout=2000)


def test_a_model_without_evidence_says_what_to_do(viewer, description, explanation):
    viewer.show_item(description(1), None, None)
    viewer.show_explanation(explanation(1, empty=True))
    assert viewer.status.text().startswith("This model does not show where it looks. Choose one with overlays")
    assert viewer.layers.boxes == []


def test_a_problem_is_told_and_can_be_tried_again(viewer, qtbot, description, picture):
    viewer.show_item(description(1), None, None)
    viewer.show_picture(picture(1))
    viewer.show_problem("The file is gone.")
    assert viewer.status.text() == "The file is gone."
    assert viewer.status.retry.isVisible()
    with qtbot.waitSignal(viewer.explanation_wanted), qtbot.assertNotEmitted(viewer.picture_wanted):
        qtbot.mouseClick(viewer.status.retry, Qt.MouseButton.LeftButton)
    assert not viewer.status.retry.isVisible()


def test_a_picture_that_cannot_be_decoded_is_a_sentence(viewer, description, picture):
    viewer.show_item(description(1), None, None)
    viewer.show_picture(type(picture(1))(id=1, item_id=1, jpeg=b"no", full_width_px=1, full_height_px=1))
    assert viewer.status.text() == "The picture cannot be shown."


def test_a_preview_stands_in_until_the_picture_comes_and_never_after(viewer, description, picture, jpeg):
    viewer.show_item(description(1), None, None)
    viewer.show_preview(jpeg(64, 48, 0xFF00FF00))
    assert _at(viewer, 0.5, 0.5) == QColor(0, 255, 0)
    rect = viewer.canvas.placement.rect()
    viewer.show_picture(picture(1))
    assert viewer.canvas.placement.rect() == rect
    viewer.show_preview(jpeg(64, 48, 0xFF00FF00))
    assert _at(viewer, 0.5, 0.5) == QColor(0x80, 0x40, 0x20)


def test_details_say_name_size_date_and_what_is_likely_there(explained):
    assert explained.details.name.text() == "IMG_1.jpg"
    assert explained.details.facts.text() == "400 × 300 px · 153 kB\n14 Jul 2019, 16:02"
    assert explained.details.presence.text() == "In the picture: person .93, dog .88"
    assert explained.bar._place.text() == "Rank 3 · .84"


def test_long_names_lose_their_middle_and_keep_it_in_the_tool_tip(viewer, description):
    name = "a very long name " * 8 + "<b>.jpg"
    viewer.show_item(description(1, name=name), None, None)
    QApplication.processEvents()
    elided = viewer.details.name.elided()
    assert "…" in elided
    assert elided.startswith("a very")
    assert elided.endswith(".jpg")
    assert "&lt;b&gt;" in viewer.details.name.toolTip()
    assert viewer.width() == 360


# --- layers ----------------------------------------------------------------------------------------------------------


def test_the_overlay_lies_over_the_picture_where_the_map_is_high(explained):
    bare = QColor(0x80, 0x40, 0x20)
    assert _at(explained, 0.97, 0.97) != bare  # the highest cell of the map
    explained.toggle_layer(3)
    explained.toggle_layer(1)
    assert _at(explained, 0.97, 0.97) == bare


def test_space_shows_the_bare_picture_while_it_is_held(explained, qtbot):
    with_overlay = _pixels(explained)
    explained.canvas.setFocus()
    QTest.keyPress(explained.canvas, Qt.Key.Key_Space)
    held = _pixels(explained)
    assert explained.canvas.bare
    QTest.keyRelease(explained.canvas, Qt.Key.Key_Space)
    rect = explained.canvas.placement.rect().toAlignedRect().adjusted(2, 2, -2, -2)
    inside = held[rect.top() : rect.bottom(), rect.left() : rect.right()]
    assert np.all(inside == [0x80, 0x40, 0x20])
    after = _pixels(explained)
    inner = np.s_[rect.top() : rect.bottom(), rect.left() : rect.right()]
    np.testing.assert_allclose(after[inner], with_overlay[inner], atol=2)


def test_bare_ends_when_the_focus_goes_elsewhere(explained):
    explained.canvas.set_bare(True)
    QApplication.sendEvent(explained.canvas, _focus_out())
    assert not explained.canvas.bare


def _focus_out():
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QFocusEvent

    return QFocusEvent(QEvent.Type.FocusOut)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_digits_show_and_hide_layers(explained, qtbot, number):
    before = explained.layers.overlays()[number - 1].visible
    qtbot.keyClick(explained.canvas, str(number))
    assert explained.layers.overlays()[number - 1].visible is not before
    qtbot.keyClick(explained.canvas, str(number))
    assert explained.layers.overlays()[number - 1].visible is before


def test_a_digit_without_a_layer_does_nothing(explained, qtbot):
    before = explained.layers.overlays()
    qtbot.keyClick(explained.canvas, "4")
    assert explained.layers.overlays() == before


def test_brackets_change_the_opacity_of_the_layer_last_touched(explained, qtbot):
    first = explained.layers.overlays()[0].opacity
    qtbot.keyClick(explained.canvas, "]")
    assert explained.layers.overlays()[0].opacity == pytest.approx(first + 0.1)
    third = explained.layers.overlays()[2].opacity
    qtbot.keyClick(explained.canvas, "3")
    qtbot.keyClick(explained.canvas, "[")
    assert explained.layers.overlays()[2].opacity == pytest.approx(third - 0.1)
    assert explained.layers.overlays()[0].opacity == pytest.approx(first + 0.1)


def test_a_click_on_a_legend_row_hides_that_class_alone(explained, qtbot):
    explained.toggle_layer(1)
    box = explained.layers.boxes[2]
    assert [button.text() for button in box.legend] == ["person", "dog"]
    person, dog = _at(explained, 0.25, 0.25), _at(explained, 0.75, 0.75)
    qtbot.mouseClick(box.legend[0], Qt.MouseButton.LeftButton)
    assert explained.layers.overlays()[2].hidden == frozenset({3})
    assert _at(explained, 0.25, 0.25) == QColor(0x80, 0x40, 0x20) != person
    assert _at(explained, 0.75, 0.75) == dog
    qtbot.mouseClick(box.legend[0], Qt.MouseButton.LeftButton)
    assert _at(explained, 0.25, 0.25) == person


def test_the_pointer_on_a_legend_row_shows_that_class_alone_for_as_long(explained):
    bare, before = QColor(0x80, 0x40, 0x20), _at(explained, 0.75, 0.75)
    row = explained.layers.boxes[2].legend[0]
    QApplication.sendEvent(row, QEnterEvent(QPointF(3, 3), QPointF(3, 3), QPointF(3, 3)))
    assert _at(explained, 0.25, 0.5) != bare
    assert _at(explained, 0.75, 0.75) == bare
    assert explained.layers.overlays()[2].hidden == frozenset()
    QApplication.sendEvent(row, QEvent(QEvent.Type.Leave))
    assert _at(explained, 0.75, 0.75) == before


def test_the_threshold_on_the_colour_bar_clears_what_is_lower(explained, qtbot):
    explained.toggle_layer(3)
    slider = explained.layers.boxes[0].threshold
    assert isinstance(slider, ColourBarSlider)
    high, low = _at(explained, 0.97, 0.97), QColor(0x80, 0x40, 0x20)
    assert _at(explained, 0.5, 0.4) != low
    qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(round(slider.width() * 0.7), 8))
    assert slider.value() == pytest.approx(70, abs=2)
    assert slider.raw_value() == pytest.approx(0.2 + 0.6 * slider.value() / 100)
    assert _at(explained, 0.5, 0.4) == low
    assert _at(explained, 0.97, 0.97) == high


def test_looks_stay_when_the_next_picture_comes(explained, qtbot, description, picture, explanation):
    explained.toggle_layer(2)
    explained.layers.boxes[0].opacity.slider.setValue(33)
    explained.layers.boxes[0].threshold.setValue(20)
    qtbot.mouseClick(explained.layers.boxes[2].legend[1], Qt.MouseButton.LeftButton)
    explained.show_item(description(2), 0.5, 4)
    explained.show_picture(picture(2))
    explained.show_explanation(explanation(2))
    first, second, classes = explained.layers.overlays()
    assert (first.opacity, first.threshold, second.visible) == (0.33, 0.2, True)
    assert classes.hidden == frozenset({2})
    assert [button.isChecked() for button in explained.layers.boxes[2].legend] == [True, False]


def test_controls_of_the_picture_before_do_not_paint_over_the_next(explained, description, picture):
    explained.show_item(description(2), 0.5, 4)
    explained.show_picture(picture(2))
    explained.toggle_layer(2)
    assert _at(explained, 0.97, 0.97) == QColor(0x80, 0x40, 0x20)


def test_an_even_map_says_so(viewer, description, explanation):
    viewer.show_item(description(1), None, None)
    viewer.show_explanation(explanation(1, values=np.full((7, 7), 0.4)))
    assert viewer.layers.boxes[0].note.text() == "The same everywhere in this picture."


def test_the_pointer_reads_raw_values(explained, qtbot):
    rect = explained.canvas.placement.rect()
    place = QPoint(int(rect.left() + 0.25 * rect.width()), int(rect.top() + 0.99 * rect.height()))
    QTest.mouseMove(explained.canvas, place)
    qtbot.waitUntil(lambda: "person" in explained.status.text())
    # Row 6, column 1 of 7 x 7 values from 0.2 to 0.8 in equal steps; confidence 230 / 255.
    value = 0.2 + 0.6 * 43 / 48
    assert explained.status.text() == f"Saliency .{round(value * 100)} · person .90"


# --- zoom ------------------------------------------------------------------------------------------------------------


def _wheel(canvas, place, delta):
    QApplication.sendEvent(canvas, QWheelEvent(
        QPointF(place), QPointF(canvas.mapToGlobal(place)), QPoint(), QPoint(0, delta), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    ))


def test_the_wheel_zooms_at_the_pointer_drag_pans_and_double_click_fits(explained, qtbot):
    canvas = explained.canvas
    place = QPoint(canvas.width() // 2 + 20, canvas.height() // 2)
    before = canvas.placement.place_at(QPointF(place))
    _wheel(canvas, place, 720)
    after = canvas.placement.place_at(QPointF(place))
    assert canvas.placement.zoom == pytest.approx(1.25**6)
    assert (after.x(), after.y()) == (pytest.approx(before.x(), abs=0.01), pytest.approx(before.y(), abs=0.01))
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseMove(canvas, place + QPoint(30, 10))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=place + QPoint(30, 10))
    moved = canvas.placement.place_at(QPointF(place + QPoint(30, 10)))
    assert (moved.x(), moved.y()) == (pytest.approx(after.x(), abs=0.01), pytest.approx(after.y(), abs=0.01))
    assert explained.bar._zoom.text() == "3.8×"
    QTest.mouseDClick(canvas, Qt.MouseButton.LeftButton, pos=place)
    assert canvas.placement.zoom == 1.0
    assert explained.bar._zoom.text() == ""


def test_zoom_by_keys(explained, qtbot):
    qtbot.keyClick(explained.canvas, Qt.Key.Key_Plus)
    qtbot.keyClick(explained.canvas, Qt.Key.Key_Plus)
    assert explained.canvas.placement.zoom == pytest.approx(1.25**2)
    qtbot.keyClick(explained.canvas, Qt.Key.Key_0)
    assert explained.canvas.placement.zoom == 1.0


def test_the_next_picture_is_fitted_again(explained, description, picture):
    explained.canvas.zoom_by(4)
    explained.show_item(description(2, width_px=300, height_px=400), None, None)
    assert explained.canvas.placement.zoom == 1.0


@pytest.mark.parametrize("size", [(3000, 40), (40, 3000), (3, 2), (1, 1), (2048, 1365)])
def test_pictures_of_any_shape_are_shown_whole(viewer, description, picture, explanation, size):
    viewer.show_item(description(1, width_px=size[0], height_px=size[1]), None, None)
    viewer.show_picture(picture(1, *size))
    viewer.show_explanation(explanation(1))
    rect = viewer.canvas.placement.rect()
    assert viewer.canvas.rect().toRectF().contains(rect)
    assert min(rect.width(), rect.height()) >= 1
    assert viewer.canvas.grab().size() == viewer.canvas.size()


# --- actions, keys, access -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "signal"), [
    (Qt.Key.Key_Left, "previous_requested"), (Qt.Key.Key_Right, "next_requested"), (Qt.Key.Key_Escape, "closed"),
])
def test_keys_go_to_other_results_and_close(explained, qtbot, key, signal):
    with qtbot.waitSignal(getattr(explained, signal)):
        qtbot.keyClick(explained.canvas, key)


@pytest.mark.parametrize("name", ["search_with_image", "open_file", "show_in_folder", "copy_picture", "copy_path"])
def test_every_action_of_the_menu_names_the_shown_item(explained, qtbot, name):
    action = next(action for action in explained.bar._more.menu().actions() if action.data() == name)
    with qtbot.waitSignal(getattr(explained, name)) as wanted:
        action.trigger()
    assert wanted.args == [1]


def test_search_with_this_image_is_a_button(explained, qtbot):
    with qtbot.waitSignal(explained.search_with_image) as wanted:
        qtbot.mouseClick(explained.details.search, Qt.MouseButton.LeftButton)
    assert wanted.args == [1]


def test_no_action_without_an_item(viewer, qtbot):
    with qtbot.assertNotEmitted(viewer.open_file):
        viewer.bar.action_chosen.emit("open_file")


def test_controls_go_beside_the_picture_in_a_wide_window(explained):
    viewer = explained
    assert viewer._splitter.orientation() == Qt.Orientation.Vertical
    viewer.resize(1200, 700)
    QApplication.processEvents()
    assert viewer._splitter.orientation() == Qt.Orientation.Horizontal
    viewer.resize(280, 700)
    QApplication.processEvents()
    assert viewer._splitter.orientation() == Qt.Orientation.Vertical


def test_it_fits_into_280_pixels(explained):
    explained.resize(280, 800)
    QApplication.processEvents()
    assert explained.minimumSizeHint().width() <= 280
    assert explained.width() == 280
    side = explained._scroll.widget()
    assert side.minimumSizeHint().width() <= explained._scroll.viewport().width()


def test_every_control_has_a_name_and_a_place_in_the_tab_order(explained):
    controls = [
        widget for widget in explained.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible()
    ]
    assert len(controls) >= 14
    for widget in controls:
        named = widget.accessibleName() or getattr(widget, "text", str)()
        assert named, widget
    assert set(controls) <= set(_chain(explained))


def _chain(viewer):
    """Widgets in the order of the Tab key, from the picture on."""
    chain = [viewer.canvas]
    while (following := chain[-1].nextInFocusChain()) is not viewer.canvas:
        chain.append(following)
    return chain


def test_the_tab_key_goes_from_top_to_bottom(explained):
    seen = [
        widget for widget in _chain(explained)
        if widget.isVisible() and (widget in explained.layers.controls() or widget is explained.details.search)
    ]
    places = [widget.mapTo(explained, QPoint(0, 0)).y() for widget in seen]
    assert places == sorted(places)
    assert len(places) == 11


def test_sliders_work_with_keys(explained, qtbot):
    slider = explained.layers.boxes[0].threshold
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert explained.layers.overlays()[0].threshold == pytest.approx(0.01)
    legend = explained.layers.boxes[2].legend[0]
    qtbot.keyClick(legend, Qt.Key.Key_Space)
    assert explained.layers.overlays()[2].hidden == frozenset({3})


def test_sliders_do_not_change_when_the_panel_is_scrolled(explained):
    for slider in explained.findChildren(QSlider):
        before = slider.value()
        _wheel(slider, QPoint(10, 5), -120)
        assert slider.value() == before


def test_icons_follow_the_palette(explained):
    from explorer.gui.viewer_icons import line_icon

    light, dark = explained.palette(), explained.palette()
    light.setColor(light.ColorRole.ButtonText, QColor("black"))
    dark.setColor(dark.ColorRole.ButtonText, QColor("white"))
    drawn = [line_icon("close", palette).pixmap(QSize(32, 32)).toImage() for palette in (light, dark)]
    assert drawn[0].pixelColor(16, 16).lightness() < 60
    assert drawn[1].pixelColor(16, 16).lightness() > 200

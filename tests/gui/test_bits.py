"""Bits in the window: a model that makes codes, the photos that carry a bit, one of them opened."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget

from explorer.protocol import Query


@pytest.fixture
def open_codes(open_window, until):
    """A window that has searched with a model that makes codes, its first result explained."""

    def open_one(*options, items=40, n_bits=64):
        window, controller = open_window("--items", items, "--code-bits", n_bits, *options)
        controller.search(Query(text="a dog jumping over a log"))
        until(lambda: controller.session.query is not None and not controller.session.searching)
        window.pane.grid.select_row(0)
        until(lambda: window.viewer.bits.bits is not None)
        return window, controller

    return open_one


def click_bit(window, bit, qtbot):
    grid = window.viewer.bits.grid
    qtbot.mouseClick(grid, Qt.MouseButton.LeftButton, pos=grid.bit_rect(bit).center())


def test_a_bit_leads_to_the_photos_that_carry_it_and_one_of_them_into_the_viewer(open_codes, until, qtbot):
    window, _ = open_codes()
    panel = window.viewer.bits
    click_bit(window, 12, qtbot)
    strip = panel.carriers.strip
    until(lambda: strip.buttons and all(button.name for button in strip.buttons))
    other = next(button for button in strip.buttons if button.item_id != window.viewing.shown)
    wanted = other.item_id
    qtbot.mouseClick(other, Qt.MouseButton.LeftButton)
    until(lambda: window.viewing.shown == wanted)
    assert window.pane.grid.current_item()[0] == wanted  # it is among the results: it is selected there
    assert other.isChecked()
    until(lambda: window.viewer._explained)
    assert panel.grid.held_bit == 12
    assert panel.bits.item[12] >= 0  # it does carry the bit


def test_the_photos_are_the_strongest_of_the_library(open_codes, until, qtbot):
    window, _ = open_codes(items=120)
    click_bit(window, 3, qtbot)
    strip = window.viewer.bits.carriers.strip
    until(lambda: strip.buttons)
    assert len(strip.buttons) == 20
    strengths = [button._strength for button in strip.buttons]
    assert strengths == sorted(strengths, reverse=True)
    first = {button.item_id for button in strip.buttons}
    window.viewer.bits.carriers.not_set.click()
    until(lambda: strip.buttons and not first & {button.item_id for button in strip.buttons})


def test_a_photo_that_is_not_among_the_results_is_shown_by_itself(open_codes, until, qtbot):
    window, _ = open_codes()
    window.pane.score_slider.setValue(window.pane.score_slider.maximum())
    until(lambda: window.pane.n_shown < 40)
    click_bit(window, 12, qtbot)
    strip = window.viewer.bits.carriers.strip
    until(lambda: strip.buttons)
    outside = next(button for button in strip.buttons if window.pane.grid.row_of(button.item_id) < 0)
    wanted = outside.item_id
    qtbot.mouseClick(outside, Qt.MouseButton.LeftButton)
    until(lambda: window.viewing.shown == wanted)
    assert window.viewer.bar._place.text() == ""


def test_a_failure_is_told_in_the_panel_and_nowhere_else(open_codes, until, qtbot):
    window, _ = open_codes("--carriers-error", "The index is of another model.")
    click_bit(window, 0, qtbot)
    carriers = window.viewer.bits.carriers
    until(lambda: carriers.state.text() == "The index is of another model. Index the library again.")
    assert not carriers.retry.isHidden()
    assert not window.pane.notices.isVisible()


def test_without_a_query_and_with_a_model_without_codes_there_is_no_panel(open_codes, until):
    window, controller = open_codes()
    panel = window.viewer.bits
    assert not panel.isHidden()
    controller.load_model("3shnet-flickr8k")
    until(panel.isHidden)
    controller.load_model("tvdb-flickr8k-64")
    until(lambda: not panel.isHidden())
    controller.search(Query())
    until(lambda: controller.session.query is None and not controller.session.searching)
    window.pane.grid.select_row(1)
    until(lambda: window.viewing.shown == window.pane.grid.current_item()[0] and window.viewer._explained)
    assert panel.isHidden()


def test_another_library_forgets_the_bit(open_codes, until, qtbot):
    window, controller = open_codes()
    click_bit(window, 5, qtbot)
    until(lambda: window.viewer.bits.carriers.strip.buttons)
    controller.open_library(b"/nowhere/else")
    until(lambda: controller.session.library is not None)
    window.viewing.forget_items()
    assert window.viewer.bits.isHidden()
    assert window.viewer.bits.grid.held_bit == -1


def test_the_tab_key_goes_through_bits_from_top_to_bottom(open_codes, until, qtbot):
    window, _ = open_codes(n_bits=16)
    click_bit(window, 5, qtbot)
    viewer = window.viewer
    until(lambda: viewer.bits.carriers.strip.buttons)
    chain: list[QWidget] = [viewer.canvas]
    while (following := chain[-1].nextInFocusChain()) is not viewer.canvas:
        chain.append(following)
    wanted = [*viewer.words.controls(), *viewer.bits.controls(), *viewer.layers.controls(), viewer.details.search]
    seen = [widget for widget in chain if widget in wanted]
    assert seen == wanted
    reached = [w for w in viewer.bits.controls() if w.isVisible() and w.focusPolicy() & Qt.FocusPolicy.TabFocus]
    assert len(reached) == 4  # the bits, both sides, the photos
    for widget in reached:
        assert widget.accessibleName()


def test_the_viewer_with_bits_is_as_narrow_as_without(open_codes, until, qtbot):
    window, _ = open_codes(n_bits=128)
    click_bit(window, 127, qtbot)
    until(lambda: window.viewer.bits.carriers.strip.buttons)
    side = window.viewer._scroll.widget()
    QApplication.processEvents()
    assert side.minimumSizeHint().width() <= 250

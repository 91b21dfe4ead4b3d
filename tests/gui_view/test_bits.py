"""The bit inspector on its own: what it says of bits, holding one, the photos that carry it, the keyboard alone."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPalette
from PySide6.QtWidgets import QApplication, QToolTip

from explorer.gui.bits_panel import MOST_CARRIERS, BitsPanel
from explorer.protocol import BitCarriers, Bits

QUERY = np.tile(np.array([0.9, -0.8, 0.05, -0.5], "<f4"), 16)
ITEM = np.tile(np.array([0.7, 0.6, 0.4, -0.05], "<f4"), 16)


def bits(n_bits=64, query=QUERY, item=ITEM):
    return Bits(query=query[:n_bits].tobytes(), item=item[:n_bits].tobytes())


def carriers(bit, *, positive=True, item_ids=(7, 3, 9), strengths=(0.9, 0.5, 0.25)):
    return BitCarriers(
        id=1, model="m", bit=bit, positive=positive, item_ids=np.asarray(item_ids, "<i8").tobytes(),
        strengths=np.asarray(strengths, "<f4").tobytes(),
    )


@pytest.fixture
def panel(qtbot):
    panel = BitsPanel()
    qtbot.addWidget(panel)
    panel.resize(320, 600)
    panel.show_bits(bits(), "m")
    panel.show()
    qtbot.waitExposed(panel)
    panel.wanted = []
    panel.carriers_wanted.connect(lambda *what: panel.wanted.append(what))
    return panel


def click(panel, bit, qtbot):
    qtbot.mouseClick(panel.grid, Qt.MouseButton.LeftButton, pos=panel.grid.bit_rect(bit).center())


def test_it_counts_what_agrees_and_what_is_nearly_undecided(panel):
    # Of each four bits the first, third and fourth agree, and the third and fourth lie below .10 somewhere.
    assert panel.summary.text() == "48 of 64 bits agree; 32 are nearly undecided."


def test_without_codes_there_is_no_panel(panel, qtbot):
    click(panel, 3, qtbot)
    panel.show_bits(None, "m")
    assert panel.isHidden()
    assert panel.controls() == []
    panel.show_bits(bits(), "m")
    assert not panel.isHidden()
    assert panel.grid.held_bit == -1
    assert panel.carriers.isHidden()


@pytest.mark.parametrize("n_bits", [8, 16, 24, 64, 128])
@pytest.mark.parametrize("width", [140, 250, 320, 700, 1400])
def test_every_bit_has_a_place_of_its_own_inside_at_any_width(panel, n_bits, width):
    wide = np.tile(QUERY, 2)
    panel.show_bits(bits(n_bits, wide, wide), "m")
    panel.resize(width, panel.heightForWidth(width))
    QApplication.processEvents()
    grid = panel.grid
    rects = [grid.bit_rect(bit) for bit in range(n_bits)]
    assert all(grid.rect().contains(rect) for rect in rects)
    assert [grid.bit_at(rect.center()) for rect in rects] == list(range(n_bits))
    assert sum(rect.width() * rect.height() for rect in rects) <= grid.width() * grid.height()
    assert grid.bit_at(QPoint(0, 0)) == -1
    assert not grid.grab().isNull()


def test_set_and_agreement_are_seen_without_colours(panel):
    """White paper, black ink, an accent that is white as well: the marks alone tell."""
    palette = QPalette()
    for role in (QPalette.ColorRole.Window, QPalette.ColorRole.Highlight):
        palette.setColor(role, QColor("white"))
    palette.setColor(QPalette.ColorRole.WindowText, QColor("black"))
    panel.setPalette(palette)
    image = panel.grid.grab().toImage()

    def ink(bit, part):
        rect = panel.grid.bit_rect(bit)
        return QColor(image.pixel(rect.center().x(), round(rect.top() + part * rect.height()))).lightness()

    def amount(bit, *, upper):
        rect = panel.grid.bit_rect(bit)
        middle = rect.height() // 2 + 3
        half = rect.adjusted(0, 0, 0, -middle) if upper else rect.adjusted(0, middle, 0, 0)
        return sum(
            255 - QColor(image.pixel(x, y)).lightness()
            for x in range(half.left(), half.right()) for y in range(half.top(), half.bottom())
        )

    upper, lower = 0.22, 0.78
    assert ink(0, upper) < 60  # set: full
    assert ink(1, upper) > 200  # not set: empty
    assert ink(1, lower) < 60
    assert ink(1, 0.5) < 160  # a cross where they differ
    assert ink(0, 0.5) > 200
    assert amount(0, upper=True) > amount(0, upper=False) > amount(2, upper=False) > amount(2, upper=True)
    assert amount(1, upper=True) > amount(3, upper=False)


def test_the_pointer_reads_a_bit_and_a_tool_tip_says_it_all(panel, qtbot):
    resting = panel.told.text()
    qtbot.mouseMove(panel.grid, panel.grid.bit_rect(17).center())
    qtbot.waitUntil(lambda: panel.told.text() != resting)
    assert panel.told.text() == "Bit 18 differs: query −.80, picture .60"
    at = panel.grid.bit_rect(18).center()
    QApplication.sendEvent(panel.grid, QHelpEvent(QHelpEvent.Type.ToolTip, at, panel.grid.mapToGlobal(at)))
    assert QToolTip.text() == "Bit 19 of 64 agrees\nQuery: set, .05 from flipping\nPicture: set, .40 from flipping"
    QToolTip.hideText()


def test_a_click_asks_for_the_photos_and_a_second_one_lets_go(panel, qtbot):
    click(panel, 5, qtbot)
    assert panel.wanted == [("m", 5, True)]
    assert panel.grid.held_bit == 5
    assert panel.carriers.title.text() == "Bit 6"
    click(panel, 5, qtbot)
    assert panel.grid.held_bit == -1
    assert panel.carriers.isHidden()
    assert len(panel.wanted) == 1


def test_the_photos_come_with_thumbnails_names_and_strengths(panel, qtbot, thumbnail, description):
    click(panel, 5, qtbot)
    with qtbot.waitSignal(panel.items_wanted) as items:
        panel.carriers.show_carriers(carriers(5))
    assert items.args == [[7, 3, 9]]
    panel.add_thumbnails((thumbnail(3, colour=0xFF00FF00), thumbnail(1000)))
    panel.add_descriptions((description(3), description(1000)))
    buttons = panel.carriers.strip.buttons
    assert [button.item_id for button in buttons] == [7, 3, 9]
    assert buttons[1].accessibleName() == "IMG_3.jpg, 2 of 3, .50 from flipping"
    assert buttons[0].accessibleName() == "Result 1, 1 of 3, .90 from flipping"
    centre = buttons[1].grab().toImage().pixelColor(buttons[1].width() // 2, 20)
    assert (centre.red(), centre.green() > 200) == (0, True)
    assert panel.carriers.state.text() == "3 results in which it is set, the surest first"
    with qtbot.waitSignal(panel.item_chosen) as chosen:
        qtbot.mouseClick(buttons[1], Qt.MouseButton.LeftButton)
    assert chosen.args == [3]


def test_the_photo_that_is_shown_is_marked_and_only_that(panel, qtbot):
    panel.show_item(9)
    click(panel, 5, qtbot)
    panel.carriers.show_carriers(carriers(5))
    buttons = panel.carriers.strip.buttons
    assert [button.isChecked() for button in buttons] == [False, False, True]
    qtbot.mouseClick(buttons[0], Qt.MouseButton.LeftButton)  # the viewer has not said yet that it shows it
    assert [button.isChecked() for button in buttons] == [False, False, True]
    panel.show_item(7)
    assert [button.isChecked() for button in buttons] == [True, False, False]


def test_the_other_side_of_a_bit(panel, qtbot):
    click(panel, 5, qtbot)
    panel.carriers.show_carriers(carriers(5))
    panel.carriers.not_set.click()
    assert panel.wanted[-1] == ("m", 5, False)
    panel.carriers.show_carriers(carriers(5, item_ids=(1,), strengths=(0.5,)))  # too late: that was of the other side
    assert len(panel.carriers.strip.buttons) == 3
    panel.carriers.show_carriers(carriers(5, positive=False, item_ids=(), strengths=()))
    assert panel.carriers.state.text() == "In nothing of the library is it not set."
    assert panel.carriers.strip.isHidden()
    click(panel, 6, qtbot)  # the side stays chosen
    assert panel.wanted[-1] == ("m", 6, False)


def test_answers_about_another_bit_are_dropped(panel, qtbot):
    click(panel, 5, qtbot)
    panel.carriers.show_carriers(carriers(4))
    assert panel.carriers.strip.buttons == []
    click(panel, 5, qtbot)
    panel.carriers.show_carriers(carriers(5))
    panel.carriers.show_problem("Too late.")
    assert panel.carriers.isHidden()
    assert panel.carriers.strip.buttons == []


def test_no_more_photos_than_have_room(panel, qtbot):
    click(panel, 5, qtbot)
    many = range(1, 100)
    panel.carriers.show_carriers(carriers(5, item_ids=many, strengths=np.linspace(1, 0, 99)))
    assert len(panel.carriers.strip.buttons) == MOST_CARRIERS
    assert panel.carriers.state.text() == f"The {MOST_CARRIERS} results in which it is set most surely"


def test_waiting_is_told_and_a_failure_can_be_tried_again(panel, qtbot):
    click(panel, 5, qtbot)
    qtbot.waitUntil(lambda: panel.carriers.state.text() == "Looking through the library…")
    panel.carriers.show_problem("The index is of another model. Index the library again.")
    assert panel.carriers.state.text().startswith("The index is of another model.")
    qtbot.mouseClick(panel.carriers.retry, Qt.MouseButton.LeftButton)
    assert panel.wanted == [("m", 5, True)] * 2
    assert panel.carriers.retry.isHidden()


def test_a_held_bit_stays_for_the_next_picture_but_not_for_another_model(panel, qtbot):
    click(panel, 5, qtbot)
    panel.carriers.show_carriers(carriers(5))
    panel.hold()
    panel.show_bits(bits(query=-QUERY), "m")
    assert panel.grid.held_bit == 5
    assert len(panel.carriers.strip.buttons) == 3
    panel.show_bits(bits(), "another")
    assert panel.grid.held_bit == -1
    assert panel.carriers.isHidden()


def test_codes_of_another_length_let_go(panel, qtbot):
    click(panel, 60, qtbot)
    panel.show_bits(bits(16), "m")
    assert panel.grid.held_bit == -1
    assert panel.grid.n_bits == 16


def test_codes_that_do_not_fit_each_other_are_refused(panel):
    with pytest.raises(ValueError, match="n_bits"):
        panel.show_bits(Bits(query=QUERY.tobytes(), item=ITEM[:16].tobytes()), "m")


# --- keys ------------------------------------------------------------------------------------------------------------


def test_the_keyboard_alone_walks_holds_opens_and_lets_go(panel, qtbot):
    grid = panel.grid
    grid.setFocus()
    qtbot.waitUntil(grid.hasFocus)
    line = sum(grid.bit_rect(bit).top() == grid.bit_rect(0).top() for bit in range(64))
    walked = []
    grid.pointed.connect(walked.append)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_Up,
                Qt.Key.Key_End, Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_Left):
        qtbot.keyClick(grid, key)
    assert walked == [1, 1 + line, line, line - 1, line - 1, line - 1, 63, 63, 63, 0, 0]
    assert grid.accessibleDescription().startswith("Bit 1 of 64 agrees. Query: set, .90")
    qtbot.keyClick(grid, Qt.Key.Key_Return)
    assert panel.wanted == [("m", 0, True)]
    assert grid.accessibleDescription().endswith("Held")
    panel.carriers.show_carriers(carriers(0))
    buttons = panel.carriers.strip.buttons
    assert [b for b in buttons if b.focusPolicy() & Qt.FocusPolicy.TabFocus] == buttons[:1]
    buttons[0].setFocus()
    qtbot.keyClick(buttons[0], Qt.Key.Key_Right)
    assert QApplication.focusWidget() is buttons[1]
    with qtbot.waitSignal(panel.item_chosen) as chosen:
        qtbot.keyClick(buttons[1], Qt.Key.Key_Return)
    assert chosen.args == [3]
    qtbot.keyClick(buttons[1], Qt.Key.Key_Escape)
    assert grid.held_bit == -1
    assert QApplication.focusWidget() is grid


def test_escape_without_a_held_bit_and_keys_with_modifiers_are_for_others(panel, qtbot):
    told = []
    panel.grid.held.connect(told.append)
    for key, modifier in ((Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier),
                          (Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)):
        qtbot.keyClick(panel.grid, key, modifier)
    assert told == []
    assert panel.wanted == []


def test_a_shot_that_carries_a_bit_says_its_time(panel, description, qtbot):
    click(panel, 12, qtbot)
    panel.carriers.show_carriers(carriers(12))
    assert panel.carriers.strip.buttons[0].accessibleName().startswith("Result 1, 1 of 3")
    shot = description(7, kind="video", name="clip.mp4", start_s=62.0, end_s=65.0, duration_s=90.0, n_shots=4)
    panel.add_descriptions((shot,))
    assert panel.carriers.strip.buttons[0].accessibleName().startswith("clip.mp4 1:02, 1 of 3")

"""The query's words beside the picture: what they show, what lights what, and the keyboard alone."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QColor, QEnterEvent, QPalette
from PySide6.QtWidgets import QApplication, QMenu

from explorer.gui.word_links import runs_right_to_left, word_table
from explorer.gui.words_panel import WordsPanel
from explorer.protocol import Explain, WordLinks, Words

SENTENCE = ("a", "brown", "dog", "sleeps")
WEIGHTS = (0.0, 0.05, 0.2, -0.1)
CELLS = np.arange(24, dtype="<f4").reshape(4, 6) / 24 - 0.2


def words(sentence=SENTENCE, weights=WEIGHTS, links=(("vsem", CELLS),)):
    return Words(words=tuple(sentence), weights=tuple(weights),
                 links=tuple(WordLinks(places=name, values=np.asarray(v, "<f4").tobytes()) for name, v in links))


@pytest.fixture
def panel(qtbot):
    panel = WordsPanel()
    qtbot.addWidget(panel)
    panel.setFixedWidth(300)
    panel.show_words(words())
    panel.show()
    qtbot.waitExposed(panel)
    qtbot.waitUntil(panel.isActiveWindow)
    for chip in panel.chips.chips:
        chip.clearFocus()  # becoming active gave it to the first one
    return panel


@pytest.fixture
def told(panel):
    said = []
    panel.values_wanted.connect(lambda layer, values: said.append((layer, values)))
    return said


def enter(chip):
    QApplication.sendEvent(chip, QEnterEvent(QPointF(2, 2), QPointF(2, 2), QPointF(2, 2)))


def leave(chip):
    QApplication.sendEvent(chip, QEvent(QEvent.Type.Leave))


def test_numbers_marks_and_tints_follow_the_weights(panel):
    chips = panel.chips.chips
    assert [chip.text() for chip in chips] == list(SENTENCE)
    assert [chip.number for chip in chips] == [".00", ".05", ".20", "−.10"]
    assert [chip.strength for chip in chips] == pytest.approx([0, 0.25, 1, 0.5], abs=1e-6)
    assert chips[2].accessibleName() == "dog, .20, the strongest"
    assert chips[2].font().bold()
    assert not chips[3].font().bold()
    assert chips[3].accessibleDescription() == "Without “sleeps” the score rises by .10."
    assert chips[1].accessibleDescription() == "Without “brown” the score falls by .05."


def test_the_ground_is_the_accent_and_a_word_that_pulls_down_has_none_of_it(panel):
    accent = QColor(255, 0, 200)
    palette = panel.palette()
    palette.setColor(QPalette.ColorRole.Highlight, accent)
    panel.setPalette(palette)

    def tint(chip):
        image = chip.grab().toImage()
        colour = image.pixelColor(5, image.height() // 2)
        return colour.red() - colour.green()

    chips = panel.chips.chips
    assert tint(chips[2]) > tint(chips[1]) > tint(chips[0]) > 0
    assert tint(chips[3]) == 0


def test_no_word_is_the_strongest_where_none_helps():
    assert word_table(words(weights=(-0.1, -0.2, 0.0, -0.3))).strongest == -1


def test_no_words_no_panel(panel):
    panel.show_words(None)
    assert panel.isHidden()
    assert panel.controls() == []
    panel.show_words(words())
    assert not panel.isHidden()


def test_a_word_under_the_pointer_lights_its_places(panel, told):
    chip = panel.chips.chips[2]
    enter(chip)
    assert told[-1][0] == "vsem"
    np.testing.assert_array_equal(told[-1][1], CELLS[2])
    leave(chip)
    assert told[-1] == ("vsem", None)
    assert len(told) == 2


def test_it_lights_the_layer_that_is_seen(panel, told):
    boxes = np.ones((4, 2), "<f4")
    panel.show_words(words(links=(("vsem", CELLS), ("regions", boxes))))
    panel.prefer(("segmentation", "regions"))
    enter(panel.chips.chips[0])
    assert told[-1][0] == "regions"
    assert told[-1][1].shape == (2,)
    leave(panel.chips.chips[0])
    panel.prefer(("segmentation",))
    enter(panel.chips.chips[0])
    assert told[-1][0] == "vsem"


def test_a_click_holds_a_word_until_the_second_click_or_escape(panel, told, qtbot):
    dog, brown = panel.chips.chips[2], panel.chips.chips[1]
    enter(dog)
    qtbot.mouseClick(dog, Qt.MouseButton.LeftButton)
    leave(dog)
    np.testing.assert_array_equal(told[-1][1], CELLS[2])
    enter(brown)
    np.testing.assert_array_equal(told[-1][1], CELLS[1])
    leave(brown)
    np.testing.assert_array_equal(told[-1][1], CELLS[2])
    qtbot.mouseClick(dog, Qt.MouseButton.LeftButton)
    assert told[-1] == ("vsem", None)
    qtbot.mouseClick(dog, Qt.MouseButton.LeftButton)
    assert panel.chips.held == 2
    qtbot.keyClick(dog, Qt.Key.Key_Escape)
    assert panel.chips.held == -1
    assert not dog.isChecked()
    assert told[-1] == ("vsem", None)


def test_a_held_word_stays_for_the_next_picture_with_its_own_places_there(panel, told, qtbot):
    qtbot.mouseClick(panel.chips.chips[2], Qt.MouseButton.LeftButton)
    n_told = len(told)
    panel.hold()
    panel.show_words(words(links=(("vsem", CELLS + 1),)))
    assert panel.chips.held == 2
    assert len(told) == n_told + 1
    np.testing.assert_array_equal(told[-1][1], (CELLS + 1)[2])
    panel.show_words(words(("another", "sentence"), (0.1, 0.2), ()))
    assert panel.chips.held == -1


def test_until_the_next_picture_is_explained_words_light_nothing(panel, told):
    panel.hold()
    enter(panel.chips.chips[2])
    panel.point("vsem", 3)
    assert told == []
    assert panel.chips.chips[2].number == ".20"


def test_a_place_under_the_pointer_tints_its_words(panel):
    panel.point("vsem", 3)
    column = CELLS[:, 3]
    expected = np.abs(column) / np.abs(column).max()
    assert [chip.strength for chip in panel.chips.chips] == pytest.approx(expected, abs=1e-5)
    assert panel.chips.chips[3].accessibleDescription().startswith("At this place “sleeps” adds ")
    panel.point("vsem", -1)
    assert panel.chips.chips[2].number == ".20"
    panel.point("a layer without links", 0)
    assert panel.chips.chips[2].number == ".20"


def test_a_place_that_hardly_matters_lights_no_word_brightly(panel):
    cells = np.zeros((4, 6), "<f4")
    cells[1, 0], cells[2, 1] = 1.0, 0.01
    panel.show_words(words(links=(("vsem", cells),)))
    panel.point("vsem", 1)
    assert panel.chips.chips[2].strength == pytest.approx(0.05)


def test_the_keyboard_alone(panel, told, qtbot):
    chips = panel.chips.chips
    tab = [chip for chip in chips if chip.focusPolicy() & Qt.FocusPolicy.TabFocus]
    assert tab == [chips[0]]
    chips[0].setFocus(Qt.FocusReason.TabFocusReason)
    np.testing.assert_array_equal(told[-1][1], CELLS[0])
    qtbot.keyClick(chips[0], Qt.Key.Key_Right)
    assert chips[1].hasFocus()
    np.testing.assert_array_equal(told[-1][1], CELLS[1])
    qtbot.keyClick(chips[1], Qt.Key.Key_End)
    assert chips[3].hasFocus()
    qtbot.keyClick(chips[3], Qt.Key.Key_Right)
    assert chips[3].hasFocus()
    qtbot.keyClick(chips[3], Qt.Key.Key_Return)
    assert panel.chips.held == 3
    qtbot.keyClick(chips[3], Qt.Key.Key_Home)
    qtbot.keyClick(chips[0], Qt.Key.Key_Space)
    assert panel.chips.held == 0
    assert [chip for chip in chips if chip.focusPolicy() & Qt.FocusPolicy.TabFocus] == [chips[0]]


def test_arrows_lead_up_and_down_between_lines(panel, qtbot):
    panel.setFixedWidth(140)
    qtbot.waitUntil(lambda: panel.chips.chips[2].y() > panel.chips.chips[0].y())
    chips = panel.chips.chips
    chips[0].setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(chips[0], Qt.Key.Key_Down)
    below = panel.focusWidget()
    assert below.y() > chips[0].y()
    qtbot.keyClick(below, Qt.Key.Key_Up)
    assert chips[0].hasFocus()


def test_the_menu_searches_without_the_word(panel, qtbot):
    asked = []
    panel.search_asked.connect(asked.append)
    chip = panel.chips.chips[2]
    chip.menu_asked.emit(2, chip.mapToGlobal(chip.rect().center()))
    menu = panel.findChildren(QMenu)[0]
    assert [action.text() for action in menu.actions()] == ["Search without this word"]
    menu.actions()[0].trigger()
    menu.close()
    assert asked == ["a brown sleeps"]
    panel.show_words(words(("dog",), (0.4,), ()))
    panel.chips.chips[0].menu_asked.emit(0, chip.mapToGlobal(chip.rect().center()))
    alone = next(menu for menu in panel.findChildren(QMenu) if menu.isVisible())
    assert not alone.actions()[0].isEnabled()
    alone.close()


def test_words_that_run_from_right_to_left_are_set_so(panel, qtbot):
    sentence = ["كلب", "يقفز", "فوق", "جذع", "شجرة"]
    panel.show_words(words(sentence, [0.1] * 5, ()))
    chips = panel.chips.chips
    qtbot.waitUntil(lambda: chips[0].x() > chips[1].x())
    chips[0].setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(chips[0], Qt.Key.Key_Left)
    assert chips[1].hasFocus()
    assert runs_right_to_left("123 שלום")
    assert not runs_right_to_left("🐦 a bird")


def test_long_sentences_scroll_and_long_words_are_shortened(panel, qtbot):
    panel.show_words(words([f"run {i} of several words" for i in range(120)], [0.01] * 120, ()))
    area = panel._area
    qtbot.waitUntil(lambda: area.verticalScrollBar().maximum() > 0)
    assert panel.height() < 300
    panel.show_words(words(("x" * 400,), (0.1,), ()))
    qtbot.waitUntil(lambda: area.verticalScrollBar().maximum() == 0)
    assert panel.chips.chips[0].width() <= area.width()


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (Words(words=("a", "b"), weights=(0.1,)), "one weight a word"),
        (words(links=(("vsem", np.ones(7)),)), "must be .n_words, n_places."),
        (words(links=(("vsem", np.ones(0)),)), "must be .n_words, n_places."),
    ],
)
def test_numbers_that_do_not_fit_are_refused(broken, reason):
    with pytest.raises(ValueError, match=reason):
        word_table(broken)


def test_what_is_no_number_counts_as_nothing(panel):
    panel.show_words(words(weights=(float("nan"), 0.1, float("inf"), 0.2)))
    assert [chip.number for chip in panel.chips.chips] == [".00", ".10", ".00", ".20"]


def test_the_words_of_a_long_sentence_come_after_everything_else(open_window, until):
    window, controller = open_window()
    asked = []
    send = controller.session.line._send
    controller.session.line.connect(lambda request: (asked.append(request), send(request)))
    sentence = " ".join(f"word{i}" for i in range(40))
    window.query.set_sentence(sentence)
    until(lambda: controller.session.ranking.query is not None)
    window.pane.grid.select_row(0)
    window.panes.show_viewer()
    until(lambda: window.viewer.words.table is not None)
    assert [request.words for request in asked if isinstance(request, Explain)] == [False, True]
    assert len(window.viewer.words.chips.chips) == 40
    asked.clear()
    window.query.set_sentence("a short one")
    until(lambda: window.viewer.words.table is not None and len(window.viewer.words.table.words) == 3)
    assert [request.words for request in asked if isinstance(request, Explain)] == [True]


def test_waiting_for_words_says_so(panel):
    panel.show_waiting()
    assert panel.isVisible()
    assert panel._title.text() == "Finding out what each word adds…"
    assert not panel.chips.isVisible()
    assert panel.controls() == []
    panel.point("vsem", 3)
    panel.hold()
    assert panel._title.text() == "Finding out what each word adds…"
    panel.show_words(words())
    assert panel.chips.isVisible()
    assert panel._title.text() == "What each word adds"


def test_in_the_window_words_light_places_and_places_light_words(open_window, until):
    window, controller = open_window()
    window.query.set_sentence("a brown dog")
    until(lambda: controller.session.ranking.query is not None)
    window.pane.grid.select_row(0)
    window.panes.show_viewer()
    until(lambda: window.viewer.words.table is not None)
    words, canvas = window.viewer.words, window.viewer.canvas
    before = canvas.pointing.shown
    enter(words.chips.chips[2])
    lit = canvas.pointing.key
    assert lit is not None
    np.testing.assert_array_equal(lit.values.ravel(), words.table.links[lit.name][2])
    leave(words.chips.chips[2])
    assert canvas.pointing.key is None
    assert [overlay.name for overlay in canvas.pointing.shown] == [overlay.name for overlay in before]
    layer = next(iter(words.table.links))
    weights = [chip.number for chip in words.chips.chips]
    canvas.point_at(layer, 5)
    shares = np.abs(words.table.shares(layer, 5))
    expected = shares / words.table.scale_of(layer, 5)
    assert [chip.strength for chip in words.chips.chips] == pytest.approx(expected.tolist(), abs=1e-5)
    canvas.point_at(layer, -1)
    assert [chip.number for chip in words.chips.chips] == weights


def test_a_picture_alone_has_no_words(open_window, until):
    window, controller = open_window()
    window.viewing.search_with(3)
    until(lambda: controller.session.ranking.query is not None)
    window.pane.grid.select_row(0)
    window.panes.show_viewer()
    until(lambda: window.viewer._explained)
    assert not window.viewer.words.isVisible()

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QContextMenuEvent, QHelpEvent, QPalette, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip

from explorer.gui.results_grid import ResultsGrid
from explorer.segment_ids import segment_id


@pytest.fixture
def grid(qtbot):
    shown = ResultsGrid()
    shown.decode_budget_s = 10.0  # all in one frame, however busy the machine is
    qtbot.addWidget(shown)
    shown.resize(640, 480)
    shown.show()
    qtbot.waitExposed(shown)
    return shown


def _ranking(n, first=1):
    return np.arange(first, first + n, dtype=np.int64), np.linspace(0.95, 0.05, n, dtype=np.float32)


def _colour_in(grid, row):
    image = grid.viewport().grab().toImage()
    return QColor(image.pixel(grid.cell_rect(row).center()))


# --- asking ----------------------------------------------------------------------------------------------------------


def test_it_asks_for_the_visible_rows_first_and_a_margin_around(grid, qtbot):
    with qtbot.waitSignal(grid.thumbnails_wanted) as asked:
        grid.set_ranking(*_ranking(5000, first=100))
    visible = [row + 100 for row in grid.visible_rows()]
    around = grid.visible_rows(margin_rows=2)
    assert asked.args[0][: len(visible)] == visible
    assert sorted(asked.args[0]) == [row + 100 for row in around]
    assert len(around) < 60


def test_it_does_not_ask_again_for_what_is_on_its_way_or_here(grid, qtbot, thumbnail):
    with qtbot.waitSignal(grid.thumbnails_wanted) as asked:
        grid.set_ranking(*_ranking(5000))
    first = asked.args[0]
    grid.add_thumbnails(tuple(thumbnail(item_id) for item_id in first[:3]))
    with qtbot.waitSignal(grid.thumbnails_wanted) as asked:
        grid.verticalScrollBar().setValue(grid._layout.pitch_px)
    assert not set(first) & set(asked.args[0])
    with qtbot.assertNotEmitted(grid.thumbnails_wanted, wait=80):
        grid.verticalScrollBar().setValue(grid._layout.pitch_px - 10)


def test_fast_scrolling_asks_only_for_where_it_ends(grid, qtbot):
    grid.set_ranking(*_ranking(50_000))
    asked = []
    grid.thumbnails_wanted.connect(asked.extend)
    bar = grid.verticalScrollBar()
    for part in range(1, 20):
        bar.setValue(bar.maximum() * part // 19)
    qtbot.waitUntil(lambda: bool(asked))
    assert set(asked) <= {row + 1 for row in grid.visible_rows(margin_rows=2)}


def test_a_new_ranking_asks_again_because_the_engine_may_be_another(grid, qtbot):
    with qtbot.waitSignal(grid.descriptions_wanted) as first:
        grid.set_ranking(*_ranking(50))
    with qtbot.waitSignal(grid.descriptions_wanted) as second:
        grid.set_ranking(*_ranking(50))
    assert first.args == second.args


def test_an_item_without_a_thumbnail_is_asked_for_again_only_after_a_while(grid, qtbot, monkeypatch):
    with qtbot.waitSignal(grid.thumbnails_wanted):
        grid.set_ranking(*_ranking(5))
    with qtbot.assertNotEmitted(grid.thumbnails_wanted):
        grid._ask_for_missing()
    grid._pending_thumbnails._patience_s = 0.0
    with qtbot.waitSignal(grid.thumbnails_wanted) as asked:
        grid._ask_for_missing()
    assert asked.args[0] == [1, 2, 3, 4, 5]


# --- what is seen ----------------------------------------------------------------------------------------------------


def test_a_thumbnail_is_drawn_in_its_cell_with_its_aspect(grid, thumbnail):
    grid.set_ranking(*_ranking(3))
    grid.add_thumbnails((thumbnail(2, 256, 64, 0xFF10C020),))
    assert _colour_in(grid, 1) == QColor(0x10, 0xC0, 0x20)
    cell = grid.cell_rect(1)
    image = grid.viewport().grab().toImage()
    middle = cell.center().x()
    column = [QColor(image.pixel(middle, y)) == QColor(0x10, 0xC0, 0x20) for y in range(cell.top(), cell.bottom())]
    assert sum(column) == pytest.approx(cell.width() / 4, abs=2)


def test_a_large_thumbnail_fills_its_cell_and_a_tiny_one_is_only_doubled(grid, thumbnail):
    grid.set_ranking(*_ranking(3))
    grid.add_thumbnails((thumbnail(1, 256, 215), thumbnail(2, 16, 16)))
    image, brown = grid.viewport().grab().toImage(), QColor(0x80, 0x40, 0x20)
    widths = []
    for row in (0, 1):
        cell = grid.cell_rect(row)
        y = cell.center().y()
        widths.append(sum(QColor(image.pixel(x, y)) == brown for x in range(cell.left(), cell.right() + 1)))
    assert widths[0] == pytest.approx(grid.cell_rect(0).width(), abs=3)
    assert widths[1] == 32


def test_thumbnails_are_decoded_over_several_frames_and_each_brings_one(grid, qtbot, thumbnail):
    grid.decode_budget_s = 0.0
    grid.set_ranking(*_ranking(3))
    placeholder = _colour_in(grid, 0)
    grid.add_thumbnails(tuple(thumbnail(item_id) for item_id in (1, 2, 3)))
    brown = QColor(0x80, 0x40, 0x20)
    image = grid.viewport().grab().toImage()
    seen = [QColor(image.pixel(grid.cell_rect(row).center())) for row in range(3)]
    assert seen == [brown, placeholder, placeholder]
    qtbot.waitUntil(lambda: not grid._decode(range(3), 1.0))
    assert _colour_in(grid, 2) == brown


def test_rows_stay_placeholders_until_their_own_thumbnail_comes(grid, thumbnail):
    grid.set_ranking(*_ranking(3))
    before = _colour_in(grid, 0)
    grid.add_thumbnails((thumbnail(3),))
    assert _colour_in(grid, 0) == before
    assert _colour_in(grid, 2) != before


def test_an_unreadable_item_is_marked(grid, description):
    grid.set_ranking(*_ranking(2))
    cell = grid.cell_rect(0)
    plain = grid.viewport().grab(cell).toImage()
    grid.add_descriptions((description(1, error="It ends too early."),))
    marked = grid.viewport().grab(cell).toImage()
    assert marked != plain


def test_scores_are_drawn_when_searching_and_not_when_browsing(grid):
    ids, scores = _ranking(2)
    grid.set_ranking(ids, None)
    without = grid.viewport().grab(grid.cell_rect(0)).toImage()
    grid.set_ranking(ids, scores)
    assert grid.viewport().grab(grid.cell_rect(0)).toImage() != without


def test_a_thumbnail_that_is_no_picture_leaves_a_placeholder(grid, thumbnail):
    grid.set_ranking(*_ranking(1))
    before = _colour_in(grid, 0)
    grid.add_thumbnails((type(thumbnail(1))(item_id=1, jpeg=b"nonsense"),))
    assert _colour_in(grid, 0) == before


def test_name_date_rank_and_score_on_hover_with_markup_disarmed(grid, qtbot, description):
    grid.set_ranking(*_ranking(20))
    grid.add_descriptions((description(2, name="<b>&\nx.jpg"),))
    place = grid.cell_rect(1).center()
    QApplication.sendEvent(grid.viewport(), QHelpEvent(QHelpEvent.Type.ToolTip, place, QPoint(5, 5)))
    text = QToolTip.text()
    assert "&lt;b&gt;&amp;␤x.jpg" in text
    assert "14 Jul 2019, 16:02" in text
    assert "2 of 20 · score .90" in text
    QToolTip.hideText()


def test_dark_palettes_are_followed(grid):
    grid.set_ranking(*_ranking(2))
    dark = QPalette()
    dark.setColor(QPalette.ColorRole.Base, QColor("#101010"))
    dark.setColor(QPalette.ColorRole.Text, QColor("#f0f0f0"))
    grid.setPalette(dark)
    assert _colour_in(grid, 0).lightness() < 60


# --- selection -------------------------------------------------------------------------------------------------------


def test_a_click_selects_what_is_under_it_and_the_gaps_change_nothing(grid, qtbot):
    grid.set_ranking(*_ranking(50, first=7))
    with qtbot.waitSignal(grid.current_changed) as changed:
        qtbot.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=grid.cell_rect(4).center())
    assert changed.args == [11, 4]
    assert grid.current_item() == (11, 4)
    with qtbot.assertNotEmitted(grid.current_changed):
        qtbot.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=grid.cell_rect(0).topLeft() - QPoint(3, 3))
        qtbot.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=grid.cell_rect(4).center())


def test_arrows_home_end_and_pages_move_the_selection(grid, qtbot):
    grid.set_ranking(*_ranking(50))
    columns = grid._layout.n_columns
    page = columns * (grid.viewport().height() // grid._layout.pitch_px)
    expected = 0
    for key, row in (
        (Qt.Key.Key_Right, 0), (Qt.Key.Key_Right, 1), (Qt.Key.Key_Down, 1 + columns), (Qt.Key.Key_Left, columns),
        (Qt.Key.Key_Up, 0), (Qt.Key.Key_Up, 0), (Qt.Key.Key_Left, 0), (Qt.Key.Key_PageDown, page),
        (Qt.Key.Key_End, 49), (Qt.Key.Key_Right, 49), (Qt.Key.Key_PageUp, 49 - page), (Qt.Key.Key_Home, 0),
    ):
        qtbot.keyClick(grid, key)
        expected = row
        assert grid.current_item() == (expected + 1, expected), key


def test_down_from_the_last_full_row_reaches_the_last_item(grid, qtbot):
    columns = grid._layout.n_columns
    assert columns >= 3
    grid.set_ranking(*_ranking(columns + 1))
    grid.select_row(columns - 1)
    qtbot.keyClick(grid, Qt.Key.Key_Down)
    assert grid.current_item() == (columns + 1, columns)
    qtbot.keyClick(grid, Qt.Key.Key_Down)
    assert grid.current_item() == (columns + 1, columns)


def test_keys_do_nothing_without_results_and_others_pass_on(grid, qtbot):
    for key in (Qt.Key.Key_Right, Qt.Key.Key_End, Qt.Key.Key_PageDown, Qt.Key.Key_Return):
        qtbot.keyClick(grid, key)
    assert grid.current_item() is None
    for key in (Qt.Key.Key_1, Qt.Key.Key_Slash, Qt.Key.Key_Escape, Qt.Key.Key_Space):
        event = _key(key)
        grid.keyPressEvent(event)
        assert not event.isAccepted()


def _key(key):
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QKeyEvent

    return QKeyEvent(QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier)


def test_enter_and_double_click_open(grid, qtbot):
    grid.set_ranking(*_ranking(50))
    grid.select_row(3)
    with qtbot.waitSignal(grid.activated) as opened:
        qtbot.keyClick(grid, Qt.Key.Key_Return)
    assert opened.args == [4, 3]
    with qtbot.waitSignal(grid.activated) as opened:
        QTest.mouseDClick(grid.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
                          grid.cell_rect(5).center())
    assert opened.args == [6, 5]


def test_a_menu_is_asked_for_at_the_pointer_and_at_the_selection(grid, qtbot):
    grid.set_ranking(*_ranking(50))
    place = grid.cell_rect(2).center()
    with qtbot.waitSignal(grid.menu_requested) as asked:
        QApplication.sendEvent(grid.viewport(), QContextMenuEvent(
            QContextMenuEvent.Reason.Mouse, place, grid.viewport().mapToGlobal(place)))
    assert asked.args == [3, grid.viewport().mapToGlobal(place)]
    grid.select_row(1)
    with qtbot.waitSignal(grid.menu_requested) as asked:
        QApplication.sendEvent(grid.viewport(), QContextMenuEvent(
            QContextMenuEvent.Reason.Keyboard, QPoint(), QPoint()))
    assert asked.args == [2, grid.viewport().mapToGlobal(grid.cell_rect(1).center())]


def test_next_and_previous_stop_at_the_ends(grid):
    grid.set_ranking(*_ranking(3))
    rows = []
    grid.current_changed.connect(lambda _, row: rows.append(row))
    for _ in range(5):
        grid.select_next()
    for _ in range(5):
        grid.select_previous()
    assert rows == [0, 1, 2, 1, 0]


def test_rows_that_do_not_exist_are_not_selected(grid):
    grid.set_ranking(*_ranking(3))
    grid.select_row(3)
    grid.select_row(-1)
    assert grid.current_item() is None


@pytest.mark.parametrize("size", [(300, 480), (1100, 300), (640, 200)])
def test_the_selection_stays_in_sight_when_the_size_changes(grid, qtbot, size):
    grid.set_ranking(*_ranking(5000))
    grid.select_row(777)
    grid.resize(*size)
    QApplication.processEvents()
    assert grid.viewport().rect().contains(grid.cell_rect(777))
    grid.set_cell_px(90)
    assert grid.viewport().rect().contains(grid.cell_rect(777))


def test_a_selection_that_was_out_of_sight_does_not_pull_the_view(grid):
    grid.set_ranking(*_ranking(5000))
    grid.select_row(10)
    grid.verticalScrollBar().setValue(grid.verticalScrollBar().maximum() // 2)
    first = grid.visible_rows().start
    grid.resize(420, 480)
    QApplication.processEvents()
    assert 10 not in grid.visible_rows()
    assert abs(grid.visible_rows().start - first) <= grid._layout.n_columns


def test_a_new_ranking_begins_at_the_top_and_drops_a_selection_that_is_gone(grid):
    grid.set_ranking(*_ranking(5000))
    grid.select_row(4000)
    grid.set_ranking(*_ranking(300, first=90_000))
    assert grid.verticalScrollBar().value() == 0
    assert grid.current_item() is None


def test_a_selection_follows_its_item_to_another_rank(grid, qtbot):
    ids, scores = _ranking(100)
    grid.set_ranking(ids, scores)
    grid.select_row(2)
    with qtbot.waitSignal(grid.current_changed) as changed:
        grid.set_ranking(np.ascontiguousarray(ids[::-1]), scores)
    assert changed.args == [3, 97]


def test_items_added_at_the_end_leave_view_and_selection_alone(grid, qtbot):
    grid.set_ranking(_ranking(1000)[0], None)
    grid.select_row(500)
    value = grid.verticalScrollBar().value()
    assert value > 0
    with qtbot.assertNotEmitted(grid.current_changed):
        grid.set_ranking(_ranking(2000)[0], None)
    assert grid.verticalScrollBar().value() == value
    assert grid.current_item() == (501, 500)


@pytest.mark.parametrize("bad", [np.arange(3), np.arange(4, dtype=np.int64).reshape(2, 2), np.zeros(3)])
def test_rankings_of_other_kinds_are_refused(grid, bad):
    if bad.dtype == np.int64 and bad.ndim == 1:
        bad = bad.astype(np.int32)
    with pytest.raises(ValueError, match=r"item ids must be int64 of shape \(n,\), got"):
        grid.set_ranking(bad, None)


def test_scores_must_fit_the_items(grid):
    with pytest.raises(ValueError, match="one score an item"):
        grid.set_ranking(np.arange(3, dtype=np.int64), np.zeros(2, np.float32))


# --- ten million -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [200, 640])
def test_ten_million_rows_scroll_from_end_to_end(grid, qtbot, width):
    n = 10_000_000
    grid.set_ranking(np.arange(1, n + 1, dtype=np.int64), None)
    grid.resize(width, 480)
    QApplication.processEvents()
    qtbot.keyClick(grid, Qt.Key.Key_End)
    assert grid.current_item() == (n, n - 1)
    assert grid.viewport().rect().contains(grid.cell_rect(n - 1))
    assert grid.row_at(grid.cell_rect(n - 1).center()) == n - 1
    qtbot.keyClick(grid, Qt.Key.Key_Left)
    assert grid.current_item() == (n - 1, n - 2)
    grid.select_row(n // 2 + 1)
    assert grid.viewport().rect().contains(grid.cell_rect(n // 2 + 1))
    qtbot.keyClick(grid, Qt.Key.Key_Home)
    assert grid.verticalScrollBar().value() == 0


# --- zoom ------------------------------------------------------------------------------------------------------------


def _wheel(grid, place, delta, modifiers):
    QApplication.sendEvent(grid.viewport(), QWheelEvent(
        QPointF(place), QPointF(grid.viewport().mapToGlobal(place)), QPoint(), QPoint(0, delta),
        Qt.MouseButton.NoButton, modifiers, Qt.ScrollPhase.NoScrollPhase, False,
    ))


def test_ctrl_and_wheel_zoom_around_the_cell_under_the_pointer(grid, qtbot):
    grid.set_ranking(*_ranking(5000))
    grid.verticalScrollBar().setValue(5000)
    place = grid.cell_rect(grid.visible_rows().start + 4).center()
    row = grid.row_at(place)
    top = grid.cell_rect(row).top()
    with qtbot.waitSignal(grid.cell_px_changed):
        _wheel(grid, place, -240, Qt.KeyboardModifier.ControlModifier)
    assert grid.cell_px() < 168
    assert grid.cell_rect(row).top() == pytest.approx(top, abs=1)


def test_the_wheel_alone_scrolls(grid):
    grid.set_ranking(*_ranking(5000))
    _wheel(grid, QPoint(50, 50), -120, Qt.KeyboardModifier.NoModifier)
    assert grid.verticalScrollBar().value() > 0
    assert grid.cell_px() == 168


def test_small_turns_of_a_fine_wheel_add_up(grid):
    grid.set_ranking(*_ranking(50))
    for _ in range(8):
        _wheel(grid, QPoint(50, 50), 15, Qt.KeyboardModifier.ControlModifier)
    assert grid.cell_px() == round(168 * 1.12)


@pytest.mark.parametrize(("wanted", "given"), [(1, 72), (9999, 400), (200, 200)])
def test_cells_have_bounds(grid, wanted, given):
    grid.set_cell_px(wanted)
    assert grid.cell_px() == given


def test_plus_and_minus_zoom_with_ctrl(grid, qtbot):
    grid.set_ranking(*_ranking(50))
    qtbot.keyClick(grid, Qt.Key.Key_Minus, Qt.KeyboardModifier.ControlModifier)
    assert grid.cell_px() == round(168 / 1.12)


# --- accessibility ---------------------------------------------------------------------------------------------------


def test_the_selected_item_is_described_to_assistive_technology(grid, description):
    grid.set_ranking(*_ranking(20))
    grid.select_row(1)
    assert grid.accessibleName() == "Results"
    assert grid.accessibleDescription() == "rank 2 of 20, score 0.90"
    grid.add_descriptions((description(2, name="dog.jpg"),))
    assert grid.accessibleDescription() == "dog.jpg, rank 2 of 20, score 0.90"


# --- videos ----------------------------------------------------------------------------------------------------------


def _shot(description, item_id):
    return description(item_id, kind="video", name="clip.mp4", duration_s=151.0, start_s=12.4, end_s=15.9, n_shots=12)


def _inked(grid, row, background):
    """Columns of a cell's lower edge, but for its round corners, that are not of the thumbnail's colour."""
    cell, image = grid.cell_rect(row), grid.viewport().grab().toImage()
    rows = range(cell.bottom() - 22, cell.bottom() - 2)
    return [
        x - cell.left() for x in range(cell.left() + 4, cell.right() - 3)
        if any(QColor(image.pixel(x, y)) != QColor(background) for y in rows)
    ]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("colour", [0xFF000000, 0xFFFFFFFF, 0xFF808080, 0xFF18C040])
def test_a_video_has_a_mark_that_is_read_on_any_thumbnail(grid, thumbnail, description, colour, dark):
    if dark:
        palette = QPalette(QColor(40, 40, 44))
        grid.setPalette(palette)
    grid.set_ranking(*_ranking(2))
    grid.add_thumbnails((thumbnail(1, 256, 215, colour), thumbnail(2, 256, 215, colour)))
    grid.add_descriptions((_shot(description, 1), description(2)))
    cell, image = grid.cell_rect(0), grid.viewport().grab().toImage()
    corner = [
        QColor(image.pixel(x, y)).lightnessF()
        for x in range(cell.right() - 50, cell.right() - 5) for y in range(cell.bottom() - 18, cell.bottom() - 6)
    ]
    assert max(corner) - min(corner) > 0.6  # white on the dark ground, even where the thumbnail is white
    photo = _inked(grid, 1, colour)
    assert max(photo) < cell.width() / 2  # a photo has its score only


@pytest.mark.parametrize("cell_px", [64, 90, 120, 176, 256])
def test_the_mark_of_a_video_never_touches_the_score(grid, thumbnail, description, cell_px):
    grid.set_cell_px(cell_px)
    grid.set_ranking(*_ranking(2))
    grid.add_thumbnails((thumbnail(1, 256, 215, 0xFF20A020), thumbnail(2, 256, 215, 0xFF20A020)))
    grid.add_descriptions((description(1), description(2)))
    score = _inked(grid, 0, 0xFF20A020)
    grid.add_descriptions((_shot(description, 1),))
    both = _inked(grid, 0, 0xFF20A020)
    assert [x for x in both if x <= max(score)] == score
    mark = [x for x in both if x > max(score)]
    assert mark
    assert min(mark) - max(score) >= 4
    assert max(mark) < grid.cell_rect(0).width() - 3


def test_the_tool_tip_of_a_shot_says_its_time(grid, description):
    grid.set_ranking(*_ranking(2))
    grid.add_descriptions((_shot(description, 1),))
    place = grid.cell_rect(0).center()
    QApplication.sendEvent(grid.viewport(), QHelpEvent(QHelpEvent.Type.ToolTip, place, place))
    assert "Shot 1 of 12, 0:12–0:15 of 2:31" in QToolTip.text()
    grid.select_row(0)
    assert "Shot 1 of 12" in grid.accessibleDescription()


def test_each_shot_has_a_thumbnail_of_its_own(grid, thumbnail, qtbot):
    ids = np.array([segment_id(9, 3), 9, segment_id(9, 1)], np.int64)
    with qtbot.waitSignal(grid.thumbnails_wanted) as asked:
        grid.set_ranking(ids, np.array([0.9, 0.8, 0.7], np.float32))
    assert asked.args[0] == ids.tolist()
    grid.add_thumbnails((thumbnail(int(ids[0]), 256, 215, 0xFF10C020), thumbnail(9, 256, 215, 0xFFC01020)))
    assert _colour_in(grid, 0) == QColor(0x10, 0xC0, 0x20)
    assert _colour_in(grid, 1) == QColor(0xC0, 0x10, 0x20)


def test_a_selected_shot_gives_way_to_the_best_shot_of_its_video(grid, qtbot):
    every = np.array([segment_id(9, 3), 4, segment_id(9, 1)], np.int64)
    grid.set_ranking(every, np.array([0.9, 0.8, 0.7], np.float32))
    grid.select_row(2)
    with qtbot.waitSignal(grid.current_changed) as changed:
        grid.set_ranking(every[:2], np.array([0.9, 0.8], np.float32))
    assert changed.args == [segment_id(9, 3), 0]
    assert grid.current_item() == (segment_id(9, 3), 0)
    with qtbot.assertNotEmitted(grid.current_changed):
        grid.set_ranking(every, np.array([0.9, 0.8, 0.7], np.float32))
    assert grid.current_item() == (segment_id(9, 3), 0)


def test_what_was_not_read_yet_is_asked_for_again_with_the_next_ranking(grid, description, qtbot):
    with qtbot.waitSignal(grid.descriptions_wanted):
        grid.set_ranking(*_ranking(2))
    unread = description(1, kind="video", status="pending", duration_s=0.0)
    grid.add_descriptions((unread, description(2)))
    with qtbot.waitSignal(grid.descriptions_wanted) as asked:
        grid.set_ranking(*_ranking(2))  # as after indexing
    assert asked.args[0] == [1]
    assert grid._tile(0).moment == ("",)  # the mark stays meanwhile
    grid.add_descriptions((_shot(description, 1),))
    assert grid._tile(0).moment == ("0:12–0:15", "0:12", "")

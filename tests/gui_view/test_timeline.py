import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSlider

from explorer.gui.shot_times import ShotTimes, fine_clock, times_from_message, times_of_item
from explorer.gui.timeline import Timeline
from explorer.gui.timeline_painting import bars_of, draw_curve, draw_rows, layout_of, marked_rect
from explorer.protocol import Shots

STARTS, ENDS = (0.0, 2.0, 4.0, 9.0), (2.0, 4.0, 9.0, 10.0)
SCORES = (0.1, 0.5, 0.3, -0.1)


def shots(starts=STARTS, ends=ENDS, scores=SCORES, duration_s=10.0):
    return ShotTimes(np.asarray(starts, float), np.asarray(ends, float), np.asarray(scores, np.float32), duration_s)


def many(n=1000, duration_s=7200.0):
    edges = np.linspace(0, duration_s, n + 1)
    scores = np.full(n, 0.2)
    scores[n // 3] = 0.9
    return shots(edges[:-1], edges[1:], scores, duration_s)


class Heard:
    """A timeline, and what it said."""

    def __init__(self, timeline):
        self.timeline, self.sought, self.chosen, self.held = timeline, [], [], []
        timeline.sought.connect(self.sought.append)
        timeline.shot_chosen.connect(lambda position, time_s: self.chosen.append((position, round(time_s, 2))))
        timeline.held.connect(self.held.append)

    def shot(self, time_s):
        layout = self.timeline.layout_now()
        return QPoint(round(layout.x_in_shot(time_s)), round(layout.shot_row.center().y()))

    def video(self, time_s):
        layout = self.timeline.layout_now()
        return QPoint(round(layout.x_in_video(time_s)), round(layout.video_row.center().y()))

    def click(self, at):
        QTest.mouseClick(self.timeline, Qt.MouseButton.LeftButton, pos=at)

    def drag(self, *places):
        QTest.mousePress(self.timeline, Qt.MouseButton.LeftButton, pos=places[0])
        for place in places[1:]:
            QTest.mouseMove(self.timeline, place)
        QTest.mouseRelease(self.timeline, Qt.MouseButton.LeftButton, pos=places[-1])


@pytest.fixture
def heard(qtbot):
    timeline = Timeline()
    qtbot.addWidget(timeline)
    timeline.set_times(shots(), 1)
    timeline.resize(420, timeline.sizeHint().height())
    timeline.show()
    qtbot.waitExposed(timeline)
    return Heard(timeline)


# --- times ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00.0"), (12.34, "0:12.3"), (0.1 + 0.2, "0:00.3"), (3725.96, "1:02:05.9"), (-1, "0:00.0")],
)
def test_times_are_written_as_players_write_them(seconds, text):
    assert fine_clock(seconds) == text


@pytest.mark.parametrize(("time_s", "position"), [(-1, 0), (0, 0), (1.99, 0), (2, 1), (8.9, 2), (9.5, 3), (99, 3)])
def test_the_shot_at_a_time(time_s, position):
    assert shots().at(time_s) == position


def test_strengths_go_from_the_worst_shot_to_the_best_and_survive_what_is_no_number():
    strengths = shots(scores=(0.1, np.nan, 0.5, -np.inf)).strengths()
    assert strengths[2] == 1
    assert strengths.min() > 0
    assert np.isfinite(strengths).all()
    assert np.unique(shots(scores=(0.4,) * 4).strengths()).tolist() == [1.0]
    assert shots(scores=()).strengths().tolist() == [0.0] * 4
    assert shots(scores=(0.1, np.nan, 0.5, 0.2)).score(1) is None


def test_shots_from_a_message_are_made_sense_of():
    def pack(*values):
        return np.asarray(values, "<f4").tobytes()

    times = times_from_message(
        Shots(id=1, item_id=1, starts_s=pack(0, 2, 1.5), ends_s=pack(2, 2, 5), scores=pack(1, 2)), 4.0)
    assert (np.diff(times.starts_s) >= 0).all()
    assert (times.ends_s > times.starts_s).all()
    assert times.duration_s == 5.0
    assert times.scores.size == 0  # not one for each
    assert times_from_message(Shots(id=1, item_id=1, starts_s=b"", ends_s=b""), 4.0) is None
    assert times_from_message(Shots(id=1, item_id=1, starts_s=pack(0), ends_s=pack(np.nan)), 4.0) is None


def test_before_its_shots_are_known_a_video_is_the_shot_that_was_found(description):
    item = description((3 << 40) | 5, kind="video", start_s=6.0, end_s=8.0, duration_s=60.0, n_shots=9)
    times = times_of_item(item)
    assert (times.first, times.span(3), times.at(99), times.duration_s) == (3, (6.0, 8.0), 3, 60.0)
    nothing = times_of_item(description(5, kind="video"))
    assert nothing.span(0)[1] > nothing.span(0)[0]


# --- pointer ----------------------------------------------------------------------------------------------------------


def test_a_click_on_another_shot_goes_to_its_start(heard):
    heard.click(heard.video(7.5))
    assert heard.chosen == [(2, 4.0)]
    assert heard.held == [True, False]


def test_a_click_within_the_shown_shot_goes_to_that_time(heard):
    heard.click(heard.video(3.5))
    heard.click(heard.shot(2.5))
    assert heard.chosen == []
    assert heard.sought == [pytest.approx(3.5, abs=0.03), pytest.approx(2.5, abs=0.01)]


def test_dragging_in_the_shot_scrubs_it_and_stays_in_it(heard):
    heard.drag(heard.shot(2.1), heard.shot(3.0), heard.shot(3.9), heard.shot(4.0) + QPoint(300, 0))
    assert heard.sought == sorted(heard.sought)
    assert heard.sought[0] == pytest.approx(2.1, abs=0.01)
    assert heard.sought[-1] == 4.0
    assert heard.chosen == []
    assert heard.held == [True, False]


def test_dragging_through_the_video_ends_in_the_shot_where_it_ends(heard):
    heard.drag(heard.video(1.0), heard.video(5.0), heard.video(9.5))
    assert [round(time_s) for time_s in heard.sought] == [1, 5, 10]
    assert heard.chosen == [(3, pytest.approx(9.5, abs=0.05))]


def test_where_shots_share_a_pixel_a_click_finds_the_best_of_them(heard):
    heard.timeline.set_times(many(), 0)
    best = 1000 // 3
    heard.click(heard.video(7.2 * best + 3.6))
    assert heard.chosen == [(best, round(7.2 * best, 2))]


def test_pointing_tells_time_shot_and_score(heard):
    told = heard.timeline.told_at(QPointF(heard.video(3.5)))
    assert "0:03<br>Shot 2 of 4 · 0:02–0:04 · score .50" in told
    heard.timeline.set_curve("A < B", np.array([2, 4], np.float32), np.array([0.2, 0.6], np.float32))
    told = heard.timeline.told_at(QPointF(heard.shot(3.0)))
    assert "0:03.0<br>" in told
    assert "A &lt; B .40" in told


def test_the_wheel_is_for_whoever_scrolls(heard, qtbot):
    before = heard.timeline.time_s
    heard.timeline.wheelEvent(event := _Wheel())
    assert event.ignored
    assert (heard.timeline.time_s, heard.sought) == (before, [])


class _Wheel:
    ignored = False

    def ignore(self):
        self.ignored = True


# --- keys and those who cannot see it ---------------------------------------------------------------------------------


def test_keys_move_within_the_shot_and_from_shot_to_shot(heard):
    timeline = heard.timeline
    timeline.set_time(3.0)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Home, Qt.Key.Key_End):
        QTest.keyClick(timeline, key)
    assert heard.sought == [pytest.approx(3.1), pytest.approx(2.9), 2.0, 4.0]
    for key in (Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
        QTest.keyClick(timeline, key)
    assert heard.chosen == [(2, 4.0), (0, 0.0)]
    timeline.set_times(shots(), 3)
    QTest.keyClick(timeline, Qt.Key.Key_PageDown)
    assert len(heard.chosen) == 2


def test_it_is_a_slider_with_a_name_a_value_and_words(heard):
    timeline = heard.timeline
    timeline.setFocus()
    assert isinstance(timeline, QAbstractSlider)
    assert timeline.focusPolicy() == Qt.FocusPolicy.StrongFocus
    assert timeline.accessibleName() == "Timeline"
    assert timeline.accessibleDescription().startswith("Shot 2 of 4 · 0:02–0:04 · .50")
    timeline.set_time(3.5)
    assert (timeline.minimum(), timeline.value(), timeline.maximum()) == (0, 3500, 10_000)


def test_a_shot_within_one_second_says_tenths(qtbot):
    timeline = Timeline()
    qtbot.addWidget(timeline)
    timeline.set_times(shots((0.0, 0.4), (0.4, 1.0), ()), 1)
    assert timeline.caption() == "Shot 2 of 2 · 0:00–0:01"
    timeline.set_times(shots((0.0, 0.4), (0.4, 1.0), ()), 0)
    assert timeline.caption() == "Shot 1 of 2 · 0:00.0–0:00.4"


# --- what it looks like -----------------------------------------------------------------------------------------------


def test_a_video_of_one_shot_is_drawn_once(heard):
    two = heard.timeline.sizeHint().height()
    heard.timeline.set_times(shots((0.0,), (10.0,), (0.4,)), 0)
    assert heard.timeline.layout_now().video_row.isEmpty()
    assert heard.timeline.sizeHint().height() < two
    assert heard.timeline.caption() == "0:00–0:10 · .40"
    assert "Shot" not in heard.timeline.told_at(QPointF(heard.shot(3.0)))


def test_two_hours_of_a_thousand_shots_are_a_bar_for_each_pixel():
    times = many()
    layout = layout_of(360, 20, times, times.span(500))
    bars = bars_of(layout, times)
    assert len(bars) == int(layout.video_row.width())
    strengths = [strength for _, strength in bars]
    best = int(layout.x_in_video(7200 / 3) - layout.video_row.left())
    assert max(strengths) == 1.0
    assert abs(strengths.index(1.0) - best) <= 1


@pytest.mark.parametrize("position", [0, 500, 999])
def test_the_mark_of_a_short_shot_is_wide_enough_to_be_seen(position):
    times = many()
    layout = layout_of(360, 20, times, times.span(position))
    mark = marked_rect(layout)
    assert mark.width() >= 4
    assert layout.video_row.adjusted(-0.01, 0, 0.01, 0).contains(mark)


def _drawn(palette, times, position, draw=None):
    image = QImage(400, 110, QImage.Format.Format_RGB32)
    image.fill(palette.color(QPalette.ColorRole.Window))
    layout = layout_of(400, 10, times, times.span(position))
    painter = QPainter(image)
    draw_rows(painter, palette, layout, times)
    if draw is not None:
        draw(painter, palette, layout)
    painter.end()
    return image, layout


def _palette(dark):
    palette = QPalette()
    for role, colours in ((QPalette.ColorRole.Window, ("#efefef", "#2b2b2b")),
                          (QPalette.ColorRole.WindowText, ("#101010", "#e6e6e6")),
                          (QPalette.ColorRole.Highlight, ("#308cc6", "#3d8ee0"))):
        palette.setColor(role, QColor(colours[dark]))
    return palette


def _apart(first, second):
    return sum(abs(a - b) for a, b in zip(first.getRgb()[:3], second.getRgb()[:3], strict=True))


@pytest.mark.parametrize("dark", [False, True])
def test_the_best_shot_has_the_highest_bar_in_light_and_dark(dark):
    image, layout = _drawn(_palette(dark), shots(), 3)
    row = layout.video_row

    def height(time_s):
        x = round(layout.x_in_video(time_s))
        ground = image.pixelColor(round(layout.x_in_video(9.5)), round(row.top()) + 5)
        return sum(_apart(image.pixelColor(x, y), ground) > 60 for y in range(round(row.top()), round(row.bottom())))

    heights = [height(time_s) for time_s in (1.0, 3.0, 6.0)]
    assert heights[1] > heights[2] > heights[0] > 0
    assert heights[1] >= row.height() - 2


@pytest.mark.parametrize("dark", [False, True])
def test_the_curve_is_seen_where_it_is_high(dark):
    times_s, values = np.linspace(2.1, 3.9, 16), np.zeros(16)
    values[8:] = 1.0
    palette = _palette(dark)
    plain, layout = _drawn(palette, shots(), 1)
    curved, _ = _drawn(palette, shots(), 1, lambda p, q, where: draw_curve(p, q, where, times_s, values))
    y = round(layout.shot_row.center().y())
    for time_s, differs in ((2.3, False), (3.7, True)):
        x = round(layout.x_in_shot(time_s))
        assert (_apart(plain.pixelColor(x, y), curved.pixelColor(x, y)) > 20) is differs


def test_a_curve_of_no_numbers_or_of_one_value_is_drawn_without_complaint(heard, qtbot):
    times_s = np.linspace(2.1, 3.9, 4).astype(np.float32)
    for values in (np.full(4, np.nan), np.full(4, 0.3), np.array([np.nan, 1, np.inf, 0])):
        heard.timeline.set_curve("Curve", times_s, values.astype(np.float32))
        assert not heard.timeline.grab().isNull()


def test_the_playhead_moves_without_drawing_the_shots_again(heard, qtbot):
    timeline = heard.timeline
    timeline.set_time(2.0)
    first = timeline.grab().toImage()
    rows = timeline._rows
    timeline.set_time(3.8)
    assert timeline.grab().toImage() != first
    assert timeline._rows is rows

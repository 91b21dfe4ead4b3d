"""Videos in the whole window, with the fake engine and a rendered clip: playing, going to shots, what goes wrong."""

import os

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from explorer.gui.keys import KEYS
from explorer.media.writing import write_video
from explorer.segment_ids import item_of, position_of, segment_id

N_SHOTS = 3


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Six seconds, as long as the fake engine says of three shots."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    write_video(path, (np.full((48, 64, 3), 20 + 3 * n, np.uint8) for n in range(60)), 10)
    return path


@pytest.fixture
def searched(open_window, until, clip):
    """A window with a ranking whose results are videos, the first of them in the viewer and playing."""

    def make(*options, path=clip):
        window, controller = open_window(
            "--items", 6, "--videos", 6, "--shots", N_SHOTS, "--clip", path, *options)
        window.query.edit.setText("a dog")
        window.query.search_now()
        until(lambda: window.pane.count_label.text() == "6 results")
        window.panes.show_viewer()
        window.pane.grid.select_row(0)
        until(lambda: window.viewing.shown == window.viewing.current)
        return window, controller

    return make


def plays(window):
    return window.viewer.video.plays_itself


def test_a_result_opens_at_its_moment_with_its_shots_and_its_evidence(searched, until):
    window, _ = searched()
    video, shown = window.viewer.video, window.viewing.shown
    until(lambda: plays(window) and len(video.timeline.times) == N_SHOTS and window.viewer.layers.boxes)
    start_s = 2.0 * position_of(shown)
    assert start_s <= video.time_s < start_s + 2
    assert video.timeline.position == position_of(shown)
    assert video.times.scores.size == N_SHOTS
    assert video.timeline._curve[0] == "Similarity over time"
    assert window.viewer.layers.boxes[0].overlay.name == "cam"
    assert window.viewer.details.facts.text().startswith(f"Shot {position_of(shown) + 1} of 3")


def test_a_click_in_the_timeline_shows_and_explains_that_shot_and_the_selection_stays(searched, until):
    window, controller = searched()
    video, first = window.viewer.video, window.viewing.shown
    until(lambda: plays(window) and len(video.timeline.times) == N_SHOTS)
    position = next(p for p in range(N_SHOTS) if p != position_of(first))
    explained = []
    controller.explanation_came.connect(lambda explanation: explained.append(explanation.item_id))
    timeline = video.timeline
    layout = timeline.layout_now()
    at = QPoint(round(layout.x_in_video(2.0 * position + 1)), round(layout.video_row.center().y()))
    QTest.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=at)
    other = segment_id(item_of(first), position)
    until(lambda: other in explained)
    assert window.viewing.shown == other
    assert window.pane.grid.current_item()[0] == first
    until(lambda: 2.0 * position <= video.time_s < 2.0 * position + 2)
    assert window.viewer.details.facts.text().startswith(f"Shot {position + 1} of 3")
    searches = []
    window.viewing.search_asked.connect(lambda item_id, name: searches.append(item_id))
    window.viewer.details.search.click()
    assert searches == [other]


def test_every_moment_among_the_results_is_selected_when_the_timeline_goes_there(searched, until):
    window, _ = searched()
    window.pane.moments.click()
    until(lambda: window.pane.count_label.text() == "18 results")
    video, first = window.viewer.video, window.viewing.shown
    until(lambda: len(video.timeline.times) == N_SHOTS)
    position = next(p for p in range(N_SHOTS) if p != position_of(first))
    video.timeline.shot_chosen.emit(position, 2.0 * position)
    until(lambda: window.viewing.shown == segment_id(item_of(first), position))
    assert window.pane.grid.current_item()[0] == window.viewing.shown


def test_the_keys_of_videos_are_heard_from_the_results_and_listed(searched, until):
    window, _ = searched()
    until(lambda: plays(window))
    window.pane.grid.setFocus()
    QTest.keyClick(window.pane.grid, Qt.Key.Key_K)
    assert not window.viewer.video._player.plays
    QTest.keyClick(window.pane.grid, Qt.Key.Key_P)
    assert window.viewer.video._player.plays
    assert {"K", "P", ",", ".", "L", "M"} <= {key for line in KEYS if line.section == "Videos" for key in line.keys}


def test_the_frame_that_is_seen_is_copied(searched, until):
    window, _ = searched()
    until(lambda: plays(window))
    window.viewer.video.toggle()
    window.viewing.copy_picture(window.viewing.shown)
    assert QGuiApplication.clipboard().image().size() == window.viewer.canvas.picture().size()
    assert QGuiApplication.clipboard().image().width() == 64


def test_the_next_result_is_another_video_from_its_own_moment(searched, until):
    window, _ = searched()
    until(lambda: plays(window))
    window.viewer.next_requested.emit()
    until(lambda: window.viewing.shown == window.viewing.current and plays(window))
    start_s = 2.0 * position_of(window.viewing.shown)
    assert start_s <= window.viewer.video.time_s < start_s + 2


def test_a_clip_deleted_while_it_plays_is_a_sentence_and_frames_come_from_the_engine(searched, until, tmp_path, clip):
    path = tmp_path / "doomed.mp4"
    path.write_bytes(clip.read_bytes())
    window, controller = searched(path=path)
    until(lambda: plays(window) and window.viewer.layers.boxes)
    path.unlink()
    until(lambda: "“doomed.mp4” is not on this computer" in window.viewer.status.text())
    pictures = []
    controller.picture_came.connect(pictures.append)
    window.viewer.video.timeline.sought.emit(2.0 * position_of(window.viewing.shown) + 1.5)
    until(lambda: pictures)
    assert window.viewer.canvas.picture().width() == pictures[-1].full_width_px


def test_a_remote_file_shows_the_engines_frame(searched, until):
    window, _ = searched(path="/nowhere/remote.mp4")
    until(lambda: "“remote.mp4” is not on this computer" in window.viewer.status.text())
    until(lambda: window.viewer.canvas.has_picture and window.viewer.layers.boxes)
    assert window.viewer.canvas.pointing.shown


def test_another_library_ends_the_video(searched, until, tmp_path):
    window, _ = searched()
    until(lambda: plays(window))
    window.commands._open_library(os.fspath(tmp_path))
    assert not window.viewer.video._player.is_open
    assert window.viewer.video.isHidden()


def test_browsing_plays_a_video_on_from_its_beginning(open_window, until, clip):
    window, _ = open_window("--items", 6, "--videos", 6, "--shots", N_SHOTS, "--clip", clip)
    window.panes.show_viewer()
    window.pane.grid.select_row(2)
    until(lambda: plays(window))
    assert not window.viewer.video.bar.loop.isChecked()
    assert window.viewer.video.timeline.position == 0

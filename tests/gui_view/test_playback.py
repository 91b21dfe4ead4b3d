"""Videos in the viewer: what plays, what lies over it at which time, and what is done where it cannot be played."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest

from explorer.gui.play_manner import NO_SOUND_OUTPUT
from explorer.gui.viewer import Viewer
from explorer.protocol import ClipMaps, Explanation, Grid, MovingClasses, MovingGrid, Shots
from explorer.segment_ids import segment_id

LONG_MS = 20_000
TIMES = (1.05, 1.35, 1.65, 1.95)


@pytest.fixture
def viewer(qtbot):
    shown = Viewer()
    qtbot.addWidget(shown)
    shown.video._start_timer.setInterval(0)  # nobody waits for the selection to rest
    shown.resize(360, 900)
    shown.show()
    qtbot.waitExposed(shown)
    yield shown
    shown.clear()


@pytest.fixture
def video(clip, description, clips):
    """The shot of the rendered clip from 1 s to 2 s."""

    def make(position=1, **changes):
        known = {
            "path": os.fsencode(clip), "name": "clip.mp4", "kind": "video", "width_px": clips.WIDTH,
            "height_px": clips.HEIGHT, "duration_s": 3.0, "start_s": float(position), "end_s": position + 1.0,
            "n_shots": 3,
        }
        return description(segment_id(7, position), **{**known, **changes})

    return make


def shots(item_id, scores=(0.1, 0.6, 0.3)):
    pack = [np.asarray(values, "<f4").tobytes() for values in ((0, 1, 2), (1, 2, 3), scores)]
    return Shots(id=1, item_id=item_id, starts_s=pack[0], ends_s=pack[1], scores=pack[2], model="m")


def moving(item_id, *, start_s=1.0, score=0.6, without=()):
    """Heat in the left half at first, in the right half at the end; a class that fills the picture in frame 2."""
    heat = np.zeros((4, 2, 2), "<f2")
    heat[:2, :, 0] = heat[2:, :, 1] = 1
    ids = np.zeros((4, 4, 4), np.uint8)
    ids[2] = 1
    times = np.asarray(TIMES, "<f4") - 1 + start_s
    curve = np.asarray((0.1, 0.2, 0.9, 0.3), "<f4")
    return Explanation(
        id=2, item_id=item_id, model="m", class_map=None, presence=(), score=score, elapsed_ms=1.0, without=without,
        attention=(Grid(name="gates", title="Gates", height=1, width=1, values=np.zeros(1, "<f4").tobytes()),),
        clip=ClipMaps(
            times_s=times.astype("<f4").tobytes(), curve_title="Similarity", curve=curve.tobytes(),
            attention=(MovingGrid(name="cam", title="Similarity", height=2, width=2, values=heat.tobytes()),),
            class_maps=MovingClasses(
                height=4, width=4, class_ids=ids.tobytes(), confidence=np.full(ids.shape, 255, np.uint8).tobytes(),
                names=("background", "dog"),
            ),
        ),
    )


def shown_number(viewer, clips):
    return clips.number_in(viewer.canvas.picture()) if viewer.canvas.has_picture else None


def until(qtbot, condition):
    qtbot.waitUntil(condition, timeout=LONG_MS)


@pytest.fixture
def paused(viewer, qtbot, video, clips):
    """The viewer on the first frame of the shot, standing still."""
    viewer.show_item(video(), 0.6, 1)
    until(qtbot, lambda: viewer.video.plays_itself)
    QTest.keyClick(viewer, Qt.Key.Key_K)
    seek(viewer, qtbot, clips, 1.0)
    return viewer


def seek(viewer, qtbot, clips, time_s):
    viewer.video.seek(time_s)
    until(qtbot, lambda: shown_number(viewer, clips) == int(time_s * 10 + 1e-6))


def colour_at(viewer, u, v):
    rect = viewer.canvas.placement.rect()
    image = viewer.canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    return QColor(image.pixel(int(rect.left() + u * rect.width()), int(rect.top() + v * rect.height())))


def is_grey(colour):
    return max(colour.getRgb()[:3]) - min(colour.getRgb()[:3]) < 8


# --- playing ----------------------------------------------------------------------------------------------------------


def test_a_result_plays_from_its_shot_and_stays_in_it(viewer, qtbot, video, clips):
    seen = []
    viewer.video.frame_came.connect(lambda frame: seen.append(clips.number_in(frame)))
    viewer.show_item(video(), 0.6, 1)
    until(qtbot, lambda: len(seen) > 1 and seen[-1] < seen[-2])
    assert seen[0] == 10
    assert set(seen) <= set(range(10, 20))
    assert viewer.canvas.has_picture
    assert 1.0 <= viewer.video.time_s < 2.0
    assert viewer.canvas.accessibleName() == "Video clip.mp4"


def test_the_poster_is_the_first_frame_and_does_not_come_over_what_plays(viewer, qtbot, video, picture, clips):
    viewer._picture_timer.setInterval(0)  # else the file may be open before the poster is asked for, and needs none
    with qtbot.waitSignal(viewer.frame_wanted) as asked, qtbot.assertNotEmitted(viewer.picture_wanted):
        viewer.show_item(video(), 0.6, 1)
    assert asked.args == [segment_id(7, 1), 1.0]
    viewer.show_picture(picture(segment_id(7, 1), clips.WIDTH, clips.HEIGHT, 0xFFFF0000))
    assert not is_grey(viewer.canvas.picture().pixelColor(3, 3))
    until(qtbot, lambda: viewer.video.plays_itself)
    viewer.show_picture(picture(segment_id(7, 1), clips.WIDTH, clips.HEIGHT, 0xFFFF0000))
    assert is_grey(viewer.canvas.picture().pixelColor(3, 3))


def test_a_photo_after_a_video_is_a_photo(viewer, qtbot, video, description, picture):
    viewer.show_item(video(), 0.6, 1)
    until(qtbot, lambda: viewer.video.plays_itself)
    assert viewer.video.isVisible()
    viewer.show_item(description(1), 0.5, 2)
    assert viewer.video.isHidden()
    assert not viewer.video._player.is_open
    viewer.show_picture(picture(1))
    assert viewer.canvas.picture().width() == 400
    assert viewer.details.search.text() == "Search with this image"


def test_details_tell_shot_length_and_kind_of_file(viewer, video):
    viewer.show_item(video(size_bytes=2_500_000), 0.6, 1)
    lines = viewer.details.facts.text().split("\n")
    assert lines[:2] == ["Shot 2 of 3, 0:01–0:02 of 0:03", "MP4 · 64 × 48 px · 2.5 MB"]
    assert viewer.details.search.text() == "Search with this shot"
    texts = [action.text() for action in viewer.bar._more.menu().actions()]
    assert "Search with this shot" in texts
    viewer.details.set_presence((("dog", 0.9),))
    assert viewer.details.presence.text() == "In the shot: dog .90"
    with_id = []
    viewer.search_with_image.connect(with_id.append)
    viewer.details.search.click()
    assert with_id == [segment_id(7, 1)]


def test_keys_play_step_and_loop(paused, qtbot, clips):
    viewer = paused
    assert viewer.video.bar.play.accessibleName() == "Play"
    QTest.keyClicks(viewer, "..")
    until(qtbot, lambda: shown_number(viewer, clips) == 12)
    QTest.keyClicks(viewer, ",")
    until(qtbot, lambda: shown_number(viewer, clips) == 11)
    assert viewer.video.bar.loop.isChecked()
    QTest.keyClicks(viewer, "l")
    assert not viewer.video.bar.loop.isChecked()
    QTest.keyClicks(viewer, ">")
    assert viewer.video.bar.rate.text() == "1.5×"
    QTest.keyClicks(viewer, "<<")
    assert viewer.video.bar.rate.text() == "0.5×"
    QTest.keyClicks(viewer, "p")
    assert viewer.video.bar.play.accessibleName() == "Pause"


def test_keys_of_videos_mean_nothing_to_a_photo(viewer, description):
    viewer.show_item(description(1), 0.5, 1)
    for text in "kpm,.l<>":
        assert not viewer.video.take_key(text)


def test_a_video_without_sound_says_so_and_none_is_heard_unasked(paused):
    assert not paused.video.bar.sound.isEnabled()
    assert paused.video.bar.sound.toolTip() == "This video has no sound"
    assert not paused.video._player.sound.is_open


def test_no_sound_output_is_a_sentence(paused, monkeypatch):
    paused.show_explanation(moving(segment_id(7, 1)))
    monkeypatch.setattr(paused.video._player.sound, "set_muted", lambda muted: muted)
    paused.video.bar.muted_chosen.emit(False)
    assert paused.status.text() == NO_SOUND_OUTPUT
    assert not paused.video.bar.sound.isChecked()


def test_a_viewer_that_is_not_seen_does_not_play(viewer, qtbot, video):
    viewer.show_item(video(), 0.6, 1)
    until(qtbot, lambda: viewer.video.plays_itself)
    viewer.hide()
    assert not viewer.video._player.plays
    viewer.show()
    assert viewer.video._player.plays


def test_what_a_person_stopped_stays_stopped_when_it_is_seen_again(paused):
    paused.hide()
    paused.show()
    assert not paused.video._player.plays


# --- shots and time ---------------------------------------------------------------------------------------------------


def test_shots_are_asked_for_once_a_video_and_again_with_another_query(viewer, qtbot, video):
    asked = []
    viewer.shots_wanted.connect(asked.append)
    viewer.show_item(video(), 0.6, 1)
    until(qtbot, lambda: asked == [segment_id(7, 1)])
    viewer.show_item(video(2), 0.6, 1)
    qtbot.wait(250)
    assert len(asked) == 1
    viewer.explain_again()
    until(qtbot, lambda: len(asked) == 2)


def test_the_timeline_knows_the_shot_at_once_and_the_others_when_they_come(paused):
    timeline = paused.video.timeline
    assert timeline.caption().startswith("0:01–0:02")
    paused.video.show_shots(shots(segment_id(99, 0)))
    assert len(timeline.times) == 1
    paused.video.show_shots(shots(segment_id(7, 0)))
    assert timeline.caption() == "Shot 2 of 3 · 0:01–0:02 · .60"
    paused.show_explanation(moving(segment_id(7, 1)))
    title, times_s, values = timeline._curve
    assert (title, times_s.size, values.size) == ("Similarity", 4, 4)


def test_going_to_another_shot_keeps_file_and_picture_and_asks_for_its_evidence(paused, qtbot, clips):
    viewer, item_id = paused, segment_id(7, 2)
    viewer.video.show_shots(shots(segment_id(7, 1)))
    viewer.show_explanation(moving(segment_id(7, 1)))
    viewer.shot_chosen.connect(lambda shot: viewer.show_item(shot, None, None))
    asked = []
    viewer.explanation_wanted.connect(asked.append)
    with qtbot.waitSignal(viewer.shot_chosen) as chosen, qtbot.assertNotEmitted(viewer.frame_wanted, wait=100):
        viewer.video.timeline.shot_chosen.emit(2, 2.0)
    shot = chosen.args[0]
    assert (shot.item_id, shot.start_s, shot.end_s, shot.name) == (item_id, 2.0, 3.0, "clip.mp4")
    assert viewer.canvas.has_picture
    assert viewer.canvas.pointing.shown == ()  # the evidence of the other shot is not this one's
    assert viewer.bar._place.text() == ".30"
    until(qtbot, lambda: shown_number(viewer, clips) == 20)
    until(qtbot, lambda: asked == [item_id])
    viewer.show_explanation(moving(segment_id(7, 1)))
    assert viewer.canvas.pointing.shown == ()
    viewer.show_explanation(moving(item_id, start_s=2.0))
    assert viewer.canvas.pointing.shown != ()


def test_playing_on_goes_from_shot_to_shot(viewer, qtbot, video):
    chosen = []
    viewer.video.bar.loop.setChecked(True)
    viewer.show_item(video(0), 0.6, 1)
    viewer.video.show_shots(shots(segment_id(7, 0)))
    viewer.video.bar.loop.click()

    def follow(shot):
        chosen.append(shot.item_id)
        viewer.show_item(shot, None, None)

    viewer.shot_chosen.connect(follow)
    until(qtbot, lambda: viewer.video.plays_itself and not viewer.video._player.plays)
    assert chosen == [segment_id(7, 1), segment_id(7, 2)]
    assert viewer.video.timeline.position == 2


def test_a_video_chosen_as_a_whole_plays_on_a_shot_that_was_found_plays_over_and_over(viewer, video):
    viewer.show_item(video(0), None, None)
    assert not viewer.video.bar.loop.isChecked()
    viewer.show_item(video(1), 0.6, 1)
    assert viewer.video.bar.loop.isChecked()
    viewer.video.bar.loop.click()
    viewer.show_item(video(2), 0.6, 1)
    assert not viewer.video.bar.loop.isChecked()


def test_the_time_stands_still_while_it_is_dragged(viewer, qtbot, video, clips):
    viewer.show_item(video(), 0.6, 1)
    until(qtbot, lambda: viewer.video.plays_itself)
    viewer.video.timeline.held.emit(True)
    assert not viewer.video._player.plays
    viewer.video.timeline.sought.emit(1.75)
    assert viewer.video.time_s == 1.75
    until(qtbot, lambda: shown_number(viewer, clips) == 17)
    viewer.video.timeline.held.emit(False)
    assert viewer.video._player.plays


# --- what lies over it ------------------------------------------------------------------------------------------------


def test_overlays_are_those_of_the_time_that_is_shown(paused, qtbot, clips):
    viewer = paused
    viewer.show_explanation(moving(segment_id(7, 1)))
    viewer.layers.boxes[-1].check.setChecked(False)  # the segmentation
    seek(viewer, qtbot, clips, 1.1)
    assert not is_grey(colour_at(viewer, 0.05, 0.5))
    assert is_grey(colour_at(viewer, 0.98, 0.5))
    seek(viewer, qtbot, clips, 1.9)
    assert is_grey(colour_at(viewer, 0.02, 0.5))
    assert not is_grey(colour_at(viewer, 0.95, 0.5))
    viewer.set_bare(True)
    assert is_grey(colour_at(viewer, 0.95, 0.5))


def test_segmentation_is_that_of_the_nearest_frame_and_its_legend_that_of_the_shot(paused, qtbot, clips):
    viewer = paused
    viewer.show_explanation(moving(segment_id(7, 1)))
    assert [box.overlay.name for box in viewer.layers.boxes] == ["cam", "gates", "segmentation"]
    assert [row.row.name for row in viewer.layers.boxes[-1].legend] == ["dog"]
    for time_s, has_dog in ((1.1, False), (1.6, True), (1.95, False)):
        seek(viewer, qtbot, clips, time_s)
        shown = next(overlay for overlay in viewer.canvas.pointing.shown if overlay.name == "segmentation")
        assert bool(shown.class_ids.any()) is has_dog
        assert shown.class_ids.shape == (4, 4)
    legend = viewer.layers.boxes[-1].legend
    legend[0].click()
    seek(viewer, qtbot, clips, 1.6)
    assert next(o for o in viewer.canvas.pointing.shown if o.name == "segmentation").hidden == {1}


def test_a_layer_can_be_set_while_it_moves(paused, qtbot, clips):
    viewer = paused
    viewer.show_explanation(moving(segment_id(7, 1)))
    viewer.toggle_layer(1)
    seek(viewer, qtbot, clips, 1.7)
    assert not next(overlay for overlay in viewer.canvas.pointing.shown if overlay.name == "cam").visible
    viewer.toggle_layer(1)
    viewer.step_opacity(-1)
    seek(viewer, qtbot, clips, 1.2)
    cam = next(overlay for overlay in viewer.canvas.pointing.shown if overlay.name == "cam")
    assert cam.visible
    assert cam.opacity < 0.5
    assert cam.span == (0.0, 1.0)


def test_values_under_the_pointer_are_those_of_the_time(paused, qtbot, clips):
    from PySide6.QtCore import QPointF

    viewer = paused
    viewer.show_explanation(moving(segment_id(7, 1)))
    viewer.canvas.pointed.emit(QPointF(0.9, 0.5))
    seek(viewer, qtbot, clips, 1.0)
    assert viewer.status.text().startswith("Similarity .00")
    seek(viewer, qtbot, clips, 1.9)
    assert viewer.status.text().startswith("Similarity 1.00")


def test_scrubbing_beyond_the_explained_shot_shows_no_overlays(paused, qtbot, clips):
    viewer = paused
    viewer.video.show_shots(shots(segment_id(7, 1)))
    viewer.show_explanation(moving(segment_id(7, 1)))
    assert viewer.canvas.pointing.shown
    seek(viewer, qtbot, clips, 2.5)
    assert viewer.canvas.pointing.shown == ()
    seek(viewer, qtbot, clips, 1.5)
    assert viewer.canvas.pointing.shown


def test_the_picture_beside_moves_along(paused, qtbot, clips):
    from explorer.gui.viewer_comparison import VARIANTS

    viewer = paused
    viewer.pictures.set_offered(("vsem", "cam"))
    viewer.pictures.choose(VARIANTS[1])
    viewer.show_explanation(moving(segment_id(7, 1)))
    viewer.pictures.show_comparison(moving(segment_id(7, 1), score=0.4, without=("vsem",)))
    for time_s, left in ((1.1, 1.0), (1.95, 0.0)):
        seek(viewer, qtbot, clips, time_s)
        cam = next(overlay for overlay in viewer.pictures.beside.pointing.shown if overlay.name == "cam")
        assert cam.values[0, 0] == left
        assert viewer.pictures.beside.picture() == viewer.canvas.picture()


# --- where it cannot be played ----------------------------------------------------------------------------------------


@pytest.fixture
def remote(viewer, qtbot, video):
    """The viewer on a shot whose file is not on this computer."""
    viewer.show_item(video(path=b"/nowhere/clip.mp4"), 0.6, 1)
    until(qtbot, lambda: "is not on this computer" in viewer.status.text())
    return viewer


def test_where_there_is_no_file_single_frames_are_asked_for(remote, qtbot, picture, clips):
    viewer, item_id = remote, segment_id(7, 1)
    asked = []
    viewer.show_picture(picture(item_id, clips.WIDTH, clips.HEIGHT, 0xFF404040))
    viewer.frame_wanted.connect(lambda shot, time_s: asked.append((shot, round(time_s, 2))))
    viewer.show_explanation(moving(item_id))
    for time_s in (1.2, 1.4, 1.6, 1.8):
        viewer.video.timeline.sought.emit(time_s)
    assert asked == [(item_id, 1.2)]  # the next one when this one is there
    assert viewer.video.time_s == 1.8
    viewer.show_picture(picture(item_id, clips.WIDTH, clips.HEIGHT, 0xFF404040))
    assert asked == [(item_id, 1.2), (item_id, 1.8)]
    viewer.show_picture(picture(item_id, clips.WIDTH, clips.HEIGHT, 0xFF606060))
    assert len(asked) == 2
    assert viewer.canvas.picture().pixelColor(3, 3) == QColor(0x60, 0x60, 0x60)
    cam = next(overlay for overlay in viewer.canvas.pointing.shown if overlay.name == "cam")
    assert cam.values[0, 1] > cam.values[0, 0]


def test_without_qts_multimedia_a_sentence_says_so(viewer, qtbot, video, monkeypatch):
    monkeypatch.setitem(sys.modules, "explorer.gui.player", None)
    viewer.show_item(video(), 0.6, 1)
    until(qtbot, lambda: viewer.status.text().startswith("Qt cannot play videos here"))
    asked = []
    viewer.frame_wanted.connect(lambda shot, time_s: asked.append(time_s))
    viewer.video.stills.came()
    viewer.video.seek(1.5)
    assert asked == [1.5]


def test_why_it_does_not_play_stays_to_be_read_and_can_be_tried_again(remote, video, clip, qtbot):
    viewer = remote
    viewer.show_explanation(moving(segment_id(7, 1)))
    assert "is not on this computer" in viewer.status.text()
    assert viewer.status.retry.isVisible()
    viewer.video._item = video(path=os.fsencode(clip))  # it is there again
    viewer.status.retry.click()
    until(qtbot, lambda: viewer.video.plays_itself)
    assert "computer" not in viewer.status.text()
    assert not viewer.status.retry.isVisible()


def test_a_frame_that_never_comes_does_not_hold_up_the_next(remote):
    viewer = remote
    viewer.video.stills.came()
    asked = []
    viewer.frame_wanted.connect(lambda shot, time_s: asked.append(time_s))
    viewer.video.seek(1.2)
    viewer.video.seek(1.6)
    viewer.show_problem("The file is gone.")
    assert asked == [1.2, 1.6]


def test_a_clip_deleted_while_it_plays_is_a_sentence(viewer, qtbot, video, clips, tmp_path):
    path = clips.write(tmp_path / "doomed.mp4")
    viewer.show_item(video(path=os.fsencode(path), name="doomed.mp4"), 0.6, 1)
    until(qtbot, lambda: viewer.video.plays_itself)
    path.unlink()
    until(qtbot, lambda: "“doomed.mp4” is not on this computer" in viewer.status.text())
    assert viewer.canvas.has_picture
    assert not viewer.video.plays_itself
    asked = []
    viewer.frame_wanted.connect(lambda shot, time_s: asked.append(time_s))
    viewer.video.timeline.sought.emit(1.5)
    assert asked == [1.5]


def test_what_was_wrong_with_one_video_is_not_said_of_the_next(remote, qtbot, video):
    remote.show_item(video(modified_at=1.0), 0.5, 2)
    assert "computer" not in remote.status.text()
    until(qtbot, lambda: remote.video.plays_itself)


# --- being light ------------------------------------------------------------------------------------------------------


def test_multimedia_is_not_loaded_for_photos():
    code = (
        "import sys\nfrom PySide6.QtWidgets import QApplication\napp = QApplication([])\n"
        "from explorer.gui.viewer import Viewer\nfrom explorer.gui.viewing import ItemViewing\nviewer = Viewer()\n"
        "assert 'PySide6.QtMultimedia' not in sys.modules\n"
    )
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120, env=environment)


def test_every_control_of_a_video_has_a_name_and_its_place(paused):
    controls = paused.video.controls()
    assert all(control.accessibleName() for control in controls)
    assert all(control.focusPolicy() == Qt.FocusPolicy.StrongFocus for control in controls)
    paused.show_explanation(moving(segment_id(7, 1)))
    chain, widget = [], paused.canvas
    for _ in range(60):
        chain.append(widget)
        widget = widget.nextInFocusChain()
    places = [chain.index(control) for control in controls]
    assert places == sorted(places)
    assert chain.index(paused.layers.boxes[0].check) > places[-1]

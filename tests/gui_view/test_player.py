"""The player on rendered clips: real decoding, no clock in any assertion."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtMultimedia import QAudioDevice, QMediaDevices

from explorer.gui.player import ShotPlayer

LONG_MS = 20_000


class Watched:
    """A player, and what it said."""

    def __init__(self, qtbot, clips):
        self.player, self.qtbot, self.clips = ShotPlayer(), qtbot, clips
        self.frames, self.failures, self.played = [], [], []
        self.player.frame_came.connect(self._take)
        self.player.failed.connect(self.failures.append)
        self.player.playing_changed.connect(self.played.append)

    def _take(self, image, time_s):
        self.frames.append((self.clips.number_in(image), round(time_s, 3)))

    def open(self, path, span=(0.0, 3.0), *, plays=True, at=None):
        self.player.open(os.fsencode(path), span, span[0] if at is None else at, plays=plays)

    def until(self, condition):
        self.qtbot.waitUntil(condition, timeout=LONG_MS)

    def shows(self, number):
        self.until(lambda: bool(self.frames) and self.frames[-1][0] == number)


@pytest.fixture
def watched(qtbot, clips):
    watched = Watched(qtbot, clips)
    yield watched
    watched.player.close()
    watched.player.deleteLater()


def went_back(frames):
    times = [time_s for _, time_s in frames]
    return any(later < earlier for earlier, later in itertools.pairwise(times))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_a_shot_is_played_from_its_start_over_and_over(watched, tmp_path, suffix, clips):
    watched.open(clips.write(tmp_path / f"clip{suffix}"), (1.0, 1.6))
    watched.until(lambda: went_back(watched.frames))
    numbers = [number for number, _ in watched.frames]
    assert numbers[0] == 10
    assert set(numbers) <= set(range(10, 16))
    assert all(time_s == pytest.approx(number / clips.RATE_FPS, abs=0.011) for number, time_s in watched.frames)
    assert watched.player.plays


def test_the_last_shot_is_played_over_and_over_as_well(watched, clip):
    watched.open(clip, (2.6, 3.0))
    watched.until(lambda: went_back(watched.frames))
    assert {number for number, _ in watched.frames} <= {26, 27, 28, 29}


def test_a_shot_of_a_single_frame_stays_on_that_frame(watched, clip):
    watched.open(clip, (1.0, 1.1))
    watched.until(lambda: len(watched.frames) >= 3)
    assert {number for number, _ in watched.frames} == {10}


def test_playing_on_goes_through_the_next_shots_and_ends_with_the_video(watched, clip):
    watched.player.set_loops(False)
    watched.open(clip, (2.0, 2.4))
    watched.until(lambda: watched.played == [True, False])
    assert watched.frames[-1][0] >= 24
    watched.frames.clear()
    watched.player.play()  # from the start of the shot again
    watched.until(lambda: bool(watched.frames))
    assert watched.frames[0][0] == 20


def test_a_clip_that_stands_still_shows_the_frame_it_was_opened_at(watched, clip):
    watched.open(clip, (1.0, 2.0), plays=False, at=1.45)
    watched.shows(14)
    assert not watched.player.plays
    assert watched.player.shows(1.45)
    assert not watched.player.shows(1.5)


def test_seeking_shows_the_frame_of_that_time(watched, clip):
    watched.open(clip, plays=False)
    watched.shows(0)
    for time_s, number in ((1.0, 10), (0.25, 2), (2.999, 29), (2.0, 20), (99.0, 29)):
        watched.player.seek(time_s)
        watched.shows(number)


def test_of_many_times_asked_for_the_last_one_counts(watched, clip):
    watched.open(clip, plays=False)
    watched.shows(0)
    for tenth in range(1, 28):
        watched.player.seek(tenth / 10)
    watched.shows(27)


def test_frames_are_stepped_through_one_by_one_within_the_shot(watched, clip):
    watched.open(clip, (1.0, 1.4), plays=False)
    watched.shows(10)
    for number in (11, 12, 13):
        watched.player.step(1)
        watched.shows(number)
    watched.player.step(1)  # the next shot is another one's
    watched.player.step(-1)
    watched.shows(12)
    for number in (11, 10):
        watched.player.step(-1)
        watched.shows(number)
    watched.player.step(-1)
    watched.player.set_loops(False)
    watched.player.step(-1)
    watched.shows(9)


def test_stepping_stops_what_plays(watched, clip):
    watched.open(clip)
    watched.until(lambda: bool(watched.frames))
    watched.player.step(1)
    assert not watched.player.plays
    assert watched.played == [True, False]


def test_another_shot_of_the_same_file_needs_no_loading(watched, clip):
    watched.open(clip, (0.0, 0.4))
    watched.until(lambda: bool(watched.frames))
    watched.player.set_span((2.0, 2.4))
    watched.player.seek(2.0)
    watched.shows(20)
    watched.frames.clear()
    watched.until(lambda: went_back(watched.frames))
    assert {number for number, _ in watched.frames} <= {20, 21, 22, 23}


# --- what cannot be played --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"only text " * 200, b"\0\0\0\x18ftypmp42" + bytes(300)])
def test_a_file_that_is_no_video_is_told_in_a_sentence(watched, tmp_path, content):
    path = tmp_path / "holiday.mp4"
    path.write_bytes(content)
    watched.open(path)
    watched.until(lambda: bool(watched.failures))
    assert watched.failures == [
        "“holiday.mp4” cannot be played here. Drag along the timeline to see single frames."]
    assert not watched.player.is_open
    assert watched.frames == []


def test_a_file_that_is_not_there_is_told_at_once(watched, tmp_path):
    watched.open(tmp_path / "gone.mp4")
    assert watched.failures == [
        "“gone.mp4” is not on this computer. Single frames are shown as far as the engine has them."]
    watched.player.play()
    watched.player.seek(1.0)
    assert not watched.player.plays


def test_a_file_that_is_deleted_while_it_plays_is_told_once(watched, tmp_path, clips):
    path = clips.write(tmp_path / "clip.mp4")
    watched.open(path, (0.0, 0.5))
    watched.until(lambda: bool(watched.frames))
    path.unlink()
    watched.until(lambda: bool(watched.failures))
    assert watched.failures[0].startswith("“clip.mp4” is not on this computer.")
    assert watched.played[-1] is False
    n_frames = len(watched.frames)
    watched.qtbot.wait(300)
    assert len(watched.failures) == 1
    assert len(watched.frames) == n_frames


def test_a_file_that_became_shorter_is_told(watched, clip):
    watched.open(clip, (60.0, 63.0))
    watched.until(lambda: bool(watched.failures))
    assert watched.failures == ["“clip.mp4” is shorter than it was when it was indexed. Look for changes (F5)."]


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are text there")
def test_a_name_that_is_not_utf_8_is_no_obstacle(watched, tmp_path, clip):
    path = os.fsencode(tmp_path) + b"/sommer\xff #1 100%.mp4"
    with open(path, "wb") as stream:
        stream.write(clip.read_bytes())
    watched.open(path, (1.0, 1.5))
    watched.until(lambda: bool(watched.frames))
    assert watched.frames[0][0] == 10


def test_sound_needs_something_to_be_heard_with(watched, monkeypatch):
    monkeypatch.setattr(QMediaDevices, "defaultAudioOutput", staticmethod(QAudioDevice))
    assert not watched.player.sound.set_muted(False)
    assert watched.player.sound.set_muted(True)
    assert not watched.player.sound.is_open


# --- noise ------------------------------------------------------------------------------------------------------------

PLAY_QUIETLY = """
import sys
from PySide6.QtWidgets import QApplication
app = QApplication([])
from explorer.gui.player_noise import silence
silence()
from explorer.gui.player import ShotPlayer
player, seen = ShotPlayer(), []
player.set_loops(False)
player.frame_came.connect(lambda image, time_s: seen.append(time_s))
player.playing_changed.connect(lambda plays: None if plays else app.quit())
player.failed.connect(app.quit)
player.open(sys.argv[1].encode(), (0.0, 3.0), 0.0, plays=True)
app.exec()
print(len(seen))
"""


@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_a_damaged_file_makes_no_noise(tmp_path, suffix, clips):
    path = clips.write(tmp_path / f"clip{suffix}")
    content = bytearray(path.read_bytes())
    begin = content.find(b"mdat" if suffix == ".mp4" else b"movi") + 200
    for place in range(begin, begin + 1200, 7):
        content[place] ^= 0x5A
    path.write_bytes(content)
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run(
        [sys.executable, "-c", PLAY_QUIETLY, str(path)], capture_output=True, text=True, timeout=120, env=environment,
        check=False,
    )
    assert ended.returncode == 0
    assert ended.stderr == ""

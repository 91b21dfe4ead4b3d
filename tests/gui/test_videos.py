"""Videos in the window: how they are counted, all moments of them or the best, and searching with them."""

import os
from dataclasses import replace

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDrag, QDragEnterEvent, QDragMoveEvent, QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from explorer.engine.requests import Kind
from explorer.gui.figure_offer import FigureChoice, spec_of
from explorer.gui.image_query import FILE_KINDS, VIDEO_ENDINGS, Folders, Refusal, Sentence, VideoFile, read_mime
from explorer.media.item import is_supported
from explorer.settings import SearchSettings, Settings, write_settings


def test_every_moment_is_a_choice_where_there_are_videos(open_window, until):
    window, _ = open_window("--items", 20, "--videos", 4, "--shots", 3)
    assert window.pane.count_label.text() == "16 photos, 4 videos"
    assert "16 photos, 4 videos" in window.status.label.text()
    assert window.pane.moments.isHidden()  # nothing is ranked
    window.query.edit.setText("a dog")
    window.query.search_now()
    until(lambda: window.pane.count_label.text() == "20 results")
    assert not window.pane.moments.isHidden()
    assert not window.pane.moments.isChecked()
    window.pane.moments.click()
    until(lambda: window.pane.count_label.text() == "28 results")
    assert window.settings().search.every_moment
    QTest.keyClick(window, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
    until(lambda: window.pane.count_label.text() == "20 results")
    window.commands.show_everything()
    until(lambda: window.pane.count_label.text() == "16 photos, 4 videos")
    assert window.pane.moments.isHidden()
    QTest.keyClick(window, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
    assert not window.pane.moments.isChecked()  # there is nothing to choose


def test_every_moment_is_remembered(open_window, until, tmp_path):
    write_settings(tmp_path / "settings.toml", Settings(search=SearchSettings(every_moment=True)))
    window, _ = open_window("--items", 20, "--videos", 4, "--shots", 3)
    assert window.pane.moments.isChecked()
    window.query.edit.setText("a dog")
    window.query.search_now()
    until(lambda: window.pane.count_label.text() == "28 results")


def test_without_videos_there_are_no_moments(open_window, until):
    window, _ = open_window("--items", 20)
    window.query.edit.setText("a dog")
    window.query.search_now()
    until(lambda: window.pane.count_label.text() == "20 results")
    assert window.pane.moments.isHidden()


# --- searching with a video -------------------------------------------------------------------------------------------

NO_BUTTON, NO_KEY = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier


def video_file(path):
    path.write_bytes(b"not read by the window")
    return path


def files(*paths):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


def words(text):
    mime = QMimeData()
    mime.setText(text)
    return mime


def drop(window, mime, place=None):
    """Enter, move and let go there; whether it was taken."""
    place = QPointF(400, 300) if place is None else QPointF(place)
    entered = QDragEnterEvent(place.toPoint(), Qt.DropAction.CopyAction, mime, NO_BUTTON, NO_KEY)
    entered.setAccepted(False)
    QApplication.sendEvent(window, entered)
    moved = QDragMoveEvent(place.toPoint(), Qt.DropAction.CopyAction, mime, NO_BUTTON, NO_KEY)
    QApplication.sendEvent(window, moved)
    dropped = QDropEvent(place, Qt.DropAction.CopyAction, mime, NO_BUTTON, NO_KEY)
    dropped.setAccepted(False)
    QApplication.sendEvent(window, dropped)
    return entered.isAccepted() and moved.isAccepted() and dropped.isAccepted()


def searched(controller):
    return controller.session.query is not None and not controller.session.searching


@pytest.mark.parametrize("name", ["clip.avi", "clip.MP4", "a film, 2.mkv", "clip.mov", "clip.webm", "clip.m4v"])
def test_a_dropped_video_is_searched_with_words_and_all(open_window, until, tmp_path, name):
    window, controller = open_window("--items", 12, "--videos", 4)
    path = video_file(tmp_path / name)
    window.query.edit.setText("at night")
    assert drop(window, files(path))
    until(lambda: searched(controller))
    assert controller.session.query.video_path == os.fsencode(path)
    assert controller.session.query.image_path is None
    assert controller.session.query.text == "at night"
    assert window.query.chip.isVisible()
    until(lambda: window.query.chip.has_picture)
    assert name in window.query.chip.accessibleName()
    assert "video" in window.query.chip.accessibleName()
    window.query.chip.removed.emit()
    until(lambda: searched(controller) and controller.session.query.video_path is None)
    assert controller.session.query.text == "at night"


def test_a_video_without_a_picture_keeps_its_glyph(open_window, until, tmp_path):
    window, controller = open_window("--items", 12, "--videos", 4)
    drop(window, files(video_file(tmp_path / "broken.mp4")))
    until(lambda: searched(controller) and not controller.session.line.under_way(Kind.POSTER))
    assert window.query.chip.isVisible()
    assert not window.query.chip.has_picture
    assert not window.query.chip.grab().isNull()
    assert window.pane.notices.shown is None


def test_a_late_picture_is_not_given_to_what_took_its_place(open_window, until, tmp_path):
    window, controller = open_window("--items", 12, "--videos", 4)
    drop(window, files(video_file(tmp_path / "clip.mp4")))
    window.query.set_item(3, "another")
    until(lambda: searched(controller) and not controller.session.line.under_way(Kind.POSTER))
    assert window.query.chip.toolTip() == "another"
    assert not window.query.chip.has_picture


def test_the_window_knows_the_videos_that_the_engine_knows():
    assert all(is_supported(f"clip.{ending}") for ending in VIDEO_ENDINGS)
    assert all(f"*.{ending} " in FILE_KINDS.replace(")", " ") for ending in VIDEO_ENDINGS)


def test_a_path_or_an_address_that_was_copied_as_text_is_its_file(tmp_path):
    path = video_file(tmp_path / "a clip.mp4")
    for text in (str(path), f'"{path}"', f"  {path}\n", QUrl.fromLocalFile(str(path)).toString(), path.as_uri()):
        assert read_mime(words(text)) == VideoFile(path=os.fsencode(path), name="a clip.mp4"), text
    assert read_mime(words(str(tmp_path))) == Folders(paths=(os.fsencode(tmp_path),))
    gone = str(tmp_path / "gone.mp4")
    assert read_mime(words(gone)) == Sentence(text=gone)
    assert read_mime(words("a dog / a cat")) == Sentence(text="a dog / a cat")
    refused = read_mime(words("https://example.org/clip.mp4"))
    assert isinstance(refused, Refusal)
    assert "save the video" in refused.text


def test_a_pasted_path_is_searched_with(open_window, until, tmp_path):
    window, controller = open_window("--items", 12, "--videos", 4)
    path = video_file(tmp_path / "clip.mkv")
    QGuiApplication.clipboard().setText(str(path))
    window.query.edit.setFocus()
    QTest.keyClick(window.query.edit, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    until(lambda: searched(controller))
    assert controller.session.query.video_path == os.fsencode(path)
    assert window.query.edit.text() == ""


def test_an_empty_video_is_refused_in_a_sentence(open_window, until, tmp_path):
    window, controller = open_window("--items", 12, "--videos", 4)
    (tmp_path / "clip.mp4").write_bytes(b"")
    drop(window, files(tmp_path / "clip.mp4"))
    until(lambda: window.pane.notices.shown is not None)
    assert window.pane.notices.shown.text == "“clip.mp4” is empty."
    assert controller.session.query is None


def test_the_sentences_of_a_library_are_ranked_for_a_video_too(open_window, until, tmp_path):
    window, _ = open_window("--items", 12, "--videos", 4, "--sentences", 40)
    drop(window, files(video_file(tmp_path / "clip.mp4")))
    until(lambda: window.best_sentences.isVisible() and window.best_sentences.list.rows.sentences)


# --- searching with a result ------------------------------------------------------------------------------------------


@pytest.fixture
def with_shots(open_window, until):
    """Every moment of a library with videos, ranked; the row of a shot that is not a first one, described."""
    window, controller = open_window("--items", 12, "--videos", 6, "--shots", 3)
    window.query.edit.setText("a dog")
    window.query.search_now()
    window.pane.moments.click()
    until(lambda: searched(controller) and window.pane.grid._item_ids.size == 24)
    grid = window.pane.grid
    row = next(i for i, each in enumerate(grid._item_ids.tolist()) if each >> 40)
    item_id = int(grid._item_ids[row])
    until(lambda: item_id in grid._descriptions and grid.thumbnail(item_id))
    return window, controller, row, item_id


def copied(mime):
    """The same for a drop: Qt deletes what was dragged."""
    copy = QMimeData()
    for form in mime.formats():
        copy.setData(form, mime.data(form))
    return copy


def test_a_shot_dragged_onto_the_query_is_searched_with(with_shots, until, monkeypatch):
    window, controller, row, item_id = with_shots
    taken = []
    monkeypatch.setattr(QDrag, "exec", lambda drag, *_: taken.append(copied(drag.mimeData())))
    grid = window.pane.grid
    place = grid.cell_rect(row).center()
    QTest.mousePress(grid.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseMove(grid.viewport(), place + QPoint(2, 0))
    assert not taken  # a hand is not that quiet
    QTest.mouseMove(grid.viewport(), place + QPoint(40, -40))
    QTest.mouseRelease(grid.viewport(), Qt.MouseButton.LeftButton, pos=place + QPoint(40, -40))
    assert len(taken) == 1
    bar = window.query.mapTo(window, window.query.rect().center())
    assert not drop(window, taken[0], grid.mapTo(window, QPoint(30, 30)))  # let go where it came from
    assert controller.session.query.text == "a dog"
    assert drop(window, taken[0], bar)
    until(lambda: controller.session.query.image_item_id == item_id)
    name = window.query.chip.toolTip()
    assert name.startswith("clip ")
    assert name.endswith((" 0:02", " 0:04"))
    assert window.query.chip.has_picture
    assert window.drops.frame.isHidden()


def test_a_result_of_another_window_is_not_taken_for_one_of_this_library(with_shots, monkeypatch):
    window, controller, row, _ = with_shots
    taken = []
    monkeypatch.setattr(QDrag, "exec", lambda drag, *_: taken.append(copied(drag.mimeData())))
    window.pane.grid._drag(row)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert read_mime(taken[0]) is None
    assert not drop(window, taken[0], window.query.mapTo(window, window.query.rect().center()))
    assert controller.session.query.text == "a dog"


@pytest.mark.parametrize(("moves", "wording"), [(True, "Search with this shot"), (False, "Search with this image")])
def test_the_menu_names_what_is_searched_with(with_shots, until, moves, wording):
    window, controller, row, _ = with_shots
    grid = window.pane.grid
    if not moves:
        row = next(i for i, each in enumerate(grid._item_ids.tolist()) if each <= 6)
    grid.select_row(row)
    item_id, _ = grid.current_item()
    until(lambda: window.viewing.known(item_id) is not None)
    grid.menu_requested.emit(item_id, QPoint(5, 5))
    menu = next(each for each in grid.findChildren(QMenu) if each.isVisible())
    assert menu.actions()[0].text() == wording
    menu.actions()[0].trigger()
    until(lambda: controller.session.query.image_item_id == item_id)
    assert ("video" in window.query.chip.accessibleName()) is moves
    menu.close()


# --- figures ----------------------------------------------------------------------------------------------------------


def test_a_figure_of_a_shot_is_of_the_frame_that_is_shown(with_shots, until):
    window, _, row, item_id = with_shots
    window.pane.grid.select_row(row)
    until(lambda: window.viewing.shown == item_id and window.viewer.layers.overlays())
    start_s, end_s = window.viewing.known(item_id).start_s, window.viewing.known(item_id).end_s
    offer = window.figures.offer()
    assert offer.every_moment
    assert start_s <= offer.time_s <= end_s
    choice = FigureChoice(kind="shown", chosen=(0,))
    assert spec_of(offer, choice).time_s == offer.time_s
    assert spec_of(offer, choice).item_ids == (item_id,)
    assert spec_of(offer, replace(choice, kind="grid")).time_s is None  # every one at its best
    assert spec_of(offer, replace(choice, kind="grid")).every_moment


def test_a_figure_of_a_photo_has_no_moment(with_shots, until):
    window, _, _, _ = with_shots
    row = next(i for i, each in enumerate(window.pane.grid._item_ids.tolist()) if each <= 6)
    window.pane.grid.select_row(row)
    until(lambda: window.viewing.shown == window.pane.grid.current_item()[0])
    assert window.figures.offer().time_s is None

"""The window as a whole, on a fake engine: what a person does and what is then seen."""

import os
import re
import signal

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QSlider,
    QWidget,
)

from explorer.engine.health import EngineStatus
from explorer.gui.errors_dialog import ErrorsDialog
from explorer.gui.image_query import Folders
from explorer.gui.keys import KEYS, Command
from explorer.gui.keys_dialog import KeysDialog
from explorer.gui.notices import Topic
from explorer.gui.pages import Step


def engine_pid(controller):
    return controller._link._worker._process.pid


def shown_sentences(window):
    notice = window.pane.notices.shown
    return notice.text if notice else ""


def ids(controller):
    return controller.session.ranking.item_ids


# --- searching --------------------------------------------------------------------------------------------------------


def test_first_everything_is_shown_then_enter_ranks(open_window, until, qtbot):
    window, controller = open_window("--items", 50)
    assert window.pane.count_label.text() == "50 photos"
    assert not window.pane.score_slider.isVisible()
    qtbot.keyClicks(window.query.edit, "a dog")
    qtbot.keyClick(window.query.edit, Qt.Key.Key_Return)
    until(lambda: controller.session.ranking.query is not None and not controller.session.searching)
    assert window.pane.count_label.text() == "50 results"
    assert controller.session.ranking.query.text == "a dog"
    assert re.search(r"· (\d+ ms|\d+\.\d s)$", window.status.label.text())  # whatever the machine's pace
    assert window.status.label.text().startswith("3shnet-flickr8k · CPU · 50 photos · ")


def test_a_pause_in_typing_searches_once(open_window, until, qtbot):
    window, _ = open_window()
    pause = window.query._pause
    pause.setInterval(60_000)  # a busy machine must not make a pause where the test makes none
    asked, started = [], []
    window.query.searched.connect(asked.append)
    for letter in "a red boat":
        qtbot.keyClick(window.query.edit, letter)
        started.append(pause.remainingTime())
    assert asked == []
    assert pause.isActive()
    assert pause.isSingleShot()
    assert min(started) > 50_000  # each letter starts it anew
    pause.setInterval(1)
    until(lambda: asked)
    assert not pause.isActive()
    assert [query.text for query in asked] == ["a red boat"]


def test_the_pause_in_typing_is_three_tenths_of_a_second(open_window):
    window, _ = open_window()
    assert window.query._pause.interval() == 300


def test_enter_flushes_the_pause(open_window, qtbot):
    window, _ = open_window()
    asked = []
    window.query.searched.connect(asked.append)
    qtbot.keyClicks(window.query.edit, "boat")
    qtbot.keyClick(window.query.edit, Qt.Key.Key_Return)
    assert [query.text for query in asked] == ["boat"]
    qtbot.wait(400)
    assert len(asked) == 1


def test_old_results_stay_and_late_ones_are_dropped(open_window, until, qtbot):
    window, controller = open_window("--ignore-cancel")
    everything = ids(controller)
    seen = []
    controller.ranking_changed.connect(lambda ranking: seen.append(ranking.query.text))
    window.query.edit.setText("slow one")
    window.query.search_now()
    assert ids(controller) == everything  # nothing was taken away
    until(lambda: window.busy.moving)
    assert ids(controller) == everything
    window.query.edit.setText("quick one")
    window.query.search_now()
    until(lambda: not controller.session.searching)
    assert seen == ["quick one"]
    assert not window.busy.moving
    qtbot.wait(100)
    assert seen == ["quick one"]


def test_the_busy_line_shows_only_after_some_patience(open_window, until):
    window, controller = open_window("--search-ms", 1)
    assert window.busy._patience.interval() >= 100
    window.busy._patience.setInterval(60_000)  # however slow the machine is, this search is quicker
    moved = []
    window.busy._patience.timeout.connect(lambda: moved.append(1))
    window.query.edit.setText("quick")
    window.query.search_now()
    assert window.busy._patience.isActive()
    until(lambda: not controller.session.searching)
    assert moved == []
    assert not window.busy._patience.isActive()


@pytest.mark.parametrize(
    "text",
    [
        "🦜" * 30, "собака прыгает через бревно", "犬が丸太を飛び越える", "كلب يقفز", "x" * 10_000, "  a \n b\t c ",
        "\ud83d half",
    ],
    ids=["emoji", "cyrillic", "japanese", "arabic", "ten thousand", "white space", "half a character"],
)
def test_queries_in_any_script_and_length(open_window, until, text):
    window, controller = open_window()
    window.query.edit.setText(text)
    window.query.search_now()
    until(lambda: controller.session.query is not None and not controller.session.searching)
    assert controller.session.ranking_problem is None
    assert len(ids(controller)) == 40 * 8


def test_a_query_of_nothing_shows_everything(open_window, until):
    window, controller = open_window()
    window.query.edit.setText("   ")
    window.query.search_now()
    until(lambda: not controller.session.searching)
    assert controller.session.query is None
    assert window.pane.count_label.text() == "40 photos"


def test_nothing_found_says_so_and_leads_back(open_window, until):
    window, controller = open_window()
    window.query.edit.setText("none of these")
    window.query.search_now()
    until(lambda: window.pane.stack.currentWidget() is window.pane.page and not controller.session.searching)
    assert window.pane.page.page.title == "Nothing was found."
    window.commands.take_page_step(Step.SHOW_EVERYTHING)
    until(lambda: window.pane.stack.currentWidget() is window.pane.grid)
    assert window.query.edit.text() == ""


def test_a_refused_query_is_one_sentence_beside_the_old_results(open_window, until):
    window, _ = open_window()
    window.query.edit.setText("fail at this")
    window.query.search_now()
    until(lambda: window.pane.notices.shown is not None)
    assert shown_sentences(window) == "This cannot be searched for. Use other words."
    assert window.pane.stack.currentWidget() is window.pane.grid
    window.query.edit.setText("a dog")
    window.query.search_now()
    assert window.pane.notices.shown is None  # it was about the last query


# --- pictures as queries ----------------------------------------------------------------------------------------------


def picture(path, colour="orange"):
    image = QImage(64, 48, QImage.Format.Format_RGB32)
    image.fill(QColor(colour))
    assert image.save(str(path))
    return path


def drop(widget, mime):
    at = QPoint(widget.width() // 2, widget.height() // 2)
    actions, buttons, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(at, actions, mime, buttons, keys)
    QGuiApplication.sendEvent(widget, enter)
    if enter.isAccepted():
        QGuiApplication.sendEvent(widget, QDropEvent(QPointF(at), actions, mime, buttons, keys))
    return enter.isAccepted()


def mime_of_files(*paths):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


def test_a_dropped_photo_is_searched_with_and_can_be_removed(open_window, until, tmp_path):
    window, controller = open_window()
    path = picture(tmp_path / "a parrot, 1.png")
    assert drop(window, mime_of_files(path))
    until(lambda: controller.session.query is not None and not controller.session.searching)
    assert controller.session.query.image_path == os.fsencode(path)
    assert window.query.chip.isVisible()
    until(lambda: window.query.chip.has_picture)
    window.query.chip.removed.emit()
    until(lambda: not controller.session.searching)
    assert controller.session.query is None
    assert not window.query.chip.isVisible()


def test_words_and_photo_go_together(open_window, until, tmp_path):
    window, controller = open_window()
    window.query.edit.setText("at night")
    drop(window, mime_of_files(picture(tmp_path / "p.png")))
    until(lambda: controller.session.query is not None and not controller.session.searching)
    assert controller.session.query.text == "at night"
    assert controller.session.query.image_path


def test_a_pasted_bitmap_travels_as_bytes(open_window, until, qtbot):
    window, controller = open_window()
    image = QImage(300, 200, QImage.Format.Format_RGB32)
    image.fill(QColor("teal"))
    QGuiApplication.clipboard().setImage(image)
    qtbot.keyClick(window.query.edit, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    until(lambda: controller.session.query is not None and not controller.session.searching)
    sent = QImage.fromData(controller.session.query.image_bytes)
    assert (sent.width(), sent.height()) == (300, 200)
    assert window.query.chip.has_picture
    QGuiApplication.clipboard().clear()


def test_pasted_words_are_pasted_as_words(open_window, qtbot):
    window, _ = open_window()
    QGuiApplication.clipboard().setText("a quiet lake")
    qtbot.keyClick(window.query.edit, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert window.query.edit.text() == "a quiet lake"
    QGuiApplication.clipboard().clear()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("notes.txt", b"just words", "neither a picture nor a video"),
        ("empty.jpg", b"", "is empty"),
        ("gone.jpg", None, "is not there any more"),
    ],
)
def test_what_is_no_picture_is_one_sentence(open_window, qtbot, tmp_path, name, content, sentence):
    window, controller = open_window()
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    drop(window, mime_of_files(path))
    assert sentence in shown_sentences(window)
    assert controller.session.query is None
    assert not window.query.chip.isVisible()


def test_a_damaged_photo_is_left_to_the_engine_without_noise(open_window, until, tmp_path):
    window, controller = open_window()
    path = tmp_path / "damaged.jpg"
    path.write_bytes(b"\xff\xd8\xff\xe0 not a jpeg at all")
    drop(window, mime_of_files(path))
    until(lambda: controller.session.query is not None and not controller.session.searching)
    assert controller.session.query.image_path == os.fsencode(path)
    assert window.query.chip.isVisible()
    assert not window.query.chip.has_picture


def test_a_dropped_folder_is_added(open_window, until, tmp_path):
    window, controller = open_window()
    folder = tmp_path / "more photos"
    folder.mkdir()
    assert drop(window, mime_of_files(folder))
    until(lambda: controller.session.library.n_items == 70)
    assert window.panel.sources.count() == 2


def test_dropped_words_are_searched_for(open_window, until):
    window, controller = open_window()
    mime = QMimeData()
    mime.setText("a dog\non a beach")
    drop(window, mime)
    until(lambda: controller.session.query is not None and not controller.session.searching)
    assert controller.session.query.text == "a dog on a beach"


def test_search_with_a_result(open_window, until):
    window, controller = open_window()
    window.pane.grid.select_row(3)
    until(lambda: window.viewing._shown == 4)
    window.viewing.search_with(4)
    until(lambda: controller.session.query is not None and not controller.session.searching)
    assert controller.session.query.image_item_id == 4
    assert window.query.chip.isVisible()
    assert window.query.edit.text() == ""


# --- the library ------------------------------------------------------------------------------------------------------


def test_first_start_offers_to_add_a_folder(open_window, until, tmp_path):
    window, controller = open_window("--items", 0)
    page = window.pane.page
    assert window.pane.stack.currentWidget() is page
    assert page.page.title == "Add a folder of photos and videos to begin."
    button = next(b for b in page.findChildren(QPushButton) if b.isVisible())
    assert button.text() == "Add a folder…"
    assert window.viewer.isHidden()
    window.commands.add_folder(str(tmp_path))
    until(lambda: controller.session.indexing is None and controller.session.library.n_items == 30)
    until(lambda: window.pane.count_label.text() == "30 photos")
    assert window.pane.stack.currentWidget() is window.pane.grid
    assert not window.viewer.isHidden()


def test_progress_says_how_far_how_fast_and_how_long(open_window, until, tmp_path):
    window, controller = open_window("--items", 0, "--n-found", 2000, "--rate", 500)
    window.commands.add_folder(str(tmp_path))
    activity = window.panel.activity
    until(lambda: activity.isVisible() and " of 2,000" in activity._numbers.text().replace("\u00a0", " "))
    until(lambda: "a second" in activity._numbers.text().replace("\u00a0", " "))
    assert "left" in activity._numbers.text()
    assert activity._share.text().endswith("%")
    controller.stop_indexing()


def test_photos_appear_while_they_are_indexed(open_window, until, tmp_path):
    window, controller = open_window("--items", 0, "--n-found", 4000, "--rate", 400)
    window.commands.add_folder(str(tmp_path))
    until(lambda: window.pane.n_shown > 0, 8)
    assert controller.session.indexing is not None
    controller.stop_indexing()


def test_stopping_says_so_and_keeps_what_is_done(open_window, until, tmp_path):
    window, controller = open_window("--items", 0, "--n-found", 5000, "--rate", 500)
    window.commands.add_folder(str(tmp_path))
    until(lambda: controller.session.indexing.progress and controller.session.indexing.progress.n_done > 20)
    window.panel.activity._stop.click()
    assert window.panel.activity._stop.text() == "Stopping…"
    assert not window.panel.activity._stop.isEnabled()
    until(lambda: controller.session.indexing is None)
    until(lambda: window.pane.n_shown > 0)


def test_an_engine_that_does_not_stop_is_started_again(open_window, until, tmp_path):
    window, controller = open_window("--n-found", 100_000, "--rate", 500, "--ignore-cancel")
    window.commands.add_folder(str(tmp_path))
    until(lambda: controller.session.indexing.progress is not None)
    window.panel.activity._stop.click()
    until(lambda: controller.session.indexing is None)
    assert "stopped" in shown_sentences(window)
    until(lambda: controller.session.engine.status is EngineStatus.READY)


def test_folders_given_while_indexing_wait_their_turn(open_window, until, tmp_path):
    window, controller = open_window("--items", 0, "--rate", 100)
    for name in ("one", "two", "three"):
        window.commands.add_folder(str(tmp_path / name))
    until(lambda: controller.session.indexing is None and not controller.session.waiting and
          controller.session.library is not None and len(controller.session.library.sources) == 3)


def test_a_refused_folder_is_one_sentence(open_window, until, tmp_path):
    window, controller = open_window()
    window.commands.add_folder(str(tmp_path / "refused"))
    until(lambda: window.pane.notices.shown is not None)
    assert shown_sentences(window) == "The folder refused cannot be read. Check that it is there."
    assert controller.session.indexing is None


def test_removing_a_folder(open_window, until):
    window, controller = open_window()
    window.panel.remove_confirmed.emit(1)
    until(lambda: controller.session.library.n_items == 0)
    until(lambda: window.pane.stack.currentWidget() is window.pane.page)
    assert window.pane.page.page.steps[0] is Step.ADD_FOLDER


def test_unreadable_files_are_listed_and_can_be_copied(open_window, until):
    window, _ = open_window("--errors", 12)
    assert window.panel.errors_button.text() == "12 files could not be read"
    window.panel.errors_button.click()
    until(lambda: window.findChildren(ErrorsDialog))
    dialog = window.findChildren(ErrorsDialog)[0]
    dialog.copy_button.click()
    copied = QGuiApplication.clipboard().text().splitlines()
    assert len(copied) == 12
    assert copied[3] == "/photos/broken 3.jpg\tThe file ends in the middle of the picture."
    dialog.table.selectRow(2)
    dialog.copy_selected()
    assert QGuiApplication.clipboard().text().startswith("/photos/broken 2.jpg\t")
    dialog.close()
    QGuiApplication.clipboard().clear()


def test_read_only_library_can_be_searched_not_changed(open_window, until, tmp_path):
    window, controller = open_window("--read-only")
    assert "cannot be written to" in shown_sentences(window)
    assert not window.panel.add_button.isEnabled()
    window.commands.take_drop(Folders(paths=(b"/x",)))
    assert controller.session.indexing is None
    window.query.edit.setText("a dog")
    window.query.search_now()
    until(lambda: controller.session.ranking.query is not None)


@pytest.mark.parametrize(
    "problem",
    ["LibraryBusyError: Another program is writing to this library.", "LibraryTooNewError: A newer version wrote it."],
)
def test_a_library_that_cannot_be_opened_says_why_and_what_next(open_window, until, problem):
    window, controller = open_window("--open-error", problem, wait=False)
    until(lambda: controller.session.library_problem is not None)
    page = window.pane.page.page
    assert page.title == problem.partition(": ")[2]
    assert page.steps == (Step.TRY_LIBRARY_AGAIN, Step.OPEN_LIBRARY)
    window.commands.take_page_step(Step.TRY_LIBRARY_AGAIN)
    until(lambda: controller.session.library_problem is not None)


def test_a_model_that_has_not_seen_the_photos_offers_to_index_them(open_window, until):
    window, _ = open_window()
    window.models.model_chosen.emit("pooled-lite0")
    window.query.edit.setText("a dog")
    window.query.search_now()
    until(lambda: window.pane.page.page is not None and Step.INDEX_NOW in window.pane.page.page.steps)
    assert "pooled-lite0" in window.pane.page.page.title
    window.commands.take_page_step(Step.INDEX_NOW)
    until(lambda: window.pane.stack.currentWidget() is window.pane.grid and window.pane.n_shown == 40)


def test_damaged_models_are_listed_but_cannot_be_chosen(open_window):
    window, _ = open_window()
    assert [window.models.itemText(i) for i in range(3)] == ["3SHNet, Flickr8k", "Pooled features", "Broken package"]
    assert not window.models.model().item(2).isEnabled()
    assert "do not match the hash" in window.models.model().item(2).toolTip()


def test_without_a_model_photos_are_shown_and_the_rest_is_said(open_window, until):
    window, controller = open_window("--no-models", wait=False)
    until(lambda: controller.session.ranking is not None and controller.session.models_known)
    assert window.pane.count_label.text() == "40 photos"
    assert not window.models.isEnabled()
    window.commands.add_folder("/somewhere")
    assert "no model" in shown_sentences(window)


def test_photos_a_model_has_not_seen_are_said_to_be_left_out(open_window, until, tmp_path):
    window, controller = open_window()
    window.models.model_chosen.emit("pooled-lite0")
    controller.rescan()
    until(lambda: controller.session.indexing is None and "pooled-lite0" in controller.session.library.n_indexed)
    window.models.model_chosen.emit("3shnet-flickr8k")
    controller.session.library = None
    controller.add_folders([b"/more"])
    until(lambda: controller.session.indexing is None and controller.session.library.n_items == 70)
    window.models.model_chosen.emit("pooled-lite0")
    until(lambda: controller.session.model_ready)
    window.query.edit.setText("a dog")
    window.query.search_now()
    until(lambda: window.pane.notices.shown is not None and "left out" in shown_sentences(window))
    assert shown_sentences(window) == "30 photos are left out: this model has not seen them yet."
    window.pane.notices._step.click()
    until(lambda: window.pane.n_shown == 70)


def test_what_is_being_read_does_not_move(open_window, until, tmp_path):
    window, controller = open_window()
    window.pane.grid.select_row(5)
    window.commands.add_folder(str(tmp_path))
    until(lambda: controller.session.indexing is None and controller.session.library.n_items == 70)
    until(lambda: window.pane.notices.shown is not None)
    assert shown_sentences(window) == "The library has changed since this was shown."
    assert window.pane.n_shown == 40
    window.pane.notices._step.click()
    until(lambda: window.pane.n_shown == 70)


# --- the engine -------------------------------------------------------------------------------------------------------


def test_a_killed_engine_is_started_again_and_says_so(open_window, until):
    window, controller = open_window()
    before, shown = engine_pid(controller), ids(controller)
    sentences = []
    controller.noticed.connect(lambda notice: sentences.append(notice.text))
    os.kill(before, signal.SIGKILL)
    until(lambda: controller.session.engine.status is EngineStatus.RESTARTING)
    assert ids(controller) == shown  # the results stay
    until(lambda: controller.session.model_ready and controller.session.library is not None and
          controller.session.engine.status is EngineStatus.READY)
    assert engine_pid(controller) != before
    assert sentences[0] == "The engine stopped and is being started again. Nothing is lost."
    until(lambda: len(sentences) > 1)
    assert sentences[1] == "The engine was started again."
    window.query.edit.setText("a dog")
    window.query.search_now()
    until(lambda: controller.session.ranking.query is not None)


def test_indexing_goes_on_after_the_engine_was_killed(open_window, until, tmp_path):
    window, controller = open_window("--items", 0, "--n-found", 300, "--rate", 300)
    window.commands.add_folder(str(tmp_path))
    until(lambda: controller.session.indexing.progress and controller.session.indexing.progress.n_done > 50)
    os.kill(engine_pid(controller), signal.SIGKILL)
    until(lambda: controller.session.engine.status is EngineStatus.RESTARTING)
    assert controller.session.indexing is not None
    until(lambda: controller.session.indexing is None)
    assert controller.session.library.n_items == 300


def test_a_query_that_kills_the_engine_is_given_up(open_window, until):
    window, controller = open_window()
    window.query.edit.setText("crash")
    window.query.search_now()
    until(lambda: controller.session.ranking_problem is not None)
    until(lambda: controller.session.engine.status is EngineStatus.READY and controller.session.model_ready)
    assert "stopped 2 times" in controller.session.ranking_problem.message
    window.query.edit.setText("a dog")
    window.query.search_now()
    until(lambda: controller.session.ranking.query is not None and controller.session.ranking.query.text == "a dog")


def test_an_engine_that_cannot_start_is_given_up_with_its_reason(open_window, until):
    window, controller = open_window("--die", wait=False)
    until(lambda: controller.session.engine.status is EngineStatus.STOPPED)
    page = window.pane.page.page
    assert page.title == "The engine keeps stopping."
    assert "No module named 'torch'" in page.text
    assert page.steps == (Step.START_ENGINE, Step.COPY_DETAILS)
    window.commands.take_page_step(Step.COPY_DETAILS)
    assert "status 3" in QGuiApplication.clipboard().text()
    QGuiApplication.clipboard().clear()
    window.commands.take_page_step(Step.START_ENGINE)
    assert controller.session.engine.status is EngineStatus.STARTING
    until(lambda: controller.session.engine.status is EngineStatus.STOPPED)


def test_an_engine_of_another_version_is_refused(open_window, until):
    window, controller = open_window("--protocol-version", 99, wait=False)
    until(lambda: controller.session.engine.status is EngineStatus.STOPPED)
    assert "version 99" in window.pane.page.page.title


def test_an_engine_that_prints_nonsense_is_ended(open_window, until):
    _, controller = open_window("--garbage", wait=False)
    until(lambda: controller.session.engine.status is EngineStatus.STOPPED)
    assert "not in the expected form" in controller.session.engine.problem.details


def test_closing_while_the_engine_is_mute_does_not_hang(open_window):
    open_window("--mute", wait=False)
    # The fixture closes it, and says which threads and processes are left after that.


# --- panes, keys, names -----------------------------------------------------------------------------------------------


def test_the_window_comes_back_as_it_was_left(open_window, until, tmp_path):
    from explorer.gui import app

    window, controller = open_window()
    window.resize(1100, 700)
    window.panes.setSizes([300, 400, 400])
    widths = window.panes.sizes()
    window.panes.fold_library()
    window.pane.size_slider.setValue(240)
    window.models.model_chosen.emit("pooled-lite0")
    window.hide()
    app.leave_window(window, controller, tmp_path)
    again, controller = open_window()
    assert (again.width(), again.height()) == (1100, 700) or again.width() == 1280  # the fixture resizes
    assert again.panel.isHidden()
    assert again.pane.size_slider.value() == 240
    assert again.pane.grid.cell_px() == 240
    assert controller.session.model == "pooled-lite0"
    again.panes.fold_library()
    assert again.panes.sizes()[0] == pytest.approx(widths[0], abs=40)


def test_unreadable_settings_are_kept_aside(open_window, until, tmp_path):
    (tmp_path / "settings.toml").write_text("this is [not toml")
    window, _ = open_window()
    assert (tmp_path / "settings.toml.unread").read_text() == "this is [not toml"
    assert "cannot be read" in shown_sentences(window)


def test_keys_reach_everything(open_window, until, qtbot):
    window, controller = open_window()
    grid = window.pane.grid
    grid.setFocus()
    qtbot.keyClick(grid, Qt.Key.Key_Slash)
    assert window.query.edit.hasFocus()
    qtbot.keyClicks(window.query.edit, "a/b")
    assert window.query.edit.text() == "a/b"  # a slash is a letter there
    qtbot.keyClick(window.query.edit, Qt.Key.Key_Return)
    until(lambda: controller.session.ranking.query is not None)
    qtbot.keyClick(window.query.edit, Qt.Key.Key_Escape)
    assert grid.hasFocus()
    qtbot.keyClick(grid, Qt.Key.Key_Down)
    assert grid.current_item() is not None
    qtbot.keyClick(grid, Qt.Key.Key_Return)
    assert window.viewer.isVisible()
    assert window.viewer.isAncestorOf(window.focusWidget()) or window.viewer.hasFocus()
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Escape)
    assert grid.hasFocus()
    qtbot.keyClick(grid, Qt.Key.Key_Escape)
    until(lambda: controller.session.query is None and not controller.session.searching)
    qtbot.keyClick(grid, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert window.query.edit.hasFocus()


def test_panes_fold_by_key_and_button(open_window, qtbot):
    window, _ = open_window()
    control = Qt.KeyboardModifier.ControlModifier
    qtbot.keyClick(window, Qt.Key.Key_B, control)
    assert window.panel.isHidden()
    window.header.library_button.click()
    assert not window.panel.isHidden()
    qtbot.keyClick(window, Qt.Key.Key_I, control)
    assert window.viewer.isHidden()
    window.header.viewer_button.click()
    assert not window.viewer.isHidden()


def test_path_and_picture_are_copied(open_window, until, qtbot):
    window, _ = open_window()
    window.pane.grid.select_row(0)
    until(lambda: window.viewing._shown == 1)
    window.pane.grid.setFocus()
    control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(window.pane.grid, Qt.Key.Key_C, control | shift)
    assert QGuiApplication.clipboard().text() == "/nowhere/picture 1.jpg"
    qtbot.keyClick(window.pane.grid, Qt.Key.Key_C, control)
    until(lambda: not QGuiApplication.clipboard().image().isNull())
    assert QGuiApplication.clipboard().image().width() == 240
    QGuiApplication.clipboard().clear()


def test_a_file_that_went_away_is_one_sentence(open_window, until):
    window, _ = open_window()
    window.pane.grid.select_row(0)
    until(lambda: window.viewing._shown == 1)
    window.viewing.open_file(1)
    assert "is not in" in shown_sentences(window)
    window.pane.notices.withdraw(Topic.FILE)
    window.viewing.show_in_folder(1)
    assert "is not in" in shown_sentences(window)


def test_the_window_follows_the_palette(open_window, until, qapp):
    from PySide6.QtGui import QPalette

    from explorer.gui.icons import quiet_text

    window, _ = open_window()
    before = qapp.palette()
    try:
        dark = QPalette(before)
        for role in (QPalette.ColorRole.Window, QPalette.ColorRole.Base, QPalette.ColorRole.Button):
            dark.setColor(role, QColor("#232629"))
        for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
            dark.setColor(role, QColor("#eff0f1"))
        qapp.setPalette(dark)
        until(lambda: window.palette().color(QPalette.ColorRole.Window).lightness() < 100)
        label = window.status.label
        until(lambda: label.palette().color(QPalette.ColorRole.WindowText) == quiet_text(window.palette()))
        shown = window.grab().toImage()
        assert shown.pixelColor(4, 4).lightness() < 100
        assert shown.pixelColor(4, shown.height() - 4).lightness() < 100
    finally:
        qapp.setPalette(before)


def test_nine_hundred_by_six_hundred_is_enough(open_window, until):
    window, controller = open_window()
    window.resize(900, 600)
    window.query.edit.setText("a dog")
    window.query.search_now()
    until(lambda: controller.session.ranking.query is not None)
    until(lambda: window.width() == 900 and window.height() == 600)
    assert window.pane.width() >= 400
    assert window.pane.count_label.width() >= window.pane.count_label.fontMetrics().horizontalAdvance("40 results")
    for part in window.pane.tools.findChildren(QLabel):
        assert part.isHidden() or part.text() == "" or part.width() >= part.fontMetrics().horizontalAdvance(part.text())


def test_f1_lists_every_key(open_window, qtbot):
    window, _ = open_window()
    qtbot.keyClick(window, Qt.Key.Key_F1)
    dialog = window.findChildren(KeysDialog)[0]
    text = " ".join(label.text() for label in dialog.findChildren(QLabel))
    for key in KEYS:
        assert (key.text or key.command.value.rstrip("…")) in text
    assert {key.command for key in KEYS if key.command} == set(Command)
    dialog.close()


def test_no_two_commands_share_a_key():
    keys = [key for line in KEYS if line.command for key in line.keys]
    assert len(keys) == len(set(keys))


_CONTROLS = (QAbstractButton, QLineEdit, QComboBox, QSlider, QAbstractScrollArea)


def controls(window):
    return [
        w for kind in _CONTROLS for w in window.findChildren(kind)
        if w.isVisibleTo(window) and w.focusPolicy() != Qt.FocusPolicy.NoFocus and w.isEnabled()
    ]


def test_every_control_has_a_name_and_a_place_in_the_tab_order(open_window, until, qtbot):
    window, controller = open_window("--errors", 2)
    window.query.edit.setText("a dog")
    window.query.search_now()
    until(lambda: controller.session.ranking.query is not None)
    window.pane.grid.select_row(0)
    until(lambda: window.viewing._shown is not None)
    qtbot.wait(300)
    nameless = [
        w for w in controls(window)
        if not (w.accessibleName() or (isinstance(w, QAbstractButton) and w.text().strip()))
    ]
    assert nameless == []
    reached: list[QWidget] = []
    window.query.edit.setFocus()
    for _ in range(200):
        now = window.focusWidget()
        if now in reached:
            break
        reached.append(now)
        window.focusNextChild()
    unreached = [
        w for w in controls(window)
        if w.focusPolicy() & Qt.FocusPolicy.TabFocus and w not in reached
        and w.focusProxy() not in reached
    ]
    assert unreached == []
    order = [window.query.edit, window.models, window.panel.sources, window.pane.grid]
    places = [reached.index(w) for w in order]
    assert places == sorted(places)

"""Sentences: the best ones for a picture, explaining and searching with them, and bringing them in."""

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from explorer.engine.requests import Kind
from explorer.gui.notices import notice_of_captions
from explorer.gui.sentence_list import broken
from explorer.protocol import AddCaptions, CaptionsAdded, Explain, LibraryState, SearchSentences


def spy(controller):
    """Everything that is said to the engine from now on."""
    said = []
    send = controller.session.line._send
    controller.session.line.connect(lambda request: (said.append(request), send(request)))
    return said


def last(said, kind):
    found = [request for request in said if isinstance(request, kind)]
    return found[-1] if found else None


@pytest.fixture
def with_picture(open_window, until):
    """A window in which a picture is searched with, its best sentences on show."""

    def open_one(*options):
        window, controller = open_window("--sentences", 100, *options)
        window.viewing.search_with(3)
        until(lambda: controller.session.ranking.query is not None)
        until(lambda: window.best_sentences.list.rows.sentences)
        return window, controller

    return open_one


def test_a_picture_shows_the_best_sentences_with_their_photos(with_picture, until):
    window, _ = with_picture()
    panel = window.best_sentences
    assert panel.isVisible()
    assert panel.state.text() == "The 20 best of 100"
    scores = [sentence.score for sentence in panel.list.rows.sentences]
    assert scores == sorted(scores, reverse=True)
    until(lambda: len(panel.list.rows._pictures) == len({s.item_id for s in panel.list.rows.sentences}))
    name = panel.list.rows.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert name.startswith("Rank 1, score .80: ")


def test_words_or_no_sentences_no_panel(open_window, with_picture, until):
    window, _ = with_picture()
    window.query.set_sentence("a dog")
    until(lambda: not window.best_sentences.isVisible())
    other, controller = open_window()
    other.viewing.search_with(3)
    until(lambda: controller.session.ranking.query is not None)
    assert not other.best_sentences.isVisible()


def test_a_selected_sentence_explains_the_result_until_escape(with_picture, until, qtbot):
    window, controller = with_picture()
    window.pane.grid.select_row(1)
    window.panes.show_viewer()
    until(lambda: window.viewing._shown is not None)
    until(lambda: window.viewer._explained)
    said = spy(controller)
    sentences = window.best_sentences.list
    sentences.setFocus()
    qtbot.keyClick(sentences, Qt.Key.Key_Down)
    text = sentences.selected().text
    until(lambda: last(said, Explain) is not None)
    assert last(said, Explain).query.text == text
    assert last(said, Explain).query.image_item_id is None
    until(lambda: window.viewer.words.table is not None and window.viewer.words.table.words[0] == text.split()[0])
    assert controller.session.query.image_item_id == 3  # what is searched for is the picture still
    assert window.best_sentences.state.text() == "Results are explained with the selected sentence"
    said.clear()
    qtbot.keyClick(sentences, Qt.Key.Key_Escape)
    until(lambda: last(said, Explain) is not None)
    assert last(said, Explain).query.image_item_id == 3
    assert sentences.selected() is None


def test_a_second_click_selects_none(with_picture, qtbot):
    window, controller = with_picture()
    sentences = window.best_sentences.list
    place = sentences.visualRect(sentences.rows.index(1)).center()
    qtbot.mouseClick(sentences.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert controller.session.sentences.chosen == sentences.rows.sentences[1].text
    qtbot.mouseClick(sentences.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert controller.session.sentences.chosen == ""


def test_enter_searches_with_the_sentence(with_picture, until, qtbot):
    window, controller = with_picture()
    sentences = window.best_sentences.list
    sentences.setCurrentIndex(sentences.rows.index(2))
    text = sentences.selected().text
    qtbot.keyClick(sentences, Qt.Key.Key_Return)
    until(lambda: controller.session.query.text == text)
    assert window.query.edit.text() == text
    assert not window.query.chip.isVisible()
    assert controller.session.sentences.chosen == ""
    assert not window.best_sentences.isVisible()


def test_a_double_click_searches_too(with_picture, until):
    window, controller = with_picture()
    sentences = window.best_sentences.list
    text = sentences.rows.sentences[0].text

    def at():
        return sentences.viewport().mapTo(window, sentences.visualRect(sentences.rows.index(0)).center())

    until(lambda: window.childAt(at()) is sentences.viewport())
    place = at()  # through the window, as a mouse does it: press, release, double
    QTest.mouseDClick(window.windowHandle(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    until(lambda: controller.session.query.text == text)


def test_a_sentence_is_copied_by_key_and_menu(with_picture, qtbot):
    window, _ = with_picture()
    sentences = window.best_sentences.list
    sentences.setFocus()
    sentences.setCurrentIndex(sentences.rows.index(1))
    qtbot.keyClick(sentences, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == sentences.rows.sentences[1].text
    assert window.pane.notices.shown.text == "The sentence was copied."
    sentences._open_menu(sentences.visualRect(sentences.rows.index(0)).center())
    menu = sentences.findChildren(QMenu)[0]
    assert [action.text() for action in menu.actions()] == ["Search with this sentence", "Copy sentence"]
    menu.actions()[1].trigger()
    menu.close()
    assert QGuiApplication.clipboard().text() == sentences.rows.sentences[0].text


def test_encoding_is_told_and_can_be_stopped_and_taken_up_again(open_window, until):
    window, controller = open_window("--sentences", 1000, "--sentences-ms", 5)
    window.viewing.search_with(3)
    panel = window.best_sentences
    until(lambda: panel.state.text().startswith("Encoding sentences: "))
    assert panel.button.text() == "Stop"
    panel.button.click()
    until(lambda: panel.state.text() == "Stopped before all sentences were encoded.")
    panel.button.click()
    until(lambda: panel.list.rows.sentences)
    assert panel.state.text() == "The 20 best of 1,000"
    assert not panel.button.isVisible()
    assert not controller.session.line.under_way(Kind.SENTENCES)


def test_a_failure_is_a_sentence_in_the_panel(open_window, until):
    window, _ = open_window("--sentences", 10, "--sentences-error", "The picture cannot be read.")
    window.viewing.search_with(3)
    panel = window.best_sentences
    until(lambda: panel.state.text() == "The picture cannot be read. Use another picture.")
    assert panel.button.text() == "Try again"
    assert window.pane.notices.shown is None


def test_a_folded_panel_asks_for_nothing_and_is_remembered(with_picture, until):
    window, controller = with_picture()
    panel = window.best_sentences
    panel.fold.click()
    assert not panel.list.isVisible()
    assert window.settings().window.sentences_shown is False
    said = spy(controller)
    window.viewing.search_with(5)
    until(lambda: controller.session.ranking.query.image_item_id == 5)
    assert last(said, SearchSentences) is None
    panel.fold.click()
    until(lambda: panel.list.rows.sentences and panel.list.isVisible())
    assert last(said, SearchSentences).query.image_item_id == 5


def test_the_last_sentences_do_not_outlive_their_picture(with_picture, until):
    window, controller = with_picture("--sentences-ms", 1)
    first = window.best_sentences.list.rows.sentences
    window.viewing.search_with(5)
    until(lambda: controller.session.ranking.query.image_item_id == 5)
    until(lambda: window.best_sentences.list.rows.sentences not in ((), first))
    assert controller.session.sentences.ranked.ranking.query.image_item_id == 5


def test_a_file_of_sentences_is_brought_in_with_progress(open_window, until, tmp_path):
    window, controller = open_window("--items", 10, "--rate", 25)
    panel = window.panel
    assert panel.sentences_label.isHidden()
    window.pane.grid.select_row(0)
    window.panes.show_viewer()
    until(lambda: window.viewing._shown == 1)
    assert not window.viewer.details.captions.isVisible()
    said = spy(controller)
    window.viewing.search_with(3)
    window.pane.grid.select_row(0)
    path = tmp_path / "captions ä.json"
    panel.sentences_chosen.emit(str(path))
    assert last(said, AddCaptions).path == str(path).encode()
    assert last(said, AddCaptions).model == "3shnet-flickr8k"
    until(lambda: panel.sentence_activity.isVisible() and panel.sentence_activity._stage.text() == "Encoding sentences")
    assert not panel.sentences_action.isEnabled()
    until(lambda: not panel.sentence_activity.isVisible())
    shown = "50 sentences of 10 photos were added; 12 photos named there are not in this library."
    assert window.pane.notices.shown.text == shown
    until(lambda: panel.sentences_label.text() == "50 sentences" and panel.sentences_label.isVisible())
    assert panel.sentences_action.isEnabled()
    until(lambda: window.viewer.details.captions.isVisible())
    assert window.viewer.details.captions.text().startswith("“a brown dog")
    until(lambda: window.best_sentences.list.rows.sentences)  # the picture is searched with already


def test_bringing_in_can_be_stopped(open_window, until):
    window, controller = open_window("--rate", 20)
    window.sentences.add_file("/sentences.json")
    activity = window.panel.sentence_activity
    until(lambda: controller.session.sentences.bringing.progress is not None)
    activity._stop.click()
    assert activity._stop.text() == "Stopping…"
    until(lambda: not activity.isVisible())
    assert window.pane.notices.shown.text == "Adding sentences was stopped; those that were added stay."


def test_an_engine_that_will_not_stop_is_ended(open_window, until):
    window, controller = open_window("--rate", 5, "--ignore-cancel")
    window.sentences.add_file("/sentences.json")
    until(lambda: controller.session.sentences.bringing.progress is not None)
    window.panel.sentence_activity._stop.click()
    until(lambda: controller.session.sentences.bringing is None)
    until(lambda: controller.session.model_ready and controller.session.library is not None)


def test_a_file_that_holds_none_is_one_sentence(open_window, until):
    window, _ = open_window()
    window.sentences.add_file("/refused.json")
    until(lambda: window.pane.notices.shown is not None)
    expected = "The file holds no sentences. Choose a Karpathy json, COCO captions or captions.json."
    assert window.pane.notices.shown.text == expected
    assert not window.panel.sentence_activity.isVisible()


def test_a_library_that_cannot_be_written_to_takes_none(open_window):
    window, controller = open_window("--read-only")
    assert not window.panel.sentences_action.isEnabled()
    window.sentences.add_file("/sentences.json")
    assert controller.session.sentences.bringing is None


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ((1, 1, 0), "1 sentence of 1 photo was added."),
        ((1090, 218, 0), "1,090 sentences of 218 photos were added."),
        ((5, 1, 1), "5 sentences of 1 photo were added; 1 photo named there is not in this library."),
        ((0, 0, 3), "No sentence was added: 3 photos named there are not in this library."),
        ((0, 0, 0), "0 sentences of 0 photos were added."),
    ],
)
def test_what_was_added_is_one_sentence(numbers, text):
    photos = LibraryState(id=1, path=b"", display="", sources=(), n_items=300, n_errors=0, n_indexed={})
    n_sentences, n_items, n_unmatched = numbers
    added = CaptionsAdded(id=1, n_sentences=n_sentences, n_items=n_items, n_unmatched=n_unmatched)
    assert notice_of_captions(added, photos).text == text
    assert notice_of_captions(added).text == text.replace("photo", "file")
    videos = msgspec.structs.replace(photos, n_videos=300)
    assert notice_of_captions(added, videos).text == text.replace("photo", "video")


def test_without_a_word_searches_with_the_rest(open_window, until):
    window, controller = open_window()
    window.query.edit.setText("a brown dog")
    window.query.search_now()
    until(lambda: controller.session.ranking.query is not None)
    window.pane.grid.select_row(0)
    window.panes.show_viewer()
    until(lambda: window.viewer.words.table is not None)
    window.viewer.words.chips.left_out.emit(1)
    until(lambda: controller.session.ranking.query.text == "a dog")
    assert window.query.edit.text() == "a dog"
    until(lambda: window.viewer.words.table.words == ("a", "dog"))


def test_without_a_word_of_a_chosen_sentence_searches_with_the_rest_of_it(with_picture, until):
    window, controller = with_picture()
    window.pane.grid.select_row(0)
    window.panes.show_viewer()
    window.best_sentences.list.setCurrentIndex(window.best_sentences.list.rows.index(0))
    until(lambda: window.viewer.words.table is not None)
    rest = window.viewer.words.table.without(0)
    window.viewer.words.chips.left_out.emit(0)
    until(lambda: controller.session.ranking.query.text == rest)
    assert controller.session.ranking.query.image_item_id is None


def test_long_sentences_take_two_lines(qapp):
    metrics = QFontMetrics(qapp.font())
    assert broken("a dog", metrics, 400) == ["a dog"]
    lines = broken("a dog " * 100, metrics, 200)
    assert len(lines) == 2
    assert lines[1].endswith("…")
    assert all(metrics.horizontalAdvance(line) <= 200 for line in lines)
    assert len(broken("x" * 500, metrics, 200)) == 2
    assert broken("", metrics, 0) == [""]

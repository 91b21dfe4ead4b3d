"""The sample collection: offered at the first start, rendered, stopped, refused, indexed, and begun with."""

import os

import msgspec
import pytest

from explorer.datasets.scenes.collection import CollectionPlan, planned_clips, planned_images
from explorer.datasets.scenes.wording import sentences_of
from explorer.engine.requests import Kind
from explorer.gui.app import SAMPLE_FOLDER
from explorer.gui.pages import Step
from explorer.gui.sample_control import SENTENCES, has_folder
from explorer.protocol import AddCaptions, IndexFolders, LibraryState, RenderSample, Source


def spy(controller):
    """Everything that is said to the engine from now on."""
    said = []
    send = controller.session.line._send
    controller.session.line.connect(lambda request: (said.append(request), send(request)))
    return said


def press(window, step):
    button = next(each for each in window.pane.page._buttons if each.text() == step.value and each.isVisible())
    button.click()


def notice(window):
    shown = window.pane.notices.shown
    return "" if shown is None else shown.text


@pytest.fixture
def first_start(open_window):
    """A window on an empty library whose engine renders in a moment, and what is said to it."""

    def open_one(*options, rate=2000):
        window, controller = open_window("--items", 0, "--rate", rate, *options)
        return window, controller, spy(controller)

    return open_one


def test_an_empty_window_offers_it_and_says_where_it_goes(first_start, tmp_path):
    window, _, _ = first_start()
    page = window.pane.page.page
    assert page.steps == (Step.ADD_FOLDER, Step.TRY_SAMPLE)
    assert str(tmp_path / SAMPLE_FOLDER) in page.text


def test_it_is_rendered_added_indexed_and_has_its_sentences(first_start, until, tmp_path):
    window, controller, said = first_start("--videos", 5)
    press(window, Step.TRY_SAMPLE)
    folder = os.fsencode(tmp_path / SAMPLE_FOLDER)
    assert [request.folder for request in said if isinstance(request, RenderSample)] == [folder]
    assert window.pane.page.page.title == "Drawing the sample collection…"
    assert not window.panel.sample_activity.isHidden()
    assert not window.panel.sample_action.isEnabled()
    until(lambda: controller.session.library.n_sentences and not controller.session.indexing)
    assert [request.folders for request in said if isinstance(request, IndexFolders)] == [(folder,)]
    captions = os.path.join(folder, b"captions.json")
    assert [request.path for request in said if isinstance(request, AddCaptions)] == [captions]
    assert window.panel.sample_activity.isHidden()
    assert [source.path for source in controller.session.library.sources] == [folder]
    until(lambda: window.pane.shows_results)
    assert window.panel.sample_action.isEnabled()


def test_afterwards_it_says_what_to_search_for(first_start, until):
    window, controller, _ = first_start("--videos", 5)
    press(window, Step.TRY_SAMPLE)
    until(lambda: window.pane.suggestions.isVisible() and controller.session.library.n_sentences)
    assert window.pane.suggestions.sentences == SENTENCES
    buttons = [each for each in window.pane.suggestions._words.children() if hasattr(each, "text")]
    assert [each.text() for each in buttons] == list(SENTENCES)
    buttons[1].click()
    until(lambda: controller.session.ranking.query is not None)
    assert controller.session.ranking.query.text == SENTENCES[1]
    assert window.query.edit.text() == SENTENCES[1]
    assert window.pane.suggestions.isHidden()  # it is searched now
    window.commands.show_everything()
    until(lambda: window.pane.suggestions.isVisible())
    window.pane.suggestions.dismiss()
    assert window.pane.suggestions.isHidden()


def test_every_suggestion_is_seen_in_a_narrow_window(first_start, until):
    window, _, _ = first_start("--videos", 5)
    press(window, Step.TRY_SAMPLE)
    until(lambda: window.pane.suggestions.isVisible())
    window.panes.setSizes([300, 400, 600])
    until(lambda: window.pane.width() < 480)
    row = window.pane.suggestions
    for button in row._words.children():
        if hasattr(button, "text"):
            assert row._words.rect().contains(button.geometry())
            assert button.shown_text() == button.text()


def test_what_is_suggested_uses_words_of_the_collection():
    plan = CollectionPlan()
    said = " ".join(
        sentence for scene in (
            *(image.scene for image in planned_images(plan)),
            *(shot.scene for clip in planned_clips(plan) for shot in clip.shots),
        ) for sentence in sentences_of(scene)
    )
    spoken = set(said.split())
    for sentence in SENTENCES:
        assert not set(sentence.split()) - spoken
        kind = " ".join(sentence.split()[1:3])
        assert kind in said  # such a thing is there, in that colour


def test_rendering_can_be_stopped_and_goes_on(first_start, until):
    window, controller, said = first_start(rate=50)
    press(window, Step.TRY_SAMPLE)
    until(lambda: controller.session.sample.rendering.progress is not None)
    assert "of 100 so far" in window.pane.page.page.text
    assert "of 100" in window.panel.sample_activity._numbers.text().replace("\u00a0", " ")
    press(window, Step.STOP_INDEXING)
    assert window.panel.sample_activity._stop.text() == "Stopping…"
    until(lambda: controller.session.sample.rendering is None)
    assert window.panel.sample_activity.isHidden()
    assert notice(window).startswith("Drawing the sample collection was stopped.")
    assert window.pane.page.page.steps == (Step.ADD_FOLDER, Step.TRY_SAMPLE)
    assert not [request for request in said if isinstance(request, IndexFolders)]
    window.commands.take_notice_step(window.pane.notices.shown)
    assert controller.session.sample.rendering is not None
    assert notice(window) == ""
    window.sample.stop()
    until(lambda: controller.session.sample.rendering is None)


def test_an_engine_that_does_not_stop_rendering_is_ended(first_start, until, monkeypatch):
    window, controller, _ = first_start("--ignore-cancel", rate=5)
    controller._grace.setInterval(100)
    press(window, Step.TRY_SAMPLE)
    until(lambda: controller.session.sample.rendering.progress is not None)
    press(window, Step.STOP_INDEXING)
    until(lambda: controller.session.sample.rendering is None)
    until(lambda: controller.session.model_ready)
    assert not controller.session.line.under_way(Kind.SAMPLE)  # the next engine was not asked for it


def test_a_refusal_is_one_sentence_with_another_try(first_start, until):
    window, controller, _ = first_start()
    controller.session.sample.folder = b"/nowhere/refused"
    press(window, Step.TRY_SAMPLE)
    until(lambda: notice(window))
    assert notice(window) == "The folder refused is not empty. Choose a new folder."
    assert window.pane.notices.shown.step is Step.TRY_SAMPLE
    assert window.pane.notices.shown.serious
    assert window.pane.page.page.steps == (Step.ADD_FOLDER, Step.TRY_SAMPLE)


def test_a_library_that_has_it_is_told_so(first_start, until):
    window, controller, said = first_start()
    press(window, Step.TRY_SAMPLE)
    until(lambda: controller.session.library.n_sentences)
    n_asked = len([request for request in said if isinstance(request, RenderSample)])
    window.panel.sample_action.trigger()
    assert notice(window) == "The sample collection is in this library already."
    assert len([request for request in said if isinstance(request, RenderSample)]) == n_asked


def test_beside_folders_of_ones_own_it_is_in_the_menu(open_window, until):
    window, controller = open_window("--items", 20, "--rate", 2000)
    window.panel.sample_action.trigger()
    until(lambda: not window.panel.sample_activity.isHidden())
    assert window.pane.shows_results  # nothing covers what is there
    until(lambda: len(controller.session.library.sources) == 2 and controller.session.library.n_sentences)


def test_indexing_that_is_stopped_brings_no_sentences(first_start, until):
    window, controller, said = first_start(rate=100)
    press(window, Step.TRY_SAMPLE)
    until(lambda: controller.session.indexing is not None and controller.session.indexing.progress is not None)
    controller.stop_indexing()
    until(lambda: controller.session.indexing is None)
    assert not [request for request in said if isinstance(request, AddCaptions)]
    assert window.pane.suggestions.isHidden()


def test_another_library_is_not_given_the_sample_of_the_last(first_start, until, tmp_path):
    window, controller, said = first_start(rate=50)
    press(window, Step.TRY_SAMPLE)
    until(lambda: controller.session.sample.rendering.progress is not None)
    controller.open_library(os.fsencode(tmp_path / "other"))
    assert controller.session.sample.rendering is None
    assert window.panel.sample_activity.isHidden()
    until(lambda: controller.session.library is not None)
    assert not [request for request in said if isinstance(request, IndexFolders)]


def test_a_library_that_cannot_be_written_to_is_not_given_any(open_window):
    window, controller = open_window("--items", 20, "--read-only")
    assert not window.panel.sample_action.isEnabled()
    window.sample.start()
    assert "cannot be written to" in notice(window)
    assert controller.session.sample.rendering is None


def test_a_folder_is_known_again_by_where_it_leads(tmp_path):
    """The engine keeps folders by their real path, and the data folder may be reached by a link."""
    (tmp_path / "data" / SAMPLE_FOLDER).mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "data")
    real = os.fsencode(tmp_path / "data" / SAMPLE_FOLDER)
    source = Source(source_id=1, path=real, display="", n_items=3)
    library = LibraryState(id=1, path=b"", display="", sources=(source,), n_items=3, n_errors=0, n_indexed={})
    assert has_folder(library, os.fsencode(tmp_path / "link" / SAMPLE_FOLDER))
    assert not has_folder(library, os.fsencode(tmp_path / "link"))
    assert not has_folder(msgspec.structs.replace(library, sources=()), real)


def test_at_the_first_start_it_is_searched_with_the_model_that_sees_motion(first_start, until, tmp_path):
    window, controller, said = first_start("--motion-model", "--videos", 5)
    usual = controller.session.model
    press(window, Step.TRY_SAMPLE)
    assert controller.session.model == "dsmhn-scenes-64"
    assert "DSMHN 64 bits (rendered scenes)" in notice(window)
    until(lambda: controller.session.library.n_sentences and not controller.session.indexing)
    assert [request.model for request in said if isinstance(request, IndexFolders)] == ["dsmhn-scenes-64"]
    (tmp_path / "photos").mkdir()
    window.commands.add_folder(str(tmp_path / "photos"))
    assert controller.session.model == usual  # what was made for the sample is not for a person's own photos
    assert notice(window).startswith("Your own files are indexed with")
    until(lambda: not controller.session.indexing)
    assert [request.model for request in said if isinstance(request, IndexFolders)][1:] == [usual]
    controller.load_model("dsmhn-scenes-64")
    window.commands.add_folder(str(tmp_path))
    assert controller.session.model == "dsmhn-scenes-64"  # chosen by the person, beside her own photos


def test_beside_photos_of_ones_own_the_model_stays(open_window, until):
    window, controller = open_window("--items", 20, "--rate", 2000, "--motion-model")
    usual = controller.session.model
    window.panel.sample_action.trigger()
    assert controller.session.model == usual
    until(lambda: controller.session.library.n_sentences)

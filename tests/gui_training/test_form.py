"""The form of a new run, with hand-made forms: what is drawn, what is asked, and what comes of what is typed."""

import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDropEvent, QGuiApplication, QPalette, QWheelEvent
from PySide6.QtWidgets import QApplication, QFileDialog

from explorer.engine.requests import Kind
from explorer.gui.training import recipe_check
from explorer.gui.training.form import NewRunForm
from explorer.gui.training.form_task import A_FILE
from explorer.gui.training.tab_order import focusable
from explorer.protocol import Device, Devices, Failed, RecipeForm, RecipeForms, RecipeStart, SplitFound
from explorer.protocol.runs import Estimated, RunFailed
from explorer.protocol.training import CheckRecipe, GetRecipeForms, ListDevices, RecipeChecked, RecipeField
from tests.helpers.scripted_engine import KeptRuns, ScriptedEngine

START = b"""\
task = "tiny"
name = "tiny-own"

[dataset]

[training]
rate = 0.5      # published: 0.2
"""


def field(key, kind, **parts):
    return RecipeField(key=key, kind=kind, **parts)


FIELDS = (
    field("name", "text", optional=False, matters=True),
    field("title", "text", default='"Tiny"', matters=True),
    field("dataset.annotations", "file", default='""', matters=True),
    field("dataset.library", "folder", default='""', matters=True),
    field("dataset.images", "folder", default='""', matters=True),
    field("labels.file", "file", default='""'),
    field("labels.source", "choice", default='""', choices=("", "sentences", "data")),
    field("training.epochs", "integer", default="25", minimum=1, matters=True, says="passes", published="25",
          source="Tiny 4"),
    field("training.rate", "number", default="0.1", minimum=0, maximum=1, exclusive=True, matters=True),
    field("training.batch_size", "integer", default="64", minimum=2),
    field("training.flip", "switch", default="false"),
    field("network.loss", "choice", default='"triplet"', choices=("triplet", "info-nce")),
    field("network.readers", "list", default='["minilm"]', choices=("minilm", "bow")),
    field("network.widths", "list", default="[16, 32]", items="integer"),
)  # fmt: skip
TINY = RecipeForm(
    task="tiny", title="Tiny", says="Learns little.", needs=("images", "sentences", "labels"), fields=FIELDS,
    starts=(
        RecipeStart(name="own", title="Your own photos", content=START, folder=b"/recipes", complete=False),
        RecipeStart(name="shipped", title="Tiny (Flickr8k)", folder=b"/recipes", content=(
            b'task = "tiny"\nname = "tiny-flickr"\n[dataset]\nannotations = "f.json"\n[labels]\nfile = "l.json"\n'
        )),
    ),
)  # fmt: skip
SCENES = RecipeForm(
    task="scenes", title="Scenes", says="Renders its own.", needs=("nothing",), starts=(),
    fields=(field("name", "text", optional=False), field("scenes.n_clips", "integer", default="9", matters=True)),
)
FOUND = RecipeChecked(
    id=0, n_classes=12, notes=("One in ten is kept for validation.",), examples=("A dog\nruns.", "A cat."),
    splits=(
        SplitFound(name="train", role="train", n_images=18, n_sentences=36, n_labelled=17, n_missing=2),
        SplitFound(name="val", role="val", n_images=2, n_sentences=4, n_labelled=2),
    ),
)  # fmt: skip


@pytest.fixture(autouse=True)
def short_rest(monkeypatch):
    """One does not wait for nothing."""
    monkeypatch.setattr(recipe_check, "REST_MS", 40)


@pytest.fixture
def engine(qapp):
    return ScriptedEngine()


@pytest.fixture
def runs(qapp, tmp_path):
    return KeptRuns(tmp_path)


@pytest.fixture
def form(engine, runs, qtbot):
    """Seen, with the forms there, this library chosen, and its labels from the sentences."""
    engine.open_library()
    form = NewRunForm(engine.controller, runs)
    qtbot.addWidget(form)
    form.resize(860, 700)
    form.show()
    engine.answer(GetRecipeForms, RecipeForms, forms=(TINY, SCENES))
    form.drafting.put_keys({"labels.source": "sentences"})
    return form


def recipe(form):
    return tomllib.loads(form.drafting.draft.text)


def type_into(qtbot, form, key, text):
    line = form.page.open_at(key)
    line.clear()
    line.textEdited.emit("")
    qtbot.keyClicks(line, text)


def check(qtbot, form, engine, **parts):
    """Wait until the recipe as it is now is asked about, and answer."""
    content = form.drafting.draft.content
    qtbot.waitUntil(lambda: engine.session.training.checking and engine.asked(CheckRecipe)[-1].content == content)
    known = {name: getattr(FOUND, name) for name in ("splits", "n_classes", "notes", "examples")}
    engine.answer(CheckRecipe, RecipeChecked, **{**known, **parts})


# --- before there is a form -------------------------------------------------------------------------------------------


def test_while_the_engine_is_asked_it_says_so_and_a_failure_can_be_tried_again(engine, runs, qtbot):
    form = NewRunForm(engine.controller, runs)
    qtbot.addWidget(form)
    assert engine.asked(GetRecipeForms) == []
    form.show()
    assert "Asking" in form.waiting.label.text()
    assert form.waiting.button.isHidden()
    engine.answer(GetRecipeForms, Failed, message="It broke.", remedy="Mend it.", kind="ConfigError")
    assert form.waiting.label.text() == "It broke. Mend it."
    form.waiting.button.click()
    assert len(engine.asked(GetRecipeForms)) == 2
    engine.answer(GetRecipeForms, RecipeForms, forms=())
    assert "nothing that this engine can train" in form.waiting.label.text()


def test_a_second_form_knows_what_the_session_knows(engine, form, runs, qtbot):
    other = NewRunForm(engine.controller, runs)
    qtbot.addWidget(other)
    other.show()
    assert len(engine.asked(GetRecipeForms)) == 1
    assert list(other.page.tasks.buttons) == ["tiny", "scenes"]


# --- what is chosen ---------------------------------------------------------------------------------------------------


def test_the_library_is_the_data_where_it_has_sentences(form, engine):
    assert form.page.data.from_library.isChecked()
    assert "40 sentences" in form.page.data.from_library.text()
    assert recipe(form)["dataset"] == {"library": "/library"}
    assert recipe(form)["name"] == "tiny-library"
    assert recipe(form)["training"] == {"rate": 0.5}


def test_without_sentences_the_library_is_not_offered_and_the_form_says_what_to_choose(engine, runs, qtbot):
    engine.open_library(n_sentences=0)
    form = NewRunForm(engine.controller, runs)
    qtbot.addWidget(form)
    form.show()
    engine.answer(GetRecipeForms, RecipeForms, forms=(TINY,))
    assert not form.page.data.from_library.isEnabled()
    assert "no sentences yet" in form.page.data.library_note.text()
    assert form.foot.said.text.startswith("Choose the data")
    assert form.page.data.problem.text.startswith("Choose the data")
    assert not form.foot.train.isEnabled()
    form.foot.show_button.click()
    qtbot.waitUntil(form.page.data.path.hasFocus)


def test_a_data_set_is_typed_dropped_or_chosen_and_names_the_model(form, qtbot, tmp_path, engine):
    data = form.page.data
    data.from_files.click()
    assert recipe(form).get("dataset", {}) == {}
    qtbot.keyClicks(data.path, "/photos/dataset_birds.json")
    assert recipe(form)["dataset"] == {"annotations": "/photos/dataset_birds.json"}
    assert (recipe(form)["name"], recipe(form)["title"]) == ("tiny-birds", "Tiny (birds)")
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path))])
    drop = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    data.path.dropEvent(drop)
    assert recipe(form)["dataset"] == {"annotations": str(tmp_path)}
    data.from_library.click()
    assert "annotations" not in recipe(form)["dataset"]
    data.dropEvent(drop)  # beside the line, while the library is chosen
    assert recipe(form)["dataset"] == {"annotations": str(tmp_path)}
    dialog = data.choose_folder()
    assert dialog.fileMode() is QFileDialog.FileMode.Directory
    dialog.fileSelected.emit("/chosen")
    dialog.close()
    assert recipe(form)["dataset"] == {"annotations": "/chosen"}
    data.from_library.click()
    assert recipe(form)["dataset"] == {"library": "/library"}
    data.from_files.click()
    assert recipe(form)["dataset"] == {"annotations": "/chosen"}


def test_a_library_that_is_not_the_open_one_is_told_apart_from_it(form):
    data = form.page.data
    assert not data.from_other.isVisible()
    form.show_recipe(
        b'task = "tiny"\nname = "x"\n[dataset]\nlibrary = "/another"\n', task="", recipe_folder=Path("/r")
    )
    assert data.from_other.isChecked()
    assert data.other_note.text() == "/another"
    data.from_other.click()
    assert recipe(form)["dataset"] == {"library": "/another"}
    data.from_library.click()
    assert recipe(form)["dataset"] == {"library": "/library"}
    assert data.from_library.isChecked()
    assert not data.from_other.isVisible()


def test_a_name_that_somebody_typed_stays(form, qtbot):
    type_into(qtbot, form, "name", "mine")
    form.page.data.take("/photos/birds.json")
    assert recipe(form)["name"] == "mine"


def test_a_name_is_proposed_that_no_model_has_and_a_taken_one_is_noted(form, engine, runs, qtbot):
    engine.list_models("tiny-birds")
    form.page.data.take("/photos/birds.json")
    assert recipe(form)["name"] == "tiny-birds-2"
    assert form.page.model_note.isHidden()
    type_into(qtbot, form, "name", "tiny-birds")
    assert "tiny-birds already" in form.page.model_note.text
    runs.add("on-its-way", b"")
    type_into(qtbot, form, "name", "on-its-way")
    assert "under way" in form.page.model_note.text


def test_labels_come_from_a_file_from_the_sentences_or_from_the_data(form, engine, qtbot):
    labels = form.page.data.labels
    assert [labels.source.itemData(row) for row in range(labels.source.count())] == ["file", "sentences", "data"]
    assert labels.source.currentData() == "sentences"
    choose(labels.source, "file")
    assert "labels" not in recipe(form)
    assert "where the labels come from" in form.foot.said.text
    assert "where the labels come from" in labels.problem.text
    assert not form.page.data.problem.text
    qtbot.keyClicks(labels.path, "l.json")
    assert recipe(form)["labels"] == {"file": "l.json"}
    choose(labels.source, "data")
    assert recipe(form)["labels"] == {"source": "data"}
    assert not labels.path.isVisible()


def choose(box, value):
    box.setCurrentIndex(box.findData(value))
    box.activated.emit(box.currentIndex())


def test_a_task_that_renders_its_data_asks_for_none(form, qtbot, engine):
    form.page.tasks.buttons["scenes"].click()
    assert form.page.data.nothing.isVisible()
    assert not form.page.data.path.isVisible()
    assert recipe(form) == {"task": "scenes", "name": "scenes"}
    assert form.page.row("training.epochs") is None
    assert form.page.row("scenes.n_clips").editor.control.placeholderText() == "9"
    check(qtbot, form, engine, splits=(), notes=(), examples=(), n_classes=None)
    assert form.foot.train.isEnabled()


def test_it_can_begin_with_what_came_with_the_program_a_file_or_an_earlier_run(form, engine, runs, qtbot, tmp_path):
    starts = form.page.starts
    choose(starts.box, 1)
    assert recipe(form)["name"] == "tiny-flickr"
    assert recipe(form)["dataset"] == {"annotations": "f.json"}
    assert form.drafting.draft.beginning.folder == Path("/recipes")
    runs.add("earlier", b'task = "tiny"\nname = "earlier"\n[training]\nepochs = 3\n[dataset]\nannotations = "e"\n')
    runs.add("other", b'task = "other"\n')
    runs.runs[runs.paths()[0]].description = None
    form.hide()
    form.show()
    rows = [starts.box.itemText(row) for row in range(starts.box.count())]
    assert rows[-1] == A_FILE
    assert sum("earlier" in row for row in rows) == 1
    starts.box.setCurrentIndex(next(i for i, row in enumerate(rows) if "earlier" in row))
    starts.box.activated.emit(starts.box.currentIndex())
    assert recipe(form)["training"] == {"epochs": 3}
    file = tmp_path / "mine.toml"
    file.write_text('task = "scenes"\nname = "from-a-file"\n')
    form.open_recipe(str(file))
    qtbot.waitUntil(lambda: form.drafting.name == "from-a-file")
    assert form.page.tasks.buttons["scenes"].isChecked()
    assert form.drafting.draft.beginning.folder == tmp_path
    assert starts.box.currentText() == "The recipe of from-a-file"
    form.open_recipe(str(tmp_path / "absent.toml"))
    qtbot.waitUntil(lambda: "cannot be read" in form.foot.said.text)
    assert form.drafting.name == "from-a-file"


def test_the_recipe_of_a_run_waits_for_the_forms(engine, runs, qtbot):
    form = NewRunForm(engine.controller, runs)
    qtbot.addWidget(form)
    form.show_recipe(b'name = "again"\n', task="tiny", recipe_folder=Path("/r"), device="cpu")
    form.show()
    engine.answer(GetRecipeForms, RecipeForms, forms=(SCENES, TINY))
    assert form.drafting.draft.form is TINY
    assert form.drafting.name == "again"
    form.show_recipe(b'task = "unknown"\n', task="", recipe_folder=Path("/r"))
    assert "unknown" in form.foot.said.text
    assert form.drafting.name == "again"


# --- fields -----------------------------------------------------------------------------------------------------------


def test_fields_are_typed_as_their_kind_and_unchanged_ones_stay_out(form, qtbot):
    before = recipe(form)
    form.page.more.button.click()
    rows = form.page.row
    assert rows("training.epochs").editor.line.placeholderText() == "25"
    assert rows("training.epochs").published.text() == "paper: 25 (Tiny 4)"
    assert rows("training.epochs").says.text() == "passes. 1 or more."
    type_into(qtbot, form, "training.epochs", "3")
    type_into(qtbot, form, "training.rate", "1e-4")
    rows("training.flip").editor.box.click()
    choose(rows("network.loss").editor.box, "info-nce")
    rows("network.readers").editor.boxes[1].click()
    type_into(qtbot, form, "network.widths", "8, 9")
    said = recipe(form)
    assert said["training"] == {"epochs": 3, "rate": 1e-4, "flip": True}
    assert said["network"] == {"loss": "info-nce", "readers": ["minilm", "bow"], "widths": [8, 9]}
    assert "rate = 1e-4     # published: 0.2" in form.drafting.draft.text
    for key in ("training.epochs", "training.rate", "training.flip", "network.loss", "network.readers"):
        assert rows(key).reset_button.isVisible()
        rows(key).reset_button.click()
        assert not rows(key).reset_button.isVisible()
    type_into(qtbot, form, "network.widths", "16, 32")
    assert recipe(form) == before


@pytest.mark.parametrize(
    ("key", "typed", "says"),
    [("training.epochs", "many", "whole number"), ("training.rate", "2", "above 0, at most 1"),
     ("training.batch_size", "1", "2 or more")],
)  # fmt: skip
def test_what_cannot_be_is_said_at_the_field_and_nothing_is_trained(form, engine, qtbot, key, typed, says):
    check(qtbot, form, engine)
    assert form.foot.train.isEnabled()
    type_into(qtbot, form, key, typed)
    row = form.page.row(key)
    assert says in row.problem.text
    assert says in form.foot.said.text
    assert not form.foot.train.isEnabled()
    type_into(qtbot, form, "name", "other")
    assert row.editor.line.text() == typed
    assert says in row.problem.text
    row.reset_button.click()
    assert not row.problem.text
    check(qtbot, form, engine)
    assert form.foot.train.isEnabled()


def test_more_settings_are_searched_and_say_how_many_are_set(form, qtbot):
    more = form.page.more
    assert more.button.text() == "More settings (5)"
    assert more.list.rows == {}
    more.button.click()
    assert [key for key in more.list.rows if more.list.rows[key].isVisible()] == [
        "training.batch_size", "training.flip", "network.loss", "network.readers", "network.widths",
    ]
    qtbot.keyClicks(more.searched, "batch")
    assert [key for key, row in more.list.rows.items() if row.isVisible()] == ["training.batch_size"]
    more.searched.setText("nonsense")
    assert more.nothing.isVisible()
    type_into(qtbot, form, "training.batch_size", "32")
    assert more.button.text() == "More settings (5), 1 set"
    more.button.click()
    assert not more.list.isVisible()


def test_a_list_that_is_scrolled_past_does_not_change(form, qtbot):
    form.page.more.button.click()
    box = form.page.row("network.loss").editor.box
    wheel = QWheelEvent(
        QPointF(5, 5), box.mapToGlobal(QPointF(5, 5)), QPoint(0, -120), QPoint(0, -120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    box.setFocus()
    QApplication.sendEvent(box, wheel)
    assert box.currentData() == "triplet"


# --- the check --------------------------------------------------------------------------------------------------------


def test_what_the_check_finds_is_shown(form, engine, qtbot):
    qtbot.waitUntil(lambda: bool(engine.asked(CheckRecipe)))
    assert engine.asked(CheckRecipe)[-1].data
    assert engine.asked(CheckRecipe)[-1].folder == b"/recipes"
    check(qtbot, form, engine)
    told = form.page.findings.text()
    for part in ("train", "18", "36", "17", "val", "2 photos of 20 are not where", "One in ten", "“A dog runs.”",
                 "12 classes of labels"):
        assert part in told
    assert form.foot.train.isEnabled()
    form.drafting.put_keys({"dataset.annotations": "x", "dataset.library": None})
    assert "Checking" in form.page.findings.state.text()
    assert "One in ten" in form.page.findings.text()
    check(qtbot, form, engine, splits=(), notes=(), examples=(), n_classes=None)
    assert "One in ten" not in form.page.findings.text()
    assert form.page.findings.state.isHidden()


def test_an_answer_to_an_older_recipe_is_not_shown(form, engine, qtbot):
    qtbot.waitUntil(lambda: bool(engine.asked(CheckRecipe)))
    type_into(qtbot, form, "training.epochs", "7")
    engine.answer(CheckRecipe, RecipeChecked, problem="Of the older one.")
    assert form.foot.said.text == ""
    assert not form.foot.train.isEnabled()
    check(qtbot, form, engine)
    assert form.foot.train.isEnabled()


def test_one_question_for_all_that_is_typed_without_a_rest(form, engine, qtbot):
    check(qtbot, form, engine)
    before = len(engine.asked(CheckRecipe))
    type_into(qtbot, form, "name", "abcdef")
    check(qtbot, form, engine)
    assert len(engine.asked(CheckRecipe)) == before + 1


def test_a_problem_is_said_at_its_field_which_is_brought_into_sight(form, engine, qtbot):
    check(qtbot, form, engine, problem="The batch is larger than the data.", remedy="Take 16.",
          key="training.batch_size")  # fmt: skip
    assert form.foot.said.text == "The batch is larger than the data. Take 16."
    assert not form.foot.train.isEnabled()
    form.foot.show_button.click()
    row = form.page.row("training.batch_size")
    assert row.editor.line.hasFocus()
    assert row.problem.text == "The batch is larger than the data. Take 16."
    qtbot.waitUntil(lambda: not row.editor.line.visibleRegion().isEmpty())
    type_into(qtbot, form, "training.batch_size", "16")
    check(qtbot, form, engine)
    assert not row.problem.text


def test_a_problem_of_the_data_is_said_there_and_of_an_unknown_key_in_the_text(form, engine, qtbot):
    check(qtbot, form, engine, problem="There is no such file.", key="dataset.library", splits=())
    assert form.page.data.problem.text == "There is no such file."
    form.drafting.write(form.drafting.draft.text + "\n[training]\nepocs = 2\n".replace("[training]\n", ""))
    check(qtbot, form, engine, problem="There is an unknown key training.epocs.", key="training.epocs")
    assert not form.page.data.problem.text
    form.foot.show_button.click()
    assert form.tabs.currentWidget() is form.text
    assert "epocs = 2" in form.text.text.toPlainText()


def test_a_check_that_fails_says_why(form, engine, qtbot):
    qtbot.waitUntil(lambda: bool(engine.asked(CheckRecipe)))
    engine.answer(CheckRecipe, Failed, message="No disk.", remedy="Plug it in.", kind="ConfigError")
    assert form.foot.said.text == "No disk. Plug it in."


def test_the_engine_may_come_back(form, engine, qtbot):
    qtbot.waitUntil(lambda: bool(engine.asked(CheckRecipe)))
    engine.session.lost("gone")
    engine.session.attach(engine.sent.append)
    check(qtbot, form, engine)
    assert form.foot.train.isEnabled()


# --- text -------------------------------------------------------------------------------------------------------------


def test_what_is_edited_as_text_comes_back_into_the_fields_and_nothing_is_lost(form, engine, qtbot):
    text = form.text.text
    text.setPlainText(text.toPlainText().replace("rate = 0.5", "rate = 0.25") + "\nmystery = 1\n")
    assert form.page.row("training.rate").editor.line.text() == "0.25"
    type_into(qtbot, form, "training.epochs", "4")
    assert "mystery = 1" in text.toPlainText()
    assert "rate = 0.25      # published: 0.2" in text.toPlainText()
    assert form.drafting.draft.content == text.toPlainText().encode()


def test_text_that_is_no_toml_is_said_and_the_fields_wait(form, engine, qtbot):
    check(qtbot, form, engine)
    whole = form.text.text.toPlainText()
    form.tabs.setCurrentWidget(form.text)
    form.text.text.setPlainText(whole + "[oh")
    assert "is not TOML" in form.foot.said.text
    assert not form.foot.train.isEnabled()
    form.tabs.setCurrentIndex(0)
    assert form.unread.isVisible()
    assert not form.page.isVisible()
    form.unread.button.click()
    assert form.text.text.isVisible()
    form.text.text.setPlainText(whole)
    assert form.sheet.currentWidget() is form.scrolled
    check(qtbot, form, engine)
    assert form.foot.train.isEnabled()


def test_another_task_in_the_text_is_another_form(form):
    form.text.text.setPlainText('task = "scenes"\nname = "typed"\n')
    assert form.page.tasks.buttons["scenes"].isChecked()
    assert form.page.row("scenes.n_clips") is not None
    assert form.text.text.toPlainText() == 'task = "scenes"\nname = "typed"\n'


def test_the_text_is_copied_and_saved(form, qtbot, tmp_path):
    form.text.copy_button.click()
    assert QGuiApplication.clipboard().text() == form.drafting.draft.text
    dialog = form.text.choose_file()
    assert dialog.selectedFiles()[0].endswith("tiny-library.toml")
    dialog.close()
    form.text.save(str(tmp_path / "saved.toml"))
    qtbot.waitUntil(lambda: "saved.toml" in form.text.said.text)
    assert (tmp_path / "saved.toml").read_bytes() == form.drafting.draft.content
    form.text.save(str(tmp_path / "absent" / "saved.toml"))
    qtbot.waitUntil(lambda: "cannot be saved there" in form.text.said.text)


# --- device, estimate, start ------------------------------------------------------------------------------------------


def test_devices_are_listed_with_their_free_memory(form, engine):
    assert form.page.device.device == "auto"
    gpu = Device(name="cuda:0", title="H200", free_mb=120_000, total_mb=141_000)
    cpu = Device(name="cpu", title="CPU", free_mb=0, total_mb=0)
    engine.answer(ListDevices, Devices, devices=(gpu, cpu))
    box = form.page.device.box
    assert [box.itemText(row) for row in range(box.count())] == [
        "The best there is (H200)", "H200, 120 GB of 141 GB free", "CPU",
    ]
    choose(box, "cpu")
    form.page.device.again.click()
    assert len(engine.asked(ListDevices)) == 2
    engine.answer(ListDevices, Devices, devices=(cpu,))
    assert form.page.device.device == "cpu"
    form.page.device.again.click()
    engine.answer(ListDevices, Failed, message="Nothing answers.", kind="DeviceError")
    assert form.page.device.note.text() == "Nothing answers."
    assert form.page.device.device == "cpu"
    assert engine.session.training.problems[Kind.DEVICES].message == "Nothing answers."


def test_an_estimate_is_shown_in_sentences_stopped_and_grows_old(form, engine, runs, qtbot):
    view = form.page.estimate
    assert not view.button.isEnabled()
    check(qtbot, form, engine)
    view.button.click()
    assert runs.estimating["recipe"] == form.drafting.draft.content
    assert view.button.text() == "Stop estimating"
    view.button.click()
    assert runs.estimating is None
    runs.estimated.emit(RunFailed(message="Too late."))
    assert not view.problem.text
    view.button.click()
    runs.estimated.emit(RunFailed(message="Too little memory.", remedy="Take a smaller batch."))
    assert view.problem.text == "Too little memory. Take a smaller batch."
    view.button.click()
    runs.estimated.emit(Estimated(
        seconds=720, by_phase={"features": 540.0, "network": 180.0}, memory_mb=1400, device_memory_mb=0, disk_mb=300,
        n_steps=6,
    ))  # fmt: skip
    qtbot.waitUntil(lambda: "free" in view.label.text())
    assert "about 12 min: features 9 min, network 3 min" in view.label.text()
    assert "1.4 GB of memory" in view.label.text()
    assert "writes 300 MB" in view.label.text()
    type_into(qtbot, form, "training.epochs", "2")
    assert "have changed" in view.note.text()
    view.show_told(Estimated(
        seconds=1, by_phase={}, memory_mb=1, device_memory_mb=2000, disk_mb=1e12, n_steps=1
    ))  # fmt: skip
    qtbot.waitUntil(lambda: "hardly room" in view.problem.text)
    assert "2.0 GB on the device" in view.label.text()


def test_train_starts_the_run_as_it_is_typed(form, engine, runs, qtbot):
    check(qtbot, form, engine)
    content = form.drafting.draft.content
    with qtbot.waitSignal(form.started) as caught:
        form.foot.train.click()
    assert caught.args == [runs.runs_folder / "new"]
    assert runs.started == [{
        "recipe": content, "name": "tiny-library", "task": "tiny", "title": "Tiny (library)",
        "recipe_folder": Path("/recipes"), "device": "auto",
    }]  # fmt: skip
    assert form.drafting.name == "tiny-library-2"
    check(qtbot, form, engine)
    runs.refusing = "The disk is full."
    qtbot.keyClick(form, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: form.foot.said.text == "The disk is full.")
    assert len(runs.started) == 1


# --- looks ------------------------------------------------------------------------------------------------------------


def test_every_control_has_a_name_and_tab_walks_from_top_to_bottom(form, qtbot):
    form.page.more.button.click()
    form.page.more.open_at("network.widths")
    order = [widget for widget in focusable(form) if widget.isVisible()]
    nameless = [w for w in order if not (w.accessibleName() or getattr(w, "text", str)() or w is form.tabs)]
    assert nameless == []
    walked, widget = [], order[0]
    for _ in range(400):
        widget = widget.nextInFocusChain()
        if widget in order:
            walked.append(widget)
        if len(walked) == len(order):
            break
    start = walked.index(order[1])
    assert [*walked[start:], *walked[:start]][: len(order) - 1] == order[1:]
    tops = [w.mapTo(form.page, QPoint()).y() for w in order if form.page.isAncestorOf(w)]
    assert all(later >= earlier - 40 for earlier, later in pairwise(tops))


def test_long_paths_do_not_widen_the_form(form, engine, qtbot):
    form.resize(560, 600)
    long = "/" + "a_very_long_folder_name_without_any_break" * 12
    form.page.data.take(long)
    check(qtbot, form, engine, problem=f"There is no {long}.", key="dataset.annotations", splits=())
    qtbot.wait(0)
    assert form.page.minimumSizeHint().width() <= 560
    assert form.page.width() <= 560
    assert form.page.data.path.toolTip() == long


def test_the_form_follows_the_palette(form, qapp, qtbot):
    before = qapp.palette()
    try:
        dark = QPalette(QColor("#31363b"), QColor("#232629"))
        dark.setColor(QPalette.ColorRole.WindowText, QColor("#eff0f1"))
        qapp.setPalette(dark)
        said = form.page.row("training.epochs").says
        qtbot.waitUntil(lambda: said.palette().color(QPalette.ColorRole.WindowText).lightness() > 128)
        assert form.page.grab().toImage().pixelColor(3, 3).lightness() < 80
    finally:
        qapp.setPalette(before)


def test_a_library_that_gets_its_sentences_later_can_then_be_chosen(engine, runs, qtbot):
    engine.open_library(n_sentences=0)
    form = NewRunForm(engine.controller, runs)
    qtbot.addWidget(form)
    form.show()
    engine.answer(GetRecipeForms, RecipeForms, forms=(TINY,))
    engine.session.open_library(b"/other")
    engine.open_library(path=b"/other", n_sentences=3)
    assert form.page.data.from_library.isEnabled()
    form.page.data.from_library.click()
    assert recipe(form)["dataset"] == {"library": "/other"}


def test_a_library_whose_name_no_recipe_can_hold_is_not_offered(engine, runs, qtbot):
    engine.open_library(path=b"/\xff")
    form = NewRunForm(engine.controller, runs)
    qtbot.addWidget(form)
    form.show()
    engine.answer(GetRecipeForms, RecipeForms, forms=(TINY,))
    assert not form.page.data.from_library.isEnabled()
    assert "not UTF-8" in form.page.data.library_note.text()
    form.page.data.take("/\udcff")
    assert "not UTF-8" in form.page.data.problem.text

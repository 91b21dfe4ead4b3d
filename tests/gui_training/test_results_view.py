"""After a run: its measures beside other models', its card, indexing and searching with it."""

import os

import pytest
from PySide6.QtGui import QGuiApplication

from explorer.gui import desktop
from explorer.gui.training.measures import score_table
from explorer.gui.training.results_view import ResultsView
from explorer.gui.training.value_table import best_of
from explorer.protocol import Cancel, Cancelled, Failed, IndexFinished, IndexFolders, LoadModel, ModelScore, Progress
from explorer.protocol.runs import Finished, RunBegan
from explorer.protocol.training import EvaluateModels, ModelsEvaluated
from tests.helpers.scripted_engine import KeptRuns, ScriptedEngine

RECIPE = b'task = "tiny"\nname = "mine"\n'
OWN = {"recall at 1": 40.0, "median rank": 3.0}


@pytest.fixture
def engine(qapp):
    engine = ScriptedEngine()
    engine.open_library()
    engine.list_models("other", "mine", "third")
    return engine


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "models" / "mine"
    folder.mkdir(parents=True)
    (folder / "CARD.md").write_text("# Mine\n\nTrained on *birds*.\n")
    return folder


@pytest.fixture
def runs(qapp, tmp_path, package):
    runs = KeptRuns(tmp_path)
    runs.add("unfinished", RECIPE, [RunBegan(run="u", pid=1, device="CPU", n_threads=1)])
    runs.add("mine", RECIPE, [Finished(path=os.fsencode(package), metrics=OWN, epoch=4)])
    return runs


@pytest.fixture
def view(engine, runs, qtbot):
    view = ResultsView(engine.controller, runs)
    qtbot.addWidget(view)
    view.resize(820, 700)
    view.show()
    view.show_run(runs.paths()[0])
    return view


def evaluated(engine, **metrics):
    scores = tuple(ModelScore(model=name, metrics=told) for name, told in metrics.items())
    engine.answer(EvaluateModels, ModelsEvaluated, measured_on="On 20 photos.", scores=scores)


def test_the_measures_of_the_run_and_its_card_are_there_at_once(view, qtbot):
    assert view.name.text() == "mine"
    assert view.measures.table.rows() == [["Model", "recall at 1", "median rank"], ["MINE", "40.0000", "3.0000"]]
    assert view.measures.table.best() == set()
    qtbot.waitUntil(lambda: "Trained on birds." in view.card.toPlainText())
    assert view.card.height() >= view.card.document().size().height()


def test_a_run_without_a_model_says_so(view, runs):
    view.show_run(runs.paths()[1])
    assert view.nothing.isVisible()
    assert not view.scrolled.isVisible()


def test_a_card_that_is_gone_is_said(engine, runs, package, qtbot):
    (package / "CARD.md").unlink()
    view = ResultsView(engine.controller, runs)
    qtbot.addWidget(view)
    view.show_run(runs.paths()[0])
    qtbot.waitUntil(lambda: "cannot be read" in view.card.toPlainText())


def test_models_are_measured_beside_it_with_progress_and_the_best_are_marked(view, engine, qtbot):
    measures = view.measures
    assert list(measures.boxes) == ["other", "third"]
    measures.boxes["other"].click()
    measures.measure.click()
    asked = engine.asked(EvaluateModels)[-1]
    assert (asked.models, asked.content) == (("mine", "other"), RECIPE)
    assert measures.stop.isVisible()
    assert not measures.measure.isVisible()
    engine.answer(EvaluateModels, Progress, stage="measuring", n_done=5, n_total=20, current="photos", remaining_s=60)
    assert measures.line.part == 0.25
    assert "Measuring photos · 5 of 20 · 60 s left" in measures.numbers.text()
    evaluated(engine, mine={"r1": 40.0, "median rank": 3.0}, other={"r1": 41.0, "median rank": 2.0})
    assert measures.table.best() == {("OTHER", "r1"), ("OTHER", "median rank")}
    assert measures.measured_on.text() == "On 20 photos."
    assert measures.measure.isVisible()
    measures.copy.click()
    assert QGuiApplication.clipboard().text() == (
        "Model\tr1\tmedian rank\nMINE\t40.0000\t3.0000\nOTHER\t41.0000\t2.0000\n"
    )
    measures.copy_csv.click()
    assert QGuiApplication.clipboard().text().startswith("Model,r1,median rank\n")


def test_a_model_that_cannot_be_measured_says_why(view, engine):
    view.measures.boxes["third"].click()
    view.measures.measure.click()
    engine.answer(EvaluateModels, ModelsEvaluated, measured_on="x", scores=(
        ModelScore(model="mine", metrics={"r1": 1.0}), ModelScore(model="third", problem="It reads no photos."),
    ))  # fmt: skip
    assert view.measures.problem.text == "THIRD: It reads no photos."
    assert view.measures.table.rows()[2] == ["THIRD", "–"]


def test_measuring_is_stopped_and_its_failure_said(view, engine):
    measures = view.measures
    measures.measure.click()
    measures.stop.click()
    assert engine.asked(Cancel)[-1].target == engine.asked(EvaluateModels)[-1].id
    assert measures.stop.text() == "Stopping…"
    engine.answer(EvaluateModels, Cancelled)
    assert "stopped" in measures.problem.text
    assert measures.measure.isVisible()
    assert measures.table.rows()[1][0] == "MINE"
    measures.measure.click()
    engine.answer(EvaluateModels, Failed, message="The data is gone.", remedy="Bring it back.", kind="DatasetError")
    assert measures.problem.text == "The data is gone. Bring it back."


def test_what_was_measured_for_one_run_is_not_shown_for_another(view, engine, runs, package):
    view.measures.measure.click()
    runs.add("again", RECIPE, [Finished(path=os.fsencode(package), metrics={"r1": 9.0})])
    view.show_run(runs.paths()[0])
    assert view.measures.measure.isVisible()
    evaluated(engine, mine={"r1": 1.0})
    assert view.measures.table.rows()[1] == ["MINE", "9.0000"]
    view.show_run(runs.paths()[1])
    assert view.measures.table.rows()[1] == ["MINE", "1.0000"]


def test_the_library_is_indexed_with_it_and_then_searched(view, engine):
    assert not view.search.isVisible()
    view.index.click()
    request = engine.asked(IndexFolders)[-1]
    assert request.model == "mine"
    assert view.indexing.isVisible()
    assert not view.index.isEnabled()
    engine.answer(IndexFolders, Progress, stage="indexing", n_done=5, n_total=20)
    assert view.indexing.isVisible()
    assert engine.session.model == "other"  # until all vectors are there
    state = engine.session.library
    changed = {name: getattr(state, name) for name in state.__struct_fields__} | {"n_indexed": {"mine": 20}}
    engine.answer(IndexFolders, IndexFinished, n_added=0, n_changed=0, n_moved=0, n_removed=0, n_unchanged=20,
                  n_failed=0, n_encoded=20, elapsed_s=1, state=type(state)(**changed))  # fmt: skip
    assert not view.indexing.isVisible()
    assert "answers your searches now" in view.said.text
    assert engine.asked(LoadModel)[-1].name == "mine"
    engine.controller.load_model("other")
    assert view.search.isVisible()
    assert "20 of 20" in view.said.text
    view.search.click()
    assert engine.asked(LoadModel)[-1].name == "mine"
    assert not view.search.isVisible()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda engine: engine.list_models("other"), "not among the models any more"),
        (lambda engine: reopen(engine, read_only=True), "cannot be written to"),
        (lambda engine: reopen(engine, n_items=0), "no photos yet"),
        (lambda engine: engine.session.open_library(b"/x"), "No library is open"),
    ],
)
def test_why_it_cannot_be_indexed_is_said(view, engine, change, says):
    change(engine)
    engine.controller.tell()
    assert says in view.said.text
    assert not view.index.isEnabled()


def reopen(engine, **changes):
    engine.session.open_library(b"/library")
    engine.open_library(**changes)


def test_its_folder_is_opened_or_said(view, package, monkeypatch):
    opened = []
    monkeypatch.setattr(desktop, "open_file", lambda path: opened.append(path) or True)
    view.folder.click()
    assert opened == [os.fsencode(package)]
    for file in package.iterdir():
        file.unlink()
    package.rmdir()
    view.folder.click()
    assert "not there any more" in view.said.text


def test_the_best_is_the_highest_but_of_ranks_and_losses_the_lowest():
    assert best_of([1.0, 2.0, 2.0, None], "recall") == {1, 2}
    assert best_of([1.0, 2.0], "median rank") == {0}
    assert best_of([1.0, 2.0], "loss") == {0}
    assert best_of([1.0, None], "recall") == set()


def test_long_names_of_measures_have_two_lines_in_the_table_and_one_where_they_are_copied(view, engine):
    view.measures.measure.click()
    evaluated(engine, mine={"sentence to image R@10": 1.0})
    assert view.measures.table.horizontalHeaderItem(1).text() == "sentence to image\nR@10"
    assert view.measures.table.rows()[0] == ["Model", "sentence to image R@10"]


def test_models_with_different_metrics_stand_in_one_table():
    scores = [ModelScore(model="a", metrics={"x": 1.0}), ModelScore(model="b", metrics={"y": 2.0})]
    corner, columns, rows = score_table(scores, {"a": "A"})
    assert (corner, columns) == ("Model", ["x", "y"])
    assert [(name, [cell.text for cell in cells]) for name, cells in rows] == [("A", ["1.0", "–"]), ("b", ["–", "2.0"])]

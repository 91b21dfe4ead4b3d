"""Runs side by side: what differs, what they came to, their curves in one picture, and the picture as a figure."""

import pytest
from PySide6.QtGui import QGuiApplication

from explorer.gui.training.curve_artist import CurveArtist
from explorer.gui.training.run_comparison import MOST, RunComparison
from explorer.gui.training.run_differences import ComparedRun, label_runs, measures
from explorer.protocol import RecipeForms
from explorer.protocol.runs import EpochFinished, Finished, PhaseStarted, RunBegan, Stepped
from explorer.protocol.training import GetRecipeForms, RecipeField, RecipeForm
from explorer.runs.folder import RunDescription
from explorer.runs.state import RunState
from tests.helpers.scripted_engine import KeptRuns, ScriptedEngine

FORM = RecipeForm(
    task="tiny", title="Tiny", says="", needs=("nothing",), starts=(),
    fields=(RecipeField(key="training.epochs", kind="integer", default="25"),),
)


def recipe(**training):
    lines = "\n".join(f"{name} = {value}" for name, value in training.items())
    return f'task = "tiny"\nname = "{len(lines)}"\n[training]\nbatch_size = 64\n{lines}\n'.encode()


def journal(scale, n_epochs=3, *, finished=True):
    yield RunBegan(run="x", pid=1, device="CPU", n_threads=1)
    yield PhaseStarted(phase="net", n_done=0, n_steps=10 * n_epochs, n_epochs=n_epochs, watched="recall")
    for epoch in range(1, n_epochs + 1):
        yield Stepped(phase="net", epoch=epoch, step=10 * epoch, n_steps=10 * n_epochs,
                      losses={"loss": scale / epoch, "term": 0.1}, learning_rate=1e-3, items_per_s=1)  # fmt: skip
        best = epoch == 2
        yield EpochFinished(phase="net", epoch=epoch, metrics={"recall": scale * (5 if best else epoch)}, best=best)
    if finished:
        yield Finished(path=b"/m", metrics={"recall": scale * 5}, epoch=2)


@pytest.fixture
def engine(qapp):
    return ScriptedEngine()


@pytest.fixture
def runs(qapp, tmp_path):
    return KeptRuns(tmp_path)


@pytest.fixture
def artist(qapp):
    artist = CurveArtist()
    artist.start()
    yield artist
    artist.stop()
    assert artist.join(30)


@pytest.fixture
def view(engine, runs, artist, qtbot):
    view = RunComparison(engine.controller, runs, artist)
    qtbot.addWidget(view)
    view.resize(820, 900)
    view.show()
    return view


@pytest.fixture
def three(runs):
    return [
        runs.add("one", recipe(rate="1e-3"), journal(8.0)),
        runs.add("two", recipe(rate="2e-3", epochs=30), journal(9.0)),
        runs.add("three", recipe(rate="1e-3"), journal(1.0, finished=False)),
    ]


def test_fewer_than_two_runs_ask_for_more(view, three):
    for paths in ([], three[:1]):
        view.show_runs(paths)
        assert "Select two to five runs" in view.nothing.label.text()
        assert view.nothing.isVisible()


def test_what_differs_and_what_they_came_to_stands_side_by_side(view, three, engine):
    view.show_runs(three)
    assert view.results.rows() == [
        ["Result", "one", "two", "three"], ["State", "finished", "finished", "running"], ["Epoch", "2", "2", "2"],
        ["recall", "40.0000", "45.0000", "5.0000"],
    ]
    assert view.results.best() == {("recall", "two")}
    assert view.settings.rows()[1:] == [
        ["Training: rate", "1e-3", "2e-3", "1e-3"], ["Training: epochs", "–", "30", "–"],
    ]
    engine.answer(GetRecipeForms, RecipeForms, forms=(FORM,))
    assert view.settings.rows()[2] == ["Training: epochs", "25 (default)", "30", "25 (default)"]
    view.show_runs([three[0], three[2]])
    assert not view.settings.isVisible()
    assert view.same.isVisible()


def test_no_more_than_five_are_shown_and_that_is_said(view, runs):
    paths = [runs.add(f"r{n}", recipe(rate=n), journal(1.0)) for n in range(7)]
    view.show_runs(paths)
    assert view.results.columnCount() == MOST + 1
    assert view.note.text == "The first 5 of the 7 selected runs are shown."


def test_a_recipe_that_cannot_be_read_is_said(view, three, runs):
    runs.runs[three[1]].recipe = b"[oh"
    view.show_runs(three[:2])
    assert view.note.text == "The recipe of two cannot be read."


def test_runs_on_different_data_are_not_comparable_and_that_is_said(view, runs):
    named = b'task = "tiny"\nname = "n"\n[dataset]\nannotations = "%s.json"\n'
    paths = [runs.add(name, named % name.encode(), journal(1.0)) for name in ("birds", "cats")]
    view.show_runs(paths)
    assert "did not learn from the same data" in view.note.text
    assert view.results.best() == set()  # and equal ones are not marked


def test_a_run_that_goes_on_is_redrawn(view, three, runs, qtbot):
    view.show_runs(three)
    state = runs.runs[three[2]].state
    state.take(Finished(path=b"/m", metrics={"recall": 99.0}, epoch=3))
    runs.run_changed.emit(three[2])
    qtbot.waitUntil(lambda: view.results.rows()[3][3] == "99.0000")
    assert view.results.best() == {("recall", "three")}


def test_curves_of_all_runs_are_in_one_picture_each_in_its_colour(view, three, qtbot):
    view.show_runs(three)
    box = view.curve
    assert [box.itemData(row) for row in range(box.count())] == ["recall", "loss", "term"]
    qtbot.waitUntil(lambda: view.plot.drawn is not None, timeout=20_000)
    spec = view.plot.drawn.spec
    assert [curve.name for curve in spec.curves] == ["one", "two", "three"]
    assert list(spec.curves[1].values) == [9.0, 45.0, 27.0]
    assert spec.y_label == "recall"
    box.setCurrentIndex(1)
    box.activated.emit(1)
    qtbot.waitUntil(lambda: view.plot.drawn is not None and view.plot.drawn.spec.y_label == "loss", timeout=20_000)
    view.logarithmic.click()
    qtbot.waitUntil(lambda: view.plot.drawn.spec.log, timeout=20_000)


def test_runs_without_curves_say_so(view, runs):
    paths = [runs.add(name, recipe(rate=1), ()) for name in "ab"]
    view.show_runs(paths)
    assert view.plot.drawn is None
    assert not view.export.isEnabled()
    assert not view.curve.isEnabled()


def test_the_picture_is_written_as_a_figure_or_why_not_is_said(view, three, qtbot, tmp_path):
    view.show_runs(three)
    dialog = view.choose_file()
    assert dialog.selectedFiles()[0].endswith("recall.png")
    dialog.close()
    view.write(str(tmp_path / "curves.svg"))
    qtbot.waitUntil(lambda: "curves.svg" in view.said.text, timeout=20_000)
    written = (tmp_path / "curves.svg").read_text()
    assert all(name in written for name in ("one", "two", "three"))
    view.write(str(tmp_path / "curves.txt"))
    qtbot.waitUntil(lambda: "End its name with" in view.said.text, timeout=20_000)


def test_both_tables_are_copied(view, three):
    view.show_runs(three)
    view.copy.click()
    text = QGuiApplication.clipboard().text()
    assert "recall\t40.0000\t45.0000\t5.0000\n" in text
    assert "Training: rate\t1e-3\t2e-3\t1e-3\n" in text
    view.copy_csv.click()
    assert "Training: rate,1e-3,2e-3,1e-3\n" in QGuiApplication.clipboard().text()


def test_labels_tell_runs_of_one_model_apart(tmp_path):
    def run(folder, name, made_at):
        described = RunDescription(
            name=name, task="", title="", recipe_folder=tmp_path, device="", made_at=made_at
        )
        return ComparedRun(path=tmp_path / folder, description=described, recipe=b"", state=RunState())

    two = [run("a-1", "a", 1e9), run("a-2", "a", 1.1e9), run("b-1", "b", 1e9)]
    label_runs(two)
    assert len({one.label for one in two}) == 3
    assert two[2].label == "b"
    assert two[0].label.startswith("a, ")
    same = [run("a-1", "a", 1e9), run("a-2", "a", 1e9)]
    label_runs(same)
    assert [one.label for one in same] == ["a-1", "a-2"]


def test_while_there_is_no_model_the_best_epochs_measures_stand_for_it():
    state = RunState()
    for event in journal(2.0, finished=False):
        state.take(event)
    assert measures(state) == {"recall": 10.0}
    for event in (*journal(2.0, finished=False), Finished(path=b"/m", metrics={"other": 1.0})):
        state.take(event)
    assert measures(state) == {"other": 1.0}

"""What the main window has of training: a line while a run lives, a word when it is over, a question on closing."""

import os

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QLabel, QMessageBox

from explorer.gui.keys_dialog import KeysDialog
from explorer.gui.pages import Step
from explorer.protocol import IndexFolders, ListModels
from explorer.protocol.runs import Finished, RunBegan, RunStopped
from explorer.runs.alive import hold, is_alive
from explorer.runs.layout import RunFolder
from explorer.runs.state import RunStatus

BEGAN = RunBegan(run="r", pid=2**22 + 1, device="CPU", n_threads=1)


@pytest.fixture
def main(control):
    return control.parent().parent()


def notice(main):
    return main.pane.notices.shown


def question():
    return next((b for b in QApplication.topLevelWidgets() if isinstance(b, QMessageBox) and b.isVisible()), None)


def press(text):
    next(button for button in question().buttons() if button.text().replace("&", "") == text).click()


@pytest.fixture
def alive(control, make_run, fake_run, until):
    """A run that this process holds, in its second epoch."""
    run = make_run("alive", [BEGAN, *list(fake_run.events(n_epochs=4, n_steps=10))[:20]])
    with hold(run):
        until(lambda: control.lives(run.path))
        yield run


# --- while it lives ---------------------------------------------------------------------------------------------------


def test_a_line_is_there_while_a_run_lives_and_leads_to_it(main, alive, until):
    line = main.panel.run_activity
    assert line.isVisible()
    assert line.name.text() == "Training alive"
    assert line.share.text() == "30 %"
    assert line.text.text().replace("\u00a0", " ") == "epoch 2 of 4 · a few seconds left"
    at = QPointF(line.rect().center())
    left, nothing = Qt.MouseButton.LeftButton, Qt.KeyboardModifier(0)
    line.mouseReleaseEvent(
        QMouseEvent(QMouseEvent.Type.MouseButtonRelease, at, line.mapToGlobal(at), left, left, nothing)
    )
    until(lambda: main.training.window is not None and main.training.window.isVisible())
    assert main.training.window.view.path == alive.path


def test_the_line_goes_when_the_run_does(main, control, make_run, until):
    run = make_run("short", [BEGAN])
    with hold(run):
        until(lambda: main.panel.run_activity.isVisible())
    until(lambda: not main.panel.run_activity.isVisible())
    assert control.state(run.path).status is RunStatus.DIED


def test_those_that_wait_are_counted(main, control, alive, make_run, until):
    waiting = make_run("waiting")
    with hold(waiting):
        until(lambda: len(control.living()) == 2)
        assert main.panel.run_activity.path == alive.path
        assert main.panel.run_activity.text.text().endswith("\n1 more waits")


# --- when it is over --------------------------------------------------------------------------------------------------


@pytest.fixture
def said(main):
    """What is said to the engine from now on."""
    controller = main.training.control.controller
    requests = []
    send = controller.session.line._send
    controller.session.line.connect(lambda request: (requests.append(request), send(request)))
    return requests


def test_a_new_model_is_announced_and_indexed_with_in_one_click(main, said, start, trainer, until, tmp_path):
    trainer("--package", tmp_path / "models" / "pooled-lite0", "--epochs", 1)
    path = start()
    until(lambda: notice(main) is not None)
    assert any(isinstance(request, ListModels) for request in said)
    assert notice(main).text == "“Pooled features” is ready."
    assert (notice(main).step, notice(main).other) == (Step.INDEX_WITH, Step.SHOW_RUN)
    main.pane.notices._step.click()
    assert [request.model for request in said if isinstance(request, IndexFolders)] == ["pooled-lite0"]
    assert notice(main) is None
    assert main.training.window is None
    assert path in main.training.control.paths()


def test_the_other_button_shows_the_run(main, start, trainer, until, tmp_path):
    trainer("--package", tmp_path / "models" / "pooled-lite0", "--epochs", 1)
    path = start()
    until(lambda: notice(main) is not None)
    main.pane.notices._other.click()
    assert notice(main) is None
    until(lambda: main.training.window is not None)
    assert main.training.window.view.path == path


@pytest.mark.parametrize(
    ("package", "text"),
    [
        ("vision-parts", "Training is over: “vision-parts” was written."),
        ("broken", "Training is over: “broken” was written. It cannot be searched with: The weights of broken do not "
                   "match the hash in its model.toml."),
    ],
)  # fmt: skip
def test_what_cannot_be_searched_with_is_not_offered(main, start, trainer, until, package, text):
    trainer("--package", f"/models/{package}", "--epochs", 1)
    start()
    until(lambda: notice(main) is not None)
    assert notice(main).text == text
    assert notice(main).step is Step.SHOW_RUN
    assert notice(main).other is None


def test_runs_that_were_over_before_are_no_news(main, control, make_run, until):
    over = Finished(path=b"/models/pooled-lite0", metrics={}, epoch=1)
    run = make_run("old", [BEGAN, over])
    until(lambda: run.path in control.paths() and control.state(run.path).status is RunStatus.FINISHED)
    assert notice(main) is None


def test_a_model_that_is_gone_is_one_sentence(main, control, make_run, until):
    run = make_run("old", [BEGAN, Finished(path=b"/models/went", metrics={}, epoch=1)])
    until(lambda: run.path in control.paths() and control.state(run.path).finished)
    main.training.index_with(run.path)
    assert notice(main).text == "There is no model “went” any more. Train it again."


# --- closing ----------------------------------------------------------------------------------------------------------


def test_with_no_run_it_closes_at_once_and_the_other_window_with_it(main, opened):
    main.close()
    assert question() is None
    assert not main.isVisible()
    assert not opened.isVisible()


def test_while_a_run_lives_it_asks_and_can_be_called_off(main, alive):
    main.close()
    assert main.isVisible()
    assert question().text() == "1 training run is under way."
    press("Cancel")
    assert main.isVisible()
    assert not alive.orders_path.exists()


def test_the_run_goes_on_if_it_shall_and_is_followed_again(main, start, trainer, until, open_window):
    trainer("--hold", "--pace", 0.001)
    path = start()
    until(lambda: main.training.control.state(path).epoch == 3)
    main.close()
    press("Keep running")
    assert not main.isVisible()
    again, _ = open_window()
    control = again.training.control
    until(lambda: control.living() == (path,) and control.state(path).epoch == 3)
    assert again.panel.run_activity.isVisible()
    assert len(control.state(path).losses["loss"]) == 59
    control.keep_best(path)
    until(lambda: control.state(path).status is RunStatus.FINISHED)
    until(lambda: notice(again) is not None)


def test_the_run_is_stopped_if_it_shall_be_and_can_go_on(main, start, trainer, until, open_window):
    trainer("--hold", "--pace", 0.001)
    path = start()
    until(lambda: main.training.control.state(path).epoch == 3)
    main.close()
    press("Stop training")
    assert not main.isVisible()
    until(lambda: not is_alive(RunFolder(path)))
    again, _ = open_window()
    control = again.training.control
    until(lambda: path in control.paths() and control.state(path).status is RunStatus.STOPPED)
    assert again.panel.run_activity.isHidden()


# --- keys -------------------------------------------------------------------------------------------------------------


def test_the_keys_are_listed(qtbot):
    dialog = KeysDialog()
    qtbot.addWidget(dialog)
    texts = [label.text() for label in dialog.findChildren(QLabel)]
    assert "Training" in texts
    assert texts[texts.index("Ctrl+T") + 1] == "Train a model"


def test_the_menu_has_it(main):
    texts = [action.text() for action in main.header.menu.actions()]
    assert "Train a model…" in texts


def test_a_stopped_run_does_not_hold_the_window(main, control, make_run, until):
    run = make_run("stopped", [BEGAN, RunStopped()])
    with hold(run):  # its process is still ending
        until(lambda: run.path in control.paths() and control.state(run.path).status is RunStatus.STOPPED)
        main.close()
        assert question() is None
        assert os.path.exists(run.path)

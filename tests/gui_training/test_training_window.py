"""The window of training: its states, what it draws of a run, and what its buttons do."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QGuiApplication, QImage, QMouseEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QMessageBox, QWidget

from explorer.gui.training.asking import ask
from explorer.gui.training.run_sentences import headline
from explorer.gui.training.watcher import LIST_S
from explorer.protocol.runs import (
    EpochFinished,
    Finished,
    PhaseStarted,
    Progressed,
    RunBegan,
    RunFailed,
    RunStopped,
    Stepped,
    Waited,
)
from explorer.runs.alive import hold
from explorer.runs.state import RunState, RunStatus

BEGAN = RunBegan(run="r", pid=2**22 + 1, device="CPU", n_threads=1)
FAILED = RunFailed(message="The disk is full.", remedy="Make room, then go on.", kind="StorageFullError", details="x")


def finished(name="3shnet-flickr8k", **changes):
    said = {"path": os.fsencode(f"/models/{name}"), "metrics": {"recall_at_10": 40.0}, "epoch": 3, **changes}
    return Finished(**said)


def seen(header):
    """The buttons that are there to be pressed."""
    return [button.text() for button in header.buttons() if button.isVisible()]


def boxes():
    return [box for box in QApplication.topLevelWidgets() if isinstance(box, QMessageBox) and box.isVisible()]


def press(text):
    """A button of the question that is open."""
    (box,) = boxes()
    next(button for button in box.buttons() if button.text().replace("&", "") == text).click()


# --- coming and going -------------------------------------------------------------------------------------------------

_OPEN = """
import json, sys
from pathlib import Path
from PySide6.QtCore import QTimer
from explorer.gui import app
complete = app.complete_after_paint
looked_for = ("torch", "cv2", "av", "matplotlib", "explorer.gui.training.window")
heavy = lambda: sorted(name for name in looked_for if name in sys.modules)
def and_open(window, controller):
    complete(window, controller)
    seen = []
    def look():
        if window.training is None or not window.pane.shows_results:
            QTimer.singleShot(20, look)
        elif not seen:
            seen.append(heavy())
            window.training.open()
            QTimer.singleShot(20, look)
        elif window.training.window is None:
            QTimer.singleShot(20, look)
        else:
            print(json.dumps([*seen, heavy()]))
            window.close()
    QTimer.singleShot(20, look)
app.complete_after_paint = and_open
sys.exit(app.run_window(None, data_dir=Path(sys.argv[1]), engine_command=[sys.executable, sys.argv[2]]))
"""


def test_what_it_needs_comes_when_it_is_opened_and_not_before(tmp_path):
    checkout = Path(__file__).resolve().parents[2]
    engine = checkout / "tests" / "helpers" / "fake_engine.py"
    done = subprocess.run(
        [sys.executable, "-c", _OPEN, str(tmp_path), str(engine)], env={**os.environ, "PYTHONPATH": str(checkout)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    before, after = json.loads(done.stdout)
    assert before == []
    assert after == ["explorer.gui.training.window", "matplotlib"]


def test_ctrl_t_opens_it_once(control, until, qtbot):
    part = control.parent()
    main = part.parent()
    main.activateWindow()
    for _ in range(2):
        qtbot.keyClick(main, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
        until(lambda: part.window is not None and part.window.isVisible())
    assert part.window.windowTitle() == "Training"
    qtbot.keyClick(part.window, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    until(lambda: not part.window.isVisible())
    assert main.isVisible()


def test_with_no_runs_it_says_what_training_is_and_offers_one(opened):
    assert opened.stack.currentWidget() is opened.page
    assert opened.page.page.title == "No model has been trained here yet."
    (button,) = [each for each in opened.page.findChildren(QAbstractButton) if each.isVisible()]
    assert button.text() == "New run"
    button.click()
    assert opened.stack.currentWidget() is opened.form


def test_the_settings_of_a_run_can_be_begun_with_again(shown, control, make_run):
    run = make_run("stopped", [BEGAN, RunStopped()])
    view = shown(run)
    asked = []
    view.window().form.show_recipe = lambda recipe, **rest: asked.append((recipe, rest))
    view.header.change.click()
    assert view.window().stack.currentWidget() is view.window().form
    folder = control.description(run.path).recipe_folder
    assert asked == [(run.recipe_path.read_bytes(), {"task": "tvdb", "recipe_folder": folder, "device": "auto"})]
    assert view.window().list.selected() == ()


def test_it_comes_back_as_it_was_left(control, opened, until):
    opened.view.curves.controls.log.setChecked(True)
    opened.view.curves.controls.smoothing.setValue(20)
    left = control.parent().parent().settings().training
    assert left.logarithmic
    assert left.smoothing == 20
    assert left.geometry


def test_the_run_that_lives_is_shown_first(control, make_run, until):
    old, new = make_run("older", [BEGAN]), make_run("newer", [BEGAN, RunStopped()])
    with hold(old):
        until(lambda: control.living() == (old.path,) and len(control.paths()) == 2)
        part = control.parent()
        part.open()
        until(lambda: part.window is not None)
        assert part.window.view.path == old.path
        assert part.window.list.selected() == (old.path,)
    assert new.path in control.paths()


# --- one run ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "sentence", "buttons"),
    [
        ((BEGAN, FAILED), "The disk is full.", ["Go on", "Change the settings…", "Copy details", "Delete…"]),
        ((BEGAN, RunStopped()), "Stopped.", ["Go on", "Change the settings…", "Delete…"]),
        ((BEGAN, finished()), "Finished: the model 3shnet-flickr8k was written with epoch 3.",
         ["Index this library with it", "Change the settings…", "Delete…"]),
        ((BEGAN,), "The training process ended without saying why; the system may have ended it, for want of memory.",
         ["Go on", "Change the settings…", "Delete…"]),
    ],
    ids=["failed", "stopped", "finished", "died"],
)  # fmt: skip
def test_a_run_that_is_over_says_how_and_what_next(shown, make_run, events, sentence, buttons):
    view = shown(make_run("a run", events))
    assert view.header.sentence.text() == sentence
    assert seen(view.header) == buttons
    assert view.header.warning.isVisible() is (sentence[:3] == "The")
    assert view.tabs.isTabVisible(view.tabs.indexOf(view.results)) is (finished() in events)


def test_a_run_that_lives_can_be_steered(shown, control, make_run, fake_run, until):
    run = make_run("alive", [BEGAN, *list(fake_run.events(n_epochs=4, n_steps=10))[:20]])
    with hold(run):
        view = shown(run)
        until(lambda: control.lives(run.path))
        assert seen(view.header) == ["Pause", "Stop", "Stop and keep best", "Discard…"]
        assert view.header.keep.isEnabled()
        assert "epoch 1; best so far: recall at 10 7.05" in view.header.keep.toolTip()
        assert view.header.numbers.text().replace("\u00a0", " ").startswith("12 of 40 · 212 a second · a few seconds")
        view.header.stop.click()
        assert view.header.stop.text() == "Stopping…"
        assert view.header.sentence.text() == "Stopping…"
        assert not view.header.stop.isEnabled()
        assert not view.header.pause.isEnabled()
        assert view.header.discard.isEnabled()


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ((PhaseStarted(phase="network", n_done=0, n_steps=9, n_epochs=3, watched="recall"),), "No epoch has been"),
        ((PhaseStarted(phase="features", n_done=0, n_steps=0, n_epochs=0),), "does not compare its epochs"),
    ],
)
def test_where_nothing_can_be_kept_the_button_says_why(shown, control, make_run, until, events, reason):
    run = make_run("early", [BEGAN, *events])
    with hold(run):
        view = shown(run)
        until(lambda: control.lives(run.path))
        assert not view.header.keep.isEnabled()
        assert reason in view.header.keep.toolTip()


def test_every_state_is_a_sentence():
    state = RunState()
    assert headline(state).text == "Starting…"
    state.take(Waited(behind="another-run"))
    assert headline(state).text == "Waits until another-run is over."
    state.take(BEGAN)
    assert headline(state).text == "Reading the recipe and the data…"
    state.take(Progressed(message="looking at photos", n_done=1, n_total=2))
    assert headline(state).text == "Looking at photos"
    assert headline(state, "Stopping…").text == "Stopping…"
    assert headline(state, problem="It is damaged.").serious


def test_a_damaged_run_says_what_is_wrong_and_can_be_deleted(opened, control, make_run, until):
    run = make_run("damaged")
    (run.path / "run.json").write_text("not json")
    until(lambda: run.path in control.paths() and control.problem(run.path))
    opened.show_run(run.path)
    assert "is damaged" in opened.view.header.sentence.text()
    assert seen(opened.view.header) == ["Delete…"]


# --- what is drawn of it ----------------------------------------------------------------------------------------------


@pytest.fixture
def learned(make_run, fake_run, jpegs):
    """A run of three epochs, with pictures."""
    run = make_run("learned", [BEGAN, *fake_run.events(n_epochs=3, n_steps=20, n_bits=16, pictures=jpegs), finished()])
    run.pictures_path.mkdir()
    for name in jpegs:
        image = QImage(40, 30, QImage.Format.Format_RGB32)
        image.fill(Qt.GlobalColor.darkGreen)
        assert image.save(str(run.pictures_path / name), "JPG")
    return run


@pytest.fixture
def jpegs():
    return ("a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg")


def test_curves_are_drawn_and_the_pointer_tells_their_values(shown, learned, until, qtbot):
    view = shown(learned)
    losses, metrics = (view.curves.plots[name].view for name in ("losses", "metrics"))
    until(lambda: losses.drawn is not None and metrics.drawn is not None)
    assert [curve.name for curve in losses.drawn.spec.curves] == ["loss", "matching", "distillation"]
    assert losses.drawn.image.width() == losses.width() * losses.devicePixelRatio()
    assert metrics.drawn.spec.marks == ((60.0, "best"),)
    plot = losses.drawn.plot
    at = QPointF(plot.left() + 0.5 * plot.width(), plot.center().y())
    button = Qt.MouseButton.NoButton
    losses.mouseMoveEvent(
        QMouseEvent(QMouseEvent.Type.MouseMove, at, losses.mapToGlobal(at), button, button, Qt.KeyboardModifier(0))
    )
    assert losses.reading().splitlines()[0] == "step 30"
    value = view.curves.phase.losses["loss"].values[29]
    assert losses.reading().splitlines()[1] == f"loss {value:.3g}"
    qtbot.keyClick(losses, Qt.Key.Key_Right)
    assert losses.reading().splitlines()[0] == "step 31"
    assert losses.accessibleDescription().startswith("step 31, loss")


def test_curves_can_be_chosen_smoothed_and_put_on_a_log_scale(shown, learned, until):
    view = shown(learned)
    losses, controls = view.curves.plots["losses"].view, view.curves.controls
    until(lambda: losses.drawn is not None)
    assert not losses.drawn.spec.log
    controls.log.setChecked(True)
    until(lambda: losses.drawn.spec.log)
    controls.smoothing.setValue(0)
    until(lambda: losses.drawn.spec.smoothing == 1.0)
    actions = {action.data(): action for action in controls.terms_menu.actions()}
    actions["matching"].setChecked(False)
    until(lambda: [curve.name for curve in losses.drawn.spec.curves] == ["loss", "distillation"])
    rate = view.curves.plots["learning rate"].view
    assert not rate.isVisible()
    actions["learning rate"].setChecked(True)
    until(lambda: rate.isVisible() and rate.drawn is not None)


def test_of_many_measures_the_one_that_counts_is_drawn_first_and_one_term_is_no_second_line(shown, make_run, until):
    names = ("i2t_r1", "i2t_r5", "i2t_r10", "t2i_r1", "rsum")
    phase = PhaseStarted(phase="network", n_done=0, n_steps=2, n_epochs=1, watched="rsum")
    steps = [
        Stepped(phase="network", epoch=1, step=step, n_steps=2, losses={"loss": 1.0, "info-nce": 1.0},
                learning_rate=0.1, items_per_s=1.0)
        for step in (1, 2)
    ]  # fmt: skip
    epoch = EpochFinished(phase="network", epoch=1, metrics=dict.fromkeys(names, 10.0), best=True)
    view = shown(make_run("many", [BEGAN, phase, *steps, epoch, finished()]))
    losses, metrics = (view.curves.plots[name].view for name in ("losses", "metrics"))
    until(lambda: losses.drawn is not None and metrics.drawn is not None)
    assert [curve.name for curve in losses.drawn.spec.curves] == ["loss"]
    assert [curve.name for curve in metrics.drawn.spec.curves] == ["rSum"]
    action = next(each for each in view.curves.controls.terms_menu.actions() if each.data() == "t2i_r1")
    assert not action.isChecked()
    action.setChecked(True)
    until(lambda: len(metrics.drawn.spec.curves) == 2)


def test_a_run_that_never_came_to_a_step_says_so(shown, make_run):
    view = shown(make_run("none", [BEGAN, FAILED]))
    assert view.curves.plots["losses"].view.accessibleDescription() == "No step was made."


def test_curves_grow_at_most_twice_a_second(shown, control, make_run, fake_run, until):
    run = make_run("growing", [BEGAN, *list(fake_run.events(n_epochs=4, n_steps=10))[:12]])
    with hold(run):
        view = shown(run)
        losses = view.curves.plots["losses"].view
        until(lambda: losses.drawn is not None and control.lives(run.path))
        until(lambda: not view.curves._pace.isActive())
        asked = []
        draw = view.curves._artist.draw
        view.curves._artist.draw = lambda key, make: (asked.append(key), draw(key, make))
        for _ in range(5):
            control.run_changed.emit(run.path)
        assert len(asked) == 1  # the losses; nothing else is there yet
        assert view.curves._behind
        until(lambda: len(asked) == 2)  # what came meanwhile is drawn, once
        assert not view.curves._behind


def test_what_is_not_seen_is_not_drawn(shown, learned, until, control):
    view = shown(learned)
    until(lambda: view.curves.plots["losses"].view.drawn is not None and not view.curves._pace.isActive())
    view.tabs.setCurrentWidget(view.log)
    asked = []
    view.curves._artist.draw = lambda key, make: asked.append(key)
    control.run_changed.emit(learned.path)
    assert asked == []


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_curves_are_exported_as_a_figure(shown, learned, until, tmp_path, ending):
    view = shown(learned)
    said = []
    view.said.connect(said.append)
    until(lambda: view.curves.plots["losses"].view.drawn is not None)
    path = tmp_path / f"losses.{ending}"
    view.curves.export(path, view.curves._spec_of("losses", 400, 240, paper=True))
    until(lambda: said)
    assert said == [f"The figure was saved as {path}."]
    assert path.stat().st_size > 1000


def test_a_figure_that_cannot_be_written_is_one_sentence(shown, learned, until, tmp_path):
    view = shown(learned)
    until(lambda: view.curves.plots["losses"].view.drawn is not None)
    view.curves.export(tmp_path / "losses.gif", view.curves._spec_of("losses", 400, 240, paper=True))
    until(lambda: view.window().notices.shown)
    assert view.window().notices.shown.text.startswith("losses.gif does not say what kind of file it is to be.")


def test_queries_show_their_pictures_rank_and_how_it_changed(shown, learned, until, jpegs):
    view = shown(learned)
    view.tabs.setCurrentWidget(view.queries)
    rows = [row for row in view.queries.rows if row.isVisible()]
    assert [row.sentence.text() for row in rows][:2] == list(_sentences(learned))[:2]
    state = view._training.state(learned.path)
    now, before = (answered.queries[0].rank for answered in (state.answered[-1], state.answered[-2]))
    assert now < before
    assert rows[0].rank.text() == f"rank {now} of 1,000, was {before}"
    until(lambda: not any(image.isNull() for row in rows for _, image in row.strip.pictures))
    assert len(rows[0].strip.pictures) == len(jpegs)


def _sentences(run):
    from explorer.runs.journal import JournalReader

    answered = [event for event in JournalReader(run.journal_path).read() if hasattr(event, "queries")]
    return (query.text for query in answered[-1].queries)


def test_a_picture_that_is_gone_leaves_an_empty_place(shown, learned, until):
    (learned.pictures_path / "a.jpg").unlink()
    (learned.pictures_path / "b.jpg").write_bytes(b"no picture")
    view = shown(learned)
    view.tabs.setCurrentWidget(view.queries)
    row = view.queries.rows[0]
    until(lambda: not row.strip.pictures[2][1].isNull())
    assert [image.isNull() for _, image in row.strip.pictures[:3]] == [True, True, False]


def test_bits_say_how_many_divide_the_items(shown, learned, make_run):
    view = shown(learned)
    assert view.tabs.isTabVisible(view.tabs.indexOf(view.bits))
    view.tabs.setCurrentWidget(view.bits)
    assert view.bits.sentence.text().endswith("for nearly all.")
    bars = view.bits.bars
    assert len(bars.shares) == 16
    assert bars.bit_at(bars.width() - 3) == 15
    assert bars.bit_at(2) == -1
    assert bars.bit_text(0) == "Bit 1: set in 50 % of the items"
    shown(make_run("no bits", [BEGAN, RunStopped()]))
    assert not view.tabs.isTabVisible(view.tabs.indexOf(view.bits))
    assert view.tabs.currentWidget() is view.curves


def test_log_and_recipe_can_be_copied(shown, learned):
    view = shown(learned)
    view.tabs.setCurrentWidget(view.log)
    lines = view.log.text.toPlainText().splitlines()
    assert lines[0].endswith("Training runs on CPU, 1 thread.")
    assert "3shnet-flickr8k was written" in lines[-1]
    view.log.copy.click()
    assert QGuiApplication.clipboard().text().splitlines() == lines
    view.tabs.setCurrentWidget(view.settings)
    view.settings.copy.click()
    assert QGuiApplication.clipboard().text() == learned.recipe_path.read_text()


# --- several ----------------------------------------------------------------------------------------------------------


def test_several_runs_are_compared(opened, control, make_run, fake_run, until):
    runs = [make_run(name, [BEGAN, *fake_run.events(n_epochs=2, n_steps=5), RunStopped()]) for name in ("one", "two")]
    until(lambda: all(run.path in control.paths() and control.state(run.path).log for run in runs))
    opened.show_run(runs[0].path)
    assert not opened.compare.isEnabled()
    opened.list.selectAll()
    assert opened.compare.isEnabled()
    assert opened.stack.currentWidget() is opened.comparison
    opened.list.select(runs[1].path)
    assert opened.stack.currentWidget() is opened.view
    assert opened.view.path == runs[1].path


def test_a_row_says_what_is_so(opened, control, make_run, fake_run, until):
    name = "a name " * 40
    run = make_run(name, [BEGAN, *fake_run.events(n_epochs=2, n_steps=5), RunStopped()])
    until(lambda: run.path in control.paths() and control.state(run.path).log)
    item = opened.list.item(0)
    spoken = item.data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken.startswith(f"{name.strip()}, TVDB, Stopped in epoch 2 of 2, best 13.3, ")


def test_deleting_asks_first(opened, control, make_run, until, qtbot):
    run = make_run("old", [BEGAN, RunStopped()])
    until(lambda: run.path in control.paths() and control.state(run.path).log)
    opened.show_run(run.path)
    qtbot.keyClick(opened.list, Qt.Key.Key_Delete)
    (box,) = boxes()
    assert box.text() == "Delete the run of old?"
    press("Cancel")
    assert run.path.exists()
    opened.view.header.delete.click()
    press("Delete")
    until(lambda: control.paths() == ())
    assert not run.path.exists()
    assert opened.stack.currentWidget() is opened.page


def test_what_is_refused_is_said_in_the_window(opened, control):
    control.refused.emit("The disk is full. Make room.")
    assert opened.notices.shown.text == "The disk is full. Make room."
    assert opened.notices.shown.serious


def test_the_menu_of_a_run_offers_what_can_be_done(opened, control, make_run, until):
    stopped, over = make_run("stopped", [BEGAN, RunStopped()]), make_run("over", [BEGAN, finished()])
    until(lambda: all(r.path in control.paths() and control.state(r.path).log for r in (stopped, over)))

    def offered(*runs):
        return {action.text(): action.isEnabled() for action in opened.list.menu_for(runs).actions() if action.text()}

    rest = {"Stop": False, "Train again with other settings…": True, "Delete…": True}
    assert offered(stopped.path) == {"Go on": True, **rest}
    assert offered(over.path) == {"Go on": False, **rest}
    assert list(offered(stopped.path, over.path)) == ["Compare them"]


# --- for everybody ----------------------------------------------------------------------------------------------------


def test_every_control_has_a_name_and_a_place_in_the_tab_order(shown, learned, until):
    view = shown(learned)
    window = view.window()
    until(lambda: view.curves.plots["metrics"].view.drawn is not None)
    controls = [
        widget for widget in window.findChildren(QWidget)
        if widget.isVisible() and widget.isEnabled() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
    ]
    named = [w for w in controls if w.accessibleName() or (isinstance(w, QAbstractButton) and w.text().strip())]
    assert [w for w in controls if w not in named] == []
    reached = []
    window.new.setFocus()
    while (now := window.focusWidget()) not in reached:
        reached.append(now)
        window.focusNextChild()
    assert [w for w in controls if w not in reached and w.focusProxy() not in reached] == []
    order = [window.new, window.list, view.header.change, view.tabs.tabBar(), view.curves.controls.log]
    places = [reached.index(w) for w in order]
    assert places == sorted(places)


def test_a_question_takes_the_harmless_answer_by_enter(qtbot):
    parent, answers = QWidget(), []
    qtbot.addWidget(parent)
    parent.show()
    stop, keep = ("Stop", lambda: answers.append("stop")), ("Keep", lambda: answers.append("keep"))
    box = ask(parent, "Go?", "", (stop,), harmless=keep)
    assert box.defaultButton().text() == "Keep"
    box.close()
    box = ask(parent, "Go?", "", (stop,))
    assert box.defaultButton().text().replace("&", "") == "Cancel"
    box.close()
    assert answers == []


def test_a_run_is_listed_within_a_listing(control, make_run, until):
    assert LIST_S <= 1.0
    run = make_run("from elsewhere", [BEGAN, RunStopped()])
    until(lambda: run.path in control.paths())
    until(lambda: control.state(run.path).status is RunStatus.STOPPED)

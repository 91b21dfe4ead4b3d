"""A run in a process: what its journal says, whatever happens to it."""

import errno
import json
import threading

import numpy as np
import pytest
import torch

from explorer.cancellation import Cancelled
from explorer.errors import ConfigError, DatasetError, StorageFullError
from explorer.protocol.runs import (
    EpochFinished,
    Finished,
    KeepBest,
    Noted,
    Paused,
    PauseRun,
    PhaseStarted,
    Progressed,
    Resumed,
    ResumeRun,
    RunBegan,
    RunFailed,
    RunStopped,
    Saved,
    Stepped,
    StopRun,
    Waited,
)
from explorer.runs import alive
from explorer.runs.alive import hold, is_alive
from explorer.runs.folder import create_run, open_run
from explorer.runs.journal import JournalReader
from explorer.runs.layout import RunFolder
from explorer.runs.orders import give
from explorer.runs.records import RecordWriter
from explorer.runs.turn import end_turn, take_turn
from explorer.training import trainer
from explorer.training.running import RunCall, run_trainer

RECIPE = b"""
task = "tvdb"
name = "tiny"
[dataset]
annotations = "photos.json"
[labels]
file = "labels.json"
[training]
batch_size = 48
"""


@pytest.fixture
def run(tmp_path):
    return create_run(tmp_path / "runs", "tiny", RECIPE, task="tvdb", title="Tiny", recipe_folder=tmp_path)


@pytest.fixture
def train_as(monkeypatch):
    """Let the training itself be this generator of events; it is given the token."""

    def put(work):
        monkeypatch.setattr(trainer, "train", lambda *_, token, **__: work(token))

    return put


def begin(run, **settings):
    call = {"run": run, "runs_folder": run.path.parent, "search_folders": [], "own_process": False, **settings}
    return run_trainer(RunCall(**call))


def journal(run):
    return JournalReader(run.journal_path).read()


def stepped(step, n_steps=8):
    return Stepped(phase="network", epoch=1, step=step, n_steps=n_steps, losses={"loss": 1.0 / step},
                   learning_rate=0.1, items_per_s=10.0)  # fmt: skip


def steps(token):
    """A phase of eight steps, which looks at its token before each."""
    yield PhaseStarted(phase="network", n_done=0, n_steps=8, n_epochs=1, watched="rsum")
    for step in range(1, 9):
        token.check()
        yield stepped(step)
    yield EpochFinished(phase="network", epoch=1, metrics={"rsum": 3.0}, best=True)
    yield Finished(path=b"/models/tiny", metrics={"rsum": 3.0}, epoch=1)


def test_the_journal_has_all_from_the_first_word_to_the_last(run, train_as):
    train_as(steps)
    shown = []
    outcome = begin(run, device="cpu", show=shown.append)
    assert isinstance(outcome, Finished)
    events = journal(run)
    assert events == shown
    assert [type(event) for event in events] == [RunBegan, PhaseStarted, *[Stepped] * 8, EpochFinished, Finished]
    assert all(event.at_s > 0 for event in events)
    assert (events[0].run, events[0].device, events[0].n_ranks) == (run.name, "CPU", 1)
    assert (run.path / "steps.csv").read_text().count("\n") == 9
    assert not is_alive(run)


def test_threads_are_as_many_as_when_the_run_began(run, train_as, monkeypatch):
    train_as(steps)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    begin(run)
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    begin(run)
    assert [event.n_threads for event in journal(run) if isinstance(event, RunBegan)] == [3, 3]


def test_a_run_is_trained_by_one_process_at_a_time(run, train_as, monkeypatch):
    monkeypatch.setattr(alive, "_PATIENCE_S", 0.1)
    train_as(steps)
    with hold(run), pytest.raises(ConfigError, match="is being trained already"):
        begin(run)
    assert not journal(run)  # what the other process writes is not disturbed


@pytest.mark.timeout(120)
def test_orders_pause_resume_and_stop(run, train_as):
    """Each order is given once what came before it has happened."""
    train_as(steps)

    def show(event):
        match event:
            case Stepped(step=2):
                give(run, PauseRun())
                run_waits.set()
            case Paused():
                give(run, ResumeRun())
            case Resumed():
                give(run, StopRun())

    run_waits = threading.Event()

    def endless(token):
        yield PhaseStarted(phase="network", n_done=0, n_steps=8, n_epochs=1)
        step = 0
        while True:
            token.check()
            step += 1
            if step <= 2:
                yield stepped(step)
            elif token.rested_s:
                threading.Event().wait(0.001)

    train_as(endless)
    outcome = begin(run, show=show)
    assert isinstance(outcome, RunStopped)
    assert [type(event) for event in journal(run)] == [
        RunBegan, PhaseStarted, Stepped, Stepped, Paused, Resumed, RunStopped]  # fmt: skip


@pytest.mark.timeout(120)
def test_the_best_epoch_is_asked_for_too_early_and_again_in_time(run, train_as):
    def work(token):
        yield PhaseStarted(phase="features", n_done=0, n_steps=2, n_epochs=1)
        yield Progressed(message="features", n_done=1, n_total=2)
        while not noted.is_set():
            token.check()
        token.can_keep = True
        yield EpochFinished(phase="network", epoch=1, metrics={}, best=True)
        while not token.wants_best:
            token.check()
        yield Finished(path=b"x", metrics={}, epoch=1, early=True)

    noted = threading.Event()

    def show(event):
        if isinstance(event, Progressed | EpochFinished):
            give(run, KeepBest())
        if isinstance(event, Noted):
            noted.set()

    train_as(work)
    outcome = begin(run, show=show)
    assert (outcome.epoch, outcome.early) == (1, True)
    kinds = [type(event) for event in journal(run)]
    assert kinds == [RunBegan, PhaseStarted, Progressed, Noted, EpochFinished, Finished]


def test_a_run_without_epochs_says_so_to_whoever_wants_the_best_one(tmp_path, train_as):
    run = create_run(tmp_path / "runs", "p", RECIPE, task="pooled", title="", recipe_folder=tmp_path)

    def work(token):
        token.take(KeepBest())
        yield Finished(path=b"x", metrics={})

    train_as(work)
    begin(run)
    assert [event.text for event in journal(run) if isinstance(event, Noted)] == [
        "This recipe has no epochs: its model is made in one go, which goes on."
    ]


def test_a_stop_between_two_events_reaches_the_work_which_keeps_what_it_has(run, train_as):
    def work(token):
        try:
            yield stepped(1)
        except Cancelled:
            yield Saved(phase="network", step=1)

    def show(event):
        if isinstance(event, Stepped):
            raise Cancelled  # as a signal does just then

    train_as(work)
    outcome = begin(run, show=show)
    assert isinstance(outcome, RunStopped)
    assert [type(event) for event in journal(run)] == [RunBegan, Stepped, Saved, RunStopped]


def test_a_stop_that_comes_after_the_last_event_comes_too_late(run, train_as):
    def show(event):
        if isinstance(event, Finished):
            raise Cancelled  # as a signal does just then

    train_as(steps)
    assert isinstance(begin(run, show=show), Finished)
    assert isinstance(journal(run)[-1], Finished)


@pytest.mark.timeout(120)
def test_a_queued_run_waits_for_the_one_that_trains_and_can_be_stopped_meanwhile(run, train_as, tmp_path):
    train_as(steps)
    other = create_run(tmp_path / "runs", "before", RECIPE, task="tvdb", title="", recipe_folder=tmp_path)
    assert take_turn(tmp_path / "runs")
    end_turn(tmp_path / "runs")

    def show(event):
        if isinstance(event, Waited):
            give(run, StopRun())

    description = json.loads(other.description_path.read_text())
    other.description_path.write_text(json.dumps(description | {"made_at": 1.0}))
    with hold(other):
        outcome = begin(run, queued=True, show=show)
    assert isinstance(outcome, RunStopped)
    assert [type(event) for event in journal(run)] == [Waited, RunStopped]
    assert journal(run)[0].behind == other.name


# --- what ends a run ------------------------------------------------------------------------------------------------


def fails_with(error, phase="network"):
    def work(token):
        yield PhaseStarted(phase=phase, n_done=0, n_steps=8, n_epochs=1)
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "kind", "message", "remedy"),
    [
        (MemoryError(), "OutOfMemory", "The memory ran out in the phase network", "batch_size = 24 in [training]"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), "OutOfMemory",
         "The memory ran out", "batch_size = 24"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate"), "OutOfMemory",
         "The accelerator's memory ran out", "batch_size = 24"),
        (np._core._exceptions._ArrayMemoryError((9,), np.dtype(float)), "OutOfMemory",
         "The memory ran out", "(it is 48)"),
        (OSError(errno.ENOSPC, "No space left on device", "/runs/x"), "StorageFullError",
         "The disk is full", "Free some"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "StorageFullError", "The disk is full", "go on with the run"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "/data/photo.jpg"), "ConfigError",
         "/data/photo.jpg cannot be used", "Put it back"),
        (DatasetError("The photo 3.jpg cannot be read.", "Repair it."), "DatasetError",
         "The photo 3.jpg", "Repair it."),
        (FloatingPointError("the loss became nan in epoch 2, step 3"), "TrainingDivergedError",
         "the loss became nan in epoch 2", "Lower the learning rate"),
        (RuntimeError("Connection closed by peer [127.0.0.1]:29500"), "OtherProcess", "Another process", "printed"),
    ],
)  # fmt: skip
def test_what_ends_a_run_is_a_sentence_that_says_what_to_change(run, train_as, error, kind, message, remedy):
    train_as(fails_with(error))
    outcome = begin(run)
    assert isinstance(outcome, RunFailed)
    assert journal(run)[-1] == outcome or journal(run)[-1].message == outcome.message
    assert outcome.kind == kind
    assert message in outcome.message
    assert remedy in outcome.remedy
    assert outcome.details == ""


def test_memory_that_ran_out_before_there_were_batches_names_no_batch(run, train_as):
    train_as(fails_with(MemoryError(), "features"))
    outcome = begin(run)
    assert "batch_size" not in outcome.remedy
    assert "Close other programs" in outcome.remedy


def test_anything_else_is_a_bug_with_its_details(run, train_as, capsys):
    train_as(fails_with(KeyError("odd")))
    outcome = begin(run)
    assert outcome.kind == "Bug"
    assert "KeyError" in outcome.message
    assert "fails_with" in outcome.details or "work" in outcome.details
    assert "Traceback" in capsys.readouterr().err  # the window's trainer keeps this in its log


def test_a_journal_that_cannot_be_written_ends_the_run(run, train_as, monkeypatch, capsys):
    append, full = RecordWriter.append, []

    def refuse(self, message):
        if isinstance(message, Stepped) or full:
            full.append(message)
            raise StorageFullError("The disk is full.", "Free some space.")
        append(self, message)

    monkeypatch.setattr(RecordWriter, "append", refuse)
    train_as(steps)
    outcome = begin(run)
    assert outcome.kind == "StorageFullError"
    assert isinstance(full[-1], RunFailed)
    assert [type(event) for event in journal(run)] == [RunBegan, PhaseStarted]
    assert "The disk is full" in capsys.readouterr().err  # the last word that can still be said


def test_a_run_of_a_newer_version_is_refused(run, train_as):
    train_as(steps)
    description = json.loads(run.description_path.read_text())
    run.description_path.write_text(json.dumps(description | {"schema_version": 99}))
    with pytest.raises(ConfigError, match="newer version"):
        open_run(run.path)
    with pytest.raises(ConfigError, match="newer version"):
        begin(RunFolder(run.path))
    assert not journal(run)

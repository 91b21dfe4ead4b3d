"""Threads of the window's process: every exception arrives, ``finished`` always comes, nobody is forgotten."""

import gc
import threading

import pytest
from PySide6.QtCore import QCoreApplication, QObject, Slot

from explorer.errors import EngineError
from explorer.gui.worker import EngineWorker, Job, running_workers


class Odd(BaseException):
    """Not even an Exception."""


class Receiver(QObject):
    def __init__(self):
        super().__init__()
        self.heard = []

    @Slot(object)
    def done(self, value):
        self.heard.append(("done", value, threading.current_thread() is threading.main_thread()))

    @Slot(BaseException)
    def failed(self, error):
        self.heard.append(("failed", type(error), threading.current_thread() is threading.main_thread()))

    @Slot()
    def finished(self):
        self.heard.append(("finished",))


def run(call, until):
    receiver = Receiver()
    job = Job(call)
    job.done.connect(receiver.done)
    job.failed.connect(receiver.failed)
    job.finished.connect(receiver.finished)
    job.start()
    del job
    gc.collect()
    until(lambda: ("finished",) in receiver.heard)
    QCoreApplication.processEvents()
    assert running_workers() == 0
    return receiver.heard


def test_a_result_arrives_on_the_window_thread(qapp, until):
    assert run(lambda: 42, until) == [("done", 42, True), ("finished",)]


@pytest.mark.parametrize(
    "error", [ValueError, RuntimeError, MemoryError, KeyboardInterrupt, SystemExit, Odd, StopIteration]
)
def test_every_exception_type_arrives(qapp, until, error):
    def fail():
        raise error

    assert run(fail, until) == [("failed", error, True), ("finished",)]


def test_plain_functions_are_heard_too(qapp, until):
    """They go with the worker, which therefore must not go first."""
    for _ in range(20):
        heard = []
        job = Job(lambda: None)
        job.finished.connect(lambda heard=heard: heard.append(1))
        job.start()
        del job
        until(lambda heard=heard: heard)


def test_an_engine_that_is_not_there(qapp, until):
    receiver = Receiver()
    worker = EngineWorker(["/no/such/engine"])
    worker.failed.connect(receiver.failed)
    worker.finished.connect(receiver.finished)
    worker.start()
    until(lambda: ("finished",) in receiver.heard)
    assert receiver.heard == [("failed", EngineError, True), ("finished",)]


def test_an_engine_killed_before_it_was_started(qapp, until, fake_command):
    receiver = Receiver()
    worker = EngineWorker(fake_command())
    worker.finished.connect(receiver.finished)
    worker.kill()
    worker.start()
    until(lambda: receiver.heard)
    assert worker.join(2)

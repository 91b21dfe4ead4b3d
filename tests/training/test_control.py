"""What a run is told: it waits within the question whether it is to stop, and says so."""

import threading

import pytest

from explorer.cancellation import CancellationToken, Cancelled
from explorer.protocol.runs import KeepBest, Noted, Paused, PauseRun, Resumed, ResumeRun, Saved, StopRun
from explorer.training.control import RunToken, run_token


class Said(list):
    """What the token says; ``until(kind)`` waits for it in another thread."""

    def __init__(self):
        super().__init__()
        self._changed = threading.Condition()

    def __call__(self, event):
        with self._changed:
            self.append(event)
            self._changed.notify_all()

    def until(self, kind):
        with self._changed:
            assert self._changed.wait_for(lambda: any(isinstance(event, kind) for event in self), timeout=60)


def later(said, kind, act):
    """Do something in another thread once ``kind`` was said."""
    thread = threading.Thread(target=lambda: (said.until(kind), act()))
    thread.start()
    return thread


def test_a_paused_run_rests_within_the_question_and_keeps_first_what_it_has():
    said = Said()
    token = RunToken(said)
    token.before_rest = lambda: Saved(phase="network", step=3)
    token.take(PauseRun())
    thread = later(said, Paused, lambda: token.take(ResumeRun()))
    assert token.cancelled is False
    thread.join()
    assert [type(event) for event in said] == [Saved, Paused, Resumed]
    assert token.rested_s > 0


def test_a_stop_wakes_a_paused_run():
    said = Said()
    token = RunToken(said)
    token.take(PauseRun())
    thread = later(said, Paused, lambda: token.take(StopRun()))
    assert token.cancelled is True
    thread.join()
    assert [type(event) for event in said] == [Paused]


def test_a_pause_after_a_stop_changes_nothing():
    said = Said()
    token = RunToken(said)
    token.take(StopRun())
    token.take(PauseRun())
    assert token.cancelled is True
    assert said == []


def test_only_the_thread_that_works_rests():
    token = RunToken(Said())
    token.take(PauseRun())
    answers = []
    thread = threading.Thread(target=lambda: answers.append(token.cancelled))
    thread.start()
    thread.join(timeout=60)
    assert answers == [False]


def test_the_best_epoch_is_wanted_only_where_there_is_one():
    said = Said()
    token = RunToken(said)
    token.take(KeepBest())
    assert [type(event) for event in said] == [Noted]
    assert "no finished epoch" in said[0].text
    assert not token.wants_best
    token.can_keep = True
    token.take(KeepBest())
    assert token.wants_best
    assert len(said) == 1


def test_keeping_wakes_a_paused_run():
    said = Said()
    token = RunToken(said)
    token.can_keep = True
    token.take(PauseRun())
    thread = later(said, Paused, lambda: token.take(KeepBest()))
    assert token.cancelled is False
    thread.join()
    assert token.wants_best


def test_an_interrupt_is_raised_once_and_never_where_something_is_held():
    token = RunToken(Said())
    with token.held():
        token.interrupt()
    assert token.cancelled
    token.interrupt()  # what was said once is known
    token = RunToken(Said())
    with pytest.raises(Cancelled):
        token.interrupt()
    token = RunToken(Said())
    token.can_leave = False
    token.interrupt()
    assert token.cancelled


def test_a_plain_token_is_heard_through_one_of_a_run():
    plain = CancellationToken()
    token = run_token(plain)
    assert not token.cancelled
    plain.cancel()
    assert token.cancelled
    assert run_token(token) is token

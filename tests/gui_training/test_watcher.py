"""The thread that follows journals: what it hands over, and that it only reads."""

import os

import pytest

from explorer.gui.training.watcher import Watcher
from explorer.protocol.runs import Noted, RunBegan
from explorer.runs.alive import hold
from explorer.runs.journal import JournalWriter
from explorer.runs.state import RunStatus


@pytest.fixture
def watcher(qapp, tmp_path, until):
    """One that follows the runs of this test, and what it said."""
    watching = Watcher(tmp_path / "runs")
    watching.lists, watching.news = [], []
    watching.listed.connect(watching.lists.append)
    watching.came.connect(lambda news: watching.news.extend(news))
    ended = []
    watching.finished.connect(lambda: ended.append(True))
    watching.start()
    yield watching
    watching.stop()
    until(lambda: ended)


def test_a_folder_that_is_not_there_has_no_runs(watcher, until):
    until(lambda: watcher.lists)
    assert watcher.lists == [()]
    assert watcher.news == []


def test_what_was_written_before_comes_as_one_state(make_run, fake_run, watcher, until):
    make_run("old", [*fake_run.events(n_epochs=2, n_steps=50)])
    watcher.look_now()
    until(lambda: watcher.news)
    (new,) = watcher.news
    assert not new.alive
    assert new.events == ()
    assert new.n_events == 4 + 1 + 100 + 2 * 3
    assert new.state.status is RunStatus.WAITING  # what it means that no process lives is for whoever started it to say
    assert len(new.state.losses["loss"]) == 100


def test_what_is_written_later_comes_as_events_and_nothing_comes_twice(make_run, watcher, until, qtbot):
    run = make_run("new", [RunBegan(run="new", pid=1, device="CPU", n_threads=1)])
    with hold(run):
        watcher.look_now()
        until(lambda: watcher.news)
        assert watcher.news[0].alive
        journal = JournalWriter(run.journal_path)
        for n in range(3):
            journal.append(Noted(text=f"sentence {n}"))
            until(lambda n=n: sum(len(new.events) for new in watcher.news) == n + 1)
        journal.close()
    assert [event.text for new in watcher.news for event in new.events] == ["sentence 0", "sentence 1", "sentence 2"]
    until(lambda: not watcher.news[-1].alive)
    n_news = len(watcher.news)
    watcher.look_now()
    qtbot.wait(50)
    assert len(watcher.news) == n_news


def test_half_an_event_waits_for_its_other_half(make_run, watcher, until):
    run = make_run("torn", [Noted(text="whole"), Noted(text="in two halves")])
    content = run.journal_path.read_bytes()
    run.journal_path.write_bytes(content[:-7])
    watcher.look_now()
    until(lambda: watcher.news)
    assert watcher.news[0].n_events == 1
    with run.journal_path.open("ab") as file:
        file.write(content[-7:])
    watcher.look_now()
    until(lambda: len(watcher.news) > 1)
    assert [event.text for event in watcher.news[1].events] == ["in two halves"]


def test_a_run_that_is_deleted_is_listed_no_more(make_run, watcher, until):
    run = make_run("going")
    watcher.look_now()
    until(lambda: watcher.lists and len(watcher.lists[-1]) == 1)
    for path in run.path.iterdir():
        path.unlink()
    run.path.rmdir()
    watcher.look_now()
    until(lambda: watcher.lists[-1] == ())


def test_a_damaged_run_is_listed_with_its_problem_and_not_followed(make_run, watcher, until):
    run = make_run("damaged")
    (run.path / "run.json").write_text('{"schema_version": 99}')
    watcher.look_now()
    until(lambda: watcher.lists and watcher.lists[-1])
    assert "newer version" in watcher.lists[-1][0].problem
    assert watcher.news == []


def test_it_writes_nothing(make_run, fake_run, watcher, until):
    run = make_run("read only", [*fake_run.events(n_epochs=1, n_steps=2)])
    before = {path.name: path.stat().st_mtime_ns for path in run.path.iterdir()}
    watcher.look_now()
    until(lambda: watcher.news)
    assert {path.name: path.stat().st_mtime_ns for path in run.path.iterdir()} == before
    assert os.listdir(run.path.parent) == [run.path.name]

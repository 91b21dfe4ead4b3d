"""Runs wait for each other."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from explorer.cancellation import CancellationToken, Cancelled
from explorer.runs import turn
from explorer.runs.alive import hold
from explorer.runs.layout import RunFolder
from explorer.runs.turn import end_turn, take_turn, wait_for_turn

Make = Callable[[str], RunFolder]

_WAIT = """
import sys
from pathlib import Path
from explorer.cancellation import CancellationToken
from explorer.runs.alive import hold
from explorer.runs.layout import RunFolder
from explorer.runs.turn import wait_for_turn
run = RunFolder(Path(sys.argv[1]))
with hold(run):
    print("held", flush=True)
    wait_for_turn(run, run.path.parent, CancellationToken(), lambda name: print("behind " + name, flush=True))
    print("trains", flush=True)
    sys.stdin.read()
"""


class Waiting:
    """A run that waits in a process of its own."""

    def __init__(self, run: RunFolder) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-c", _WAIT, str(run.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.line() == "held"

    def line(self) -> str:
        assert self._child.stdout is not None
        return self._child.stdout.readline().strip()

    def kill(self) -> None:
        self._child.kill()
        self._child.communicate()


@pytest.fixture
def waiting() -> Iterator[Callable[[RunFolder], Waiting]]:
    all_of_them: list[Waiting] = []

    def wait(run: RunFolder) -> Waiting:
        all_of_them.append(Waiting(run))
        return all_of_them[-1]

    yield wait
    for child in all_of_them:
        child.kill()


@pytest.fixture(autouse=True)
def own_turn_is_given_back(runs_folder: Path) -> Iterator[None]:
    yield
    end_turn(runs_folder)


def made_at(run: RunFolder, when: float) -> RunFolder:
    table = json.loads(run.description_path.read_text())
    run.description_path.write_text(json.dumps(table | {"made_at": when}))
    return run


def no_word(name: str) -> None:
    raise AssertionError(f"it waits for {name}")


def test_a_run_that_is_alone_goes_at_once(run: RunFolder, runs_folder: Path, make_run: Make) -> None:
    made_at(make_run("dead"), 1.0)  # older, but nobody trains it
    with hold(run):
        wait_for_turn(run, runs_folder, CancellationToken(), no_word)
        wait_for_turn(run, runs_folder, CancellationToken(), no_word)  # it still is


def test_the_oldest_goes_first_and_each_says_whom_it_waits_for(
    make_run: Make, runs_folder: Path, waiting: Callable[[RunFolder], Waiting]
) -> None:
    first, second, third = (made_at(make_run(name), when) for when, name in enumerate("cab", start=1))
    trains = waiting(first)
    assert trains.line() == "trains"
    youngest, next_one = waiting(third), waiting(second)
    assert next_one.line() == f"behind {first.name}"
    assert youngest.line() in (f"behind {first.name}", f"behind {second.name}")
    trains.kill()
    assert next_one.line() == "trains"
    next_one.kill()
    lines = [youngest.line()]
    if lines == [f"behind {second.name}"]:
        lines.append(youngest.line())
    assert lines[-1] == "trains"


def test_an_older_run_that_is_gone_on_with_lets_the_one_that_trains_end(
    make_run: Make, runs_folder: Path, waiting: Callable[[RunFolder], Waiting]
) -> None:
    older, younger = made_at(make_run("older"), 1.0), made_at(make_run("younger"), 2.0)
    trains = waiting(younger)
    assert trains.line() == "trains"
    gone_on_with = waiting(older)
    assert gone_on_with.line() == f"behind {younger.name}"
    trains.kill()
    assert gone_on_with.line() == "trains"


def test_a_run_that_did_not_queue_is_waited_for(
    run: RunFolder, runs_folder: Path, make_run: Make, waiting: Callable[[RunFolder], Waiting]
) -> None:
    with hold(run):
        assert take_turn(runs_folder)
        older = waiting(made_at(make_run("older"), 1.0))
        assert older.line() == f"behind {run.name}"
        end_turn(runs_folder)
    assert older.line() == "trains"
    assert not take_turn(runs_folder)


def test_waiting_can_be_stopped(run: RunFolder, runs_folder: Path, make_run: Make) -> None:
    older = made_at(make_run("older"), 1.0)
    token = CancellationToken()
    said: list[str] = []

    def stop_then(name: str) -> None:
        said.append(name)
        threading.Timer(0.05, token.cancel).start()

    with hold(older), hold(run), pytest.raises(Cancelled):
        wait_for_turn(run, runs_folder, token, stop_then)
    assert said == [older.name]
    assert turn._turns == {}

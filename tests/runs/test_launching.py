"""Starting trainers that outlive their starter."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from explorer.errors import ConfigError
from explorer.protocol.runs import StopRun
from explorer.runs.launching import log_tail, start_trainer, trainer_command
from explorer.runs.layout import RunFolder
from explorer.runs.orders import OrderReader, give

_WAIT_S = 20.0


def until(true: Callable[[], bool]) -> None:
    limit = time.monotonic() + _WAIT_S
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.02)


def test_a_trainer_is_a_process_of_its_own_that_writes_to_the_log(run: RunFolder) -> None:
    run.log_path.write_text("of an earlier one\n")
    say = "import os, sys; print(sys.argv[1:], os.getsid(0), sys.stdin.read() == ''); print('!', file=sys.stderr)"
    pid = start_trainer(run, [sys.executable, "-c", say])
    until(lambda: log_tail(run).endswith("!"))
    first, told, _ = log_tail(run).splitlines()
    assert first == "of an earlier one"
    assert told.startswith(f"['--resume', '{run.path}', '--queued'] ")
    assert told.endswith(" True")  # it reads nothing
    session = int(told.split()[-2])
    assert session != psutil.Process().pid
    until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).ppid() != psutil.Process().pid)


def test_a_trainer_is_nobodys_child_and_leaves_nothing_behind(run: RunFolder) -> None:
    pid = start_trainer(run, [sys.executable, "-c", "import sys, time; time.sleep(60)"])
    try:
        trainer = psutil.Process(pid)
        assert trainer.is_running()
        assert pid not in [child.pid for child in psutil.Process().children(recursive=True)]
        assert not [child for child in psutil.Process().children() if child.status() == psutil.STATUS_ZOMBIE]
    finally:
        psutil.Process(pid).kill()


def test_what_was_ordered_before_is_forgotten(run: RunFolder) -> None:
    give(run, StopRun())
    start_trainer(run, [sys.executable, "-c", ""])
    assert OrderReader(run, from_start=True).read() == []


def test_a_program_that_is_not_there_is_a_sentence(run: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be started"):
        start_trainer(run, [str(tmp_path / "no python")])


def test_a_run_that_is_gone_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        start_trainer(RunFolder(tmp_path / "gone"), [sys.executable])


def test_the_command_is_this_installations_own(tmp_path: Path) -> None:
    command = trainer_command(tmp_path)
    assert command[0] == sys.executable
    assert command[-3:] == ["--data-dir", str(tmp_path), "train"]


def test_only_the_end_of_a_long_log_is_read(run: RunFolder) -> None:
    assert log_tail(run) == ""
    run.log_path.write_bytes(b"\xff" + b"x" * 10_000 + b"\nthe end\n")
    assert log_tail(run, 20).endswith("x\nthe end")
    assert len(log_tail(run, 20)) <= 20

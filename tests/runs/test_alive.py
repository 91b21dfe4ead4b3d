"""Whether a run is being trained."""

import subprocess
import threading
from collections.abc import Callable

import pytest
from filelock import FileLock

from explorer.errors import ConfigError
from explorer.runs import alive
from explorer.runs.alive import hold, is_alive
from explorer.runs.layout import RunFolder

Hold = Callable[[RunFolder], "subprocess.Popen[bytes]"]


def test_a_run_lives_while_it_is_held(run: RunFolder) -> None:
    assert not is_alive(run)
    with hold(run):
        assert is_alive(run)
    assert not is_alive(run)


def test_a_killed_trainer_is_dead_at_once(run: RunFolder, trainer_elsewhere: Hold) -> None:
    child = trainer_elsewhere(run)
    assert is_alive(run)
    child.kill()
    child.wait()
    assert not is_alive(run)


def test_a_run_is_trained_once(run: RunFolder, trainer_elsewhere: Hold, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alive, "_PATIENCE_S", 0.2)
    trainer_elsewhere(run)
    with pytest.raises(ConfigError, match="is being trained already"), hold(run):
        pass


def test_being_looked_at_does_not_keep_a_trainer_from_starting(run: RunFolder) -> None:
    looked_at = FileLock(run.alive_path, thread_local=False)
    looked_at.acquire()
    threading.Timer(0.1, looked_at.release).start()
    with hold(run):
        assert is_alive(run)


def test_two_who_look_at_a_dead_run_do_not_see_each_other(run: RunFolder) -> None:
    with hold(run):
        pass
    seen: list[bool] = []
    threads = [threading.Thread(target=lambda: seen.extend(is_alive(run) for _ in range(50))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 200
    assert not any(seen)


def test_a_folder_that_is_gone_is_dead_and_cannot_be_held(run: RunFolder) -> None:
    run.recipe_path.unlink()
    run.description_path.unlink()
    run.path.rmdir()
    assert not is_alive(run)
    with pytest.raises(ConfigError, match="cannot be written"), hold(run):
        pass

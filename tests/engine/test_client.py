"""The engine process as its client sees it."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from explorer import protocol
from explorer.engine.client import STDERR_TAIL_BYTES, EngineProcess, engine_command
from explorer.errors import EngineError

FAKE = str(Path(__file__).resolve().parents[1] / "helpers" / "fake_engine.py")
CHECKOUT = Path(__file__).resolve().parents[2]


def start(*options: str) -> EngineProcess:
    return EngineProcess([sys.executable, FAKE, *options], env={**os.environ, "PYTHONPATH": str(CHECKOUT)})


def test_answers_come_in_order_and_none_at_the_end():
    engine = start()
    engine.send(protocol.Hello(id=1))
    engine.send(protocol.ListModels(id=2))
    welcome, models = engine.read(), engine.read()
    assert isinstance(welcome, protocol.Welcome)
    assert welcome.pid == engine.pid
    assert isinstance(models, protocol.ModelList)
    assert models.id == 2
    engine.send(protocol.Shutdown(id=3))
    assert engine.read() is None
    assert engine.wait(60) == 0
    engine.close()


def test_a_closed_input_ends_the_engine():
    engine = start()
    engine.close(timeout_s=60)  # it is still starting, and a slow machine takes its time
    assert engine.returncode == 0


def test_kill_unblocks_a_reader():
    engine = start("--mute")
    engine.send(protocol.Hello(id=1))
    seen = []
    reader = threading.Thread(target=lambda: seen.append(engine.read()))
    reader.start()
    engine.kill()
    reader.join(5)
    assert seen == [None]
    assert engine.wait(60) == -signal.SIGKILL
    with pytest.raises(EngineError, match="has stopped"):
        engine.send(protocol.Hello(id=2))
    engine.close()


def test_terminate_ends_it():
    engine = start()
    engine.send(protocol.Hello(id=1))
    engine.read()
    engine.terminate()
    assert engine.wait(60) == -signal.SIGTERM
    engine.close()


def test_the_tail_of_standard_error_is_kept_and_bounded():
    code = "import sys; sys.stderr.write('x' * 3_000_000 + ' the end'); sys.exit(5)"
    engine = EngineProcess([sys.executable, "-c", code])
    assert engine.wait(60) == 5  # it could not have ended if nobody drained the pipe
    assert engine.stderr_tail().endswith("the end")
    assert len(engine.stderr_tail()) == STDERR_TAIL_BYTES
    engine.close()


def test_a_command_that_is_not_there_is_a_sentence():
    with pytest.raises(EngineError, match="cannot be started"):
        EngineProcess(["/no/such/program"])


def test_printing_to_standard_output_is_a_sentence():
    engine = start("--garbage")
    with pytest.raises(EngineError, match="not in the expected form"):
        engine.read()
    engine.kill()
    engine.close()


def test_the_default_command_runs_this_installation(tmp_path):
    command = engine_command(tmp_path)
    assert command == [sys.executable, "-m", "explorer", "--data-dir", str(tmp_path), "engine", "--stdio"]


def test_the_client_is_light():
    code = (
        "import explorer.engine.client, explorer.session, explorer.settings, sys; "
        "sys.stderr.write(str([m for m in ('torch', 'cv2', 'faiss', 'av', 'PIL', 'PySide6') if m in sys.modules]))"
    )
    engine = EngineProcess([sys.executable, "-c", code])
    engine.wait(60)
    assert engine.stderr_tail() == "[]"
    engine.close()

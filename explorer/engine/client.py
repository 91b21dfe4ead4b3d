"""How to reach the engine: a child process that is spoken to over its standard input and output."""

import contextlib
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from explorer.errors import EngineError
from explorer.protocol import Answer, Request, read_message, write_message

STDERR_TAIL_BYTES = 16_384
"""How much of what the engine printed is kept; enough for the longest traceback, bounded for a chatty library."""

_STDERR_CHUNK = 4096


def engine_command(data_dir: Path) -> list[str]:
    """The command that starts the engine of this installation on this machine."""
    return [sys.executable, "-m", "explorer", "--data-dir", str(data_dir), "engine", "--stdio"]


class EngineProcess:
    """One engine, from its start to its end.

    ``send`` may be called from one thread while another one is blocked in ``read``; ``terminate``, ``kill`` and
    ``stderr_tail`` from any. The child gets a session of its own, so that Ctrl-C in the terminal reaches the window
    only; it ends by itself when its standard input does.

    Attributes:
        command: what was started.
    """

    def __init__(self, command: Sequence[str], *, env: Mapping[str, str] | None = None) -> None:
        self.command = tuple(command)
        try:
            self._child = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=None if env is None else dict(env),
                start_new_session=sys.platform != "win32",
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            raise EngineError(
                f"The engine cannot be started ({error.strerror or error}).",
                f"Check that {self.command[0]} is there and may be run.",
            ) from error
        self._decoder: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
        self._tail = _Tail(_pipe(self._child.stderr))

    def send(self, request: Request) -> None:
        """Write one request; blocks while the engine does not read.

        Raises:
            EngineError: the engine is gone.
        """
        try:
            write_message(_pipe(self._child.stdin), request)
        except (OSError, ValueError) as error:  # a broken pipe, or a pipe that was closed meanwhile
            raise EngineError("The engine has stopped.", "It is started again by itself.") from error

    def read(self) -> Answer | None:
        """The next answer, waiting for it; ``None`` once the engine has ended.

        Raises:
            EngineError: what came is not a message.
        """
        try:
            return read_message(_pipe(self._child.stdout), self._decoder)
        except (OSError, ValueError):
            return None

    def close_input(self) -> None:
        """Tell the engine that nothing more will be asked; it then ends by itself."""
        with contextlib.suppress(OSError):  # it was gone already, with requests still in the buffer
            _pipe(self._child.stdin).close()

    def terminate(self) -> None:
        """Ask the operating system to end the engine; it may still tidy up."""
        self._child.terminate()

    def kill(self) -> None:
        """End the engine at once; the library's transactions keep it whole."""
        self._child.kill()

    def wait(self, timeout_s: float | None = None) -> int | None:
        """The exit status, or ``None`` if the engine still runs after ``timeout_s``."""
        try:
            return self._child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def close(self, timeout_s: float = 2.0) -> None:
        """End the engine, gently first, and give back its pipes."""
        self.close_input()
        if self.wait(timeout_s) is None:
            self.kill()
            self.wait()
        self._tail.join(timeout_s)
        _pipe(self._child.stdout).close()

    @property
    def pid(self) -> int:
        """The process id on this machine."""
        return self._child.pid

    @property
    def returncode(self) -> int | None:
        """The exit status; ``None`` while it runs; negative: the signal that ended it."""
        return self._child.poll()

    def stderr_tail(self) -> str:
        """The last :data:`STDERR_TAIL_BYTES` bytes of what the engine printed to its standard error."""
        if self._child.poll() is not None:
            self._tail.join(1.0)  # what was printed last is what explains the end
        return self._tail.text()


class _Tail:
    """Reads a stream to its end and keeps the last bytes; a full pipe would stop the engine."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._kept = bytearray()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._drain, name="engine stderr", daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        with self._stream:
            while chunk := self._stream.read1(_STDERR_CHUNK):  # type: ignore[attr-defined]
                with self._lock:
                    self._kept += chunk
                    del self._kept[:-STDERR_TAIL_BYTES]

    def join(self, timeout_s: float) -> None:
        self._thread.join(timeout_s)

    def text(self) -> str:
        with self._lock:
            return self._kept.decode("utf-8", "replace")


def _pipe(stream: object) -> BinaryIO:
    assert stream is not None  # all three are pipes
    return stream  # type: ignore[return-value]

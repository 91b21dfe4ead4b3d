"""The only threads of the window's process: they read from and write to one engine, or do one small job.

Rules: signals live in a QObject that was made on the window's thread and are connected there before ``start``; every
exception arrives whatever its type (PyTorch reports out-of-memory as ``RuntimeError``); ``finished`` always comes, last
and once; until then the worker is referenced from here, so Python cannot collect it under the thread.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot

from explorer.errors import EngineError
from explorer.protocol import Message, Request

if TYPE_CHECKING:
    from explorer.engine.client import EngineProcess

_running: set["Worker"] = set()


class Worker(QObject):
    """A thread with signals.

    Signals:
        failed(BaseException): the work raised.
        finished(): the work is over, however it went.
    """

    failed = Signal(BaseException)
    finished = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin; connect everything before."""
        # Connected last, so that it is heard last: with the worker go the connections of everybody who still waits.
        self.finished.connect(self._forget, Qt.ConnectionType.QueuedConnection)
        _running.add(self)
        self._thread.start()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread; whether it has ended."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def work(self) -> None:
        """What the thread does; overridden."""
        raise NotImplementedError

    def _run(self) -> None:
        try:
            self.work()
        except BaseException as error:  # noqa: BLE001 - every type must arrive
            self.failed.emit(error)
        finally:
            self.finished.emit()

    @Slot()
    def _forget(self) -> None:
        _running.discard(self)


class Job(Worker):
    """One call in a thread.

    Signals:
        done(object): what the call returned.
    """

    done = Signal(object)

    def __init__(self, call: Callable[[], object]) -> None:
        super().__init__("job")
        self._call = call

    def work(self) -> None:
        """Make the call."""
        self.done.emit(self._call())


class EngineWorker(Worker):
    """One engine: starts it, reads from it in one thread and writes to it in another.

    The writer has a thread because a pasted photo is larger than a pipe: writing it from the window's thread would
    freeze the window until an engine that still imports its libraries comes to reading.

    Signals:
        answered(Message): an answer.
    """

    answered = Signal(Message)

    def __init__(self, command: Sequence[str]) -> None:
        super().__init__("engine reader")
        self._command = tuple(command)
        self._process: EngineProcess | None = None
        self._outbox: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._stopped = False
        self._details = ""

    def send(self, request: Request) -> None:
        """Queue a request; returns at once, and does nothing if the engine is gone."""
        self._outbox.put(request)

    def finish_input(self) -> None:
        """After what is queued, close the engine's input: it ends by itself."""
        self._outbox.put(None)

    def kill(self) -> None:
        """End the engine at once."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.kill()

    @property
    def details(self) -> str:
        """What the engine printed last and how it ended; for a report, once ``finished`` has come."""
        return self._details

    def work(self) -> None:
        """Start the engine and read it to its end."""
        from explorer.engine.client import EngineProcess  # here for the start-up time, and in this thread

        with self._lock:
            if self._stopped:
                return
            self._process = EngineProcess(self._command)
        process = self._process
        writer = threading.Thread(target=self._write, args=(process,), name="engine writer", daemon=True)
        writer.start()
        try:
            while (answer := process.read()) is not None:
                self.answered.emit(answer)
        except EngineError:
            process.kill()  # it speaks something else and may never end by itself
            raise
        finally:
            self._outbox.put(None)
            process.close()
            writer.join()
            self._details = f"{process.stderr_tail()}\nThe engine ended with status {process.returncode}.".strip()

    def _write(self, process: "EngineProcess") -> None:
        while (request := self._outbox.get()) is not None:
            try:
                process.send(request)
            except EngineError:
                return  # the reader sees the end too, and says so
            except BaseException as error:  # noqa: BLE001 - every type must arrive
                self.failed.emit(error)
                return
        process.close_input()


def running_workers() -> int:
    """How many workers have not finished; for tests and for closing."""
    return len(_running)

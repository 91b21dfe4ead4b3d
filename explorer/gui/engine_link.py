"""Keeps one engine running for the window: starts it, ends it, and says when it has ended by itself."""

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal, Slot

from explorer.errors import UserFacingError
from explorer.gui.worker import EngineWorker
from explorer.protocol import Message, Request

CLOSE_TIMEOUT_S = 3.0
"""How long a closing window waits, hidden, for the engine to finish what is committed."""


class EngineLink(QObject):
    """The present engine.

    Signals:
        answered(Message): an answer of the present engine; one of an earlier engine is never passed on.
        ended(str): the engine has ended though nobody closed the link; with details for a report.
    """

    answered = Signal(Message)
    ended = Signal(str)

    def __init__(self, command: Sequence[str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._command = tuple(command)
        self._worker: EngineWorker | None = None
        self._problem = ""

    def start(self) -> None:
        """Start an engine; returns at once. Requests may be sent from now on."""
        self._problem = ""
        worker = EngineWorker(self._command)
        worker.answered.connect(self._pass_on)
        worker.failed.connect(self._note_problem)
        worker.finished.connect(self._tell_end)
        self._worker = worker
        worker.start()

    def send(self, request: Request) -> None:
        """Queue a request for the present engine."""
        if self._worker is not None:
            self._worker.send(request)

    def kill(self) -> None:
        """End the present engine at once; ``ended`` follows."""
        if self._worker is not None:
            self._worker.kill()

    def close(self) -> None:
        """End the engine for good: gently, and after :data:`CLOSE_TIMEOUT_S` at once. Nothing is told afterwards."""
        worker, self._worker = self._worker, None
        if worker is None:
            return
        for signal, slot in (
            (worker.answered, self._pass_on), (worker.failed, self._note_problem), (worker.finished, self._tell_end),
        ):
            signal.disconnect(slot)
        worker.finish_input()
        if not worker.join(CLOSE_TIMEOUT_S):
            worker.kill()
            worker.join(CLOSE_TIMEOUT_S)

    @Slot(Message)
    def _pass_on(self, answer: Message) -> None:
        if self.sender() is self._worker:
            self.answered.emit(answer)

    @Slot(BaseException)
    def _note_problem(self, error: BaseException) -> None:
        if isinstance(error, UserFacingError):
            self._problem = str(error)
        else:
            self._problem = f"{type(error).__name__}: {error}"
        if self._worker is not None:
            self._worker.kill()  # it may still run, speaking something that is not the protocol

    @Slot()
    def _tell_end(self) -> None:
        worker = self._worker
        if worker is None or self.sender() is not worker:
            return
        self._worker = None
        self.ended.emit("\n".join(part for part in (self._problem, worker.details) if part))

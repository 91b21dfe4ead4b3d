"""What a run would take: a trainer that makes some real steps, says what it measured, and ends."""

import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from explorer.errors import UserFacingError
from explorer.gui.worker import Worker
from explorer.protocol.runs import Estimated, RunFailed
from explorer.runs.folder import create_run
from explorer.runs.journal import JournalReader
from explorer.runs.launching import trainer_command
from explorer.runs.layout import RunFolder

_TAIL = 800


class Estimate(Worker):
    """One estimate, in a run's folder that is gone afterwards.

    Signals:
        told(Estimated | RunFailed): what came of it; not after :meth:`stop`.
    """

    told = Signal(object)

    def __init__(self, data_dir: Path, recipe: bytes, recipe_folder: Path, device: str) -> None:
        super().__init__("estimate")
        self._data_dir, self._recipe, self._recipe_folder, self._device = data_dir, recipe, recipe_folder, device
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._stopped = False

    def stop(self) -> None:
        """It is not wanted any more. From any thread."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.kill()

    def work(self) -> None:
        """Let a trainer measure, and read what it says."""
        folder = Path(tempfile.mkdtemp(prefix="retrieval-explorer-estimate-"))
        try:
            told = self._measure(folder)
        except UserFacingError as error:
            told = RunFailed(message=error.message, remedy=error.remedy, kind=type(error).__name__)
        except OSError as error:
            told = RunFailed(message=f"Nothing could be measured ({error.strerror or error}).", kind="OSError")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if not self._stopped:
            self.told.emit(told)

    def _measure(self, folder: Path) -> Estimated | RunFailed:
        run = create_run(
            folder, "estimate", self._recipe, task="", title="", recipe_folder=self._recipe_folder, device=self._device
        )
        with self._lock:
            if self._stopped:
                return RunFailed(message="Stopped.")
            self._process = process = subprocess.Popen(
                [*trainer_command(self._data_dir), "--resume", str(run.path), "--estimate"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                start_new_session=sys.platform != "win32", creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )  # fmt: skip
        printed = process.communicate()[0].decode("utf-8", "replace")
        return _last_word(run, printed)


def _last_word(run: RunFolder, printed: str) -> Estimated | RunFailed:
    """What the trainer measured, or why it could not."""
    for event in reversed(JournalReader(run.journal_path).read()):
        if isinstance(event, Estimated | RunFailed):
            return event
    lines = printed.strip().splitlines()
    return RunFailed(
        message="Nothing could be measured." if not lines else lines[-1], kind="Died", details=printed[-_TAIL:]
    )


class Estimating(QObject):
    """What is asked before a run; the latest question counts.

    Signals:
        estimated(Estimated | RunFailed | None): what a run would take; None: it is being measured, or was stopped.
    """

    estimated = Signal(object)

    def __init__(self, data_dir: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._data_dir = data_dir
        self._estimate: Estimate | None = None

    @property
    def estimating(self) -> bool:
        """Whether an estimate is under way."""
        return self._estimate is not None

    def estimate(self, recipe: bytes, *, recipe_folder: Path, device: str) -> None:
        """Measure some real steps in a process of its own; ``estimated`` says what came of it."""
        self._forget()
        self._estimate = Estimate(self._data_dir, recipe, recipe_folder, device)
        self._estimate.told.connect(self._take)
        self._estimate.start()
        self.estimated.emit(None)

    def stop_estimating(self) -> None:
        """The estimate is not wanted any more."""
        if self._estimate is not None:
            self._forget()
            self.estimated.emit(None)

    def _forget(self) -> None:
        estimate, self._estimate = self._estimate, None
        if estimate is not None:
            estimate.told.disconnect(self._take)
            estimate.stop()

    @Slot(object)
    def _take(self, told: object) -> None:
        self._estimate = None
        self.estimated.emit(told)

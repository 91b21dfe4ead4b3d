"""A run's numbers for other programs: tables (CSV) and TensorBoard, beside the journal and from the same events.

::

    steps.csv        a row for each Stepped: at_s, phase, epoch, step, learning_rate, ..., then each loss by name
    epochs.csv       a row for each EpochFinished: at_s, phase, epoch, step, best, then each metric by name
    tensorboard/     a folder for each phase, which TensorBoard lists as a run of its own: steps count anew in each

A phase that is resumed does steps again that were told of already: their rows are cut, and TensorBoard is told to
forget them.
"""

import csv
import io
import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.proto.summary_pb2 import Summary

from explorer.protocol.runs import EpochFinished, PhaseStarted, RunEvent, Stepped
from explorer.runs.failures import written
from explorer.runs.layout import RunFolder

_STEP_COLUMNS = (
    "at_s", "phase", "epoch", "step", "learning_rate", "items_per_s", "memory_mb", "device_memory_mb",
)  # fmt: skip
_EPOCH_COLUMNS = ("at_s", "phase", "epoch", "step", "best")

_FLUSH_EVERY_S = 5.0
"""Their library waits for the disk each time, which takes long on some."""

Row = Mapping[str, object]


class RunLogs:
    """Writes the tables and the TensorBoard files of one run.

    Rows are in the tables when :meth:`take` returns, a killed process or not; what is for TensorBoard follows within
    seconds.
    """

    def __init__(self, run: RunFolder) -> None:
        """``run``: its earlier tables, if there are any, are gone on with."""
        self._steps = _Table(run.path / "steps.csv", _STEP_COLUMNS)
        self._epochs = _Table(run.path / "epochs.csv", _EPOCH_COLUMNS)
        self._tensorboard = run.path / "tensorboard"
        self._board: _Board | None = None
        self._phase = PhaseStarted(phase="", n_done=0, n_steps=0, n_epochs=0)

    def take(self, event: RunEvent) -> None:
        """Write what an event holds of numbers; most hold none.

        Raises
        ------
        StorageFullError, ConfigError
            it cannot be written.
        """
        at_s = event.at_s or time.time()
        match event:
            case PhaseStarted():
                self._begin(event)
            case Stepped():
                measured = {
                    "learning_rate": event.learning_rate, "items_per_s": event.items_per_s,
                    "memory_mb": event.memory_mb, "device_memory_mb": event.device_memory_mb,
                }  # fmt: skip
                place = {"at_s": at_s, "phase": event.phase, "epoch": event.epoch, "step": event.step}
                self._steps.append(place | measured | _apart(event.losses, _STEP_COLUMNS))
                losses = {f"losses/{name}": value for name, value in event.losses.items()}
                self._tell(at_s, event.step, losses | {f"training/{name}": n for name, n in measured.items()})
            case EpochFinished():
                step = self._last_step_of(event.epoch)
                row = {"at_s": at_s, "phase": event.phase, "epoch": event.epoch, "step": step,
                       "best": int(event.best)}  # fmt: skip
                self._epochs.append(row | _apart(event.metrics, _EPOCH_COLUMNS))
                self._tell(at_s, step, {f"validation/{name}": value for name, value in event.metrics.items()})

    def close(self) -> None:
        """Give the files back."""
        if self._board is not None:
            self._board.close()
            self._board = None

    def _begin(self, started: PhaseStarted) -> None:
        self._phase = started

        def stays(row: Mapping[str, str]) -> bool:
            return row["phase"] != started.phase or int(row["step"]) <= started.n_done

        self._steps.keep(stays)
        self._epochs.keep(stays)
        self.close()

    def _tell(self, at_s: float, step: int, values: Mapping[str, float]) -> None:
        if self._board is None:
            self._board = _Board(self._tensorboard / self._phase.phase, forget_after=self._phase.n_done)
        self._board.write(at_s, step, values)

    def _last_step_of(self, epoch: int) -> int:
        n_steps, n_epochs = self._phase.n_steps, self._phase.n_epochs
        return epoch * n_steps // n_epochs if n_steps and n_epochs else epoch


def _apart(values: Mapping[str, float], taken: Iterable[str]) -> dict[str, float]:
    """The values, named so that they do not fall together with columns that are always there."""
    taken = frozenset(taken)
    return {f"{name}_value" if name in taken else name: value for name, value in values.items()}


class _Table:
    """A CSV file that rows are appended to; a value of a new name makes it anew with one column more."""

    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        self._path = path
        with written(path):
            self._columns = self._read_columns() or columns

    def append(self, row: Row) -> None:
        """Add a row; columns that it lacks stay empty."""
        with written(self._path):
            if new := [name for name in row if name not in self._columns]:
                rows = self._read()
                self._columns += tuple(new)
                self._write(rows)
            elif not self._path.exists():
                self._write(())
            with self._path.open("a", encoding="utf-8", newline="") as file:
                file.write(self._lines([row]))

    def keep(self, stays: Callable[[Mapping[str, str]], bool]) -> None:
        """Cut the rows that do not stay, and those that are torn."""
        with written(self._path):
            if self._path.exists():
                self._write([row for row in self._read() if stays(row)])

    def _read_columns(self) -> tuple[str, ...]:
        try:
            with self._path.open(encoding="utf-8", newline="") as file:
                return tuple(next(csv.reader(file), ()))
        except FileNotFoundError:
            return ()

    def _read(self) -> list[dict[str, str]]:
        if not self._path.exists():
            return []
        with self._path.open(encoding="utf-8", errors="replace", newline="") as file:
            rows = list(csv.DictReader(file))
        return [row for row in rows if None not in row and None not in row.values() and row["step"].isdigit()]

    def _write(self, rows: Iterable[Row]) -> None:
        partial = self._path.with_suffix(".partial")
        partial.write_text(",".join(self._columns) + "\n" + self._lines(rows), encoding="utf-8", newline="")
        partial.replace(self._path)

    def _lines(self, rows: Iterable[Row]) -> str:
        content = io.StringIO()
        csv.DictWriter(content, self._columns, restval="", lineterminator="\n").writerows(rows)
        return content.getvalue()


class _Board:
    """TensorBoard's file of one phase. Written at once: its own writer's thread would block training on a full disk."""

    def __init__(self, folder: Path, *, forget_after: int) -> None:
        with written(folder):
            folder.mkdir(parents=True, exist_ok=True)
            n_before = len(list(folder.iterdir()))
            # Names hold the second: those of one second are told apart by what follows.
            self._file = EventsWriter(str(folder / "events"), f".{n_before:04d}.{os.getpid()}")
            self._folder = folder
            if n_before:
                start = SessionLog(status=SessionLog.START)
                self._file.write_event(Event(step=forget_after + 1, session_log=start))
            self._file.flush()
        self._flushed_s = time.monotonic()

    def write(self, at_s: float, step: int, values: Mapping[str, float]) -> None:
        parts = [Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
        with written(self._folder):
            self._file.write_event(Event(wall_time=at_s, step=step, summary=Summary(value=parts)))
            if time.monotonic() - self._flushed_s > _FLUSH_EVERY_S:
                self._file.flush()
                self._flushed_s = time.monotonic()

    def close(self) -> None:
        with written(self._folder):
            self._file.close()

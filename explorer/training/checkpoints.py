"""How far a phase is, and how that is kept on disk so that nothing but the steps since then can be lost."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch

from explorer.errors import ConfigError, UserFacingError
from explorer.training.run_directory import RunDirectory, read_checkpoint, write_checkpoint


class TrainingDivergedError(UserFacingError):
    """The loss, or a weight, is no number any more."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a phase is.

    Attributes:
        epoch: epochs done, with their measurement.
        step: steps done of the next one; all of them where it is yet to be measured.
        best_epoch: the best so far, from 1; 0 where none is done.
        best_value: of the watched metric then.
        kept: whether it was asked to end with the best epoch.
    """

    epoch: int = 0
    step: int = 0
    best_epoch: int = 0
    best_value: float = -math.inf
    kept: bool = False

    @property
    def is_best(self) -> bool:
        """Whether the phase stands exactly at the end of its best epoch."""
        return self.step == 0 and 0 < self.best_epoch == self.epoch


class Checkpoints:
    """The checkpoints of one phase.

    The last one becomes that of the best epoch by being renamed, just before a newer one is written. A process that is
    killed in between leaves the best one only, which then is the last: training goes on from there.
    """

    def __init__(self, run: RunDirectory, phase: str, *, keep_best: bool) -> None:
        self._path, self._best_path = run.checkpoint_path(phase), run.best_path(phase)
        self._keep_best = keep_best
        self._last: Mark | None = None
        self.note = ""

    def restore(self) -> tuple[Mark, dict[str, Any]] | None:
        """Where the phase was and its state; None where nothing is kept.

        Where the last checkpoint cannot be read, that of the best epoch takes its place, and :attr:`note` says so.

        Raises
        ------
        ConfigError
            no checkpoint can be read.
        """
        try:
            found = read_checkpoint(self._path) or read_checkpoint(self._best_path)
        except ConfigError:
            found = self._older()
            if found is None:
                raise
            self._path.unlink(missing_ok=True)  # or it would take the place of the good one
            self.note = f"{self._path.name} cannot be read; the run goes on from epoch {found['epoch']}, its best one."
        if found is None:
            return None
        mark = Mark(**{name: found[name] for name in Mark.__dataclass_fields__ if name in found})
        self._last = mark
        return mark, found["state"]

    def save(self, mark: Mark, state: Mapping[str, Any]) -> bool:
        """Keep this; False where it is kept already.

        Raises
        ------
        StorageFullError, ConfigError
            it cannot be written; the one before is still there.
        """
        if mark == self._last:
            return False
        if self._keep_best and self._last is not None and self._last.is_best and self._path.is_file():
            self._path.replace(self._best_path)
        write_checkpoint(self._path, {**asdict(mark), "state": dict(state)})
        self._last = mark
        return True

    def best_state(self, mark: Mark) -> dict[str, Any]:
        """The phase's state at the end of its best epoch.

        Raises
        ------
        ConfigError
            it is not there, or cannot be read.
        """
        for path in (self._path, self._best_path):
            found = read_checkpoint(path)
            if found is not None and (found["epoch"], found["step"]) == (mark.best_epoch, 0):
                state: dict[str, Any] = found["state"]
                return state
        raise ConfigError(
            f"The checkpoint of epoch {mark.best_epoch}, the best one, is gone.",
            "Begin the run again, or set patience = 0 in [stopping] for the last epoch.",
        )

    def _older(self) -> dict[str, Any] | None:
        try:
            return read_checkpoint(self._best_path)
        except ConfigError:
            return None


def check_numbers(state: Mapping[str, Any]) -> None:
    """See that every tensor holds numbers, so that no checkpoint is spoilt.

    Raises
    ------
    TrainingDivergedError
        one does not.
    """
    waiting: list[Any] = [state]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Mapping):
            waiting.extend(part.values())
        elif isinstance(part, list | tuple):
            waiting.extend(part)
        elif isinstance(part, torch.Tensor) and part.is_floating_point() and bool(torch.isnan(part).any()):
            raise TrainingDivergedError(
                "A weight of the network is no number any more.",
                "Lower the learning rate in the recipe and begin again.",
            )

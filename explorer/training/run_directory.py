"""What training itself keeps in a run's folder: the last checkpoint of each phase, and that of its best epoch.

The folder as a whole is described in :mod:`explorer.runs`.

::

    runs/3shnet-flickr8k-20261122-061500/
      tail.checkpoint          last checkpoint of each phase; tensors and plain values, read with ``weights_only=True``
      network.checkpoint
      network.best.checkpoint  that of the best epoch so far, where it is not the last
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import torch

from explorer.errors import ConfigError
from explorer.runs.failures import written
from explorer.runs.layout import RunFolder


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """One run on disk.

    Attributes:
        folder: its folder, which exists.
    """

    folder: Path

    @property
    def recipe_path(self) -> Path:
        """The recipe as it was when the run was made."""
        return RunFolder(self.folder).recipe_path

    def checkpoint_path(self, phase: str) -> Path:
        """Last checkpoint of a phase."""
        return self.folder / f"{phase}.checkpoint"

    def best_path(self, phase: str) -> Path:
        """Checkpoint of a phase's best epoch, where that is not the last."""
        return self.folder / f"{phase}.best.checkpoint"

    @property
    def pictures_path(self) -> Path:
        """Folder of small pictures of what fixed queries found."""
        return RunFolder(self.folder).pictures_path


def write_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """Replace a checkpoint at once, so that a killed process leaves the old one or the new one.

    Raises
    ------
    StorageFullError
        the disk is full; the old one is still there.
    ConfigError
        it cannot be written there.
    """
    partial = path.with_suffix(".partial")
    with written(path):
        try:
            with partial.open("wb") as file:
                _save(content, file)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except OSError:
            partial.unlink(missing_ok=True)
            raise


def read_checkpoint(path: Path) -> dict[str, Any] | None:
    """What a checkpoint holds; None if there is none.

    Raises
    ------
    ConfigError
        it cannot be read.
    """
    if not path.is_file():
        return None
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ConfigError(
            f"The checkpoint {path.name} cannot be read.", "Delete it; the run then begins this phase anew."
        ) from error
    return content


def _save(content: dict[str, Any], file: BinaryIO) -> None:
    """Write; what the disk says against it is an OSError, which PyTorch makes another error of."""
    watched = _Watched(file)
    try:
        torch.save(content, cast("BinaryIO", watched))
    except RuntimeError:
        if watched.trouble is None:
            raise
        raise watched.trouble from None


class _Watched:
    """A file that remembers why it could not be written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.trouble: OSError | None = None

    def write(self, content: bytes) -> int:
        """As the file's own."""
        try:
            return self._file.write(content)
        except OSError as error:
            self.trouble = error
            raise

    def flush(self) -> None:
        """As the file's own."""
        self._file.flush()

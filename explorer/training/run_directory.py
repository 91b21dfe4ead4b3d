"""The folder of one training run: its recipe, its log and its checkpoints.

::

    runs/3shnet-flickr8k-20261122-061500/
      recipe.toml        the recipe as it was when the run began
      tail.checkpoint    last checkpoint of each phase; tensors and plain values, read with ``weights_only=True``
      network.checkpoint
      features/          what the tuned tail gives for every photo; safe to delete
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from explorer.errors import ConfigError


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """One run on disk.

    Attributes:
        folder: its folder, which exists.
    """

    folder: Path

    @property
    def recipe_path(self) -> Path:
        """The recipe as it was when the run began."""
        return self.folder / "recipe.toml"

    def checkpoint_path(self, phase: str) -> Path:
        """Last checkpoint of a phase."""
        return self.folder / f"{phase}.checkpoint"

    def save(self, phase: str, state: dict[str, Any]) -> Path:
        """Replace a phase's checkpoint at once, so that a killed process leaves the old one or the new one."""
        path = self.checkpoint_path(phase)
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        return path

    def load(self, phase: str) -> dict[str, Any] | None:
        """Last checkpoint of a phase, or None if it has none yet.

        Raises
        ------
        ConfigError
            it cannot be read.
        """
        path = self.checkpoint_path(phase)
        if not path.is_file():
            return None
        try:
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:
            raise ConfigError(
                f"The checkpoint {path.name} cannot be read.", "Delete it; the run then begins this phase anew."
            ) from error
        return state


def begin_run(runs_folder: Path, name: str, recipe: bytes) -> RunDirectory:
    """Make the folder of a new run; its name carries the date and the time.

    Raises
    ------
    ConfigError
        the folder cannot be made.
    """
    stem = f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    folder = runs_folder / stem
    try:
        n = 1
        while folder.exists():
            n += 1
            folder = runs_folder / f"{stem}-{n}"
        folder.mkdir(parents=True)
        (folder / "recipe.toml").write_bytes(recipe)
    except OSError as error:
        raise ConfigError(
            f"The run's folder {folder} cannot be made: {error.strerror or error}.", "Choose another data folder."
        ) from error
    return RunDirectory(folder)


def open_run(folder: Path) -> RunDirectory:
    """An earlier run to go on with.

    Raises
    ------
    ConfigError
        the folder is no run.
    """
    run = RunDirectory(folder)
    if not run.recipe_path.is_file():
        raise ConfigError(f"{folder} is no training run.", "Name the folder that the run printed when it began.")
    return run

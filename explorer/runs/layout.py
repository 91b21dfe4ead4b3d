"""Where in a run's folder things are."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One run on disk.

    Attributes:
        path: its folder.
    """

    path: Path

    @property
    def name(self) -> str:
        """The folder's name, by which runs are told apart."""
        return self.path.name

    @property
    def description_path(self) -> Path:
        """What the run is; missing in runs of before it was written."""
        return self.path / "run.json"

    @property
    def recipe_path(self) -> Path:
        """The recipe as it was when the run was made."""
        return self.path / "recipe.toml"

    @property
    def journal_path(self) -> Path:
        """What the trainer says."""
        return self.path / "journal"

    @property
    def orders_path(self) -> Path:
        """What the trainer is told."""
        return self.path / "orders"

    @property
    def alive_path(self) -> Path:
        """Locked by the process that trains."""
        return self.path / "alive"

    @property
    def log_path(self) -> Path:
        """What the trainer's process printed."""
        return self.path / "trainer.log"

    @property
    def pictures_path(self) -> Path:
        """Folder of small pictures of the fixed queries' results."""
        return self.path / "pictures"

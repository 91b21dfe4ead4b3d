"""The places on disk. ``--data-dir`` overrides all of them at once."""

from dataclasses import dataclass
from pathlib import Path

import platformdirs

_PACKAGE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are kept for one person.

    Attributes:
        data_dir: the root; created when something is written.
    """

    data_dir: Path

    @property
    def library(self) -> Path:
        """The library that opens when none is named."""
        return self.data_dir / "library"

    @property
    def models(self) -> Path:
        """Packages the person trained or imported."""
        return self.data_dir / "models"

    @property
    def runs(self) -> Path:
        """Training runs: checkpoints, logs."""
        return self.data_dir / "runs"

    @property
    def features(self) -> Path:
        """Features that training cached; safe to delete."""
        return self.data_dir / "features"

    @property
    def settings_file(self) -> Path:
        """What the window remembers."""
        return self.data_dir / "settings.toml"

    @property
    def model_folders(self) -> tuple[Path, ...]:
        """Where packages are looked for: the person's own first, then those that came with the program."""
        return (self.models, shipped("models"))


def places(data_dir: Path | None = None) -> Places:
    """The places under ``data_dir``, or under the platform's folder for application data."""
    if data_dir is None:
        data_dir = Path(platformdirs.user_data_dir("retrieval-explorer", appauthor=False))
    return Places(data_dir.expanduser().absolute())


def shipped(folder: str) -> Path:
    """``models`` or ``resources`` as they came with the program: inside the wheel, else in the checkout."""
    in_wheel = _PACKAGE / "_shipped" / folder
    return in_wheel if in_wheel.is_dir() else _PACKAGE.parent / folder

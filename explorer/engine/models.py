"""Encoders that are in memory, and what happens when the device cannot hold one."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.packages.finding import resolve_package
from explorer.packages.package import ModelPackage

if TYPE_CHECKING:
    from explorer.networks.encoder import Encoder


class LoadedModels:
    """Loads each package once, on the wished device or, where that has no room, on the CPU.

    Attributes:
        device_wish: "auto", "cuda", "mps" or "cpu", as asked for.
    """

    def __init__(self, model_folders: Sequence[Path], *, device: str) -> None:
        self.device_wish = device
        self._model_folders = tuple(model_folders)
        self._encoders: dict[str, Encoder] = {}
        self._notice = ""
        self._lock = threading.Lock()

    def package(self, name: str) -> ModelPackage:
        """The package of this name, without loading it.

        Raises:
            PackageError: there is no such package, or it is damaged.
        """
        return resolve_package(name, self._model_folders)

    def get(self, name: str) -> "Encoder":
        """The encoder of this package; the first call loads it.

        Raises:
            PackageError: there is no such package, or it is damaged.
            DeviceError: the device does not exist here.
        """
        with self._lock:
            if name not in self._encoders:
                package = self.package(name)
                # Imported here, not at the top: torch takes seconds, and the engine greets the window before.
                from explorer.networks.registry import load_encoder

                encoder = load_encoder(package, search_folders=self._model_folders, device=self.device_wish)
                self._encoders[name] = encoder
                self._notice = getattr(encoder, "notice", "")
            return self._encoders[name]

    def take_notice(self) -> str:
        """A sentence about a fallback that nobody has been told yet, once."""
        notice, self._notice = self._notice, ""
        return notice

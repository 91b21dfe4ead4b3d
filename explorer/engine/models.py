"""Encoders that are in memory, which version of each is in use, and what happens when the device cannot hold one."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.packages.finding import resolve_package
from explorer.packages.package import ModelPackage

if TYPE_CHECKING:
    from explorer.networks.encoder import Encoder


@dataclass(frozen=True, slots=True)
class _Loaded:
    package: ModelPackage
    encoder: "Encoder"


class LoadedModels:
    """Loads each package once, on the wished device or, where that has no room, on the CPU.

    A package can be written anew under its name while its model is searched with. The version in memory stays in use,
    with the vectors that it made, until :meth:`take_over`; whoever makes new vectors asks for the newest.

    Attributes:
        device_wish: "auto", "cuda", "mps" or "cpu", as asked for.
    """

    def __init__(self, model_folders: Sequence[Path], *, device: str) -> None:
        self.device_wish = device
        self._model_folders = tuple(model_folders)
        self._in_use: dict[str, _Loaded] = {}
        self._newer: dict[str, _Loaded] = {}
        self._notice = ""
        self._loading = threading.Lock()

    def package(self, name: str) -> ModelPackage:
        """The package of this name that is in use, or would be; nothing is loaded.

        Raises:
            PackageError: there is no such package, or it is damaged.
        """
        loaded = self._in_use.get(name)
        return self.newest_package(name) if loaded is None else loaded.package

    def newest_package(self, name: str) -> ModelPackage:
        """The package of this name as it is on disk; raises as :meth:`package`."""
        return resolve_package(name, self._model_folders)

    def get(self, name: str) -> "Encoder":
        """The encoder in use of this name; the first call loads it.

        Raises:
            PackageError: there is no such package, or it is damaged.
            DeviceError: the device does not exist here.
        """
        loaded = self._in_use.get(name)
        if loaded is None:  # else nobody waits for another model that is being loaded
            with self._loading:
                loaded = self._in_use.get(name) or self._load(self.newest_package(name))
                self._in_use[name] = loaded
        return loaded.encoder

    def get_newest(self, name: str) -> "Encoder":
        """The encoder of the package as it is on disk, beside an older one in use; raises as :meth:`get`."""
        package = self.newest_package(name)
        if name not in self._in_use:
            self.get(name)
        with self._loading:
            loaded = self._known(name, package)
            if loaded is None:
                loaded = self._newer[name] = self._load(package)
        return loaded.encoder

    def take_over(self, name: str) -> "Encoder":
        """Use the newest version of this name from now on; raises as :meth:`get`."""
        encoder = self.get_newest(name)
        with self._loading:
            newer = self._newer.pop(name, None)
            if newer is not None and newer.encoder is encoder:
                self._in_use[name] = newer
        return encoder

    def borrow(self, name: str) -> "Encoder":
        """The newest encoder of this name for the caller alone, unless it is loaded anyway; raises as :meth:`get`.

        It is not kept: memory is free again when the caller lets it go.
        """
        package = self.newest_package(name)
        with self._loading:
            return (self._known(name, package) or self._load(package)).encoder

    def take_notice(self) -> str:
        """A sentence about a fallback that nobody has been told yet, once."""
        notice, self._notice = self._notice, ""
        return notice

    def _known(self, name: str, package: ModelPackage) -> _Loaded | None:
        """What is in memory of this very version."""
        both = (self._in_use.get(name), self._newer.get(name))
        return next((known for known in both if known and known.package.model_id == package.model_id), None)

    def _load(self, package: ModelPackage) -> _Loaded:
        # Imported here, not at the top: torch takes seconds, and the engine greets the window before.
        from explorer.networks.registry import load_encoder

        encoder = load_encoder(package, search_folders=self._model_folders, device=self.device_wish)
        self._notice = getattr(encoder, "notice", "")
        return _Loaded(package, encoder)

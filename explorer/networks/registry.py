"""Which code reads which family of model packages."""

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from explorer.errors import PackageError
from explorer.networks.encoder import Encoder
from explorer.packages.package import ModelPackage

_LOADERS = {
    "dsmhn": "explorer.networks.dsmhn.encoder",
    "ensemble": "explorer.networks.ensemble.encoder",
    "pooled": "explorer.networks.pooled.encoder",
    "three_shnet": "explorer.networks.three_shnet.encoder",
    "tvdb": "explorer.networks.tvdb.encoder",
}
"""Family to the module whose ``load`` reads its packages; a family is imported when its first package is loaded."""

FAMILIES = tuple(_LOADERS)


def load_encoder(package: ModelPackage, *, search_folders: Sequence[Path], device: str = "auto") -> Encoder:
    """Load a package so that it can encode and explain.

    search_folders: where the vision package it builds on is looked for.
    device: ``"auto"``, ``"cuda"``, ``"mps"`` or ``"cpu"``.

    Raises
    ------
    PackageError
        an unknown family, tensors that do not fit, or another vision package than the one it was trained on.
    DeviceError
        there is no such device.
    """
    family = package.manifest.family
    if family not in _LOADERS:
        raise PackageError(
            f"{package.name} is of the family {family}, which cannot encode pictures and sentences.",
            f"Known families: {', '.join(FAMILIES)}.",
        )
    load: Callable[..., Encoder] = import_module(_LOADERS[family]).load
    return load(package, search_folders=search_folders, device=device)

"""``models verify``: recompute a package's reference outputs and compare."""

from collections.abc import Sequence
from pathlib import Path

from explorer.errors import UserFacingError


def verify(name: str, search_folders: Sequence[Path]) -> list[str]:
    """What is wrong with this package; empty when all is well."""
    from explorer.networks.registry import verify_package
    from explorer.packages import resolve_package

    try:
        return verify_package(resolve_package(name, search_folders), search_folders=search_folders)
    except UserFacingError as error:
        return [str(error)]

"""Which model packages are there, and which one a name means."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from explorer.errors import PackageError
from explorer.packages.package import MANIFEST_FILE, ModelPackage, read_package


@dataclass(frozen=True, slots=True)
class FoundPackage:
    """A folder that should be a model package.

    Attributes:
        name: the package's name, or its folder's name where it cannot be read.
        package: None where it cannot be used.
        problem: why not, as a sentence; empty where it can.
    """

    name: str
    package: ModelPackage | None
    problem: str = ""


def find_packages(search_folders: Sequence[Path]) -> list[FoundPackage]:
    """All packages directly inside the given folders, by name; a broken one is listed with its problem.

    Of two with one name the one in the earlier folder counts. A folder that does not exist is passed over.
    """
    found: dict[str, FoundPackage] = {}
    for search_folder in search_folders:
        for folder in _subfolders(search_folder):
            entry = _look_at(folder)
            known = found.get(entry.name)
            # A sound package is never hidden by a broken one of the same name.
            if known is None or (known.package is None and entry.package is not None):
                found[entry.name] = entry
    return sorted(found.values(), key=lambda entry: entry.name)


def resolve_package(name_or_path: str, search_folders: Sequence[Path]) -> ModelPackage:
    """The package of this name in the search folders, else the one in the folder of this path.

    Raises
    ------
    PackageError
        the package is broken, or there is none; then the error lists the names that there are.
    """
    found = find_packages(search_folders)
    for entry in found:
        if entry.name == name_or_path:
            if entry.package is None:
                raise PackageError(f"The model {entry.name} cannot be used. {entry.problem}")
            return entry.package
    folder = Path(name_or_path)
    if _holds_manifest(folder):
        return read_package(folder)
    names = ", ".join(entry.name for entry in found if entry.package is not None)
    raise PackageError(
        f"There is no model called {name_or_path}.",
        f"Models here: {names}." if names else "No models were found at all.",
    )


def _holds_manifest(folder: Path) -> bool:
    try:
        return (folder / MANIFEST_FILE).is_file()
    except OSError:  # for example a name longer than a file name may be
        return False


def _look_at(folder: Path) -> FoundPackage:
    try:
        package = read_package(folder)
    except PackageError as error:
        return FoundPackage(folder.name, None, str(error))
    return FoundPackage(package.name, package)


def _subfolders(search_folder: Path) -> list[Path]:
    try:
        # A leading dot marks packages that are being written.
        return sorted(e for e in search_folder.iterdir() if e.is_dir() and not e.name.startswith("."))
    except OSError:
        return []

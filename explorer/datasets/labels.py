"""Label files: which classes are in which photo, ``{"names": [...], "items": {filename: [class numbers]}}``."""

import contextlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from explorer.errors import DatasetError

_N_NAMED = 3


@dataclass(frozen=True, slots=True)
class LabelFile:
    """Classes of the items of a data set.

    Attributes:
        names: of the classes.
        items: file name to the numbers of its classes, rising; an item without a class has an empty tuple.
    """

    names: tuple[str, ...]
    items: Mapping[str, tuple[int, ...]]

    def matrix(self, filenames: Sequence[str]) -> np.ndarray:
        """Which classes each of these items has, bool (n, n_classes).

        Raises
        ------
        DatasetError
            an item is not in the file: that it has no label would be a guess.
        """
        missing = [name for name in filenames if name not in self.items]
        if missing:
            named = ", ".join(missing[:_N_NAMED]) + (", ..." if len(missing) > _N_NAMED else "")
            raise DatasetError(
                f"The labels do not speak of {len(missing):,} of {len(filenames):,} items ({named}).",
                "Write labels for all of them with `retrieval-explorer labels`.",
            )
        found = np.zeros((len(filenames), len(self.names)), np.bool_)
        for row, name in enumerate(filenames):
            found[row, list(self.items[name])] = True
        return found

    def without(self, names: Iterable[str]) -> "LabelFile":
        """The same without some classes, for example one that most items share.

        Raises
        ------
        DatasetError
            there is no such class.
        """
        dropped = set(names)
        unknown = sorted(dropped.difference(self.names))
        if unknown:
            raise DatasetError(f"There is no class {unknown[0]!r}.", f"The classes are: {', '.join(self.names)}.")
        kept = [number for number, name in enumerate(self.names) if name not in dropped]
        new = {old: number for number, old in enumerate(kept)}
        items = {item: tuple(new[old] for old in numbers if old in new) for item, numbers in self.items.items()}
        return LabelFile(tuple(self.names[number] for number in kept), items)


class _File(msgspec.Struct):
    names: list[str]
    items: dict[str, list[int]]


def read_labels(path: Path) -> LabelFile:
    """Read a label file.

    Raises
    ------
    DatasetError
        it cannot be read, is not of this form, or an item has a class that has no name.
    """
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_File)
    except OSError as error:
        raise DatasetError(
            f"The label file {path} cannot be read: {error.strerror or error}.",
            "Write one with `retrieval-explorer labels`.",
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DatasetError(
            f"{path.name} is no label file: {error}.", 'It needs {"names": [...], "items": {filename: [numbers]}}.'
        ) from error
    n = len(found.names)
    for item, numbers in found.items.items():
        if any(not 0 <= number < n for number in numbers):
            raise DatasetError(
                f"{path.name} gives {item} the classes {numbers}, but names {n}.", "Write the file again."
            )
    return LabelFile(tuple(found.names), {item: tuple(sorted(set(found.items[item]))) for item in found.items})


def item_names(paths: Iterable[Path]) -> tuple[str, ...]:
    """What the items of these photos are called in a label file: the names of their files, without folders.

    Raises
    ------
    DatasetError
        two photos have the same file name.
    """
    names = tuple(path.name for path in paths)
    repeated = next((name for name, n in Counter(names).items() if n > 1), None)
    if repeated is not None:
        raise DatasetError(
            f"Two photos are called {repeated}, and labels know photos by the names of their files.",
            "Give each photo a name of its own.",
        )
    return names


def check_label_target(path: Path) -> None:
    """See that a label file can be written there, before work begins whose result would be lost.

    Raises
    ------
    DatasetError
        there is no such folder, or the path is a folder.
    """
    if path.is_dir():
        raise DatasetError(f"{path} is a folder.", "Name a file in it, for example labels.json.")
    folder = path.absolute().parent
    if not folder.is_dir():
        raise DatasetError(f"There is no folder {folder} to write {path.name} to.", "Make it first.")


def write_labels(path: Path, labels: LabelFile) -> None:
    """Write a label file, items in alphabetical order; it appears whole or not at all.

    Raises
    ------
    DatasetError
        it cannot be written.
    """
    items = {item: list(labels.items[item]) for item in sorted(labels.items)}
    content = msgspec.json.encode(_File(list(labels.names), items)) + b"\n"
    partial = path.with_name(f".{path.name}.part")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        raise DatasetError(f"{path} cannot be written: {error.strerror or error}.", "Name another file.") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()

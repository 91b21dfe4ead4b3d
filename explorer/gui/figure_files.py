"""Writes a figure and the recipe beside it: both or neither. Plain Python."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from explorer.errors import StorageFullError, UserFacingError

RECIPE_SUFFIX = ".toml"
_FIRST_WORDS = "# How this figure was made"


def recipe_path(figure: Path) -> Path:
    """Where the recipe of a figure lies: beside it, under its name."""
    return figure.with_suffix(RECIPE_SUFFIX)


def already_there(figure: Path) -> list[Path]:
    """What writing the figure would replace.

    Raises:
        UserFacingError: the name cannot be used, or the recipe would replace something else than a recipe.
    """
    if not figure.stem.strip(". "):
        raise UserFacingError("The figure has no name.", "Type one.")
    if not figure.parent.is_dir():
        raise UserFacingError(f"There is no folder {figure.parent}.", "Choose another place.")
    if figure.is_dir():
        raise UserFacingError(f"{figure} is a folder.", "Type the name of a file.")
    beside = recipe_path(figure)
    if beside.exists() and not _is_recipe(beside):
        raise UserFacingError(
            f"The recipe would replace {beside.name}, which is something else.", "Choose another name."
        )
    return [path for path in (figure, beside) if path.exists()]


def _is_recipe(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_FIRST_WORDS)) == _FIRST_WORDS.encode()
    except OSError:
        return False


def write_figure(figure: Path, content: bytes, recipe: str) -> None:
    """Write both files; if either cannot be written, what was there before is there afterwards.

    Raises:
        StorageFullError: the disk is full.
        UserFacingError: they cannot be written there.
    """
    files = {figure: content, recipe_path(figure): recipe.encode("utf-8")}
    drafts = {path: path.with_name(f".{path.name}.{os.getpid()}.part") for path in files}
    try:
        with _removed_afterwards(list(drafts.values())):
            for path, text in files.items():
                drafts[path].write_bytes(text)
            _put_in_place(drafts)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFullError(f"The disk is full; {figure.name} was not written.", "Make room.") from error
        reason = error.strerror or str(error)
        raise UserFacingError(f"{figure} cannot be written ({reason}).", "Choose another place.") from error


def _put_in_place(drafts: dict[Path, Path]) -> None:
    """Put each draft where it belongs; if one cannot be, those before it are taken back."""
    kept: dict[Path, Path | None] = {}
    spare = {path: path.with_name(f".{path.name}.{os.getpid()}.kept") for path in drafts}
    with _removed_afterwards(list(spare.values())):
        try:
            for path, draft in drafts.items():
                before = spare[path] if path.exists() else None
                if before is not None:
                    os.replace(path, before)
                kept[path] = before
                os.replace(draft, path)
        except OSError:
            for path, before in kept.items():
                if before is not None:
                    os.replace(before, path)
                else:
                    path.unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def _removed_afterwards(paths: list[Path]) -> Iterator[None]:
    try:
        yield
    finally:
        for path in paths:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

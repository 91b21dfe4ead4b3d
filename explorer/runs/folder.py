"""Make, open, list and delete runs' folders."""

import json
import os
import shutil
import time
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec

from explorer import __version__
from explorer.errors import ConfigError, UserFacingError
from explorer.runs.alive import is_alive
from explorer.runs.failures import written
from explorer.runs.layout import RunFolder

__all__ = [
    "RUN_SCHEMA", "ListedRun", "RunDescription", "RunFolder", "create_run", "delete_run", "describe", "list_runs",
    "open_run", "run_folders",
]

RUN_SCHEMA = 1
"""Version of what ``run.json`` and the files beside it look like."""



@dataclass(frozen=True, slots=True, kw_only=True)
class RunDescription:
    """What a run is.

    Attributes:
        name: of the package that it makes.
        task: which kind of training, as recipes have it.
        title: what a person reads.
        recipe_folder: what relative paths in the recipe are relative to.
        device: what was asked for: auto, cpu, cuda, cuda:1, mps.
        made_at: seconds since the epoch.
        program_version: that made the run; empty where it is not known.
    """

    name: str
    task: str
    title: str
    recipe_folder: Path
    device: str = "auto"
    made_at: float = 0.0
    program_version: str = ""


@dataclass(frozen=True, slots=True)
class ListedRun:
    """A run as it is listed. ``problem``: why there is no description, a sentence; empty where there is one."""

    path: Path
    description: RunDescription | None
    problem: str = ""


class _Written(msgspec.Struct, kw_only=True, forbid_unknown_fields=False):
    """``run.json``."""

    schema_version: int
    name: str
    task: str
    title: str
    recipe_folder: str
    device: str = "auto"
    made_at: float = 0.0
    program_version: str = ""


def create_run(
    runs_folder: Path,
    name: str,
    recipe: bytes,
    *,
    task: str,
    title: str,
    recipe_folder: Path,
    device: str = "auto",
) -> RunFolder:
    """Make the folder of a new run; its name carries the date and the time.

    Raises
    ------
    StorageFullError
        the disk is full; nothing is left behind.
    ConfigError
        the folder cannot be made.
    """
    made_at = time.time()
    description = RunDescription(
        name=name, task=task, title=title, recipe_folder=recipe_folder.absolute(), device=device, made_at=made_at,
        program_version=__version__,
    )  # fmt: skip
    table = {"schema_version": RUN_SCHEMA, **asdict(description), "recipe_folder": str(description.recipe_folder)}
    # ``ensure_ascii`` also carries names that are not UTF-8 there and back.
    content = json.dumps(table, indent=2).encode("ascii")
    stem = f"{_folder_name(name)}-{time.strftime('%Y%m%d-%H%M%S', time.localtime(made_at))}"
    with written(runs_folder / stem):
        run = _make_folder(runs_folder, stem)
        try:
            _write(run.description_path, content)
            _write(run.recipe_path, recipe)  # last: a folder with a recipe is a whole run
        except OSError:
            shutil.rmtree(run.path, ignore_errors=True)
            raise
    return run


def open_run(path: Path) -> RunFolder:
    """An earlier run; one of before ``run.json`` was written is accepted, too.

    Raises
    ------
    ConfigError
        the folder is no run, is damaged, or was made by a newer version.
    """
    run = RunFolder(path.absolute())
    describe(run)
    return run


def describe(run: RunFolder) -> RunDescription:
    """What the run is.

    Raises
    ------
    ConfigError
        the folder is no run, is damaged, or was made by a newer version.
    """
    if not run.recipe_path.is_file():
        raise ConfigError(f"{run.path} is no training run.", "Name the folder that the run printed when it began.")
    try:
        content = (run.description_path).read_bytes()
    except FileNotFoundError:
        return _describe_old(run)
    except OSError as error:
        raise ConfigError(
            f"The run {run.name} cannot be read ({error.strerror or error}).", "Check the folder and its disk."
        ) from error
    try:
        table = json.loads(content)
        version = table["schema_version"]
        if isinstance(version, int) and version > RUN_SCHEMA:
            raise ConfigError(
                f"The run {run.name} was made by a newer version of this program.",
                "Use that version, or update this one.",
            )
        found = msgspec.convert(table, _Written)
    except (ValueError, TypeError, KeyError) as error:  # msgspec's errors are ValueErrors
        raise ConfigError(
            f"The run {run.name} is damaged: its run.json cannot be read.",
            "Delete the run, or begin a new one with its recipe.toml.",
        ) from error
    return RunDescription(
        name=found.name, task=found.task, title=found.title, recipe_folder=Path(found.recipe_folder),
        device=found.device, made_at=found.made_at, program_version=found.program_version,
    )  # fmt: skip


def list_runs(runs_folder: Path) -> tuple[ListedRun, ...]:
    """All runs, newest first; none where the folder cannot be read."""
    listed = [_describe_or_say(run) for run in run_folders(runs_folder)]
    return tuple(sorted(listed, key=_age, reverse=True))


def run_folders(runs_folder: Path) -> Iterator[RunFolder]:
    """Every run in the folder, in no order, whether it can be read or not."""
    try:
        paths = sorted(runs_folder.absolute().iterdir())
    except OSError:
        return
    for path in paths:
        run = RunFolder(path)
        if not path.name.startswith(".") and run.recipe_path.is_file():
            yield run


def delete_run(run: RunFolder) -> None:
    """Remove the run's folder and all that is in it; what links in it lead to stays.

    Raises
    ------
    ConfigError
        it is being trained, is no run, or cannot be removed.
    """
    if not run.recipe_path.is_file():
        raise ConfigError(f"{run.path} is no training run.", "Nothing was deleted.")
    if is_alive(run):
        raise ConfigError(f"The run {run.name} is being trained.", "Stop it first, then delete it.")
    leaving = run.path.with_name(f".{run.name}.deleted")
    try:
        if run.path.is_symlink():
            run.path.unlink()
            return
        # Out of the list at once, and never half a run in it.
        run.path.rename(leaving)
        shutil.rmtree(leaving)
    except OSError as error:
        raise ConfigError(
            f"The run {run.name} could not be deleted ({error.strerror or error}).",
            f"Close what uses it; what is left is in {leaving if leaving.exists() else run.path}.",
        ) from error


def _folder_name(name: str) -> str:
    """The name without what no file system takes; recipes are checked for better names than that."""
    kept = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name).strip(".-")
    return kept[:80] or "run"


def _make_folder(runs_folder: Path, stem: str) -> RunFolder:
    runs_folder.mkdir(parents=True, exist_ok=True)
    n = 1
    while True:
        path = runs_folder.absolute() / (stem if n == 1 else f"{stem}-{n}")
        try:
            path.mkdir()
        except FileExistsError:
            n += 1
        else:
            return RunFolder(path)


def _write(path: Path, content: bytes) -> None:
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _describe_old(run: RunFolder) -> RunDescription:
    """A run of before ``run.json``: its recipe says its name and its task, its folder's name says when it was made."""
    table: dict[str, Any]
    try:
        table = tomllib.loads(run.recipe_path.read_text(encoding="utf-8"))
        made_at = _time_in(run.name) or run.recipe_path.stat().st_mtime
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"The run {run.name} is damaged: its recipe.toml cannot be read.", "Delete the run."
        ) from error
    name = str(table.get("name", run.name))
    return RunDescription(
        name=name, task=str(table.get("task", "")), title=name, recipe_folder=run.path, made_at=made_at
    )


def _time_in(folder_name: str) -> float | None:
    parts = folder_name.split("-")
    for first in range(len(parts) - 2, -1, -1):
        try:
            return time.mktime(time.strptime("-".join(parts[first : first + 2]), "%Y%m%d-%H%M%S"))
        except (ValueError, OverflowError):
            continue
    return None


def _describe_or_say(run: RunFolder) -> ListedRun:
    try:
        return ListedRun(run.path, describe(run))
    except UserFacingError as error:
        return ListedRun(run.path, None, str(error))


def _age(listed: ListedRun) -> tuple[float, str]:
    made_at = listed.description.made_at if listed.description else _time_in(listed.path.name) or 0.0
    return made_at, listed.path.name

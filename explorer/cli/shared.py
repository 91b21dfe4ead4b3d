"""What all commands share: options, where things are kept, how an answer of the engine becomes output or an error."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)

from explorer import protocol
from explorer.errors import UserFacingError
from explorer.paths import Places

if TYPE_CHECKING:
    from explorer.engine.engine import Engine

# Rooms that import torch, cv2 or Qt are imported inside the commands that need them: `--help`, `doctor` and the window
# start in a fraction of a second without them.

DEFAULT_MODEL = "3shnet-flickr8k"

LibraryOption = Annotated[
    Path | None, typer.Option("--library", "-L", help="Folder of the library; the default one if not given.")
]
ModelOption = Annotated[str, typer.Option("--model", "-m", help="Model package: a name, or a folder.")]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cuda, mps or cpu.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

stderr = Console(stderr=True)


def print_out(text: str) -> None:
    """Print to standard output."""
    sys.stdout.write(text + "\n")


def places_of(context: typer.Context) -> Places:
    """Where things are kept, as ``--data-dir`` says."""
    places = context.obj
    assert isinstance(places, Places)
    return places


def last_answer(answers: Iterator[protocol.Answer], *, title: str = "") -> protocol.Answer:
    """Run a request to its final answer, with a progress bar; a failure becomes the exception that it was."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    last: protocol.Answer | None = None
    with Progress(*columns, console=stderr, transient=True, disable=not title) as bar:
        task = bar.add_task(title, total=None)
        for last in answers:
            if isinstance(last, protocol.Progress):
                bar.update(
                    task, description=f"{last.stage:>9}", completed=last.n_done, total=last.n_total or None
                )
    if isinstance(last, protocol.Failed):
        if last.details:
            sys.stderr.write(last.details)
        raise UserFacingError(last.message, last.remedy)
    assert last is not None, "every request has a final answer"
    return last


def engine_with_library(places: Places, library: Path | None, device: str) -> "Engine":
    """An engine in this process with the library open."""
    from explorer.engine.engine import Engine

    engine = Engine(places.model_folders, device=device)
    folder = (library or places.library).expanduser().absolute()
    last_answer(engine.answer(protocol.OpenLibrary(id=0, path=os.fsencode(folder))))
    return engine

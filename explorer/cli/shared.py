"""What all commands share: options, where things are kept, how an answer of the engine becomes output or an error."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

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
from explorer.cancellation import CancellationToken, Cancelled
from explorer.errors import UserFacingError
from explorer.paths import Places

if TYPE_CHECKING:
    from rich.progress import Progress

    from explorer.engine.engine import Engine

# Rooms that import torch, cv2 or Qt, and rich, are imported inside the functions that need them: `--help` and the
# window start in a fraction of a second without them.

_A = TypeVar("_A", bound=protocol.Message)
_Report = TypeVar("_Report")

_CURRENT_LETTERS = 40

DEFAULT_MODEL = "3shnet-flickr8k"

LibraryOption = Annotated[
    Path | None, typer.Option("--library", "-L", help="Folder of the library; the default one if not given.")
]
ModelOption = Annotated[str, typer.Option("--model", "-m", help="Model package: a name, or a folder.")]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cuda, mps or cpu.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]



def print_out(text: str) -> None:
    """Print to standard output, where results go."""
    sys.stdout.write(text + "\n")


def say(text: str) -> None:
    """Print to standard error, where everything goes that is not a result."""
    sys.stderr.write(text + "\n")


def progress_bar(*, shown: bool = True) -> "Progress":
    """A bar on standard error that leaves nothing behind."""
    from rich.progress import Progress

    text = TextColumn("{task.description}")
    columns = (SpinnerColumn(), text, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True, disable=not shown)


@contextmanager
def stoppable() -> Iterator[CancellationToken]:
    """A token that Ctrl-C cancels, so that work stops between batches; a second Ctrl-C stops at once."""
    token = CancellationToken()

    def on_interrupt(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        say("Stopping... (Ctrl-C again stops at once)")
        token.cancel()

    previous = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield token
    finally:
        signal.signal(signal.SIGINT, previous)


def places_of(context: typer.Context) -> Places:
    """Where things are kept, as ``--data-dir`` says."""
    places = context.obj
    assert isinstance(places, Places)
    return places


def last_answer(answers: Iterator[protocol.Answer], kind: type[_A], *, title: str = "") -> _A:
    """Run a request to its final answer, with a progress bar; a failure becomes the exception that it was."""
    last: protocol.Answer | None = None
    with progress_bar(shown=bool(title)) as bar:
        task = bar.add_task(title, total=None)
        for last in answers:
            if isinstance(last, protocol.Progress):
                current = last.current.rpartition(os.sep)[2][-_CURRENT_LETTERS:]
                bar.update(
                    task, description=f"{last.stage:>9} {current}", completed=last.n_done, total=last.n_total or None
                )
    if isinstance(last, protocol.Failed):
        if last.details:
            sys.stderr.write(last.details)
        raise UserFacingError(last.message, last.remedy)
    if isinstance(last, protocol.Cancelled):
        raise UserFacingError("Stopped.", "Run the same command again to go on where it stopped.")
    assert isinstance(last, kind), "every request ends in its own answer, in Failed or in Cancelled"
    return last


def measured(
    evaluate: Callable[..., list[_Report]], wanted: object, *, device: str, model_folders: Sequence[Path]
) -> list[_Report]:
    """Run an evaluation with a progress bar; Ctrl-C stops it.

    Raises
    ------
    UserFacingError
        it was stopped: half an evaluation measures nothing.
    """
    with stoppable() as token, progress_bar() as bar:
        task = bar.add_task("", total=None)
        try:
            return evaluate(
                wanted,
                model_folders=model_folders,
                device=device,
                token=token,
                on_progress=lambda what, done, total: bar.update(task, description=what, completed=done, total=total),
            )
        except Cancelled:
            raise UserFacingError("Stopped; nothing was measured to its end.", "Run the same command again.") from None


def engine_with_library(places: Places, library: Path | None, device: str) -> "Engine":
    """An engine in this process with the library open."""
    from explorer.engine.engine import Engine

    engine = Engine(places.model_folders, device=device)
    folder = (library or places.library).expanduser().absolute()
    last_answer(engine.answer(protocol.OpenLibrary(id=0, path=os.fsencode(folder))), protocol.LibraryState)
    return engine

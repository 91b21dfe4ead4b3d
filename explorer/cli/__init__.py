"""The commands, and the one place where rooms are put together.

``--json`` prints one JSON document on standard output and nothing else there; progress goes to standard error. Exit
status: 0 done, 1 failed (one sentence says what to do), 2 a wrong call.
"""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from explorer import paths
from explorer.cli import models, road
from explorer.cli.shared import DeviceOption, JsonOption, places_of, print_out
from explorer.errors import UserFacingError

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Search your own photos by meaning, and see where the model looked.",
)
app.command()(road.index)
app.command()(road.search)
app.command()(road.explain)
app.command()(models.train)
app.command()(models.evaluate)

models_app = typer.Typer(help="Model packages.", no_args_is_help=True)
models_app.command("list")(models.models_list)
models_app.command("verify")(models.models_verify)
app.add_typer(models_app, name="models")


_COMMANDS = frozenset(
    {"window", "engine", "index", "search", "explain", "train", "evaluate", "models", "doctor"}
)


def main() -> None:
    """Run a command; what a user can cause ends in one sentence and exit status 1."""
    try:
        app(args=_with_default_command(sys.argv[1:]), prog_name="retrieval-explorer")
    except UserFacingError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from None


def _with_default_command(arguments: list[str]) -> list[str]:
    """No command, or a folder where a command should be, opens the window."""
    place = 0
    while place < len(arguments) and arguments[place].startswith("-"):
        if arguments[place] in ("--help", "--version"):
            return arguments
        place += 2 if arguments[place] == "--data-dir" else 1
    if place < len(arguments) and arguments[place] in _COMMANDS:
        return arguments
    return [*arguments[:place], "window", *arguments[place:]]


def _version(asked: bool) -> None:
    if asked:
        from explorer import __version__

        print_out(__version__)
        raise typer.Exit


@app.callback()
def _everywhere(
    context: typer.Context,
    data_dir: Annotated[
        Path | None,
        typer.Option(envvar="RETRIEVAL_EXPLORER_DATA", help="Keep library, models, runs and settings here."),
    ] = None,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    context.obj = paths.places(data_dir)


@app.command()
def window(
    context: typer.Context,
    library: Annotated[Path | None, typer.Argument(help="Folder of the library to open.")] = None,
) -> None:
    """Open the window (the default command)."""
    from explorer.engine.client import engine_command
    from explorer.gui.app import run_window

    places = places_of(context)
    raise SystemExit(
        run_window(
            library.expanduser().absolute() if library else None,
            data_dir=places.data_dir,
            engine_command=engine_command(places.data_dir),
        )
    )


@app.command()
def engine(
    context: typer.Context,
    stdio: Annotated[bool, typer.Option("--stdio", help="Speak on standard input and output.")] = False,
    device: DeviceOption = "auto",
) -> None:
    """Serve a window: the process that holds models, libraries and indexes."""
    if not stdio:
        raise typer.BadParameter("The engine speaks only on standard input and output: add --stdio.")
    from explorer.engine.engine import Engine
    from explorer.engine.server import serve_stdio

    serve_stdio(Engine(places_of(context).model_folders, device=device))


@app.command()
def doctor(context: typer.Context, as_json: JsonOption = False) -> None:
    """Versions, devices, packages found, what is missing and how to get it."""
    from explorer.doctor import examine

    findings = examine(places_of(context))
    if as_json:
        print_out(json.dumps([finding.to_dict() for finding in findings], indent=2))
    else:
        for finding in findings:
            print_out(finding.to_line())
    if any(finding.needed and not finding.well for finding in findings):
        raise UserFacingError("Something the program needs is missing.", "See the lines marked with !.")

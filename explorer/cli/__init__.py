"""The commands, and the one place where rooms are put together.

``--json`` prints one JSON document on standard output and nothing else there; progress goes to standard error. Exit
status: 0 done, 1 failed (one sentence says what to do), 2 a wrong call.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from explorer import paths
from explorer.cli import (
    combining,
    converting,
    evaluating,
    explaining,
    fetching,
    importing,
    labels,
    models,
    road,
    sampling,
    training,
)
from explorer.cli.shared import DeviceOption, JsonOption, places_of, print_out
from explorer.errors import UserFacingError

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Search your own photos by meaning, and see where the model looked.",
)
app.command()(road.index)
app.command()(road.search)
app.command()(explaining.explain)
app.command()(training.train)
app.command()(evaluating.evaluate)
app.command()(labels.labels)
app.command()(converting.convert)
app.command()(sampling.sample)

models_app = typer.Typer(help="Model packages.", no_args_is_help=True)
models_app.command("list")(models.models_list)
models_app.command("verify")(models.models_verify)
models_app.command("import")(importing.models_import)
models_app.command("combine")(combining.models_combine)
models_app.command("fetch")(fetching.models_fetch)
app.add_typer(models_app, name="models")


def run_command(arguments: Sequence[str]) -> int:
    """Run one command; its exit status. Raises :class:`~explorer.errors.UserFacingError` for what a user can cause."""
    try:
        app(args=list(arguments), prog_name="retrieval-explorer")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


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
    library: Annotated[Path | None, typer.Argument(help="Folder of the library to open.")] = None,
) -> None:
    """Open the window; this is what happens without a command, too."""
    # ``explorer.__main__`` reads such calls before this module is imported; this entry is for --help.
    raise typer.BadParameter(f"Call it as retrieval-explorer [--data-dir DIR] [{library or 'LIBRARY'}].")


@app.command()
def engine(
    context: typer.Context,
    stdio: Annotated[bool, typer.Option("--stdio", help="Speak on standard input and output.")] = False,
    device: DeviceOption = "auto",
    codes: Annotated[
        str, typer.Option(help="How binary codes are searched: exact, or nearly so with faiss: ivf, hnsw.")
    ] = "exact",
) -> None:
    """Serve a window: the process that holds models, libraries and indexes."""
    if not stdio:
        raise typer.BadParameter("The engine speaks only on standard input and output: add --stdio.")
    from explorer.engine.engine import Engine
    from explorer.engine.server import serve_stdio

    serve_stdio(Engine(places_of(context).model_folders, device=device, codes=codes))


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

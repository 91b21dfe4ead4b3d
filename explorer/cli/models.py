"""Models from the command line: train, list, verify."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from explorer.cli.shared import (
    JsonOption,
    places_of,
    print_out,
    progress_bar,
    say,
    stoppable,
)
from explorer.errors import UserFacingError


def train(
    context: typer.Context,
    config: Annotated[Path, typer.Argument(help="A recipe (TOML); the program's own are in resources/recipes.")],
    resume: Annotated[Path | None, typer.Option(help="Folder of a run to go on with.")] = None,
) -> None:
    """Train a model package by a recipe. Ctrl-C keeps a checkpoint; --resume goes on from it."""
    from explorer.protocol import runs
    from explorer.training.trainer import train as run_recipe

    places = places_of(context)
    with stoppable() as token, progress_bar() as bar:
        task = bar.add_task("starting", total=None)
        for event in run_recipe(
            config, resume=resume, runs_folder=places.runs, search_folders=places.model_folders, token=token
        ):
            match event:
                case runs.Progressed():
                    bar.update(task, description=event.message, completed=event.n_done, total=event.n_total)
                case runs.Stepped():
                    description = f"{event.phase}, epoch {event.epoch}, loss {event.losses['loss']:.3f}"
                    bar.update(task, description=description, completed=event.step, total=event.n_steps)
                case runs.PhaseStarted():
                    bar.console.print(f"Phase: {event.phase}")
                case runs.Noted():
                    bar.console.print(f"Note: {event.text}")
                case runs.EpochFinished():
                    bar.console.print(f"epoch {event.epoch}: " + _numbers(event.metrics))
                case runs.Finished():
                    say(f"Wrote {os.fsdecode(event.path)}. " + _numbers(event.metrics))
    if token.cancelled:
        raise UserFacingError("Stopped; a checkpoint was kept.", "Go on with --resume and the run's folder.")


def _numbers(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in metrics.items())


def models_list(context: typer.Context, as_json: JsonOption = False) -> None:
    """What packages there are, and what is wrong with those that cannot be used."""
    from explorer.packages.finding import find_packages

    rows = [
        {
            "name": found.name,
            "family": found.package.manifest.family if found.package else "",
            "title": found.package.manifest.title if found.package else "",
            "problem": found.problem,
            "folder": str(found.package.folder) if found.package else "",
        }
        for found in find_packages(places_of(context).model_folders)
    ]
    if as_json:
        print_out(json.dumps(rows, indent=2))
        return
    for row in rows:
        print_out(f"{row['name']:<24} {row['family']:<14} {row['problem'] or row['title']}")


def models_verify(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Names of packages.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All packages that are found.")] = False,
) -> None:
    """Recompute each package's reference outputs and compare."""
    from explorer.engine.verifying import verify
    from explorer.packages.finding import find_packages

    if every:
        names = [found.name for found in find_packages(places_of(context).model_folders)]
    if not names:
        raise typer.BadParameter("Name a package, or use --all.")
    failures = 0
    for name in names:
        problems = verify(name, places_of(context).model_folders)
        failures += bool(problems)
        print_out(f"{name}: {'ok' if not problems else '; '.join(problems)}")
    if failures:
        raise UserFacingError(f"{failures} of {len(names)} packages failed.", "Install them again.")

"""Models from the command line: list, verify."""

import json
from typing import Annotated

import typer

from explorer.cli.shared import JsonOption, places_of, print_out
from explorer.errors import UserFacingError


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

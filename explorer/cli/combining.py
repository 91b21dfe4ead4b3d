"""``models combine``: several models as one."""

import re
from typing import Annotated

import typer

from explorer.cli.shared import places_of, say
from explorer.errors import ConfigError

_PLAIN_NAME = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9._-]*\Z")


def models_combine(
    context: typer.Context,
    members: Annotated[list[str], typer.Argument(help="Names of packages that make embeddings.")],
    name: Annotated[str, typer.Option(help="Name of the new package.")],
    weights: Annotated[str, typer.Option(help="How much each counts, with commas between; equal by default.")] = "",
    title: Annotated[str, typer.Option(help="What the model picker calls it.")] = "",
) -> None:
    """Make one model of several: its similarity is the mean of theirs."""
    from explorer.networks.ensemble.combining import combine_packages

    places = places_of(context)
    try:
        parts = [float(weight) for weight in weights.split(",")] if weights else None
    except ValueError:
        raise ConfigError(f"{weights!r} are no weights.", "Write numbers with commas between: 0.5,0.5") from None
    if not _PLAIN_NAME.match(name):
        raise ConfigError(f"{name!r} is no name for a package.", "Use letters, digits, dots, dashes and underscores.")
    folder = places.models / name
    package = combine_packages(members, folder, search_folders=places.model_folders, weights=parts, title=title)
    say(f"Wrote {package.folder}.")

"""``models import``: a published checkpoint becomes a package."""

import json
from pathlib import Path
from typing import Annotated

import typer

from explorer.cli.shared import JsonOption, places_of, print_out
from explorer.errors import ConfigError, PackageError

_FAMILIES = ("3shnet", "three_shnet")


def models_import(
    context: typer.Context,
    checkpoint: Annotated[Path, typer.Argument(help="The authors' file, for example model_best.pth.")],
    family: Annotated[str, typer.Option(help="What it is a checkpoint of: 3shnet.")] = "3shnet",
    name: Annotated[str, typer.Option(help="What to call the package; by default after its training data.")] = "",
    into: Annotated[Path | None, typer.Option(help="Folder of packages; your own models if not given.")] = None,
    vocabulary: Annotated[
        Path | None, typer.Option(help="Word table (json) of a sentence encoder that is no BERT.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Turn a published checkpoint into a package; every missing or unexpected tensor is named."""
    if family not in _FAMILIES:
        raise ConfigError(f"Checkpoints of {family!r} cannot be imported.", "Use --family 3shnet.")
    from explorer.datasets.vocabulary import read_vocabulary
    from explorer.networks.three_shnet.importing import suggested_name, write_imported
    from explorer.networks.three_shnet.published import load_published
    from explorer.packages.finding import find_packages

    places = places_of(context)
    words = None if vocabulary is None else read_vocabulary(vocabulary)
    image, text, report = load_published(checkpoint)
    if not as_json:
        print_out("\n".join(report.to_lines()))
    name = name or suggested_name(report)
    if into is None and name in {found.name for found in find_packages(places.model_folders)}:
        raise PackageError(f"There is already a model called {name}.", "Choose another name with --name.")
    package = write_imported((into or places.models) / name, image, text, report, vocabulary=words)
    if as_json:
        print_out(json.dumps({"name": package.name, "folder": str(package.folder), **report.to_dict()}, indent=2))
    else:
        print_out(f"Wrote {package.folder}.")

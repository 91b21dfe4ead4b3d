"""``models fetch``: the one command that downloads, and only what it is asked for."""

from typing import Annotated

import typer

from explorer.cli.shared import say


def models_fetch(
    name: Annotated[str, typer.Argument(help="A torchvision detector, as a recipe's [features] proposer names it.")],
) -> None:
    """Fetch the weights of a torchvision detector into torch hub's cache."""
    from explorer.vision.detectors import load_proposer, weights_path

    load_proposer(name, allow_download=True, device="cpu")
    say(f"{name} is ready in {weights_path(name).parent}.")

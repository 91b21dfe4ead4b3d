"""``models fetch``: the one command that downloads, and only what it is asked for."""

from typing import Annotated

import typer

from explorer.cli.shared import say


def models_fetch(
    name: Annotated[
        str,
        typer.Argument(help="A torchvision detector, as a recipe's [features] proposer names it, alexnet, or r3d_18."),
    ],
) -> None:
    """Fetch the weights of a torchvision network into torch hub's cache."""
    from explorer.networks.dsmhn.video_network import KINETICS_NETWORK, fetch_kinetics
    from explorer.vision.crops import CROP_NETWORK, load_crop_network
    from explorer.vision.detectors import load_proposer
    from explorer.vision.hub import weights_path

    if name == CROP_NETWORK:
        load_crop_network(allow_download=True)
    elif name == KINETICS_NETWORK:
        fetch_kinetics()
    else:
        load_proposer(name, allow_download=True, device="cpu")
    say(f"{name} is ready in {weights_path(name).parent}.")

"""Weights that torchvision publishes, in torch hub's cache: found, read without running anything, fetched if asked."""

import warnings
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import nn
from torchvision.models import get_model_weights

from explorer.errors import ConfigError

_HUB_ERRORS = (OSError, ValueError, RuntimeError)
"""What goes wrong while fetching: no network, a refused address, a file that is not the one it should be."""

_UNREADABLE = (OSError, ValueError, RuntimeError, EOFError, KeyError, TypeError, AttributeError, UnpicklingError)
"""What a damaged file is to the reader."""


def weights_path(name: str) -> Path:
    """Where torch hub keeps the weights of one of torchvision's networks."""
    return Path(torch.hub.get_dir()) / "checkpoints" / _url(name).rsplit("/", 1)[-1]


def fill_network(network: nn.Module, name: str, *, title: str, allow_download: bool = False) -> None:
    """Fill one of torchvision's networks with the weights that are published for it.

    title: what a person calls the network.
    allow_download: fetch the weights if they are not there; never done unasked.

    Raises
    ------
    ConfigError
        the weights are not here, cannot be read or fetched, or are those of another network.
    """
    path = _find(name, title, allow_download=allow_download)
    try:
        network.load_state_dict(_read(path))
    except (RuntimeError, AttributeError, TypeError) as error:
        raise ConfigError(f"The weights of {name} in {path.parent} are those of another network.",
                          f"Remove {path.name} there and fetch it again.") from error


def _url(name: str) -> str:
    return str(get_model_weights(name).DEFAULT.url)


def _find(name: str, title: str, *, allow_download: bool) -> Path:
    path = weights_path(name)
    if path.is_file():
        return path
    if not allow_download:
        raise ConfigError(f"The weights of {title} {name} are not on this computer.",
                          f"Allow the download while a network is there (`retrieval-explorer models fetch {name}`), "
                          f"or put {path.name} into {path.parent}.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # torch names the file by the beginning of its hash.
        hash_prefix = path.stem.rsplit("-", 1)[-1]
        torch.hub.download_url_to_file(_url(name), str(path), hash_prefix, progress=False)
    except _HUB_ERRORS as error:
        raise ConfigError(f"The weights of {title} {name} cannot be fetched: {error}.",
                          "Try again while a network is there.") from error
    return path


def _read(path: Path) -> dict[str, torch.Tensor]:
    try:
        with warnings.catch_warnings():
            # torch warns of a pickle's version before it refuses the file.
            warnings.simplefilter("ignore")
            tensors: dict[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(tensors, dict):
            raise TypeError(f"a file of tensors holds a dict, not {type(tensors)}")
    except _UNREADABLE as error:
        raise ConfigError(f"The weights {path.name} in {path.parent} cannot be read.",
                          "Remove the file and fetch it again.") from error
    return tensors

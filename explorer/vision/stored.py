"""The heads of a vision package: from its files to modules, and back."""

from typing import TypeVar

import msgspec
import numpy as np
import torch
from torch import nn

from explorer.errors import PackageError
from explorer.packages.package import ModelPackage, load_region_tensors, load_tensors, require_keys
from explorer.vision.backbone import Backbone
from explorer.vision.proposer import Proposer, ProposerConfig
from explorer.vision.regions import Selection
from explorer.vision.segmenter import Segmenter, SegmenterConfig

_Config = TypeVar("_Config")


def read_segmenter(package: ModelPackage, backbone: Backbone) -> Segmenter:
    """The segmenter of a vision package, eager, in float32; :class:`PackageError` where its tensors do not fit."""
    config = _config({**package.manifest.config, "channels": backbone.channels}, SegmenterConfig,
                     f"[config] of {package.name} does not describe a segmenter")
    if len(package.labels) != config.n_classes or not 1 <= config.n_masks <= config.n_classes:
        raise PackageError(f"{package.name} names {len(package.labels)} classes, but its segmenter has "
                           f"{config.n_classes}, {config.n_masks} of them with masks.", "Install the package again.")
    segmenter = Segmenter(config)
    _fill(segmenter, load_tensors(package), package.name)
    return segmenter


def read_proposer(package: ModelPackage, backbone: Backbone) -> tuple[Proposer, Selection]:
    """The region proposer of a vision package, eager, in float32, and how its proposals become regions.

    Raises
    ------
    PackageError
        the package has none, or its settings or tensors do not fit.
    """
    tensors = load_region_tensors(package)
    part = package.manifest.regions
    settings = dict(part.config) if part else {}
    complaint = f"[regions.config] of {package.name} does not describe a region proposer"
    selection = _config(settings.pop("selection", {}), Selection, complaint)
    config = _config({**settings, "channels": backbone.channels}, ProposerConfig, complaint)
    if not 1 <= config.n_things <= len(package.labels):
        raise PackageError(f"{package.name} names {len(package.labels)} classes, but its region proposer knows "
                           f"{config.n_things} things.", "Install the package again.")
    proposer = Proposer(config)
    _fill(proposer, tensors, package.name)
    return proposer, selection


def head_tensors(head: nn.Module) -> dict[str, np.ndarray]:
    """What a package stores: convolutions and products in half precision, statistics of normalisations in full."""
    values = {key: tensor.detach().cpu().numpy() for key, tensor in head.state_dict().items() if tensor.ndim}
    return {key: value.astype(np.float16) if value.ndim > 1 else value for key, value in values.items()}


def _config(settings: object, kind: type[_Config], complaint: str) -> _Config:
    try:
        return msgspec.convert(settings, kind)
    except msgspec.ValidationError as error:
        raise PackageError(f"{complaint}: {error}.") from error


def _fill(head: nn.Module, tensors: dict[str, np.ndarray], package_name: str) -> None:
    expected = {key: tensor for key, tensor in head.state_dict().items() if tensor.ndim}
    require_keys(tensors, expected)
    for key, tensor in tensors.items():
        if tensor.shape != tuple(expected[key].shape):
            raise PackageError(f"The tensor {key} of {package_name} has shape {tensor.shape}, "
                               f"expected {tuple(expected[key].shape)}.", "Install the package again.")
    # Not strict, for the counters of training steps, which are not stored; all else was compared above.
    head.load_state_dict({key: torch.from_numpy(tensor) for key, tensor in tensors.items()}, strict=False)
    head.eval().requires_grad_(False)

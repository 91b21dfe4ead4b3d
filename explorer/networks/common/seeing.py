"""The eyes of a model package: the backbone, and the very vision package it was trained on top of."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from explorer.errors import PackageError
from explorer.evidence import Segmentation
from explorer.packages.finding import resolve_package
from explorer.packages.package import ModelPackage
from explorer.vision import Vision, VisualFeatures, load_vision
from explorer.vision.detectors import load_proposer


def load_vision_of(package: ModelPackage, *, search_folders: Sequence[Path], device: str) -> Vision:
    """Load what the package sees with.

    Raises
    ------
    PackageError
        the vision package is not there, or it or its region proposer is not the one this model was trained on top of.
    ConfigError
        it was trained on the regions of a detector whose weights are not here.
    """
    part = package.manifest.vision
    if part is None:
        return load_vision(None, backbone_name=package.manifest.backbone.name, device=device)
    vision_package = resolve_package(part.name, search_folders)
    if vision_package.manifest.weights.sha256 != part.sha256:
        raise PackageError(
            f"{package.name} was trained on top of another version of {part.name} than the one that is installed.",
            f"Install {part.name} and {package.name} from the same release.",
        )
    wanted = package.manifest.config.get("regions_sha256", "")
    regions = vision_package.manifest.regions
    if wanted and (regions is None or regions.sha256 != wanted):
        raise PackageError(
            f"{package.name} was trained on the regions of another version of {part.name} than the installed one.",
            f"Install {part.name} and {package.name} from the same release.",
        )
    vision = load_vision(vision_package, device=device)
    proposer = package.manifest.config.get("proposer", "")
    if proposer:
        vision.use_detector(load_proposer(str(proposer), device=device))
    return vision


def follow(module: nn.Module, features: torch.Tensor) -> None:
    """Move a network to where the features are: vision goes to the CPU when the graphics card's memory is full."""
    parameter = next(module.parameters())
    if parameter.device != features.device:
        module.to(features.device)


def segmentation_of(vision: Vision, seen: VisualFeatures) -> Segmentation | None:
    """What vision saw in the first picture, with names; None where there is no segmenter."""
    if seen.class_map is None or seen.confidence is None or seen.presence is None:
        return None
    return Segmentation(
        class_map=seen.class_map[0].cpu().numpy().astype(np.uint8),
        confidence=seen.confidence[0].float().cpu().numpy(),
        names=vision.mask_names,
        presence=vision.name_presence(seen.presence[0].float().cpu().numpy()),
    )

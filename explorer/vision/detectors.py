"""torchvision's detectors as region proposers, for users who are online once to fetch their weights.

Slower by far than the proposer on the shared backbone, and not squashed to a square first: they see the pictures in
their own shape and give boxes normalised to them.
"""
# B pictures, R regions

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torchvision.models import get_model
from torchvision.ops import FrozenBatchNorm2d

from explorer.datasets.coco_classes import COCO_THING_IDS, COCO_THINGS
from explorer.errors import ConfigError
from explorer.vision.device import choose_device, device_title
from explorer.vision.features import Regions
from explorer.vision.hub import fill_network
from explorer.vision.regions import N_REGIONS, OBJECT_LABEL, whole_pictures

DETECTOR_NAMES = ("fasterrcnn_mobilenet_v3_large_320_fpn", "maskrcnn_resnet50_fpn_v2")
"""Faster R-CNN (Ren et al. 2015) on MobileNet v3 at 320 px, and Mask R-CNN (He et al. 2017) on ResNet-50."""

_MIN_SCORE = 0.01


class Detector:
    """A detector whose detections are regions.

    Attributes:
        name: torchvision's.
        network: ready for inference.
        region_names: the 80 things and "object", in the order of the regions' labels.
        device: where it runs.
    """

    def __init__(self, name: str, network: nn.Module, device: torch.device) -> None:
        """Take a torchvision detector with its weights."""
        self.name = name
        self.device = device
        self.network = network.eval().requires_grad_(False).to(device)
        self.region_names = (*COCO_THINGS, OBJECT_LABEL)

    @property
    def device_title(self) -> str:
        """Where it runs, for people."""
        return device_title(self.device)

    def __call__(self, pictures: Sequence[np.ndarray] | np.ndarray) -> Regions:
        """Pictures, uint8 RGB (h, w, 3) of any sizes, to their regions on :attr:`device`, most confident first."""
        regions = whole_pictures(len(pictures), len(COCO_THINGS), self.device)
        with torch.inference_mode():
            for number, picture in enumerate(pictures):
                # One by one: the network would enlarge all to the largest.
                self._fill(regions, number, self.network([self._pixels(picture)])[0], picture.shape)
        return regions

    def _pixels(self, picture: np.ndarray) -> torch.Tensor:
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise ValueError(f"a picture must be uint8 of shape (h, w, 3), got {picture.dtype} of {picture.shape}")
        chw = np.ascontiguousarray(picture.transpose(2, 0, 1))
        return torch.from_numpy(chw).to(self.device).float() / 255

    def _fill(self, regions: Regions, number: int, found: dict[str, torch.Tensor], shape: tuple[int, ...]) -> None:
        height, width = shape[:2]
        boxes = (found["boxes"] / found["boxes"].new_tensor([width, height, width, height])).clamp(0, 1)
        real = torch.nonzero((boxes[:, 2:] > boxes[:, :2]).all(dim=1)).flatten()
        best = real[torch.sort(found["scores"][real], descending=True, stable=True).indices[:N_REGIONS]]
        n = len(best)
        if n:
            regions.boxes[number, :n] = boxes[best]
            regions.scores[number, :n] = found["scores"][best]
            regions.labels[number, :n] = torch.tensor([_thing(int(c)) for c in found["labels"][best]])
            regions.lengths[number] = n


def load_proposer(name: str, *, allow_download: bool = False, device: str = "auto") -> Detector:
    """A torchvision detector with the weights that torchvision publishes for it, from torch hub's cache.

    allow_download: fetch the weights if they are not there; never done unasked.

    Raises
    ------
    ConfigError
        there is no such detector, or its weights are not here or cannot be read.
    DeviceError
        there is no such device.
    """
    if name not in DETECTOR_NAMES:
        raise ConfigError(f'There is no region proposer "{name}".', f"Choose one of {', '.join(DETECTOR_NAMES)}.")
    chosen = choose_device(device)
    network = _build(name)
    fill_network(network, name, title="the region proposer", allow_download=allow_download)
    if hasattr(network.roi_heads, "mask_predictor"):
        # Masks are not asked for, and cost as much as all before them.
        network.roi_heads.mask_roi_pool = network.roi_heads.mask_head = network.roi_heads.mask_predictor = None
    return Detector(name, network, chosen)


def _thing(category_id: int) -> int:
    return COCO_THING_IDS.index(category_id) if category_id in COCO_THING_IDS else len(COCO_THINGS)


def _build(name: str) -> Any:
    network = get_model(name, weights=None, weights_backbone=None, box_score_thresh=_MIN_SCORE,
                        box_detections_per_img=N_REGIONS)
    if name == "fasterrcnn_mobilenet_v3_large_320_fpn":
        # torchvision freezes these only where it loads the weights itself, and calculates differently then.
        _freeze_normalisations(network)
    return network


def _freeze_normalisations(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d):
            setattr(module, name, FrozenBatchNorm2d(child.num_features))
        else:
            _freeze_normalisations(child)

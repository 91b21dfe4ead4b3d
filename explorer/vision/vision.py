"""What every model family sees with: the shared backbone and, if asked for, the segmenter, loaded and ready."""
# B pictures, C classes of presence and scores, M mask classes

import dataclasses
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from explorer.errors import PackageError
from explorer.packages.package import ModelPackage
from explorer.vision.backbone import DEFAULT_BACKBONE, Backbone, load_backbone, to_squares
from explorer.vision.classes import thing_of_mask
from explorer.vision.detectors import Detector
from explorer.vision.device import OUT_OF_MEMORY_SENTENCE, choose_device, device_title, memory_error, ran_out_of_memory
from explorer.vision.features import BackboneFeatures, Regions, VisualFeatures
from explorer.vision.inference import CPU_SLICE, inference_form
from explorer.vision.proposer import Proposer
from explorer.vision.regions import OBJECT_LABEL, Selection, select_regions
from explorer.vision.segmenter import Segmenter, most_probable
from explorer.vision.stored import read_proposer, read_segmenter

FAMILY = "vision"


class Vision:
    """Backbone and segmenter in the form that only answers.

    Attributes:
        backbone: in that form; ``backbone.tail`` goes from trunk to grid.
        segmenter: in that form, or None.
        proposer: in that form, or None.
        detector: a detector of its own that gives the regions in the proposer's place, or None.
        class_names: C names in the order of presence and scores: the mask names, then the things. Some words come
            twice, as a mask class and as a thing; :meth:`name_presence` joins them.
        mask_names: M names in the order of the class map; the first is the background.
        region_names: names in the order of the regions' labels; the last is "object".
        side_px: side of the squares it takes.
        device: where it runs.
        notice: empty, or a sentence for the person once it had to move to another device.
    """

    def __init__(
        self,
        backbone: Backbone,
        segmenter: Segmenter | None,
        *,
        class_names: tuple[str, ...],
        device: torch.device,
        proposer: Proposer | None = None,
        selection: Selection | None = None,
    ) -> None:
        """Take eager modules; they are copied into their inference form. ``selection`` makes proposals regions."""
        self._eager = (backbone, segmenter, proposer)
        self._selection = selection or Selection()
        self.class_names = class_names
        self.mask_names = class_names[: segmenter.config.n_masks] if segmenter else ()
        things = class_names[len(class_names) - proposer.config.n_things :] if proposer else ()
        self.region_names = (*things, OBJECT_LABEL) if proposer else ()
        self.side_px = backbone.side_px
        self.notice = ""
        self.detector: Detector | None = None
        self._place(device)

    @property
    def device_title(self) -> str:
        """Where it runs, for people."""
        return device_title(self.device)

    def __call__(self, squares: np.ndarray, *, segment: bool = True, propose: bool = False) -> VisualFeatures:
        """See pictures: uint8 RGB squares (B, side_px, side_px, 3) to features, float32 on :attr:`device`.

        segment: also give scores, presence, class map and confidence (nothing where there is no segmenter).
        propose: also give regions.

        Raises
        ------
        DeviceError
            there is not even memory enough on the CPU.
        PackageError
            regions were asked for, but there is no proposer.
        """
        if propose and self.detector is not None:
            # A network of its own: it sees the pictures again.
            seen = self(squares, segment=segment)
            return dataclasses.replace(seen, regions=self.detector(squares).to(seen.grid.device))
        if propose and self.proposer is None:
            raise PackageError("The vision package that is in use has no region proposer.",
                               "Install a newer version of it, or use a model that needs no regions.")
        pixels = to_squares(squares, self.side_px)
        try:
            return self._see(pixels, segment=segment, propose=propose)
        except (RuntimeError, MemoryError) as error:
            if not ran_out_of_memory(error):
                raise
            if self.device.type == "cpu":
                raise memory_error() from error
        self._place(torch.device("cpu"))
        self.notice = OUT_OF_MEMORY_SENTENCE
        return self._see(pixels, segment=segment, propose=propose)

    def use_detector(self, detector: Detector) -> None:
        """Let this detector give the regions from now on."""
        self.detector, self.region_names = detector, detector.region_names

    def score_cells(self, trunk: torch.Tensor, grid: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores (B, C, g, g), logits, and presence (B, C), probabilities, from cached trunks and their grids.

        Raises ``ValueError`` without a segmenter.
        """
        if self.segmenter is None:
            raise ValueError("this vision was loaded without a segmenter")
        weight = next(self.segmenter.parameters())
        with torch.inference_mode():
            scores, presence = self.segmenter.score_cells(
                trunk.to(weight.device, weight.dtype), grid.to(weight.device, weight.dtype))
        return scores.float(), presence.float()

    def propose_means(self, squares: np.ndarray) -> list[torch.Tensor]:
        """Means over the proposer's cells of objectness (B, 1), box (B, 4) and things (B, K), before any selection."""
        assert self.proposer is not None
        with torch.inference_mode():
            proposals = self.proposer(self.backbone(to_squares(squares, self.side_px).to(self.device)))
        return [torch.sigmoid(proposals.objectness).mean(dim=1, keepdim=True),
                proposals.boxes.clamp(0, 1).mean(dim=1), torch.softmax(proposals.things, dim=-1).mean(dim=1)]

    def name_presence(self, presence: np.ndarray) -> dict[str, float]:
        """Presence (C,) of one picture by name, without the background; the larger where two classes mean one."""
        named: dict[str, float] = {}
        for name, probability in list(zip(self.class_names, presence.tolist(), strict=True))[1:]:
            thing = thing_of_mask(name)
            named[thing] = max(probability, named.get(thing, 0.0))
        return named

    def _place(self, device: torch.device) -> None:
        backbone, segmenter, proposer = self._eager
        self.device = device
        self.backbone = inference_form(backbone, device)
        self.segmenter = None if segmenter is None else inference_form(segmenter, device)
        self.proposer = None if proposer is None else inference_form(proposer, device)

    def _see(self, pixels: torch.Tensor, *, segment: bool, propose: bool) -> VisualFeatures:
        if not len(pixels):
            one = torch.zeros(1, self.side_px, self.side_px, 3, dtype=torch.uint8)
            return _rows(self._see(one, segment=segment, propose=propose), slice(0))
        n_slice = CPU_SLICE if self.device.type == "cpu" else len(pixels)
        with torch.inference_mode():
            parts = [self._see_slice(part.to(self.device), segment=segment, propose=propose)
                     for part in torch.split(pixels, n_slice)]
        return parts[0] if len(parts) == 1 else _joined(parts)

    def _see_slice(self, pixels: torch.Tensor, *, segment: bool, propose: bool) -> VisualFeatures:
        seen = self.backbone(pixels)
        trunk, grid = seen.trunk.float(), seen.grid.float()
        pooled = functional.adaptive_avg_pool2d(grid, 1).flatten(1)
        regions = self._regions(seen) if propose else None
        if self.segmenter is None or not segment:
            return VisualFeatures(trunk, grid, pooled, regions=regions)
        output = self.segmenter(seen)
        class_map, confidence = most_probable(output.map_logits.float())
        return VisualFeatures(trunk, grid, pooled, output.scores.float(), torch.sigmoid(output.presence.float()),
                              class_map, confidence, regions)

    def _regions(self, seen: BackboneFeatures) -> Regions:
        assert self.proposer is not None
        proposals = self.proposer(seen)
        return select_regions(proposals.boxes, torch.sigmoid(proposals.objectness),
                              torch.softmax(proposals.things, dim=-1), self._selection)


def load_vision(
    package: ModelPackage | None,
    *,
    backbone_name: str = DEFAULT_BACKBONE,
    device: str = "auto",
    allow_download: bool = False,
) -> Vision:
    """Load the backbone and, where a vision package is given, its segmenter and region proposer.

    backbone_name: for use without a package; a package names its own.
    device: ``"auto"``, ``"cuda"``, ``"mps"`` or ``"cpu"``.
    allow_download: see :func:`~explorer.vision.backbone.load_backbone`.

    Raises
    ------
    PackageError
        the package is of another family, or its tensors do not fit.
    DeviceError
        there is no such device.
    ConfigError
        the backbone is unknown or its weights are not here.
    """
    chosen = choose_device(device)
    if package is None:
        return Vision(load_backbone(backbone_name, allow_download=allow_download), None, class_names=(), device=chosen)
    if package.manifest.family != FAMILY:
        raise PackageError(f"{package.name} is a model of the family {package.manifest.family}, not a vision package.")
    backbone = load_backbone(package.manifest.backbone.name, allow_download=allow_download)
    segmenter = read_segmenter(package, backbone)
    proposer, selection = read_proposer(package, backbone) if package.manifest.regions else (None, None)
    return Vision(backbone, segmenter, class_names=package.labels, device=chosen, proposer=proposer,
                  selection=selection)


def reference_outputs(package: ModelPackage, squares: np.ndarray, *, device: str = "cpu") -> np.ndarray:
    """What ``models verify`` compares: pooled features, presence, mean map confidence; (B, G + C + 1).

    Of a region proposer further columns: means over its cells of objectness, box and things, 1 + 4 + K. Which
    proposals become regions hangs on comparisons, so that a rounding error could change them wholly.
    """
    vision = load_vision(package, device=device)
    seen = vision(squares)
    assert seen.presence is not None
    assert seen.confidence is not None
    columns = [seen.pooled, seen.presence, seen.confidence.mean(dim=(1, 2))[:, None]]
    if vision.proposer is not None:
        columns += vision.propose_means(squares)
    return np.asarray(torch.cat(columns, dim=1).cpu().numpy(), dtype=np.float32)


def _rows(features: VisualFeatures, rows: slice) -> VisualFeatures:
    values = ((field.name, getattr(features, field.name)) for field in dataclasses.fields(features))
    kept: dict[str, Any] = {name: None if value is None else value[rows] for name, value in values}
    return VisualFeatures(**kept)


def _joined(parts: list[VisualFeatures]) -> VisualFeatures:
    values = {field.name: [getattr(part, field.name) for part in parts] for field in dataclasses.fields(VisualFeatures)}
    return VisualFeatures(**{name: _joined_field(columns) for name, columns in values.items()})


def _joined_field(columns: list[Any]) -> Any:
    if columns[0] is None:
        return None
    if isinstance(columns[0], Regions):
        names = [field.name for field in dataclasses.fields(Regions)]
        return Regions(*(torch.cat([getattr(column, name) for column in columns]) for name in names))
    return torch.cat(columns)

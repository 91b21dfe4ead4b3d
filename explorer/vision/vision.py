"""What every model family sees with: the shared backbone and, if asked for, the segmenter, loaded and ready."""
# B pictures, C classes of presence and scores, M mask classes

import dataclasses
from collections.abc import Iterator

import msgspec
import numpy as np
import torch
from torch.nn import functional

from explorer.errors import PackageError
from explorer.packages.package import ModelPackage, load_tensors, require_keys
from explorer.vision.backbone import DEFAULT_BACKBONE, Backbone, load_backbone, to_squares
from explorer.vision.classes import thing_of_mask
from explorer.vision.device import OUT_OF_MEMORY_SENTENCE, choose_device, device_title, memory_error, ran_out_of_memory
from explorer.vision.features import VisualFeatures
from explorer.vision.inference import CPU_SLICE, inference_form
from explorer.vision.segmenter import Segmenter, SegmenterConfig, most_probable

FAMILY = "vision"


class Vision:
    """Backbone and segmenter in the form that only answers.

    Attributes:
        backbone: in that form; ``backbone.tail`` goes from trunk to grid.
        segmenter: in that form, or None.
        class_names: C names in the order of presence and scores: the mask names, then the things. Some words come
            twice, as a mask class and as a thing; :meth:`name_presence` joins them.
        mask_names: M names in the order of the class map; the first is the background.
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
    ) -> None:
        """Take eager modules; they are copied into their inference form."""
        self._eager = (backbone, segmenter)
        self.class_names = class_names
        self.mask_names = class_names[: segmenter.config.n_masks] if segmenter else ()
        self.side_px = backbone.side_px
        self.notice = ""
        self._place(device)

    @property
    def device_title(self) -> str:
        """Where it runs, for people."""
        return device_title(self.device)

    def __call__(self, squares: np.ndarray, *, segment: bool = True) -> VisualFeatures:
        """See pictures: uint8 RGB squares (B, side_px, side_px, 3) to features, float32 on :attr:`device`.

        segment: also give scores, presence, class map and confidence (nothing where there is no segmenter).

        Raises
        ------
        DeviceError
            there is not even memory enough on the CPU.
        """
        pixels = to_squares(squares, self.side_px)
        try:
            return self._see(pixels, segment=segment)
        except (RuntimeError, MemoryError) as error:
            if not ran_out_of_memory(error):
                raise
            if self.device.type == "cpu":
                raise memory_error() from error
        self._place(torch.device("cpu"))
        self.notice = OUT_OF_MEMORY_SENTENCE
        return self._see(pixels, segment=segment)

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

    def name_presence(self, presence: np.ndarray) -> dict[str, float]:
        """Presence (C,) of one picture by name, without the background; the larger where two classes mean one."""
        named: dict[str, float] = {}
        for name, probability in list(zip(self.class_names, presence.tolist(), strict=True))[1:]:
            thing = thing_of_mask(name)
            named[thing] = max(probability, named.get(thing, 0.0))
        return named

    def _place(self, device: torch.device) -> None:
        backbone, segmenter = self._eager
        self.device = device
        self.backbone = inference_form(backbone, device)
        self.segmenter = None if segmenter is None else inference_form(segmenter, device)

    def _see(self, pixels: torch.Tensor, *, segment: bool) -> VisualFeatures:
        if not len(pixels):
            return self._nothing(segment=segment)
        n_slice = CPU_SLICE if self.device.type == "cpu" else len(pixels)
        with torch.inference_mode():
            parts = [self._see_slice(part.to(self.device), segment=segment) for part in torch.split(pixels, n_slice)]
        return parts[0] if len(parts) == 1 else _joined(parts)

    def _nothing(self, *, segment: bool) -> VisualFeatures:
        one = self._see(torch.zeros(1, self.side_px, self.side_px, 3, dtype=torch.uint8), segment=segment)
        values = (getattr(one, field.name) for field in dataclasses.fields(one))
        return VisualFeatures(*(None if value is None else value[:0] for value in values))  # type: ignore[arg-type]

    def _see_slice(self, pixels: torch.Tensor, *, segment: bool) -> VisualFeatures:
        seen = self.backbone(pixels)
        trunk, grid = seen.trunk.float(), seen.grid.float()
        pooled = functional.adaptive_avg_pool2d(grid, 1).flatten(1)
        if self.segmenter is None or not segment:
            return VisualFeatures(trunk, grid, pooled)
        output = self.segmenter(seen)
        class_map, confidence = most_probable(output.map_logits.float())
        return VisualFeatures(trunk, grid, pooled, output.scores.float(), torch.sigmoid(output.presence.float()),
                              class_map, confidence)


def load_vision(
    package: ModelPackage | None,
    *,
    backbone_name: str = DEFAULT_BACKBONE,
    device: str = "auto",
    allow_download: bool = False,
) -> Vision:
    """Load the backbone and, where a vision package is given, its segmenter.

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
    return Vision(backbone, segmenter, class_names=package.labels, device=chosen)


def read_segmenter(package: ModelPackage, backbone: Backbone) -> Segmenter:
    """The segmenter of a vision package, eager, in float32; :class:`PackageError` where its tensors do not fit."""
    try:
        config = msgspec.convert({**package.manifest.config, "channels": backbone.channels}, SegmenterConfig)
    except msgspec.ValidationError as error:
        raise PackageError(f"[config] of {package.name} does not describe a segmenter: {error}.") from error
    if len(package.labels) != config.n_classes or not 1 <= config.n_masks <= config.n_classes:
        raise PackageError(f"{package.name} names {len(package.labels)} classes, but its segmenter has "
                           f"{config.n_classes}, {config.n_masks} of them with masks.", "Install the package again.")
    segmenter = Segmenter(config)
    tensors = load_tensors(package)
    expected = {key: tensor for key, tensor in segmenter.state_dict().items() if tensor.ndim}
    require_keys(tensors, expected)
    for key, tensor in tensors.items():
        if tensor.shape != tuple(expected[key].shape):
            raise PackageError(f"The tensor {key} of {package.name} has shape {tensor.shape}, "
                               f"expected {tuple(expected[key].shape)}.", "Install the package again.")
    # Not strict, for the counters of training steps, which are not stored; all else was compared above.
    segmenter.load_state_dict({key: torch.from_numpy(tensor) for key, tensor in tensors.items()}, strict=False)
    return segmenter.eval().requires_grad_(False)


def segmenter_tensors(segmenter: Segmenter) -> dict[str, np.ndarray]:
    """What a package stores: convolutions and products in half precision, statistics of normalisations in full."""
    values = {key: tensor.detach().cpu().numpy() for key, tensor in segmenter.state_dict().items() if tensor.ndim}
    return {key: value.astype(np.float16) if value.ndim > 1 else value for key, value in values.items()}


def reference_outputs(package: ModelPackage, squares: np.ndarray, *, device: str = "cpu") -> np.ndarray:
    """What ``models verify`` compares: pooled features, presence, mean map confidence; (B, G + C + 1)."""
    seen = load_vision(package, device=device)(squares)
    assert seen.presence is not None
    assert seen.confidence is not None
    sure = seen.confidence.mean(dim=(1, 2))[:, None]
    return np.asarray(torch.cat([seen.pooled, seen.presence, sure], dim=1).cpu().numpy(), dtype=np.float32)


def _joined(parts: list[VisualFeatures]) -> VisualFeatures:
    def columns() -> Iterator[torch.Tensor | None]:
        for field in dataclasses.fields(VisualFeatures):
            values = [getattr(part, field.name) for part in parts]
            yield None if values[0] is None else torch.cat(values)

    return VisualFeatures(*columns())  # type: ignore[arg-type]

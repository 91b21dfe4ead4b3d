"""The photos a segmenter learns from: features and targets, computed once and kept as files.

One folder a part: unlabelled photos with the teachers' answers, annotated photos with their masks. A part that was
finished before (its folder names how many photos it holds) is used as it is; an interrupted one is made again.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from explorer.cancellation import CancellationToken
from explorer.datasets.coco import (
    InstanceImage,
    PanopticImage,
    instance_class_map,
    load_panoptic_map,
    read_instances,
    read_panoptic,
)
from explorer.datasets.coco_classes import COCO_THING_IDS, COCO_THINGS, VOC_CLASSES, VOC_OF_COCO
from explorer.datasets.karpathy import read_karpathy
from explorer.media.image import decode_image, squash
from explorer.media.item import read_content
from explorer.protocol.runs import Progressed
from explorer.training.distillation_targets import Targets, TeacherBlend, targets_from_teachers, targets_from_truth
from explorer.training.distillation_training import Examples
from explorer.training.teachers import Boxes, DeepLabTeacher, YoloxTeacher
from explorer.vision.backbone import Backbone
from explorer.vision.inference import CPU_SLICE, inference_form

CLASS_NAMES = VOC_CLASSES + COCO_THINGS
"""Of presence and cell scores."""

MASK_OF_THING = np.array([VOC_CLASSES.index(VOC_OF_COCO[name]) if name in VOC_OF_COCO else 0 for name in COCO_THINGS])
"""For each thing its VOC class, 0 where it has none."""

_FEATURES = ("stride8", "trunk", "grid")
_TARGETS = ("masks", "cells", "presence")
_COUNT_FILE = "photos.json"

Square = np.ndarray
Labeller = Callable[[int, Square], Targets]
"""From a photo's number and its square to its targets."""


@dataclass(frozen=True, slots=True)
class Part:
    """Photos that get their targets the same way.

    Attributes:
        name: of its folder.
        paths: the photos.
        label: makes the targets.
    """

    name: str
    paths: tuple[Path, ...]
    label: Labeller


def teacher_part(annotations: Path, *, split: str, teachers: Path, blend: TeacherBlend) -> Part:
    """Photos of a Karpathy json, labelled by the teachers; sentences are not looked at."""
    deeplab, yolox = DeepLabTeacher(teachers), YoloxTeacher(teachers)

    def label(_: int, square: Square) -> Targets:
        return targets_from_teachers(deeplab.logits(square, flip=True), yolox.boxes(square), MASK_OF_THING, blend)

    return Part("teachers", read_karpathy(annotations, split=split).image_paths, label)


def truth_part(coco: Path, *, split: str, side_px: int) -> Part:
    """COCO photos with their annotated masks and boxes."""
    images = annotated_images(coco, split=split)
    paths = tuple(sorted(images))

    def label(number: int, _: Square) -> Targets:
        class_map, boxes = load_truth(images[paths[number]], side_px)
        return targets_from_truth(class_map, boxes, MASK_OF_THING, len(VOC_CLASSES))

    return Part("truth", paths, label)


def annotated_images(coco: Path, *, split: str) -> dict[Path, InstanceImage | PanopticImage]:
    """The photos of a split that have masks, panoptic ones where a photo has both kinds; nothing is decoded."""
    folder = coco / "images" / split
    instances = read_instances(coco / f"instances_{split}.json", folder)
    panoptic = read_panoptic(coco / f"panoptic_{split}.json", folder)
    found: dict[Path, InstanceImage | PanopticImage] = {image.image_path: image for image in instances}
    return found | {image.image_path: image for image in panoptic}


def load_truth(image: InstanceImage | PanopticImage, side_px: int) -> tuple[np.ndarray, Boxes]:
    """VOC class map, uint8 (side_px, side_px), and the boxes of all annotated things but crowds, with score 1."""
    if isinstance(image, InstanceImage):
        class_map = instance_class_map(image)
        things = [(thing.category_id, thing.bbox) for thing in image.instances if not thing.iscrowd]
    else:
        class_map = load_panoptic_map(image)
        things = [(segment.category_id, segment.bbox) for segment in image.segments
                  if not segment.iscrowd and segment.category_id in COCO_THING_IDS]
    height_px, width_px = class_map.shape
    return nearest(class_map, side_px), _boxes(things, width_px, height_px)


def load_square(path: Path, side_px: int) -> Square:
    """A photo, upright and squashed to the network's square; uint8 (side_px, side_px, 3)."""
    return squash(decode_image(read_content(bytes(path)), min_edge_px=side_px).pixels, side_px)


def nearest(class_map: np.ndarray, side_px: int) -> np.ndarray:
    """Squash a class map by nearest neighbour, pixel centres at half-integers; (side_px, side_px)."""
    rows, columns = (((np.arange(side_px) + 0.5) * n / side_px).astype(np.int64) for n in class_map.shape)
    return np.ascontiguousarray(class_map[rows[:, None], columns[None]])


def prepare_part(part: Part, backbone: Backbone, folder: Path, token: CancellationToken) -> Iterator[Progressed]:
    """Compute a part's features and targets into ``folder / part.name``, unless they are there."""
    target = folder / part.name
    if is_prepared(part, folder):
        return
    target.mkdir(parents=True, exist_ok=True)
    (target / _COUNT_FILE).unlink(missing_ok=True)
    network = inference_form(backbone, torch.device("cpu"))
    arrays: dict[str, np.ndarray] = {}
    n, began = len(part.paths), time.monotonic()
    for start in range(0, n, CPU_SLICE):
        token.check()
        numbers = range(start, min(start + CPU_SLICE, n))
        squares = np.stack([load_square(part.paths[number], backbone.side_px) for number in numbers])
        rows = _features(network, squares) | _stacked([part.label(i, s) for i, s in zip(numbers, squares, strict=True)])
        for key, values in rows.items():
            if key not in arrays:
                shape = (n, *values.shape[1:])
                arrays[key] = np.lib.format.open_memmap(target / f"{key}.npy", "w+", values.dtype, shape)
            arrays[key][start : start + len(values)] = values
        done = numbers[-1] + 1
        rate = done / (time.monotonic() - began)
        yield Progressed(message=f"labelling photos by {part.name}", n_done=done, n_total=n, rate_per_s=rate)
    for array in arrays.values():
        array.flush()  # type: ignore[attr-defined]
    (target / _COUNT_FILE).write_text(json.dumps({"n_photos": n}))


def is_prepared(part: Part, folder: Path) -> bool:
    """Whether the part's files are complete and hold as many photos."""
    path = folder / part.name / _COUNT_FILE
    return path.is_file() and json.loads(path.read_text()) == {"n_photos": len(part.paths)}


def open_examples(part: Part, folder: Path) -> Examples:
    """The prepared files of a part; features stay on the disk."""
    def features(side: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        stride8, trunk, grid = (np.load(folder / part.name / f"{side}_{key}.npy", mmap_mode="r") for key in _FEATURES)
        return stride8, trunk, grid

    targets = Targets(*(np.load(folder / part.name / f"{key}.npy") for key in _TARGETS))
    return Examples(features("upright"), features("mirrored"), targets)


def _features(network: Backbone, squares: np.ndarray) -> dict[str, np.ndarray]:
    rows = {}
    with torch.inference_mode():
        for side, pixels in (("upright", squares), ("mirrored", squares[:, :, ::-1])):
            seen = network(torch.from_numpy(np.ascontiguousarray(pixels)))
            for key in _FEATURES:
                rows[f"{side}_{key}"] = getattr(seen, key).permute(0, 2, 3, 1).half().numpy()
    return rows


def _stacked(targets: Sequence[Targets]) -> dict[str, np.ndarray]:
    return {key: np.stack([getattr(target, key) for target in targets]) for key in _TARGETS}


def _boxes(things: Sequence[tuple[int, Sequence[float]]], width_px: int, height_px: int) -> Boxes:
    """Boxes of (category id, (x, y, width, height) in pixels)."""
    xywh = np.array([box for _, box in things], np.float32).reshape(-1, 4)
    xyxy = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)
    xyxy /= np.array([width_px, height_px, width_px, height_px], np.float32)
    labels = np.array([COCO_THING_IDS.index(category) for category, _ in things], np.int64)
    return Boxes(xyxy, np.ones(len(things), np.float32), labels)

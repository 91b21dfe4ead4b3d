"""The pictures a region proposer learns from: features and boxes, computed once and kept as files.

Photos labelled by the teacher are seen as they are, and mirrored or not four at a time in a mosaic, whose halved
things are as small as most of COCO's are. Annotated photos are few, so they are seen often: cropped, changed in colour,
and four at a time. Every picture is drawn from its number, so that an interrupted set is made again as it was.
"""
# n pictures, G boxes of the picture that has most

import functools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from explorer.cancellation import CancellationToken
from explorer.datasets.karpathy import read_karpathy
from explorer.media.image import decode_image, squash
from explorer.media.item import read_content
from explorer.protocol.runs import Progressed
from explorer.training.distillation_set import annotated_images, load_square, load_truth
from explorer.training.teachers import Boxes, YoloxTeacher
from explorer.training.views import change_colours
from explorer.vision.backbone import Backbone
from explorer.vision.features import BackboneFeatures
from explorer.vision.inference import CPU_SLICE, inference_form

MAX_BOXES = 60
"""Of one picture; the strongest, where a teacher finds more."""

_FEATURES = ("stride8", "trunk", "grid")
_DONE_FILE = "pictures.json"
_MOSAIC_CENTRE = (0.35, 0.65)
_CROP_SIDE = (0.45, 1.0)
_KEPT_SHARE = 0.4
"""Boxes that a crop leaves less of are forgotten."""

LabelledSquare = tuple[np.ndarray, Boxes]
"""uint8 RGB (side, side, 3) with its boxes."""


@dataclass(frozen=True, slots=True, eq=False)
class PictureSet:
    """Pictures that are drawn by number.

    Attributes:
        name: of its folder.
        size: how many.
        identity: what they are made from; a finished folder of another identity is made again.
        draw: the picture of a number, always the same.
    """

    name: str
    size: int
    identity: dict[str, object]
    draw: Callable[[int], LabelledSquare]


@dataclass(frozen=True, slots=True)
class RegionExamples:
    """Cached features and boxes of n pictures; features may be memory-mapped.

    Attributes:
        features: stride8 (n, 4g, 4g, c8), trunk (n, 2g, 2g, T) and grid (n, g, g, G), float16.
        boxes: float32 (n, G, 4), normalised xyxy; rows behind a picture's own are 0.
        scores: float32 (n, G), how sure it is that there is a thing; 0 behind a picture's own.
        labels: int64 (n, G), index into the 80 things.
    """

    features: tuple[np.ndarray, np.ndarray, np.ndarray]
    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.boxes)

    def batch(self, rows: np.ndarray) -> tuple[BackboneFeatures, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Features, channels last, with boxes (B, G, 4), scores (B, G) and labels (B, G) of some pictures."""
        # Sorted reads are sequential ones where the features lie on a disk.
        rows = np.sort(rows)
        maps = [torch.from_numpy(array[rows].astype(np.float32)).permute(0, 3, 1, 2) for array in self.features]
        width = max(1, int((self.scores[rows] > 0).sum(axis=1).max()))
        boxes, scores, labels = (torch.from_numpy(a[rows][:, :width]) for a in (self.boxes, self.scores, self.labels))
        return BackboneFeatures(*maps), boxes, scores, labels


def taught_set(annotations: Path, *, split: str, teachers: Path, n_mosaics: int, held_out: int, side_px: int,
               seed: int) -> PictureSet:
    """Photos of a Karpathy json with the teacher's boxes; sentences are not looked at.

    held_out: so many photos at the end of the split are left out; choices may be made on them.
    """
    paths = read_karpathy(annotations, split=split).image_paths
    paths = paths[: len(paths) - held_out]
    yolox = YoloxTeacher(teachers)

    # A photo is drawn upright, mirrored and for mosaics, and the teacher is slow; its boxes are small.
    @functools.cache
    def taught(photo: int) -> Boxes:
        return yolox.boxes(load_square(paths[photo], side_px))

    def photo(number: int) -> LabelledSquare:
        return load_square(paths[number], side_px), taught(number)

    def draw(number: int) -> LabelledSquare:
        if number < len(paths):
            return photo(number)
        rng = np.random.default_rng((seed, number))
        chosen = [photo(int(row)) for row in rng.choice(len(paths), 4)]
        return mosaic([mirrored(picture) if rng.random() < 0.5 else picture for picture in chosen], rng)

    size = len(paths) + n_mosaics
    return PictureSet("taught-pictures", size, {"pictures": size, "photos": len(paths), "seed": seed}, draw)


def annotated_set(coco: Path, *, split: str, n_views: int, side_px: int, seed: int,
                  held_out: int = 0) -> PictureSet:
    """Annotated COCO photos with their real boxes: each as it is, and in ``n_views`` further views."""
    images = annotated_images(coco, split=split)
    paths = sorted(images)[: len(images) - held_out]

    # Few photos that are drawn again and again.
    @functools.cache
    def photo(row: int) -> LabelledSquare:
        pixels = decode_image(read_content(bytes(paths[row])), min_edge_px=2 * side_px).pixels
        return pixels, load_truth(images[paths[row]], side_px)[1]

    def view(row: int, rng: np.random.Generator) -> LabelledSquare:
        square, boxes = crop(*photo(row), rng, side_px)
        return change_colours(square, rng), boxes

    def draw(number: int) -> LabelledSquare:
        turn, row = divmod(number, len(paths))
        if turn == 0:
            return squash(photo(row)[0], side_px), photo(row)[1]
        rng = np.random.default_rng((seed, number))
        if turn % 3 == 0:
            return mosaic([view(int(i), rng) for i in (row, *rng.choice(len(paths), 3))], rng)
        picture = view(row, rng)
        return mirrored(picture) if turn % 2 else picture

    size = (1 + n_views) * len(paths)
    return PictureSet("annotated-pictures", size, {"pictures": size, "photos": len(paths), "seed": seed}, draw)


def mirrored(picture: LabelledSquare) -> LabelledSquare:
    """Left and right exchanged, of pixels and boxes."""
    square, boxes = picture
    xyxy = boxes.xyxy.copy()
    xyxy[:, [0, 2]] = 1 - boxes.xyxy[:, [2, 0]]
    return np.ascontiguousarray(square[:, ::-1]), Boxes(xyxy, boxes.scores, boxes.labels)


def crop(pixels: np.ndarray, boxes: Boxes, rng: np.random.Generator, side_px: int) -> LabelledSquare:
    """A random part of a photo, squashed to the square; boxes that are mostly outside are dropped."""
    height, width = pixels.shape[:2]
    part = rng.uniform(*_CROP_SIDE, size=2)
    low = rng.uniform(0, 1 - part)
    left, top = (low * (width, height)).astype(int)
    right, bottom = np.ceil((low + part) * (width, height)).astype(int)
    square = squash(np.ascontiguousarray(pixels[top:bottom, left:right]), side_px)
    frame = np.array([left / width, top / height, right / width, bottom / height], np.float32)
    offset, scale = np.tile(frame[:2], 2), np.tile(frame[2:] - frame[:2], 2)
    inside = np.clip((boxes.xyxy - offset) / scale, 0, 1).astype(np.float32)
    kept = _area(inside) * scale[0] * scale[1] >= _KEPT_SHARE * np.maximum(_area(boxes.xyxy), 1e-9)
    return square, Boxes(inside[kept], boxes.scores[kept], boxes.labels[kept])


def mosaic(pictures: Sequence[LabelledSquare], rng: np.random.Generator) -> LabelledSquare:
    """Four squares in one, meeting at a random point near the middle (Bochkovskiy et al. 2020, section 3.3)."""
    side = len(pictures[0][0])
    x, y = (int(side * value) for value in rng.uniform(*_MOSAIC_CENTRE, size=2))
    square = np.empty((side, side, 3), np.uint8)
    parts = []
    frames = ((0, 0, x, y), (x, 0, side, y), (0, y, x, side), (x, y, side, side))
    for (left, top, right, bottom), (pixels, boxes) in zip(frames, pictures, strict=True):
        # Squashed to the longer side first, then the shorter one by picking: squash makes squares only.
        longer = squash(pixels, max(right - left, bottom - top))
        rows, columns = (np.linspace(0, len(longer) - 1, n).round().astype(int) for n in (bottom - top, right - left))
        square[top:bottom, left:right] = longer[rows[:, None], columns]
        scale = np.array([right - left, bottom - top] * 2, np.float32) / side
        parts.append(boxes.xyxy * scale + np.array([left, top] * 2, np.float32) / side)
    scores, labels = (np.concatenate([getattr(b, name) for _, b in pictures]) for name in ("scores", "labels"))
    return square, Boxes(np.concatenate(parts).astype(np.float32), scores, labels)


def prepare_pictures(
    pictures: PictureSet, backbone: Backbone, folder: Path, token: CancellationToken
) -> Iterator[Progressed]:
    """Compute features and boxes into ``folder / pictures.name``, unless they are there."""
    target = folder / pictures.name
    if _is_prepared(target, pictures):
        return
    target.mkdir(parents=True, exist_ok=True)
    (target / _DONE_FILE).unlink(missing_ok=True)
    network = inference_form(backbone, torch.device("cpu"))
    arrays: dict[str, np.ndarray] = {}
    n, began = pictures.size, time.monotonic()
    for start in range(0, n, CPU_SLICE):
        token.check()
        drawn = [pictures.draw(number) for number in range(start, min(start + CPU_SLICE, n))]
        rows = _features(network, np.stack([square for square, _ in drawn])) | _padded([boxes for _, boxes in drawn])
        for key, values in rows.items():
            if key not in arrays:
                shape = (n, *values.shape[1:])
                arrays[key] = np.lib.format.open_memmap(target / f"{key}.npy", "w+", values.dtype, shape)
            arrays[key][start : start + len(values)] = values
        done = start + len(drawn)
        rate = done / (time.monotonic() - began)
        yield Progressed(message=f"looking at {pictures.name}", n_done=done, n_total=n, rate_per_s=rate)
    for array in arrays.values():
        array.flush()  # type: ignore[attr-defined]
    (target / _DONE_FILE).write_text(json.dumps(pictures.identity))


def open_pictures(pictures: PictureSet, folder: Path) -> RegionExamples:
    """The prepared files of a set; features stay on the disk."""
    target = folder / pictures.name
    stride8, trunk, grid = (np.load(target / f"{key}.npy", mmap_mode="r") for key in _FEATURES)
    boxes, scores, labels = (np.load(target / f"{key}.npy") for key in ("boxes", "scores", "labels"))
    return RegionExamples((stride8, trunk, grid), boxes, scores, labels)


def _is_prepared(target: Path, pictures: PictureSet) -> bool:
    path = target / _DONE_FILE
    return path.is_file() and json.loads(path.read_text()) == pictures.identity


def _features(network: Backbone, squares: np.ndarray) -> dict[str, np.ndarray]:
    with torch.inference_mode():
        seen = network(torch.from_numpy(squares))
    return {key: getattr(seen, key).permute(0, 2, 3, 1).half().numpy() for key in _FEATURES}


def _padded(all_boxes: Sequence[Boxes]) -> dict[str, np.ndarray]:
    """The strongest boxes of each picture, in rows of one width."""
    n = len(all_boxes)
    rows: dict[str, np.ndarray] = {
        "boxes": np.zeros((n, MAX_BOXES, 4), np.float32), "scores": np.zeros((n, MAX_BOXES), np.float32),
        "labels": np.zeros((n, MAX_BOXES), np.int64)}
    for row, boxes in enumerate(all_boxes):
        # Lines and points are annotated, too; nothing overlaps with them.
        real = np.flatnonzero((boxes.xyxy[:, 2:] - boxes.xyxy[:, :2]).min(axis=1, initial=1.0) > 0.002)
        best = real[np.argsort(-boxes.scores[real], kind="stable")][:MAX_BOXES]
        for key, values in (("boxes", boxes.xyxy), ("scores", boxes.scores), ("labels", boxes.labels)):
            rows[key][row, : len(best)] = values[best]
    return rows


def _area(xyxy: np.ndarray) -> np.ndarray:
    return np.asarray((xyxy[:, 2] - xyxy[:, 0]) * (xyxy[:, 3] - xyxy[:, 1]))

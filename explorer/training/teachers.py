"""What the teachers say about a photo: soft class maps (DeepLab) and boxes (YOLOX), as compact arrays.

Both teachers carry permissive licences and are used for distillation only: DeepLab v3 on MobileNet v2 (21 VOC classes,
Chen et al. 2017) and YOLOX-nano (80 COCO classes, Ge et al. 2021).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from explorer.media.onnx_teacher import OnnxNetwork, resize_square

DEEPLAB_FILE = "deeplabv3_257_mv.onnx"
DEEPLAB_SIDE_PX = 257
DEEPLAB_CELLS = 33
"""DeepLab's own logits are 33 x 33; its output enlarges them bilinearly, corners aligned, so every eighth is one."""

YOLOX_FILE = "yolox_nano.onnx"
YOLOX_SIDE_PX = 416
YOLOX_STRIDES = (8, 16, 32)


@dataclass(frozen=True, slots=True)
class Boxes:
    """Detections in one photo.

    Attributes:
        xyxy: float32 (n, 4), normalised to [0, 1] over the photo.
        scores: float32 (n,) in [0, 1].
        labels: int64 (n,), index into the 80 COCO things.
    """

    xyxy: np.ndarray
    scores: np.ndarray
    labels: np.ndarray


def enlarge_logits(logits: np.ndarray, side_px: int) -> np.ndarray:
    """DeepLab's corner-aligned logits (33, 33, M) bilinearly at ``side_px`` pixels, their centres at half-integers."""
    resample = logit_resampling(side_px)
    return np.asarray(np.einsum("ia,abm,jb->ijm", resample, logits.astype(np.float32), resample, optimize=True))


def logit_resampling(n_cells: int) -> np.ndarray:
    """Matrix (n_cells, 33) from DeepLab's corner-aligned logits to cells whose centres lie at half-integers."""
    centres = (np.arange(n_cells) + 0.5) * DEEPLAB_SIDE_PX / n_cells - 0.5
    # The outermost centres of a fine map lie beyond the corners: hold the edge there.
    positions = np.clip(centres * (DEEPLAB_CELLS - 1) / (DEEPLAB_SIDE_PX - 1), 0, DEEPLAB_CELLS - 1)
    return np.clip(1.0 - np.abs(positions[:, None] - np.arange(DEEPLAB_CELLS)[None]), 0.0, None).astype(np.float32)


class DeepLabTeacher:
    """Soft class maps over background and the 20 VOC classes."""

    def __init__(self, folder: Path) -> None:
        self._network = OnnxNetwork(folder / DEEPLAB_FILE)

    def logits(self, square: np.ndarray, *, flip: bool = False) -> np.ndarray:
        """Logits (33, 33, 21), float32, corner-aligned with the uint8 RGB ``square``.

        flip: average with the mirrored photo's logits, mirrored back.
        """
        own = self._once(square)
        if not flip:
            return own
        mirrored = self._once(square[:, ::-1])[:, ::-1]
        return np.asarray(0.5 * (own + mirrored))

    def _once(self, square: np.ndarray) -> np.ndarray:
        pixels = resize_square(np.ascontiguousarray(square), DEEPLAB_SIDE_PX).astype(np.float32)
        step = (DEEPLAB_SIDE_PX - 1) // (DEEPLAB_CELLS - 1)
        return np.asarray(self._network(pixels[None] / 127.5 - 1.0)[0, ::step, ::step])


class YoloxTeacher:
    """Boxes of the 80 COCO things."""

    def __init__(self, folder: Path, *, min_score: float = 0.05, max_overlap: float = 0.5) -> None:
        self._network = OnnxNetwork(folder / YOLOX_FILE)
        self._min_score = min_score
        self._max_overlap = max_overlap
        self._cells, self._strides = _yolox_cells()

    def boxes(self, square: np.ndarray) -> Boxes:
        """Boxes in the uint8 RGB ``square``, strongest first; one class per box, overlaps of one class suppressed."""
        pixels = resize_square(np.ascontiguousarray(square), YOLOX_SIDE_PX)[:, :, ::-1].astype(np.float32)
        raw = self._network(pixels.transpose(2, 0, 1)[None])[0]
        probability = raw[:, 4:5] * raw[:, 5:]
        labels = probability.argmax(axis=1)
        scores = probability.max(axis=1)
        kept = np.flatnonzero(scores >= self._min_score)
        kept = kept[np.argsort(-scores[kept], kind="stable")]
        centre = (raw[kept, :2] + self._cells[kept]) * self._strides[kept]
        half = np.exp(raw[kept, 2:4]) * self._strides[kept] / 2
        xyxy = np.clip(np.concatenate([centre - half, centre + half], axis=1) / YOLOX_SIDE_PX, 0.0, 1.0)
        alone = suppress_overlaps(xyxy, labels[kept], max_overlap=self._max_overlap)
        kept, xyxy = kept[alone], xyxy[alone]
        return Boxes(xyxy.astype(np.float32), scores[kept].astype(np.float32), labels[kept].astype(np.int64))


def _yolox_cells() -> tuple[np.ndarray, np.ndarray]:
    """Column and row (n, 2) and stride (n, 1) of YOLOX's n = 3549 predictions, in their order."""
    cells, strides = [], []
    for stride in YOLOX_STRIDES:
        n = YOLOX_SIDE_PX // stride
        rows, columns = np.mgrid[:n, :n]
        cells.append(np.stack([columns.ravel(), rows.ravel()], axis=1))
        strides.append(np.full((n * n, 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32)


def suppress_overlaps(xyxy: np.ndarray, labels: np.ndarray, *, max_overlap: float) -> np.ndarray:
    """Greedy non-maximum suppression within each class; boxes come strongest first. Gives the kept rows."""
    kept: list[int] = []
    for row in range(len(xyxy)):
        rivals = [k for k in kept if labels[k] == labels[row]]
        if not rivals or box_overlap(xyxy[row], xyxy[rivals]).max() <= max_overlap:
            kept.append(row)
    return np.asarray(kept, dtype=np.int64)


def box_overlap(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of one box (4,) with others (n, 4); (n,)."""
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[2:], others[:, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    area = np.prod(box[2:] - box[:2]) + np.prod(others[:, 2:] - others[:, :2], axis=1) - shared
    return np.asarray(shared / np.maximum(area, 1e-9))

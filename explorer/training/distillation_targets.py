"""What the segmenter should say about a photo, made from the teachers' answers or from annotated masks.

Three targets a photo, kept as bytes (255 = 1.0): class probabilities of a 28 x 28 map, how much of each class is in
each of 7 x 7 cells, and the presence of each class.
"""
# M mask classes (background and 20 VOC), K things (80 COCO), C = M + K classes of presence and cell scores

from dataclasses import dataclass

import numpy as np

from explorer.training.teachers import Boxes, enlarge_logits

MAP_CELLS = 28
GRID_CELLS = 7

@dataclass(frozen=True, slots=True)
class Targets:
    """Targets of one photo, or of n photos where every array has a leading axis n.

    Attributes:
        masks: uint8 (28, 28, M), probability of each mask class times 255; the sum may be less than 255 where
            pixels were not labelled.
        cells: uint8 (7, 7, C), probability that a class is in a cell times 255.
        presence: uint8 (C,), probability that a class is in the photo times 255.
    """

    masks: np.ndarray
    cells: np.ndarray
    presence: np.ndarray


@dataclass(frozen=True, slots=True)
class TeacherBlend:
    """How YOLOX's boxes correct DeepLab's classes: a class gains ``gain * (score - doubt)`` where it has a box of
    that score, and loses ``gain * doubt`` where it has none.

    On the 180 annotated train2017 photos this lifted DeepLab's IoU of "any VOC object" from 0.49 to 0.55, and the mean
    over classes from 0.32 to 0.40.
    """

    gain: float = 5.0
    doubt: float = 0.35


def targets_from_teachers(logits: np.ndarray, boxes: Boxes, mask_of_thing: np.ndarray, blend: TeacherBlend) -> Targets:
    """Targets from DeepLab's logits (33, 33, M) and YOLOX's boxes.

    mask_of_thing: for each of the K things its mask class, 0 where it has none; int (K,).
    """
    scores = enlarge_logits(logits, MAP_CELLS)
    scores[..., 1:] += blend.gain * (_box_scores(boxes, mask_of_thing, scores.shape)[..., 1:] - blend.doubt)
    masks = np.exp(scores - scores.max(axis=-1, keepdims=True))
    masks /= masks.sum(axis=-1, keepdims=True)
    return _targets(masks, boxes, mask_of_thing)


def targets_from_truth(class_map: np.ndarray, boxes: Boxes, mask_of_thing: np.ndarray, n_masks: int) -> Targets:
    """Targets from an annotated class map, uint8 (side, side) with 255 where nobody labelled, and boxes of score 1.

    The side must be a multiple of 28.
    """
    side = class_map.shape[0] // MAP_CELLS
    one_hot = class_map[..., None] == np.arange(n_masks, dtype=np.uint8)
    blocks = one_hot.reshape(MAP_CELLS, side, MAP_CELLS, side, n_masks)
    return _targets(blocks.mean(axis=(1, 3), dtype=np.float32), boxes, mask_of_thing)


def box_coverage(xyxy: np.ndarray, n_cells: int) -> tuple[np.ndarray, np.ndarray]:
    """How much of each cell a box covers, and how much of the box lies in each cell; two (n_cells, n_cells) in [0, 1].

    xyxy: one box, normalised.
    """
    edges = np.arange(n_cells + 1) / n_cells
    spans = [np.clip(np.minimum(edges[1:], high) - np.maximum(edges[:-1], low), 0, None)
             for low, high in ((xyxy[1], xyxy[3]), (xyxy[0], xyxy[2]))]
    shared = np.outer(spans[0], spans[1])
    area = max(float((xyxy[2] - xyxy[0]) * (xyxy[3] - xyxy[1])), 1e-9)
    return shared * n_cells**2, shared / area


def _box_scores(boxes: Boxes, mask_of_thing: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    scores = np.zeros(shape, np.float32)
    for xyxy, score, label in zip(boxes.xyxy, boxes.scores, boxes.labels, strict=True):
        mask = mask_of_thing[label]
        if mask:
            covered, _ = box_coverage(xyxy, shape[0])
            np.maximum(scores[..., mask], score * (covered >= 0.5), out=scores[..., mask])
    return scores


def _targets(masks: np.ndarray, boxes: Boxes, mask_of_thing: np.ndarray) -> Targets:
    n_masks, n_things = masks.shape[-1], len(mask_of_thing)
    block = MAP_CELLS // GRID_CELLS
    cells = np.zeros((GRID_CELLS, GRID_CELLS, n_masks + n_things), np.float32)
    cells[..., :n_masks] = masks.reshape(GRID_CELLS, block, GRID_CELLS, block, n_masks).mean(axis=(1, 3))
    presence = np.zeros(n_masks + n_things, np.float32)
    for xyxy, score, label in zip(boxes.xyxy, boxes.scores, boxes.labels, strict=True):
        covered, contained = box_coverage(xyxy, GRID_CELLS)
        # A small thing counts in full in the cell that holds it.
        seen = score * np.maximum(covered, contained)
        np.maximum(cells[..., n_masks + label], seen, out=cells[..., n_masks + label])
        for row in (n_masks + label, mask_of_thing[label]):
            presence[row] = max(presence[row], score)
    presence[:n_masks] = np.maximum(presence[:n_masks], cells[..., :n_masks].max(axis=(0, 1)))
    return Targets(*(np.rint(np.clip(part, 0, 1) * 255).astype(np.uint8) for part in (masks, cells, presence)))

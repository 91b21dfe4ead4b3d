"""How well the shipped segmenter does beside its teacher: ``python -m explorer.training.segmenter_report``.

On the annotated val2017 photos both see the same squashed 224 x 224 picture, and both maps are compared with the
annotated one at 224 x 224 (squashed by nearest neighbour): the student's 56 x 56 classes enlarged by nearest neighbour,
DeepLab's logits bilinearly. Intersections and unions are pooled over the pixels of all photos; intervals come from
resampling photos. On Flickr8k val, where nothing is annotated, the two are compared with each other. Prints one JSON
document.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from explorer.datasets.coco_classes import VOC_CLASSES, VOID
from explorer.datasets.karpathy import read_karpathy
from explorer.packages.package import read_package
from explorer.training.distillation_set import annotated_images, load_square, load_truth
from explorer.training.teachers import DeepLabTeacher, enlarge_logits
from explorer.vision import Vision, load_vision
from explorer.vision.device import use_threads

SIDE_PX = 224
MIN_PHOTOS = 5
"""Classes in fewer annotated photos are not reported on their own."""

_BATCH = 16
_N_RESAMPLES = 2000

T = TypeVar("T")

Segment = Callable[[np.ndarray], np.ndarray]
"""Squares (n, 224, 224, 3) to class maps (n, 224, 224)."""


def overlap_counts(predicted: np.ndarray, truth: np.ndarray, n_classes: int) -> np.ndarray:
    """Intersection and union in pixels of each class and, last, of "any object"; int (n_classes + 1, 2).

    Pixels of ``truth`` that are VOID count for nothing.
    """
    valid = truth != VOID
    pairs = np.bincount(predicted[valid].astype(np.int64) * n_classes + truth[valid], minlength=n_classes**2)
    table = pairs.reshape(n_classes, n_classes)
    shared = np.diagonal(table)
    union = table.sum(axis=0) + table.sum(axis=1) - shared
    any_object = [table[1:, 1:].sum(), table.sum() - table[0, 0]]
    return np.concatenate([np.stack([shared, union], axis=1), [any_object]])


def pooled_iou(counts: np.ndarray) -> np.ndarray:
    """Intersection over union with pixels pooled over photos: counts (n, K, 2) to (K,), nan where there is no union."""
    total = counts.sum(axis=0, dtype=np.float64)
    iou: np.ndarray = np.full(len(total), np.nan)
    np.divide(total[:, 0], total[:, 1], out=iou, where=total[:, 1] > 0)
    return iou


def resampled_iou(counts: np.ndarray, *, seed: int = 0, n_resamples: int = _N_RESAMPLES) -> np.ndarray:
    """Pooled IoU of bootstrap samples of the photos; (n_resamples, K)."""
    rng = np.random.default_rng(seed)
    rows = (rng.integers(len(counts), size=len(counts)) for _ in range(n_resamples))
    return np.stack([pooled_iou(counts[row]) for row in rows])


def student_segmenter(vision: Vision) -> Segment:
    """The package's class map, enlarged by nearest neighbour."""
    def segment(squares: np.ndarray) -> np.ndarray:
        class_map = vision(squares).class_map
        assert class_map is not None
        maps = class_map.cpu().numpy()
        step = SIDE_PX // maps.shape[1]
        return np.asarray(maps.repeat(step, axis=1).repeat(step, axis=2))
    return segment


def teacher_segmenter(teachers: Path) -> Segment:
    """DeepLab's most probable class of the picture as it is, without its mirror image."""
    deeplab = DeepLabTeacher(teachers)

    def segment(squares: np.ndarray) -> np.ndarray:
        return np.stack([enlarge_logits(deeplab.logits(s), SIDE_PX).argmax(axis=-1) for s in squares])
    return segment


def report_truth(coco: Path, segmenters: dict[str, Segment]) -> dict[str, object]:
    """IoU of each segmenter on the annotated val2017 photos, with intervals, and the first beside the second."""
    images = annotated_images(coco, split="val2017")
    entries = [(path, load_truth(images[path], SIDE_PX)[0]) for path in sorted(images)]
    n_classes = len(VOC_CLASSES)
    counts: dict[str, list[np.ndarray]] = {name: [] for name in segmenters}
    for part in _batches(entries):
        squares = np.stack([load_square(path, SIDE_PX) for path, _ in part])
        for name, segment in segmenters.items():
            maps = segment(squares)
            counts[name] += [overlap_counts(m, truth, n_classes) for m, (_, truth) in zip(maps, part, strict=True)]
    n_photos = [sum(bool((truth == c).any()) for _, truth in entries) for c in range(n_classes)]
    rows = [0, n_classes, *(c for c in range(1, n_classes) if n_photos[c] >= MIN_PHOTOS)]
    names = [*VOC_CLASSES, "any object"]
    ious = {name: (pooled_iou(np.stack(c)), resampled_iou(np.stack(c))) for name, c in counts.items()}
    student, teacher = (ious[name] for name in segmenters)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (student[0] / teacher[0], student[1] / teacher[1])
    columns: dict[str, tuple[np.ndarray, np.ndarray]] = ious | {"ratio": ratio}
    table = {names[row]: {"photos": len(entries) if row in (0, n_classes) else n_photos[row]}
             | {name: _interval(values[0], values[1], row) for name, values in columns.items()} for row in rows}
    listed = rows[2:]
    means = {name: float(np.nanmean(values[0][listed])) for name, values in ious.items()}
    return {"photos": len(entries), "classes": table, "mean over listed classes": means}


def report_agreement(annotations: Path, segmenters: dict[str, Segment], *, split: str) -> dict[str, object]:
    """How far the first segmenter agrees with the second, which is taken for the truth."""
    paths = read_karpathy(annotations, split=split).image_paths
    counts, same = [], []
    for part in _batches(paths):
        squares = np.stack([load_square(path, SIDE_PX) for path in part])
        ours, theirs = (segment(squares) for segment in segmenters.values())
        counts += [overlap_counts(a, b, len(VOC_CLASSES)) for a, b in zip(ours, theirs, strict=True)]
        same += [float((a == b).mean()) for a, b in zip(ours, theirs, strict=True)]
    iou = pooled_iou(np.stack(counts))
    return {"photos": len(paths), "same pixels": float(np.mean(same)), "iou background": float(iou[0]),
            "iou any object": float(iou[-1]), "mean iou of classes": float(np.nanmean(iou[1:-1]))}


def report_time(vision: Vision, squares: np.ndarray, *, n_rounds: int = 7) -> dict[str, float]:
    """Seconds a photo, best of interleaved rounds: backbone alone, with the segmenter, and their ratio."""
    best = {True: float("inf"), False: float("inf")}
    for _ in range(n_rounds):
        for segment in best:
            began = time.perf_counter()
            vision(squares, segment=segment)
            best[segment] = min(best[segment], (time.perf_counter() - began) / len(squares))
    return {"backbone s": best[False], "with segmenter s": best[True], "ratio": best[True] / best[False]}


def _interval(values: np.ndarray, resamples: np.ndarray, row: int) -> dict[str, float | None]:
    column = resamples[:, row]
    column = column[np.isfinite(column)]
    low, high = np.percentile(column, [2.5, 97.5]) if len(column) else (np.nan, np.nan)
    return {"value": _rounded(values[row]), "low": _rounded(low), "high": _rounded(high)}


def _rounded(value: float) -> float | None:
    # JSON knows no nan; a class that the teacher never finds has no ratio.
    return round(float(value), 4) if np.isfinite(value) else None


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + _BATCH] for start in range(0, len(items), _BATCH))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the exit status is 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data_dir", type=Path, help="folder with coco, flickr8k and teachers")
    parser.add_argument("--package", type=Path, default=Path("models/vision-lite0"))
    parser.add_argument("--device", default="cpu")
    chosen = parser.parse_args(arguments)
    use_threads()
    vision = load_vision(read_package(chosen.package), device=chosen.device)
    segmenters = {"student": student_segmenter(vision), "teacher": teacher_segmenter(chosen.data_dir / "teachers")}
    annotations = chosen.data_dir / "flickr8k" / "dataset_flickr8k.json"
    some = read_karpathy(annotations, split="val").image_paths[:_BATCH]
    squares = np.stack([load_square(path, SIDE_PX) for path in some])
    report = {
        "package": read_package(chosen.package).model_id,
        "coco val2017": report_truth(chosen.data_dir / "coco", segmenters),
        "flickr8k val": report_agreement(annotations, segmenters, split="val"),
        "time": report_time(vision, squares),
    }
    sys.stdout.write(json.dumps(report, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

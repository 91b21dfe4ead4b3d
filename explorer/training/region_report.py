"""How many annotated things the shipped regions find: ``python -m explorer.training.region_report --data DATA --json``.

Recall of the boxes of COCO's instances_val2017 (crowds left out) at an overlap of 0.5 with at most 36 boxes a photo,
whatever their labels: of the package's regions, of a uniform grid of 6 x 6 boxes, and of the YOLOX teacher's 36 surest
boxes, once from the same 224 px square as the package and once from the photo squashed to the teacher's own 416 px. A
thing is small, medium or large by its annotated area in the photo, as COCO has it (below 32 x 32, below 96 x 96 px).
Boxes are pooled over photos; intervals come from resampling photos. Time is that of proposing beside the backbone
alone.
"""
# n photos, G annotated boxes of a photo

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from explorer.errors import DatasetError
from explorer.packages.package import read_package
from explorer.training.distillation_set import load_square
from explorer.training.teachers import YOLOX_SIDE_PX, YoloxTeacher, box_overlap
from explorer.vision import Vision, load_vision
from explorer.vision.device import use_threads
from explorer.vision.regions import N_REGIONS

MIN_OVERLAP = 0.5
_SMALL_PX, _MEDIUM_PX = 32**2, 96**2
_FEW = 10
_BATCH = 16
_N_RESAMPLES = 2000

Propose = Callable[[Path], np.ndarray]
"""A photo to its boxes (at most 36, 4), normalised xyxy, best first."""


class _Image(msgspec.Struct):
    id: int
    file_name: str
    width: int
    height: int


class _Annotation(msgspec.Struct):
    image_id: int
    bbox: tuple[float, float, float, float]
    area: float
    iscrowd: int = 0


class _Instances(msgspec.Struct):
    images: list[_Image]
    annotations: list[_Annotation]


@dataclass(frozen=True, slots=True)
class AnnotatedPhoto:
    """What should be found.

    Attributes:
        path: the photo.
        boxes: float64 (G, 4), normalised xyxy.
        areas_px: float64 (G,), of the things in the photo's own pixels.
    """

    path: Path
    boxes: np.ndarray
    areas_px: np.ndarray


def annotated_photos(coco: Path, *, split: str) -> list[AnnotatedPhoto]:
    """Photos with annotated things; :class:`DatasetError` where the file is missing or says something else."""
    path = coco / f"instances_{split}.json"
    try:
        table = msgspec.json.decode(path.read_bytes(), type=_Instances)
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}.",
                           "Name the folder that has it.") from error
    except msgspec.DecodeError as error:
        raise DatasetError(f"{path} holds no annotated instances: {error}.", "Fetch the file again.") from error
    of_image: dict[int, list[_Annotation]] = defaultdict(list)
    for annotation in table.annotations:
        if not annotation.iscrowd:
            of_image[annotation.image_id].append(annotation)
    photos = []
    for image in table.images:
        things = of_image[image.id]
        xywh = np.array([thing.bbox for thing in things], np.float64).reshape(-1, 4)
        xyxy = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)
        photos.append(AnnotatedPhoto(coco / "images" / split / image.file_name,
                                     xyxy / np.array([image.width, image.height] * 2),
                                     np.array([thing.area for thing in things], np.float64)))
    return photos


def uniform_grid(n_side: int = 6) -> np.ndarray:
    """The picture cut into n_side x n_side boxes; (n_side ** 2, 4)."""
    rows, columns = np.mgrid[:n_side, :n_side]
    low = np.stack([columns.ravel(), rows.ravel()], axis=1)
    return np.concatenate([low, low + 1], axis=1) / n_side


def found(truth: np.ndarray, proposed: np.ndarray) -> np.ndarray:
    """Which of the boxes (G, 4) some proposal (n, 4) overlaps by half or more; bool (G,)."""
    if not len(proposed):
        return np.zeros(len(truth), bool)
    return np.array([box_overlap(box, proposed).max() >= MIN_OVERLAP for box in truth], bool)


def recall_table(photos: Sequence[AnnotatedPhoto], propose: Propose) -> dict[str, object]:
    """Recall of all things, by size, and by the first ten proposals alone."""
    sizes = np.concatenate([photo.areas_px for photo in photos])
    owners = np.repeat(np.arange(len(photos)), [len(photo.boxes) for photo in photos])
    proposals = [propose(photo.path)[:N_REGIONS] for photo in photos]
    hits = np.concatenate([found(photo.boxes, boxes) for photo, boxes in zip(photos, proposals, strict=True)])
    early = np.concatenate([found(photo.boxes, boxes[:_FEW]) for photo, boxes in zip(photos, proposals, strict=True)])
    every = np.ones(len(sizes), bool)
    rows = {"all": every, "small": sizes < _SMALL_PX, "medium": (sizes >= _SMALL_PX) & (sizes < _MEDIUM_PX),
            "large": sizes >= _MEDIUM_PX}
    table: dict[str, object] = {name: _recall(hits, chosen, owners, len(photos)) for name, chosen in rows.items()}
    table[f"all, first {_FEW}"] = _recall(early, every, owners, len(photos))
    table["boxes a photo"] = round(float(np.mean([len(boxes) for boxes in proposals])), 2)
    return table


def _recall(hits: np.ndarray, chosen: np.ndarray, owners: np.ndarray, n_photos: int) -> dict[str, object]:
    hit, all_of = (np.bincount(owners[rows], minlength=n_photos) for rows in (hits & chosen, chosen))
    rng = np.random.default_rng(0)
    drawn = rng.integers(n_photos, size=(_N_RESAMPLES, n_photos))
    shares = hit[drawn].sum(axis=1) / np.maximum(all_of[drawn].sum(axis=1), 1)
    low, high = np.percentile(shares, [2.5, 97.5])
    value = hit.sum() / max(int(all_of.sum()), 1)
    return {"things": int(all_of.sum()), "recall": round(float(value), 4), "low": round(float(low), 4),
            "high": round(float(high), 4)}


def package_regions(vision: Vision) -> Propose:
    """The package's regions, most confident first."""
    def propose(path: Path) -> np.ndarray:
        regions = vision(load_square(path, vision.side_px)[None], segment=False, propose=True).regions
        assert regions is not None
        return np.asarray(regions.boxes[0, : int(regions.lengths[0])].cpu().numpy(), dtype=np.float64)
    return propose


def teacher_boxes(teacher: YoloxTeacher, side_px: int) -> Propose:
    """The teacher's boxes in the photo squashed to a square of this side, surest first."""
    def propose(path: Path) -> np.ndarray:
        return teacher.boxes(load_square(path, side_px)).xyxy.astype(np.float64)
    return propose


def report_time(vision: Vision, squares: np.ndarray, *, n_rounds: int = 15) -> dict[str, float]:
    """Seconds a photo, best of interleaved rounds: backbone alone, with regions, and their ratio.

    On a CPU they are this process' own: what else the computer does is not counted.
    """
    clock = time.process_time if vision.device.type == "cpu" else time.perf_counter
    best = {False: float("inf"), True: float("inf")}
    for _ in range(n_rounds):
        for propose in best:
            began = clock()
            vision(squares, segment=False, propose=propose)
            best[propose] = min(best[propose], (clock() - began) / len(squares))
    return {"backbone s": best[False], "with regions s": best[True], "ratio": best[True] / best[False]}


def measure(data: Path, package_folder: Path, *, device: str) -> dict[str, object]:
    """The whole report."""
    package = read_package(package_folder)
    vision = load_vision(package, device=device)
    photos = annotated_photos(data / "coco", split="val2017")
    # So unsure a box counts only where there are fewer than 36 better ones.
    teacher = YoloxTeacher(data / "teachers", min_score=1e-3)
    grid = uniform_grid()
    proposers: dict[str, Propose] = {
        "package": package_regions(vision),
        "uniform grid": lambda _: grid,
        "teacher, same square": teacher_boxes(teacher, vision.side_px),
        "teacher, 416 px": teacher_boxes(teacher, YOLOX_SIDE_PX),
    }
    squares = np.stack([load_square(photo.path, vision.side_px) for photo in photos[:_BATCH]])
    regions = package.manifest.regions
    return {
        "package": package.model_id, "regions sha256": regions.sha256 if regions else None, "photos": len(photos),
        "recall": {name: recall_table(photos, propose) for name, propose in proposers.items()},
        "time": report_time(vision, squares),
    }


def _lines(report: dict[str, object]) -> list[str]:
    """A Markdown table of the recalls, and a line about time."""
    tables: dict[str, dict[str, object]] = msgspec.convert(report["recall"], dict[str, dict[str, object]])
    columns = ["all", "small", "medium", "large", f"all, first {_FEW}"]
    lines = ["| boxes | " + " | ".join(columns) + " |", "| --- " * (len(columns) + 1) + "|"]
    for name, table in tables.items():
        cells = [msgspec.convert(table[column], dict[str, float]) for column in columns]
        lines.append(f"| {name} | " + " | ".join(f"{c['recall']:.3f} ({c['low']:.3f}-{c['high']:.3f})" for c in cells)
                     + " |")
    times = msgspec.convert(report["time"], dict[str, float])
    return [*lines, "", f"Proposing and all before it take {times['ratio']:.2f} times as long as the backbone alone."]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the exit status is 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder with coco and teachers")
    parser.add_argument("--package", type=Path, default=Path("models/vision-lite0"))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    chosen = parser.parse_args(arguments)
    use_threads()
    report = measure(chosen.data, chosen.package, device=chosen.device)
    text = json.dumps(report, indent=1) if chosen.json else "\n".join(_lines(report))
    sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

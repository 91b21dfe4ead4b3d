"""Labels from the YOLOX teacher: ``python -m explorer.training.teacher_labels DATASET.json --teachers DIR -o FILE``.

A thing is in a photo where the teacher has a box of it that is sure enough. The sentences are not looked at, so that a
model that learns from sentences can be judged by these labels. The photo is squashed to the teacher's own 416 px, as
where the shipped heads learn from it. One photo at a time; progress goes to standard error.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from explorer.datasets.captioned import read_captioned
from explorer.datasets.coco_classes import COCO_THINGS
from explorer.datasets.labels import LabelFile, check_label_target, item_names, write_labels
from explorer.errors import DatasetError, MediaError, UserFacingError
from explorer.training.distillation_set import load_square
from explorer.training.teachers import YOLOX_SIDE_PX, YoloxTeacher

MIN_SCORE = 0.3
_SAYS_EVERY_S = 5.0


def teacher_labels(
    photos: Sequence[Path], classes_of: Callable[[np.ndarray], np.ndarray], on_progress: Callable[[int], None]
) -> LabelFile:
    """Classes of photos, by file name, over the 80 things.

    classes_of: from a uint8 RGB square (416, 416, 3) to the numbers of the things in it, int (n,), repeats allowed.
    on_progress: gets the number of photos done.

    Raises
    ------
    DatasetError
        a photo cannot be read, or two have the same file name.
    """
    found = {}
    for number, (name, path) in enumerate(zip(item_names(photos), photos, strict=True), start=1):
        try:
            square = load_square(path, YOLOX_SIDE_PX)
        except MediaError as error:
            raise DatasetError(
                f"{path}: {error.message}", "Replace the photo, or take it out of the data set."
            ) from error
        found[name] = tuple(np.unique(classes_of(square)).tolist())
        on_progress(number)
    return LabelFile(COCO_THINGS, found)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; exit status 1 with one sentence for what a user can cause."""
    parser = argparse.ArgumentParser(
        prog="python -m explorer.training.teacher_labels", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("dataset", type=Path, help="a Karpathy json or COCO captions")
    parser.add_argument("--teachers", type=Path, required=True, help="folder with yolox_nano.onnx")
    parser.add_argument("--images", type=Path, help="folder of the photos, if it is not images/")
    parser.add_argument("--split", default="train+val", help="several are joined by a plus sign")
    parser.add_argument("--min-score", type=float, default=MIN_SCORE)
    parser.add_argument("--without", action="append", default=[], metavar="NAME", help="leave this class out")
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args(arguments)
    try:
        check_label_target(given.output)
        LabelFile(COCO_THINGS, {}).without(given.without)
        photos = read_captioned(given.dataset, split=given.split, images_folder=given.images).image_paths
        teacher = YoloxTeacher(given.teachers, min_score=given.min_score)
        labels = teacher_labels(photos, lambda square: teacher.boxes(square).labels, _progress(len(photos)))
        write_labels(given.output, labels.without(given.without))
    except UserFacingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _progress(n_photos: int) -> Callable[[int], None]:
    """Say now and then how far the work is; after the last photo in any case."""
    began = said = time.monotonic()

    def say(n_done: int) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said >= _SAYS_EVERY_S or n_done == n_photos:
            said = now
            sys.stderr.write(f"{n_done} of {n_photos} photos, {1000 * (now - began) / n_done:.0f} ms each\n")

    return say


if __name__ == "__main__":
    sys.exit(main())

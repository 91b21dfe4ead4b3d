"""What a sample collection holds, decided by its seed alone, and the folder it lies in.

::

    DIR/
      collection.json          what this is, its seed and its size: whose folder it is, and what to go on with
      captions.json            sentences of every picture and clip
      labels.json              kind, colour and motion of every picture and clip
      images/image-0001.jpg    still scenes
      clips/clip-0001.mp4      moving scenes, one to three shots a clip; .mkv, .avi and .webm too
      annotations/images.json  COCO's form: boxes and masks
      annotations/clips/clip-0001.json  shots, and boxes and masks frame by frame
      README.txt
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec
import numpy as np

from explorer.datasets.scenes.scene import Scene, draw_scenes
from explorer.datasets.scenes.world import SPLITS, Split
from explorer.errors import ConfigError, DatasetError, StorageFullError, UserFacingError

VERSION = 1
"""Of what a seed means: the same version draws the same scenes."""

MANIFEST = "collection.json"
CAPTIONS, LABELS, README = "captions.json", "labels.json", "README.txt"
IMAGES, CLIPS = "images", "clips"
IMAGE_ANNOTATIONS, CLIP_ANNOTATIONS = "annotations/images.json", "annotations/clips"

MOST_ITEMS = 9999
SIDES_PX = (64, 1024)
_WHAT = "sample collection of Retrieval Explorer"

_ASPECTS, _ASPECT_SHARES = (4 / 3, 3 / 2, 1.0, 3 / 4), (0.6, 0.15, 0.1, 0.15)
_CLIP_ASPECTS, _CLIP_ASPECT_SHARES = (4 / 3, 16 / 9), (0.7, 0.3)
_SUFFIXES, _SUFFIX_SHARES = (".mp4", ".mkv", ".avi", ".webm"), (0.6, 0.2, 0.1, 0.1)
_RATES_FPS = (12, 15, 16)
_SHOT_SHARES = (0.78, 0.14, 0.08)
_ALONE_S, _AMONG_S = (2.0, 3.0), (1.3, 1.8)
_FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class CollectionPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for; the first n of a larger collection are those of a smaller one.

    Attributes:
        side_px: long edge of the clips; pictures are half as large again.
    """

    what: str = _WHAT
    version: int = VERSION
    seed: int = 0
    split: Split = "val"
    n_images: int = 240
    n_clips: int = 240
    side_px: int = 320

    def checked(self) -> Self:
        """Itself, if there is such a collection.

        Raises
        ------
        ConfigError
            a number is outside of what can be rendered.
        """
        if self.split not in SPLITS:
            raise ConfigError(f'There is no split "{self.split}".', f"Say one of {', '.join(SPLITS)}.")
        if self.seed < 0:
            raise ConfigError("A seed is a whole number from 0.", "Choose another seed.")
        if not SIDES_PX[0] <= self.side_px <= SIDES_PX[1]:
            raise ConfigError(
                f"Clips of {self.side_px} px are not rendered.", f"Choose {SIDES_PX[0]} to {SIDES_PX[1]} px."
            )
        counts = (self.n_images, self.n_clips)
        if min(counts) < 0 or max(counts) > MOST_ITEMS or not any(counts):
            raise ConfigError(
                f"A sample collection cannot have {counts[0]:,} pictures and {counts[1]:,} clips.",
                f"Choose up to {MOST_ITEMS:,} of each, and at least one of them.",
            )
        return self


@dataclass(frozen=True, slots=True)
class PlannedImage:
    """A picture to be; ``name`` is its path in the collection, ``aspect`` width by height."""

    name: str
    scene: Scene
    aspect: float


@dataclass(frozen=True, slots=True)
class PlannedShot:
    """One scene of a clip, from its beginning to its end."""

    scene: Scene
    n_frames: int


@dataclass(frozen=True, slots=True)
class PlannedClip:
    """A clip to be; ``name`` is its path in the collection, ``aspect`` width by height."""

    name: str
    shots: tuple[PlannedShot, ...]
    rate_fps: int
    aspect: float


def planned_images(plan: CollectionPlan) -> Iterator[PlannedImage]:
    """The pictures of a collection, in order."""
    scenes = draw_scenes(plan.n_images, seed=plan.seed, split=plan.split, moving=False)
    for number, scene in enumerate(scenes, start=1):
        rng = np.random.default_rng([scene.variation, 11])
        yield PlannedImage(f"{IMAGES}/image-{number:04}.jpg", scene, float(rng.choice(_ASPECTS, p=_ASPECT_SHARES)))


def planned_clips(plan: CollectionPlan) -> Iterator[PlannedClip]:
    """The clips of a collection, in order; neighbouring shots differ in their backdrop, or there would be no cut."""
    n_most = len(_SHOT_SHARES) * plan.n_clips
    waiting = iter(draw_scenes(2 * n_most + 20, seed=plan.seed, split=plan.split, moving=True))
    for number in range(1, plan.n_clips + 1):
        scene = next(waiting)
        rng = np.random.default_rng([scene.variation, 13])
        scenes = [scene]
        for _ in range(int(rng.choice(len(_SHOT_SHARES), p=_SHOT_SHARES))):
            scenes.append(next(later for later in waiting if later.backdrop != scenes[-1].backdrop))
        rate_fps = int(rng.choice(_RATES_FPS))
        span = _ALONE_S if len(scenes) == 1 else _AMONG_S
        yield PlannedClip(
            f"{CLIPS}/clip-{number:04}{rng.choice(_SUFFIXES, p=_SUFFIX_SHARES)}",
            tuple(PlannedShot(shown, round(float(rng.uniform(*span)) * rate_fps)) for shown in scenes),
            rate_fps,
            float(rng.choice(_CLIP_ASPECTS, p=_CLIP_ASPECT_SHARES)),
        )


def claim_folder(folder: Path, plan: CollectionPlan) -> None:
    """Make the folder the home of this collection: a new or empty one, or one that already is.

    Raises
    ------
    DatasetError
        it holds something else, or another sample collection, or cannot be written to.
    StorageFullError
        the disk is full.
    """
    with writing_to(folder):
        if folder.exists() and not folder.is_dir():
            raise DatasetError(f"{folder} is a file.", "Name a folder.")
        folder.mkdir(parents=True, exist_ok=True)
        present = [entry.name for entry in os.scandir(folder) if not entry.name.startswith(".")]
        if present and MANIFEST not in present:
            raise DatasetError(
                f"{folder} holds other files, and no sample collection.", "Name a new folder, or an empty one."
            )
        if present:
            _require_same(folder, plan)
        for below in (IMAGES, CLIPS, CLIP_ANNOTATIONS):
            (folder / below).mkdir(parents=True, exist_ok=True)
        write_whole(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(plan), indent=2) + b"\n")


def _require_same(folder: Path, plan: CollectionPlan) -> None:
    try:
        there = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=CollectionPlan)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DatasetError(
            f"{folder / MANIFEST} is not that of a sample collection: {error}.", "Name a new folder, or an empty one."
        ) from error
    if there.what != _WHAT or there.version != plan.version:
        raise DatasetError(
            f"{folder} holds a collection of another version of this program.", "Name a new folder, or an empty one."
        )
    same = (there.seed, there.split, there.side_px) == (plan.seed, plan.split, plan.side_px)
    if not same or there.n_images > plan.n_images or there.n_clips > plan.n_clips:
        raise DatasetError(
            f"{folder} holds another sample collection: seed {there.seed}, split {there.split}, {there.side_px} px, "
            f"{there.n_images:,} pictures and {there.n_clips:,} clips.",
            "Ask for the same or for more of it, or name a new folder.",
        )


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all; raises OSError."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """What the disk refuses, whoever met it, becomes a sentence about this folder."""
    try:
        yield
    except (OSError, UserFacingError) as error:
        refused = error if isinstance(error, OSError) else error.__cause__
        if not isinstance(refused, OSError):
            raise
        if refused.errno in _FULL_ERRNOS:
            raise StorageFullError(
                f"The disk is full; the sample collection in {folder} is not whole.",
                "Make room and run the same again: it goes on where it stopped.",
            ) from error
        reason = refused.strerror or str(refused)
        raise DatasetError(
            f"The sample collection cannot be written to {folder}: {reason}.", "Name a folder that can be written to."
        ) from error

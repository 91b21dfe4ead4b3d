"""What is so in rendered frames, in forms that others read.

Pictures: one json in COCO's form of instances, masks as run lengths that are not compressed. Clips: one json each, with
its shots and, frame by frame, the same of every thing. A thing's box goes around all of it, also around what another
thing hides; its mask is what one sees of it.
"""

from typing import Any

import numpy as np

from explorer.datasets.scenes.collection import PlannedClip, PlannedImage
from explorer.datasets.scenes.rendering import RenderedFrame
from explorer.datasets.scenes.scene import labels_of
from explorer.datasets.scenes.wording import sentences_of
from explorer.datasets.scenes.world import KINDS


def run_lengths(mask: np.ndarray) -> dict[str, list[int]]:
    """A bool mask (h, w) as COCO has it: lengths of runs of zeros and ones in turn, down the columns."""
    flat = np.ascontiguousarray(mask.T).reshape(-1)
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    edges = np.concatenate(([0], changes, [flat.size]))
    counts = np.diff(edges).tolist()
    if flat.size and flat[0]:
        counts.insert(0, 0)
    return {"size": [int(length) for length in mask.shape], "counts": counts}


class ImageNotes:
    """Takes down pictures as they are rendered."""

    def __init__(self) -> None:
        self._images: list[dict[str, Any]] = []
        self._annotations: list[dict[str, Any]] = []

    def add(self, image: PlannedImage, frame: RenderedFrame) -> None:
        """The next picture."""
        height, width = frame.mask.shape
        number = len(self._images) + 1
        name = image.name.rpartition("/")[2]
        self._images.append({"id": number, "file_name": name, "width": width, "height": height})
        for place, thing in enumerate(image.scene.things):
            mask = frame.mask == place + 1
            self._annotations.append(
                {
                    "id": len(self._annotations) + 1,
                    "image_id": number,
                    "category_id": KINDS.index(thing.look.kind) + 1,
                    "bbox": _xywh_px(frame, place),
                    "area": int(np.count_nonzero(mask)),
                    "segmentation": run_lengths(mask),
                    "iscrowd": 0,
                    "colour": thing.look.colour,
                }
            )

    def to_dict(self) -> dict[str, Any]:
        """All that was taken down, for json; categories are kinds, and each thing's colour stands beside."""
        categories = [{"id": number, "name": kind} for number, kind in enumerate(KINDS, start=1)]
        return {"images": self._images, "annotations": self._annotations, "categories": categories}


_Note = tuple[list[float], dict[str, list[int]]]
"""Box and mask of one thing in one frame."""


class ClipNotes:
    """Takes down the frames of a clip as they are rendered."""

    def __init__(self, clip: PlannedClip) -> None:
        self._clip = clip
        self._frames: list[list[list[_Note]]] = [[] for _ in clip.shots]
        self._size: tuple[int, int] = (0, 0)

    def add(self, shot: int, frame: RenderedFrame) -> None:
        """The next frame, which belongs to this shot."""
        self._size = frame.mask.shape[0], frame.mask.shape[1]
        self._frames[shot].append(
            [(_xywh_px(frame, place), run_lengths(frame.mask == place + 1)) for place in range(len(frame.names))]
        )

    def to_dict(self) -> dict[str, Any]:
        """All that was taken down, for json."""
        clip, first, shots = self._clip, 0, []
        for shot, frames in zip(clip.shots, self._frames, strict=True):
            shots.append(
                {
                    "start_s": first / clip.rate_fps,
                    "end_s": (first + shot.n_frames) / clip.rate_fps,
                    "first_frame": first,
                    "n_frames": shot.n_frames,
                    "backdrop": shot.scene.backdrop,
                    "labels": labels_of(shot.scene),
                    "captions": sentences_of(shot.scene),
                    "things": [
                        {
                            "kind": thing.look.kind,
                            "colour": thing.look.colour,
                            "moves": thing.moves,
                            "bboxes": [frame[place][0] for frame in frames],
                            "segmentations": [frame[place][1] for frame in frames],
                        }
                        for place, thing in enumerate(shot.scene.things)
                    ],
                }
            )
            first += shot.n_frames
        height, width = self._size
        return {
            "file_name": clip.name.rpartition("/")[2],
            "width": width,
            "height": height,
            "rate_fps": clip.rate_fps,
            "n_frames": first,
            "shots": shots,
        }


def _xywh_px(frame: RenderedFrame, place: int) -> list[float]:
    height, width = frame.mask.shape
    left, top, right, bottom = np.round(frame.boxes[place] * (width, height, width, height), 2).tolist()
    return [left, top, right - left, bottom - top]

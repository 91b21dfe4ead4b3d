"""COCO's panoptic and instance annotations as class maps and boxes.

Panoptic: a json beside a folder of png files whose pixel (R, G, B) is the segment id R + 256 G + 65536 B, 0 being not
annotated (panopticapi). Instances: polygons, or run lengths for crowds.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from explorer.datasets.coco_classes import VOC_CLASS_OF_CATEGORY, VOID
from explorer.datasets.polygons import rasterise_polygons
from explorer.errors import DatasetError
from explorer.media.image import decode_image
from explorer.media.item import read_content

_File = TypeVar("_File")


class Category(msgspec.Struct, frozen=True):
    """One of the classes of an annotation file; ``isthing`` is 1 for countable things."""

    id: int
    name: str
    isthing: int = 1


class PanopticSegment(msgspec.Struct, frozen=True):
    """One segment of a panoptic png; ``bbox`` is x, y, width, height in pixels."""

    id: int
    category_id: int
    iscrowd: int = 0
    bbox: tuple[float, float, float, float] = (0, 0, 0, 0)


class Instance(msgspec.Struct, frozen=True):
    """One annotated thing; ``bbox`` is x, y, width, height in pixels, ``segmentation`` polygons or run lengths."""

    image_id: int
    category_id: int
    bbox: tuple[float, float, float, float]
    segmentation: "list[list[float]] | RunLengths"
    iscrowd: int = 0

    @property
    def xyxy_px(self) -> tuple[float, float, float, float]:
        """The box as left, top, right, bottom in pixels."""
        x, y, width, height = self.bbox
        return x, y, x + width, y + height


class RunLengths(msgspec.Struct, frozen=True):
    """A mask down the columns: lengths of runs of zeros and ones in turn; ``size`` is height, width."""

    counts: list[int]
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class PanopticImage:
    """A photo with its panoptic mask, neither of them decoded.

    Attributes:
        image_id: COCO's number.
        image_path: the photo.
        mask_path: the png.
        segments: what is in the png.
    """

    image_id: int
    image_path: Path
    mask_path: Path
    segments: tuple[PanopticSegment, ...]


@dataclass(frozen=True, slots=True)
class InstanceImage:
    """A photo with the things in it; the photo is not decoded.

    Attributes:
        image_id: COCO's number.
        image_path: the photo.
        width_px: width of the photo that was annotated.
        height_px: its height.
        instances: in file order.
    """

    image_id: int
    image_path: Path
    width_px: int
    height_px: int
    instances: tuple[Instance, ...]


class _ImageEntry(msgspec.Struct):
    id: int
    file_name: str
    width: int
    height: int


class _PanopticAnnotation(msgspec.Struct):
    image_id: int
    file_name: str
    segments_info: list[PanopticSegment]


class _PanopticFile(msgspec.Struct):
    images: list[_ImageEntry]
    annotations: list[_PanopticAnnotation]
    categories: list[Category]


class _InstancesFile(msgspec.Struct):
    images: list[_ImageEntry]
    annotations: list[Instance]


def read_panoptic(path: Path, images_folder: Path, masks_folder: Path | None = None) -> tuple[PanopticImage, ...]:
    """Read a panoptic json; the png files are in the folder of its name by default.

    Raises
    ------
    DatasetError
        the file is not of this form, or a photo or mask it names is missing.
    """
    content = _decode(path, _PanopticFile, "panoptic")
    masks = masks_folder if masks_folder is not None else path.with_suffix("")
    names = {image.id: image.file_name for image in content.images}
    _require_known((annotation.image_id for annotation in content.annotations), names, path)
    found = tuple(
        PanopticImage(
            annotation.image_id,
            images_folder / names[annotation.image_id],
            masks / annotation.file_name,
            tuple(annotation.segments_info),
        )
        for annotation in content.annotations
    )
    _require_files([image.image_path for image in found] + [image.mask_path for image in found], path)
    return found


def read_panoptic_categories(path: Path) -> tuple[Category, ...]:
    """The classes of a panoptic json in file order: 80 things and 53 kinds of stuff in COCO's own."""
    return tuple(_decode(path, _PanopticFile, "panoptic").categories)


def read_instances(path: Path, images_folder: Path) -> tuple[InstanceImage, ...]:
    """Read an instances json, every photo of it, also those with nothing in them.

    Raises
    ------
    DatasetError
        the file is not of this form, or a photo it names is missing.
    """
    content = _decode(path, _InstancesFile, "instances")
    instances: defaultdict[int, list[Instance]] = defaultdict(list)
    for instance in content.annotations:
        instances[instance.image_id].append(instance)
    _require_known(instances, {image.id: image.file_name for image in content.images}, path)
    found = tuple(
        InstanceImage(image.id, images_folder / image.file_name, image.width, image.height, tuple(instances[image.id]))
        for image in content.images
    )
    _require_files([image.image_path for image in found], path)
    return found


def panoptic_class_map(
    pixels: np.ndarray, segments: Sequence[PanopticSegment], class_of: Mapping[int, int] = VOC_CLASS_OF_CATEGORY
) -> np.ndarray:
    """Class of each pixel of a decoded panoptic png.

    Parameters
    ----------
    pixels
        uint8 RGB (h, w, 3).
    segments
        what is in it.
    class_of
        category id to class id; other categories are 0.

    Returns
    -------
    numpy.ndarray
        uint8 (h, w); :data:`VOID` where nothing is annotated, and on crowds of the classes.

    Raises
    ------
    DatasetError
        the png holds a segment that the json does not name.
    """
    segment_ids = pixels.astype(np.int64) @ np.array([1, 256, 65536])
    present, positions = np.unique(segment_ids, return_inverse=True)
    known = {segment.id: _class_of(segment.category_id, segment.iscrowd, class_of) for segment in segments}
    known[0] = VOID
    unknown = [segment_id for segment_id in present.tolist() if segment_id not in known]
    if unknown:
        raise DatasetError(f"A panoptic mask holds segment {unknown[0]}, which the json does not name.")
    classes = np.array([known[segment_id] for segment_id in present.tolist()], np.uint8)
    return np.asarray(classes[positions.reshape(segment_ids.shape)])


def load_panoptic_map(image: PanopticImage, class_of: Mapping[int, int] = VOC_CLASS_OF_CATEGORY) -> np.ndarray:
    """Decode a panoptic png and map its classes, uint8 (h, w); see :func:`panoptic_class_map`."""
    pixels = decode_image(read_content(bytes(image.mask_path))).pixels
    return panoptic_class_map(pixels, image.segments, class_of)


def instance_class_map(image: InstanceImage, class_of: Mapping[int, int] = VOC_CLASS_OF_CATEGORY) -> np.ndarray:
    """Class of each pixel by the instances, uint8 (height_px, width_px), 0 where there is none.

    Smaller things lie on top of larger ones; crowds of the classes are :data:`VOID`.
    """
    class_map = np.zeros((image.height_px, image.width_px), np.uint8)
    for instance in sorted(image.instances, key=lambda instance: (not instance.iscrowd, -_box_area(instance))):
        class_id = _class_of(instance.category_id, instance.iscrowd, class_of)
        if class_id:
            class_map[instance_mask(instance, image.height_px, image.width_px)] = class_id
    return class_map


def instance_mask(instance: Instance, height_px: int, width_px: int) -> np.ndarray:
    """Pixels of one instance, bool (height_px, width_px).

    Raises
    ------
    DatasetError
        run lengths that do not fill a picture of this size.
    """
    if not isinstance(instance.segmentation, RunLengths):
        return rasterise_polygons(instance.segmentation, height_px, width_px)
    counts = np.asarray(instance.segmentation.counts, np.int64)
    if instance.segmentation.size != (height_px, width_px) or counts.sum() != height_px * width_px:
        raise DatasetError(
            f"Run lengths of image {instance.image_id} fill {counts.sum()} pixels of {instance.segmentation.size}, "
            f"expected {height_px * width_px} of {(height_px, width_px)}."
        )
    values = np.arange(len(counts)) % 2 == 1
    return np.repeat(values, counts).reshape(width_px, height_px).T


def _class_of(category_id: int, iscrowd: int, class_of: Mapping[int, int]) -> int:
    class_id = class_of.get(category_id, 0)
    return VOID if iscrowd and class_id else class_id


def _box_area(instance: Instance) -> float:
    return instance.bbox[2] * instance.bbox[3]


def _decode(path: Path, kind: type[_File], form: str) -> _File:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"The annotations {path} cannot be read: {error.strerror or error}.") from error
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError as error:
        raise DatasetError(f"{path.name} is not in COCO's {form} form: {error}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DatasetError(f"{path.name} is not valid JSON: {error}.", "Download it again.") from error


def _require_known(image_ids: Iterable[int], names: Mapping[int, str], path: Path) -> None:
    unknown = [image_id for image_id in image_ids if image_id not in names]
    if unknown:
        raise DatasetError(f"{path.name} has annotations for image {unknown[0]}, which it does not list.")


def _require_files(paths: Sequence[Path], annotations: Path) -> None:
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise DatasetError(
            f"{len(missing)} files that {annotations.name} names are missing, the first is {missing[0]}.",
            "Give the folder they are in.",
        )

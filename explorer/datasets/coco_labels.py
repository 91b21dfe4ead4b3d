"""COCO's instances as labels: a photo has the class of everything that is drawn in it, crowds included.

That this is how hashing papers label COCO is their convention, not told by COCO. Some photos have nothing drawn in them
and so no label.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from explorer.datasets.captioned import read_coco_captions
from explorer.datasets.karpathy import require_photos
from explorer.datasets.labelled import LabelledItems
from explorer.datasets.labels import LabelFile
from explorer.errors import DatasetError


class _Image(msgspec.Struct):
    id: int
    file_name: str


class _Instance(msgspec.Struct):
    image_id: int
    category_id: int


class _Category(msgspec.Struct):
    id: int
    name: str


class _File(msgspec.Struct):
    images: list[_Image]
    annotations: list[_Instance]
    categories: list[_Category]


def read_instance_labels(paths: Sequence[Path]) -> LabelFile:
    """Labels of the photos of instances files, by file name; photos in the order of ``images``, file after file.

    Parameters
    ----------
    paths
        ``instances_<split>.json``, one or several; hashing papers take train and val of 2014 together.

    Raises
    ------
    DatasetError
        a file cannot be read or is not of this form; an instance belongs to no photo or to no class; a photo stands
        there twice; the files have different classes.
    """
    contents = {path: _decode(path) for path in paths}
    classes = [[(category.id, category.name) for category in content.categories] for content in contents.values()]
    if not classes:
        raise DatasetError("No instances file was named.", "Name instances_<split>.json.")
    if any(others != classes[0] for others in classes):
        raise DatasetError(
            f"{' and '.join(path.name for path in paths)} have different classes.", "Take files of one release."
        )
    number_of = {category_id: number for number, (category_id, _) in enumerate(classes[0])}
    items: dict[str, tuple[int, ...]] = {}
    for path, content in contents.items():
        found = _classes_of_photos(path, content, number_of)
        twice = next((name for name in found if name in items), None)
        if twice is not None:
            raise DatasetError(f"{path.name} names {twice}, as another file does.", "Name each file once.")
        items |= found
    return LabelFile(tuple(name for _, name in classes[0]), items)


def read_coco_items(
    instances: Path, *, captions: Path | None = None, images_folder: Path | None = None
) -> LabelledItems:
    """Read photos with labels and, where there are captions, with their sentences.

    Parameters
    ----------
    instances
        ``instances_<split>.json``.
    captions
        ``captions_<split>.json``; the photos are then its own, in its order.
    images_folder
        where the photos are; with captions as :func:`~explorer.datasets.captioned.read_coco_captions` has it, without
        captions the items have no photos unless it is given.

    Raises
    ------
    DatasetError
        as :func:`read_instance_labels` and the reader of captions do; photos are missing; a photo with captions has no
        place in the instances.
    """
    labels = read_instance_labels([instances])
    texts = image_paths = None
    names = tuple(labels.items)
    if captions is not None:
        captioned = read_coco_captions(captions, images_folder=images_folder)
        texts, image_paths = captioned.sentences, captioned.image_paths
        names = tuple(path.name for path in image_paths)
    elif images_folder is not None:
        image_paths = tuple(images_folder / name for name in names)
        require_photos(image_paths, images_folder, instances.stem)
    return LabelledItems(
        name="coco",
        filenames=names,
        label_names=labels.names,
        labels=labels.matrix(names),
        image_paths=image_paths,
        texts=texts,
    )


def _classes_of_photos(path: Path, content: _File, number_of: dict[int, int]) -> dict[str, tuple[int, ...]]:
    names = {image.id: image.file_name for image in content.images}
    found: dict[int, set[int]] = {image_id: set() for image_id in names}
    for instance in content.annotations:
        if instance.image_id not in found or instance.category_id not in number_of:
            raise DatasetError(
                f"{path.name} has an instance of class {instance.category_id} in photo {instance.image_id}, and does "
                "not list both.",
                "Download it again.",
            )
        found[instance.image_id].add(number_of[instance.category_id])
    items = {names[image_id]: tuple(sorted(numbers)) for image_id, numbers in found.items()}
    if len(items) != len(content.images):
        raise DatasetError(f"{path.name} names a photo twice.", "Download it again.")
    return items


def _decode(path: Path) -> _File:
    try:
        content = msgspec.json.decode(path.read_bytes(), type=_File)
    except OSError as error:
        raise DatasetError(
            f"The annotations {path} cannot be read: {error.strerror or error}.", "Check the path of the json file."
        ) from error
    except msgspec.ValidationError as error:
        raise DatasetError(
            f"{path.name} is not in COCO's instances form: {error}.", "It needs images, annotations and categories."
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DatasetError(f"{path.name} is not valid JSON: {error}.", "Download it again.") from error
    if not content.images:
        raise DatasetError(f"{path.name} holds no images.", "Choose another data set.")
    return content

"""Photos with their sentences from an annotation file, Karpathy's form or COCO's own (``captions_val2014.json``)."""

from pathlib import Path

import msgspec

from explorer.datasets.karpathy import (
    SENTENCES_PER_IMAGE,
    CaptionedImages,
    karpathy_splits,
    read_karpathy,
    require_photos,
)
from explorer.errors import DatasetError

_FILE_PREFIX = "captions_"


class _Image(msgspec.Struct):
    id: int
    file_name: str


class _Caption(msgspec.Struct):
    image_id: int
    caption: str
    id: int | None = None


class _File(msgspec.Struct):
    images: list[_Image]
    annotations: list[_Caption]


class _Form(msgspec.Struct):
    annotations: msgspec.Raw = msgspec.Raw()


def read_captioned(path: Path, *, split: str, images_folder: Path | None = None) -> CaptionedImages:
    """Read an annotation file in whichever of the two forms it has.

    Parameters
    ----------
    path
        the json file; COCO's form is the one with ``annotations``.
    split
        of a Karpathy json; COCO's form has one file a split, and this is ignored.
    images_folder
        see :func:`~explorer.datasets.karpathy.read_karpathy` and :func:`read_coco_captions`.

    Raises
    ------
    DatasetError
        as the two readers do.
    """
    if _is_coco(path):
        return read_coco_captions(path, images_folder=images_folder)
    return read_karpathy(path, split=split, images_folder=images_folder)


def read_all_captioned(path: Path, *, images_folder: Path | None = None) -> CaptionedImages:
    """As :func:`read_captioned`, every split of the file together, in file order."""
    split = "" if _is_coco(path) else "+".join(karpathy_splits(path))
    return read_captioned(path, split=split, images_folder=images_folder)


def read_coco_captions(path: Path, *, images_folder: Path | None = None) -> CaptionedImages:
    """Read COCO captions: photos in the order of ``images``, the first five sentences of each in file order.

    Parameters
    ----------
    path
        ``captions_<split>.json``.
    images_folder
        where the photos are; by default ``images`` or ``<split>`` beside the json, or ``<split>`` beside its folder, as
        COCO's archives unpack.

    Raises
    ------
    DatasetError
        the file cannot be read or is not of this form; a sentence names an unknown photo, a photo has no sentence or
        stands there twice; photos are missing.
    """
    content = _decode(path)
    by_image: dict[int, list[_Caption]] = {image.id: [] for image in content.images}
    if len(by_image) != len(content.images):
        raise DatasetError(f"{path.name} names a photo twice.", "Download or export it again.")
    for caption in content.annotations:
        if caption.image_id not in by_image:
            raise DatasetError(
                f"A sentence of {path.name} belongs to photo {caption.image_id}, which is not there.",
                "Download or export it again.",
            )
        by_image[caption.image_id].append(caption)
    split = path.stem.removeprefix(_FILE_PREFIX)
    folder = images_folder if images_folder is not None else _default_folder(path, split)
    kept = [_first_five(path, image, by_image[image.id]) for image in content.images]
    image_paths = tuple(folder / image.file_name for image in content.images)
    require_photos(image_paths, folder, split)
    return CaptionedImages(
        name="coco",
        split=split,
        image_paths=image_paths,
        sentences=tuple(tuple(caption.caption.strip() for caption in captions) for captions in kept),
        image_ids=tuple(image.id for image in content.images),
        sent_ids=tuple(
            tuple(row * SENTENCES_PER_IMAGE + n if caption.id is None else caption.id for n, caption in enumerate(own))
            for row, own in enumerate(kept)
        ),
    )


def _is_coco(path: Path) -> bool:
    try:
        return bool(bytes(msgspec.json.decode(path.read_bytes(), type=_Form).annotations))
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False  # the other reader says what is wrong


def _decode(path: Path) -> _File:
    try:
        content = msgspec.json.decode(path.read_bytes(), type=_File)
    except OSError as error:
        raise DatasetError(
            f"The data set {path} cannot be read: {error.strerror or error}.", "Check the path of the json file."
        ) from error
    except msgspec.ValidationError as error:
        raise DatasetError(
            f"{path.name} is not in the form of COCO captions: {error}.",
            "It needs images with id and file_name, and annotations with image_id and caption.",
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DatasetError(f"{path.name} is not valid JSON: {error}.", "Download or export it again.") from error
    if not content.images:
        raise DatasetError(f"{path.name} holds no images.", "Choose another data set.")
    return content


def _first_five(path: Path, image: _Image, captions: list[_Caption]) -> list[_Caption]:
    if not captions:
        raise DatasetError(f"{path.name} has no sentence for {image.file_name}.", "Every photo needs at least one.")
    return captions[:SENTENCES_PER_IMAGE]


def _default_folder(path: Path, split: str) -> Path:
    candidates = (path.parent / "images", path.parent / split, path.parent.parent / split)
    return next((candidate for candidate in candidates if candidate.is_dir()), candidates[0])

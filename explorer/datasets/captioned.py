"""Photos or clips with their sentences, from whichever annotation file there is.

Karpathy's form, COCO's own (``captions_val2014.json``), MSR-VTT's (``msr_vtt.py``), and ``captions.json``
(``clips.py``), which may speak of clips and of photos. The form is told by what the file holds.
"""

import codecs
from pathlib import Path

import msgspec

from explorer.datasets.clips import CAPTIONS_FILE, clip_splits, read_clips
from explorer.datasets.karpathy import (
    SENTENCES_PER_IMAGE,
    CaptionedImages,
    karpathy_splits,
    read_karpathy,
    require_photos,
)
from explorer.datasets.msr_vtt import ONE_K_A, is_msr_vtt_folder, msr_vtt_splits, read_msr_vtt, read_one_k_a
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
    images: msgspec.Raw = msgspec.Raw()
    videos: msgspec.Raw = msgspec.Raw()
    captions: msgspec.Raw = msgspec.Raw()


def read_captioned(path: Path, *, split: str | None, images_folder: Path | None = None) -> CaptionedImages:
    """Read an annotation file in whichever form it has.

    Parameters
    ----------
    path
        the json file; MSR-VTT's csv of the 1K-A split; or a folder that has ``captions.json`` or MSR-VTT's files.
    split
        None: everything that the file has. COCO's form and the csv have one file a split, and this is ignored.
    images_folder
        where the photos or clips are; see :func:`~explorer.datasets.karpathy.read_karpathy`,
        :func:`read_coco_captions`, :func:`~explorer.datasets.clips.read_clips` and
        :func:`~explorer.datasets.msr_vtt.read_msr_vtt`.

    Returns
    -------
    CaptionedImages
        of clips a :class:`~explorer.datasets.clips.CaptionedClips`.

    Raises
    ------
    DatasetError
        as the readers do.
    """
    path, form = form_of(path)
    if form == "coco":
        return read_coco_captions(path, images_folder=images_folder)
    if form == "csv":
        return read_one_k_a(path, folder=images_folder)
    if form == "msr-vtt":
        return read_msr_vtt(path, split=split, folder=images_folder)
    if form == "captions":
        return read_clips(path, split=split, folder=images_folder)
    wanted = "+".join(karpathy_splits(path)) if split is None else split
    return read_karpathy(path, split=wanted, images_folder=images_folder)


def read_all_captioned(path: Path, *, images_folder: Path | None = None) -> CaptionedImages:
    """As :func:`read_captioned`, every split of the file together, in file order."""
    return read_captioned(path, split=None, images_folder=images_folder)


def is_captioned_folder(path: Path) -> bool:
    """Whether this is a folder that :func:`read_captioned` reads."""
    return (path / CAPTIONS_FILE).is_file() or (path.is_dir() and is_msr_vtt_folder(path))


def usual_split(path: Path, usual: str) -> str | None:
    """The split to read where none was named: the usual one; of clips without it, the only one that there is.

    Raises
    ------
    DatasetError
        the file cannot be read.
    """
    path, form = form_of(path)
    if form == "csv":
        return ONE_K_A
    if form not in ("msr-vtt", "captions"):
        return usual
    names = msr_vtt_splits(path) if form == "msr-vtt" else clip_splits(path)
    if not names:
        return None
    return names[0] if len(names) == 1 else usual


def read_coco_captions(path: Path, *, images_folder: Path | None = None, whole: bool = True) -> CaptionedImages:
    """Read COCO captions: photos in the order of ``images``, the first five sentences of each in file order.

    Parameters
    ----------
    path
        ``captions_<split>.json``.
    images_folder
        where the photos are; by default ``images`` or ``<split>`` beside the json, or ``<split>`` beside its folder, as
        COCO's archives unpack.
    whole
        whether all photos must be there.

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
    if whole:
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


def form_of(path: Path) -> tuple[Path, str]:
    """The file to read, and which form it has: coco, karpathy, msr-vtt, captions, csv.

    ``karpathy`` where no other is known: its reader says what is wrong.

    Raises
    ------
    DatasetError
        it is a folder that holds none of them.
    """
    if path.is_dir():
        if not is_captioned_folder(path):
            raise DatasetError(
                f"The folder {path} holds no sentences: neither {CAPTIONS_FILE} nor MSR-VTT's files.",
                "Name the json file of a data set.",
            )
        return (path / CAPTIONS_FILE, "captions") if (path / CAPTIONS_FILE).is_file() else (path, "msr-vtt")
    if path.suffix.lower() == ".csv":
        return path, "csv"
    try:
        parts = msgspec.json.decode(path.read_bytes().removeprefix(codecs.BOM_UTF8), type=_Form)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return path, "karpathy"
    found = {"coco": parts.annotations, "karpathy": parts.images, "msr-vtt": parts.videos, "captions": parts.captions}
    return path, next((form for form, content in found.items() if bytes(content)), "karpathy")


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

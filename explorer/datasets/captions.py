"""Sentences about photos and videos, by their names, from whichever of four forms a file has.

* Karpathy: ``images[]`` with ``filename``, perhaps ``filepath``, and ``sentences[].raw`` (all splits are read);
* COCO captions: ``images[]`` with ``id`` and ``file_name``, ``annotations[]`` with ``image_id`` and ``caption``;
* MSR-VTT: ``videos[]`` with ``video_id`` and ``sentences[]`` with ``video_id`` and ``caption``; a clip is called
  ``<video_id>.mp4``, as it was published;
* ``captions.json``: ``{"captions": {relative path: [sentences]}}``; one sentence may stand without its list, and what
  is said of a part of a video (``film.mkv#t=12,20``) is said of the video.

The form is told by what the file holds, not by its name.
"""

import codecs
import posixpath
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from explorer.datasets.clips import parse_name
from explorer.datasets.msr_vtt import msr_vtt_captions
from explorer.errors import DatasetError

MOST_SENTENCES = 10_000
"""Of one photo or video; data sets have at most a few dozen, and a file with more speaks of something else."""

_FORMS = (
    "It needs Karpathy's form (images with filename and sentences), COCO's (images and annotations with captions),"
    " MSR-VTT's (videos and sentences with captions),"
    ' or {"captions": {"folder/photo.jpg": ["a sentence"]}}.'
)

_F = TypeVar("_F")


@dataclass(frozen=True, slots=True)
class PhotoSentences:
    """What a file says about one photo or video.

    Attributes:
        name: its path as the file has it, with ``/``; often only a file name.
        sentences: at least one; each once, none empty, without line breaks.
    """

    name: str
    sentences: tuple[str, ...]


class _Raw(msgspec.Struct):
    images: msgspec.Raw = msgspec.Raw()
    annotations: msgspec.Raw = msgspec.Raw()
    videos: msgspec.Raw = msgspec.Raw()
    captions: msgspec.Raw = msgspec.Raw()


class _KarpathySentence(msgspec.Struct):
    raw: str


class _KarpathyImage(msgspec.Struct):
    filename: str
    sentences: list[_KarpathySentence]
    filepath: str = ""


class _Karpathy(msgspec.Struct):
    images: list[_KarpathyImage]


class _CocoImage(msgspec.Struct):
    id: int
    file_name: str


class _CocoCaption(msgspec.Struct):
    image_id: int
    caption: str


class _Coco(msgspec.Struct):
    images: list[_CocoImage]
    annotations: list[_CocoCaption]


class _ByPath(msgspec.Struct):
    captions: dict[str, str | list[str]]


def read_captions(path: Path) -> list[PhotoSentences]:
    """Read what a file says, in the file's order; a photo or video that is named twice gets all its sentences.

    Spaces and line breaks within a sentence become single spaces; empty sentences and repetitions are left out, and so
    is what has none.

    Raises
    ------
    DatasetError
        The file cannot be read, is no JSON, has none of the four forms, or has no sentence at all.
    """
    try:
        content = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    except OSError as error:
        raise DatasetError(
            f"The sentences in {path} cannot be read: {error.strerror or error}.", "Check the path of the json file."
        ) from error
    found = _tidy(_reader_of(content, path)(content, path))
    if not found:
        raise DatasetError(f"{path.name} holds no sentence.", "Choose another file.")
    for photo in found:
        if len(photo.sentences) > MOST_SENTENCES:
            raise DatasetError(
                f"{path.name} has {len(photo.sentences)} sentences for {photo.name}.",
                f"A photo or video can have {MOST_SENTENCES} at most.",
            )
    return found


_Said = Iterable[tuple[str, Iterable[str]]]


def _reader_of(content: bytes, path: Path) -> Callable[[bytes, Path], _Said]:
    parts = _decode(content, _Raw, path)
    if len(parts.images) and len(parts.annotations):
        return _coco
    if len(parts.images):
        return _karpathy
    if len(parts.videos):
        return _msr_vtt
    if len(parts.captions):
        return _by_path
    raise DatasetError(f"{path.name} has no sentences about photos or videos in a form that is known.", _FORMS)


def _karpathy(content: bytes, path: Path) -> _Said:
    for image in _decode(content, _Karpathy, path).images:
        yield posixpath.join(image.filepath, image.filename), (sentence.raw for sentence in image.sentences)


def _coco(content: bytes, path: Path) -> _Said:
    file = _decode(content, _Coco, path)
    sentences: dict[int, list[str]] = {image.id: [] for image in file.images}
    for annotation in file.annotations:
        if annotation.image_id not in sentences:
            raise DatasetError(
                f"{path.name} has a sentence for image {annotation.image_id}, which it does not list.",
                "Download or export it again.",
            )
        sentences[annotation.image_id].append(annotation.caption)
    for image in file.images:
        yield image.file_name, sentences[image.id]


def _by_path(content: bytes, path: Path) -> _Said:
    for name, said in _decode(content, _ByPath, path).captions.items():
        try:
            whole, _ = parse_name(name)
        except ValueError:
            whole = name
        yield whole, [said] if isinstance(said, str) else said


def _msr_vtt(_content: bytes, path: Path) -> _Said:
    return msr_vtt_captions(path)


def _tidy(photos: _Said) -> list[PhotoSentences]:
    by_name: dict[str, dict[str, None]] = {}  # dict keys: each once, in order
    for name, sentences in photos:
        kept = (" ".join(sentence.replace("\0", " ").split()) for sentence in sentences)
        by_name.setdefault(name, {}).update(dict.fromkeys(sentence for sentence in kept if sentence))
    return [PhotoSentences(name, tuple(sentences)) for name, sentences in by_name.items() if sentences]


def _decode(content: bytes, form: type[_F], path: Path) -> _F:
    try:
        return msgspec.json.decode(content, type=form)
    except msgspec.ValidationError as error:
        raise DatasetError(f"{path.name} does not say what it should: {error}.", _FORMS) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = str(error).rstrip(".")
        raise DatasetError(f"{path.name} is not valid JSON: {reason}.", "Download or export it again.") from error

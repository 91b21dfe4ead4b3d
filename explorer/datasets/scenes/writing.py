"""Renders the sample collection into a folder; what is there already and whole stays as it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from explorer.cancellation import CancellationToken
from explorer.datasets.labels import LabelFile, write_labels
from explorer.datasets.scenes.annotating import ClipNotes, ImageNotes
from explorer.datasets.scenes.collection import (
    CAPTIONS,
    CLIP_ANNOTATIONS,
    IMAGE_ANNOTATIONS,
    LABELS,
    README,
    CollectionPlan,
    PlannedClip,
    PlannedImage,
    claim_folder,
    planned_clips,
    planned_images,
    write_whole,
    writing_to,
)
from explorer.datasets.scenes.rendering import render_frame
from explorer.datasets.scenes.scene import Scene, label_names, labels_of
from explorer.datasets.scenes.wording import sentences_of
from explorer.media.image import encode_jpeg
from explorer.media.writing import write_video

_IMAGE_SCALE = 1.5
_JPEG_QUALITY = 92


@dataclass(frozen=True, slots=True)
class RenderingStep:
    """So many of the pictures and clips are there; ``current`` is the last one's path in the collection."""

    n_done: int
    n_total: int
    current: str


def write_collection(folder: Path, plan: CollectionPlan, *, token: CancellationToken) -> Iterator[RenderingStep]:
    """Render what is missing; a step a picture or clip, the last one once all files are written.

    Raises
    ------
    ConfigError
        there is no such collection.
    DatasetError
        the folder holds something else, or cannot be written to.
    StorageFullError
        the disk is full.
    Cancelled
        it was stopped between two frames; the same call goes on from there.
    """
    claim_folder(folder, plan.checked())
    images, clips = list(planned_images(plan)), list(planned_clips(plan))
    n_done, n_total = 0, len(images) + len(clips)
    for done in _write_images(folder, plan, images, token):
        n_done += 1
        yield RenderingStep(n_done, n_total + 1, done)
    for clip in clips:
        with writing_to(folder):
            _write_clip(folder, plan, clip, token)
        n_done += 1
        yield RenderingStep(n_done, n_total + 1, clip.name)
    with writing_to(folder):
        _write_words(folder, plan, images, clips)
    yield RenderingStep(n_total + 1, n_total + 1, CAPTIONS)


def _write_images(
    folder: Path, plan: CollectionPlan, images: Sequence[PlannedImage], token: CancellationToken
) -> Iterator[str]:
    annotations = folder / IMAGE_ANNOTATIONS
    if _n_annotated(annotations) == len(images) and all((folder / image.name).exists() for image in images):
        yield from (image.name for image in images)
        return
    notes = ImageNotes()
    side_px = round(plan.side_px * _IMAGE_SCALE)
    for image in images:
        token.check()
        frame = render_frame(image.scene, 0.0, side_px, aspect=image.aspect)
        with writing_to(folder):
            if not (folder / image.name).exists():
                write_whole(folder / image.name, encode_jpeg(frame.pixels, _JPEG_QUALITY))
        notes.add(image, frame)
        yield image.name
    with writing_to(folder):
        write_whole(annotations, msgspec.json.encode(notes.to_dict()) + b"\n")


def _n_annotated(path: Path) -> int:
    """How many pictures a whole file of annotations speaks of; -1 without one."""

    class _Images(msgspec.Struct):
        images: list[msgspec.Raw]

    try:
        return len(msgspec.json.decode(path.read_bytes(), type=_Images).images)
    except (OSError, msgspec.DecodeError):
        return -1


def _write_clip(folder: Path, plan: CollectionPlan, clip: PlannedClip, token: CancellationToken) -> None:
    path = folder / clip.name
    annotations = folder / CLIP_ANNOTATIONS / f"{path.stem}.json"
    if path.exists() and annotations.exists():
        return
    notes = ClipNotes(clip)

    def frames() -> Iterator[Any]:
        for number, shot in enumerate(clip.shots):
            for place in range(shot.n_frames):
                token.check()
                frame = render_frame(shot.scene, place / (shot.n_frames - 1), plan.side_px, aspect=clip.aspect)
                notes.add(number, frame)
                yield frame.pixels

    if path.exists():
        for _ in frames():
            pass
    else:
        write_video(path, frames(), clip.rate_fps)
    write_whole(annotations, msgspec.json.encode(notes.to_dict()) + b"\n")


def _write_words(
    folder: Path, plan: CollectionPlan, images: Sequence[PlannedImage], clips: Sequence[PlannedClip]
) -> None:
    shown: dict[str, tuple[Scene, ...]] = {image.name: (image.scene,) for image in images}
    shown |= {clip.name: tuple(shot.scene for shot in clip.shots) for clip in clips}
    # Of several shots the first sentences of each come first: who reads five has heard of all.
    captions = {
        name: [sentence for said in zip(*map(sentences_of, scenes), strict=True) for sentence in said]
        for name, scenes in shown.items()
    }
    note = f"rendered scenes, seed {plan.seed}, split {plan.split}; sentences made from what is in them"
    write_whole(folder / CAPTIONS, msgspec.json.encode({"note": note, "captions": captions}) + b"\n")
    names = label_names()
    numbers = {label: number for number, label in enumerate(names)}
    items = {
        name.rpartition("/")[2]: tuple(sorted({numbers[label] for scene in scenes for label in labels_of(scene)}))
        for name, scenes in shown.items()
    }
    write_labels(folder / LABELS, LabelFile(names, items))
    write_whole(folder / README, _readme(plan).encode())


def _readme(plan: CollectionPlan) -> str:
    return f"""Sample collection of Retrieval Explorer
=======================================

{plan.n_images:,} pictures and {plan.n_clips:,} clips of things of twelve kinds, drawn and moved by a program
(seed {plan.seed}, split {plan.split}, version {plan.version}). No photo and no film went into
them: do with them what you like.

images/              pictures
clips/               clips of one to three shots (H.264, MPEG-4 and VP9)
captions.json        five sentences of every scene, made from what is in it
labels.json          kind, colour and motion of what every scene is about
annotations/         boxes and masks: of the pictures in COCO's form, of the clips one file each, with their shots
collection.json      what this folder is; with it the program goes on where it was stopped

To search it:

    retrieval-explorer index THIS_FOLDER --captions THIS_FOLDER/captions.json
    retrieval-explorer search "a red car moves to the left"

You may delete this folder whenever you like; `retrieval-explorer sample` renders the same again.
"""

"""Rendered clips, pictures and sentences with all that is frozen: made once, kept in memory maps.

::

    features/scenes-<digest of what is rendered>/
      train-clips.npy      uint8 (n, N, S, S, 3)
      train-pictures.npy   float32 (n, F), what vision gives
      val-clips.npy        likewise
      val-pictures.npy
      *.n_done             rows that are finished; a killed run goes on behind them
      val-frames/          the middle frame of each clip, shown for what a sentence finds
"""
# N rendered frames, S side of a frame, F features of a picture

import hashlib
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.cancellation import CancellationToken, Cancelled
from explorer.datasets.scenes.rendering import render_frame
from explorer.datasets.scenes.scene import Scene, Thing, draw_scenes
from explorer.datasets.scenes.wording import sentences_of
from explorer.datasets.scenes.world import COLOURS, KINDS, MOTIONS, Split
from explorer.media.image import encode_jpeg
from explorer.networks.common.minilm import MiniLM
from explorer.networks.common.words import build_vocabulary
from explorer.networks.dsmhn.config import ImagePart, TextStreamConfig
from explorer.networks.dsmhn.preprocess import picture_columns, read_sentences
from explorer.networks.dsmhn.video_network import CLIP_FRAMES
from explorer.protocol.runs import Progressed, RunEvent
from explorer.training.preparation import TrainingPlaces
from explorer.training.row_maps import make_row_map
from explorer.training.scenes_config import ScenesRecipe
from explorer.training.scenes_phase import Said, SceneSplit
from explorer.training.scenes_views import worn_clip
from explorer.vision import Vision

PICTURE_PARTS: tuple[ImagePart, ...] = ("grid_mean", "grid_max", "trunk_mean")
"""What the image stream reads of a picture."""

N_CLASSES = (len(KINDS), len(COLOURS), len(MOTIONS) + 1)
"""Kinds, colours and motions; a picture stands still, which is a motion of its own."""

_SPLITS: tuple[Split, ...] = ("train", "val")
_STILL = len(MOTIONS)
_CLIP_ASPECTS, _CLIP_ASPECT_SHARES = (1.0, 4 / 3, 16 / 9, 3 / 4), (0.15, 0.45, 0.3, 0.1)
_PICTURE_ASPECTS, _PICTURE_ASPECT_SHARES = (1.0, 4 / 3, 3 / 2, 3 / 4), (0.15, 0.5, 0.2, 0.15)
"""Widths by heights before frames are squashed to squares, and how often each is drawn."""

_ROWS = 16
"""Rows of a cached array that are made at once."""

_SHOWN_PX = 128
"""Longer edge of a frame that is shown to a person."""

RowMaker = Callable[[int, int], np.ndarray]
"""First row and the one behind the last, to these rows."""


@dataclass(frozen=True, slots=True)
class ScenesReady:
    """All that the streams are trained on.

    Attributes:
        train: what is trained on; its clips have more frames than are read.
        val: what is measured on.
        text: of the text stream, with as many words as there are.
        vocabulary: word to row; empty where only MiniLM reads.
    """

    train: SceneSplit
    val: SceneSplit
    text: TextStreamConfig
    vocabulary: dict[str, int]


def make_scenes(
    recipe: ScenesRecipe, eyes: tuple[Vision, str], places: TrainingPlaces, token: CancellationToken
) -> Generator[RunEvent, None, ScenesReady]:
    """Render what is missing, and read the sentences.

    eyes: what sees the pictures, and the digest of its weights.

    Raises
    ------
    Cancelled
        a stop was asked for; what is rendered stays.
    OSError
        there is no room for what is rendered.
    """
    vision, vision_id = eyes
    drawn = {split: _draw(recipe, split) for split in _SPLITS}
    folder = places.features_folder / f"scenes-{_digest(recipe, vision_id)}"
    folder.mkdir(parents=True, exist_ok=True)
    side, generator = recipe.network.side_px, torch.Generator()
    arrays: dict[str, np.ndarray] = {}
    for split, (clips, pictures) in drawn.items():
        n_frames = recipe.scenes.n_rendered if split == "train" else CLIP_FRAMES

        def clip_rows(
            first: int, end: int, clips: list[Scene] = clips, n_frames: int = n_frames, wears: bool = split == "train"
        ) -> np.ndarray:
            rows = [render_clip(scene, n_frames, side, aspect_of(scene)) for scene in clips[first:end]]
            if wears:
                rows = [worn_clip(torch.from_numpy(clip), generator.manual_seed(first + number)).numpy()
                        for number, clip in enumerate(rows)]
            return np.stack(rows)

        def picture_rows(first: int, end: int, pictures: list[Scene] = pictures) -> np.ndarray:
            return see_pictures(pictures[first:end], vision).numpy()

        for name, n, maker in (("clips", len(clips), clip_rows), ("pictures", len(pictures), picture_rows)):
            path = folder / f"{split}-{name}.npy"
            yield from places.compute.led(_fill(path, n, maker, f"rendering {name}, {split}", token))
            arrays[f"{split}-{name}"] = np.load(path, mmap_mode="r")
    frames = [folder / "val-frames" / f"{number}.jpg" for number in range(len(drawn["val"][0]))]
    yield from places.compute.led(_draw_frames(drawn["val"][0], frames, token))
    said = {split: [[sentences_of(scene) for scene in part] for part in parts] for split, parts in drawn.items()}
    vocabulary, text, minilm = _reader(recipe, [text for part in said["train"] for texts in part for text in texts])
    splits = {}
    for split, (clips, pictures) in drawn.items():
        read = [_said(part, vocabulary, text, minilm) for part in said[split]]
        features = torch.from_numpy(arrays[f"{split}-pictures"].copy())
        splits[split] = SceneSplit(
            arrays[f"{split}-clips"], classes_of(clips), read[0], features, classes_of(pictures), read[1])
    return ScenesReady(splits["train"], replace(splits["val"], frames=frames), text, vocabulary)


def render_clip(scene: Scene, n_frames: int, side_px: int, aspect: float = 1.0) -> np.ndarray:
    """A scene as a clip, uint8 (n_frames, side_px, side_px, 3), each frame from the middle of its part of the time.

    aspect: width by height, before frames are squashed to squares.
    """
    phases = (np.arange(n_frames) + 0.5) / n_frames
    return np.stack([_square(scene, float(phase), side_px, aspect) for phase in phases])


@torch.inference_mode()
def see_pictures(scenes: Sequence[Scene], vision: Vision) -> Tensor:
    """What vision gives for still scenes, float32 (n, F)."""
    squares = np.stack([_square(scene, 0.0, vision.side_px, aspect_of(scene)) for scene in scenes])
    return torch.cat(picture_columns(vision(squares, segment=False), PICTURE_PARTS), dim=1).float().cpu()


def aspect_of(scene: Scene) -> float:
    """Width by height that a scene is rendered with, always the same."""
    aspects, shares = (
        (_CLIP_ASPECTS, _CLIP_ASPECT_SHARES) if scene.motion else (_PICTURE_ASPECTS, _PICTURE_ASPECT_SHARES)
    )
    return float(np.random.default_rng([scene.variation, 7]).choice(aspects, p=shares))


def _square(scene: Scene, phase: float, side_px: int, aspect: float) -> np.ndarray:
    """One frame with short edges of ``side_px``, squashed, uint8 (side_px, side_px, 3)."""
    long_px = round(side_px * max(aspect, 1 / aspect))
    pixels = render_frame(scene, phase, long_px, aspect=aspect).pixels
    if pixels.shape[:2] == (side_px, side_px):
        return pixels
    values = torch.from_numpy(pixels).permute(2, 0, 1)[None].float()
    squashed = F.interpolate(values, (side_px, side_px), mode="bilinear", antialias=True)
    square: np.ndarray = squashed[0].round().clamp(0, 255).byte().permute(1, 2, 0).numpy()
    return square


def still_of(scene: Scene, phase: float) -> Scene:
    """One frame of a moving scene as a picture of its subject alone: which of two things moves, no picture says."""
    subject = scene.subject
    pose = subject.pose_at(phase)
    return replace(scene, things=(Thing(subject.look, pose, pose),), motion="")


def classes_of(scenes: Sequence[Scene]) -> Tensor:
    """Kind, colour and motion of each scene's subject, int64 (n, 3); what stands still has the last motion."""
    kinds, colours, motions = list(KINDS), list(COLOURS), list(MOTIONS)
    rows = [(kinds.index(scene.subject.look.kind), colours.index(scene.subject.look.colour),
             motions.index(scene.motion) if scene.motion else _STILL) for scene in scenes]
    return torch.tensor(rows, dtype=torch.int64).view(-1, 3)


def _draw(recipe: ScenesRecipe, split: Split) -> tuple[list[Scene], list[Scene]]:
    """Moving and still scenes of a split."""
    wanted = recipe.scenes
    trains = split == "train"
    clips = draw_scenes(wanted.n_clips if trains else wanted.n_val, seed=wanted.seed, split=split, moving=True)
    stills = draw_scenes(wanted.n_images if trains else wanted.n_val, seed=wanted.seed, split=split, moving=False)
    if trains:
        phases = np.random.default_rng(wanted.seed).random(wanted.n_stills)
        stills += [still_of(scene, float(phase)) for scene, phase in zip(clips, phases, strict=False)]
    return clips, stills


def _digest(recipe: ScenesRecipe, vision_id: str) -> str:
    """Of all that decides what is rendered, and of some pixels: the drawings may have changed since."""
    scene = draw_scenes(1, seed=recipe.scenes.seed, split="train", moving=True)[0]
    parts = (recipe.scenes, recipe.network.side_px, vision_id, PICTURE_PARTS, scene)
    digest = hashlib.sha256(repr(parts).encode())
    digest.update(render_clip(scene, 2, recipe.network.side_px, 4 / 3).tobytes())
    return digest.hexdigest()[:16]


def _fill(path: Path, n: int, maker: RowMaker, message: str, token: CancellationToken) -> Iterator[Progressed]:
    """Make the rows of an array that are still missing."""
    mark = path.with_suffix(".n_done")
    done = int(mark.read_text()) if mark.is_file() and path.is_file() else 0
    array = np.lib.format.open_memmap(path, "r+") if done else None
    while done < n:
        if token.cancelled:
            raise Cancelled
        began = time.monotonic()
        rows = maker(done, min(done + _ROWS, n))
        if array is None:
            array = make_row_map(path, (n, *rows.shape[1:]), rows.dtype)
        array[done : done + len(rows)] = rows
        array.flush()
        done += len(rows)
        partial = mark.with_suffix(".partial")
        partial.write_text(str(done))
        partial.replace(mark)
        rate = len(rows) / max(time.monotonic() - began, 1e-6)
        yield Progressed(message=message, n_done=done, n_total=n, rate_per_s=rate)


def _draw_frames(scenes: Sequence[Scene], paths: Sequence[Path], token: CancellationToken) -> Iterator[Progressed]:
    """The middle frame of each scene as a small JPEG, for whoever watches what sentences find."""
    for number, (scene, path) in enumerate(zip(scenes, paths, strict=True)):
        if path.is_file():
            continue
        if token.cancelled:
            raise Cancelled
        path.parent.mkdir(exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_bytes(encode_jpeg(render_frame(scene, 0.5, _SHOWN_PX, aspect=aspect_of(scene)).pixels))
        partial.replace(path)
        if number % _ROWS == 0:
            yield Progressed(message="drawing frames to show", n_done=number, n_total=len(paths))


def _reader(recipe: ScenesRecipe, texts: list[str]) -> tuple[dict[str, int], TextStreamConfig, MiniLM | None]:
    network = recipe.network
    counts_words = network.readers != ("minilm",)
    vocabulary = build_vocabulary(texts, min_count=network.min_word_count) if counts_words else {}
    config = TextStreamConfig(
        n_bits=network.n_bits, hidden_dim=network.text_dim, dropout=network.dropout, normalised=True,
        readers=network.readers, n_words=len(vocabulary),
    )
    return vocabulary, config, MiniLM() if "minilm" in network.readers else None


def _said(
    sentences: Sequence[tuple[str, ...]], vocabulary: dict[str, int], text: TextStreamConfig, minilm: MiniLM | None
) -> Said:
    first = torch.tensor([0, *(len(texts) for texts in sentences)]).cumsum(0)
    texts = [text for texts in sentences for text in texts]
    # Many scenes are told in the same words.
    unique, rows = np.unique(texts, return_inverse=True)
    return Said(read_sentences(unique.tolist(), vocabulary, text, minilm)[torch.from_numpy(rows)], first, texts)

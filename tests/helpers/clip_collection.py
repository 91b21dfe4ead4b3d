"""Clips that get lighter or darker, as files, and models that know which: for tests of measuring clips."""

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from PIL import Image

from explorer.datasets.labels import LabelFile, write_labels
from explorer.errors import PackageError
from explorer.evidence import Evidence
from explorer.media.writing import write_video
from explorer.representations import BinaryCodes, Embeddings, Modality

LEVELS = {"dark": 60, "grey": 120, "light": 180}
MOTIONS = {"rising": 1, "falling": -1}
_SWING = 25
_RATE_FPS = 8
N_BITS = 16


def clip_frames(level: str, motion: str, n: int = 12) -> list[np.ndarray]:
    """Evenly coloured frames whose mean is the level, and which get lighter or darker."""
    greys = LEVELS[level] + MOTIONS[motion] * np.linspace(-_SWING, _SWING, n)
    return [np.full((32, 48, 3), round(grey), np.uint8) for grey in greys]


def write_clips(folder: Path, *, per_kind: int = 2, photo: bool = False) -> Path:
    """A ``captions.json`` with two sentences for each clip, ``labels.json`` beside it, and the clips below it."""
    folder.mkdir(parents=True, exist_ok=True)
    captions, items = {}, {}
    for number in range(per_kind):
        for place, (level, motion) in enumerate((a, b) for a in LEVELS for b in MOTIONS):
            name = f"{level} clips/{motion} {number}.{'mkv' if number else 'mp4'}"
            (folder / name).parent.mkdir(exist_ok=True)
            write_video(folder / name, clip_frames(level, motion), _RATE_FPS)
            captions[name] = [f"a {level} wall {motion} {number}", f"a wall is {motion} and {level} {number}"]
            items[name] = (place // len(MOTIONS), len(LEVELS) + place % len(MOTIONS))
    if photo:
        Image.fromarray(clip_frames("light", "rising", 3)[1]).save(folder / "photo.png")
        captions["photo.png"], items["photo.png"] = ["a light wall"], (list(LEVELS).index("light"),)
    path = folder / "captions.json"
    path.write_text(json.dumps({"captions": captions, "dataset": "walls"}))
    names = (*(f"level:{level}" for level in LEVELS), *(f"motion:{motion}" for motion in MOTIONS))
    write_labels(folder / "labels.json", LabelFile(names, items))
    return path


class LevelEncoder:
    """A model of pictures: how light a frame is, and which level a sentence names. Motion it cannot tell."""

    modalities = frozenset({Modality.TEXT, Modality.IMAGE})
    side_px = 16
    dim = 4
    overlays = ()
    device = "CPU"

    def __init__(self, name: str = "levels") -> None:
        self.name, self.model_id = name, f"{name}@0"
        self.seen: list[tuple[int, ...]] = []

    def encode_texts(self, texts: Sequence[str]) -> Embeddings | BinaryCodes:
        return self._made([(self._level(text), self._motion(text)) for text in texts])

    def encode_images(self, squares: np.ndarray) -> Embeddings | BinaryCodes:
        self.seen.append(squares.shape)
        return self._made([(float(square.mean()), 0.0) for square in squares])

    def explain(self, *_arguments: object, **_options: object) -> Evidence:
        return Evidence()

    def _made(self, known: list[tuple[float, float]]) -> Embeddings | BinaryCodes:
        """Level as an angle, motion as a height above it."""
        angle = np.array([level for level, _ in known]) / 255 * np.pi
        height = np.array([motion for _, motion in known])
        values = np.stack([np.cos(angle), np.sin(angle), height, np.zeros_like(angle)], axis=1).astype(np.float32)
        return Embeddings(values / np.linalg.norm(values, axis=1, keepdims=True))

    def _level(self, text: str) -> float:
        return float(next((grey for level, grey in LEVELS.items() if level in text.split()), 0))

    def _motion(self, _text: str) -> float:
        return 0.0


class MotionEncoder(LevelEncoder):
    """A model of clips: whether they get lighter, and how light they are; frames must come in order."""

    modalities = frozenset({Modality.TEXT, Modality.IMAGE, Modality.VIDEO})
    clip_frames = 5
    clip_side_px = 8

    def encode_videos(self, clips: np.ndarray) -> Embeddings | BinaryCodes:
        self.seen.append(clips.shape)
        greys = clips.mean(axis=(2, 3, 4))
        return self._made([(float(grey.mean()), float(np.sign(grey[-1] - grey[0]))) for grey in greys])

    def explain_video(self, *_arguments: object, **_options: object) -> Evidence:
        return Evidence()

    def _motion(self, text: str) -> float:
        return float(next((sign for motion, sign in MOTIONS.items() if motion in text.split()), 0))


class MotionBits(MotionEncoder):
    """The same as codes of 16 bits."""

    dim = N_BITS

    def _made(self, known: list[tuple[float, float]]) -> BinaryCodes:
        values = super()._made(known)
        assert isinstance(values, Embeddings)
        planes = np.random.default_rng(5).standard_normal((4, N_BITS)).astype(np.float32)
        return BinaryCodes.from_activations(np.tanh(values.values @ planes))


class TextOnly(LevelEncoder):
    """Reads no pictures."""

    modalities = frozenset({Modality.TEXT})


class ClipModels:
    """In place of :class:`explorer.engine.models.LoadedModels`."""

    def __init__(self, *_arguments: object, **_options: object) -> None:
        self.encoders = {
            encoder.name: encoder
            for encoder in (LevelEncoder(), MotionEncoder("motions"), MotionBits("bits"), TextOnly("texts"))
        }

    def package(self, name: str) -> SimpleNamespace:
        if name not in self.encoders:
            raise PackageError(f"There is no model called {name}.")
        kind = "code" if name == "bits" else "embedding"
        manifest = SimpleNamespace(output=SimpleNamespace(kind=kind), title=name.upper())
        return SimpleNamespace(name=name, manifest=manifest, card="Trained on 7 walls.")

    def get(self, name: str) -> LevelEncoder:
        return self.encoders[name]

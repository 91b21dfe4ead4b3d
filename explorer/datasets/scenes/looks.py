"""How a thing looks close up: paint, pattern and the way its surface faces, as a square that can be placed anywhere.

A silhouette is drawn once per process and kept small; a look puts colours on it. Light is not part of it: it falls when
the thing is placed, from one side of the picture, however the thing is turned.
"""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from explorer.datasets.scenes.distances import Plane
from explorer.datasets.scenes.drawing import blur, cloud_noise, enlarge, halve, smoothstep
from explorer.datasets.scenes.outdoors import OUTDOORS
from explorer.datasets.scenes.part import Drawing, Part
from explorer.datasets.scenes.scene import Look
from explorer.datasets.scenes.textures import pattern
from explorer.datasets.scenes.toys import TOYS
from explorer.datasets.scenes.vehicles import VEHICLES
from explorer.datasets.scenes.world import COLOURS

REACH = 1.08
"""Half the side of the square, in radii of the thing: its outermost pixels are empty."""

SHADOW_REACH = 1.5
COLOUR, ALPHA, FACING_X, FACING_Y, GLOSS = slice(0, 3), 3, 4, 5, 6

DRAWINGS: Mapping[tuple[str, str], Drawing] = {**TOYS, **OUTDOORS, **VEHICLES}
"""Kind and silhouette to what draws it."""

PAINTS: Mapping[str, tuple[float, float, float]] = {
    "cream": (0.96, 0.94, 0.87),
    "ink": (0.13, 0.14, 0.17),
    "glass": (0.62, 0.82, 0.92),
    "wood": (0.52, 0.36, 0.22),
    "metal": (0.76, 0.78, 0.81),
    "gold": (0.90, 0.72, 0.30),
    "lamp": (1.00, 0.93, 0.66),
    "tail light": (0.80, 0.14, 0.12),
    "ribbon": (0.97, 0.93, 0.80),
    "coffee": (0.30, 0.19, 0.13),
    "brick": (0.66, 0.36, 0.28),
}
_GLOSSY = {"glass": 1.6, "metal": 1.4, "gold": 1.2, "wood": 0.2, "coffee": 0.5}
_SIDE_PX, _N_SIZES, _DRAWN_PX, _SHADOW_PX = 256, 5, 128, 64


@dataclass(frozen=True, eq=False, slots=True)
class Sprite:
    """A look, ready to be placed.

    Attributes:
        pixels: float32 (n, n, 7): colour times opacity, opacity, where the surface faces (x, y) times opacity, gloss
            times opacity; over [-REACH, REACH] radii.
        shadow: float32 (64, 64, 1), soft, over [-SHADOW_REACH, SHADOW_REACH] radii.
    """

    pixels: np.ndarray
    shadow: np.ndarray


@dataclass(frozen=True, eq=False, slots=True)
class _Relief:
    """A silhouette without colours, 8 bits a number.

    Attributes:
        paints: name of each layer's paint.
        layers: uint8 (k, n, n), how much of each pixel shows that paint.
        alpha: uint8 (n, n).
        facing: int8 (n, n, 2).
        depth: uint8 (n, n), darker in the folds where one piece lies on another.
        shadow: float32 (64, 64, 1).
    """

    paints: tuple[str, ...]
    layers: np.ndarray
    alpha: np.ndarray
    facing: np.ndarray
    depth: np.ndarray
    shadow: np.ndarray

    def halved(self) -> "_Relief":
        """The same at half the size."""
        alpha, depth = (np.round(halve(p.astype(np.float32))).astype(np.uint8) for p in (self.alpha, self.depth))
        layers = np.stack([np.round(halve(layer.astype(np.float32))).astype(np.uint8) for layer in self.layers])
        facing = np.round(halve(self.facing.astype(np.float32))).astype(np.int8)
        return _Relief(self.paints, layers, alpha, facing, depth, self.shadow)


def sprite_side_px(half_px: float) -> int:
    """The sprite whose pixels are about as large as the picture's when half its side is that long."""
    return _SIDE_PX >> min(max(round(math.log2(_SIDE_PX / max(2 * half_px, 1.0))), 0), _N_SIZES - 1)


@functools.lru_cache(maxsize=32)
def sprite_of(look: Look, side_px: int) -> Sprite:
    """Draw a look, as large as :func:`sprite_side_px` says; the last ones are kept.

    Whichever way it faces, the sprite is the same: who places it turns it round.
    """
    relief = _relief(look.kind, look.silhouette, side_px)
    rng = np.random.default_rng(look.variation)
    main = _shade(look.colour, rng)
    textured = _textured(look, main, rng, side_px)
    alpha = relief.alpha.astype(np.float32) / 255
    colours = np.zeros((*alpha.shape, 3), np.float32)
    gloss = np.zeros(alpha.shape, np.float32)
    for paint, layer in zip(relief.paints, relief.layers, strict=True):
        share = layer.astype(np.float32) / 255
        colours += share[..., None] * (textured if paint == "main" else _paint(paint, main))
        gloss += share * np.float32(_GLOSSY.get(paint, 1.0))
    colours *= (relief.depth.astype(np.float32) / 255)[..., None]
    pixels = np.empty((*alpha.shape, 7), np.float32)
    pixels[..., COLOUR] = colours
    pixels[..., ALPHA] = alpha
    pixels[..., FACING_X : FACING_Y + 1] = relief.facing.astype(np.float32) / 127 * alpha[..., None]
    pixels[..., GLOSS] = gloss
    return Sprite(pixels, relief.shadow)


@functools.lru_cache(maxsize=256)
def _relief(kind: str, silhouette: str, side_px: int) -> _Relief:
    return _draw(kind, silhouette) if side_px == _SIDE_PX else _relief(kind, silhouette, 2 * side_px).halved()


def _draw(kind: str, silhouette: str) -> _Relief:
    parts = DRAWINGS[kind, silhouette](Plane.square(_DRAWN_PX, REACH))
    step = 2 * REACH / _SIDE_PX
    shape = (_SIDE_PX, _SIDE_PX)
    layers: dict[str, np.ndarray] = {}
    alpha, depth = np.zeros(shape, np.float32), np.ones(shape, np.float32)
    facing = np.zeros((*shape, 2), np.float32)
    for part in parts:
        distance = enlarge(part.distance.astype(np.float32), _SIDE_PX // _DRAWN_PX)
        cover = np.clip(0.5 - distance / np.float32(step), 0, 1)
        if part.bevel > 0.01:
            depth *= 1 - 0.3 * np.exp(-((np.maximum(distance, 0) / np.float32(0.045)) ** 2)) * (1 - cover)
            depth += cover * (1 - depth)
            facing += (_rounded(part) - facing) * cover[..., None]
        for paint in layers:
            layers[paint] *= 1 - cover
        layers[part.paint] = layers.get(part.paint, np.zeros(shape, np.float32)) + cover
        alpha += cover * (1 - alpha)
    return _Relief(
        paints=tuple(layers),
        layers=np.stack([np.round(layer * 255).astype(np.uint8) for layer in layers.values()]),
        alpha=np.round(alpha * 255).astype(np.uint8),
        facing=np.round(np.clip(facing, -1, 1) * 127).astype(np.int8),
        depth=np.round(depth * 255).astype(np.uint8),
        shadow=_soft_shadow(alpha),
    )


def _rounded(part: Part) -> np.ndarray:
    """Which way the surface of a piece faces, (256, 256, 2): outwards at its edge, upwards beyond its bevel."""
    down, across = np.gradient(part.distance.astype(np.float32), np.float32(2 * REACH / _DRAWN_PX))
    steepness = np.maximum(np.hypot(across, down), np.float32(1e-3))
    rise = np.clip(1 + part.distance / np.float32(part.bevel), 0, 1) * np.float32(0.93) / steepness
    return np.stack([enlarge(blur(slope * rise, 1), _SIDE_PX // _DRAWN_PX) for slope in (across, down)], axis=-1)


def _soft_shadow(alpha: np.ndarray) -> np.ndarray:
    n_small = round(_SHADOW_PX * REACH / SHADOW_REACH)
    at = ((np.arange(n_small) + 0.5) / n_small * _SIDE_PX).astype(np.intp)
    small = blur(alpha, 2)[at][:, at]
    whole = np.zeros((_SHADOW_PX, _SHADOW_PX), np.float32)
    margin = (_SHADOW_PX - n_small) // 2
    whole[margin : margin + n_small, margin : margin + n_small] = small
    soft = blur(whole, 2)
    soft[[0, -1]] = 0
    soft[:, [0, -1]] = 0
    return soft[..., None]


def _shade(colour: str, rng: np.random.Generator) -> np.ndarray:
    """One of the many shades that have the colour's name."""
    middle = np.array(COLOURS[colour], np.float32)
    jitter = rng.normal(0, 0.018, 3).clip(-0.04, 0.04) + rng.uniform(-0.035, 0.035)
    return np.clip(middle + jitter.astype(np.float32), 0.03, 1)


def _paint(paint: str, main: np.ndarray) -> np.ndarray:
    if paint in ("light", "deep") and main.max() < 0.3:
        # A darker black would be no other tone, and a much lighter one no black.
        return main + np.float32(0.15 if paint == "light" else 0.08)
    if paint == "light":
        return main + (1 - main) * np.float32(0.38)
    if paint == "deep":
        return main * np.float32(0.66)
    return np.array(PAINTS[paint], np.float32)


def _textured(look: Look, main: np.ndarray, rng: np.random.Generator, side_px: int) -> np.ndarray:
    """The thing's colour with its pattern, (n, n, 3); the pattern never hides what colour it is."""
    brightness = float(main.mean())
    paler = main + (1 - main) * np.float32(0.55)
    darker = main * np.float32(0.6) + np.array((0.0, 0.0, 0.03), np.float32)
    second = darker if brightness > 0.62 or (brightness > 0.3 and rng.random() < 0.35) else paler
    if brightness < 0.3:
        second = main + np.float32(0.3)
    if brightness > 0.85:
        second = main * np.array((0.74, 0.78, 0.86), np.float32)
    share = halve(pattern(look.texture, Plane.square(2 * side_px, REACH), int(rng.integers(2**31))))
    grain = cloud_noise((side_px, side_px), (14, 14), look.variation, 2) - np.float32(0.5)
    coloured = main + (second - main) * share[..., None]
    return np.asarray(
        np.clip(coloured * (1 + 0.07 * smoothstep(grain, -0.3, 0.3)[..., None] - 0.035), 0, 1), np.float32
    )

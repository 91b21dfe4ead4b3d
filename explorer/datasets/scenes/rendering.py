"""Scenes to pixels, and where everything is in them."""

import functools
from dataclasses import dataclass, field, replace

import numpy as np

from explorer.datasets.scenes.backdrops import backdrop_pixels
from explorer.datasets.scenes.drawing import Placed
from explorer.datasets.scenes.looks import (
    ALPHA,
    COLOUR,
    FACING_X,
    FACING_Y,
    GLOSS,
    REACH,
    SHADOW_REACH,
    sprite_of,
    sprite_side_px,
)
from explorer.datasets.scenes.scene import Scene, Thing

_LIGHT = np.array((-0.46, -0.62, 0.636), np.float32)
_HALFWAY = (_LIGHT + np.array((0, 0, 1), np.float32)) / np.linalg.norm(_LIGHT + np.array((0, 0, 1), np.float32))
_SHADOW, _SHADOW_OFFSET = 0.42, (0.10, 0.17)
_OPAQUE = 0.5


@dataclass(frozen=True, slots=True)
class RenderedFrame:
    """One frame of a scene and its annotations; n things in the scene's order, the subject first.

    Attributes:
        pixels: uint8 RGB (h, w, 3).
        boxes: float32 (n, 4), xyxy as shares of width and height: around each whole thing, hidden parts included.
        mask: uint8 (h, w): 0 backdrop, i + 1 where thing i is what one sees.
        names: "red ball", "blue car", ...
    """

    pixels: np.ndarray = field(repr=False)
    boxes: np.ndarray
    mask: np.ndarray = field(repr=False)
    names: tuple[str, ...]


def frame_shape(side_px: int, aspect: float = 1.0) -> tuple[int, int]:
    """Height and width of a frame whose long edge is ``side_px``; ``aspect`` is width by height."""
    if aspect >= 1:
        return max(1, round(side_px / aspect)), side_px
    return side_px, max(1, round(side_px * aspect))


def render_frame(scene: Scene, phase: float, side_px: int, *, aspect: float = 1.0) -> RenderedFrame:
    """Draw a scene at a phase in 0 (its start) .. 1 (its end).

    The same scene, phase and shape give the same arrays, whatever was drawn before. What stands still behind all that
    moves is drawn once and kept for the frames to come.
    """
    height, width = frame_shape(side_px, aspect)
    still = _still_layer(scene, height, width)
    pixels, mask, boxes = still.pixels.copy(), still.mask.copy(), still.boxes.copy()
    for place in range(still.n_waiting - 1, -1, -1):
        boxes[place] = _draw(pixels, mask, scene.things[place], place, phase)
    return RenderedFrame(pixels, boxes, mask, tuple(f"{t.look.colour} {t.look.kind}" for t in scene.things))


@dataclass(frozen=True, eq=False, slots=True)
class _StillLayer:
    """The backdrop with what stands still; ``n_waiting`` things are still to be drawn, the last of them first."""

    pixels: np.ndarray
    mask: np.ndarray
    boxes: np.ndarray
    n_waiting: int


@functools.lru_cache(maxsize=8)
def _still_layer(scene: Scene, height: int, width: int) -> _StillLayer:
    pixels = backdrop_pixels(scene.backdrop, height, width, scene.variation).copy()
    mask = np.zeros((height, width), np.uint8)
    boxes = np.zeros((len(scene.things), 4), np.float32)
    n_waiting = len(scene.things)
    while n_waiting and not scene.things[n_waiting - 1].moves:
        n_waiting -= 1
        boxes[n_waiting] = _draw(pixels, mask, scene.things[n_waiting], n_waiting, 0.0)
    return _StillLayer(pixels, mask, boxes, n_waiting)


def _draw(pixels: np.ndarray, mask: np.ndarray, thing: Thing, place: int, phase: float) -> np.ndarray:
    """Draw one thing over what is there; its box."""
    height, width = mask.shape
    pose = thing.pose_at(phase)
    radius_px = pose.radius * min(height, width)
    sprite = sprite_of(replace(thing.look, mirrored=False), sprite_side_px(radius_px * REACH))
    centre = (pose.x * width, pose.y * height)
    angle, mirrored = pose.angle_rad, thing.look.mirrored
    fallen = (centre[0] + _SHADOW_OFFSET[0] * radius_px, centre[1] + _SHADOW_OFFSET[1] * radius_px)
    shadow = Placed(fallen, radius_px * SHADOW_REACH, angle, mirrored)
    window = shadow.window(height, width)
    dimmed = pixels[window] * (1 - np.float32(_SHADOW) * shadow.read(sprite.shadow, window))
    pixels[window] = dimmed.astype(np.uint8)

    placed = Placed(centre, radius_px * REACH, angle, mirrored)
    window = placed.window(height, width)
    read = placed.read(sprite.pixels, window)
    alpha = read[..., ALPHA]
    lit = _light(read, angle, mirrored=mirrored)
    below = pixels[window] * (1 - alpha)[..., None]
    pixels[window] = np.clip(below + 255 * lit + np.float32(0.5), 0, 255).astype(np.uint8)
    opaque = alpha >= _OPAQUE
    mask[window][opaque] = place + 1
    return _box(opaque, window, height, width)


def _light(read: np.ndarray, angle_rad: float, *, mirrored: bool) -> np.ndarray:
    """Colours, times opacity, as the light makes them; 0..1 and a little above where it glitters."""
    alpha = read[..., ALPHA]
    solid = 1 / np.maximum(alpha, np.float32(1e-3))
    nx, ny = read[..., FACING_X] * solid, read[..., FACING_Y] * solid
    if mirrored:
        nx = -nx
    cos, sin = np.float32(np.cos(angle_rad)), np.float32(np.sin(angle_rad))
    nx, ny = cos * nx - sin * ny, sin * nx + cos * ny
    nz = np.sqrt(np.maximum(1 - nx * nx - ny * ny, 0))
    diffuse = np.maximum(nx * _LIGHT[0] + ny * _LIGHT[1] + nz * _LIGHT[2], 0)
    glance = np.maximum(nx * _HALFWAY[0] + ny * _HALFWAY[1] + nz * _HALFWAY[2], 0)
    glance = glance * glance
    glance = glance * glance
    glance = glance * glance
    glance = glance * glance * glance  # to the 24th
    shade = np.float32(0.50) + np.float32(0.74) * diffuse
    bounce = np.maximum(ny, 0) * np.float32(0.10)
    shine = np.float32(0.34) * glance * read[..., GLOSS]
    return np.asarray(read[..., COLOUR] * (shade + bounce)[..., None] + shine[..., None])


def _box(opaque: np.ndarray, window: tuple[slice, slice], height: int, width: int) -> np.ndarray:
    rows, columns = np.flatnonzero(opaque.any(axis=1)), np.flatnonzero(opaque.any(axis=0))
    if not len(rows):
        return np.zeros(4, np.float32)
    top, left = window[0].start, window[1].start
    return np.array(
        (
            (left + columns[0]) / width, (top + rows[0]) / height,
            (left + columns[-1] + 1) / width, (top + rows[-1] + 1) / height,
        ),
        np.float32,
    )  # fmt: skip

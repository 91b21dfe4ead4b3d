"""Decoded frames to small upright RGB arrays: shrunk by the decoder's own scaler, straight from its pixel format."""

import struct
from collections.abc import Iterable
from typing import NamedTuple, cast

import cv2
import numpy as np
from av.sidedata.sidedata import SideData, Type
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation

from explorer.media.pixels import on_white, orient

_MAX_ASPECT = 4.0
# 16.16 fixed point, as all but the last column of a display matrix.
_MATRIX = struct.Struct("=9i")


class Turn(NamedTuple):
    """How a frame as it is stored becomes what is to be seen.

    Attributes:
        orientation: as EXIF numbers it, 1..8.
        aspect: width of a pixel by its height, as stored.
    """

    orientation: int = 1
    aspect: float = 1.0

    def upright_size(self, frame: VideoFrame) -> tuple[int, int]:
        """(width, height) in px of the upright frame with square pixels; only stretched, never squeezed."""
        width, height = float(frame.width), float(frame.height)
        if self.aspect >= 1:
            width *= self.aspect
        else:
            height /= self.aspect
        size = max(1, round(width)), max(1, round(height))
        return size[::-1] if self.orientation >= 5 else size


def turn_of(frame: VideoFrame, sample_aspect: float = 1.0) -> Turn:
    """The turn that a frame's display matrix asks for; a matrix of anything but quarter turns counts as none."""
    aspect = sample_aspect if 1 / _MAX_ASPECT <= sample_aspect <= _MAX_ASPECT else 1.0
    try:
        sides = cast("Iterable[SideData]", frame.side_data)  # the library's stubs say something else
        matrix = next((side for side in sides if side.type == Type.DISPLAYMATRIX), None)
    except ValueError:  # something beside it that the library has no name for yet
        return Turn(_OF_ANGLE.get(frame.rotation % 360, 1), aspect)
    if matrix is None or matrix.buffer_size < _MATRIX.size:
        return Turn(1, aspect)
    a, b, _, c, d, *_ = _MATRIX.unpack(bytes(matrix)[: _MATRIX.size])
    return Turn(_ORIENTATIONS.get((_sign(a), _sign(b), _sign(c), _sign(d)), 1), aspect)


def _sign(value: int) -> int:
    """-1, 0 or 1 of a 16.16 fixed-point sine or cosine; what is nearer to none than to a quarter turn is 0."""
    return 0 if abs(value) <= 1 << 15 else 1 if value > 0 else -1


# Degrees counterclockwise.
_OF_ANGLE = {0: 1, 90: 8, 180: 3, 270: 6}

# x' = a x + c y, y' = b x + d y, y downwards.
_ORIENTATIONS = {
    (1, 0, 0, 1): 1, (-1, 0, 0, 1): 2, (-1, 0, 0, -1): 3, (1, 0, 0, -1): 4,
    (0, 1, 1, 0): 5, (0, 1, -1, 0): 6, (0, -1, -1, 0): 7, (0, -1, 1, 0): 8,
}  # fmt: skip


def squash_frame(frame: VideoFrame, side_px: int, turn: Turn) -> np.ndarray:
    """The whole upright frame as a square, both axes resized independently; uint8 RGB (side_px, side_px, 3)."""
    return orient(_scaled(frame, side_px, side_px), turn.orientation)


def fit_frame(frame: VideoFrame, max_edge_px: int, turn: Turn) -> np.ndarray:
    """The upright frame with its longest edge at most ``max_edge_px``, aspect kept; never enlarged; uint8 RGB."""
    width, height = turn.upright_size(frame)
    scale = min(1.0, max_edge_px / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    stored = size[::-1] if turn.orientation >= 5 else size
    return orient(_scaled(frame, *stored), turn.orientation)


def plain_pixels(frame: VideoFrame, width_px: int, height_px: int) -> np.ndarray:
    """The whole frame as it is stored, not turned, in this size; uint8 RGB (height_px, width_px, 3)."""
    return _scaled(frame, width_px, height_px)


def _scaled(frame: VideoFrame, width_px: int, height_px: int) -> np.ndarray:
    # Averaging over the covered area is what shrinking means; enlarging has no area to average.
    shrinks = width_px <= frame.width and height_px <= frame.height
    has_alpha = any(component.is_alpha for component in frame.format.components)
    name = "rgba" if has_alpha else "rgb24"
    if frame.width < 8 or frame.height < 8:
        # The scaler cannot shrink or enlarge what is smaller than its filter.
        whole = frame.to_ndarray(format=name)
        pixels = np.asarray(cv2.resize(whole, (width_px, height_px), interpolation=cv2.INTER_LINEAR))
    else:
        how = Interpolation.AREA if shrinks else Interpolation.BILINEAR
        # One thread: for pictures this small, waking more takes longer than the work.
        pixels = np.asarray(frame.reformat(width_px, height_px, name, interpolation=how, threads=1).to_ndarray())
    return on_white(pixels) if has_alpha else pixels

"""Curves of training runs, as pixels for the window and as files for papers: matplotlib's Agg without its global state.

Drawing the same curves again, grown, is what a window does all day: a board with axes, lines and legend is kept for
each thread and each look, and only what changed is drawn anew.
"""

import threading
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import numpy as np

from explorer.errors import ConfigError
from explorer.figures.curve_board import CurveBoard, PlotBox
from explorer.figures.curve_scales import value_scale
from explorer.figures.curve_spec import PAPER, Curve, CurvesSpec, CurveTheme
from explorer.figures.saving import FORMATS, check_pixels, figure_bytes, write_whole

__all__ = [
    "PAPER", "Curve", "CurveTheme", "CurvesSpec", "PlotBox", "curves_bytes", "draw_curves", "plot_box", "write_curves",
]

_POINTS_PER_INCH = 72
_BOARDS_KEPT = 6
"""A window shows losses, metrics and learning rate of a run, and a comparison, at one size and in one theme."""

_own = threading.local()


def draw_curves(spec: CurvesSpec) -> np.ndarray:
    """The curves as pixels: RGBA, uint8 of shape (h, w, 4), of the spec's size times its ratio. For any thread.

    Raises
    ------
    ConfigError
        there would be too many pixels.
    """
    check_pixels(spec.width_px * spec.height_px * spec.ratio**2)
    return _board_for(spec).pixels(spec)


def plot_box(spec: CurvesSpec) -> PlotBox:
    """Where the axes lie in the picture that :func:`draw_curves` has just made of this in the same thread."""
    return _board_for(spec).plot_box(spec)


def curves_bytes(spec: CurvesSpec, file_format: str, dpi: int = 300) -> bytes:
    """The curves as a PNG, SVG or PDF, the same bytes for the same curves; a pixel of the spec becomes 1/72 inch.

    Raises
    ------
    ConfigError
        there would be too many pixels.
    ValueError
        the format is none of these.
    """
    check_pixels(spec.width_px * spec.height_px * (dpi / _POINTS_PER_INCH) ** 2)
    whole = replace(spec, ratio=1.0)
    return figure_bytes(lambda: CurveBoard(whole, value_scale(whole)).to_figure(whole), file_format, dpi)


def write_curves(path: Path, spec: CurvesSpec, *, dpi: int = 300) -> None:
    """Write the curves to a file, in the form that its name ends with.

    Raises
    ------
    ConfigError
        the name ends with none of png, svg and pdf, or there would be too many pixels.
    StorageFullError, UserFacingError
        the file cannot be written.
    """
    file_format = path.suffix.removeprefix(".").lower()
    if file_format not in FORMATS:
        raise ConfigError(
            f"{path.name} does not say what kind of file it is to be.",
            f"End its name with one of .{', .'.join(FORMATS)}.",
        )
    write_whole(path, curves_bytes(spec, file_format, dpi))


def _board_for(spec: CurvesSpec) -> CurveBoard:
    boards: OrderedDict[object, CurveBoard] | None = getattr(_own, "boards", None)
    if boards is None:
        boards = _own.boards = OrderedDict()
    scale = value_scale(spec)
    key = (spec.look, scale)
    board = boards.pop(key, None) or CurveBoard(spec, scale)
    boards[key] = board
    while len(boards) > _BOARDS_KEPT:
        boards.popitem(last=False)
    return board

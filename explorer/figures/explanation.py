"""One figure that says why: the picture, where the model looked, and what it saw there."""

import errno
import math
import os
import textwrap
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from explorer.errors import StorageFullError, UserFacingError
from explorer.evidence import Evidence
from explorer.overlays import (
    ClassOverlay,
    HeatOverlay,
    RegionOverlay,
    class_rgba,
    colour_table,
    heat_range,
    heat_rgba,
    legend_rows,
    overlays_from_evidence,
)

_MARGIN_IN = 0.15
_GAP_IN = 0.2
_LONGEST_IN = 3.4
_SHORTEST_IN = 1.1
_CAPTION_IN = 0.22
_LINE_IN = 0.19
_BAR_IN = 0.42
_MAX_QUERY_LINES = 3
_MAX_LEGEND = 8
_LEGEND_COLUMNS = 2
_STACKED_ASPECT = 2.2


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Measures in inches: panels beside each other, or under each other where pictures are very wide."""

    panel_width: float
    panel_height: float
    below: float
    header: float
    n_panels: int
    stacked: bool

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the figure."""
        across, down = (1, self.n_panels) if self.stacked else (self.n_panels, 1)
        cell_height = _CAPTION_IN + self.panel_height + self.below
        return (
            2 * _MARGIN_IN + across * self.panel_width + (across - 1) * _GAP_IN,
            2 * _MARGIN_IN + self.header + down * cell_height + (down - 1) * _GAP_IN / 2,
        )

    def box(self, place: int) -> tuple[float, float, float, float]:
        """Left, bottom, width and height of a panel as parts of the figure."""
        width, height = self.size
        column, row = (0, place) if self.stacked else (place, 0)
        left = _MARGIN_IN + column * (self.panel_width + _GAP_IN)
        top = _MARGIN_IN + self.header + _CAPTION_IN
        top += row * (_CAPTION_IN + self.panel_height + self.below + _GAP_IN / 2)
        return (
            left / width, 1 - (top + self.panel_height) / height, self.panel_width / width, self.panel_height / height
        )


def draw_explanation(
    picture: np.ndarray, evidence: Evidence, *, query: str = "", title: str = "", dpi: int = 200
) -> Figure:
    """Draw the picture, each saliency map over it and the segmentation over it, side by side.

    Args:
        picture: uint8 RGB (h, w, 3).
        evidence: what the model says about it; what is missing in it is left out.
        query: what was searched for; wrapped, and cut after three lines.
        title: a line above, for example model and file name.
        dpi: pixels an inch.
    """
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or picture.size == 0:
        raise ValueError(f"the picture must be uint8 of shape (h, w, 3), got {picture.dtype} of shape {picture.shape}")
    layers = [layer for layer in overlays_from_evidence(evidence) if not isinstance(layer, RegionOverlay)]
    aspect = picture.shape[1] / picture.shape[0]
    width, height = _panel_size(aspect)
    stacked = aspect > _STACKED_ASPECT
    across = 1 if stacked else 1 + len(layers)
    header = _header_lines(query, title, evidence.score, across * width + (across - 1) * _GAP_IN)
    sheet = _Sheet(
        width, height, max([0.0, *(_room_below(layer) for layer in layers)]),
        len(header) * _LINE_IN + (0.02 if header else 0.0), 1 + len(layers), stacked,
    )
    figure = Figure(figsize=sheet.size, dpi=dpi, facecolor="white")
    FigureCanvasAgg(figure)
    _write_header(figure, header)
    _panel(figure, sheet.box(0), picture, "Picture")
    for place, layer in enumerate(layers, start=1):
        axes = _panel(figure, sheet.box(place), picture, layer.title)
        if isinstance(layer, HeatOverlay):
            _lay_over(axes, heat_rgba(layer, edge=768), 0.75)
            _colour_bar(figure, sheet.box(place), layer)
        else:
            _lay_over(axes, class_rgba(layer), 0.95)
            _legend(axes, layer)
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure; the ending of the name decides the format (png, pdf, svg). All of it is written or nothing.

    Raises:
        UserFacingError: the file cannot be written, or its format is unknown.
    """
    ending = path.suffix.lstrip(".").lower()
    if ending not in figure.canvas.get_supported_filetypes():
        raise UserFacingError(
            f"“{path.suffix}” is no format for a figure.", "Use a name that ends in .png, .pdf or .svg."
        )
    part = path.with_name(f".{path.name}.part")
    try:
        with warnings.catch_warnings():
            # A script that the font lacks shows as boxes; that is no reason to stop.
            warnings.filterwarnings("ignore", message="Glyph .* missing from")
            figure.savefig(part, format=ending)
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        if error.errno == errno.ENOSPC:
            raise StorageFullError(f"The disk is full; {path} was not written.", "Make room and try again.") from error
        raise UserFacingError(f"{path} cannot be written ({error.strerror}).", "Choose another place.") from error


def _panel_size(aspect: float) -> tuple[float, float]:
    """Inches of a panel of this aspect; extreme shapes stay wide enough to be seen."""
    if aspect >= 1:
        width = 2 * _LONGEST_IN if aspect > _STACKED_ASPECT else _LONGEST_IN
        return width, max(width / aspect, 0.3)
    return max(_LONGEST_IN * aspect, _SHORTEST_IN), _LONGEST_IN


def _header_lines(query: str, title: str, score: float | None, width_in: float) -> list[tuple[str, bool]]:
    """Lines of text and whether they are the query, wrapped to the width."""
    lines: list[tuple[str, bool]] = []
    n_letters = max(16, int(width_in * 12))
    words = " ".join("".join(letter if letter.isprintable() else " " for letter in query).split())
    if words:
        # Wrapping needs no more than what is kept.
        wrapped = textwrap.wrap(f"“{words[: n_letters * (_MAX_QUERY_LINES + 1)]}”", n_letters)
        if len(wrapped) > _MAX_QUERY_LINES:
            wrapped = [*wrapped[: _MAX_QUERY_LINES - 1], wrapped[_MAX_QUERY_LINES - 1][: n_letters - 2] + " …"]
        lines += [(line, True) for line in wrapped]
    below = [part for part in (title, "" if score is None else f"score {score:.2f}") if part]
    lines += [(line, False) for line in textwrap.wrap(" · ".join(below), int(n_letters * 1.3))[:2]]
    return lines


def _write_header(figure: Figure, lines: list[tuple[str, bool]]) -> None:
    width, height = figure.get_size_inches()
    for number, (line, is_query) in enumerate(lines):
        figure.text(
            _MARGIN_IN / width, 1 - (_MARGIN_IN + number * _LINE_IN) / height, line, va="top", parse_math=False,
            fontsize=10 if is_query else 8, fontweight="bold" if is_query else "normal",
            color="black" if is_query else "0.35",
        )


def _panel(figure: Figure, box: tuple[float, float, float, float], picture: np.ndarray, caption: str) -> Axes:
    axes = figure.add_axes(box)
    axes.set_axis_off()
    axes.imshow(picture, aspect="auto")
    axes.set_title(caption, fontsize=8, loc="left", pad=3, color="0.2", parse_math=False)
    return axes


def _lay_over(axes: Axes, premultiplied: np.ndarray, opacity: float) -> None:
    """Stretch a small premultiplied image over the whole picture; matplotlib wants plain colours and alpha."""
    alpha = premultiplied[..., 3:].astype(np.float32) / 255
    plain = np.concatenate([premultiplied[..., :3] / 255 / np.maximum(alpha, 1 / 255), alpha * opacity], axis=2)
    axes.imshow(np.clip(plain, 0, 1), extent=(*axes.get_xlim(), *axes.get_ylim()), aspect="auto", zorder=2)


def _room_below(layer: HeatOverlay | ClassOverlay) -> float:
    if isinstance(layer, HeatOverlay):
        return _BAR_IN
    n_rows = math.ceil(min(len(legend_rows(layer)), _MAX_LEGEND) / _LEGEND_COLUMNS)
    return 0.1 + max(1, n_rows) * 0.17


def _colour_bar(figure: Figure, box: tuple[float, float, float, float], layer: HeatOverlay) -> None:
    """Colours from the lowest to the highest raw weight of this map."""
    height = figure.get_size_inches()[1]
    low, high = heat_range(layer)
    axes = figure.add_axes((box[0], box[1] - 0.18 / height, box[2], 0.09 / height))
    axes.imshow(colour_table(layer.colour_map)[None], aspect="auto", extent=(0, 1, 0, 1))
    digits = 2 if high - low >= 0.05 else 4
    axes.set_xticks([0, 0.5, 1], [f"{low + (high - low) * part:.{digits}f}" for part in (0, 0.5, 1)], fontsize=7)
    axes.get_xticklabels()[0].set_horizontalalignment("left")
    axes.get_xticklabels()[2].set_horizontalalignment("right")
    axes.tick_params(length=2, width=0.5, pad=1.5, color="0.4", labelcolor="0.2")
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_linewidth(0.4)


def _legend(axes: Axes, layer: ClassOverlay) -> None:
    rows = legend_rows(layer)
    if not rows:
        axes.text(0, -0.02, "none of its classes", transform=axes.transAxes, va="top", fontsize=7, color="0.35")
        return
    patches = [
        Patch(facecolor=[part / 255 for part in row.colour], label=f"{row.name}  {row.share:.0%}")
        for row in rows[:_MAX_LEGEND]
    ]
    axes.legend(
        handles=patches, loc="upper left", bbox_to_anchor=(0, 0), borderaxespad=0.3, borderpad=0, frameon=False,
        ncols=_LEGEND_COLUMNS, fontsize=7, handlelength=1, handleheight=1, labelspacing=0.35, columnspacing=1.2,
    )

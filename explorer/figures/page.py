"""A page: pictures, rectangles and text at places in millimetres from its top left corner.

Layout comes first and needs no matplotlib figure; what it marks is drawn in one go, so that the page can be as high as
what is on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle

from explorer.figures.lettering import MM_PER_POINT, properties

MM_PER_INCH = 25.4

_DASHES = (0, (2.5, 1.5))
"""In line widths."""

Colour = tuple[float, float, float] | tuple[float, float, float, float] | str
Side = Literal["left", "center", "right"]


class Box(NamedTuple):
    """A rectangle of the page, in millimetres; ``y`` is its upper edge."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y + self.height

    def fitted(self, aspect: float) -> "Box":
        """The largest box of this aspect (width / height) in the middle of this one."""
        width, height = min(self.width, self.height * aspect), min(self.height, self.width / aspect)
        return Box(self.x + (self.width - width) / 2, self.y + (self.height - height) / 2, width, height)

    def grown(self, by: float) -> "Box":
        """The box with this much more on each side."""
        return Box(self.x - by, self.y - by, self.width + 2 * by, self.height + 2 * by)

    def inner(self, xyxy: Sequence[float]) -> "Box":
        """A box given in parts of this one, xyxy in [0, 1]."""
        left, top, right, bottom = (float(part) for part in xyxy)
        return Box(
            self.x + left * self.width, self.y + top * self.height,
            (right - left) * self.width, (bottom - top) * self.height,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TextMark:
    """A line of text; ``y`` is its base line."""

    x: float
    y: float
    text: str
    size_pt: float
    bold: bool = False
    colour: Colour = "black"
    side: Side = "left"
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RectangleMark:
    """A rectangle, drawn as lines and never as pixels."""

    box: Box
    edge: Colour = "none"
    face: Colour = "none"
    line_pt: float = 0.0
    dashed: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageMark:
    """Pixels stretched over a box: uint8 RGB, or float32 RGBA in [0, 1], not premultiplied."""

    box: Box
    pixels: np.ndarray
    name: str = ""


Mark = TextMark | RectangleMark | ImageMark


class Page:
    """What is drawn, from the lowest to the uppermost mark.

    Attributes:
        width: in millimetres.
        height: in millimetres; layout sets it when it knows.
        scale: by how much text and lines are larger than usual; pages of one or two columns of a journal have 1.
        marks: everything on the page.
    """

    def __init__(self, width: float) -> None:
        self.width = width
        self.height = 0.0
        self.scale = width / 180 if width > 180 else min(1.0, max(width / 60, 0.5))
        self.marks: list[Mark] = []

    def image(self, box: Box, pixels: np.ndarray, *, name: str = "") -> None:
        """Put pixels over a box."""
        self.marks.append(ImageMark(box=box, pixels=pixels, name=name))

    def rectangle(
        self, box: Box, *, edge: Colour = "none", face: Colour = "none", line_pt: float = 0.0, dashed: bool = False,
        name: str = "",
    ) -> None:  # fmt: skip
        """Put a rectangle over a box; its line is as wide at any scale as it looks at one."""
        line_pt *= self.scale
        self.marks.append(RectangleMark(box=box, edge=edge, face=face, line_pt=line_pt, dashed=dashed, name=name))

    def text(
        self, x: float, y: float, text: str, size_pt: float, *, bold: bool = False, colour: Colour = "black",
        side: Side = "left", name: str = "",
    ) -> None:  # fmt: skip
        """Write one line; ``size_pt`` is what it will be, whatever the scale."""
        self.marks.append(
            TextMark(x=x, y=y, text=text, size_pt=size_pt, bold=bold, colour=colour, side=side, name=name)
        )

    def to_figure(self, dpi: int, *, whole_pixels: bool) -> Figure:
        """The page as a figure; ``whole_pixels`` makes it as large as the pixels that it is to have."""
        size = (self.width / MM_PER_INCH, self.height / MM_PER_INCH)
        if whole_pixels:
            # A little more, because matplotlib cuts off what is no whole pixel.
            size = (_pixels(size[0], dpi) / dpi, _pixels(size[1], dpi) / dpi)
        figure = Figure(figsize=size, dpi=dpi, facecolor="white")
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, self.width), ylim=(self.height, 0))
        axes.set_axis_off()
        for place, mark in enumerate(self.marks):
            _draw(axes, mark, place)
        return figure


def _pixels(inches: float, dpi: int) -> float:
    return max(1, round(inches * dpi)) + 1e-3


def _draw(axes: Axes, mark: Mark, place: int) -> None:
    name = mark.name or None
    if isinstance(mark, TextMark):
        axes.text(
            mark.x, mark.y, mark.text, fontproperties=properties(mark.text, mark.size_pt, bold=mark.bold),
            color=mark.colour, ha=mark.side, va="baseline", parse_math=False, zorder=place, gid=name,
        )  # fmt: skip
    elif isinstance(mark, RectangleMark):
        axes.add_patch(
            Rectangle(
                mark.box[:2], mark.box.width, mark.box.height, edgecolor=mark.edge, facecolor=mark.face,
                linewidth=mark.line_pt, linestyle=_DASHES if mark.dashed else "-", joinstyle="miter", clip_on=False,
                zorder=place, gid=name,
            )
        )  # fmt: skip
    else:
        box = mark.box
        enlarged = mark.pixels.shape[1] < box.width / MM_PER_INCH * axes.figure.dpi
        image = AxesImage(axes, interpolation="bicubic" if enlarged else "antialiased", zorder=place, gid=name)
        image.set_data(mark.pixels)
        image.set_extent((box.x, box.right, box.bottom, box.y))
        axes.add_image(image)


__all__ = ["MM_PER_INCH", "MM_PER_POINT", "Box", "Colour", "Page", "Side"]

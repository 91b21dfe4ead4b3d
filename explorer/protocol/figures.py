"""Figures of results, for papers."""

from typing import Annotated, Literal

import msgspec

from explorer.protocol.base import Message, Query

_Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]


class FigureLayer(msgspec.Struct, frozen=True, kw_only=True):
    """How one overlay is drawn.

    Attributes:
        name: the layer's machine name: a :class:`Grid`, :class:`Boxes` or ``"segmentation"``.
        style: ``"heat"`` colours, or ``"cover"``: the more salient, the more transparent a dark cover is.
        colour_map: of a heat map or of boxes; empty: the layer's own (one with a sign, where values lie below zero).
        opacity: in [0, 1]; None: what suits the kind of layer.
        threshold: in [0, 1]; what lies below is not painted.
        hidden: classes of the segmentation that are not painted, by name.
        place: of a layer with a map for each place (:class:`PointedMaps`): whose map; None: their average.
        numbers: of boxes: whether each bears its number, 1 the most dominant; in a grid there is no room for them.
        word: number of a word of the query: what each place gives to it, in place of the weights.
    """

    name: str
    style: Literal["heat", "cover"] = "heat"
    colour_map: Literal["", "magma", "viridis", "managua_r"] = ""
    opacity: _Share | None = None
    threshold: _Share = 0.0
    hidden: tuple[str, ...] = ()
    numbers: bool = True
    place: Annotated[int, msgspec.Meta(ge=0)] | None = None
    word: Annotated[int, msgspec.Meta(ge=0)] | None = None


class FigureSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A figure, whole: the same specification gives the same figure.

    Attributes:
        kind: ``"panels"``: one result, a panel for each layer; ``"shown"``: one result with all layers over each
            other, as the viewer shows it; ``"grid"``: query and the first results.
        item_ids: the results in order; the first only, unless it is a grid.
        query: what was searched for.
        model: the package.
        every_moment: whether ranks count all shots of a video; else the best of each, as for :class:`Search`.
        time_s: of a shot: which moment of its video is drawn; None: where the model found most, else the middle.
        layers: what is drawn over the pictures, the lowest first; empty: ``"panels"`` draws all, others none.
        without: parts of the network that are left out (``"vsem"``, ``"vspm"``).
        columns: pictures in a row of a grid.
        width_mm: width of the figure.
        dpi: pixels an inch of what cannot be drawn as lines.
        format: file format.
        scores: whether scores and ranks are written.
        words: whether the query's words are drawn with their weights.
        frames: whether correct results are framed, where the library's sentences tell which they are.
    """

    item_ids: tuple[int, ...]
    model: str
    kind: Literal["panels", "shown", "grid"] = "panels"
    query: Query | None = None
    every_moment: bool = False
    time_s: float | None = None
    layers: tuple[FigureLayer, ...] = ()
    without: tuple[str, ...] = ()
    columns: Annotated[int, msgspec.Meta(ge=1, le=20)] = 5
    width_mm: Annotated[float, msgspec.Meta(ge=20, le=2000)] = 170.0
    dpi: Annotated[int, msgspec.Meta(ge=36, le=1200)] = 300
    format: Literal["png", "svg", "pdf"] = "png"
    scores: bool = True
    words: bool = True
    frames: bool = True


class MakeFigure(Message, frozen=True):
    """Draw a figure; :class:`Progress` after each of several results, then :class:`Figure`."""

    spec: FigureSpec


class Figure(Message, frozen=True):
    """The file's content, and the recipe (TOML) that makes it again from the command line."""

    content: bytes
    recipe: str

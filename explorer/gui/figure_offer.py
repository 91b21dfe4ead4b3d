"""What a figure can be made of now, what a person chose, and the specification that comes of both. No widgets."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import msgspec

from explorer.overlays import AnyOverlay, ClassOverlay, RegionOverlay
from explorer.protocol import FigureLayer, FigureSpec, Query

Kind = Literal["shown", "panels", "grid"]
Format = Literal["png", "svg", "pdf"]

MOST_RESULTS = 400
MM_PER_INCH = 25.4
_PREVIEW_DPI = (36, 150)
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedLayer:
    """A layer as it is set in the viewer.

    Attributes:
        title: what a person reads.
        layer: how a figure draws it.
        seen: whether the viewer shows it now.
    """

    title: str
    layer: FigureLayer
    seen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureOffer:
    """What is there to draw.

    Attributes:
        model: the package.
        query: what was searched for; ``None``: everything is shown.
        explained_by: what the shown result is explained with: the query, or a sentence chosen in its place.
        item_id: the shown result; ``None`` if none is.
        item_ids: the first results, best first.
        layers: those of the shown result, the lowest first.
        parts: parts of the network that can be left out.
        has_sentences: whether the library tells which results are correct.
        every_moment: whether all shots of videos were ranked.
        time_s: when in its video the frame is that is shown of the shown result; ``None`` of a photo.
    """

    model: str
    query: Query | None
    explained_by: Query | None
    item_id: int | None
    item_ids: tuple[int, ...]
    layers: tuple[OfferedLayer, ...] = ()
    parts: tuple[str, ...] = ()
    has_sentences: bool = False
    every_moment: bool = False
    time_s: float | None = None

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of figures that can be made, the likeliest first."""
        one: tuple[Kind, ...] = ("shown", "panels") if self.item_id is not None else ()
        many: tuple[Kind, ...] = ("grid",) if self.item_ids else ()
        return one + many


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureChoice:
    """What a person chose.

    Attributes:
        kind: of figure.
        chosen: numbers of the layers that are drawn, of those offered.
        n_results: of a grid.
        without: parts of the network that are left out.
        name: of the file, with its folder.
    """

    kind: Kind
    chosen: tuple[int, ...]
    n_results: int = 10
    columns: int = 5
    format: Format = "png"
    width_mm: float = 170.0
    dpi: int = 300
    scores: bool = True
    words: bool = True
    frames: bool = True
    without: tuple[str, ...] = ()
    name: Path = Path("figure.png")


def spec_of(offer: FigureOffer, choice: FigureChoice) -> FigureSpec:
    """The specification of the figure that was chosen."""
    grid = choice.kind == "grid"
    one = () if offer.item_id is None else (offer.item_id,)
    item_ids = offer.item_ids[: choice.n_results] if grid else one
    return FigureSpec(
        item_ids=item_ids, model=offer.model, kind=choice.kind, query=offer.query if grid else offer.explained_by,
        layers=tuple(offer.layers[number].layer for number in choice.chosen), without=choice.without,
        columns=min(choice.columns, max(1, len(item_ids))), width_mm=choice.width_mm, dpi=choice.dpi,
        format=choice.format, scores=choice.scores, words=choice.words, frames=choice.frames,
        every_moment=offer.every_moment, time_s=None if grid else offer.time_s,
    )  # fmt: skip


def preview_of(spec: FigureSpec, width_px: int) -> FigureSpec:
    """The same figure as a picture about as wide as it is looked at."""
    low, high = _PREVIEW_DPI
    dpi = min(high, max(low, round(width_px / (spec.width_mm / MM_PER_INCH))))
    return msgspec.structs.replace(spec, format="png", dpi=dpi)


def offered_layers(
    overlays: tuple[AnyOverlay, ...], word: tuple[str, int, str] | None = None
) -> tuple[OfferedLayer, ...]:
    """The viewer's layers as a figure draws them.

    Args:
        overlays: as they are set, the lowest first.
        word: a word that is held: the layer it lights, its number, the word; then that layer shows its places.
    """
    layers = tuple(
        OfferedLayer(title=overlay.title, layer=figure_layer(overlay), seen=overlay.visible) for overlay in overlays
    )
    if word is None:
        return layers
    name, number, text = word
    return tuple(_of_word(layer, number, text) if layer.layer.name == name else _beside_word(layer) for layer in layers)


def _of_word(offered: OfferedLayer, number: int, text: str) -> OfferedLayer:
    layer = FigureLayer(name=offered.layer.name, word=number)
    return OfferedLayer(title=f"{offered.title}: what “{text}” adds", layer=layer, seen=True)


def _beside_word(offered: OfferedLayer) -> OfferedLayer:
    """The viewer puts other colours aside while a word is lit; outlines stay."""
    return replace(offered, seen=offered.seen and offered.layer.name == "segmentation")


def figure_layer(overlay: AnyOverlay) -> FigureLayer:
    """How a figure draws a layer of the viewer."""
    if isinstance(overlay, ClassOverlay):
        hidden = tuple(overlay.names[class_id] for class_id in sorted(overlay.hidden) if class_id < len(overlay.names))
        return FigureLayer(
            name=overlay.name, opacity=overlay.opacity, threshold=overlay.threshold, hidden=hidden
        )
    return FigureLayer(
        name=overlay.name, style=overlay.style.value, colour_map=overlay.colour_map.value, opacity=overlay.opacity,
        threshold=overlay.threshold, numbers=not isinstance(overlay, RegionOverlay) or overlay.numbered,
    )  # fmt: skip


def file_name(query: Query | None, kind: Kind, ending: str) -> str:
    """A name that says what is in it: ``a-dog-on-a-beach-grid.png``."""
    text = query.text if query is not None else ""
    words = "-".join(re.findall(r"\w+", text.lower()))[:_LONGEST_NAME].strip("-_") or "figure"
    return f"{words}{'' if kind == 'shown' else f'-{kind}'}.{ending}"

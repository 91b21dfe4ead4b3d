"""The layers of a figure: which overlays are drawn over a picture, and their pixels and boxes on the page."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from explorer.errors import ConfigError
from explorer.evidence import Evidence
from explorer.figures.lettering import width_mm
from explorer.figures.page import MM_PER_POINT, Box, Page
from explorer.overlays import (
    AnyOverlay,
    ClassOverlay,
    ColourMap,
    HeatOverlay,
    PointedOverlay,
    RegionOverlay,
    RegionStroke,
    Style,
    at_place,
    class_rgba,
    composed,
    heat_rgba,
    overlays_from_evidence,
    place_badges,
    place_box,
    region_cover_rgba,
    region_strokes,
    with_values,
)
from explorer.protocol import FigureLayer

_HEAT_PX_PER_MM = 4.0
_CLASS_PX_PER_MM = 6.7
"""Outlines of classes are two pixels wide: 0.3 mm, whatever the size of the picture."""

_USUAL_HEAT, _USUAL_CLASSES = 0.75, 0.95
_HALO = (0.0, 0.0, 0.0, 0.55)
_NUMBER_PT = 6.0
_BLACK_IS_READ = 0.179
"""From this luminance on black letters have more contrast than white ones."""


def all_layers(evidence: Evidence) -> tuple[AnyOverlay, ...]:
    """Every layer that the evidence has, each as it is seen best alone."""
    return tuple(
        replace(overlay, visible=True, opacity=_usual_opacity(overlay)) for overlay in overlays_from_evidence(evidence)
    )


def chosen_layers(
    evidence: Evidence, wanted: Sequence[FigureLayer], *, known: Collection[str] = ()
) -> tuple[AnyOverlay, ...]:
    """The layers that are wanted, the lowest first; what this picture has not, but others may (``known``), is left out.

    Raises
    ------
    ConfigError
        There is no such layer, or no such class in it.
    """
    here = {overlay.name: overlay for overlay in all_layers(evidence)}
    names = [*here, *(name for name in known if name not in here)]
    for layer in wanted:
        if layer.name not in names:
            raise ConfigError(
                f"There is no layer called {layer.name}.",
                f"Layers here: {', '.join(names)}." if names else "This model has none.",
            )
    return tuple(_as_wanted(here[layer.name], layer, evidence) for layer in wanted if layer.name in here)


def over_each_other(layers: tuple[AnyOverlay, ...]) -> tuple[AnyOverlay, ...]:
    """The layers as they are drawn over one picture."""
    return composed(layers)


def draw_layer(page: Page, box: Box, overlay: AnyOverlay, *, name: str) -> None:
    """Draw a layer over the picture that fills this box: maps as pixels, regions as rectangles."""
    if isinstance(overlay, RegionOverlay):
        _draw_regions(page, box, overlay, name=name)
    elif isinstance(overlay, ClassOverlay):
        classes = class_rgba(overlay, edge=_edge(page, box, _CLASS_PX_PER_MM))
        page.image(box, _plain(classes, overlay.opacity), name=name)
    else:
        heat = heat_rgba(overlay, edge=_edge(page, box, _HEAT_PX_PER_MM))
        page.image(box, _plain(heat, overlay.opacity), name=name)


def draw_place(page: Page, box: Box, places: AnyOverlay, place: int, *, name: str) -> None:
    """Mark the cell or region whose map is shown."""
    if isinstance(places, ClassOverlay) or not 0 <= place < places.values.size:
        return
    where = box.inner(place_box(places, place))
    page.rectangle(where, edge="black", line_pt=1.8, name=f"{name}-halo")
    page.rectangle(where, edge="white", line_pt=0.9, name=name)


def _edge(page: Page, box: Box, px_per_mm: float) -> int:
    return round(min(2048.0, max(112.0, max(box.width, box.height) * px_per_mm / page.scale)))


def _draw_regions(page: Page, box: Box, overlay: RegionOverlay, *, name: str) -> None:
    if overlay.style is Style.COVER:
        page.image(box, _plain(region_cover_rgba(overlay), overlay.opacity), name=f"{name}-cover")
        return
    for stroke in region_strokes(overlay):
        where = box.inner(stroke.box)
        line_pt = 0.5 + 0.7 * stroke.strength
        red, green, blue = (part / 255 for part in stroke.colour)
        page.rectangle(where, edge=_faded(_HALO, overlay.opacity), line_pt=line_pt + 0.5)
        page.rectangle(
            where, edge=(red, green, blue, overlay.opacity), line_pt=line_pt, dashed=stroke.negative,
            name=f"{name}-box{stroke.place}",
        )  # fmt: skip
    if overlay.numbered:
        _draw_numbers(page, box, region_strokes(overlay), overlay.opacity, name=name)


def _draw_numbers(page: Page, box: Box, strokes: Sequence[RegionStroke], opacity: float, *, name: str) -> None:
    """Each at its own box; low numbers choose their place first, strong regions lie on top."""
    size = _NUMBER_PT * page.scale
    height = 1.15 * size * MM_PER_POINT
    by_number = sorted(strokes, key=lambda stroke: stroke.place)
    widths = [max(height, width_mm(str(stroke.number), size) + 0.35 * height) for stroke in by_number]
    boxes = [box.inner(stroke.box) for stroke in by_number]
    spots = place_badges(
        [(inner.x, inner.y, inner.right, inner.bottom) for inner in boxes], [(width, height) for width in widths],
        (box.x, box.y, box.right, box.bottom),
    )
    badges = {s.place: Box(*spot, width, height) for s, spot, width in zip(by_number, spots, widths, strict=True)}
    for stroke in strokes:
        badge = badges[stroke.place]
        red, green, blue = (part / 255 for part in stroke.colour)
        page.rectangle(
            badge, face=(red, green, blue, opacity), edge=_faded(_HALO, opacity), line_pt=0.3,
            name=f"{name}-badge{stroke.place}",
        )  # fmt: skip
        page.text(
            badge.x + badge.width / 2, badge.bottom - 0.2 * height, str(stroke.number), size, side="center",
            colour="black" if _luminance(stroke.colour) > _BLACK_IS_READ else "white",
            name=f"{name}-number{stroke.place}",
        )  # fmt: skip


def _luminance(colour: tuple[int, int, int]) -> float:
    """Relative luminance, WCAG 2.1."""
    parts = (part / 255 for part in colour)
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return float(0.2126 * red + 0.7152 * green + 0.0722 * blue)


def _faded(colour: tuple[float, float, float, float], opacity: float) -> tuple[float, float, float, float]:
    return (*colour[:3], colour[3] * opacity)


def _plain(premultiplied: np.ndarray, opacity: float) -> np.ndarray:
    """Plain colours and alpha, float32 in [0, 1], as matplotlib wants them."""
    alpha = premultiplied[..., 3:].astype(np.float32) / 255
    colours = premultiplied[..., :3].astype(np.float32) / 255 / np.maximum(alpha, 1 / 255)
    plain: np.ndarray = np.clip(np.concatenate([colours, alpha * opacity], axis=2), 0, 1)
    return plain


def _usual_opacity(overlay: AnyOverlay) -> float:
    """Strong, because a panel has a picture without it beside it; a cover is as dark as it is meant to be."""
    if isinstance(overlay, RegionOverlay):
        return 1.0
    return _USUAL_CLASSES if isinstance(overlay, ClassOverlay) else _USUAL_HEAT


def _as_wanted(overlay: AnyOverlay, layer: FigureLayer, evidence: Evidence) -> AnyOverlay:
    opacity = overlay.opacity if layer.opacity is None else layer.opacity
    if isinstance(overlay, ClassOverlay):
        hidden = frozenset(class_id for class_id, name in enumerate(overlay.names) if name in layer.hidden)
        return replace(overlay, opacity=opacity, threshold=layer.threshold, hidden=hidden)
    style = Style(layer.style)
    if layer.opacity is None and style is Style.COVER:
        opacity = 1.0
    colours = ColourMap(layer.colour_map) if layer.colour_map else overlay.colour_map
    drawn = replace(overlay, opacity=opacity, threshold=layer.threshold, style=style, colour_map=colours)
    if isinstance(drawn, RegionOverlay):
        drawn = replace(drawn, numbered=layer.numbers)
    if layer.place is not None and isinstance(drawn, PointedOverlay):
        return _of_place(drawn, layer.place)
    return drawn if layer.word is None else _of_word(drawn, layer.word, evidence)


def _of_place(overlay: PointedOverlay, place: int) -> PointedOverlay:
    if not 0 <= place < len(overlay.maps):
        raise ConfigError(
            f"The layer {overlay.name} has no place {place}.", f"Its places are 0 to {len(overlay.maps) - 1}."
        )
    return at_place(overlay, place)


def _of_word(overlay: HeatOverlay | RegionOverlay, word: int, evidence: Evidence) -> HeatOverlay | RegionOverlay:
    """What each place gives to one word of the query."""
    words = evidence.words
    links = next((links for links in words.links if links.places == overlay.name), None) if words else None
    if words is None or links is None:
        raise ConfigError(f"The layer {overlay.name} says nothing about single words here.", "Leave the word out.")
    if not 0 <= word < len(words.words):
        raise ConfigError(
            f"The query has no word {word}.", f"It has {len(words.words)} words, the first of which is 0."
        )
    return replace(with_values(overlay, links.values[word]), title=f"{overlay.title}: “{words.words[word]}”")

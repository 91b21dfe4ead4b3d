"""One result: a panel for the picture and for each layer, or all layers over each other in one."""

import math

from explorer.figures.bits import draw_bits
from explorer.figures.content import FigureContent, ShownResult
from explorer.figures.heading import GREY, draw_heading, weighed_by
from explorer.figures.layers import all_layers, chosen_layers, draw_layer, draw_place, over_each_other
from explorer.figures.legends import draw_legend, legend_height, number
from explorer.figures.lettering import line_height_mm, shorten, shorten_in_the_middle, wrap
from explorer.figures.page import Box, Page
from explorer.overlays import AnyOverlay, PointedOverlay
from explorer.protocol import FigureLayer, FigureSpec

CAPTION_PT = 7.0

_MARGIN_MM = 1.0
_GAP_MM = 3.0
_LEGEND_GAP_MM = 1.0
_MOST_CAPTION_LINES = 3
_NARROWEST_MM = 34.0
_PARTS = {"vsem": "VSeM", "vspm": "VSpM"}
_HIGHEST = 1.6
"""Panels are at most this many times as high as wide; a picture that is still narrower stands in the middle."""


def draw_panels(spec: FigureSpec, content: FigureContent, *, known: tuple[str, ...] = ()) -> Page:
    """The picture, and beside it each layer over the picture with what its colours mean."""
    result = content.results[0]
    layers = _layers(spec, result, known=known) if spec.layers else _every_layer(result)
    page, top = _begin(spec, content, result)
    panels: list[tuple[str, tuple[AnyOverlay, ...]]] = [("Picture", ())]
    panels += [(layer.title, (layer,)) for layer in layers]
    widest = page.width - 2 * _MARGIN_MM
    n_columns = _n_columns(len(panels), widest, result.aspect, page.scale)
    gap = _GAP_MM * page.scale
    width = (widest - (n_columns - 1) * gap) / n_columns
    for first in range(0, len(panels), n_columns):
        row = panels[first : first + n_columns]
        top = _draw_captions(page, Box(_MARGIN_MM, top, width, 0.0), gap, [caption for caption, _ in row], first)
        bottoms = [
            _draw_panel(
                page, Box(_MARGIN_MM + place * (width + gap), top, width, 0.0), result, spec, shown,
                name=f"panel{first + place}",
            )
            for place, (_, shown) in enumerate(row)
        ]  # fmt: skip
        top = max(bottoms) + gap
    bottom = top - gap
    if spec.scores and result.evidence is not None and result.evidence.bits is not None:
        # A score of codes is a count of bits: where the score is told, they are shown.
        bottom = draw_bits(page, Box(_MARGIN_MM, top, widest, 0.0), result.evidence.bits)
    page.height = bottom + _MARGIN_MM
    return page


def draw_shown(spec: FigureSpec, content: FigureContent, *, known: tuple[str, ...] = ()) -> Page:
    """One picture with all layers over each other, and below it what their colours mean."""
    result = content.results[0]
    layers = over_each_other(_layers(spec, result, known=known))
    page, top = _begin(spec, content, result)
    box = Box(_MARGIN_MM, top, page.width - 2 * _MARGIN_MM, 0.0)
    page.height = _draw_panel(page, box, result, spec, layers, name="shown") + _MARGIN_MM
    return page


def _begin(spec: FigureSpec, content: FigureContent, result: ShownResult) -> tuple[Page, float]:
    page = Page(spec.width_mm)
    box = Box(_MARGIN_MM, _MARGIN_MM, page.width - 2 * _MARGIN_MM, 0.0)
    words = result.evidence.words if spec.words and result.evidence is not None else None
    notes = _notes(page, spec, content, result)
    return page, draw_heading(page, content, box, notes, words=words, whose=weighed_by(result.evidence))


def _notes(page: Page, spec: FigureSpec, content: FigureContent, result: ShownResult) -> tuple[str, ...]:
    name = shorten_in_the_middle(result.name, CAPTION_PT * page.scale, page.width / 2)
    notes = [name, content.model, without_note(spec)]
    if spec.scores and result.score is not None:
        notes.append(f"score {number(result.score, 2)}")
        if result.rank is not None:
            notes.append(f"rank {result.rank} of {content.n_gallery}")
    if spec.frames and result.correct:
        notes.append("correct")
    return tuple(notes)


def without_note(spec: FigureSpec) -> str:
    """Says which parts of the network were left out."""
    return f"without {' and '.join(_PARTS.get(part, part) for part in spec.without)}" if spec.without else ""


def _every_layer(result: ShownResult) -> tuple[AnyOverlay, ...]:
    return all_layers(result.evidence) if result.evidence is not None else ()


def _layers(spec: FigureSpec, result: ShownResult, *, known: tuple[str, ...]) -> tuple[AnyOverlay, ...]:
    if result.evidence is None:
        return ()
    return chosen_layers(result.evidence, spec.layers, known=known)


def _n_columns(n_panels: int, width: float, aspect: float, scale: float) -> int:
    """As many panels in a row as stay wide enough to be seen, in rows that are equally full."""
    narrowest = _NARROWEST_MM * scale * max(1.0, aspect / 1.5)
    gap = _GAP_MM * scale
    most = min(n_panels, max(1, int((width + gap) / (narrowest + gap))))
    return math.ceil(n_panels / math.ceil(n_panels / most))


def _draw_captions(page: Page, first_box: Box, gap: float, captions: list[str], first: int) -> float:
    """Captions of one row, their last lines just above the pictures; gives the upper edge of the pictures."""
    size = CAPTION_PT * page.scale
    line = line_height_mm(size)
    wrapped = [wrap(caption, size, first_box.width, most_lines=_MOST_CAPTION_LINES) for caption in captions]
    n_lines = max(map(len, wrapped))
    for place, lines in enumerate(wrapped):
        x = first_box.x + place * (first_box.width + gap)
        for number_of_line, text in enumerate(lines, start=n_lines - len(lines)):
            y = first_box.y + (number_of_line + 0.8) * line
            page.text(x, y, text, size, colour=(0.1, 0.1, 0.1), name=f"panel{first + place}-caption{number_of_line}")
    return first_box.y + n_lines * line + 0.4 * page.scale


def _draw_panel(
    page: Page, corner: Box, result: ShownResult, spec: FigureSpec, layers: tuple[AnyOverlay, ...], *, name: str
) -> float:
    """Picture, layers and legends below each other; gives the lower edge."""
    x, top, width = corner.x, corner.y, corner.width
    size = CAPTION_PT * page.scale
    room = Box(x, top, width, min(width / result.aspect, _HIGHEST * width))
    box = room.fitted(result.aspect)
    page.image(box, result.picture, name=f"{name}-picture")
    for layer in layers:
        draw_layer(page, box, layer, name=f"{name}-{layer.name}")
        _mark_place(page, box, result, spec.layers, layer, name=name)
    y = box.bottom
    for layer in layers:
        y += _LEGEND_GAP_MM * page.scale
        if len(layers) > 1:
            note = shorten(layer.title, size, width)
            page.text(x, y + 0.8 * line_height_mm(size), note, size, colour=GREY)
            y += line_height_mm(size)
        draw_legend(page, x, y, width, layer)
        y += legend_height(page, layer, width)
    return y


def _mark_place(
    page: Page, box: Box, result: ShownResult, wanted: tuple[FigureLayer, ...], layer: AnyOverlay, *, name: str
) -> None:
    """Where the place is whose map is shown."""
    place = next((entry.place for entry in wanted if entry.name == layer.name), None)
    if place is None or not isinstance(layer, PointedOverlay):
        return
    places = next((other for other in _every_layer(result) if other.name == layer.places), None)
    if places is not None:
        draw_place(page, box, places, place, name=f"{name}-{layer.name}-place")

"""The first results side by side: ranks, scores, layers over each picture, and a frame around correct ones."""

from dataclasses import dataclass, replace

from explorer.figures.alike import legend_layers, made_alike
from explorer.figures.content import FigureContent, ShownResult
from explorer.figures.heading import GREY, draw_heading, weighed_by
from explorer.figures.layers import chosen_layers, draw_layer, over_each_other
from explorer.figures.legends import LABEL_PT, draw_legend, legend_height, number
from explorer.figures.lettering import line_height_mm, shorten, width_mm
from explorer.figures.page import MM_PER_POINT, Box, Colour, Page
from explorer.figures.panels import without_note
from explorer.overlays import AnyOverlay, RegionOverlay
from explorer.protocol import FigureSpec

CAPTION_PT = 7.0

_MARGIN_MM = 1.0
_GAP_MM = 2.0
_ROW_GAP_MM = 1.6
_LEGEND_MM = 45.0
_HIGHEST = 1.0
_SMALLEST_PT = 5.0
_FRAME_PT = 2.0
_FRAME_COLOUR = (0, 158 / 255, 115 / 255)
"""Okabe and Ito's bluish green."""

_CORRECT = "correct: the query is one of its sentences"


def draw_grid(spec: FigureSpec, content: FigureContent, *, known: tuple[str, ...] = ()) -> Page:
    """Query, results in rows, and one legend for all of them: the same colour means the same in every picture."""
    page = Page(spec.width_mm)
    room = Box(_MARGIN_MM, _MARGIN_MM, page.width - 2 * _MARGIN_MM, 0.0)
    first = content.results[0].evidence
    words = first.words if spec.words and first is not None else None
    whose = f"{weighed_by(first)} of the first picture"
    top = draw_heading(page, content, room, _notes(spec, content), words=words, whose=whose)
    layers = made_alike(tuple(over_each_other(_layers(spec, result, known=known)) for result in content.results))
    gap = min(_GAP_MM * page.scale, room.width / spec.columns / 6)
    width = (room.width - (spec.columns - 1) * gap) / spec.columns
    captions = _captions(page, spec, content, width)
    for start in range(0, len(content.results), spec.columns):
        row = range(start, min(start + spec.columns, len(content.results)))
        height = max(min(width / content.results[place].aspect, _HIGHEST * width) for place in row)
        for place in row:
            cell = Box(room.x + (place - start) * (width + gap), top, width, height)
            box = _draw_result(page, cell, content.results[place], layers[place], spec, name=f"result{place + 1}")
            _write_caption(page, cell, box, captions.of_results[place], captions.size, name=f"result{place + 1}")
        top += height + captions.height + _ROW_GAP_MM * page.scale
    page.height = _draw_legends(page, Box(room.x, top, room.width, 0.0), spec, content, layers) + _MARGIN_MM
    return page


def _layers(spec: FigureSpec, result: ShownResult, *, known: tuple[str, ...]) -> tuple[AnyOverlay, ...]:
    if result.evidence is None or not spec.layers:
        return ()
    layers = chosen_layers(result.evidence, spec.layers, known=known)
    return tuple(replace(layer, numbered=False) if isinstance(layer, RegionOverlay) else layer for layer in layers)


def _notes(spec: FigureSpec, content: FigureContent) -> tuple[str, ...]:
    notes = [content.model, without_note(spec)]
    if content.n_gallery:
        notes.append(f"{content.n_gallery} {content.ranked} ranked")
    if spec.without and spec.scores:
        notes.append("ranks are those of the whole network")
    return tuple(notes)


@dataclass(frozen=True, slots=True)
class _Captions:
    """What stands below the pictures.

    Attributes:
        of_results: rank, score, and whether it is correct.
        size: in points, the same for all.
        height: what each row needs for them, in millimetres.
    """

    of_results: tuple[tuple[str, str, bool], ...]
    size: float
    height: float


def _captions(page: Page, spec: FigureSpec, content: FigureContent, width: float) -> _Captions:
    """Smaller in narrow columns; in very narrow ones without scores, because the order says more."""
    written = tuple(_caption(result, spec) for result in content.results)
    usual, smallest = CAPTION_PT * page.scale, _SMALLEST_PT * page.scale
    size = min(usual, _fitting(written, usual, width))
    if size < smallest:
        written = tuple((rank, "", correct) for rank, _, correct in written)
        size = min(usual, _fitting(written, usual, width))
    is_empty = not any(rank or score for rank, score, _ in written)
    return _Captions(written, size, 0.0 if is_empty else line_height_mm(size) + 0.4 * page.scale)


def _caption(result: ShownResult, spec: FigureSpec) -> tuple[str, str, bool]:
    rank = str(result.rank) if spec.scores and result.rank is not None else ""
    score = number(result.score, 2) if spec.scores and result.score is not None else ""
    framed = spec.frames and result.correct
    return f"{rank} \N{CHECK MARK}".strip() if framed else rank, score, framed


def _fitting(captions: tuple[tuple[str, str, bool], ...], size: float, width: float) -> float:
    """The size at which the widest of them is as wide as a column."""
    widest = max(width_mm(rank, size, True) + width_mm(score, size) + 0.15 * size for rank, score, _ in captions)
    return size * width / widest


def _draw_result(
    page: Page, cell: Box, result: ShownResult, layers: tuple[AnyOverlay, ...], spec: FigureSpec, *, name: str
) -> Box:
    """The picture at the bottom of its cell, so that those of a row stand on one line; gives where it is."""
    box = cell.fitted(result.aspect)
    box = box._replace(y=cell.bottom - box.height)
    page.image(box, result.picture, name=f"{name}-picture")
    for layer in layers:
        draw_layer(page, box, layer, name=f"{name}-{layer.name}")
    if spec.frames and result.correct:
        half_line = _FRAME_PT * page.scale * MM_PER_POINT / 2
        page.rectangle(box.grown(-half_line), edge=_FRAME_COLOUR, line_pt=_FRAME_PT, name=f"{name}-correct")
    return box


def _write_caption(
    page: Page, cell: Box, picture: Box, caption: tuple[str, str, bool], size: float, *, name: str
) -> None:
    """Rank at the left and score at the right edge of the picture, or as near as there is room in its column."""
    rank, score, framed = caption
    needed = width_mm(rank, size, True) + width_mm(score, size) + 0.15 * size
    width = max(picture.width, min(needed, cell.width))
    left = cell.x + (cell.width - width) / 2
    base = cell.bottom + 0.4 * page.scale + 0.8 * line_height_mm(size)
    if rank:
        colour: Colour = _FRAME_COLOUR if framed else "black"
        page.text(left, base, rank, size, bold=True, colour=colour, name=f"{name}-rank")
    if score:
        page.text(left + width, base, score, size, colour=GREY, side="right", name=f"{name}-score")


def _draw_legends(
    page: Page, room: Box, spec: FigureSpec, content: FigureContent, layers: tuple[tuple[AnyOverlay, ...], ...]
) -> float:
    """A legend for each layer and for the frames; gives the lower edge."""
    bottom = room.y - _ROW_GAP_MM * page.scale
    size = LABEL_PT * page.scale
    line = line_height_mm(size)
    top = room.y
    if spec.frames and content.correct_ranks is not None:
        _draw_frame_legend(page, Box(room.x, top, room.width, line), content, size)
        top += line + 0.6 * page.scale
        bottom = top
    width = min(_LEGEND_MM * page.scale, room.width)
    gap = 2 * _GAP_MM * page.scale
    n_columns = max(1, int((room.width + gap) / (width + gap)))
    entries = legend_layers(layers)
    for start in range(0, len(entries), n_columns):
        lowest = top
        for place, layer in enumerate(entries[start : start + n_columns]):
            x = room.x + place * (width + gap)
            title = shorten(layer.title, size, width)
            page.text(x, top + 0.8 * line, title, size, colour=(0.1, 0.1, 0.1), name=f"legend-{layer.name}")
            draw_legend(page, x, top + line + 0.3 * page.scale, width, layer)
            lowest = max(lowest, top + line + 0.3 * page.scale + legend_height(page, layer, width))
        top = lowest + _ROW_GAP_MM * page.scale
        bottom = lowest
    return bottom


def _draw_frame_legend(page: Page, box: Box, content: FigureContent, size: float) -> None:
    """What the frame means, and where correct items are that are not shown."""
    side = 0.62 * box.height
    swatch = Box(box.x + 0.3, box.y + 0.2 * box.height, 1.4 * side, side)
    page.rectangle(swatch, edge=_FRAME_COLOUR, line_pt=1.0, name="legend-correct")
    shown = {result.rank for result in content.results if result.correct}
    beyond = [str(rank) for rank in content.correct_ranks or () if rank not in shown]
    note = _CORRECT
    if beyond:
        others = "also " if shown else ""
        which = ", ".join(beyond[:5]) + (", …" if len(beyond) > 5 else "")
        note += f" ({others}at rank {which}, not shown)"
    elif not shown:
        note += " (none in the library)"
    text = shorten(note, size, box.right - swatch.right - 1.0 * page.scale)
    page.text(swatch.right + 1.0 * page.scale, box.y + 0.8 * box.height, text, size, colour=GREY)

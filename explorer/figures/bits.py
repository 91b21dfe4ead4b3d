"""Two codes as rows of cells, the query's above the picture's."""

from explorer.evidence import BitAgreement
from explorer.figures.heading import GREY, NOTE_PT
from explorer.figures.lettering import line_height_mm, width_mm, wrap
from explorer.figures.page import MM_PER_POINT, Box, Page
from explorer.overlays import agreement_text, cells_in_line

_LEAST_MM, _MOST_MM = 2.2, 3.4
_BETWEEN, _LINE_GAP = 0.4, 0.45
"""Parts of a cell: between the two cells of a bit, where the cross is if they differ, and between lines."""

_NUMBER_PT = 6.0
_SMALLEST_MARK, _LARGEST_MARK = 0.32, 0.80
_PEN_PT = 0.5
_AGREE = (0.80, 0.90, 0.96)
_MOST_LINES = 4
_KEY = (
    "Above the query, below the picture; full: set, empty: not set, \N{MULTIPLICATION SIGN}: they differ; the larger, "
    "the further from flipping."
)


def draw_bits(page: Page, box: Box, bits: BitAgreement) -> float:
    """Draw both codes into a box of this place and width; gives the lower edge."""
    scale, n_bits = page.scale, len(bits.query)
    gutter = width_mm("000", _NUMBER_PT * scale) + 0.8 * scale
    in_line = cells_in_line(n_bits, box.width - gutter, _LEAST_MM * scale)
    cell = min(_MOST_MM * scale, (box.width - gutter) / in_line)
    top = _write(page, f"{agreement_text(bits)} {_KEY}", box) + 0.5 * scale
    step = (2 + _BETWEEN + _LINE_GAP) * cell
    for first in range(0, n_bits, in_line):
        size = _NUMBER_PT * scale
        middle = top + (1 + _BETWEEN / 2) * cell + 0.35 * size * MM_PER_POINT
        right = box.x + gutter - 0.8 * scale
        page.text(right, middle, str(first + 1), size, colour=GREY, side="right", name=f"bits-{first + 1}")
        for bit in range(first, min(first + in_line, n_bits)):
            where = Box(box.x + gutter + (bit - first) * cell, top, cell, (2 + _BETWEEN) * cell)
            _draw_bit(page, where, float(bits.query[bit]), float(bits.item[bit]), name=f"bit{bit}")
        top += step
    return top - _LINE_GAP * cell


def _write(page: Page, text: str, box: Box) -> float:
    size = NOTE_PT * page.scale
    line = line_height_mm(size)
    lines = wrap(text, size, box.width, most_lines=_MOST_LINES)
    for place, words in enumerate(lines):
        page.text(box.x, box.y + (place + 0.8) * line, words, size, colour=GREY, name=f"bits-told{place}")
    return box.y + len(lines) * line


def _draw_bit(page: Page, box: Box, query: float, item: float, *, name: str) -> None:
    if (query >= 0) == (item >= 0):
        inset = 0.06 * box.width
        ground = Box(box.x + inset, box.y, box.width - 2 * inset, box.height)
        page.rectangle(ground, face=_AGREE, name=f"{name}-agrees")
    else:
        size = 0.62 * box.width / MM_PER_POINT
        middle = box.y + box.height / 2 + 0.31 * size * MM_PER_POINT
        page.text(
            box.x + box.width / 2, middle, "\N{MULTIPLICATION SIGN}", size, side="center", name=f"{name}-differs"
        )
    _draw_mark(page, box.x, box.y, box.width, query, name=f"{name}-query")
    _draw_mark(page, box.x, box.bottom - box.width, box.width, item, name=f"{name}-item")


def _draw_mark(page: Page, x: float, y: float, cell: float, value: float, *, name: str) -> None:
    edge = cell * (_SMALLEST_MARK + (_LARGEST_MARK - _SMALLEST_MARK) * min(1.0, abs(value)))
    mark = Box(x + (cell - edge) / 2, y + (cell - edge) / 2, edge, edge)
    if value >= 0:
        page.rectangle(mark, face="black", name=name)
    else:
        half_line = _PEN_PT * page.scale * MM_PER_POINT / 2
        page.rectangle(mark.grown(-half_line), edge="black", line_pt=_PEN_PT, name=name)

"""What the colours of a layer mean: a bar with the real values, or the classes with their share of the picture."""

import math

from explorer.figures.lettering import line_height_mm, shorten, wrap
from explorer.figures.page import Box, Page
from explorer.overlays import (
    AnyOverlay,
    ClassOverlay,
    HeatOverlay,
    LegendRow,
    RegionOverlay,
    Style,
    bar_colours,
    heat_range,
    legend_rows,
    region_cover_range,
    region_strokes,
)

LABEL_PT = 6.0

_BAR_MM = 1.8
_TICK_MM = 0.6
_PATCH_MM = 1.9
_PATCH_GAP_MM = 0.9
_COLUMN_GAP_MM = 2.0
_NARROWEST_COLUMN_MM = 21.0
_MOST_CLASSES = 8
_MOST_LINES_TOLD = 3
_LINE_COLOUR = (0.4, 0.4, 0.4)
_TEXT_COLOUR = (0.2, 0.2, 0.2)


def legend_height(page: Page, overlay: AnyOverlay, width: float) -> float:
    """How much room the legend needs below a picture, in millimetres."""
    line = line_height_mm(LABEL_PT * page.scale)
    if isinstance(overlay, ClassOverlay):
        rows = legend_rows(overlay)[:_MOST_CLASSES]
        return max(1, math.ceil(len(rows) / _n_columns(page, width))) * line
    return (_BAR_MM + _TICK_MM) * page.scale + line * (1 + len(_lines_told(page, overlay, width)))


def draw_legend(page: Page, x: float, y: float, width: float, overlay: AnyOverlay) -> None:
    """Draw the legend with its upper left corner here."""
    if isinstance(overlay, ClassOverlay):
        _draw_classes(page, x, y, width, overlay)
    else:
        _draw_bar(page, x, y, width, overlay)


def value_labels(low: float, high: float) -> tuple[str, ...]:
    """Lowest, middle and highest value, with as many digits as tell them apart; one if they are the same."""
    span = high - low
    if not span > 0:
        return (f"{low:.2g} everywhere",)
    values = (low, low + span / 2, high)
    n_digits = 1 - math.floor(math.log10(span))
    if not -4 <= n_digits <= 5:
        return tuple("0" if abs(value) < span / 1000 else _with_exponent(value) for value in values)
    return tuple(number(value, max(0, n_digits)) for value in values)


def number(value: float, n_digits: int, *, plus: str = "") -> str:
    """A number with a real minus sign (or ``plus`` before positive ones), and none before a zero."""
    text = f"{abs(value):.{n_digits}f}"
    if not text.strip("0."):
        return text
    return ("\N{MINUS SIGN}" if value < 0 else plus) + text


def _with_exponent(value: float) -> str:
    factor, _, exponent = f"{value:.1e}".partition("e")
    return f"{number(float(factor), 1)}\N{MULTIPLICATION SIGN}10{str(int(exponent)).translate(_RAISED)}"


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _range(overlay: HeatOverlay | RegionOverlay) -> tuple[float, float]:
    if isinstance(overlay, RegionOverlay) and overlay.style is Style.COVER:
        return region_cover_range(overlay)
    return heat_range(overlay)


def _draw_bar(page: Page, x: float, y: float, width: float, overlay: HeatOverlay | RegionOverlay) -> None:
    scale, size = page.scale, LABEL_PT * page.scale
    bar = Box(x, y, width, _BAR_MM * scale)
    low, high = _range(overlay)
    labels = value_labels(low, high)
    base = bar.bottom + _TICK_MM * scale + 0.85 * line_height_mm(size) * 0.8
    line = line_height_mm(size)
    for place, words in enumerate(_lines_told(page, overlay, width), start=1):
        page.text(x, base + place * line, words, size, colour=_TEXT_COLOUR, name=f"told-{overlay.name}-{place}")
    if len(labels) == 1:
        page.text(x, base, labels[0], size, colour=_TEXT_COLOUR)
        return
    page.image(bar, bar_colours(overlay)[None].astype("float32") / 255, name=f"bar-{overlay.name}")
    page.rectangle(bar, edge=_LINE_COLOUR, line_pt=0.4)
    for part, label, side in zip((0.0, 0.5, 1.0), labels, ("left", "center", "right"), strict=True):
        at = x + part * width
        page.rectangle(Box(at, bar.bottom, 0.0, _TICK_MM * scale), edge=_LINE_COLOUR, line_pt=0.4)
        page.text(at, base, label, size, colour=_TEXT_COLOUR, side=side)  # type: ignore[arg-type]


def _lines_told(page: Page, overlay: HeatOverlay | RegionOverlay, width: float) -> list[str]:
    """What numbers and dashes of boxes mean."""
    if not isinstance(overlay, RegionOverlay) or overlay.style is Style.COVER:
        return []
    told = ["Number 1: the most dominant region." if overlay.numbered else ""]
    told += ["Dashed: lowers the similarity." if any(stroke.negative for stroke in region_strokes(overlay)) else ""]
    return wrap(" ".join(filter(None, told)), LABEL_PT * page.scale, width, most_lines=_MOST_LINES_TOLD)


def _n_columns(page: Page, width: float) -> int:
    return max(1, int((width + _COLUMN_GAP_MM) / (_NARROWEST_COLUMN_MM * page.scale + _COLUMN_GAP_MM)))


def _draw_classes(page: Page, x: float, y: float, width: float, overlay: ClassOverlay) -> None:
    size = LABEL_PT * page.scale
    line = line_height_mm(size)
    rows = legend_rows(overlay)[:_MOST_CLASSES]
    if not rows:
        page.text(x, y + 0.75 * line, "none of its classes", size, colour=_TEXT_COLOUR)
    n_columns = _n_columns(page, width)
    column = (width - (n_columns - 1) * _COLUMN_GAP_MM) / n_columns
    n_lines = math.ceil(len(rows) / n_columns)
    for place, row in enumerate(rows):
        across, down = divmod(place, n_lines)
        left, top = x + across * (column + _COLUMN_GAP_MM), y + down * line
        _draw_class(page, Box(left, top, column, line), row, size)


def _draw_class(page: Page, box: Box, row: LegendRow, size: float) -> None:
    side = _PATCH_MM * page.scale
    red, green, blue = (part / 255 for part in row.colour)
    patch = Box(box.x, box.y + (box.height - side) / 2, side, side)
    face = (red, green, blue) if row.visible else "none"
    page.rectangle(patch, face=face, edge=(red, green, blue), line_pt=0.4, name=f"class-{row.class_id}")
    gap = _PATCH_GAP_MM * page.scale
    share = f"  {row.share:.0%}" if row.share >= 0.005 else "  <1%"
    text = shorten(row.name, size, box.width - side - gap - 6.5 * page.scale) + share
    page.text(patch.right + gap, box.y + 0.75 * box.height, text, size, colour=_TEXT_COLOUR)

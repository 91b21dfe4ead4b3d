"""From a specification and results to a page."""

from explorer.figures.content import FigureContent
from explorer.figures.grid import draw_grid
from explorer.figures.page import MM_PER_INCH, Page
from explorer.figures.panels import draw_panels, draw_shown
from explorer.figures.saving import check_pixels
from explorer.protocol import FigureSpec

_SMALLEST_PX, _LARGEST_PX = 64, 6000
_LEAST_SHARE = 0.3
"""Of the square of its longer edge a picture has more than this, apart from panoramas."""


def draw_figure(spec: FigureSpec, content: FigureContent, *, known: tuple[str, ...] = ()) -> Page:
    """Lay out a figure.

    ``known``: layers that the model may have; one that a picture lacks is then left out of it instead of refused.

    Raises
    ------
    ConfigError
        A layer, a class, a place or a word is asked for that there is not.
    """
    draw = {"panels": draw_panels, "shown": draw_shown, "grid": draw_grid}[spec.kind]
    return draw(spec, content, known=known)


def check_number(spec: FigureSpec) -> None:
    """Refuse a figure of more pictures than anybody prints before they are read.

    Raises:
        ConfigError: the pictures alone have more pixels than a figure may have.
    """
    n_results = len(spec.item_ids) if spec.kind == "grid" else 1
    check_pixels(n_results * _LEAST_SHARE * picture_edge_px(spec) ** 2)


def picture_edge_px(spec: FigureSpec) -> int:
    """How many pixels the longer edge of a picture can need in this figure."""
    width_mm = spec.width_mm / spec.columns if spec.kind == "grid" else spec.width_mm
    return min(_LARGEST_PX, max(_SMALLEST_PX, round(width_mm / MM_PER_INCH * spec.dpi)))

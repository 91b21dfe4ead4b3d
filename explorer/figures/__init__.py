"""Figures of results, for papers: what is shown, as a file of a chosen size that can be made again.

::

    protocol.FigureSpec + FigureContent -> draw_figure -> Page          layout, in millimetres
    Page                                -> page_bytes  -> PNG, SVG, PDF matplotlib without its global state
    FigureRecipe                        -> TOML        -> FigureRecipe  how the figure is made again
    CurvesSpec                          -> draw_curves -> RGBA pixels   curves of training runs, live in the window
    CurvesSpec                          -> write_curves -> PNG, SVG, PDF

Text and boxes stay text and boxes in SVG and PDF; pictures and maps over them are pixels at the chosen resolution.
The same specification of the same results gives the same bytes, with the same version of the program and its parts.
"""

from explorer.figures.content import FigureContent, ShownResult
from explorer.figures.drawing import check_number, draw_figure, picture_edge_px
from explorer.figures.page import Page
from explorer.figures.saving import FORMATS, page_bytes, write_whole

__all__ = [
    "FORMATS", "FigureContent", "Page", "ShownResult", "check_number", "draw_figure", "page_bytes", "picture_edge_px",
    "write_whole",
]

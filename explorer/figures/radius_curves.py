"""Precision and recall by radius as a figure: a row of panels for each source of labels, a panel for each direction."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from explorer.evaluation.hashing_report import HashingReport
from explorer.evaluation.hashing_tables import codes_named
from explorer.figures.lettering import font_families
from explorer.figures.page import MM_PER_INCH
from explorer.figures.saving import figure_bytes

WIDTH_MM = 180.0
"""Two columns of a journal."""

_PANEL_MM = 47.0
_LEGEND_LINE_MM = 4.2
_LEGEND_COLUMNS = 3
_TEXT_PT = 6.5
_TITLE_PT = 7.5
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's, which differ for every kind of colour vision; their yellow is too pale for a line."""
_STYLES = ("-", "--", "-.", (0, (1, 1)))
_GREY = "0.5"
_LOOKS = {
    "font.size": _TEXT_PT,
    "axes.titlesize": _TITLE_PT,
    "axes.labelsize": _TEXT_PT,
    "axes.linewidth": 0.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.linewidth": 0.3,
    "grid.color": "0.88",
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.5,
    "xtick.major.size": 2.0,
    "ytick.major.size": 2.0,
}

Look = Mapping[str, Any]


def curves_bytes(reports: Sequence[HashingReport], file_format: str, dpi: int) -> bytes:
    """The figure of :func:`draw_curves` as a PNG, SVG or PDF, the same bytes for the same reports.

    Raises
    ------
    ValueError
        the format is none of these.
    """
    return figure_bytes(lambda: draw_curves(reports, dpi=dpi), file_format, dpi)


def draw_curves(reports: Sequence[HashingReport], *, dpi: int) -> Figure:
    """Precision over recall of each report's codes, a point for each radius, and the level that random codes keep.

    Parameters
    ----------
    reports
        at least one.
    dpi
        pixels an inch, where the figure becomes pixels.
    """
    sources = list(dict.fromkeys(report.judged_by for report in reports))
    directions = tuple(reports[0].directions)
    looks = _looks(reports)
    n_lines = -(-(len(looks) + 1) // _LEGEND_COLUMNS)
    height_mm = len(sources) * _PANEL_MM + (n_lines + 1) * _LEGEND_LINE_MM
    with matplotlib.rc_context({**_LOOKS, "font.family": list(font_families())}):
        size = (WIDTH_MM / MM_PER_INCH, height_mm / MM_PER_INCH)
        figure = Figure(figsize=size, dpi=dpi, facecolor="white", layout="constrained")
        FigureCanvasAgg(figure)
        rows = figure.subplots(len(sources), len(directions), sharex=True, sharey="row", squeeze=False)
        for row, source in zip(rows, sources, strict=True):
            own = [report for report in reports if report.judged_by == source]
            for axes, direction in zip(row, directions, strict=True):
                _draw_panel(axes, own, direction, looks)
            row[0].set_ylabel("precision" if len(sources) == 1 else f"precision by {_short(source)}")
        for upper, lower, direction in zip(rows[0], rows[-1], directions, strict=True):
            upper.set_title(direction.replace("_", " "))
            lower.set_xlabel("recall")
        handles, names = rows[0][0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=_LEGEND_COLUMNS, frameon=False)
    return figure


def _draw_panel(axes: Axes, reports: Sequence[HashingReport], direction: str, looks: Mapping[str, Look]) -> None:
    for report in reports:
        curve, name = report.directions[direction].curve, _line_named(report)
        some = ~np.isnan(curve.precision)
        axes.plot(curve.recall[some], curve.precision[some], label=name, markersize=1.6, linewidth=0.9, **looks[name])
    # Without regard to what is asked, any part of the gallery has the share of relevant items that all of it has.
    chance = reports[0].directions[direction].curve.precision[-1]
    axes.axhline(chance, color=_GREY, linewidth=0.7, linestyle=(0, (4, 2)), label="random codes")
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.grid(visible=True)


def _looks(reports: Sequence[HashingReport]) -> dict[str, Look]:
    """How each line looks: a colour for each model and way to make codes, a style for each length."""
    colours = dict(zip(dict.fromkeys(map(codes_named, reports)), cycle(_COLOURS), strict=False))
    styles = dict(zip(sorted({report.n_bits for report in reports}, reverse=True), cycle(_STYLES), strict=False))
    return {
        _line_named(report): {
            "color": colours[codes_named(report)], "linestyle": styles[report.n_bits], "marker": "o",
        }
        for report in reports
    }  # fmt: skip


def _line_named(report: HashingReport) -> str:
    return f"{codes_named(report)}, {report.n_bits} bits"


def _short(source: str) -> str:
    return source.replace("\\", "/").rsplit("/", 1)[-1]

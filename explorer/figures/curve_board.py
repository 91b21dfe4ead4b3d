"""A board that curves are drawn on again and again; its axes, lines and legend stay."""

from dataclasses import dataclass
from itertools import cycle, zip_longest
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.text import Text

from explorer.figures.curve_scales import Scale, linear_ticks, tick_text, value_limits, value_ticks
from explorer.figures.curve_spec import CurvesSpec
from explorer.figures.lettering import ELLIPSIS, MM_PER_POINT, font_families, letters_without_glyphs, width_mm
from explorer.runs.series import smoothed

_POINTS_PER_INCH = 72
"""So that a point is a pixel of the window."""

_ON_LIGHT = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#B07800", "#3A97CC", "#555555")
_ON_DARK = ("#56B4E9", "#F0803C", "#35C79A", "#E79AC6", "#E6B422", "#9FA8FF", "#C8C8C8")
"""Okabe and Ito's, which differ for every kind of colour vision, darkened or lightened until each stands out from the
ground by 3 : 1 at least."""

_DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))
_PALE = 0.28
_RAW_EM, _LINE_EM, _SAMPLE_EM = 0.09, 0.155, 0.2
"""Widths of lines as shares of the letters' size, so that small figures are not heavy."""
_FEW_POINTS = 40
_FEWEST_SMOOTHED = 8
_FEWEST_SPANS = 8
_NOWHERE: Any = (0.0, 1.0, "", 0.0, 0.0, "center", "top")
_SAMPLE_PX = 18.0
_GAP_PX = 14.0


@dataclass(frozen=True, slots=True)
class _Stroke:
    colour: str
    dash: Any


@dataclass(frozen=True, slots=True)
class PlotBox:
    """Inside the axes, in the window's own pixels from the top left; ``last_step``: where the steps, from 0, end."""

    left_px: float
    top_px: float
    width_px: float
    height_px: float
    last_step: float


class CurveBoard:
    """The board for one look of :class:`CurvesSpec` and one scale. Not for two threads at a time.

    Legend and names of axes are drawn once; lines and numbers are drawn over them each time. Numbers and grid are the
    board's own, because matplotlib's axes take half of the time that such a picture takes.
    """

    def __init__(self, spec: CurvesSpec, scale: Scale) -> None:
        self._scale = scale
        self._strokes = _strokes(spec)
        size_in = (spec.width_px / _POINTS_PER_INCH, spec.height_px / _POINTS_PER_INCH)
        self._figure = Figure(figsize=size_in, dpi=_POINTS_PER_INCH * spec.ratio, facecolor=spec.theme.background)
        self._canvas = FigureCanvasAgg(self._figure)
        self._font = FontProperties(family=list(font_families()), size=spec.text_px)
        legend_px = self._add_legend(spec) if spec.legend else 0.0
        self._add_axes(spec, legend_px)
        thin, thick = spec.text_px * _RAW_EM, spec.text_px * _LINE_EM
        self._raw = [self._add_line(stroke, thin, _PALE, 2.0) for stroke in self._strokes]
        self._lines = [self._add_line(stroke, thick, 1.0, 3.0) for stroke in self._strokes]
        self._marks = [self._add_mark(spec) for _ in spec.marks]
        self._numbers: list[Text] = []
        self._empty: Any = None

    def pixels(self, spec: CurvesSpec) -> np.ndarray:
        """The curves, RGBA, uint8 (h, w, 4)."""
        with letters_without_glyphs():
            self.to_figure(spec)
            if self._empty is None:
                self._canvas.draw()  # leaves out what is animated
                self._empty = self._canvas.copy_from_bbox(self._figure.bbox)
            self._canvas.restore_region(self._empty)
            for artist in sorted(self._axes.get_children(), key=Artist.get_zorder):
                if artist.get_animated() and artist.get_visible():
                    self._figure.draw_artist(artist)
        return np.array(self._canvas.buffer_rgba())

    def plot_box(self, spec: CurvesSpec) -> PlotBox:
        """Where the axes lie in the picture that was drawn last."""
        box = self._axes.get_position()
        return PlotBox(
            left_px=box.x0 * spec.width_px, top_px=(1.0 - box.y1) * spec.height_px, width_px=box.width * spec.width_px,
            height_px=box.height * spec.height_px, last_step=self._axes.get_xlim()[1],
        )  # fmt: skip

    def to_figure(self, spec: CurvesSpec) -> Figure:
        """The board with these curves on it."""
        shown = []
        for curve, raw, line in zip(spec.curves, self._raw, self._lines, strict=True):
            steps, values = np.asarray(curve.steps), np.asarray(curve.values, np.float64)
            values = np.where(np.isfinite(values), values, np.nan)
            smooth = spec.smoothing > 1.0 and len(values) >= _FEWEST_SMOOTHED
            raw.set_data(steps, values) if smooth else raw.set_data([], [])
            # An average over most of the points there are would only lag behind them.
            span = min(spec.smoothing, len(values) / _FEWEST_SPANS)
            line.set_data(steps, smoothed(values, span) if smooth else values)
            line.set_marker("o" if len(values) <= _FEW_POINTS and not smooth else "")
            shown.append(values)
        self._set_axes(spec, shown)
        for (line, word), (step, text) in zip(self._marks, spec.marks, strict=True):
            line.set_xdata([step, step])
            word.set_text(text)
            word.set_x(step)
        return self._figure

    def _add_axes(self, spec: CurvesSpec, legend_px: float) -> None:
        em = spec.text_px
        left = 4.2 * em + (1.5 * em if spec.y_label else 0.0)
        bottom = 1.9 * em + (1.4 * em if spec.x_label else 0.0)
        right, top = 2.2 * em, (1.5 if spec.marks else 0.8) * em + legend_px
        width, height = max(spec.width_px - left - right, 1.0), max(spec.height_px - bottom - top, 1.0)
        self._n_ticks = max(2, int(width / (7.0 * em))), max(2, int(height / (2.2 * em)))
        axes = self._figure.add_axes(
            (left / spec.width_px, bottom / spec.height_px, width / spec.width_px, height / spec.height_px)
        )
        axes.set_yscale(self._scale.kind, **({"linthresh": self._scale.linear_to} if self._scale.linear_to else {}))
        axes.set_axis_off()
        axes.set_autoscale_on(False)
        self._axes = axes
        self._grid = self._add_to_axes(Line2D([], [], color=spec.theme.grid, linewidth=0.07 * em, zorder=0.5))
        box = axes.get_position()
        ground = Line2D([box.x0, box.x1], [box.y0, box.y0], color=spec.theme.grid, linewidth=0.09 * em)
        self._figure.add_artist(ground)
        text: dict[str, Any] = {"fontproperties": self._font, "color": spec.theme.text}
        middle = (bottom + height / 2) / spec.height_px
        self._figure.text(0.5 * em / spec.width_px, middle, spec.y_label, rotation=90, ha="left", va="center", **text)
        across = (left + width / 2) / spec.width_px
        self._figure.text(across, 0.4 * em / spec.height_px, spec.x_label, ha="center", va="bottom", **text)

    def _set_axes(self, spec: CurvesSpec, values: list[np.ndarray]) -> None:
        low, high = value_limits(values, self._scale)
        last = max((float(curve.steps[-1]) for curve in spec.curves if len(curve.steps)), default=1.0)
        last = max(last, spec.x_max or 0.0, 1.0)
        self._axes.set(xlim=(0.0, last), ylim=(low, high))
        across, up = self._n_ticks
        below, beside = linear_ticks(0.0, last, across, whole=True), value_ticks(low, high, self._scale, up)
        self._grid.set_data([0.0, last, np.nan] * len(beside), np.repeat(beside, 3))
        while len(self._numbers) < len(below) + len(beside):
            self._numbers.append(self._axes.text(0.0, 0.0, "", fontproperties=self._font, animated=True))
        pad = 0.4 * spec.text_px
        places = [(x, low, tick_text(x), 0.0, -pad, "center", "top") for x in below]
        places += [(0.0, y, tick_text(y), -pad, 0.0, "right", "center_baseline") for y in beside]
        to_figure = self._axes.transData + self._figure.transFigure.inverted()
        for number, (x, y, text, right_px, up_px, ha, va) in zip_longest(self._numbers, places, fillvalue=_NOWHERE):
            across_1, up_1 = to_figure.transform((x, y))
            number.set(
                visible=bool(text), text=text, x=across_1 + right_px / spec.width_px, y=up_1 + up_px / spec.height_px,
                transform=self._figure.transFigure, ha=ha, va=va, color=spec.theme.text,
            )  # fmt: skip

    def _add_to_axes(self, line: Line2D) -> Line2D:
        """A line that is drawn each time. Axes' own methods would fit limits to it."""
        line.set_animated(True)
        self._axes.add_artist(line)
        line.set_clip_on(False)
        return line

    def _add_line(self, stroke: _Stroke, width: float, alpha: float, order: float) -> Line2D:
        line = Line2D(
            [], [], color=stroke.colour, linestyle=stroke.dash, linewidth=width, alpha=alpha, zorder=order,
            solid_capstyle="round", markersize=2.2 * width,
        )  # fmt: skip
        return self._add_to_axes(line)

    def _add_mark(self, spec: CurvesSpec) -> tuple[Line2D, Text]:
        along = self._axes.get_xaxis_transform()
        dashes: Any = (0, (2, 2))
        line = Line2D(
            [0.0, 0.0], [0.0, 1.0], color=spec.theme.text, linewidth=0.8, alpha=0.5, linestyle=dashes, zorder=1,
            transform=along,
        )  # fmt: skip
        word = self._axes.text(
            0.0, 1.01, "", transform=along, fontproperties=self._font, ha="center", va="bottom",
            color=spec.theme.text, alpha=0.75, animated=True,
        )  # fmt: skip
        return self._add_to_axes(line), word

    def _add_legend(self, spec: CurvesSpec) -> float:
        """Samples and names in rows from the top left; how high they are."""
        em = spec.text_px
        entries = _entries(spec, self._strokes)
        if not entries:
            return 0.0
        x, row = em, 0
        for name, stroke in entries:
            text = _cut(name, em, spec.width_px - 2 * em - _SAMPLE_PX)
            width = _SAMPLE_PX + 0.5 * em + _width_px(text, em)
            if x > em and x + width > spec.width_px - em:
                x, row = em, row + 1
            y = 1.0 - (1.1 + 1.5 * row) * em / spec.height_px
            start, end = x / spec.width_px, (x + _SAMPLE_PX) / spec.width_px
            self._figure.add_artist(
                Line2D([start, end], [y, y], color=stroke.colour, linestyle=stroke.dash, linewidth=_SAMPLE_EM * em)
            )
            self._figure.text(
                end + 0.5 * em / spec.width_px, y, text, fontproperties=self._font, color=spec.theme.text, ha="left",
                va="center_baseline",
            )  # fmt: skip
            x += width + _GAP_PX
        return (row + 1) * 1.5 * em + 0.4 * em


def _strokes(spec: CurvesSpec) -> list[_Stroke]:
    """How each curve is drawn."""
    colours = _ON_DARK if _is_dark(spec.theme.background) else _ON_LIGHT
    names, runs = spec.names, spec.runs
    both = len(names) > 1 and len(runs) > 1
    told_apart = names if both or len(runs) == 1 else runs
    # A dash more each time the colours begin anew, so that the eighth differs from the first.
    rounds = {key: (colours[n % len(colours)], n // len(colours)) for n, key in enumerate(told_apart)}
    dashes = dict(zip(runs, cycle(_DASHES), strict=False))
    strokes = []
    for curve in spec.curves:
        colour, turn = rounds[curve.name if told_apart is names else curve.run]
        strokes.append(_Stroke(colour, dashes[curve.run] if both else _DASHES[turn % len(_DASHES)]))
    return strokes


def _entries(spec: CurvesSpec, strokes: list[_Stroke]) -> list[tuple[str, _Stroke]]:
    """What the legend names: each colour, and each dash where it stands for a run."""
    names, runs = spec.names, spec.runs
    if len(names) > 1 and len(runs) > 1:
        drawn = list(zip(spec.curves, strokes, strict=True))
        by_name = {curve.name: _Stroke(stroke.colour, "-") for curve, stroke in drawn}
        by_run = {curve.run: _Stroke(spec.theme.text, stroke.dash) for curve, stroke in drawn}
        return [*by_name.items(), *by_run.items()]
    of_runs = len(runs) > 1
    return [(curve.run if of_runs else curve.name, stroke) for curve, stroke in zip(spec.curves, strokes, strict=True)]


def _is_dark(colour: str) -> bool:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 128


def _width_px(text: str, size_px: float) -> float:
    return width_mm(text, size_px) / MM_PER_POINT


def _cut(text: str, size_px: float, room_px: float) -> str:
    """The text, its end left out where there is no room for it."""
    if _width_px(text, size_px) <= room_px:
        return text
    kept = len(text)
    while kept > 1 and _width_px(text[:kept] + ELLIPSIS, size_px) > room_px:
        kept -= 1
    return text[:kept].rstrip() + ELLIPSIS

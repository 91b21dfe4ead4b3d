"""A board that curves are drawn on again and again; its axes, lines and legend stay."""

from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D

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
    """The board for one look of :class:`CurvesSpec` and one scale. Not for two threads at a time."""

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

    def pixels(self, spec: CurvesSpec) -> np.ndarray:
        """The curves, RGBA, uint8 (h, w, 4)."""
        with letters_without_glyphs():
            self.to_figure(spec)
            self._canvas.draw()
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
            line.set_data(steps, smoothed(values, spec.smoothing) if smooth else values)
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
        axes.set_facecolor(spec.theme.background)
        axes.set_yscale(self._scale.kind, **({"linthresh": self._scale.linear_to} if self._scale.linear_to else {}))
        axes.minorticks_off()
        for side, spine in axes.spines.items():
            spine.set_visible(side == "bottom")
            spine.set(color=spec.theme.grid, linewidth=1.0)
        axes.tick_params(length=0, pad=0.4 * em, labelcolor=spec.theme.text)
        axes.grid(visible=True, axis="y", color=spec.theme.grid, linewidth=0.7)
        axes.set_axisbelow(True)
        text: dict[str, Any] = {"fontproperties": self._font, "color": spec.theme.text}
        middle = (bottom + height / 2) / spec.height_px
        self._figure.text(0.5 * em / spec.width_px, middle, spec.y_label, rotation=90, ha="left", va="center", **text)
        across = (left + width / 2) / spec.width_px
        self._figure.text(across, 0.4 * em / spec.height_px, spec.x_label, ha="center", va="bottom", **text)
        self._axes = axes

    def _set_axes(self, spec: CurvesSpec, values: list[np.ndarray]) -> None:
        low, high = value_limits(values, self._scale)
        last = max((float(curve.steps[-1]) for curve in spec.curves if len(curve.steps)), default=1.0)
        last = max(last, spec.x_max or 0.0, 1.0)
        self._axes.set(xlim=(0.0, last), ylim=(low, high))
        across, up = self._n_ticks
        for axis, ticks in (
            (self._axes.xaxis, linear_ticks(0.0, last, across, whole=True)),
            (self._axes.yaxis, value_ticks(low, high, self._scale, up)),
        ):
            axis.set_ticks(ticks, [tick_text(tick) for tick in ticks], fontproperties=self._font)

    def _add_line(self, stroke: _Stroke, width: float, alpha: float, order: float) -> Line2D:
        (line,) = self._axes.plot(
            [], [], color=stroke.colour, linestyle=stroke.dash, linewidth=width, alpha=alpha, zorder=order,
            solid_capstyle="round", markersize=2.2 * width, clip_on=False,
        )  # fmt: skip
        return line

    def _add_mark(self, spec: CurvesSpec) -> tuple[Any, Any]:
        line = self._axes.axvline(0.0, color=spec.theme.text, linewidth=0.8, alpha=0.5, linestyle=(0, (2, 2)), zorder=1)
        word = self._axes.text(
            0.0, 1.01, "", transform=self._axes.get_xaxis_transform(), fontproperties=self._font, ha="center",
            va="bottom", color=spec.theme.text, alpha=0.75,
        )  # fmt: skip
        return line, word

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

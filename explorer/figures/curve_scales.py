"""Axes of curves: which scale, from where to where, and which numbers stand there."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.ticker import MaxNLocator

from explorer.figures.curve_spec import CurvesSpec

_MARGIN = 0.05
_FEWEST_TICKS = 3
_SYMLOG_FROM = 100.0
_MOST_DECADES = 6


@dataclass(frozen=True, slots=True)
class Scale:
    """``kind``: linear, log or symlog; ``linear_to``: up to which size symlog is linear, a power of ten."""

    kind: str
    linear_to: float = 0.0


def value_scale(spec: CurvesSpec) -> Scale:
    """The scale of the values: see :class:`CurvesSpec`."""
    if not spec.log:
        return Scale("linear")
    sizes = [np.abs(curve.values[np.isfinite(curve.values)]) for curve in spec.curves]
    sizes = [size[size > 0.0] for size in sizes]
    if not any(len(size) for size in sizes):
        return Scale("linear")
    if not any((curve.values <= 0.0).any() for curve in spec.curves):
        return Scale("log")
    largest = max(float(size.max()) for size in sizes if len(size))
    smallest = min(float(size.min()) for size in sizes if len(size))
    if largest / smallest <= _SYMLOG_FROM:
        return Scale("linear")
    return Scale("symlog", 10.0 ** math.floor(math.log10(largest) - 2.0))


def value_limits(values: Sequence[np.ndarray], scale: Scale) -> tuple[float, float]:
    """From where to where the values go, with some room at both ends."""
    finite = [some[np.isfinite(some)] for some in values]
    finite = [some for some in finite if len(some)]
    if not finite:
        return (0.1, 1.0) if scale.kind == "log" else (0.0, 1.0)
    low = min(float(some.min()) for some in finite)
    high = max(float(some.max()) for some in finite)
    if scale.kind == "log":
        room = max((high / low) ** _MARGIN, 1.02)
        return low / room, high * room
    room = (high - low) * _MARGIN or max(abs(high) * _MARGIN, 1e-6)
    return low - room, high + room


def value_ticks(low: float, high: float, scale: Scale, n_most: int) -> list[float]:
    """Where numbers stand between these limits."""
    if scale.kind == "symlog":
        return _symlog_ticks(low, high, scale.linear_to)
    if scale.kind == "log":
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        decades = [10.0**power for power in range(first, last + 1)]
        every = max(1, math.ceil(len(decades) / max(2, min(n_most, _MOST_DECADES))))
        for ticks in (decades[::every], [tick * part for tick in decades for part in (1, 2, 5)]):
            inside = [tick for tick in ticks if low <= tick <= high]
            if len(inside) >= _FEWEST_TICKS:
                return inside
    return linear_ticks(low, high, n_most)


def linear_ticks(low: float, high: float, n_most: int, *, whole: bool = False) -> list[float]:
    """Round numbers between these limits."""
    ticks = MaxNLocator(max(2, n_most), integer=whole, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return [float(tick) for tick in ticks if low <= tick <= high]


def tick_text(value: float) -> str:
    """A number on an axis, short: 0.001, 12,000, 1.5M, 2e-6."""
    size = abs(value)
    if size >= 1e6:
        return f"{value / 1e6:g}M"
    if size >= 1_000.0:
        return f"{value:,g}" if value != round(value) else f"{value:,.0f}"
    if 0.0 < size < 1e-3:
        digits, power = f"{value:.3e}".split("e")
        return f"{float(digits):g}e{int(power)}"
    return f"{value:.6g}"


def _symlog_ticks(low: float, high: float, linear_to: float) -> list[float]:
    powers = [linear_to * 10.0**power for power in range(5)]
    return [tick for tick in (*(-power for power in reversed(powers)), 0.0, *powers) if low <= tick <= high]

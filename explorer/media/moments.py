"""Which moments of a stretch of video its frames are taken from.

Evenly spread: the centres of n equal parts. While a video is read for the first time nobody knows yet where a shot will
end, so the moments of a shot lie on a lattice from its first frame, coarser for longer shots: what is to be kept of a
shot is then known as it goes by, is bounded, and any later reading of the same stretch takes exactly the same frames.
"""

import math

import numpy as np

LONGEST_TAKE_S = 20.0
"""Longer takes are cut into windows."""

WINDOW_S = 10.0
"""The longest of these windows."""

TOLERANCE_S = 1e-3
"""A frame this much later than a moment counts as shown at it: times are rounded, in containers and on the way."""

PICTURE_STEP_S = 1 / 4
"""Thumbnails are taken from moments this far apart, counted from the beginning of a take."""

_FINEST_S = 1 / 32
# Length of a stretch up to which the lattice has this step.
_STEPS_S = ((2.0, _FINEST_S), (4.0, 2 * _FINEST_S), (LONGEST_TAKE_S + TOLERANCE_S, 4 * _FINEST_S))
# Windows begin on both lattices, and the shortest window has the step that the whole take has.
assert WINDOW_S % PICTURE_STEP_S == PICTURE_STEP_S % _STEPS_S[-1][1] == 0
assert _STEPS_S[-2][0] < WINDOW_S / 2 - PICTURE_STEP_S


def lattice_step_s(length_s: float) -> float | None:
    """Step of the lattice of a stretch of this length; None where there is no lattice, because it is too long."""
    return next((step for longest, step in _STEPS_S if length_s <= longest), None)


def moments(start_s: float, end_s: float, n: int) -> np.ndarray:
    """The moments of n frames evenly spread over a stretch, ascending; float64 (n,), in seconds of the video."""
    length_s = max(0.0, end_s - start_s)
    centres = (np.arange(n) + 0.5) * (length_s / n)
    step = lattice_step_s(length_s)
    if step is None:
        return start_s + centres
    last = max(0, math.floor((length_s - 2 * TOLERANCE_S) / step))  # never the first frame of what comes next
    return np.asarray(start_s + np.minimum(np.floor(centres / step + 0.5), last) * step)


def windows(start_s: float, end_s: float) -> list[tuple[float, float]]:
    """The rest of a take, more than 10 s and at most 20, as two windows."""
    half = round((end_s - start_s) / 2 / PICTURE_STEP_S) * PICTURE_STEP_S
    return [(start_s, start_s + half), (start_s + half, end_s)]

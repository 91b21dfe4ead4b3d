"""Telling shots apart while a video is decoded, and keeping of each what will be wanted of it.

``scenedetect``'s adaptive detector finds cuts from small pictures of the frames; it says so a few frames late, so that
frames wait in a short queue until it has spoken. Of the take that is open, the frames on its lattice
(:mod:`explorer.media.moments`) are kept, already shrunk: at most 160, however long a video is.
"""

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scenedetect.common import FrameTimecode, Timecode
from scenedetect.detectors import AdaptiveDetector

from explorer.media.footage import TimedFrame
from explorer.media.frame_pixels import plain_pixels
from explorer.media.moments import LONGEST_TAKE_S, PICTURE_STEP_S, TOLERANCE_S, WINDOW_S, lattice_step_s, windows

SHORTEST_SHOT_S = 0.5
_LONGEST_STILL_S = WINDOW_S
_EDGE_PX = 160
_TICK = Fraction(1, 1_000_000)


@dataclass(slots=True)
class KeptFrame:
    """A frame of a take, as small as it will be wanted.

    Attributes:
        time_s: when it is shown first.
        squares: side in px to uint8 RGB (side, side, 3).
        picture: uint8 RGB, upright, for a thumbnail; only of some frames.
    """

    time_s: float
    squares: dict[int, np.ndarray]
    picture: np.ndarray | None


@dataclass(frozen=True, slots=True)
class Stretch:
    """A shot that was found, with the frames that were kept of it, in order."""

    start_s: float
    end_s: float
    kept: Sequence[KeptFrame]

    def shown_at(self, time_s: float) -> KeptFrame:
        """What is on the screen at this moment."""
        return self.kept[max(0, bisect_right(self.kept, time_s + TOLERANCE_S, key=lambda frame: frame.time_s) - 1)]


class CutDetector:
    """Where cuts are, a few frames after they went by."""

    def __init__(self, rate_fps: float) -> None:
        self._detector = AdaptiveDetector(min_scene_len=SHORTEST_SHOT_S)
        self._rate = Fraction(rate_fps).limit_denominator(10_000)
        self._size: tuple[int, int] | None = None
        self.n_late = self._detector.event_buffer_length

    def cuts_after(self, timed: TimedFrame) -> set[int]:
        """Times in microseconds at which shots begin, of frames at most ``n_late`` before this one."""
        here = FrameTimecode(Timecode(microseconds(timed.time_s), _TICK), self._rate)
        if self._size is None:  # of the first frame: frames may change their size on the way
            edges = timed.frame.width, timed.frame.height
            width, height = (max(1, round(edge * min(1.0, _EDGE_PX / max(edges)))) for edge in edges)
            self._size = width, height
        pixels = plain_pixels(timed.frame, *self._size)
        return {cut.pts for cut in self._detector.process_frame(here, np.ascontiguousarray(pixels[..., ::-1]))}


def microseconds(time_s: float) -> int:
    """A time as the detector tells it."""
    return round(time_s * 1e6)


class OpenTake:
    """What is kept of the take that is going on; gives windows of it as soon as it is too long for one shot."""

    def __init__(self, start_s: float, shrink: Callable[[TimedFrame, bool], KeptFrame]) -> None:
        self._start_s = start_s
        self._shrink = shrink
        self._kept: list[KeptFrame] = []
        self._newest: TimedFrame | None = None
        self._step_s = lattice_step_s(0.0) or 0.0
        self._was_cut = False

    def add(self, timed: TimedFrame) -> Iterator[Stretch]:
        """The next frame; gives what it completes."""
        if self._newest is not None:
            self._keep_newest(before_s=timed.time_s)
        if timed.time_s - self._start_s > LONGEST_TAKE_S:
            yield self._first_window()
        self._coarsen(timed.time_s - self._start_s)
        self._newest = timed

    def close(self, end_s: float) -> Iterator[Stretch]:
        """The take ends here."""
        if self._newest is not None:
            self._keep_newest(before_s=math.inf)
        length_s = end_s - self._start_s
        spans = [(self._start_s, end_s)]
        is_long = length_s > (WINDOW_S if self._was_cut else LONGEST_TAKE_S) + TOLERANCE_S
        if is_long and len(self._kept) > 1:  # a single picture is one shot, however long it stands
            spans = windows(self._start_s, end_s)
        for start_s, stop_s in spans:
            yield self._stretch(start_s, stop_s)

    def _keep_newest(self, before_s: float) -> None:
        assert self._newest is not None
        first, past = self._slot(self._newest.time_s), self._slot(before_s)
        if first < past:  # else no moment of the lattice lies between it and the next
            # Pictures lie on a lattice of their own, which has its moments in common with every other.
            apart = round(PICTURE_STEP_S / self._step_s)
            wants_picture = past == math.inf or (past - 1) // apart * apart >= first
            self._kept.append(self._shrink(self._newest, wants_picture))
        self._newest = None

    def _slot(self, time_s: float) -> float:
        """Number of the first moment of the lattice at which a frame of this time is on the screen."""
        if time_s == math.inf:
            return math.inf
        return max(0, math.ceil((time_s - TOLERANCE_S - self._start_s) / self._step_s))

    def _coarsen(self, age_s: float) -> None:
        step = lattice_step_s(min(age_s, LONGEST_TAKE_S))
        if step is None or step == self._step_s:
            return
        self._step_s = step
        slots = [self._slot(frame.time_s) for frame in self._kept] + [self._slot(self._start_s + age_s)]
        self._kept = [frame for i, frame in enumerate(self._kept) if slots[i] < slots[i + 1]]

    def _first_window(self) -> Stretch:
        end_s = self._start_s + WINDOW_S
        stretch = self._stretch(self._start_s, end_s)
        first = bisect_right(self._kept, end_s + TOLERANCE_S, key=lambda frame: frame.time_s) - 1
        self._kept = self._kept[max(0, first) :]
        self._start_s, self._was_cut = end_s, True
        return stretch

    def _stretch(self, start_s: float, end_s: float) -> Stretch:
        first = bisect_right(self._kept, start_s + TOLERANCE_S, key=lambda frame: frame.time_s) - 1
        past = bisect_right(self._kept, end_s - TOLERANCE_S, key=lambda frame: frame.time_s)
        first = max(0, first)
        return Stretch(start_s, end_s, self._kept[first : max(past, first + 1)])


def find_takes(
    frames: Iterator[TimedFrame], rate_fps: float, shrink: Callable[[TimedFrame, bool], KeptFrame]
) -> Iterator[Stretch]:
    """The shots of a video as they go by.

    shrink: makes of a frame what is kept of it; the second argument says whether a picture is wanted, too.
    """
    detector = CutDetector(rate_fps)
    waiting: deque[TimedFrame] = deque()
    cuts: set[int] = set()
    take: OpenTake | None = None
    last_s = 0.0

    def settle(timed: TimedFrame) -> Iterator[Stretch]:
        nonlocal take, last_s
        begins = microseconds(timed.time_s) in cuts or timed.time_s - last_s > _LONGEST_STILL_S
        if take is not None and begins:
            cuts.discard(microseconds(timed.time_s))
            yield from take.close(timed.time_s)
            take = None
        if take is None:
            take = OpenTake(timed.time_s, shrink)
        yield from take.add(timed)
        last_s = timed.time_s

    for timed in frames:
        waiting.append(timed)
        cuts |= detector.cuts_after(timed)
        if len(waiting) > detector.n_late:
            yield from settle(waiting.popleft())
    while waiting:
        yield from settle(waiting.popleft())
    if take is not None:
        yield from take.close(last_s + 1 / rate_fps)

"""Frames of any stretch of a video, by as little decoding as its keyframes allow.

Between two wanted frames the decoder either goes on or jumps: it jumps if a keyframe lies far enough ahead of where it
is, which the file's index says. So it never decodes more than going through the file would, nor more than seeking for
every frame would.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from explorer.cancellation import CancellationToken
from explorer.errors import MediaError
from explorer.media.footage import Footage, TimedFrame, open_footage
from explorer.media.frame_pixels import fit_frame, squash_frame
from explorer.media.moments import TOLERANCE_S, moments

# A jump throws away what the decoder's threads have begun, and reads anew.
_FRAMES_A_JUMP_COSTS = 1
NO_FRAME = "Not one frame of the video can be decoded."


@dataclass(frozen=True, slots=True)
class Sampling:
    """How frames of a stretch are wanted.

    Attributes:
        n_frames: how many, evenly spread; a shorter clip repeats some.
        side_px: side of the squares they are squashed to.
    """

    n_frames: int
    side_px: int


@dataclass(frozen=True, slots=True)
class SampledFrames:
    """Frames of a stretch.

    Attributes:
        pixels: uint8 RGB (n_frames, side_px, side_px, 3), upright, squashed.
        times_s: float32 (n_frames,), ascending, when in the video each is on the screen.
    """

    pixels: np.ndarray = field(repr=False)
    times_s: np.ndarray


def sample_frames(
    path: bytes, start_s: float, end_s: float | None, sampling: Sampling, *, token: CancellationToken | None = None
) -> SampledFrames:
    """Evenly spread frames of a stretch of a video; without ``end_s`` to its end.

    Of a stretch that :func:`~explorer.media.shots.read_shots` gave they are the very frames that it gave.

    Raises
    ------
    MediaError
        As :func:`~explorer.media.footage.open_footage`, or there is not one frame to decode.
    Cancelled
        The token was cancelled.
    """
    with open_footage(path, token) as footage:
        if end_s is None:
            end_s = max(footage.claimed_duration_s(), start_s + 1 / footage.rate_fps)
        times_s = moments(start_s, end_s, sampling.n_frames)
        pixels = _squares(footage, times_s, sampling.side_px)
        if pixels is None:
            raise MediaError(NO_FRAME)
        if footage.at_end and footage.position_s < times_s[-1] - 1 / footage.rate_fps and start_s < footage.position_s:
            # The file claims to be longer than what can be decoded of it: spread over what there is.
            times_s = moments(start_s, footage.position_s + 1 / footage.rate_fps, sampling.n_frames)
            again = _squares(footage, times_s, sampling.side_px)
            pixels = pixels if again is None else again
    return SampledFrames(pixels, times_s.astype(np.float32))


def read_frame(path: bytes, time_s: float, max_edge_px: int) -> np.ndarray:
    """The frame on the screen at a time, upright, its longest edge at most ``max_edge_px``; uint8 RGB (h, w, 3).

    Raises
    ------
    MediaError
        As :func:`~explorer.media.footage.open_footage`, or there is not one frame to decode.
    """
    with open_footage(path) as footage:
        for timed in frames_at(footage, [time_s]):
            return fit_frame(timed.frame, max_edge_px, footage.turn_of(timed.frame))
    raise MediaError(NO_FRAME)


def frames_at(footage: Footage, times_s: Sequence[float]) -> Iterator[TimedFrame]:
    """What is on the screen at each of some moments, in their order (ascending is fastest).

    Before the first frame that is the first one, after the last one the last; nothing if there is no frame at all.
    """
    upcoming = footage.frames()
    shown: TimedFrame | None = None  # the last frame at or before the moment, or the first of all
    following: TimedFrame | None = None
    last_s = 0.0
    for wanted_s in times_s:
        goes_back = shown is not None and wanted_s < min(shown.time_s, last_s)
        if goes_back or _should_jump(footage, following or shown, wanted_s):
            upcoming, shown, following = _jump(footage, wanted_s)
        if following is not None and following.time_s <= wanted_s + TOLERANCE_S:
            shown, following = following, None
        while following is None and not (shown is not None and footage.surely_shown(shown, wanted_s)):
            timed = next(upcoming, None)
            if timed is None:
                break
            if shown is None or timed.time_s <= wanted_s + TOLERANCE_S:
                shown = timed
            else:
                following = timed
        if shown is None:
            return
        yield shown
        last_s = wanted_s


def _should_jump(footage: Footage, at: TimedFrame | None, wanted_s: float) -> bool:
    here_s = 0.0 if at is None else at.time_s
    margin_s = (_FRAMES_A_JUMP_COSTS + footage.n_threads - 1) / footage.rate_fps
    if wanted_s - here_s < margin_s:
        return False
    keyframe_s = footage.keyframe_before(wanted_s)
    return keyframe_s is not None and keyframe_s - here_s > margin_s


def _jump(footage: Footage, wanted_s: float) -> tuple[Iterator[TimedFrame], TimedFrame | None, TimedFrame | None]:
    """Seek to before a moment; gives the frames from there, the first of which was taken: it is shown before it."""
    for back_s in (0.0, 1.0, 10.0):
        try:
            footage.seek(wanted_s - back_s)
        except MediaError:
            break
        upcoming = footage.frames()
        first = next(upcoming, None)
        if first is not None and first.time_s <= wanted_s + TOLERANCE_S:
            return upcoming, first, None
    footage.restart()
    return footage.frames(), None, None


def _squares(footage: Footage, times_s: np.ndarray, side_px: int) -> np.ndarray | None:
    squares: list[np.ndarray] = []
    last: TimedFrame | None = None
    for timed in frames_at(footage, times_s.tolist()):
        if timed is last:
            squares.append(squares[-1])
        else:
            squares.append(squash_frame(timed.frame, side_px, footage.turn_of(timed.frame)))
        last = timed
    return np.stack(squares) if squares else None

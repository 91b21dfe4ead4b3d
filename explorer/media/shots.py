"""The shots of a video, with all that is wanted of each, from one pass through the file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from explorer.cancellation import CancellationToken
from explorer.errors import MediaError
from explorer.media.footage import Footage, TimedFrame, open_footage
from explorer.media.frame_pixels import fit_frame, squash_frame
from explorer.media.image import THUMBNAIL_EDGE_PX, make_thumbnail
from explorer.media.moments import moments
from explorer.media.sampling import NO_FRAME, Sampling, frames_at
from explorer.media.takes import KeptFrame, Stretch, find_takes

__all__ = ["Sampling", "SeenShot", "read_shots"]


@dataclass(frozen=True, slots=True)
class SeenShot:
    """One shot.

    Attributes:
        start_s, end_s: where in the video it is; the end is the next one's start.
        thumbnail: a JPEG of its middle, upright.
        frames: for every sampling uint8 RGB (n_frames, side_px, side_px, 3), upright, squashed.
        times_s: for every sampling float32 (n_frames,), ascending, when in the video each frame is on the screen.
    """

    start_s: float
    end_s: float
    thumbnail: bytes = field(repr=False)
    frames: tuple[np.ndarray, ...] = field(repr=False)
    times_s: tuple[np.ndarray, ...] = field(repr=False)


def read_shots(
    path: bytes,
    samplings: Sequence[Sampling],
    *,
    spans: Sequence[tuple[float, float]] = (),
    token: CancellationToken | None = None,
) -> Iterator[SeenShot]:
    """Decode a video once, and give its shots as they go by.

    Without ``spans`` shots are found: at cuts; takes of more than 20 s are cut into windows of at most 10 s. With them
    the shots are those, in ascending order, and only what they need is decoded.

    Raises
    ------
    MediaError
        As :func:`~explorer.media.footage.open_footage`, or there is not one frame to decode.
    Cancelled
        The token was cancelled; it is looked at before every packet.
    """
    with open_footage(path, token) as footage:
        shots = _known_shots(footage, samplings, spans) if spans else _found_shots(footage, samplings)
        first = next(shots, None)
        if first is None:
            raise MediaError(NO_FRAME)
        yield first
        yield from shots


def _found_shots(footage: Footage, samplings: Sequence[Sampling]) -> Iterator[SeenShot]:
    sides = sorted({sampling.side_px for sampling in samplings})

    def shrink(timed: TimedFrame, wants_picture: bool) -> KeptFrame:
        return _kept(footage, timed, sides, wants_picture)

    for stretch in find_takes(footage.frames(), footage.rate_fps, shrink):
        yield _seen(stretch, samplings)


def _known_shots(
    footage: Footage, samplings: Sequence[Sampling], spans: Sequence[tuple[float, float]]
) -> Iterator[SeenShot]:
    wanted = [_moments_of(span, samplings) for span in spans]
    upcoming = frames_at(footage, [time_s for times in wanted for time_s in times])
    sides = sorted({sampling.side_px for sampling in samplings})
    for span, times in zip(spans, wanted, strict=True):
        middle_s = moments(*span, 1)[0]
        kept: list[KeptFrame] = []
        for time_s in times:
            timed = next(upcoming, None)
            if timed is None:
                return
            kept.append(_kept(footage, timed, sides, wants_picture=bool(time_s == middle_s)))
        yield _seen(Stretch(*span, kept), samplings)


def _moments_of(span: tuple[float, float], samplings: Sequence[Sampling]) -> list[float]:
    """All moments at which something is wanted of a shot, ascending; one of them is for the thumbnail."""
    return sorted({time for n in {1, *(s.n_frames for s in samplings)} for time in moments(*span, n).tolist()})


def _kept(footage: Footage, timed: TimedFrame, sides: Sequence[int], wants_picture: bool) -> KeptFrame:
    turn = footage.turn_of(timed.frame)
    squares = {side_px: squash_frame(timed.frame, side_px, turn) for side_px in sides}
    return KeptFrame(
        timed.time_s, squares, fit_frame(timed.frame, THUMBNAIL_EDGE_PX, turn) if wants_picture else None
    )


def _seen(stretch: Stretch, samplings: Sequence[Sampling]) -> SeenShot:
    span = (stretch.start_s, stretch.end_s)
    frames, times = [], []
    for sampling in samplings:
        at = moments(*span, sampling.n_frames)
        frames.append(np.stack([stretch.shown_at(time_s).squares[sampling.side_px] for time_s in at.tolist()]))
        times.append(at.astype(np.float32))
    middle_s = moments(*span, 1)[0]
    pictures = [frame for frame in stretch.kept if frame.picture is not None]
    nearest = min(pictures, key=lambda frame: abs(frame.time_s - middle_s))
    assert nearest.picture is not None
    return SeenShot(*span, make_thumbnail(nearest.picture), tuple(frames), tuple(times))

"""An opened video file: its picture stream decoded in order, every frame with its time; and seeking in it.

PyAV decodes. Files come in through a Python stream, so that a name is never taken for a protocol, and only containers
that hold their own pictures are recognised (a playlist would make the decoder open what it names). What a file is, its
content says, whatever its name. A packet that cannot be decoded is passed over: a damaged file is a shorter clip.
"""

import heapq
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from typing import BinaryIO, NamedTuple

import av
from av.container import InputContainer
from av.index import IndexEntries
from av.stream import Discard, Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from explorer.cancellation import CancellationToken
from explorer.errors import MediaError
from explorer.media.frame_pixels import Turn, turn_of
from explorer.media.item import open_regular
from explorer.media.moments import TOLERANCE_S

MAX_FRAME_PIXELS = 72_000_000
"""Of one frame: 8K has 35 million, the largest panoramic cameras 66. A header that claims more is damaged."""

_CONTAINERS = "avi,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,flv,asf,ogg"
_BUFFER_BYTES = 1 << 18
_MAX_THREADS = 8
# The threads of a decoder hold a frame each.
_MAX_THREADED_PIXELS = 9_000_000
_MAX_GAP_S = 3600.0
_MAX_TIME_S = 1e6
_MAX_EMPTY_PACKETS = 5000
_USUAL_RATE_FPS = 25.0
_SMALL_FILE_BYTES = 64_000_000

# What decoders and their bindings raise on damaged files; a MemoryError is a damaged size field.
_FAILURES = (
    av.FFmpegError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RuntimeError, MemoryError,
    OSError, EOFError,
)  # fmt: skip
_NOT_A_VIDEO = "The file is not a video of a kind that can be read, or its beginning is damaged."


class TimedFrame(NamedTuple):
    """One decoded frame and when it is shown, in seconds from the beginning of the video."""

    time_s: float
    frame: VideoFrame


class Footage:
    """The picture stream of one opened video file.

    Attributes:
        container: the opened file.
        stream: its pictures.
        rate_fps: frames a second, as far as the header says something believable; of many files only a mean.
        position_s: time of the last frame that was decoded; -inf before the first one and after a seek.
        at_end: whether the last frame was decoded, and there are no more.
        n_threads: of the decoder.
    """

    def __init__(self, container: InputContainer, n_bytes: int, token: CancellationToken | None) -> None:
        self.container = container
        self.stream = _picture_stream(container)
        self.rate_fps = _believable_rate(self.stream)
        self.position_s = -math.inf
        self.at_end = False
        self.n_threads = _prepare_decoder(self.stream)
        self._n_bytes = n_bytes
        self._token = token or CancellationToken()
        self._tick_s = float(self.stream.time_base or Fraction(1, 1000))
        self._has_times = container.format.name != "avi"
        self._index_is_late = container.format.name.startswith("matroska")
        self._origin = self.stream.start_time or 0
        self._turn: Turn | None = None
        for other in container.streams:
            if other is not self.stream:
                other.discard = Discard.all

    def frames(self) -> Iterator[TimedFrame]:
        """Every frame from here to the end (or to where the file is cut off), times ascending.

        Raises
        ------
        Cancelled
            The token was cancelled; it is looked at before every packet.
        """
        pending: list[int] = []
        n_empty = 0
        for packet_frames in self._decoded(pending):
            n_empty = 0 if packet_frames else n_empty + 1
            if n_empty > _MAX_EMPTY_PACKETS:
                break
            for frame in packet_frames:
                self.position_s = self._time_of(frame, pending)
                yield TimedFrame(self.position_s, frame)
        self.at_end = True

    def seek(self, time_s: float) -> None:
        """Go on from the last keyframe at or before this time; :meth:`frames` is to be called anew.

        Raises
        ------
        MediaError
            The file cannot be read there.
        """
        try:
            self.container.seek(self._ticks(time_s), stream=self.stream)
        except _FAILURES as error:
            raise MediaError("The video cannot be read from another place than its beginning.") from error
        self.position_s = -math.inf
        self.at_end = False

    def keyframe_before(self, time_s: float) -> float | None:
        """Time of the last known keyframe at or before this time; None if the file does not say where they are."""
        if not self._has_times and self.stream.codec_context.has_b_frames:
            return None  # frames without times of their own, out of order: only counting from the beginning is exact
        entries = self._index()
        if not len(entries):
            return None
        # The index of an MP4 file says when a frame is decoded, which is before it is shown.
        delay_s = self.stream.codec_context.has_b_frames / self.rate_fps if "mp4" in self.container.format.name else 0
        found = entries.search_timestamp(self._ticks(time_s - delay_s))
        if found < 0:
            return None
        return max(0.0, (entries[found].timestamp - self._origin) * self._tick_s + delay_s)

    def claimed_duration_s(self) -> float:
        """How long the video is, by its header and its index; by its packets where these say nothing."""
        claimed_s = 0.0
        if self.stream.duration is not None:
            claimed_s = self.stream.duration * self._tick_s
        elif self.container.duration is not None:
            claimed_s = self.container.duration / av.time_base
        entries = self._index()
        # A file that was cut off has lost the index at its end; in one with so short an index, looking costs little.
        is_vague = len(entries) <= 2 and self._n_bytes <= _SMALL_FILE_BYTES
        if is_vague or not len(entries) or not 0 < claimed_s < _MAX_TIME_S:
            return self._duration_by_packets()
        if entries[-1].pos < self._n_bytes:
            return claimed_s
        # An index at the beginning also speaks of what was cut off from the end.
        end = next((entry for entry in reversed(entries) if entry.pos < self._n_bytes), None)
        return 0.0 if end is None else max(0.0, (end.timestamp - self._origin) * self._tick_s)

    def surely_shown(self, timed: TimedFrame, time_s: float) -> bool:
        """Whether a frame is on the screen at a time, as far as that is sure without decoding the next one."""
        return not self._has_times and timed.time_s <= time_s < timed.time_s + 1 / self.rate_fps - TOLERANCE_S

    def restart(self) -> None:
        """Go on from the beginning."""
        self.seek(0.0)

    def turn_of(self, frame: VideoFrame) -> Turn:
        """How frames of this video become upright; the first one that is asked about speaks for all."""
        if self._turn is None:
            aspect = self.stream.sample_aspect_ratio
            self._turn = turn_of(frame, float(aspect) if aspect else 1.0)
        return self._turn

    def _ticks(self, time_s: float) -> int:
        """A time as the file tells it, rounded down: what lies at it counts as before it."""
        return self._origin + max(0, math.floor((min(time_s, _MAX_TIME_S) + TOLERANCE_S) / self._tick_s))

    def _decoded(self, pending: list[int]) -> Iterator[list[VideoFrame]]:
        """What each packet gave, in the order of showing; the decoding times of what is still inside in ``pending``."""
        packets = self.container.demux(self.stream)
        while True:
            self._token.check()
            try:
                packet = next(packets, None)
            except _FAILURES:
                return  # nothing can be read any more: this is the end of it
            if packet is None:
                return
            if packet.dts is not None:
                heapq.heappush(pending, packet.dts)
            try:
                decoded = packet.decode()
            except MemoryError:
                return
            except _FAILURES:
                if packet.dts in pending:
                    pending.remove(packet.dts)
                    heapq.heapify(pending)
                decoded = []
            yield [frame for frame in decoded if _is_sound(frame)]

    def _time_of(self, frame: VideoFrame, pending: list[int]) -> float:
        # Decoders give frames in the order of showing: without a time of its own, each takes the earliest that is left.
        counted = heapq.heappop(pending) if pending else None
        ticks = frame.pts if self._has_times and frame.pts is not None else counted
        last_s = self.position_s
        next_s = 0.0 if last_s == -math.inf else last_s + 1 / self.rate_fps
        if ticks is None:
            return next_s
        time_s = (ticks - self._origin) * self._tick_s
        if last_s == -math.inf:
            return time_s if 0 <= time_s < _MAX_TIME_S else 0.0
        return time_s if last_s < time_s <= min(last_s + _MAX_GAP_S, _MAX_TIME_S) else next_s

    def _index(self) -> IndexEntries:
        """Where keyframes (in some containers all frames) are, as far as the file says so by now."""
        if self._index_is_late and self.position_s == -math.inf:
            # At the end of the file, which is read when one first seeks.
            self._index_is_late = False
            with suppress(MediaError):
                self.restart()
        return self.stream.index_entries

    def _duration_by_packets(self) -> float:
        """Read through the file without decoding; leaves it at its beginning."""
        last, n_packets = None, 0
        packets = self.container.demux(self.stream)
        while True:
            self._token.check()
            try:
                packet = next(packets, None)
            except _FAILURES:
                break
            if packet is None:
                break
            n_packets += bool(packet.size)
            ticks = packet.pts if packet.pts is not None else packet.dts
            if ticks is not None and (last is None or ticks > last):
                last = ticks
        with suppress(MediaError):  # nothing to come back to: then there are no frames either
            self.restart()
        length_s = -1.0 if last is None else (last - self._origin) * self._tick_s
        return length_s + 1 / self.rate_fps if 0 <= length_s < _MAX_TIME_S else n_packets / self.rate_fps


@contextmanager
def open_footage(path: bytes, token: CancellationToken | None = None) -> Iterator[Footage]:
    """Open a video file.

    Raises
    ------
    MediaError
        The file is gone, may not be read, is no video of a kind that is read, holds sound only, needs a decoder that is
        not here, or has frames of more than :data:`MAX_FRAME_PIXELS` pixels (which its header says; such frames are
        never decoded).
    """
    with open_regular(path) as stream:
        n_bytes = os.fstat(stream.fileno()).st_size
        if not n_bytes:
            raise MediaError("The file is empty.")
        container = _open_container(stream)
        try:
            yield Footage(container, n_bytes, token)
        finally:
            container.close()


def _n_threads(n_pixels: int) -> int:
    """How many threads decode frames of this size: one core is left to others, and memory is kept small."""
    if n_pixels > _MAX_THREADED_PIXELS:
        return 1
    return min(_MAX_THREADS, max(1, (os.cpu_count() or 1) - 1))


def _open_container(stream: BinaryIO) -> InputContainer:
    try:
        return av.open(
            stream, mode="r", metadata_errors="replace", buffer_size=_BUFFER_BYTES,
            options={"format_whitelist": _CONTAINERS, "max_pixels": str(MAX_FRAME_PIXELS)},
        )  # fmt: skip
    except _FAILURES as error:
        raise MediaError(_NOT_A_VIDEO) from error


def _picture_stream(container: InputContainer) -> VideoStream:
    """The first stream of moving pictures; a cover picture is none."""
    streams = container.streams.video
    moving = [stream for stream in streams if not stream.disposition & Disposition.attached_pic]
    if not moving:
        raise MediaError("The file holds sound and no moving pictures." if container.streams.audio else _NOT_A_VIDEO)
    for stream in moving:
        context = stream.codec_context
        if context is not None:
            n_pixels = context.width * context.height
            if n_pixels > MAX_FRAME_PIXELS:
                raise MediaError(
                    f"The video says that its frames have {n_pixels / 1e6:.0f} megapixels, more than the"
                    f" {MAX_FRAME_PIXELS // 1_000_000} that are read."
                )
            return stream
    raise MediaError("The video is written in a form that this program has no decoder for.")


def _prepare_decoder(stream: VideoStream) -> int:
    """Set limits and threads; gives the number of threads."""
    context = stream.codec_context
    context.options = {"max_pixels": str(MAX_FRAME_PIXELS)}
    context.thread_count = _n_threads(context.width * context.height)
    context.thread_type = "AUTO"
    return context.thread_count


def _believable_rate(stream: VideoStream) -> float:
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate is not None and rate.denominator and 0.01 <= float(rate) <= 1000:
            return float(rate)
    return _USUAL_RATE_FPS


def _is_sound(frame: VideoFrame) -> bool:
    return frame.width > 0 and frame.height > 0 and frame.width * frame.height <= MAX_FRAME_PIXELS

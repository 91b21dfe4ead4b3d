"""What a video file says about itself."""

from dataclasses import dataclass
from datetime import UTC, datetime

from explorer.errors import MediaError
from explorer.media.footage import open_footage

_CONTAINER_NAMES = {"mov": "mp4", "matroska": "mkv"}
_EARLIEST_YEAR = 1980  # clocks that were never set say 1904 or 1970


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What is known of a video without reading it through.

    Attributes:
        width_px, height_px: of the picture as it is to be seen: upright, with square pixels.
        duration_s: by header and index; of a damaged file the end of its last shot is the truth.
        rate_fps: frames a second; a mean where it varies.
        container: "avi", "mp4", "mkv" or the decoder's own name.
        codec: the decoder's name for it ("h264").
        captured_at: local time of capture, ISO 8601, or empty.
    """

    width_px: int
    height_px: int
    duration_s: float
    rate_fps: float
    container: str
    codec: str
    captured_at: str = ""


def read_facts(path: bytes) -> VideoFacts:
    """Open a video, decode its first frame, and say what it is.

    Raises
    ------
    MediaError
        As :func:`explorer.media.footage.open_footage`, or not one frame can be decoded.
    """
    with open_footage(path) as footage:
        duration_s = footage.claimed_duration_s()
        first = next(footage.frames(), None)
        if first is None:
            raise MediaError("Not one frame of the video can be decoded.")
        width_px, height_px = footage.turn_of(first.frame).upright_size(first.frame)
        name = footage.container.format.name.split(",")[0]
        return VideoFacts(
            width_px=width_px,
            height_px=height_px,
            duration_s=duration_s or 1 / footage.rate_fps,
            rate_fps=footage.rate_fps,
            container=_CONTAINER_NAMES.get(name, name),
            codec=footage.stream.codec_context.name,
            captured_at=_captured_at(dict(footage.container.metadata)),
        )


def _captured_at(metadata: dict[str, str]) -> str:
    own = metadata.get("com.apple.quicktime.creationdate", "")
    try:
        if own:
            return _plausible(datetime.fromisoformat(own[:19]))
        written = datetime.fromisoformat(metadata.get("creation_time", "").replace("Z", "+00:00"))
        if written.tzinfo is None:
            written = written.replace(tzinfo=UTC)
        return _plausible(written.astimezone().replace(tzinfo=None, microsecond=0))
    except (ValueError, OverflowError, OSError):
        return ""


def _plausible(moment: datetime) -> str:
    return moment.isoformat() if moment.year >= _EARLIEST_YEAR else ""

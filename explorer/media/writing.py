"""Frames to video files, for the sample collection and for tests."""

import os
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream

from explorer.errors import MediaError

# Container, encoder and its options by a name's ending. One thread, and nothing of the day or the machine in the file:
# the same frames give the same bytes.
_FORMS: dict[str, tuple[str, str, dict[str, str]]] = {
    ".mp4": ("mp4", "libx264", {"crf": "20", "preset": "veryfast"}),
    ".m4v": ("mp4", "libx264", {"crf": "20", "preset": "veryfast"}),
    ".mov": ("mov", "libx264", {"crf": "20", "preset": "veryfast"}),
    ".mkv": ("matroska", "libx264", {"crf": "20", "preset": "veryfast"}),
    ".avi": ("avi", "mpeg4", {"qmin": "3", "qmax": "6"}),
    ".webm": ("webm", "libvpx-vp9", {"crf": "30", "b": "0", "deadline": "realtime", "cpu-used": "8"}),
}


def write_video(
    path: Path, frames: Iterable[np.ndarray], rate_fps: float, *, keyframe_every: int | None = None
) -> None:
    """Write uint8 RGB frames (h, w, 3), all of one size, as a video; what it holds its name's ending says.

    H.264 in .mp4, .m4v, .mov and .mkv, MPEG-4 in .avi, VP9 in .webm; no sound. A file of this name is replaced, once
    the new one is whole.

    keyframe_every: frames from one keyframe to the next; by default as the encoder likes.

    Raises
    ------
    MediaError
        The file cannot be written.
    """
    if path.suffix.lower() not in _FORMS:
        raise ValueError(f"{path.name}: a video is written as one of {', '.join(_FORMS)}")
    form, codec, options = _FORMS[path.suffix.lower()]
    every = {} if keyframe_every is None else {"g": str(keyframe_every), "keyint_min": str(keyframe_every)}
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        raise ValueError("a video needs at least one frame")
    partial = path.with_name(f".{path.name}.partial")
    try:
        with open(partial, "wb") as stream, av.open(
            stream, "w", format=form, container_options={"fflags": "+bitexact"}
        ) as container:
            _encode(container, codec, options | every, chain([first], frames), rate_fps, first.shape)
        os.replace(partial, path)
    except (OSError, av.FFmpegError) as error:
        raise MediaError(f"The video {path.name} cannot be written: {error.strerror or error}.") from error
    finally:
        partial.unlink(missing_ok=True)


def _encode(
    container: OutputContainer,
    codec: str,
    options: dict[str, str],
    frames: Iterable[np.ndarray],
    rate_fps: float,
    shape: Sequence[int],
) -> None:
    height, width = shape[:2]
    stream = container.add_stream(codec, rate=Fraction(rate_fps).limit_denominator(1001), options=options)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = width, height
    # Halved chroma needs even sizes in these encoders.
    stream.pix_fmt = "yuv420p" if codec == "mpeg4" or (width % 2 == height % 2 == 0) else "yuv444p"
    stream.codec_context.thread_count = 1
    for pixels in frames:
        if pixels.shape != tuple(shape):
            raise ValueError(f"all frames of a video have one shape; got {pixels.shape} after {tuple(shape)}")
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")))
    container.mux(stream.encode(None))

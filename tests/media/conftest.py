"""Videos of every kind, rendered by the tests that need them."""

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest


def mux(
    path: Path,
    frames: Iterable[np.ndarray],
    *,
    codec: str = "libx264",
    form: str | None = None,
    rate: int = 20,
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    rotation: int = 0,
    sample_aspect: Fraction | None = None,
    metadata: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Write frames with everything that can be odd about a video."""
    with av.open(str(path), "w", format=form, container_options=container_options or {}) as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.pix_fmt = pix_fmt
        if rotation:
            stream.set_display_rotation(rotation)
        if time_base is not None:
            stream.time_base = stream.codec_context.time_base = time_base
        for i, pixels in enumerate(frames):
            if not i:
                stream.height, stream.width = pixels.shape[:2]
                if sample_aspect is not None:
                    stream.codec_context.sample_aspect_ratio = sample_aspect
            frame = av.VideoFrame.from_ndarray(pixels, format="rgba" if pixels.shape[-1] == 4 else "rgb24")
            if pts is not None:
                frame.pts, frame.time_base = pts[i], time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def render(tmp_path: Path) -> Callable[..., Path]:
    """:func:`mux` into the test's own folder."""
    return lambda name, frames, **how: mux(tmp_path / name, frames, **how)
